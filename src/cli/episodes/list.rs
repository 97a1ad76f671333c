//! `pointsman episodes ls`, and its table and selection for other subcommands.

use comfy_table::CellAlignment;
use comfy_table::presets::NOTHING;

use super::annotations::describe_annotations;
use crate::cli::error::{CommandError, CommandResult};
use crate::cli::output;
use crate::cli::stdio::note;
use crate::library::{LocalCalendar, Query, QueryPage, query_page};
use crate::store::{EpisodeEnd, EpisodeEntry, Store, StoreError};

/// Number of episodes that are searched at a time, so that `--json` prints its first lines at once.
const PAGE_SIZE: usize = 1000;
/// Maximum number of characters of a question in a row.
const QUESTION_WIDTH: usize = 48;

pub(super) fn list(
    store: &Store,
    query: &Query,
    limit: Option<usize>,
    json: bool,
) -> CommandResult<()> {
    let mut table = EpisodeTable::new("began");
    let mut left = limit.unwrap_or(usize::MAX);
    let mut after = None;
    while left > 0 {
        // With an order, each page is a new search.
        let n = if query.sort.is_some() { left } else { left.min(PAGE_SIZE) };
        let QueryPage { entries, unreadable, next } = query_page(store, query, after, n, |_| true)?;
        for entry in &entries {
            if json {
                output::print_json(entry)?;
            } else {
                table.add(entry, LocalCalendar::format(entry.summary.began_ms));
            }
        }
        for error in &unreadable {
            table.report_unreadable(error);
        }
        left -= entries.len();
        match next {
            Some(_) => after = next,
            None => break,
        }
    }
    if !json {
        let empty_message = if store.is_empty() {
            "the store has no episodes: `pointsman run` records one"
        } else {
            "no episode matches"
        };
        table.print(empty_message)?;
    }
    table.finish()
}

/// A table of episodes.
pub(super) struct EpisodeTable {
    table: comfy_table::Table,
    /// Number of episodes that could not be read.
    unreadable: usize,
}

impl EpisodeTable {
    /// An empty table; `time` is the heading of its time column.
    pub(super) fn new(time: &str) -> Self {
        let mut table = comfy_table::Table::new();
        let header =
            ["id", time, "end", "steps", "large", "cost", "router", "question", "annotations"];
        table.load_preset(NOTHING).set_header(header);
        Self { table, unreadable: 0 }
    }

    /// Adds a row, with its formatted time.
    pub(super) fn add(&mut self, entry: &EpisodeEntry, time: String) {
        self.table.add_row(row(entry, time));
    }

    /// Reports why an episode is missing, on standard error.
    pub(super) fn report_unreadable(&mut self, error: &StoreError) {
        self.unreadable += 1;
        note!("pointsman: {error}");
    }

    /// Prints the table, or `empty_message` if it is empty.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(super) fn print(&mut self, empty_message: &str) -> std::io::Result<()> {
        for column in [0, 3, 4, 5] {
            if let Some(column) = self.table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        match self.table.is_empty() {
            true if self.unreadable == 0 => output::print_line(empty_message),
            true => Ok(()),
            false => output::print_line(&self.table.trim_fmt()),
        }
    }

    /// # Errors
    /// If an episode could not be read.
    pub(super) fn finish(self) -> CommandResult<()> {
        fail_if_unreadable(self.unreadable)
    }
}

/// The episodes that match a query.
pub(super) struct Selection {
    /// In the query's order; oldest first if it has none.
    pub(super) ids: Vec<u64>,
    /// Number of episodes that could not be read, which have been reported.
    pub(super) unreadable: usize,
}

impl Selection {
    /// # Errors
    /// If the store cannot be read.
    pub(super) fn of(store: &Store, query: &Query) -> Result<Self, StoreError> {
        let QueryPage { entries, unreadable, .. } =
            query_page(store, query, None, usize::MAX, |_| true)?;
        for error in &unreadable {
            note!("pointsman: {error}");
        }
        let mut ids: Vec<u64> = entries.iter().map(|entry| entry.summary.id).collect();
        if query.sort.is_none() {
            ids.reverse();
        }
        Ok(Self { ids, unreadable: unreadable.len() })
    }

    /// # Errors
    /// If an episode could not be read.
    pub(super) fn fail_if_unreadable(&self) -> CommandResult<()> {
        fail_if_unreadable(self.unreadable)
    }
}

fn fail_if_unreadable(unreadable: usize) -> CommandResult<()> {
    match unreadable {
        0 => Ok(()),
        1 => Err(CommandError::failure("1 episode could not be read and was left out")),
        n => {
            Err(CommandError::failure(format!("{n} episodes could not be read and were left out")))
        }
    }
}

fn row(entry: &EpisodeEntry, time: String) -> [String; 9] {
    let summary = &entry.summary;
    let end = match &summary.end {
        EpisodeEnd::Unfinished => "unfinished".to_owned(),
        EpisodeEnd::Finished { answer, verdict, .. } => {
            let answer = output::strip_control_chars(answer.as_deref().unwrap_or("–"));
            format!("{answer} {}", output::lowercase_name(verdict))
        }
        EpisodeEnd::Failed { .. } => "failed".to_owned(),
    };
    let question = output::strip_control_chars(&summary.question);
    let mut short: String = question.chars().take(QUESTION_WIDTH).collect();
    if short.len() < question.len() {
        short.push('…');
    }
    [
        summary.id.to_string(),
        time,
        end,
        summary.steps.to_string(),
        summary.large_steps.to_string(),
        output::si(summary.cost),
        output::strip_control_chars(&summary.router),
        short,
        describe_annotations(&entry.annotations),
    ]
}

//! `pointsman episodes ls`, and what other subcommands have of it.

use comfy_table::CellAlignment;
use comfy_table::presets::NOTHING;

use super::{describe_annotations, output};
use crate::cli::error::{CommandError, CommandResult};
use crate::library::{LocalCalendar, Query, QueryPage, query_page};
use crate::store::{EpisodeEnd, EpisodeEntry, Store, StoreError};

/// Episodes that are looked for at a time, so that the first lines are printed at once.
const PAGE_SIZE: usize = 1000;
/// Characters of a question that a row has room for.
const QUESTION_WIDTH: usize = 48;

pub fn list(store: &Store, query: &Query, limit: Option<usize>, json: bool) -> CommandResult<()> {
    let mut table = EpisodeTable::new("began");
    let mut left = limit.unwrap_or(usize::MAX);
    let mut after = None;
    while left > 0 {
        // Every page of an order is a search of its own.
        let n = if query.sort.is_some() { left } else { left.min(PAGE_SIZE) };
        let QueryPage { entries, unreadable, next } = query_page(store, query, after, n, |_| true)?;
        for entry in &entries {
            if json {
                output::print_line(&serde_json::to_string(entry)?)?;
            } else {
                table.add(entry, LocalCalendar::format(entry.summary.began_ms));
            }
        }
        unreadable.iter().for_each(|error| table.report_unreadable(error));
        left -= entries.len();
        match next {
            Some(_) => after = next,
            None => break,
        }
    }
    if !json {
        let empty_message = if store.is_empty() {
            "no episodes yet: `pointsman run` writes one"
        } else {
            "no episode matches"
        };
        table.print(empty_message)?;
    }
    table.finish()
}

/// A table of episodes.
pub struct EpisodeTable {
    table: comfy_table::Table,
    /// Episodes that could not be read.
    unreadable: usize,
}

impl EpisodeTable {
    /// An empty one, whose column of times has this name.
    pub fn new(time: &str) -> Self {
        let mut table = comfy_table::Table::new();
        let header =
            ["id", time, "end", "steps", "large", "cost", "router", "question", "annotations"];
        table.load_preset(NOTHING).set_header(header);
        Self { table, unreadable: 0 }
    }

    /// A row, with the text of its time.
    pub fn add(&mut self, entry: &EpisodeEntry, time: String) {
        self.table.add_row(row(entry, time));
    }

    /// Says why an episode is not there.
    pub fn report_unreadable(&mut self, error: &StoreError) {
        self.unreadable += 1;
        eprintln!("pointsman: {error}");
    }

    /// Prints it, or `nothing` where it has no rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&mut self, empty_message: &str) -> std::io::Result<()> {
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
    /// When an episode could not be read.
    pub fn finish(self) -> CommandResult<()> {
        fail_if_unreadable(self.unreadable)
    }
}

/// The episodes that a query asks for.
pub struct Selection {
    /// In the query's order, else oldest first.
    pub ids: Vec<u64>,
    /// How many could not be read; that was said.
    pub unreadable: usize,
}

impl Selection {
    /// # Errors
    /// When the store cannot be read.
    pub fn of(store: &Store, query: &Query) -> Result<Self, StoreError> {
        let QueryPage { entries, unreadable, .. } =
            query_page(store, query, None, usize::MAX, |_| true)?;
        unreadable.iter().for_each(|error| eprintln!("pointsman: {error}"));
        let mut ids: Vec<u64> = entries.iter().map(|entry| entry.summary.id).collect();
        if query.sort.is_none() {
            ids.reverse();
        }
        Ok(Self { ids, unreadable: unreadable.len() })
    }

    /// # Errors
    /// When an episode could not be read.
    pub fn report_unreadable(&self) -> CommandResult<()> {
        fail_if_unreadable(self.unreadable)
    }
}

fn fail_if_unreadable(unreadable: usize) -> CommandResult<()> {
    match unreadable {
        0 => Ok(()),
        1 => Err(CommandError::failure("1 episode could not be read and is left out")),
        n => Err(CommandError::failure(format!("{n} episodes could not be read and are left out"))),
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

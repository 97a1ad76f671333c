//! `pointsman episodes ls`, and what other subcommands have of it.

use comfy_table::CellAlignment;
use comfy_table::presets::NOTHING;

use super::{said, style};
use crate::library::{LocalTime, Page, Query, page};
use crate::store::{End, Entry, Store, StoreError};

/// Episodes that are looked for at a time, so that the first lines are printed at once.
const AT_A_TIME: usize = 1000;
/// Characters of a question that a row has room for.
const QUESTION: usize = 48;

pub fn list(store: &Store, query: &Query, limit: Option<usize>, json: bool) -> anyhow::Result<()> {
    let mut table = Table::new("began");
    let mut left = limit.unwrap_or(usize::MAX);
    let mut after = None;
    while left > 0 {
        // Every page of an order is a search of its own.
        let n = if query.sort.is_some() { left } else { left.min(AT_A_TIME) };
        let Page { entries, unreadable, next } = page(store, query, after, n, |_| true)?;
        for entry in &entries {
            if json {
                style::line(&serde_json::to_string(entry)?)?;
            } else {
                table.add(entry, LocalTime::text(entry.summary.began_ms));
            }
        }
        unreadable.iter().for_each(|error| table.complain(error));
        left -= entries.len();
        match next {
            Some(_) => after = next,
            None => break,
        }
    }
    if !json {
        let nothing = if store.is_empty() {
            "no episodes yet: `pointsman run` writes one"
        } else {
            "no episode matches"
        };
        table.print(nothing)?;
    }
    table.finish()
}

/// A table of episodes.
pub struct Table {
    table: comfy_table::Table,
    /// Episodes that could not be read.
    unreadable: usize,
}

impl Table {
    /// An empty one, whose column of times has this name.
    pub fn new(time: &str) -> Self {
        let mut table = comfy_table::Table::new();
        let header =
            ["id", time, "end", "steps", "large", "cost", "router", "question", "said of it"];
        table.load_preset(NOTHING).set_header(header);
        Self { table, unreadable: 0 }
    }

    /// A row, with the text of its time.
    pub fn add(&mut self, entry: &Entry, time: String) {
        self.table.add_row(row(entry, time));
    }

    /// Says why an episode is not there.
    pub fn complain(&mut self, error: &StoreError) {
        self.unreadable += 1;
        eprintln!("pointsman: {error}");
    }

    /// Prints it, or `nothing` where it has no rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(&mut self, nothing: &str) -> std::io::Result<()> {
        for column in [0, 3, 4, 5] {
            if let Some(column) = self.table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        match self.table.is_empty() {
            true if self.unreadable == 0 => style::line(nothing),
            true => Ok(()),
            false => style::line(&self.table.trim_fmt()),
        }
    }

    /// # Errors
    /// When an episode could not be read.
    pub fn finish(self) -> anyhow::Result<()> {
        complain_of(self.unreadable)
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
        let Page { entries, unreadable, .. } = page(store, query, None, usize::MAX, |_| true)?;
        unreadable.iter().for_each(|error| eprintln!("pointsman: {error}"));
        let mut ids: Vec<u64> = entries.iter().map(|entry| entry.summary.id).collect();
        if query.sort.is_none() {
            ids.reverse();
        }
        Ok(Self { ids, unreadable: unreadable.len() })
    }

    /// # Errors
    /// When an episode could not be read.
    pub fn complain(&self) -> anyhow::Result<()> {
        complain_of(self.unreadable)
    }
}

fn complain_of(unreadable: usize) -> anyhow::Result<()> {
    anyhow::ensure!(unreadable == 0, "{unreadable} episodes could not be read and are left out");
    Ok(())
}

fn row(entry: &Entry, time: String) -> [String; 9] {
    let summary = &entry.summary;
    let end = match &summary.end {
        End::Unfinished => "unfinished".to_owned(),
        End::Finished { answer, verdict, .. } => {
            let answer = style::plain(answer.as_deref().unwrap_or("–"));
            format!("{answer} {}", style::word(verdict))
        }
        End::Failed { .. } => "failed".to_owned(),
    };
    let question = style::plain(&summary.question);
    let mut short: String = question.chars().take(QUESTION).collect();
    if short.len() < question.len() {
        short.push('…');
    }
    [
        summary.id.to_string(),
        time,
        end,
        summary.steps.to_string(),
        summary.large_steps.to_string(),
        style::si(summary.cost),
        style::plain(&summary.router),
        short,
        said(&entry.annotations),
    ]
}

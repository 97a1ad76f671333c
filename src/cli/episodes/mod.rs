//! `pointsman episodes`: the episodes in the store.

mod annotate;
mod annotations;
mod export;
mod import;
mod list;
mod salvage;
mod show;
mod trash;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::error::CommandResult;
use crate::cli::open_store;
use crate::cli::options::CommonArgs;
use crate::config::Folders;
use crate::library::{FILTER_HELP, LocalCalendar, Query, QueryError};
use crate::session::now_ms;
use crate::store::Store;

pub(super) use show::show;

#[derive(Debug, Args)]
pub(super) struct EpisodesArgs {
    #[command(subcommand)]
    command: EpisodesCommand,
}

#[derive(Debug, Subcommand)]
enum EpisodesCommand {
    /// List episodes, newest first
    #[command(after_help = query_help())]
    Ls {
        /// Which ones, and in which order [default: all, newest first]
        #[arg(allow_hyphen_values = true)]
        query: Option<String>,
        /// Most episodes to list
        #[arg(short = 'n', long, value_name = "N")]
        limit: Option<usize>,
        /// Print one JSON object per episode
        #[arg(long)]
        json: bool,
    },
    /// Show an episode: its trace, who wrote each step and why, and its cost
    Show {
        /// Number of the episode
        id: u64,
        /// Print its events, one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Add and remove tags of episodes: `episodes tag 3 4 +foo -bar`
    Tag {
        /// Numbers of the episodes, and tags after + (add) or - (remove)
        #[arg(required = true, allow_hyphen_values = true, value_name = "ID|+TAG|-TAG")]
        words: Vec<String>,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Attach a note to an episode; an empty text removes it
    Note {
        /// Number of the episode
        id: u64,
        /// The note
        text: String,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Star episodes
    Star {
        #[command(flatten)]
        ids: IdArgs,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Remove the star of episodes
    Unstar {
        #[command(flatten)]
        ids: IdArgs,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Move episodes to the trash
    #[command(after_help = query_help())]
    Rm {
        /// Numbers of the episodes
        #[arg(required_unless_present = "query", conflicts_with = "query")]
        ids: Vec<u64>,
        /// All episodes that match this query
        #[arg(long, allow_hyphen_values = true)]
        query: Option<String>,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Undo the last `rm`
    Undo {
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Restore episodes from the trash
    Restore {
        #[command(flatten)]
        ids: IdArgs,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// List the trash, or empty it
    #[command(alias = "bin")]
    Trash {
        #[command(subcommand)]
        command: TrashCommand,
    },
    /// Import the episodes of a recording into the store, under new numbers
    ///
    /// Episodes that are already in the store are skipped.
    Import {
        /// The recording, as written by `episodes export` or `run --json`
        file: PathBuf,
    },
    /// Export episodes as a recording: their events, one JSON object per line
    #[command(after_help = query_help())]
    Export {
        /// Numbers of the episodes [default: all]
        ids: Vec<u64>,
        /// All episodes that match this query
        #[arg(long, allow_hyphen_values = true, conflicts_with = "ids")]
        query: Option<String>,
        /// File to write [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Copy what can be read of a damaged store into a new one, and list what is lost
    ///
    /// Episodes keep their numbers. Of a damaged episode, the events before the damage are kept. The
    /// store itself is only read.
    Salvage {
        /// Folder of the new store
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
}

impl EpisodesCommand {
    fn writes(&self) -> bool {
        match self {
            Self::Ls { .. }
            | Self::Show { .. }
            | Self::Export { .. }
            | Self::Salvage { .. }
            | Self::Trash { command: TrashCommand::Ls { .. } } => false,
            Self::Tag { .. }
            | Self::Note { .. }
            | Self::Star { .. }
            | Self::Unstar { .. }
            | Self::Rm { .. }
            | Self::Undo { .. }
            | Self::Restore { .. }
            | Self::Trash { command: TrashCommand::Empty { .. } }
            | Self::Import { .. } => true,
        }
    }
}

#[derive(Debug, Subcommand)]
enum TrashCommand {
    /// List the episodes in the trash, last deleted first
    Ls {
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Delete the episodes in the trash permanently
    Empty {
        #[command(flatten)]
        output_args: OutputArgs,
    },
}

#[derive(Debug, Args)]
struct IdArgs {
    /// Numbers of the episodes
    #[arg(required = true)]
    ids: Vec<u64>,
}

#[derive(Debug, Args)]
struct OutputArgs {
    /// Print one JSON object per episode
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// If an episode is missing or cannot be read, a query or tag is invalid, or the store or the output cannot be
/// written.
pub(super) fn run(args: EpisodesArgs, common: &CommonArgs, folders: &Folders) -> CommandResult<()> {
    let store = if args.command.writes() {
        open_store::for_writing(common, folders)?
    } else {
        open_store::for_reading(common, folders)?
    };
    run_on(args.command, &store)
}

fn run_on(command: EpisodesCommand, store: &Store) -> CommandResult<()> {
    match command {
        EpisodesCommand::Ls { query, limit, json } => {
            list::list(store, &parse(&query.unwrap_or_default())?, limit, json)
        }
        EpisodesCommand::Show { id, json: true } => export::print(store, id),
        EpisodesCommand::Show { id, json: false } => {
            Ok(show(id, &store.episode(id)?, &store.annotations(id)?, |_| ())?)
        }
        EpisodesCommand::Tag { words, output_args } => {
            annotate::tag(store, &words, output_args.json)
        }
        EpisodesCommand::Note { id, text, output_args } => {
            annotate::note(store, id, &text, output_args.json)
        }
        EpisodesCommand::Star { ids, output_args } => {
            annotate::star(store, &ids.ids, true, output_args.json)
        }
        EpisodesCommand::Unstar { ids, output_args } => {
            annotate::star(store, &ids.ids, false, output_args.json)
        }
        EpisodesCommand::Rm { ids, query, output_args } => {
            let query = query.as_deref().map(parse).transpose()?;
            trash::remove(store, ids, query.as_ref(), output_args.json)
        }
        EpisodesCommand::Undo { output_args } => trash::undo(store, output_args.json),
        EpisodesCommand::Restore { ids, output_args } => {
            trash::restore(store, &ids.ids, output_args.json)
        }
        EpisodesCommand::Trash { command: TrashCommand::Ls { output_args } } => {
            trash::list(store, output_args.json)
        }
        EpisodesCommand::Trash { command: TrashCommand::Empty { output_args } } => {
            trash::empty(store, output_args.json)
        }
        EpisodesCommand::Salvage { to } => salvage::run(store, &to),
        EpisodesCommand::Import { file } => import::run(&file, store),
        EpisodesCommand::Export { ids, query, out } => {
            let query = query.as_deref().map(parse).transpose()?;
            export::export(store, ids, query.as_ref(), out.as_deref())
        }
    }
}

fn parse(line: &str) -> Result<Query, QueryError> {
    Query::parse(line, &LocalCalendar::at(now_ms()))
}

fn query_help() -> String {
    let width =
        FILTER_HELP.iter().map(|(words, _)| words.chars().count()).max().unwrap_or_default();
    let rows = FILTER_HELP.iter().map(|(words, meaning)| format!("  {words:<width$}  {meaning}\n"));
    format!("Queries, to be put in single quotes:\n{}", rows.collect::<String>())
}

//! `pointsman episodes`: what the store holds.

mod annotate;
mod export;
mod import;
mod list;
mod show;
mod trash;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output;
use crate::cli::error::CommandResult;
use crate::library::{FILTER_HELP, LocalCalendar, Query, QueryError};
use crate::session::now_ms;
use crate::store::{Annotations, Store};

pub use show::show;

#[derive(Debug, Args)]
pub struct EpisodesArgs {
    #[command(subcommand)]
    command: EpisodesCommand,
}

#[derive(Debug, Subcommand)]
enum EpisodesCommand {
    /// List episodes, newest first
    #[command(after_help = query_help())]
    Ls {
        /// Which ones and in which order; all where it is not given
        #[arg(allow_hyphen_values = true)]
        query: Option<String>,
        /// List so many at most
        #[arg(short = 'n', long, value_name = "N")]
        limit: Option<usize>,
        /// One JSON object an episode
        #[arg(long)]
        json: bool,
    },
    /// Show an episode: its trace, who wrote each step and why, what it cost
    Show {
        /// Number of the episode
        id: u64,
        /// Its events instead, one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Give tags to episodes, or take them away: `episodes tag 3 4 +foo -bar`
    Tag {
        /// Numbers of the episodes, and tags with + or - before them
        #[arg(required = true, allow_hyphen_values = true, value_name = "ID|+TAG|-TAG")]
        words: Vec<String>,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Note something about an episode; an empty text takes the note away
    Note {
        /// Number of the episode
        id: u64,
        text: String,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Give episodes a star
    Star {
        #[command(flatten)]
        ids: IdArgs,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Take the star away
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
        /// Those that this asks for instead
        #[arg(long, allow_hyphen_values = true)]
        query: Option<String>,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Take back the last `rm`
    Undo {
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Take episodes out of the trash
    Restore {
        #[command(flatten)]
        ids: IdArgs,
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// List what is in the trash, or empty it
    Trash {
        #[command(subcommand)]
        command: TrashCommand,
    },
    /// Take the episodes of a recording into the store, under new numbers; those that are there
    /// already are skipped
    Import {
        /// The recording, as `export` and `pointsman run --json` write them
        file: PathBuf,
    },
    /// Write episodes as a recording: their events, one JSON object a line
    #[command(after_help = query_help())]
    Export {
        /// Numbers of the episodes; all of them where neither these nor a query is given
        ids: Vec<u64>,
        /// Those that this asks for instead
        #[arg(long, allow_hyphen_values = true, conflicts_with = "ids")]
        query: Option<String>,
        /// File to write [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum TrashCommand {
    /// List what is in the trash, the last deletion first
    Ls {
        #[command(flatten)]
        output_args: OutputArgs,
    },
    /// Delete what is in the trash for good
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
    /// One JSON object an episode
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// When an episode is missing or cannot be read, a query or tag is wrong, the store does not take a
/// change, or the output cannot be written.
pub fn run(args: EpisodesArgs, store: &Store) -> CommandResult<()> {
    match args.command {
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
    format!("A query, best in single quotes:\n{}", rows.collect::<String>())
}

/// Tells what is now said of episodes.
fn print_annotations(store: &Store, ids: &[u64], json: bool) -> CommandResult<()> {
    #[derive(Serialize)]
    struct AnnotatedEpisode {
        id: u64,
        #[serde(flatten)]
        annotations: Annotations,
    }
    for &id in ids {
        let annotations = store.annotations(id)?;
        let line = if json {
            serde_json::to_string(&AnnotatedEpisode { id, annotations })?
        } else {
            match describe_annotations(&annotations).as_str() {
                "" => format!("episode {id}: no star, tag or note"),
                said => format!("episode {id}: {said}"),
            }
        };
        output::print_line(&line)?;
    }
    Ok(())
}

/// Star, tags and note in a line; empty where there is none.
fn describe_annotations(annotations: &Annotations) -> String {
    let star = annotations.starred.then(|| "*".to_owned());
    let tags = annotations.tags.iter().map(ToString::to_string);
    let note = (!annotations.note.is_empty()).then(|| format!("“{}”", annotations.note));
    let all: Vec<String> = star.into_iter().chain(tags).chain(note).collect();
    output::strip_control_chars(&all.join(" "))
}

/// Some episodes in words: `episode 3`, `2 episodes`.
fn episode_count(ids: &[u64]) -> String {
    match ids {
        [id] => format!("episode {id}"),
        _ => format!("{} episodes", ids.len()),
    }
}

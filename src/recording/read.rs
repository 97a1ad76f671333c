//! Reads episodes line by line: a recording may be larger than the memory.

use std::collections::VecDeque;
use std::io::BufRead;

use serde::Deserialize;
use thiserror::Error;

use crate::episode::{Episode, Event, EventKind, FoldError, OutOfRange, SCHEMA};
use crate::exit::{ClassifiedError, ErrorClass};
use crate::safe_text::safe_line;
use crate::user_file::{self, MAX_RECORDING};

/// Why a recording cannot be read. Each message is one sentence that names the file, the line and a remedy. Lines are
/// counted from 1.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RecordingError {
    /// There is no recording of that name.
    #[error(
        "there is no recording `{name}`: choose one of {known}, give the path of a .jsonl file or the number of a stored episode, or put `{name}.jsonl` into {folder}"
    )]
    Unknown {
        /// The name.
        name: String,
        /// The known names, separated by commas.
        known: String,
        /// The folder of the user's recordings.
        folder: String,
    },
    /// The file cannot be opened or read.
    #[error("cannot read {file}: {reason}")]
    Read {
        /// The file.
        file: String,
        /// The reason as the system gives it.
        reason: String,
    },
    /// The file holds no event.
    #[error(
        "{file} holds no episode: `pointsman run --json` and `pointsman episodes export` write recordings"
    )]
    Empty {
        /// The file.
        file: String,
    },
    /// A line is not UTF-8.
    #[error("{file}, line {line}, is not UTF-8 text: export it again, or remove the line")]
    NotUtf8 {
        /// The file.
        file: String,
        /// The line.
        line: usize,
    },
    /// The last line is incomplete.
    #[error("{file}, line {line}, breaks off: remove the line, the events before it are complete")]
    Truncated {
        /// The file.
        file: String,
        /// The line.
        line: usize,
    },
    /// A line is not an event.
    #[error("{file}, line {line}, is not an event ({reason}): export it again, or remove the line")]
    Malformed {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// What the parser says, with the column.
        reason: String,
    },
    /// A newer program wrote the line.
    #[error(
        "{file}, line {line}, was written by a newer pointsman (format {found}, this one reads up to {SCHEMA}): update pointsman"
    )]
    Newer {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The format of the line.
        found: u32,
    },
    /// A number of an event is outside its range.
    #[error(
        "{file}, line {line}, has an impossible number ({reason}): correct it, or remove the lines of episode {episode}"
    )]
    OutOfRange {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The episode's number in the recording.
        episode: u64,
        /// The number and its range.
        reason: OutOfRange,
    },
    /// An event does not fit its place in the episode.
    #[error(
        "{file}, line {line}, is out of order in episode {episode} ({reason}): put the lines of an episode into the order in which they were written, or export it again"
    )]
    OutOfOrder {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The episode's number in the recording.
        episode: u64,
        /// Why the event does not fit.
        reason: FoldError,
    },
}

impl ClassifiedError for RecordingError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Unknown { .. } => ErrorClass::Usage,
            _ => ErrorClass::Failure,
        }
    }
}

/// An episode of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEpisode {
    /// Its number in the recording.
    pub id: u64,
    /// The line of its first event, counted from 1.
    pub line: usize,
    /// Its events in order; never empty.
    pub events: Vec<Event>,
    /// The events' JSON as it was written, to the last digit; empty unless [`RecordingReader::with_json`] is set.
    pub json: Vec<String>,
    /// The fold of the events.
    pub episode: Episode,
}

/// An iterator over the episodes of a recording, which reads the lines as they are needed.
///
/// It returns an episode once it is over and a line of another one follows, or at the end of the file. The lines of
/// several episodes may be interleaved. Since `started` begins a new episode, two may have the same number, as in two
/// concatenated files. The iterator ends after an error.
#[derive(Debug)]
pub struct RecordingReader<R> {
    name: String,
    reader: R,
    keeps_json: bool,
    text: Vec<u8>,
    line: usize,
    /// Bytes read, and the most that may be read.
    bytes: u64,
    limit: u64,
    open: Vec<RecordedEpisode>,
    complete: VecDeque<RecordedEpisode>,
    empty: bool,
    done: bool,
}

impl<R: BufRead> RecordingReader<R> {
    /// Reads from `reader`, which errors call `name`.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Self {
            name: name.into(),
            reader,
            keeps_json: false,
            text: Vec::new(),
            line: 0,
            bytes: 0,
            limit: u64::MAX,
            open: Vec::new(),
            complete: VecDeque::new(),
            empty: true,
            done: false,
        }
    }

    /// Also keeps the JSON of the events, in [`RecordedEpisode::json`].
    #[must_use]
    pub fn with_json(mut self) -> Self {
        self.keeps_json = true;
        self
    }

    /// All episodes, in the order in which they began, of a recording of at most 1 GiB.
    ///
    /// # Errors
    /// [`RecordingError`] for the first line that cannot be read.
    pub fn into_vec(mut self) -> Result<Vec<RecordedEpisode>, RecordingError> {
        self.limit = MAX_RECORDING;
        let mut all = self.collect::<Result<Vec<_>, _>>()?;
        all.sort_by_key(|recorded| recorded.line);
        Ok(all)
    }

    /// Processes the next line; false at the end.
    fn read_line(&mut self) -> Result<bool, RecordingError> {
        self.text.clear();
        let failed = |e: std::io::Error| RecordingError::Read {
            file: self.name.clone(),
            reason: e.to_string(),
        };
        let read = user_file::read_line(&mut self.reader, &mut self.text).map_err(failed)?;
        if read == 0 {
            return Ok(false);
        }
        self.bytes += read as u64;
        if self.bytes > self.limit {
            return Err(failed(user_file::too_large("it", self.limit)));
        }
        self.line += 1;
        let (file, line) = (self.name.clone(), self.line);
        let Ok(text) = std::str::from_utf8(&self.text) else {
            return Err(RecordingError::NotUtf8 { file, line });
        };
        let broken_off = !text.ends_with('\n');
        let text = text.trim();
        if text.is_empty() {
            return Ok(true);
        }
        let malformed = |error: serde_json::Error| {
            if broken_off && error.is_eof() {
                return RecordingError::Truncated { file: file.clone(), line };
            }
            RecordingError::Malformed { file: file.clone(), line, reason: reason(&error) }
        };
        let head: EventHeader = serde_json::from_str(text).map_err(malformed)?;
        if head.schema > SCHEMA {
            return Err(RecordingError::Newer { file, line, found: head.schema });
        }
        let event: Event = serde_json::from_str(text).map_err(malformed)?;
        event.check_ranges().map_err(|reason| RecordingError::OutOfRange {
            file: file.clone(),
            line,
            episode: head.episode,
            reason,
        })?;
        let json = self.keeps_json.then(|| strip_episode_id(text, head.episode, &event));
        let json = json.transpose().map_err(malformed)?;
        self.add_event(head.episode, event, json).map_err(|reason| RecordingError::OutOfOrder {
            file,
            line,
            episode: head.episode,
            reason,
        })?;
        Ok(true)
    }

    fn add_event(&mut self, id: u64, event: Event, json: Option<String>) -> Result<(), FoldError> {
        self.empty = false;
        let begins = matches!(event.kind, EventKind::Started(_));
        // An ended episode stays open while its own lines follow, which may be bookmarks.
        let (complete, open) =
            std::mem::take(&mut self.open).into_iter().partition(|other: &RecordedEpisode| {
                if other.id == id { begins } else { other.episode.is_over() }
            });
        self.open = open;
        self.complete.extend::<Vec<_>>(complete);
        if let Some(recorded) = self.open.iter_mut().find(|recorded| recorded.id == id) {
            recorded.episode.apply(&event)?;
            recorded.events.push(event);
            recorded.json.extend(json);
        } else {
            let episode = Episode::start(&event)?;
            let (line, json) = (self.line, json.into_iter().collect());
            self.open.push(RecordedEpisode { id, line, events: vec![event], json, episode });
        }
        Ok(())
    }
}

impl<R: BufRead> Iterator for RecordingReader<R> {
    type Item = Result<RecordedEpisode, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(recorded) = self.complete.pop_front() {
                return Some(Ok(recorded));
            }
            if self.done {
                return None;
            }
            match self.read_line() {
                Ok(true) => {}
                Ok(false) => {
                    self.done = true;
                    self.complete.extend(self.open.drain(..));
                    if self.empty {
                        return Some(Err(RecordingError::Empty { file: self.name.clone() }));
                    }
                }
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The part of a line that is parsed first: an event of a newer format need not parse as one of ours.
#[derive(Deserialize)]
struct EventHeader {
    episode: u64,
    schema: u32,
}

/// The parser's message without its line number, which is always 1.
fn reason(error: &serde_json::Error) -> String {
    // It may quote a name from the file.
    let text = safe_line(&error.to_string()).into_owned();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(reason) if error.column() > 0 => format!("{reason}, column {}", error.column()),
        Some(reason) => reason.to_owned(),
        None => text,
    }
}

/// The event's JSON without the episode's number that [`super::write_event_json`] put in front.
fn strip_episode_id(line: &str, id: u64, event: &Event) -> serde_json::Result<String> {
    match line.strip_prefix(&format!("{{\"episode\":{id},")) {
        Some(fields) => Ok(format!("{{{fields}")),
        // Another program wrote it.
        None => serde_json::to_string(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::fixtures::{bookmarked, lines, rescue};
    use crate::recording::{write_event, write_event_json};

    fn all(text: &[u8]) -> Result<Vec<RecordedEpisode>, RecordingError> {
        RecordingReader::new("file.jsonl", text).into_vec()
    }

    fn message(text: &[u8]) -> String {
        let message = all(text).unwrap_err().to_string();
        assert!(message.starts_with("file.jsonl"), "{message}");
        assert!(!message.contains('\n'), "{message}");
        message
    }

    #[test]
    fn a_written_recording_is_read_back() {
        let recorded = rescue();
        let text = lines(&[(7, &recorded.events)]);
        let again = all(&text).unwrap();
        assert_eq!(again.len(), 1);
        assert_eq!((again[0].id, again[0].line), (7, 1));
        assert_eq!(again[0].events, recorded.events);
        assert_eq!(Some(&again[0].episode), Episode::fold(&recorded.events).unwrap().as_ref());
        assert!(again[0].json.is_empty());
    }

    #[test]
    fn json_is_kept_to_the_last_digit() {
        let mut text = lines(&[(7, &rescue().events)]);
        let json = r#"{"schema":2,"at_ms":9999999999999,"event":"bookmarked","step":1,"note":"é"}"#;
        write_event_json(&mut text, 7, json).unwrap();
        let recorded = RecordingReader::new("x", &text[..]).with_json().next().unwrap().unwrap();
        let mut again = Vec::new();
        for json in &recorded.json {
            write_event_json(&mut again, 7, json).unwrap();
        }
        assert_eq!(again, text);
        // In another order of fields, the event is serialized again.
        let other = br#"{"schema":2,"episode":7,"at_ms":1,"event":"paused"}"#;
        let mut text = lines(&[(7, &rescue().events[..1])]);
        text.extend(other);
        let recorded = RecordingReader::new("x", &text[..]).with_json().next().unwrap().unwrap();
        assert_eq!(recorded.json[1], r#"{"schema":2,"at_ms":1,"event":"paused"}"#);
    }

    #[test]
    fn episodes_may_be_mixed_repeated_and_unfinished() {
        let events = rescue().events;
        let half = &events[..4];
        let mut mixed = Vec::new();
        for event in half {
            write_event(&mut mixed, 1, event).unwrap();
            write_event(&mut mixed, 2, event).unwrap();
        }
        mixed.extend(lines(&[(3, &events), (2, &events)]));
        mixed.extend(b"\n  \n");
        let all = all(&mixed).unwrap();
        let found: Vec<_> = all.iter().map(|r| (r.id, r.line, r.events.len())).collect();
        let n = events.len();
        assert_eq!(found, [(1, 1, 4), (2, 2, 4), (3, 9, n), (2, 9 + n, n)]);
    }

    #[test]
    fn an_episode_is_returned_once_another_follows() {
        let events = rescue().events;
        let mut text = lines(&[(1, &events), (1, &[bookmarked(2)]), (2, &events[..1])]);
        text.extend(b"no event\n");
        let mut episodes = RecordingReader::new("file.jsonl", &text[..]);
        let first = episodes.next().unwrap().unwrap();
        assert_eq!((first.id, first.events.len()), (1, events.len() + 1));
        assert!(matches!(
            episodes.next(),
            Some(Err(RecordingError::Malformed { line, .. })) if line == events.len() + 3
        ));
        assert!(episodes.next().is_none());
    }

    #[test]
    fn errors_name_the_line_and_a_remedy() {
        let events = rescue().events;
        let complete = lines(&[(1, &events)]);
        assert!(message(b"").contains("holds no episode"));
        assert!(message(b"\n\n").contains("pointsman run --json"));

        let cut = &complete[..complete.len() - 9];
        let last = events.len();
        let text = message(cut);
        assert!(text.contains(&format!("line {last}, breaks off: remove the line")), "{text}");

        let mut text = complete.clone();
        text.extend(b"{\"id\":1,\"question\":\"?\"}\n");
        let text = message(&text);
        assert!(text.contains(&format!("line {}, is not an event", last + 1)), "{text}");
        assert!(text.contains("episode") && text.contains("column"), "{text}");

        let mut text = complete.clone();
        text.extend(b"\xff\n");
        assert!(message(&text).contains("not UTF-8"));

        let newer = br#"{"episode":1,"schema":9,"at_ms":1,"event":"dreamt","of":3}"#;
        let text = message(newer);
        assert!(text.contains("line 1") && text.contains("update pointsman"), "{text}");

        let text = message(&lines(&[(1, &events[1..])]));
        assert!(text.contains("line 1") && text.contains("started"), "{text}");
        let mut swapped = events.clone();
        swapped.swap(2, 4);
        let text = message(&lines(&[(1, &swapped)]));
        assert!(text.contains("line 3, is out of order in episode 1"), "{text}");
        let folder = std::fs::File::open("/").map(std::io::BufReader::new).unwrap();
        let error = RecordingReader::new("file.jsonl", folder).into_vec().unwrap_err().to_string();
        assert!(error.contains("cannot read file.jsonl: it is a folder"), "{error}");
    }
}

//! Task sets: the built-in arithmetic, GSM8K, MATH-500, Omni-MATH, or a user's file.
//!
//! A file's rows are JSON objects (one a line, or in an array) or Parquet, as the Hugging Face hub
//! ships them. The question is in the field `question` or `problem`, the gold answer in `answer` or
//! `solution`; `level` or `difficulty` and `subject`, `type` or `domain` serve the filters.

mod hub;
mod rows;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};
use thiserror::Error;

use super::Question;
use super::arithmetic::{OperationMix, ProblemGenerator, Split};
use crate::episode::Origin;
use crate::exit::{ClassifiedError, ErrorClass};
use crate::grading::Grader;
use hub::HubTaskSet;
pub use rows::{DataRow, RowLocation, read_rows};

/// Why there are no questions. Each is one sentence that names the file and the remedy.
#[derive(Debug, Error)]
pub enum TaskError {
    #[error(
        "there is no task set `{0}`: use arithmetic, gsm8k, math500 or omni-math, or give a JSONL, JSON or Parquet file"
    )]
    Unknown(String),
    #[error(
        "the built-in arithmetic makes its questions itself: leave out {0}, or name another task set"
    )]
    BuiltIn(&'static str),
    #[error("cannot read {path}: {reason}")]
    Read { path: PathBuf, reason: String },
    #[error("{path}, {location}: {reason}; correct it, or skip such lines with --on-bad-line skip")]
    BadLine { path: PathBuf, location: RowLocation, reason: String },
    #[error("no question of {path} is left: {reason}")]
    Empty { path: PathBuf, reason: String },
    #[error(
        "{name} has only a test part: give --split test where there is such an option, or a file of other questions with --data"
    )]
    NoSuchSplit { name: String },
    #[error(
        "cannot fetch {file} from the Hugging Face hub ({reason}): where there is no network, give {name}'s file with --data"
    )]
    Hub { name: String, file: String, reason: String },
}

impl ClassifiedError for TaskError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Hub { .. } => ErrorClass::Failure,
            _ => ErrorClass::Usage,
        }
    }
}

/// What to do about a line that has no question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnBadLine {
    #[default]
    Stop,
    Skip,
}

impl FromStr for OnBadLine {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "stop" => Ok(Self::Stop),
            "skip" => Ok(Self::Skip),
            other => Err(format!("`{other}` is neither stop nor skip")),
        }
    }
}

/// A range of levels, both ends in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelRange {
    pub low: f64,
    pub high: f64,
}

impl FromStr for LevelRange {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (low, high) = s.split_once('-').unwrap_or((s, s));
        let number = |s: &str| s.trim().parse::<f64>().ok().filter(|x| x.is_finite());
        match (number(low), number(high)) {
            (Some(low), Some(high)) if low <= high => Ok(Self { low, high }),
            _ => Err(format!("`{s}` is no level and no range such as 3-5")),
        }
    }
}

/// Which questions of a task set are asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuestionFilter {
    pub levels: Option<LevelRange>,
    /// Any of these, whatever the case of their letters; all where there are none.
    pub subjects: Vec<String>,
}

impl QuestionFilter {
    fn accepts(&self, record: &QuestionRecord) -> bool {
        let level = self.levels.is_none_or(|range| {
            record.level.is_some_and(|level| (range.low..=range.high).contains(&level))
        });
        let wanted = |s: &String| self.subjects.iter().any(|w| w.eq_ignore_ascii_case(s));
        level && (self.subjects.is_empty() || record.subjects.iter().any(wanted))
    }
}

/// Which task set, and which part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSetRequest {
    /// A known name, a name of one's own for `data`, or a file.
    pub name: String,
    /// A file instead of the hub's.
    pub data: Option<PathBuf>,
    /// The part. Of a file that was given, all where there is none.
    pub split: Option<Split>,
    /// The part where none was asked for, and there is no file.
    pub default_split: Split,
    pub filter: QuestionFilter,
    pub on_bad_line: OnBadLine,
}

/// A question of a file.
#[derive(Debug, Clone, PartialEq)]
struct QuestionRecord {
    /// Its row in the file, counted from 0: it stays, whatever is filtered or sampled.
    index: usize,
    text: String,
    gold: String,
    level: Option<f64>,
    subjects: Vec<String>,
}

/// A task set that is there to be drawn from.
#[derive(Debug, Clone)]
pub struct TaskSet {
    name: String,
    /// The part, as collections are named by it.
    split_name: String,
    source: QuestionSource,
    skipped: Vec<String>,
}

#[derive(Debug, Clone)]
enum QuestionSource {
    Arithmetic(Split),
    File(Vec<QuestionRecord>),
}

impl TaskSet {
    /// Finds a task set and reads it.
    ///
    /// # Errors
    /// When there is no such set, its file cannot be read or fetched, or no question is left.
    pub fn open(request: &TaskSetRequest) -> Result<Self, TaskError> {
        let TaskSetRequest { name, data, split, default_split, .. } = request;
        if name == "arithmetic" {
            let asked = if data.is_some() {
                Some("--data")
            } else if request.filter != QuestionFilter::default() {
                Some("--level and --subject")
            } else {
                None
            };
            if let Some(option) = asked {
                return Err(TaskError::BuiltIn(option));
            }
            let split = split.unwrap_or(*default_split);
            let source = QuestionSource::Arithmetic(split);
            return Ok(Self {
                name: name.clone(),
                split_name: split.to_string(),
                source,
                skipped: vec![],
            });
        }
        let known = HubTaskSet::find(name);
        let (name, path) = match (data, known) {
            (Some(path), _) => (name.clone(), path.clone()),
            (None, Some(known)) => {
                let split = split.unwrap_or(*default_split);
                let path = known.fetch(split)?;
                return Self::of_file(name, split.to_string(), &path, None, request);
            }
            (None, None) => {
                let path = PathBuf::from(name);
                if !path.is_file() {
                    return Err(TaskError::Unknown(name.clone()));
                }
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                (file.into_owned(), path)
            }
        };
        let split_name = split.map_or_else(|| "whole".to_owned(), |split| split.to_string());
        Self::of_file(&name, split_name, &path, *split, request)
    }

    /// A set of the questions in a file; with `split`, those that fall into it.
    fn of_file(
        name: &str,
        split_name: String,
        path: &Path,
        split: Option<Split>,
        request: &TaskSetRequest,
    ) -> Result<Self, TaskError> {
        let grader = Grader::for_task_set(name);
        let mut records = Vec::new();
        let mut skipped = Vec::new();
        for (index, row) in read_rows(path)?.into_iter().enumerate() {
            match row.fields.and_then(|fields| parse_record(index, &fields, grader)) {
                Ok(record) => records.push(record),
                Err(reason) if request.on_bad_line == OnBadLine::Skip => {
                    skipped.push(format!("{}, {}: {reason}", path.display(), row.location));
                }
                Err(reason) => {
                    return Err(TaskError::BadLine {
                        path: path.into(),
                        location: row.location,
                        reason,
                    });
                }
            }
        }
        let empty = |reason: String| TaskError::Empty { path: path.into(), reason };
        if records.is_empty() {
            return Err(empty("it has none; each line needs a `question` and an `answer`".into()));
        }
        let subjects = describe_levels_and_subjects(&records);
        records.retain(|r| split.is_none_or(|split| Split::of(&r.text) == split));
        if records.is_empty() {
            return Err(empty(format!(
                "none falls into the split {split_name}; leave out --split"
            )));
        }
        records.retain(|r| request.filter.accepts(r));
        if records.is_empty() {
            return Err(empty(format!(
                "--level and --subject let none through; the file has {subjects}"
            )));
        }
        Ok(Self { name: name.into(), split_name, source: QuestionSource::File(records), skipped })
    }

    /// Its name, as episodes carry it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The part of the set that is asked: a split, or `whole` for a user's file.
    pub fn split_name(&self) -> &str {
        &self.split_name
    }

    /// How many questions there are; nothing where they are endless.
    pub fn size(&self) -> Option<usize> {
        match &self.source {
            QuestionSource::Arithmetic(_) => None,
            QuestionSource::File(records) => Some(records.len()),
        }
    }

    /// Whether every step of a solution is known, as the oracle needs.
    pub fn has_solutions(&self) -> bool {
        matches!(self.source, QuestionSource::Arithmetic(_))
    }

    /// Lines that were skipped, each with its place and what is wrong with it.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The questions in the order of a seed, each once: the first n are a sample without
    /// replacement, and those of a larger sample begin with it.
    pub fn questions(&self, seed: u64) -> Box<dyn Iterator<Item = Question> + Send> {
        match &self.source {
            QuestionSource::Arithmetic(split) => {
                let problems = ProblemGenerator::new(OperationMix::full(), *split, seed);
                Box::new(problems.enumerate().map(move |(index, problem)| Question {
                    text: problem.question.clone(),
                    origin: Some(Origin { task: "arithmetic".into(), seed, index }),
                    gold: Some(problem.answer.to_string()),
                    solution: Some(problem),
                }))
            }
            QuestionSource::File(records) => {
                let mut records = records.clone();
                records.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                let task = self.name.clone();
                Box::new(records.into_iter().map(move |record| Question {
                    origin: Some(Origin { task: task.clone(), seed, index: record.index }),
                    text: record.text,
                    gold: Some(record.gold),
                    solution: None,
                }))
            }
        }
    }
}

/// The question of a row.
fn parse_record(
    index: usize,
    row: &Map<String, Value>,
    grader: Grader,
) -> Result<QuestionRecord, String> {
    let question = field_text(row, &["question", "problem"])
        .ok_or("it has no text in `question` or `problem`")?;
    let answer = field_text(row, &["answer", "solution"])
        .ok_or("it has no text or number in `answer` or `solution`")?;
    let level = ["level", "difficulty"].iter().find_map(|key| level(row.get(*key)?));
    let subjects = ["subject", "type", "domain"].iter().find_map(|key| subjects(row.get(*key)?));
    Ok(QuestionRecord {
        index,
        text: question,
        gold: grader.extract_gold(&answer),
        level,
        subjects: subjects.unwrap_or_default(),
    })
}

/// The first of these fields that has a text or a number.
pub fn field_text(row: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let found = keys.iter().find_map(|key| match row.get(*key)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            texts.map(|texts| texts.join(", "))
        }
        _ => None,
    });
    found.filter(|text| !text.is_empty())
}

/// `5`, `7.5`, `Level 5`.
fn level(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.split_whitespace().last()?.parse().ok(),
        _ => None,
    }
}

/// A subject, or each of those on the way to it: `Mathematics -> Algebra -> Inequalities`.
fn subjects(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split("->").map(|s| s.trim().to_owned()).collect()),
        Value::Array(items) => Some(items.iter().filter_map(subjects).flatten().collect()),
        _ => None,
    }
}

/// Levels and subjects that a file has, for a message.
fn describe_levels_and_subjects(records: &[QuestionRecord]) -> String {
    let levels = records.iter().filter_map(|r| r.level);
    let (low, high) = levels.fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)));
    let mut subjects: Vec<&str> =
        records.iter().flat_map(|r| r.subjects.iter().map(String::as_str)).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let more = subjects.len().saturating_sub(12);
    subjects.truncate(12);
    let levels = if low > high { "no levels".into() } else { format!("levels {low} to {high}") };
    match (subjects.is_empty(), more) {
        (true, _) => format!("{levels} and no subjects"),
        (false, 0) => format!("{levels} and the subjects {}", subjects.join(", ")),
        (false, more) => {
            format!("{levels} and the subjects {} and {more} more", subjects.join(", "))
        }
    }
}

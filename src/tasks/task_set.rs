//! Opens task sets and draws questions from them.

use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::arithmetic::{OperationMix, ProblemGenerator};
use super::filter::{OnBadLine, QuestionFilter};
use super::hub;
use super::read_rows::read_rows;
use super::record::{QuestionRecord, describe_levels_and_subjects, parse_record};
use super::spec::{FILE_FIELDS, FieldNames, QuestionSource, TaskSetSpec, grader_of};
use super::{Question, Split, TaskError};
use crate::episode::Origin;

/// Which task set to open, and which part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSetRequest {
    /// The name of a task set, any name for `data`, or the path of a file.
    pub name: String,
    /// A file to read instead of the task set's own.
    pub data: Option<PathBuf>,
    /// The part to ask; `None` for the default.
    pub split: Option<Split>,
    /// The default part. It does not apply to a user's file, of which everything is asked by default.
    pub default_split: Split,
    /// Levels and subjects.
    pub filter: QuestionFilter,
    /// What to do about rows without a question.
    pub on_bad_line: OnBadLine,
}

/// A task set that questions can be drawn from.
#[derive(Debug, Clone)]
pub struct TaskSet {
    name: String,
    /// The part, by which collections are named.
    split_name: String,
    questions: QuestionList,
    skipped: Vec<String>,
}

#[derive(Debug, Clone)]
enum QuestionList {
    Generated(Split),
    File(Vec<QuestionRecord>),
}

/// A file to read questions from.
struct QuestionFile<'a> {
    name: &'a str,
    split_name: String,
    path: &'a Path,
    fields: &'static FieldNames,
    /// The part of the file to ask, by the hash of the questions; `None` for all.
    split: Option<Split>,
}

impl TaskSet {
    /// Finds a task set and reads it.
    ///
    /// # Errors
    /// [`TaskError`] if there is no such set, its file cannot be read or downloaded, or no question is left.
    pub fn open(request: &TaskSetRequest) -> Result<Self, TaskError> {
        let TaskSetRequest { name, data, split, default_split, .. } = request;
        let part = split.unwrap_or(*default_split);
        match (TaskSetSpec::find(name), data) {
            (Some(spec), _) if spec.source == QuestionSource::Generated => {
                Self::generated(spec, part, request)
            }
            (_, Some(path)) => Self::of_user_file(name, path, request),
            (Some(spec), None) => {
                let path = hub::fetch(spec, part)?;
                let file = QuestionFile {
                    name,
                    split_name: part.to_string(),
                    path: &path,
                    fields: &spec.fields,
                    split: None,
                };
                Self::of_file(&file, request)
            }
            (None, None) => {
                let path = Path::new(name);
                if !path.is_file() {
                    return Err(TaskError::Unknown(name.clone()));
                }
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                Self::of_user_file(&file, path, request)
            }
        }
    }

    /// A set of generated questions, which has no file and no levels or subjects.
    fn generated(
        spec: &TaskSetSpec,
        split: Split,
        request: &TaskSetRequest,
    ) -> Result<Self, TaskError> {
        if request.data.is_some() {
            return Err(TaskError::BuiltIn("--data"));
        }
        if request.filter != QuestionFilter::default() {
            return Err(TaskError::BuiltIn("--level and --subject"));
        }
        Ok(Self {
            name: spec.name.to_owned(),
            split_name: split.to_string(),
            questions: QuestionList::Generated(split),
            skipped: Vec::new(),
        })
    }

    /// A set of the questions in a user's file.
    fn of_user_file(name: &str, path: &Path, request: &TaskSetRequest) -> Result<Self, TaskError> {
        let split = request.split;
        let split_name = split.map_or_else(|| "whole".to_owned(), |split| split.to_string());
        let file = QuestionFile { name, split_name, path, fields: &FILE_FIELDS, split };
        Self::of_file(&file, request)
    }

    fn of_file(file: &QuestionFile<'_>, request: &TaskSetRequest) -> Result<Self, TaskError> {
        let grader = grader_of(file.name);
        let mut records = Vec::new();
        let mut skipped = Vec::new();
        for (index, row) in read_rows(file.path)?.into_iter().enumerate() {
            match row.fields.and_then(|row| parse_record(index, &row, file.fields, grader)) {
                Ok(record) => records.push(record),
                Err(reason) if request.on_bad_line == OnBadLine::Skip => {
                    skipped.push(format!("{}, {}: {reason}", file.path.display(), row.location));
                }
                Err(reason) => {
                    let (path, location) = (file.path.into(), row.location);
                    return Err(TaskError::BadLine { path, location, reason });
                }
            }
        }
        let empty = |reason: String| TaskError::Empty { path: file.path.into(), reason };
        if records.is_empty() {
            return Err(empty("it has none; each line needs a `question` and an `answer`".into()));
        }
        let contents = describe_levels_and_subjects(&records);
        records.retain(|r| file.split.is_none_or(|split| Split::of(&r.text) == split));
        if records.is_empty() {
            let split = &file.split_name;
            return Err(empty(format!("none is in the split {split}; leave out --split")));
        }
        records.retain(|r| request.filter.accepts(r));
        if records.is_empty() {
            return Err(empty(format!(
                "none matches --level and --subject; the file has {contents}"
            )));
        }
        Ok(Self {
            name: file.name.to_owned(),
            split_name: file.split_name.clone(),
            questions: QuestionList::File(records),
            skipped,
        })
    }

    /// Its name, as in stored episodes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The part of the set that is asked: a split, or `whole` for a user's file.
    pub fn split_name(&self) -> &str {
        &self.split_name
    }

    /// Number of questions; `None` if they are generated without end.
    pub fn size(&self) -> Option<usize> {
        match &self.questions {
            QuestionList::Generated(_) => None,
            QuestionList::File(records) => Some(records.len()),
        }
    }

    /// Whether every step of the solutions is known, as the oracle router needs.
    pub fn has_solutions(&self) -> bool {
        matches!(self.questions, QuestionList::Generated(_))
    }

    /// The rows that were skipped, each with its place and what is wrong with it.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The questions in the order of a seed, each once. The first n are a sample without replacement, and a larger
    /// sample begins with them.
    pub fn questions(&self, seed: u64) -> Box<dyn Iterator<Item = Question> + Send> {
        let task = self.name.clone();
        match &self.questions {
            QuestionList::Generated(split) => {
                let problems = ProblemGenerator::new(OperationMix::full(), *split, seed);
                Box::new(problems.enumerate().map(move |(index, problem)| Question {
                    text: problem.question.clone(),
                    origin: Some(Origin { task: task.clone(), seed, index }),
                    gold: Some(problem.answer.to_string()),
                    solution: Some(problem),
                }))
            }
            QuestionList::File(records) => {
                let mut records = records.clone();
                records.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
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

/// Questions of the task set or file `name` in the order of `seed`: without end if they are generated, else each once.
///
/// # Errors
/// [`TaskError`] if there is no such task set, or its file cannot be read or downloaded.
pub fn questions(
    name: &str,
    split: Split,
    seed: u64,
) -> Result<impl Iterator<Item = Question> + use<>, TaskError> {
    let request = TaskSetRequest {
        name: name.to_owned(),
        data: None,
        split: None,
        default_split: split,
        filter: QuestionFilter::default(),
        on_bad_line: OnBadLine::Stop,
    };
    Ok(TaskSet::open(&request)?.questions(seed))
}

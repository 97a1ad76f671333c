//! The question in a row of a file.

use serde_json::{Map, Value};

use super::spec::FieldNames;
use crate::grading::Grader;

/// A question of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QuestionRecord {
    /// Its row in the file, counted from 0, before any filter.
    pub(super) index: usize,
    pub(super) text: String,
    pub(super) gold: String,
    pub(super) level: Option<f64>,
    pub(super) subjects: Vec<String>,
}

/// The question in row `index`, or what is wrong with the row.
pub(super) fn parse_record(
    index: usize,
    row: &Map<String, Value>,
    fields: &FieldNames,
    grader: Grader,
) -> Result<QuestionRecord, String> {
    let question = field_text(row, fields.question)
        .ok_or_else(|| format!("it has no text in {}", quoted_names(fields.question)))?;
    let answer = field_text(row, fields.answer)
        .ok_or_else(|| format!("it has no text or number in {}", quoted_names(fields.answer)))?;
    let level = fields.level.iter().find_map(|key| level(row.get(*key)?));
    let subjects = fields.subject.iter().find_map(|key| subjects(row.get(*key)?));
    Ok(QuestionRecord {
        index,
        text: question,
        gold: grader.extract_gold(&answer),
        level,
        subjects: subjects.unwrap_or_default(),
    })
}

/// The value of the first of these fields that holds a text, a number or a list of texts; `None` if it is empty.
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

fn quoted_names(keys: &[&str]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(" or ")
}

/// A level: `5`, `7.5`, `Level 5`.
fn level(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.split_whitespace().last()?.parse().ok(),
        _ => None,
    }
}

/// A subject, or every part of a path of subjects: `Mathematics -> Algebra -> Inequalities`.
fn subjects(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split("->").map(|s| s.trim().to_owned()).collect()),
        Value::Array(items) => Some(items.iter().filter_map(subjects).flatten().collect()),
        _ => None,
    }
}

/// The levels and subjects of a file, for a message.
pub(super) fn describe_levels_and_subjects(records: &[QuestionRecord]) -> String {
    const MAX_LISTED: usize = 12;
    let levels = records.iter().filter_map(|r| r.level);
    let (low, high) = levels.fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)));
    let mut subjects: Vec<&str> =
        records.iter().flat_map(|r| r.subjects.iter().map(String::as_str)).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let more = subjects.len().saturating_sub(MAX_LISTED);
    subjects.truncate(MAX_LISTED);
    let levels = if low > high { "no levels".into() } else { format!("levels {low} to {high}") };
    match (subjects.is_empty(), more) {
        (true, _) => format!("{levels} and no subjects"),
        (false, 0) => format!("{levels} and the subjects {}", subjects.join(", ")),
        (false, more) => {
            format!("{levels} and the subjects {} and {more} more", subjects.join(", "))
        }
    }
}

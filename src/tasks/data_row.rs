//! A row of a file.

use serde_json::{Map, Value};

/// A row of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct DataRow {
    /// Its place in the file.
    pub location: RowLocation,
    /// Its fields, or what is wrong with it.
    pub fields: Result<Map<String, Value>, String>,
}

/// Place of a row in its file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLocation {
    /// A line of a JSONL file.
    Line(usize),
    /// An element of a JSON array.
    Element(usize),
    /// A row of a Parquet file.
    Row(usize),
}

impl std::fmt::Display for RowLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {n}"),
            Self::Element(n) => write!(f, "element {n}"),
            Self::Row(n) => write!(f, "row {n}"),
        }
    }
}

//! Reads the rows of a file: JSON objects one a line, a JSON array of them, or Parquet.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Number, Value};

use super::{DataRow, RowLocation, TaskError};
use crate::user_file::{self, MAX_LINE, MAX_ROWS};

/// Reads the rows of a file; `-` is standard input. Empty lines are skipped.
///
/// # Errors
/// [`TaskError::Read`] if the file cannot be read, or is neither JSON nor Parquet.
pub fn read_rows(path: &Path) -> Result<Vec<DataRow>, TaskError> {
    let read = if is_piped(path) {
        user_file::read_to_limit(std::io::stdin().lock(), MAX_ROWS)
    } else {
        user_file::read(path, MAX_ROWS)
    };
    let bytes = read.map_err(|e| TaskError::Read { path: path.into(), reason: e.to_string() })?;
    parse_rows(&bytes, path)
}

fn is_piped(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The rows in `bytes`, the contents of `path`.
pub(super) fn parse_rows(bytes: &[u8], path: &Path) -> Result<Vec<DataRow>, TaskError> {
    let failed = |reason: String| TaskError::Read { path: path.into(), reason };
    if bytes.starts_with(b"PAR1") {
        // A Parquet file is read from its end, so that a pipe needs a temporary file.
        let file = if is_piped(path) { temporary_file(bytes) } else { user_file::open(path) };
        let file = file.map_err(|e| failed(e.to_string()))?;
        return parquet(file).map_err(|e| failed(e.to_string()));
    }
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if text.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[') {
        let elements: Vec<Value> =
            serde_json::from_slice(text).map_err(|e| failed(format!("it is not JSON: {e}")))?;
        let row = |(i, value)| DataRow {
            location: RowLocation::Element(i + 1),
            fields: into_object(value),
        };
        return Ok(elements.into_iter().enumerate().map(row).collect());
    }
    let lines = text.split(|b| *b == b'\n').enumerate();
    let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let row = |(i, line): (usize, &[u8])| DataRow {
        location: RowLocation::Line(i + 1),
        fields: parse_line(line),
    };
    Ok(filled.map(row).collect())
}

/// The object on a line.
fn parse_line(line: &[u8]) -> Result<Map<String, Value>, String> {
    if line.len() as u64 > MAX_LINE {
        return Err(user_file::too_large("it", MAX_LINE).to_string());
    }
    serde_json::from_slice(line).map_err(|e| json_error(&e)).and_then(into_object)
}

/// The message of a JSON error without its line number, which is always 1.
fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    format!("it is not JSON ({reason} at column {})", error.column())
}

fn into_object(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(map) => Ok(map),
        _ => Err("it is not a JSON object".into()),
    }
}

/// An unnamed temporary file with these contents.
fn temporary_file(bytes: &[u8]) -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes).map(|()| file)
}

fn parquet(file: File) -> parquet::errors::Result<Vec<DataRow>> {
    let reader = SerializedFileReader::new(file)?;
    let mut rows = Vec::new();
    // A small file may unpack to any size.
    let mut bytes = 0;
    for (i, row) in reader.get_row_iter(None)?.enumerate() {
        let columns = row?.into_columns();
        bytes += columns.iter().map(|(name, field)| name.len() + size(field)).sum::<usize>();
        if bytes as u64 > MAX_ROWS {
            let message = user_file::too_large("its contents", MAX_ROWS).to_string();
            return Err(ParquetError::General(message));
        }
        let fields = columns.into_iter().map(|(name, field)| (name, json(&field)));
        rows.push(DataRow { location: RowLocation::Row(i + 1), fields: Ok(fields.collect()) });
    }
    Ok(rows)
}

/// About the bytes that a field takes in memory.
fn size(field: &Field) -> usize {
    let own = size_of::<Value>();
    own + match field {
        Field::Str(text) => text.len(),
        Field::Bytes(bytes) => bytes.len(),
        Field::ListInternal(list) => list.elements().iter().map(size).sum(),
        Field::Group(row) => {
            row.get_column_iter().map(|(name, field)| name.len() + size(field)).sum()
        }
        _ => 0,
    }
}

/// A field of a Parquet file as JSON.
fn json(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(b) => Value::Bool(*b),
        Field::Byte(n) => Value::from(*n),
        Field::Short(n) => Value::from(*n),
        Field::Int(n) => Value::from(*n),
        Field::Long(n) => Value::from(*n),
        Field::UByte(n) => Value::from(*n),
        Field::UShort(n) => Value::from(*n),
        Field::UInt(n) => Value::from(*n),
        Field::ULong(n) => Value::from(*n),
        Field::Float(x) => Number::from_f64(f64::from(*x)).map_or(Value::Null, Value::Number),
        Field::Double(x) => Number::from_f64(*x).map_or(Value::Null, Value::Number),
        Field::Str(text) => Value::from(text.as_str()),
        Field::Bytes(bytes) => Value::from(String::from_utf8_lossy(bytes.data())),
        Field::ListInternal(list) => list.elements().iter().map(json).collect(),
        Field::Group(row) => {
            Value::Object(row.get_column_iter().map(|(k, v)| (k.clone(), json(v))).collect())
        }
        // Dates and the like, which hold neither questions nor answers.
        other => Value::from(other.to_string()),
    }
}

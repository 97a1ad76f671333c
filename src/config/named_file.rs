//! TOML files that are chosen by name or path. The user's files take precedence over those inside the binary.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rust_embed::Embed;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::safe_text::safe_line;
use crate::user_file::{self, MAX_SETTINGS};

/// Why a file cannot be used. Each message is one sentence that names the file, and the position if there is one.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum FileError {
    /// No file has this name.
    #[error(
        "there is no {kind} `{name}`: choose one of {known}, give the path of a .toml file, or put `{name}.toml` into {folder}"
    )]
    Unknown {
        /// What kind of file was wanted, such as `preset`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The known names, separated by commas.
        known: String,
        /// The user's folder for such files.
        folder: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's message.
        reason: String,
    },
    /// The file's content is invalid.
    #[error("{path}, line {line}, column {column}: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column in characters, counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
}

crate::exit::classify!(Usage: FileError);

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedFile {
    /// Its path; only the file name if it is inside the binary.
    pub(crate) path: PathBuf,
    /// Its content.
    pub(crate) text: String,
}

impl NamedFile {
    /// The file at `path`; `None` if it does not exist.
    ///
    /// # Errors
    /// [`FileError::Read`] if it cannot be read.
    pub(crate) fn at(path: &Path) -> Result<Option<Self>, FileError> {
        read(path)
    }

    /// Finds a file of the given `kind` (a word for messages): the file at that path if it exists or the text ends with
    /// `.toml`, else `NAME.toml` in `folder`, else one inside the binary.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub(crate) fn find<E: Embed>(
        kind: &'static str,
        name_or_path: &str,
        folder: &Path,
    ) -> Result<Self, FileError> {
        let path = Path::new(name_or_path);
        if is_toml(path) || path.is_file() {
            return read(path)?.ok_or_else(|| FileError::Read {
                path: path.into(),
                reason: "there is no such file".into(),
            });
        }
        // A name with a separator is a path, which does not exist; a name must not lead out of the folder.
        if !name_or_path.contains(std::path::is_separator) {
            let file = format!("{name_or_path}.toml");
            if let Some(found) = read(&folder.join(&file))? {
                return Ok(found);
            }
            if let Some(embedded) = E::get(&file) {
                let text = String::from_utf8_lossy(&embedded.data).into_owned();
                return Ok(Self { path: file.into(), text });
            }
        }
        Err(FileError::Unknown {
            kind,
            name: name_or_path.into(),
            known: file_names::<E>(folder).join(", "),
            folder: folder.into(),
        })
    }

    /// Its name: the file name without its extension.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        self.path.file_stem().unwrap_or_default().to_string_lossy()
    }

    /// Parses its content.
    ///
    /// # Errors
    /// [`FileError::Syntax`] with the position of the first error.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, FileError> {
        toml::from_str(&self.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let remedy = if error.message().starts_with("unknown field") {
                "; remove it or correct its spelling"
            } else {
                ""
            };
            self.error(offset, &format!("{}{remedy}", error.message()))
        })
    }

    /// [`FileError::Syntax`] at a byte offset into the text.
    pub(crate) fn error(&self, offset: usize, reason: &str) -> FileError {
        let (line, column) = position(&self.text, offset);
        // The parser's message may have several lines.
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let reason = safe_line(&reason).into_owned();
        FileError::Syntax { path: self.path.clone(), line, column, reason }
    }
}

/// Names that [`NamedFile::find`] accepts, sorted: those inside the binary, and those in `folder` if it can be read.
pub(crate) fn file_names<E: Embed>(folder: &Path) -> Vec<String> {
    let users = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let embedded = E::iter().map(|file| PathBuf::from(file.as_ref()));
    let files = users.chain(embedded).filter(|path| is_toml(path));
    let stems = files.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    stems.collect::<BTreeSet<_>>().into_iter().collect()
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn read(path: &Path) -> Result<Option<NamedFile>, FileError> {
    match user_file::read_text(path, MAX_SETTINGS) {
        Ok(text) => Ok(Some(NamedFile { path: path.into(), text })),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(FileError::Read { path: path.into(), reason: e.to_string() }),
    }
}

/// Line and column of a byte offset, both counted from 1 and in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        assert_eq!(position("a\nbé x", 0), (1, 1));
        assert_eq!(position("a\nbé x", 5), (2, 3));
        assert_eq!(position("a", 9), (1, 2));
    }
}

//! Files that commands write: whole or not at all.

use super::error::{CommandResult, Context};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file on its way. What was at its place stays until [`AtomicFile::finish`].
pub struct AtomicFile {
    path: PathBuf,
    target: PendingFile,
}

enum PendingFile {
    /// Beside the file, whose place it takes at the end; links are followed to it.
    TempFile(NamedTempFile, PathBuf),
    /// A pipe or a device, which is no file to be replaced.
    Direct(File),
}

impl AtomicFile {
    /// Makes ready to write `path`.
    ///
    /// # Errors
    /// When it cannot be written there.
    pub fn create(path: &Path) -> CommandResult<Self> {
        let target = create(path).with_context(|| write_error(path))?;
        Ok(Self { path: path.to_owned(), target })
    }

    /// Whether `path` can be written, as far as can be told before; nothing of it changes.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check_writable(path: &Path) -> CommandResult<()> {
        Self::create(path).map(drop)
    }

    /// Writes `path` in one go.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn write(path: &Path, bytes: &[u8]) -> CommandResult<()> {
        let mut file = Self::create(path)?;
        io::Write::write_all(&mut file, bytes)?;
        file.finish()
    }

    /// Puts what was written at its place, once the disk has it.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn finish(self) -> CommandResult<()> {
        let Self { path, target } = self;
        let finished = match target {
            PendingFile::TempFile(target, place) => {
                let synced = target.as_file().sync_all();
                synced.and_then(|()| target.persist(place).map(drop).map_err(|e| e.error))
            }
            // A pipe has nothing to be synced.
            PendingFile::Direct(_) => Ok(()),
        };
        finished.with_context(|| write_error(&path))
    }

    fn file(&mut self) -> &mut File {
        match &mut self.target {
            PendingFile::TempFile(target, _) => target.as_file_mut(),
            PendingFile::Direct(file) => file,
        }
    }
}

/// Errors name the file: others of the same loop, such as a store's, do not come from it.
impl io::Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file().write(bytes);
        written.map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", write_error(&self.path))))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

fn create(path: &Path) -> io::Result<PendingFile> {
    // Where there is nothing yet, also nothing to follow.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let metadata = match fs::metadata(&place) {
        Ok(metadata) => Some(metadata),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    if let Some(metadata) = &metadata {
        // Also tells of a folder, and of a file that may not be written.
        let file = OpenOptions::new().write(true).open(&place)?;
        if !metadata.is_file() {
            return Ok(PendingFile::Direct(file));
        }
    }
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mode = metadata.map_or(0o666, |metadata| metadata.permissions().mode());
    let target = tempfile::Builder::new()
        .prefix(".pointsman-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    Ok(PendingFile::TempFile(target, place))
}

fn write_error(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_was_there_stays_until_all_is_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.txt");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let names = || fs::read_dir(home.path()).unwrap().count();

        let mut file = AtomicFile::create(&link).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names()), ("old", 2));

        AtomicFile::write(&link, b"new").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names()), ("new", 2));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        AtomicFile::write(Path::new("/dev/null"), b"x").unwrap();
    }

    #[test]
    fn where_nothing_can_be_written_is_told_before() {
        let home = tempfile::tempdir().unwrap();
        for path in [home.path().join("no/a.txt"), home.path().to_owned()] {
            let error = format!("{:#}", AtomicFile::check_writable(&path).unwrap_err());
            let says = format!("cannot write {}: ", path.display());
            assert!(error.starts_with(&says), "{error}");
        }
    }
}

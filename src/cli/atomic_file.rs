//! Files that a command writes completely or not at all.

use super::error::{CommandResult, Context};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file being written. The file that it replaces stays until [`AtomicFile::finish`].
pub(super) struct AtomicFile {
    path: PathBuf,
    target: PendingFile,
}

enum PendingFile {
    /// Beside the file that it replaces at the end; symbolic links are followed.
    TempFile(NamedTempFile, PathBuf),
    /// A pipe or a device, which cannot be replaced.
    Direct(File),
}

impl AtomicFile {
    /// Prepares to write `path`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn create(path: &Path) -> CommandResult<Self> {
        let target = create(path).with_context(|| write_error(path))?;
        Ok(Self { path: path.to_owned(), target })
    }

    /// Checks in advance that `path` can be written; the file is not changed.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn check_writable(path: &Path) -> CommandResult<()> {
        Self::create(path).map(drop)
    }

    /// Writes `path` at once.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(path: &Path, bytes: &[u8]) -> CommandResult<()> {
        let mut file = Self::create(path)?;
        io::Write::write_all(&mut file, bytes)?;
        file.finish()
    }

    /// Syncs the new file to disk and moves it into place.
    ///
    /// # Errors
    /// If either fails.
    pub(super) fn finish(self) -> CommandResult<()> {
        let Self { path, target } = self;
        let finished = match target {
            PendingFile::TempFile(target, place) => {
                let synced = target.as_file().sync_all();
                synced.and_then(|()| target.persist(place).map(drop).map_err(|e| e.error))
            }
            // A pipe cannot be synced.
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

/// Errors name the file, which tells them apart from those of the source that is copied into it.
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
    // Fails for a new file, which is not a link either.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let metadata = match fs::metadata(&place) {
        Ok(metadata) => Some(metadata),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    if let Some(metadata) = &metadata {
        // Fails for a folder and for a read-only file.
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
    fn the_old_file_stays_until_the_new_one_is_complete() {
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
    fn unwritable_paths_are_found_in_advance() {
        let home = tempfile::tempdir().unwrap();
        for path in [home.path().join("no/a.txt"), home.path().to_owned()] {
            let error = format!("{:#}", AtomicFile::check_writable(&path).unwrap_err());
            let says = format!("cannot write {}: ", path.display());
            assert!(error.starts_with(&says), "{error}");
        }
    }
}

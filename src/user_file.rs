//! Opens the files that a user names: regular files only, up to a size.
//!
//! A device or a pipe has no end, or waits for another program; a path in a preset or a list may lead to one by mistake
//! or on purpose. Every file that a user, a preset or a folder of the user names is opened here.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, ErrorKind, Read};
use std::path::Path;

/// The most bytes of a preset, a theme or `keys.toml`.
pub(crate) const MAX_SETTINGS: u64 = 1 << 20;
/// The most bytes of a question that is typed or piped.
pub(crate) const MAX_QUESTION: u64 = 1 << 20;
/// The most bytes of a policy.
pub(crate) const MAX_POLICY: u64 = 1 << 26;
/// The most bytes of a model's configuration, chat template, tokenizer or index.
pub(crate) const MAX_MODEL_SETTINGS: u64 = 1 << 28;
/// The most bytes of a file of questions or solutions, which is held in memory.
pub(crate) const MAX_ROWS: u64 = 1 << 30;
/// The most bytes of a recording that is held in memory.
pub(crate) const MAX_RECORDING: u64 = 1 << 30;
/// The most bytes of a line: an event with half a million tokens.
pub(crate) const MAX_LINE: u64 = 1 << 26;

/// Opens a regular file to read; links are followed.
///
/// # Errors
/// If there is no such file, it cannot be read, or it is a folder, a device, a pipe or a socket. The message is the rest
/// of a sentence such as "cannot read FILE: …".
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Opening a device or a pipe may have an effect or wait, so the kind is looked up first; and again afterwards,
    // because another program may have replaced the file.
    check_kind(&std::fs::metadata(path).map_err(in_words)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path).map_err(in_words)?;
    check_kind(&file.metadata().map_err(in_words)?)?;
    Ok(file)
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open`], and if the file is larger.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    // The length spares a long read; it may be wrong, as in /proc.
    if file.metadata().is_ok_and(|found| found.len() > limit) {
        return Err(too_large("it", limit));
    }
    read_to_limit(file, limit)
}

/// Reads a regular file of UTF-8 text of at most `limit` bytes.
///
/// # Errors
/// As [`read`], and if the file is not UTF-8.
pub(crate) fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    into_text(read(path, limit)?)
}

/// Reads a stream, such as standard input, of at most `limit` bytes.
///
/// # Errors
/// If it cannot be read, or has more bytes.
pub(crate) fn read_to_limit(stream: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(limit + 1).read_to_end(&mut bytes).map_err(in_words)?;
    if bytes.len() as u64 > limit { Err(too_large("it", limit)) } else { Ok(bytes) }
}

/// Reads a stream of UTF-8 text of at most `limit` bytes.
///
/// # Errors
/// As [`read_to_limit`], and if it is not UTF-8.
pub(crate) fn read_text_to_limit(stream: impl Read, limit: u64) -> io::Result<String> {
    into_text(read_to_limit(stream, limit)?)
}

/// Appends the next line, of at most [`MAX_LINE`] bytes, with its end to `line`; returns its length, 0 at the end.
///
/// # Errors
/// If it cannot be read, or is longer.
pub(crate) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let length = reader.take(MAX_LINE + 1).read_until(b'\n', line).map_err(in_words)?;
    if length as u64 > MAX_LINE { Err(too_large("a line", MAX_LINE)) } else { Ok(length) }
}

/// The message for a text that exceeds `limit`.
pub(crate) fn too_large(what: &str, limit: u64) -> io::Error {
    let limit = if limit < 1 << 30 {
        format!("{} MiB", limit >> 20)
    } else {
        format!("{} GiB", limit >> 30)
    };
    let message = format!("{what} is larger than {limit}, the most that is read");
    io::Error::new(ErrorKind::FileTooLarge, message)
}

fn into_text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn check_kind(found: &std::fs::Metadata) -> io::Result<()> {
    if found.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    if !found.is_file() {
        let message = "it is not a regular file: save its contents to a file first";
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(())
}

/// The usual errors in plain words; the system's number says nothing to the user.
fn in_words(error: io::Error) -> io::Error {
    let words = match error.kind() {
        ErrorKind::NotFound => "there is no such file",
        ErrorKind::PermissionDenied => "you may not read it: change its permissions",
        ErrorKind::IsADirectory => "it is a folder",
        _ => return error,
    };
    io::Error::new(error.kind(), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: io::Result<impl Sized>) -> String {
        result.map(drop).expect_err("it was read").to_string()
    }

    #[test]
    fn regular_files_are_read_up_to_their_limit() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert!(message(read(&path, 4)).contains("larger"));
        assert!(message(read_to_limit(io::repeat(0), 100)).contains("larger"));
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(message(read_text(&path, 5)), "it is not UTF-8 text");
        assert_eq!(message(open(&home.path().join("gone"))), "there is no such file");
        assert_eq!(message(open(home.path())), "it is a folder");
    }

    #[cfg(unix)]
    #[test]
    fn devices_pipes_and_sockets_are_not_opened() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        let pipe = home.path().join("pipe");
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        // SAFETY: the name is a valid C string.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let socket = home.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [Path::new("/dev/zero"), &link, &pipe, &socket] {
            assert!(message(open(path)).starts_with("it is not a regular file"), "{path:?}");
        }
    }

    #[test]
    fn lines_have_a_limit() {
        let mut line = Vec::new();
        assert_eq!(read_line(&mut &b"ab\ncd"[..], &mut line).unwrap(), 3);
        assert_eq!(line, b"ab\n");
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        line.clear();
        assert!(message(read_line(&mut endless, &mut line)).starts_with("a line is larger"));
        assert!(line.len() as u64 <= MAX_LINE + 1);
    }
}

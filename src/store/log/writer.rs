//! Appending to the log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::operation::Operation;
use super::record::{self, Location};
use super::scan::LogEnd;
use super::{SEGMENT_HEADER, segment_header, segment_path};

/// A segment that has grown to this many bytes is followed by another.
const SEGMENT_BYTES: u64 = 32 << 20;

/// Appends records to the log of one folder.
pub(in super::super) struct LogWriter {
    folder: PathBuf,
    segment: u32,
    /// Length of the sound part of the segment in bytes.
    length: u64,
    /// `None` until the first append, and after an error that may have left a part of a record.
    file: Option<Arc<File>>,
    last_record: u64,
    progress: Arc<SyncProgress>,
}

/// How far the log is on disk.
#[derive(Default)]
pub(in super::super) struct SyncProgress {
    appended: AtomicU64,
    /// Number of the last record that is on disk.
    synced: Mutex<u64>,
}

/// An appended record that may not be on disk yet.
pub(in super::super) struct Appended {
    pub(in super::super) record: u64,
    pub(in super::super) at: Location,
    file: Arc<File>,
    progress: Arc<SyncProgress>,
}

impl Appended {
    /// Waits until the record is on disk, data and size. Records of other threads that were appended meanwhile
    /// share the same write.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(in super::super) fn sync(&self) -> io::Result<()> {
        let mut synced = self.progress.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced < self.record {
            // All records up to this one are in this file or in earlier ones, which were synced before they were left.
            let appended = self.progress.appended.load(Ordering::Acquire);
            self.file.sync_data()?;
            *synced = appended.max(self.record);
        }
        Ok(())
    }
}

impl LogWriter {
    /// A writer that continues the log in `folder`. It writes nothing before the first append.
    pub(in super::super) fn new(folder: &Path, end: LogEnd) -> Self {
        let LogEnd { last_record, segment, length } = end;
        let progress = SyncProgress::default();
        progress.appended.store(last_record, Ordering::Release);
        *progress.synced.lock().unwrap_or_else(PoisonError::into_inner) = last_record;
        let (folder, progress) = (folder.to_path_buf(), Arc::new(progress));
        Self { folder, segment, length, file: None, last_record, progress }
    }

    pub(in super::super) fn end(&self) -> LogEnd {
        LogEnd { last_record: self.last_record, segment: self.segment, length: self.length }
    }

    /// Skips numbers that were given to records which were lost, so that no number is given twice.
    pub(in super::super) fn skip_to(&mut self, last_record: u64) {
        self.last_record = self.last_record.max(last_record);
    }

    /// Appends one record. It is acknowledged once [`Appended::sync`] has returned.
    ///
    /// # Errors
    /// If the disk refuses; the log is then as before.
    pub(in super::super) fn append(
        &mut self,
        episode: u64,
        operations: &[Operation],
    ) -> io::Result<Appended> {
        let record = self.last_record + 1;
        let bytes = record::encode(record, episode, operations);
        let file = self.current_file()?;
        if let Err(error) = (&*file).write_all(&bytes) {
            self.discard_partial_record(&file);
            return Err(error);
        }
        let at =
            Location { segment: self.segment, offset: self.length, length: bytes.len() as u64 };
        self.length += bytes.len() as u64;
        self.last_record = record;
        // Not the number: several threads may sync the same file in any order.
        self.progress.appended.store(record, Ordering::Release);
        Ok(Appended { record, at, file, progress: self.progress.clone() })
    }

    /// The file to append to, whose end is sound.
    fn current_file(&mut self) -> io::Result<Arc<File>> {
        if self.length >= SEGMENT_BYTES {
            if let Some(file) = self.file.take() {
                file.sync_data()?;
            }
            self.segment += 1;
            self.length = 0;
        }
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let path = segment_path(&self.folder, self.segment);
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let file = options.open(&path)?;
        if self.length == 0 {
            if file.metadata()?.len() > 0 {
                // A partial header of an earlier attempt.
                file.set_len(0)?;
            }
            if let Err(error) = (&file).write_all(&segment_header()) {
                let _ = file.set_len(0);
                return Err(error);
            }
            // The new name must survive a power cut as well.
            File::open(&self.folder)?.sync_all()?;
            self.length = SEGMENT_HEADER as u64;
        }
        let file = Arc::new(file);
        self.file = Some(file.clone());
        Ok(file)
    }

    /// Removes what a failed append has written; if even that fails, the next append begins a new segment.
    fn discard_partial_record(&mut self, file: &File) {
        if file.set_len(self.length).is_err() {
            self.file = None;
            self.segment += 1;
            self.length = 0;
        }
    }
}

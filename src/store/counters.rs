//! The numbers that were given last, so that none is given twice even if the log loses its end.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    Episode,
    Policy,
    Calibration,
    Deletion,
}

const COUNTERS: usize = 4;
const LENGTH: usize = COUNTERS * 8 + 4;

/// The last number of each counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CounterValues(pub(super) [u64; COUNTERS]);

impl CounterValues {
    pub(super) fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    /// Raises the counter to at least `value`.
    pub(super) fn raise(&mut self, counter: Counter, value: u64) {
        let slot = &mut self.0[counter as usize];
        *slot = value.max(*slot);
    }

    /// Reads the file `path`; `None` if it does not exist or is damaged.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let (values, crc) = bytes.split_at_checked(COUNTERS * 8)?;
        let sound = crc == crc32fast::hash(values).to_le_bytes();
        let mut counters = Self::default();
        for (slot, bytes) in counters.0.iter_mut().zip(values.as_chunks().0) {
            *slot = u64::from_le_bytes(*bytes);
        }
        sound.then_some(counters)
    }
}

/// Counters on disk.
pub(super) struct Counters {
    values: CounterValues,
    file: File,
}

impl Counters {
    /// Opens the file `path`, or creates it, with counters of at least `values`.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn open(path: &Path, values: CounterValues) -> io::Result<Self> {
        let found = CounterValues::read(path);
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let mut counters = Self { values, file };
        for (slot, found) in counters.values.0.iter_mut().zip(found.unwrap_or_default().0) {
            *slot = found.max(*slot);
        }
        if found != Some(counters.values) {
            counters.write()?;
        }
        Ok(counters)
    }

    pub(super) fn values(&self) -> CounterValues {
        self.values
    }

    /// Increments the counter by `n` and returns its new value. It is on disk before a number is given.
    ///
    /// # Errors
    /// If the disk refuses; the numbers are then skipped.
    pub(super) fn advance(&mut self, counter: Counter, n: u64) -> io::Result<u64> {
        self.values.0[counter as usize] += n;
        self.write()?;
        Ok(self.values.get(counter))
    }

    /// Writes in place, which needs no space on a full disk. A torn write fails the checksum.
    fn write(&mut self) -> io::Result<()> {
        let mut bytes: Vec<u8> =
            self.values.0.iter().flat_map(|value| value.to_le_bytes()).collect();
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        debug_assert_eq!(bytes.len(), LENGTH);
        self.file.write_all_at(&bytes, 0)?;
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_continue_and_never_go_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counters");
        let mut counters = Counters::open(&path, CounterValues([5, 0, 0, 0])).unwrap();
        assert_eq!(counters.advance(Counter::Episode, 1).unwrap(), 6);
        assert_eq!(counters.advance(Counter::Episode, 3).unwrap(), 9);
        assert_eq!(counters.advance(Counter::Policy, 1).unwrap(), 1);
        let mut again = Counters::open(&path, CounterValues([2, 4, 0, 0])).unwrap();
        assert_eq!(again.advance(Counter::Episode, 1).unwrap(), 10);
        assert_eq!(again.advance(Counter::Policy, 1).unwrap(), 5);
        std::fs::write(&path, [7; LENGTH]).unwrap();
        assert_eq!(CounterValues::read(&path), None, "the checksum does not hold");
    }
}

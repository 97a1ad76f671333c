//! The event log: the append-only files that hold everything the store acknowledged.
//!
//! A record is the unit that is written, checked and lost. Each has two checksums: one of its header, which says
//! which record it is and how long, and one of its body. So a damaged body costs that record only, and is named.
//! Nothing is overwritten, with one exception: the bodies of records of episodes that are deleted for good.
//!
//! A segment is a file `log/000001.log`: a header of 16 bytes, then records.
//!
//! ```text
//! segment header   "PMSEGLOG"  version u32  CRC-32 of both
//! record header    "PMLR"  record u64  episode u64  operations u32  values u32  CRC-32 of the body  CRC-32 of these
//! record body      the operations without their values, then the values, deflated
//! operation        kind u8  table u8  length of the key u32  length of the value u32  key
//! ```
//!
//! Integers are little-endian, except in keys, which sort as bytes.

mod erase;
mod record;
mod scan;
mod writer;

pub(super) use erase::erase_bodies;
pub(super) use record::{Location, OperationKind};
pub(super) use scan::{Damage, DamageKind, LogEnd, LogScan, RecordHead, scan_log};
pub(super) use writer::{Appended, LogWriter};

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Version of the log's format. Newer ones are refused.
const VERSION: u32 = 1;
const SEGMENT_MAGIC: &[u8; 8] = b"PMSEGLOG";
/// Length of a segment's header in bytes.
const SEGMENT_HEADER: usize = 16;

fn segment_header() -> [u8; SEGMENT_HEADER] {
    let mut header = [0; SEGMENT_HEADER];
    header[..8].copy_from_slice(SEGMENT_MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    let crc = crc32fast::hash(&header[..12]);
    header[12..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// The version in a segment's header; `None` if the header is damaged.
fn segment_version(bytes: &[u8]) -> Option<u32> {
    let header = bytes.get(..SEGMENT_HEADER)?;
    let crc = u32::from_le_bytes(*header[12..].first_chunk()?);
    let sound = &header[..8] == SEGMENT_MAGIC && crc32fast::hash(&header[..12]) == crc;
    sound.then(|| u32::from_le_bytes(*header[8..].first_chunk().unwrap_or(&[0; 4])))
}

fn segment_path(folder: &Path, segment: u32) -> PathBuf {
    folder.join(format!("{segment:06}.log"))
}

/// The numbers of the segments in `folder`, in order.
fn segment_numbers(folder: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".log"));
        numbers.extend(stem.and_then(|stem| stem.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads the values of the operations of one record.
///
/// # Errors
/// If the segment cannot be read, or the record fails its checksum.
pub(super) fn read_values(folder: &Path, at: Location) -> io::Result<Vec<Vec<u8>>> {
    let file = File::open(segment_path(folder, at.segment))?;
    let mut bytes = vec![0; at.length as usize];
    file.read_exact_at(&mut bytes, at.offset)?;
    record::decode_values(&bytes)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, at.describe()))
}

//! Erasing the bodies of records that belong to deleted episodes.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::record::{HEADER, Location};
use super::segment_path;

/// Overwrites the bodies of the records with zeros and gives their blocks back to the file system. The headers stay,
/// so that the numbers of the records stay complete.
///
/// # Errors
/// If the disk refuses; a later call erases what is left.
pub(in super::super) fn erase_bodies(folder: &Path, records: &[Location]) -> io::Result<()> {
    let mut records = records.to_vec();
    records.sort_unstable();
    for of_segment in records.chunk_by(|a, b| a.segment == b.segment) {
        let path = segment_path(folder, of_segment[0].segment);
        let file = OpenOptions::new().write(true).open(path)?;
        for at in of_segment {
            let (offset, length) = (at.offset + HEADER as u64, at.length - HEADER as u64);
            if !punch_hole(&file, offset, length) {
                write_zeros(&file, offset, length)?;
            }
        }
        file.sync_data()?;
    }
    Ok(())
}

/// Deallocates the range, which then reads as zeros. Returns whether the file system can do that.
#[cfg(target_os = "linux")]
fn punch_hole(file: &std::fs::File, offset: u64, length: u64) -> bool {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: the descriptor belongs to `file`, which outlives the call.
    let result = unsafe {
        libc::fallocate(file.as_raw_fd(), mode, offset as libc::off_t, length as libc::off_t)
    };
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn punch_hole(_: &std::fs::File, _: u64, _: u64) -> bool {
    false
}

fn write_zeros(file: &std::fs::File, mut offset: u64, mut length: u64) -> io::Result<()> {
    let zeros = [0; 4096];
    while length > 0 {
        let chunk = length.min(zeros.len() as u64);
        file.write_all_at(&zeros[..chunk as usize], offset)?;
        offset += chunk;
        length -= chunk;
    }
    Ok(())
}

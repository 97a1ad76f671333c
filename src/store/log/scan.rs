//! Reading all segments, and naming what is damaged.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::record::{HEADER, Header, Location, OperationHeads, OperationKind};
use super::{SEGMENT_HEADER, VERSION, segment_numbers, segment_path, segment_version};

/// A sound record without its values.
#[derive(Debug, Clone)]
pub(in super::super) struct RecordHead {
    /// Number of the record, from 1.
    pub(in super::super) record: u64,
    pub(in super::super) at: Location,
    pub(in super::super) operations: OperationHeads,
}

/// A part of the log that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Damage {
    /// Number of the segment.
    pub(in super::super) segment: u32,
    /// Bytes from the beginning of the segment.
    pub(in super::super) offset: u64,
    pub(in super::super) kind: DamageKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum DamageKind {
    /// The body of this record fails its checksum. The episode is 0 if the record does not belong to exactly one.
    Body { record: u64, episode: u64 },
    /// No sound header before the next record, or before the end of the segment.
    Bytes { length: u64 },
    /// The last record of a segment is cut off, as by a crash while it was written.
    CutOff { record: u64, episode: u64 },
    /// Records that are in no segment, from and to inclusive.
    Missing { from: u64, to: u64 },
}

impl Damage {
    /// The records `from` to `to` are missing; `None` if there is no record in this range.
    pub(in super::super) fn missing(from: u64, to: u64) -> Option<Self> {
        let kind = DamageKind::Missing { from, to };
        (from <= to).then_some(Self { segment: 0, offset: 0, kind })
    }

    /// The episode that lost a record; `None` if it is not known.
    pub(in super::super) fn episode(&self) -> Option<u64> {
        match self.kind {
            DamageKind::Body { episode, .. } | DamageKind::CutOff { episode, .. } => {
                (episode > 0).then_some(episode)
            }
            DamageKind::Bytes { .. } | DamageKind::Missing { .. } => None,
        }
    }

    /// A key that is the same each time the damage is found.
    pub(in super::super) fn key(&self) -> String {
        let kind = match self.kind {
            DamageKind::Body { record, .. } => format!("body {record}"),
            DamageKind::Bytes { length } => format!("bytes {length}"),
            DamageKind::CutOff { record, .. } => format!("cut-off {record}"),
            DamageKind::Missing { from, to } => format!("missing {from}-{to}"),
        };
        format!("damage {} {} {kind}", self.segment, self.offset)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, .. } = self;
        match self.kind {
            DamageKind::Body { record, .. } => {
                write!(f, "record {record} at byte {offset} of log/{segment:06}.log is damaged")
            }
            DamageKind::Bytes { length } => {
                write!(f, "{length} bytes from byte {offset} of log/{segment:06}.log are damaged")
            }
            DamageKind::CutOff { record, .. } => {
                write!(f, "record {record} at byte {offset} of log/{segment:06}.log is cut off")
            }
            DamageKind::Missing { from, to } if from == to => write!(f, "record {from} is missing"),
            DamageKind::Missing { from, to } => write!(f, "records {from} to {to} are missing"),
        }?;
        self.episode().map_or(Ok(()), |id| write!(f, " (episode {id})"))
    }
}

/// Where the log ends, and the writer goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct LogEnd {
    /// Greatest number of a record; 0 if there is none.
    pub(in super::super) last_record: u64,
    /// Number of the segment to continue, or to begin.
    pub(super) segment: u32,
    /// Its length in bytes; 0 if it does not exist yet.
    pub(super) length: u64,
}

/// Everything in the log, without the values.
#[derive(Debug, Default)]
pub(in super::super) struct LogScan {
    /// The sound records in the order of their numbers, without the erased ones.
    pub(in super::super) records: Vec<RecordHead>,
    pub(in super::super) damage: Vec<Damage>,
    /// Greatest number of a record; 0 if there is none.
    pub(in super::super) last_record: u64,
    /// Number of the last segment; 0 if there is none.
    pub(in super::super) last_segment: u32,
    /// Length of the last segment in bytes, if its end is sound, so that it can be continued.
    pub(in super::super) continuable: Option<u64>,
    /// Records that are to be erased, whose bodies still exist because a crash came first.
    pub(in super::super) to_erase: Vec<Location>,
    /// Greatest episode number in a header.
    pub(in super::super) last_episode: u64,
    /// Whether a newer program wrote a segment.
    pub(in super::super) is_newer: bool,
}

impl LogScan {
    /// Appends what the next segment has.
    fn append(&mut self, next: Self) {
        self.records.extend(next.records);
        self.damage.extend(next.damage);
        self.last_record = self.last_record.max(next.last_record);
        self.last_episode = self.last_episode.max(next.last_episode);
        self.last_segment = next.last_segment;
        self.continuable = next.continuable;
        self.is_newer |= next.is_newer;
    }
    /// Where the writer goes on. The end of a damaged segment stays as it is.
    pub(in super::super) fn end(&self) -> LogEnd {
        let (segment, length) = match self.continuable {
            Some(length) => (self.last_segment, length),
            None => (self.last_segment + 1, 0),
        };
        LogEnd { last_record: self.last_record, segment, length }
    }
}

/// Reads all segments in `folder`.
///
/// # Errors
/// If a file cannot be read.
pub(in super::super) fn scan_log(folder: &Path) -> io::Result<LogScan> {
    let segments = segment_numbers(folder)?.into_par_iter().map(|segment| {
        let bytes = std::fs::read(segment_path(folder, segment))?;
        Ok(scan_segment(&bytes, segment))
    });
    let mut scan = LogScan::default();
    for segment in segments.collect::<io::Result<Vec<_>>>()? {
        scan.append(segment);
    }
    scan.records.sort_by_key(|record| record.record);
    find_missing(&mut scan);
    separate_erased(&mut scan);
    Ok(scan)
}

fn scan_segment(bytes: &[u8], segment: u32) -> LogScan {
    let version = segment_version(bytes);
    let mut scan = LogScan {
        last_segment: segment,
        is_newer: version.is_some_and(|version| version > VERSION),
        ..LogScan::default()
    };
    let mut at = if version.is_some() { SEGMENT_HEADER } else { 0 };
    while at < bytes.len() {
        let Some(header) = Header::decode(&bytes[at..]) else {
            let next = (at + 1..bytes.len()).find(|&next| Header::decode(&bytes[next..]).is_some());
            let end = next.unwrap_or(bytes.len());
            let kind = DamageKind::Bytes { length: (end - at) as u64 };
            scan.damage.push(Damage { segment, offset: at as u64, kind });
            at = end;
            continue;
        };
        let (record, episode) = (header.record, header.episode);
        scan.last_record = scan.last_record.max(record);
        scan.last_episode = scan.last_episode.max(episode);
        let length = header.record_length();
        let Some(body) = bytes[at..].get(HEADER..length as usize) else {
            let kind = DamageKind::CutOff { record, episode };
            scan.damage.push(Damage { segment, offset: at as u64, kind });
            // A record of the same segment behind it would mean that the header is from elsewhere.
            let next = (at + 1..bytes.len()).find(|&next| Header::decode(&bytes[next..]).is_some());
            at = next.unwrap_or(bytes.len());
            continue;
        };
        let location = Location { segment, offset: at as u64, length };
        if let Some(operations) = header.decode_operations(body) {
            scan.records.push(RecordHead { record, at: location, operations });
        } else {
            let kind = DamageKind::Body { record, episode };
            scan.damage.push(Damage { segment, offset: at as u64, kind });
        }
        at += length as usize;
        scan.continuable = (at == bytes.len()).then_some(at as u64);
    }
    if at == SEGMENT_HEADER && bytes.len() == SEGMENT_HEADER {
        scan.continuable = Some(at as u64);
    }
    scan
}

/// Adds the numbers that no header has.
fn find_missing(scan: &mut LogScan) {
    let mut seen: Vec<u64> = scan.records.iter().map(|record| record.record).collect();
    seen.extend(scan.damage.iter().filter_map(|damage| match damage.kind {
        DamageKind::Body { record, .. } | DamageKind::CutOff { record, .. } => Some(record),
        _ => None,
    }));
    seen.sort_unstable();
    let mut expected = 1;
    for record in seen {
        scan.damage.extend(Damage::missing(expected, record - 1));
        expected = record + 1;
    }
}

/// Removes the erased records: their bodies are no damage.
fn separate_erased(scan: &mut LogScan) {
    let heads = scan.records.iter().flat_map(|record| record.operations.iter());
    let erasures = heads.filter(|head| head.kind == OperationKind::Erase);
    let erased: BTreeSet<u64> = erasures.flat_map(|head| head.erased()).collect();
    if erased.is_empty() {
        return;
    }
    scan.damage.retain(|damage| match damage.kind {
        DamageKind::Body { record, .. } => !erased.contains(&record),
        _ => true,
    });
    let (to_erase, records) = std::mem::take(&mut scan.records)
        .into_iter()
        .partition(|record| erased.contains(&record.record));
    scan.records = records;
    let to_erase: Vec<RecordHead> = to_erase;
    scan.to_erase = to_erase.into_iter().map(|record| record.at).collect();
}

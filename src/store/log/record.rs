//! Encoding and decoding of one record.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::super::operation::{Operation, Table};

const MAGIC: &[u8; 4] = b"PMLR";
/// Length of a record's header in bytes.
pub(super) const HEADER: usize = 36;
/// Length of an operation without its key in bytes.
const OPERATION: usize = 10;

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) struct Location {
    pub(in super::super) segment: u32,
    /// Of the record's header, bytes from the beginning of the segment.
    pub(in super::super) offset: u64,
    /// Of header and body, bytes.
    pub(in super::super) length: u64,
}

impl Location {
    pub(in super::super) fn describe(self) -> String {
        format!("the record at byte {} of log/{:06}.log is damaged", self.offset, self.segment)
    }
}

/// The fields of a record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Number of the record; records are counted from 1 over all segments.
    pub(super) record: u64,
    /// The episode that the record belongs to; 0 if it is not exactly one.
    pub(super) episode: u64,
    operations: u32,
    values: u32,
    body_crc: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum OperationKind {
    Put,
    Remove,
    Erase,
}

/// An operation without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct OperationHead<'a> {
    pub(in super::super) kind: OperationKind,
    pub(in super::super) table: Table,
    /// The key; the numbers of the erased records for [`OperationKind::Erase`].
    pub(in super::super) key: &'a [u8],
    value_length: u32,
}

impl<'a> OperationHead<'a> {
    /// The numbers of the erased records, for [`OperationKind::Erase`].
    pub(in super::super) fn erased(&self) -> impl Iterator<Item = u64> + use<'a> {
        self.key.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// The first operation in `bytes`, and what follows it.
    fn decode(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, tail) = bytes.split_first_chunk::<OPERATION>()?;
        let key_length = u32::from_le_bytes(*head[2..].first_chunk()?) as usize;
        let (key, next) = tail.split_at_checked(key_length)?;
        let kind = match head[0] {
            0 => OperationKind::Put,
            1 => OperationKind::Remove,
            2 => OperationKind::Erase,
            _ => return None,
        };
        let value_length = u32::from_le_bytes(*head[6..].first_chunk()?);
        Some((Self { kind, table: Table::from_byte(head[1])?, key, value_length }, next))
    }
}

/// The operations of one record without their values.
#[derive(Debug, Clone)]
pub(in super::super) struct OperationHeads(Box<[u8]>);

impl OperationHeads {
    /// `None` if they do not fit together.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = OperationHead::decode(rest)?.1;
        }
        Some(Self(bytes.into()))
    }

    pub(in super::super) fn iter(&self) -> impl Iterator<Item = OperationHead<'_>> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (head, next) = OperationHead::decode(rest)?;
            rest = next;
            Some(head)
        })
    }
}

impl Header {
    /// Length of header and body in bytes.
    pub(super) fn record_length(&self) -> u64 {
        HEADER as u64 + u64::from(self.operations) + u64::from(self.values)
    }

    /// The header at the beginning of `bytes`; `None` if they do not begin with a sound header.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = bytes.first_chunk()?;
        let u32_at = |at: usize| {
            header[at..].first_chunk().map_or(0, |bytes: &[u8; 4]| u32::from_le_bytes(*bytes))
        };
        let u64_at = |at: usize| {
            header[at..].first_chunk().map_or(0, |bytes: &[u8; 8]| u64::from_le_bytes(*bytes))
        };
        let sound = &header[..4] == MAGIC && crc32fast::hash(&header[..32]) == u32_at(32);
        sound.then(|| Self {
            record: u64_at(4),
            episode: u64_at(12),
            operations: u32_at(20),
            values: u32_at(24),
            body_crc: u32_at(28),
        })
    }

    /// The operations in the body behind the header; `None` if it fails its checksum.
    pub(super) fn decode_operations(&self, body: &[u8]) -> Option<OperationHeads> {
        if crc32fast::hash(body) != self.body_crc {
            return None;
        }
        OperationHeads::decode(body.get(..self.operations as usize)?)
    }
}

/// The record with these operations.
pub(super) fn encode(record: u64, episode: u64, operations: &[Operation]) -> Vec<u8> {
    let mut heads = Vec::new();
    let mut values = DeflateEncoder::new(Vec::new(), Compression::default());
    for operation in operations {
        let (kind, table, key, value): (u8, Table, Vec<u8>, &[u8]) = match operation {
            Operation::Put { table, key, value } => (0, *table, key.clone(), value),
            Operation::Remove { table, key } => (1, *table, key.clone(), &[]),
            Operation::Erase { records } => {
                let numbers = records.iter().flat_map(|record| record.to_le_bytes());
                (2, Table::Meta, numbers.collect(), &[])
            }
        };
        heads.extend([kind, table as u8]);
        heads.extend((key.len() as u32).to_le_bytes());
        heads.extend((value.len() as u32).to_le_bytes());
        heads.extend(key);
        values.write_all(value).expect("a vector takes all bytes");
    }
    let values = values.finish().expect("a vector takes all bytes");
    let mut bytes = Vec::with_capacity(HEADER + heads.len() + values.len());
    bytes.extend(MAGIC);
    bytes.extend(record.to_le_bytes());
    bytes.extend(episode.to_le_bytes());
    bytes.extend((heads.len() as u32).to_le_bytes());
    bytes.extend((values.len() as u32).to_le_bytes());
    let mut body_crc = crc32fast::Hasher::new();
    body_crc.update(&heads);
    body_crc.update(&values);
    bytes.extend(body_crc.finalize().to_le_bytes());
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes.extend(heads);
    bytes.extend(values);
    bytes
}

/// The values of the operations of a whole record; `None` if the record is damaged.
pub(super) fn decode_values(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let header = Header::decode(bytes)?;
    let body = bytes.get(HEADER..header.record_length() as usize)?;
    let operations = header.decode_operations(body)?;
    let length: u64 = operations.iter().map(|head| u64::from(head.value_length)).sum();
    let mut all = Vec::new();
    // One byte more than expected, so that a wrong length is noticed and a deflate bomb is not inflated.
    let deflated = body.get(header.operations as usize..)?;
    DeflateDecoder::new(deflated).take(length + 1).read_to_end(&mut all).ok()?;
    let mut rest = all.as_slice();
    let values = operations.iter().map(|head| {
        let (value, next) = rest.split_at_checked(head.value_length as usize)?;
        rest = next;
        Some(value.to_vec())
    });
    let values = values.collect::<Option<Vec<_>>>()?;
    rest.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_encoding() {
        let operations = [
            Operation::put(Table::Events, b"key", b"value ".repeat(40)),
            Operation::remove(Table::Policies, b"other"),
            Operation::put(Table::Episodes, b"", b""),
            Operation::Erase { records: vec![7, 1 << 40] },
        ];
        let bytes = encode(9, 4, &operations);
        let header = Header::decode(&bytes).unwrap();
        assert_eq!((header.record, header.episode), (9, 4));
        assert_eq!(header.record_length(), bytes.len() as u64);
        let heads = header.decode_operations(&bytes[HEADER..]).unwrap();
        let heads: Vec<OperationHead<'_>> = heads.iter().collect();
        assert_eq!(heads.len(), 4);
        assert_eq!((heads[0].kind, heads[0].table), (OperationKind::Put, Table::Events));
        assert_eq!(heads[3].erased().collect::<Vec<_>>(), [7, 1 << 40]);
        let values = decode_values(&bytes).unwrap();
        assert_eq!(values, [b"value ".repeat(40), vec![], vec![], vec![]]);
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_noticed() {
        let bytes = encode(1, 1, &[Operation::put(Table::Events, b"key", b"some value")]);
        assert!(decode_values(&bytes).is_some());
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_values(&damaged).is_none(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(decode_values(&bytes[..length]).is_none(), "{length} bytes");
        }
    }
}

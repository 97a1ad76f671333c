//! Values as the index holds them: deflated if that saves space, and the events of an episode in one value.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// Values below this length in bytes are not deflated: a filter of the library reads every summary.
const MIN_DEFLATED: usize = 1024;
const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;

/// `value` with a leading byte that says how it is stored.
pub(super) fn pack(value: &[u8]) -> Vec<u8> {
    if value.len() < MIN_DEFLATED {
        return [&[PLAIN], value].concat();
    }
    let mut encoder = DeflateEncoder::new(vec![DEFLATED], Compression::default());
    encoder.write_all(value).expect("a vector takes all bytes");
    encoder.finish().expect("a vector takes all bytes")
}

/// The value that was packed.
///
/// # Errors
/// If it is damaged.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, String> {
    match packed.split_first() {
        Some((&PLAIN, value)) => Ok(value.to_vec()),
        Some((&DEFLATED, deflated)) => {
            let mut value = Vec::new();
            DeflateDecoder::new(deflated).read_to_end(&mut value).map_err(|e| e.to_string())?;
            Ok(value)
        }
        _ => Err("a value in the index is damaged".to_owned()),
    }
}

/// The events, one per line; an event that was lost is an empty line. JSON has no raw line break.
pub(super) fn pack_events(events: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut lines = Vec::new();
    for event in events {
        lines.extend(event.as_deref().unwrap_or_default());
        lines.push(b'\n');
    }
    lines
}

/// The events that were packed.
pub(super) fn unpack_events(lines: &[u8]) -> Vec<Option<Vec<u8>>> {
    let lines = lines.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
        .map(|line| (!line.is_empty()).then(|| line.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_packing() {
        for value in [vec![], b"short".to_vec(), b"long ".repeat(1000)] {
            assert_eq!(unpack(&pack(&value)).unwrap(), value);
        }
        assert!(unpack(b"").is_err());
        assert!(unpack(b"\x02x").is_err());
    }

    #[test]
    fn lost_events_stay_lost() {
        let events = [Some(b"{}".to_vec()), None, Some(b"[1]".to_vec())];
        assert_eq!(unpack_events(&pack_events(&events)), events);
        assert!(unpack_events(&pack_events(&[])).is_empty());
    }
}

//! Recordings: episodes in a portable file, one JSON object a line.
//!
//! A line is an event with the number of its episode in `episode`; the lines of an episode are in
//! order. What `pointsman run --json` prints is a recording too.

use std::io::{self, Write};

use serde::Serialize;

use crate::episode::Event;

/// One line of a recording.
#[derive(Serialize)]
struct Line<'a> {
    episode: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// Writes one event of episode `id` as a line.
///
/// # Errors
/// When `out` refuses.
pub fn write_event(out: &mut impl Write, id: u64, event: &Event) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { episode: id, event })?;
    out.write_all(b"\n")
}

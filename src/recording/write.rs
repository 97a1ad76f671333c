//! Events to lines.

use std::io::{self, Write};

use crate::episode::Event;
use crate::safe_text::safe_json;

/// Writes an event of episode `id` as a line.
///
/// # Errors
/// If `out` fails.
pub fn write_event(out: &mut impl Write, id: u64, event: &Event) -> io::Result<()> {
    write_event_json(out, id, &serde_json::to_string(event)?)
}

/// Writes an event of episode `id` that is JSON already, as in the store. Its numbers keep their last digit, which
/// parsing and serializing them again would not guarantee. Characters that a terminal must not get become escapes, since
/// recordings are printed too.
///
/// # Errors
/// If `out` fails.
pub fn write_event_json(out: &mut impl Write, id: u64, json: &str) -> io::Result<()> {
    let fields = json.strip_prefix('{').unwrap_or(json);
    writeln!(out, "{{\"episode\":{id},{}", safe_json(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{EventKind, SCHEMA};

    #[test]
    fn a_line_is_an_event_with_its_episode() {
        let mut out = Vec::new();
        let event = Event::new(5, EventKind::Paused);
        write_event(&mut out, 7, &event).unwrap();
        let line =
            format!("{{\"episode\":7,\"schema\":{SCHEMA},\"at_ms\":5,\"event\":\"paused\"}}\n");
        assert_eq!(String::from_utf8(out).unwrap(), line);
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
}

//! Events to lines.

use std::io::{self, Write};

use crate::episode::Event;

/// Writes one event of episode `id` as a line.
///
/// # Errors
/// When `out` refuses.
pub fn write_event(out: &mut impl Write, id: u64, event: &Event) -> io::Result<()> {
    write_event_json(out, id, &serde_json::to_string(event)?)
}

/// The same for an event that is JSON already, such as the store's: to the last digit of every
/// number as it was written, which reading and writing it again would not give.
///
/// # Errors
/// When `out` refuses.
pub fn write_event_json(out: &mut impl Write, id: u64, json: &str) -> io::Result<()> {
    let fields = json.strip_prefix('{').unwrap_or(json);
    writeln!(out, "{{\"episode\":{id},{fields}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::EventKind;

    #[test]
    fn a_line_is_an_event_with_its_episode() {
        let mut out = Vec::new();
        let event = Event::new(5, EventKind::Paused);
        write_event(&mut out, 7, &event).unwrap();
        let line = "{\"episode\":7,\"schema\":5,\"at_ms\":5,\"event\":\"paused\"}\n";
        assert_eq!(String::from_utf8(out).unwrap(), line);
        assert_eq!(serde_json::from_str::<Event>(line).unwrap(), event);
    }
}

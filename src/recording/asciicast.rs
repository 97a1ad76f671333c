//! Asciicast files, version 2: a header, and a line for each piece of output with its time.
//!
//! The format: <https://docs.asciinema.org/manual/asciicast/v2/>.

use std::io::{self, Write};

use serde_json::json;

use crate::safe_text::safe_line;

/// Writes an asciicast.
#[derive(Debug)]
pub struct AsciicastWriter<W> {
    out: W,
}

impl<W: Write> AsciicastWriter<W> {
    /// Writes the header, for a terminal of `size` (columns, rows). It contains no date, so that the same replay
    /// gives the same file.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn new(mut out: W, size: (u16, u16), title: &str) -> io::Result<Self> {
        let env = json!({ "TERM": "xterm-256color" });
        let header = json!({ "version": 2, "width": size.0, "height": size.1, "title": safe_line(title), "env": env });
        writeln!(out, "{header}")?;
        Ok(Self { out })
    }

    /// Writes output at `ms` milliseconds since the start. Times must not decrease.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn output(&mut self, ms: f64, text: &str) -> io::Result<()> {
        let seconds = (ms * 1e3).round() / 1e6;
        writeln!(self.out, "{}", json!([seconds, "o", text]))
    }

    /// Flushes and returns `out`.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_asciinema_reads_them() {
        let mut cast = AsciicastWriter::new(Vec::new(), (100, 28), "rescue").unwrap();
        cast.output(0.0, "\x1b[H").unwrap();
        cast.output(1234.5678, "×").unwrap();
        let text = String::from_utf8(cast.finish().unwrap()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["version"], &lines[0]["width"]), (&json!(2), &json!(100)));
        assert_eq!(lines[1..], [json!([0.0, "o", "\u{1b}[H"]), json!([1.234_568, "o", "×"])]);
    }
}

//! The part of the window that is drawn.

use std::io;

/// Columns that are drawn at most. A frame of the largest window that a terminal may report would need gigabytes.
const MAX_COLUMNS: u16 = 1000;
/// Rows that are drawn at most.
const MAX_ROWS: u16 = 500;

/// Columns and rows of a window that are drawn.
pub(crate) fn clamp_size(columns: u16, rows: u16) -> (u16, u16) {
    (columns.min(MAX_COLUMNS), rows.min(MAX_ROWS))
}

/// Columns and rows of this terminal's window that are drawn.
///
/// # Errors
/// If the terminal is gone.
pub(crate) fn window_size() -> io::Result<(u16, u16)> {
    ratatui::crossterm::terminal::size().map(|(columns, rows)| clamp_size(columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_any_size_fits_into_memory() {
        assert_eq!(clamp_size(80, 24), (80, 24));
        let (columns, rows) = clamp_size(u16::MAX, u16::MAX);
        assert!(usize::from(columns) * usize::from(rows) <= 500_000);
    }
}

//! The backend between ratatui and the terminal's descriptor.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::layout::{Position, Size};

use super::size::clamp_size;

/// A writer that buffers until it is flushed, and counts the flushed bytes.
pub(crate) struct CountingWriter<W> {
    inner: W,
    buffer: Vec<u8>,
    flushed: Arc<AtomicU64>,
}

impl<W: Write> CountingWriter<W> {
    /// A buffer in front of `inner`.
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, buffer: Vec::with_capacity(16 * 1024), flushed: Arc::default() }
    }

    /// The number of bytes flushed so far; readable after the writer has moved into a backend.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        self.flushed.clone()
    }
}

impl<W: Write> Write for CountingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        // A failed write is not retried: half a frame is useless.
        let result = self.inner.write_all(&self.buffer);
        self.flushed.fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
        self.buffer.clear();
        result.and_then(|()| self.inner.flush())
    }
}

/// The crossterm backend with fewer bytes: a frame without changes writes nothing, and the hardware cursor stays hidden
/// and is never queried. A frame with changes is enclosed in synchronized-update marks (mode 2026), which terminals
/// ignore if they do not support them.
pub(crate) struct DiffBackend<W: Write> {
    inner: CrosstermBackend<W>,
    in_frame: bool,
}

impl<W: Write> DiffBackend<W> {
    /// A backend that writes to `writer`.
    pub(crate) fn new(writer: W) -> Self {
        Self { inner: CrosstermBackend::new(writer), in_frame: false }
    }

    fn open_frame(&mut self) -> io::Result<()> {
        if !self.in_frame {
            queue!(self.inner, BeginSynchronizedUpdate)?;
            self.in_frame = true;
        }
        Ok(())
    }
}

impl<W: Write> Write for DiffBackend<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}

impl<W: Write> Backend for DiffBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.open_frame()?;
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Always the origin: a query's reply would arrive among the keys.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _: P) -> io::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.open_frame()?;
        self.inner.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        let size = self.inner.size()?;
        Ok(clamp_size(size.width, size.height).into())
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.in_frame {
            queue!(self.inner, EndSynchronizedUpdate)?;
            self.in_frame = false;
        }
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::widgets::Paragraph;
    use ratatui::{Terminal, TerminalOptions, Viewport};

    use super::*;

    #[test]
    fn unchanged_frame_writes_nothing() {
        let writer = CountingWriter::new(Vec::new());
        let bytes = writer.counter();
        let viewport = Viewport::Fixed(Rect::new(0, 0, 20, 2));
        let mut terminal =
            Terminal::with_options(DiffBackend::new(writer), TerminalOptions { viewport }).unwrap();
        let mut draw = |text: &str| {
            let before = bytes.load(Ordering::Relaxed);
            terminal.draw(|f| f.render_widget(Paragraph::new(text), f.area())).unwrap();
            bytes.load(Ordering::Relaxed) - before
        };
        assert!(draw("37 + 48") > 0);
        assert_eq!(draw("37 + 48"), 0);
        let more = draw("37 + 48 = 85");
        assert!((5..80).contains(&more), "{more} bytes for five characters");
    }
}

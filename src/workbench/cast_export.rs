//! A replay as an asciicast: the workbench's own view, drawn to a buffer instead of a device.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::crossterm::style::force_color_output;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::handlers::replay;
use super::keymap::Keymap;
use super::message::Message;
use super::replay::{Replay, ReplayAction};
use super::state::State;
use super::update::update;
use super::view::screen::View;
use crate::recording::{AsciicastWriter, Direction};
use crate::terminal::{CountingWriter, DiffBackend};

/// Shortest time between frames, milliseconds: as on the screen.
const FRAME_MS: u64 = 34;
/// How long the end of an episode is shown, milliseconds.
const END_PAUSE_MS: u64 = 2000;

/// The output of the terminal.
#[derive(Clone, Default)]
struct SharedBuffer(Rc<RefCell<Vec<u8>>>);

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all episodes of `replay`, one after the other, as an asciicast of a terminal of `size`
/// (columns, rows; at least [`super::MINIMUM_SIZE`]). It reads no clock: the same replay gives the
/// same bytes.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_asciicast(
    replay: Replay,
    mut view: View,
    size: (u16, u16),
    out: impl Write,
) -> io::Result<()> {
    // A cast is played elsewhere: the settings of this terminal do not count.
    force_color_output(true);
    let buffer = SharedBuffer::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, size.0, size.1));
    let backend = DiffBackend::new(CountingWriter::new(buffer.clone()));
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
    let mut cast = AsciicastWriter::new(out, size, replay.source())?;
    cast.output(0.0, "\x1b[?25l\x1b[2J")?;
    let mut state = State::replaying(replay, Keymap::default());
    let mut now_ms = 0;
    loop {
        update(&mut state, Message::Clock(now_ms));
        terminal.draw(|frame| view.render(frame, &state))?;
        let bytes = buffer.0.take();
        if !bytes.is_empty() {
            cast.output(now_ms as f64, &String::from_utf8_lossy(&bytes))?;
        }
        if let Some(wait) = state.time_to_next_change() {
            now_ms += (wait.as_micros().div_ceil(1000) as u64).max(FRAME_MS);
            continue;
        }
        now_ms += END_PAUSE_MS;
        let (index, episodes) = state.replay().map_or((0, 0), Replay::position);
        if index + 1 >= episodes {
            cast.output(now_ms as f64, "")?;
            return cast.finish().map(drop);
        }
        replay::run_action(&mut state, ReplayAction::Episode(Direction::Forward));
    }
}

//! Recordings: episodes in a portable file, one JSON object per line.
//!
//! A line is an event, with the episode's number in the field `episode`. The lines of an episode are in order.
//! `pointsman run --json` prints a recording, too.
//!
//! | file | contents |
//! |---|---|
//! | `write` | events to lines |
//! | `read` | [`RecordingReader`]: lines to episodes |
//! | `lookup` | [`find_recording`]: recordings by path or name, including embedded ones |
//! | `timeline` | when each token and event of an episode happened |
//! | `landmarks` | positions that a replay jumps to |
//! | `speed` | [`ReplaySpeed`] |
//! | `player` | [`Player`]: play, pause, step, seek and jump, without a clock of its own |
//! | `asciicast` | [`AsciicastWriter`]: terminal recordings for asciinema |
//!
//! ```
//! use std::path::Path;
//!
//! use pointsman::episode::Verdict;
//! use pointsman::recording::{Player, ReplaySpeed, find_recording};
//!
//! # fn main() -> Result<(), pointsman::recording::RecordingError> {
//! let recorded = find_recording("rescue", Path::new("/my/recordings"))?.remove(0);
//! assert_eq!(recorded.episode.verdict(), Some(Verdict::Correct));
//!
//! let mut player = Player::new(recorded.events, ReplaySpeed::Instant);
//! assert_eq!(player.past_events().len(), 1);
//! player.step_forward();
//! player.seek_to_end();
//! assert!(player.is_over());
//! # Ok(())
//! # }
//! ```

mod asciicast;
#[cfg(test)]
mod fixtures;
mod landmarks;
mod lookup;
mod player;
mod read;
mod speed;
mod timeline;
mod write;

pub use asciicast::AsciicastWriter;
pub use landmarks::{Direction, JumpTarget};
pub use lookup::{find_recording, open_recording, recording_names};
pub use player::Player;
pub use read::{RecordedEpisode, RecordingError, RecordingReader};
pub use speed::{ReplaySpeed, SpeedError};
pub use timeline::ReplayItem;
pub use write::{write_event, write_event_json};

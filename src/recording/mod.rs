//! Recordings: episodes in a portable file, one JSON object a line.
//!
//! A line is an event with the number of its episode in `episode`; the lines of an episode are in
//! order. What `pointsman run --json` prints is a recording too.
//!
//! | file | what is in it |
//! |---|---|
//! | `write` | events to lines |
//! | `read` | [`RecordingReader`]: lines to episodes, one line at a time |
//! | `lookup` | [`find_recording`]: recordings by path or by name, those inside the binary included |
//! | `timeline` | when each token and event of an episode happened |
//! | `player` | [`Player`]: play, pause, step, seek, jump; without a clock of its own |
//! | `cast` | asciicast files, as asciinema plays them |

mod asciicast;
#[cfg(test)]
mod fixtures;
mod lookup;
mod player;
mod read;
mod timeline;
mod write;

pub use asciicast::AsciicastWriter;
pub use lookup::{find_recording, open_recording, recording_names};
pub use player::{Direction, JumpTarget, Player, ReplaySpeed, SpeedError};
pub use read::{RecordedEpisode, RecordingError, RecordingReader};
pub use timeline::ReplayItem;
pub use write::{write_event, write_event_json};

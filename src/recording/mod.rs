//! Recordings: episodes in a portable file, one JSON object a line.
//!
//! A line is an event with the number of its episode in `episode`; the lines of an episode are in
//! order. What `pointsman run --json` prints is a recording too.
//!
//! | file | what is in it |
//! |---|---|
//! | `write` | events to lines |
//! | `read` | [`Episodes`]: lines to episodes, one line at a time |
//! | `shelf` | [`find`]: recordings by path or by name, those inside the binary included |
//! | `timeline` | when each token and event of an episode happened |
//! | `player` | [`Player`]: play, pause, step, seek, jump; without a clock of its own |
//! | `cast` | asciicast files, as asciinema plays them |

mod cast;
mod player;
mod read;
mod shelf;
#[cfg(test)]
mod testing;
mod timeline;
mod write;

pub use cast::Cast;
pub use player::{Landmark, Player, Speed, SpeedError, Way};
pub use read::{Episodes, Recorded, RecordingError};
pub use shelf::{find, names, open};
pub use timeline::Moment;
pub use write::{write_event, write_json};

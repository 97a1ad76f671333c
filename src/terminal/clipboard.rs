//! The clipboard of the user's terminal, also over SSH: the escape sequence OSC 52.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// Maximum bytes of base64 to send. Some terminals truncate or ignore more, and the sequence has no reply that would show
/// it.
const MAX_ENCODED_BYTES: usize = 74_994;

/// How a text gets to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clipboard {
    /// Not at all: the user has turned it off.
    Off,
    /// Through the terminal.
    Terminal,
    /// Through tmux and its terminal.
    Tmux,
}

/// Why nothing was copied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CopyError {
    /// The user has turned the clipboard off.
    #[error("nothing was copied because of --no-clipboard")]
    Off,
    /// The text is too long: its length in base64.
    #[error(
        "the text has {0} bytes, but terminals accept only {MAX_ENCODED_BYTES}: use `pointsman episodes export` to write a file"
    )]
    TooLong(usize),
}

impl Clipboard {
    /// The way that the environment requires; `variable` looks up an environment variable.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let in_tmux = variable("TMUX").is_some_and(|value| !value.is_empty());
        if in_tmux { Self::Tmux } else { Self::Terminal }
    }

    /// The escape sequence that copies `text`.
    ///
    /// # Errors
    /// If the clipboard is turned off, or the text is too long.
    pub fn sequence(self, text: &str) -> Result<String, CopyError> {
        if self == Self::Off {
            return Err(CopyError::Off);
        }
        let encoded = STANDARD.encode(text);
        if encoded.len() > MAX_ENCODED_BYTES {
            return Err(CopyError::TooLong(encoded.len()));
        }
        let bare = format!("\x1b]52;c;{encoded}\x07");
        Ok(match self {
            // Which of the two tmux obeys depends on its options `set-clipboard` and `allow-passthrough`.
            Self::Tmux => format!("{bare}\x1bPtmux;\x1b{bare}\x1b\\"),
            Self::Terminal | Self::Off => bare,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_gets_the_sequence_twice() {
        let inside = |name: &str| (name == "TMUX").then(|| "/tmp/tmux-0/default,1,0".to_owned());
        assert_eq!(Clipboard::detect(|_| None), Clipboard::Terminal);
        assert_eq!(Clipboard::detect(inside), Clipboard::Tmux);
        assert_eq!(Clipboard::Terminal.sequence("4 × 12").unwrap(), "\x1b]52;c;NCDDlyAxMg==\x07");
        assert_eq!(
            Clipboard::Tmux.sequence("4 × 12").unwrap(),
            "\x1b]52;c;NCDDlyAxMg==\x07\x1bPtmux;\x1b\x1b]52;c;NCDDlyAxMg==\x07\x1b\\"
        );
    }

    #[test]
    fn errors_name_the_remedy() {
        let refused = |clipboard: Clipboard, length: usize| {
            clipboard.sequence(&"x".repeat(length)).map_err(|error| error.to_string())
        };
        // Base64 turns three bytes into four.
        assert!(refused(Clipboard::Terminal, 56_244).is_ok());
        let long = refused(Clipboard::Terminal, 56_247).unwrap_err();
        assert!(long.contains("74996") && long.contains("export"), "{long}");
        assert!(refused(Clipboard::Off, 1).unwrap_err().contains("--no-clipboard"));
    }
}

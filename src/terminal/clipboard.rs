//! The clipboard of whoever sits at the terminal, over SSH too: OSC 52.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// The most that is sent, in bytes of base64: more is cut off or ignored by some terminals, and a sequence has no
/// answer that would tell.
const MAX_ENCODED_BYTES: usize = 74_994;

/// How a text gets to the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clipboard {
    /// It does not: a person does not want it.
    Off,
    /// The terminal is asked.
    Terminal,
    /// tmux is asked, and the terminal behind it.
    Tmux,
}

/// Why nothing was copied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CopyError {
    #[error("nothing is copied: --no-clipboard is in force")]
    Off,
    #[error(
        "{0} bytes are more than the {MAX_ENCODED_BYTES} that terminals take: `pointsman episodes export` writes a file"
    )]
    TooLong(usize),
}

impl Clipboard {
    /// What the environment calls for.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let in_tmux = variable("TMUX").is_some_and(|value| !value.is_empty());
        if in_tmux { Self::Tmux } else { Self::Terminal }
    }

    /// What to write to the terminal so that `text` is copied.
    ///
    /// # Errors
    /// When it is turned off, or the text is too long.
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
            // Which of the two tmux heeds depends on its `set-clipboard` and `allow-passthrough`.
            Self::Tmux => format!("{bare}\x1bPtmux;\x1b{bare}\x1b\\"),
            Self::Terminal | Self::Off => bare,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_is_asked_and_asked_to_pass_it_on() {
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
    fn what_cannot_be_copied_is_refused_with_a_sentence() {
        let refused = |clipboard: Clipboard, length: usize| {
            clipboard.sequence(&"x".repeat(length)).map_err(|error| error.to_string())
        };
        // Three bytes are four of base64.
        assert!(refused(Clipboard::Terminal, 56_244).is_ok());
        let long = refused(Clipboard::Terminal, 56_247).unwrap_err();
        assert!(long.contains("74996") && long.contains("export"), "{long}");
        assert!(refused(Clipboard::Off, 1).unwrap_err().contains("--no-clipboard"));
    }
}

//! Speeds of a replay.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Speed of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReplaySpeed {
    /// A multiple of the original speed, from [`ReplaySpeed::SLOWEST`] to [`ReplaySpeed::FASTEST`].
    Times(f64),
    /// Straight to the end.
    Instant,
}

/// The error for a text that is not a speed.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("`{0}` is not a speed: give a number from 1/64 to 16, or `instant`")]
pub struct SpeedError(String);

impl ReplaySpeed {
    /// Slow enough to watch a small model that writes a token per millisecond.
    pub const SLOWEST: f64 = 1.0 / 64.0;
    /// The fastest multiple of the original speed.
    pub const FASTEST: f64 = 16.0;

    /// Twice the speed; [`ReplaySpeed::Instant`] above the fastest multiple, `None` above that.
    #[must_use]
    pub fn faster(self) -> Option<Self> {
        match self {
            Self::Times(times) if times >= Self::FASTEST => Some(Self::Instant),
            Self::Times(times) => Some(Self::Times((times * 2.0).min(Self::FASTEST))),
            Self::Instant => None,
        }
    }

    /// Half the speed; `None` below the slowest multiple.
    #[must_use]
    pub fn slower(self) -> Option<Self> {
        match self {
            Self::Times(times) if times <= Self::SLOWEST => None,
            Self::Times(times) => Some(Self::Times((times / 2.0).max(Self::SLOWEST))),
            Self::Instant => Some(Self::Times(Self::FASTEST)),
        }
    }
}

impl fmt::Display for ReplaySpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Instant => f.write_str("instant"),
            Self::Times(times) if times < 1.0 && (1.0 / times).fract() == 0.0 => {
                write!(f, "1/{}x", 1.0 / times)
            }
            Self::Times(times) => write!(f, "{times}x"),
        }
    }
}

impl FromStr for ReplaySpeed {
    type Err = SpeedError;

    /// Accepts `2`, `2x`, `0.5`, `1/4` and `instant`.
    fn from_str(text: &str) -> Result<Self, SpeedError> {
        let wrong = || SpeedError(text.to_owned());
        let text = text.trim();
        if text == "instant" {
            return Ok(Self::Instant);
        }
        let number = text.strip_suffix('x').unwrap_or(text);
        let parse = |part: &str| part.trim().parse::<f64>().map_err(|_| wrong());
        let times = match number.split_once('/') {
            Some((over, under)) => parse(over)? / parse(under)?,
            None => parse(number)?,
        };
        if (Self::SLOWEST..=Self::FASTEST).contains(&times) {
            Ok(Self::Times(times))
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_and_written() {
        for (text, speed) in [
            ("2", ReplaySpeed::Times(2.0)),
            ("0.25x", ReplaySpeed::Times(0.25)),
            ("1/64", ReplaySpeed::Times(1.0 / 64.0)),
            ("16", ReplaySpeed::Times(16.0)),
            ("instant", ReplaySpeed::Instant),
        ] {
            assert_eq!(text.parse(), Ok(speed));
            assert_eq!(speed.to_string().parse(), Ok(speed));
        }
        assert_eq!(ReplaySpeed::Times(0.25).to_string(), "1/4x");
        for wrong in ["", "x", "17", "0", "-1", "nan", "inf", "1/0", "0/0", "fast"] {
            assert!(wrong.parse::<ReplaySpeed>().is_err(), "{wrong}");
        }
        let (mut speed, mut steps) = (ReplaySpeed::Times(0.25), 0);
        while let Some(faster) = speed.faster() {
            assert_eq!(faster.slower(), Some(speed));
            (speed, steps) = (faster, steps + 1);
        }
        assert_eq!((speed, steps), (ReplaySpeed::Instant, 7));
        assert_eq!(ReplaySpeed::Times(ReplaySpeed::SLOWEST).slower(), None);
    }
}

//! Calendar days in the user's time zone.

use std::fmt;
use std::str::FromStr;

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// From 1970 to 9999 if parsed.
    pub year: u16,
    /// From 1 to 12.
    pub month: u8,
    /// From 1 to 31.
    pub day: u8,
}

/// The error for a text that is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateError;

impl FromStr for Date {
    type Err = DateError;

    /// Reads `2026-11-25`.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let mut parts = text.split('-').map(|part| {
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse().map_err(|_| DateError) } else { Err(DateError) }
        });
        let mut next = || parts.next().unwrap_or(Err(DateError));
        let (year, month, day): (u16, u16, u16) = (next()?, next()?, next()?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u16::from(leap),
            1..=12 => 31,
            _ => return Err(DateError),
        };
        if parts.next().is_some() || !(1..=days).contains(&day) || !(1970..=9999).contains(&year) {
            return Err(DateError);
        }
        // Both fit: their range was just checked.
        Ok(Self { year, month: month as u8, day: day as u8 })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Knows when days begin and end.
pub trait Calendar {
    /// The current day.
    fn today(&self) -> Date;

    /// The beginning of `day`, in milliseconds since the Unix epoch.
    fn start_of(&self, day: Date) -> u64;

    /// The end of `day`, in milliseconds since the Unix epoch.
    fn end_of(&self, day: Date) -> u64;
}

/// The calendar of the machine's time zone.
#[derive(Debug, Clone, Copy)]
pub struct LocalCalendar {
    now_ms: u64,
}

impl LocalCalendar {
    /// The calendar at the time `now_ms`, in milliseconds since the Unix epoch.
    pub fn at(now_ms: u64) -> Self {
        Self { now_ms }
    }

    /// Day, hour and minute of `at_ms`, in milliseconds since the Unix epoch.
    pub fn date_time(at_ms: u64) -> (Date, u8, u8) {
        let seconds = libc::time_t::try_from(at_ms / 1000).unwrap_or(libc::time_t::MAX);
        let mut parts = zeroed_tm();
        // SAFETY: both point to live values of the right types; localtime_r keeps neither.
        let known = unsafe { !libc::localtime_r(&raw const seconds, &raw mut parts).is_null() };
        if !known {
            return (Date { year: 1970, month: 1, day: 1 }, 0, 0);
        }
        // localtime_r returns values that fit.
        let small = |part: libc::c_int| u8::try_from(part).unwrap_or_default();
        let year = u16::try_from(parts.tm_year + 1900).unwrap_or(u16::MAX);
        let date = Date { year, month: small(parts.tm_mon + 1), day: small(parts.tm_mday) };
        (date, small(parts.tm_hour), small(parts.tm_min))
    }

    /// `at_ms`, in milliseconds since the Unix epoch, as lists show it: `2026-11-25 02:30`.
    pub fn format(at_ms: u64) -> String {
        let (date, hour, minute) = Self::date_time(at_ms);
        format!("{date} {hour:02}:{minute:02}")
    }

    /// The beginning of the day `later` days after `day`, in milliseconds since the Unix epoch.
    fn day_start_ms(day: Date, later: i32) -> u64 {
        let mut parts = zeroed_tm();
        parts.tm_year = i32::from(day.year) - 1900;
        parts.tm_mon = i32::from(day.month) - 1;
        parts.tm_mday = i32::from(day.day) + later;
        // The system finds out whether daylight saving time applies.
        parts.tm_isdst = -1;
        // SAFETY: the pointer is to a live value, which mktime reads and normalizes.
        let seconds = unsafe { libc::mktime(&raw mut parts) };
        u64::try_from(seconds).unwrap_or(0) * 1000
    }
}

impl Calendar for LocalCalendar {
    fn today(&self) -> Date {
        Self::date_time(self.now_ms).0
    }

    fn start_of(&self, day: Date) -> u64 {
        Self::day_start_ms(day, 0)
    }

    fn end_of(&self, day: Date) -> u64 {
        // Not 24 hours later: two days of the year are longer or shorter.
        Self::day_start_ms(day, 1)
    }
}

fn zeroed_tm() -> libc::tm {
    // SAFETY: every field is a number, or a pointer that may be null.
    unsafe { std::mem::zeroed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_existing_days_are_dates() {
        for right in ["2026-11-25", "2024-02-29", "2000-02-29", "1970-01-01", "9999-12-31"] {
            assert_eq!(right.parse::<Date>().unwrap().to_string(), right);
        }
        assert!("2026-2-3".parse::<Date>().is_ok_and(|d| d.to_string() == "2026-02-03"));
        for wrong in [
            "",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-00-01",
            "2026-11-00",
            "2026-11-31",
            "2026-02-29",
            "2100-02-29",
            "2026-11-25-1",
            "1969-12-31",
            "2026-+1-02",
            "20261125",
            "99999-01-01",
            "yesterday",
        ] {
            assert_eq!(wrong.parse::<Date>(), Err(DateError), "{wrong}");
        }
    }

    #[test]
    fn local_days_begin_at_midnight_and_follow_each_other() {
        for text in ["2026-11-25", "2026-12-31", "2024-02-28", "2026-03-29", "2026-10-25"] {
            let day: Date = text.parse().unwrap();
            let midnight = LocalCalendar::day_start_ms(day, 0);
            let (date, hour, minute) = LocalCalendar::date_time(midnight);
            assert_eq!((date, hour, minute), (day, 0, 0));
            let next = LocalCalendar::day_start_ms(day, 1);
            assert!((22..=26).contains(&((next - midnight) / 3_600_000)), "{text}");
            assert_eq!(LocalCalendar::date_time(next - 1).0, day);
            assert!(LocalCalendar::date_time(next).0 > day);
            assert_eq!(LocalCalendar::at(midnight + 1).today(), day);
        }
    }
}

//! When requests may go to a server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rand::Rng;

/// The longest pause that a server may ask for; a longer one is for a person to decide about.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// Keeps requests apart, those of all episodes that ask one model together.
pub struct RateLimiter {
    interval: Duration,
    next: Mutex<Instant>,
}

impl RateLimiter {
    /// A rate_limiter for this many requests a minute; no limit where absent.
    pub fn new(per_minute: Option<f64>) -> Arc<Self> {
        let interval = per_minute.map_or(0.0, |rate| (60.0 / rate).clamp(0.0, 86_400.0));
        let interval = Duration::from_secs_f64(interval);
        Arc::new(Self { interval, next: Mutex::new(Instant::now()) })
    }

    /// Takes a turn: when a request may be sent.
    pub(super) fn reserve_slot(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*next).max(Instant::now());
        *next = at + self.interval;
        at
    }

    /// Lets nobody through for a while.
    pub(super) fn pause_for(&self, pause: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + pause);
    }
}

/// The pause before a request is sent for the `n`th time again, counted from 0: from half a second on twice as long
/// each time, up to half a minute, and some of it by chance, so that episodes in flight do not come back all at once.
pub(super) fn backoff(n: u32) -> Duration {
    let longest = (0.5 * f64::from(n.min(10)).exp2()).min(30.0);
    Duration::from_secs_f64(longest * rand::rng().random_range(0.5..=1.0))
}

/// What a `Retry-After` header asks for: seconds, or a date.
///
/// # Errors
/// The seconds, where they are too many to wait for.
pub(super) fn parse_retry_after(header: &str, now: SystemTime) -> Result<Option<Duration>, u64> {
    let header = header.trim();
    let pause = match header.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => httpdate::parse_http_date(header)
            .ok()
            .map(|date| date.duration_since(now).unwrap_or_default()),
    };
    match pause {
        Some(pause) if pause > MAX_RETRY_AFTER => Err(pause.as_secs()),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_kept_apart() {
        let rate_limiter = RateLimiter::new(Some(600.0));
        let turns =
            [rate_limiter.reserve_slot(), rate_limiter.reserve_slot(), rate_limiter.reserve_slot()];
        assert!(turns[1] - turns[0] >= Duration::from_millis(99));
        assert!(turns[2] - turns[1] >= Duration::from_millis(99));
        let open = RateLimiter::new(None);
        open.pause_for(Duration::from_secs(5));
        assert!(open.reserve_slot() > Instant::now() + Duration::from_secs(4));
        // Absurd limits are no panic.
        RateLimiter::new(Some(1e-300)).reserve_slot();
    }

    #[test]
    fn pauses_grow_and_end() {
        for n in [0, 3, 40] {
            let pause = backoff(n).as_secs_f64();
            let longest = (0.5 * 2_f64.powi(n.min(10) as i32)).min(30.0);
            assert!((longest / 2.0..=longest).contains(&pause), "{n}: {pause}");
        }
    }

    #[test]
    fn servers_name_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(parse_retry_after(" 7 ", now), Ok(Some(Duration::from_secs(7))));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(parse_retry_after(date, now), Ok(Some(Duration::from_secs(7))));
        assert_eq!(parse_retry_after("3600", now), Err(3600));
        assert_eq!(parse_retry_after("soon", now), Ok(None));
        assert_eq!(parse_retry_after("-1", now), Ok(None));
    }
}

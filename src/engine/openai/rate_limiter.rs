//! When requests may be sent to a server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rand::Rng;

/// The longest pause that a server may ask for; a longer one is reported to the user.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// Limits the rate of requests to a server. All episodes that use the same model share one.
pub struct RateLimiter {
    interval: Duration,
    next: Mutex<Instant>,
}

impl RateLimiter {
    /// A limit of this many requests per minute; `None` for no limit.
    pub fn new(per_minute: Option<f64>) -> Arc<Self> {
        let interval = per_minute.map_or(0.0, |rate| (60.0 / rate).clamp(0.0, 86_400.0));
        let interval = Duration::from_secs_f64(interval);
        Arc::new(Self { interval, next: Mutex::new(Instant::now()) })
    }

    /// Reserves a slot and returns the time from which the request may be sent.
    pub(super) fn reserve_slot(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*next).max(Instant::now());
        *next = at + self.interval;
        at
    }

    /// Delays all requests that have no slot yet.
    pub(super) fn pause_for(&self, pause: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + pause);
    }
}

/// The pause before retry `n`, counted from 0: exponential backoff from 0.5 to 30 s with up to 50 % jitter, so that
/// concurrent episodes do not retry at the same time.
pub(super) fn backoff(n: u32) -> Duration {
    let longest = (0.5 * f64::from(n.min(10)).exp2()).min(30.0);
    Duration::from_secs_f64(longest * rand::rng().random_range(0.5..=1.0))
}

/// The pause that a `Retry-After` header asks for, in seconds or as a date; `None` if it is neither.
///
/// # Errors
/// The seconds, if they are more than [`MAX_RETRY_AFTER`].
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
    fn slots_are_spaced_by_the_interval() {
        let rate_limiter = RateLimiter::new(Some(600.0));
        let slots =
            [rate_limiter.reserve_slot(), rate_limiter.reserve_slot(), rate_limiter.reserve_slot()];
        assert!(slots[1] - slots[0] >= Duration::from_millis(99));
        assert!(slots[2] - slots[1] >= Duration::from_millis(99));
        let open = RateLimiter::new(None);
        open.pause_for(Duration::from_secs(5));
        assert!(open.reserve_slot() > Instant::now() + Duration::from_secs(4));
        // Extreme limits do not panic.
        RateLimiter::new(Some(1e-300)).reserve_slot();
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        for n in [0, 3, 40] {
            let pause = backoff(n).as_secs_f64();
            let longest = (0.5 * 2_f64.powi(n.min(10) as i32)).min(30.0);
            assert!((longest / 2.0..=longest).contains(&pause), "{n}: {pause}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(parse_retry_after(" 7 ", now), Ok(Some(Duration::from_secs(7))));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(parse_retry_after(date, now), Ok(Some(Duration::from_secs(7))));
        assert_eq!(parse_retry_after("3600", now), Err(3600));
        assert_eq!(parse_retry_after("soon", now), Ok(None));
        assert_eq!(parse_retry_after("-1", now), Ok(None));
    }
}

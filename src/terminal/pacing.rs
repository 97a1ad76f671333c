//! When the next frame is due.

use std::time::{Duration, Instant};

/// Limits the frame rate: frames are drawn on request only, and no more often than the interval allows. Frames that
/// respond to a key come sooner than those that show the models' progress.
#[derive(Debug, Clone)]
pub(crate) struct Pacer {
    /// Shortest time between two frames.
    interval: Duration,
    /// Shortest time before a frame that responds to a key.
    key_interval: Duration,
    last: Option<Instant>,
    requested: Option<Urgency>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Update,
    KeyPress,
}

impl Pacer {
    /// At most 30 frames per second, or 10 over a slow link; responses to keys wait at most 8 ms.
    pub(crate) fn new(slow_link: bool) -> Self {
        let interval = if slow_link { 100 } else { 34 };
        Self {
            interval: Duration::from_millis(interval),
            key_interval: Duration::from_millis(8),
            last: None,
            requested: None,
        }
    }

    /// Requests a frame that shows progress.
    pub(crate) fn request_frame(&mut self) {
        self.requested = self.requested.max(Some(Urgency::Update));
    }

    /// Requests a frame that responds to a key.
    pub(crate) fn request_prompt_frame(&mut self) {
        self.requested = Some(Urgency::KeyPress);
    }

    /// When the next frame is due; `None` if none is requested.
    pub(crate) fn next_frame_at(&self, now: Instant) -> Option<Instant> {
        let interval = match self.requested? {
            Urgency::Update => self.interval,
            Urgency::KeyPress => self.key_interval,
        };
        Some(self.last.map_or(now, |last| last + interval))
    }

    /// Whether a frame is due now.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.next_frame_at(now).is_some_and(|at| at <= now)
    }

    /// Records that a frame was drawn.
    pub(crate) fn frame_drawn(&mut self, now: Instant) {
        self.last = Some(now);
        self.requested = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Frames drawn within a second with a request every millisecond.
    fn frames(mut pacer: Pacer) -> usize {
        let start = Instant::now();
        (0..1000)
            .filter(|&ms| {
                let now = start + MS * ms;
                pacer.request_frame();
                let due = pacer.is_due(now);
                if due {
                    pacer.frame_drawn(now);
                }
                due
            })
            .count()
    }

    #[test]
    fn requests_are_coalesced() {
        assert_eq!(frames(Pacer::new(false)), 30);
        assert_eq!(frames(Pacer::new(true)), 10);
    }

    #[test]
    fn frames_are_drawn_on_request_and_the_first_at_once() {
        let now = Instant::now();
        let mut pacer = Pacer::new(false);
        assert_eq!(pacer.next_frame_at(now), None);
        pacer.request_frame();
        assert!(pacer.is_due(now));
        pacer.frame_drawn(now);
        assert_eq!(pacer.next_frame_at(now), None);
    }

    #[test]
    fn responses_to_keys_come_first() {
        let now = Instant::now();
        let mut pacer = Pacer::new(false);
        pacer.frame_drawn(now);
        pacer.request_frame();
        assert!(!pacer.is_due(now + 8 * MS));
        pacer.request_prompt_frame();
        pacer.request_frame();
        assert!(pacer.is_due(now + 8 * MS));
    }
}

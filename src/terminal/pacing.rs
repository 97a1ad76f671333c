//! When the next frame is due.

use std::time::{Duration, Instant};

/// Paces frames: however often one is wanted, they come no closer than the interval, and none
/// comes that nobody wants. Answers to a key come sooner than news from the models.
#[derive(Debug, Clone)]
pub struct Pacer {
    /// Shortest time between frames that show news.
    interval: Duration,
    /// Shortest time between frames when one of them answers a key.
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
    /// At most 30 frames a second, 10 over a slow link; answers to keys wait 8 ms at most.
    pub fn new(slow_link: bool) -> Self {
        let interval = if slow_link { 100 } else { 34 };
        Self {
            interval: Duration::from_millis(interval),
            key_interval: Duration::from_millis(8),
            last: None,
            requested: None,
        }
    }

    /// Asks for a frame that shows news.
    pub fn request_frame(&mut self) {
        self.requested = self.requested.max(Some(Urgency::Update));
    }

    /// Asks for a frame that answers a key.
    pub fn request_prompt_frame(&mut self) {
        self.requested = Some(Urgency::KeyPress);
    }

    /// When the next frame is due; nothing where none is requested.
    pub fn next_frame_at(&self, now: Instant) -> Option<Instant> {
        let interval = match self.requested? {
            Urgency::Update => self.interval,
            Urgency::KeyPress => self.key_interval,
        };
        Some(self.last.map_or(now, |last| last + interval))
    }

    /// Whether a frame is to be drawn now.
    pub fn is_due(&self, now: Instant) -> bool {
        self.next_frame_at(now).is_some_and(|at| at <= now)
    }

    /// Notes that a frame was drawn.
    pub fn frame_drawn(&mut self, now: Instant) {
        self.last = Some(now);
        self.requested = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Frames drawn within a second in which news arrives every millisecond.
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
    fn news_is_coalesced() {
        assert_eq!(frames(Pacer::new(false)), 30);
        assert_eq!(frames(Pacer::new(true)), 10);
    }

    #[test]
    fn no_frame_without_a_wish_and_the_first_at_once() {
        let now = Instant::now();
        let mut pacer = Pacer::new(false);
        assert_eq!(pacer.next_frame_at(now), None);
        pacer.request_frame();
        assert!(pacer.is_due(now));
        pacer.frame_drawn(now);
        assert_eq!(pacer.next_frame_at(now), None);
    }

    #[test]
    fn a_key_overtakes_news_and_is_not_held_up_by_it() {
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

//! When the next frame is due.

use std::time::{Duration, Instant};

/// Paces frames: however often one is wanted, they come no closer than the interval, and none
/// comes that nobody wants. Answers to a key come sooner than news from the models.
#[derive(Debug, Clone)]
pub struct Pacer {
    /// Shortest time between frames that show news.
    interval: Duration,
    /// Shortest time between frames when one of them answers a key.
    prompt: Duration,
    last: Option<Instant>,
    wanted: Option<Urgency>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    News,
    Answer,
}

impl Pacer {
    /// At most 30 frames a second, 10 over a slow link; answers to keys wait 8 ms at most.
    pub fn new(slow_link: bool) -> Self {
        let interval = if slow_link { 100 } else { 34 };
        Self {
            interval: Duration::from_millis(interval),
            prompt: Duration::from_millis(8),
            last: None,
            wanted: None,
        }
    }

    /// Asks for a frame that shows news.
    pub fn news(&mut self) {
        self.wanted = self.wanted.max(Some(Urgency::News));
    }

    /// Asks for a frame that answers a key.
    pub fn answer(&mut self) {
        self.wanted = Some(Urgency::Answer);
    }

    /// When the next frame is due; nothing where none is wanted.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let interval = match self.wanted? {
            Urgency::News => self.interval,
            Urgency::Answer => self.prompt,
        };
        Some(self.last.map_or(now, |last| last + interval))
    }

    /// Whether a frame is to be drawn now.
    pub fn is_due(&self, now: Instant) -> bool {
        self.due(now).is_some_and(|at| at <= now)
    }

    /// Notes that a frame was drawn.
    pub fn drawn(&mut self, now: Instant) {
        self.last = Some(now);
        self.wanted = None;
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
                pacer.news();
                let due = pacer.is_due(now);
                if due {
                    pacer.drawn(now);
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
        assert_eq!(pacer.due(now), None);
        pacer.news();
        assert!(pacer.is_due(now));
        pacer.drawn(now);
        assert_eq!(pacer.due(now), None);
    }

    #[test]
    fn a_key_overtakes_news_and_is_not_held_up_by_it() {
        let now = Instant::now();
        let mut pacer = Pacer::new(false);
        pacer.drawn(now);
        pacer.news();
        assert!(!pacer.is_due(now + 8 * MS));
        pacer.answer();
        pacer.news();
        assert!(pacer.is_due(now + 8 * MS));
    }
}

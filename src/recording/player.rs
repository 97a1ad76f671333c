//! Plays an episode: which of its events have happened at a virtual time. It reads no clock; its caller says how much
//! time has passed.

use std::sync::Arc;

use super::landmarks::{Direction, JumpTarget, Landmarks};
use super::speed::ReplaySpeed;
use super::timeline::{ItemSource, ReplayItem, TimelineEntry, timeline};
use crate::episode::Event;

/// Plays one episode.
///
/// It knows the items of the timeline, which of them have been played, and the virtual time in milliseconds since the
/// episode began. At the start only the first event has been played.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    events: Arc<[Event]>,
    entries: Arc<[TimelineEntry]>,
    /// Number of items that have been played.
    played: usize,
    /// Virtual time.
    at_ms: f64,
    speed: ReplaySpeed,
    playing: bool,
}

impl Player {
    /// A player at the start of the episode with these events. It does not play yet.
    pub fn new(events: impl Into<Arc<[Event]>>, speed: ReplaySpeed) -> Self {
        let events = events.into();
        let entries: Arc<[TimelineEntry]> = timeline(&events).into();
        let played = entries.len().min(1);
        Self { events, entries, played, at_ms: 0.0, speed, playing: false }
    }

    /// The events that have been played.
    pub fn past_events(&self) -> &[Event] {
        let sources = self.entries[..self.played].iter().rev().map(|entry| entry.source);
        let mut counts = sources.filter_map(|source| match source {
            ItemSource::Event(index) => Some(index + 1),
            _ => None,
        });
        &self.events[..counts.next().unwrap_or(0)]
    }

    /// Number of items that have been played.
    pub fn played(&self) -> usize {
        self.played
    }

    /// The items that have been played, without the first `before`: events, tokens and opinions.
    pub fn items(&self, before: usize) -> impl Iterator<Item = ReplayItem<'_>> {
        let entries = self.entries.get(before..self.played).unwrap_or_default();
        entries.iter().filter_map(|entry| entry.item(&self.events))
    }

    /// The virtual time, in milliseconds since the episode began.
    pub fn position_ms(&self) -> f64 {
        self.at_ms
    }

    /// The virtual time of the last event that has been played.
    pub fn last_event_ms(&self) -> f64 {
        let played = self.entries[..self.played].iter().rev();
        let mut events = played.filter(|entry| matches!(entry.source, ItemSource::Event(_)));
        events.next().map_or(0.0, |entry| entry.at_ms)
    }

    /// The length of the replay in virtual time, in milliseconds.
    pub fn length_ms(&self) -> f64 {
        self.entries.last().map_or(0.0, |entry| entry.at_ms)
    }

    /// The original time of the current position, in milliseconds since the Unix epoch.
    pub fn recorded_ms(&self) -> u64 {
        let began = self.events.first().map_or(0, |event| event.at_ms);
        let since = self.played.checked_sub(1).map_or(0.0, |last| {
            let entry = self.entries[last];
            entry.real_ms + (self.at_ms - entry.at_ms).max(0.0)
        });
        began.saturating_add(since as u64)
    }

    /// Whether it plays.
    pub fn is_playing(&self) -> bool {
        self.playing
    }

    /// Whether everything has been played.
    pub fn is_over(&self) -> bool {
        self.played == self.entries.len()
    }

    /// The speed.
    pub fn speed(&self) -> ReplaySpeed {
        self.speed
    }

    /// Changes the speed.
    pub fn set_speed(&mut self, speed: ReplaySpeed) {
        self.speed = speed;
    }

    /// Plays on; from the start if it is at the end.
    pub fn play(&mut self) {
        if self.is_over() {
            self.seek_to_start();
        }
        self.playing = !self.is_over();
    }

    /// Pauses.
    pub fn pause(&mut self) {
        self.playing = false;
    }

    /// Lets `ms` milliseconds of the viewer's time pass. Does nothing while paused; pauses at the end.
    pub fn advance(&mut self, ms: f64) {
        if !self.playing {
            return;
        }
        match self.speed {
            ReplaySpeed::Instant => self.seek_to_end(),
            ReplaySpeed::Times(times) => {
                let at_ms = self.at_ms + (ms * times).max(0.0);
                while self.entries.get(self.played).is_some_and(|entry| entry.at_ms <= at_ms) {
                    self.played += 1;
                }
                self.at_ms = at_ms.min(self.length_ms());
            }
        }
        self.playing = !self.is_over();
    }

    /// Milliseconds of the viewer's time until the next item; `None` while paused and at the end.
    pub fn next_in_ms(&self) -> Option<f64> {
        let next = self.entries.get(self.played).filter(|_| self.playing)?;
        Some(match self.speed {
            ReplaySpeed::Instant => 0.0,
            ReplaySpeed::Times(times) => ((next.at_ms - self.at_ms) / times).max(0.0),
        })
    }

    /// Moves to the virtual time `at_ms`. Items of exactly that time have been played.
    pub fn seek_ms(&mut self, at_ms: f64) {
        let at_ms = at_ms.clamp(0.0, self.length_ms());
        self.played = self.entries.partition_point(|entry| entry.at_ms <= at_ms);
        self.at_ms = at_ms;
    }

    /// Moves to the start.
    pub fn seek_to_start(&mut self) {
        self.played = self.entries.len().min(1);
        self.at_ms = 0.0;
    }

    /// Moves to the end and pauses.
    pub fn seek_to_end(&mut self) {
        self.played = self.entries.len();
        self.at_ms = self.length_ms();
        self.playing = false;
    }

    /// Moves to the boundary before step `step` (counted from 0), where the router's opinion is known and the choice
    /// is not made. Returns false, and changes nothing, if the step before was never written.
    pub fn seek_step(&mut self, step: usize) -> bool {
        let boundary = self.landmarks().boundary(step);
        self.seek_to(boundary)
    }

    /// Moves to the next boundary, or to the end. Returns false at the end.
    pub fn step_forward(&mut self) -> bool {
        let last = self.entries.len().checked_sub(1);
        let next =
            self.landmarks().boundaries().into_iter().chain(last).find(|at| *at >= self.played);
        self.seek_to(next)
    }

    /// Moves to the previous boundary, or to the start. Returns false at the start.
    pub fn step_back(&mut self) -> bool {
        let mut boundaries = self.landmarks().boundaries().into_iter().rev();
        let before = boundaries.find(|at| at + 1 < self.played);
        let before = before.or((self.played > 1).then_some(0));
        self.seek_to(before)
    }

    /// Moves to the next or previous position of a kind. Returns false, and changes nothing, if there is none.
    pub fn jump(&mut self, to: JumpTarget, direction: Direction) -> bool {
        let mut positions = self.landmarks().of(to).into_iter();
        let found = match direction {
            Direction::Forward => positions.find(|position| *position >= self.played),
            Direction::Back => positions.rfind(|position| position + 1 < self.played),
        };
        self.seek_to(found)
    }

    /// Moves to just after a position; returns false if it is `None`.
    fn seek_to(&mut self, to: Option<usize>) -> bool {
        let Some(position) = to else { return false };
        self.played = position + 1;
        self.at_ms = self.entries[position].at_ms;
        self.playing &= !self.is_over();
        true
    }

    fn landmarks(&self) -> Landmarks<'_> {
        Landmarks { events: &self.events, entries: &self.entries }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{Decider, Episode, EpisodeStatus, EventKind, Role};
    use crate::recording::fixtures::{PAUSE_MS, rescue, rescue_with_user_actions};

    const ONCE: ReplaySpeed = ReplaySpeed::Times(1.0);

    /// What the played items amount to: the fold of the events, and the text in flight.
    fn screen(player: &Player) -> (Option<Episode>, String) {
        let mut events = Vec::new();
        let mut in_flight = String::new();
        for item in player.items(0) {
            match item {
                ReplayItem::Token { token, .. } => in_flight.push_str(&token.text),
                ReplayItem::Event(event) => {
                    if matches!(event.kind, EventKind::Written { .. } | EventKind::Discarded { .. })
                    {
                        in_flight.clear();
                    }
                    events.push(event.clone());
                }
                ReplayItem::Opinion { .. } => {}
            }
        }
        assert_eq!(events, player.past_events());
        (Episode::fold(&events).unwrap(), in_flight)
    }

    #[test]
    fn every_position_is_the_fold_of_a_prefix_of_the_events() {
        for events in [rescue().events, rescue_with_user_actions()] {
            let mut player = Player::new(events.clone(), ONCE);
            player.play();
            let mut prefixes = 0;
            while player.is_playing() {
                player.advance(0.7);
                let (episode, _) = screen(&player);
                let past = player.past_events().len();
                assert_eq!(episode, Episode::fold(&events[..past]).unwrap());
                // Seeking to a position gives the same as playing to it.
                let mut other = Player::new(events.clone(), ReplaySpeed::Instant);
                if past.is_multiple_of(2) {
                    other.seek_to_end();
                }
                other.seek_ms(player.position_ms());
                assert_eq!(screen(&other), screen(&player));
                assert_eq!(other.recorded_ms(), player.recorded_ms());
                prefixes += 1;
            }
            assert!(prefixes > 20);
            assert!(player.is_over());
            assert_eq!(player.past_events(), events);
            assert_eq!(screen(&player).0, Episode::fold(&events).unwrap());
        }
    }

    #[test]
    fn the_text_in_flight_grows_to_the_step() {
        let events = rescue().events;
        let mut player = Player::new(events, ONCE);
        player.seek_step(2);
        let (episode, draft) = screen(&player);
        assert_eq!(episode.unwrap().steps.len(), 2);
        assert_eq!(draft, "Apples now: 38 - 19 = 21\n", "the draft that will be discarded");
        player.play();
        let mut longest = String::new();
        while player.past_events().len() < 8 {
            player.advance(0.25);
            let (_, text) = screen(&player);
            if text.starts_with("In") {
                assert!("In all: 28 + 38 = 66\n".starts_with(&text), "{text}");
                longest = if text.len() > longest.len() { text } else { longest };
            }
        }
        assert!(longest.len() > 10, "{longest}");
        assert_eq!(screen(&player).0.unwrap().steps.len(), 3);
    }

    #[test]
    fn time_passes_at_the_speed_and_stops_in_a_pause() {
        let mut player = Player::new(rescue().events, ReplaySpeed::Times(0.25));
        player.advance(1000.0);
        assert_eq!(player.position_ms(), 0.0, "it does not play yet");
        assert_eq!(player.next_in_ms(), None);
        player.play();
        player.advance(8.0);
        assert_eq!(player.position_ms(), 2.0);
        let next = player.next_in_ms().unwrap();
        let before = player.played();
        player.advance(next + 1e-6);
        assert!(player.played() > before);
        player.pause();
        let paused = player.clone();
        player.advance(1000.0);
        assert_eq!(player, paused);
        player.play();
        player.set_speed(ReplaySpeed::Instant);
        assert_eq!(player.next_in_ms(), Some(0.0));
        player.advance(0.0);
        assert!(player.is_over() && !player.is_playing());
        player.play();
        assert_eq!((player.past_events().len(), player.is_playing()), (1, true), "it starts again");
    }

    #[test]
    fn a_long_pause_is_shortened_but_the_original_time_is_known() {
        let events = rescue_with_user_actions();
        let mut player = Player::new(events.clone(), ONCE);
        assert!(player.length_ms() < 12_000.0, "{}", player.length_ms());
        player.seek_to_end();
        assert_eq!(player.recorded_ms(), events.last().unwrap().at_ms);
        player.seek_to_start();
        assert_eq!(player.recorded_ms(), events[0].at_ms);
        player.seek_step(2);
        assert!(player.recorded_ms() > events[0].at_ms + PAUSE_MS);
    }

    #[test]
    fn steps_move_from_boundary_to_boundary_and_back() {
        let mut player = Player::new(rescue().events, ONCE);
        let place = |player: &Player| {
            let episode = screen(player).0.unwrap();
            (episode.steps.len(), episode.decision.is_some(), episode.is_over())
        };
        let mut forward = vec![player.played()];
        let mut seen = Vec::new();
        while player.step_forward() {
            seen.push(place(&player));
            forward.push(player.played());
        }
        let boundary = |step| (step, false, false);
        assert_eq!(seen, [boundary(0), boundary(1), boundary(2), boundary(3), (4, false, true)]);
        let mut back = vec![player.played()];
        while player.step_back() {
            back.push(player.played());
        }
        back.reverse();
        assert_eq!(back, forward);
        assert!(player.seek_step(3));
        assert_eq!(place(&player), boundary(3));
        let before = player.clone();
        assert!(!player.seek_step(9));
        assert_eq!(player, before);
    }

    #[test]
    fn jumps_find_switches_overrides_and_bookmarks() {
        let mut player = Player::new(rescue_with_user_actions(), ONCE);
        let last = |player: &Player| player.past_events().last().unwrap().kind.clone();
        let (forward, back) = (Direction::Forward, Direction::Back);
        assert!(player.jump(JumpTarget::Switch, forward));
        assert!(matches!(last(&player), EventKind::Decided { step: 2, choice: Role::Large, .. }));
        assert!(player.jump(JumpTarget::Switch, forward));
        assert!(matches!(last(&player), EventKind::Decided { step: 3, choice: Role::Small, .. }));
        let before = player.clone();
        assert!(!player.jump(JumpTarget::Switch, forward));
        assert_eq!(player, before);
        assert!(player.jump(JumpTarget::Override, back));
        assert!(matches!(last(&player), EventKind::OverrideSet { .. }));
        assert_eq!(screen(&player).0.unwrap().status, EpisodeStatus::Paused);
        assert!(
            !player.jump(JumpTarget::Override, back) && !player.jump(JumpTarget::Override, forward)
        );
        assert!(player.jump(JumpTarget::Bookmark, forward));
        assert!(matches!(last(&player), EventKind::Written { step: 2, .. }));
        player.seek_to_end();
        assert!(player.jump(JumpTarget::Bookmark, back));
        assert!(matches!(last(&player), EventKind::Written { step: 2, .. }));

        let EventKind::Decided { by, .. } = &rescue_with_user_actions()[6].kind else { panic!() };
        assert_eq!(*by, Decider::User);
    }

    #[test]
    fn an_empty_episode_plays() {
        let mut player = Player::new(Vec::new(), ONCE);
        player.play();
        player.advance(5.0);
        assert!(player.is_over() && player.past_events().is_empty() && !player.step_forward());
        assert!(
            !player.step_back()
                && !player.seek_step(0)
                && !player.jump(JumpTarget::Switch, Direction::Back)
        );
        player.seek_ms(9.0);
        assert_eq!((player.length_ms(), player.recorded_ms()), (0.0, 0));
    }
}

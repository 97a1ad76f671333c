//! Plays an episode: what has happened of it at a virtual time. It reads no clock; whoever has one
//! says how much time has passed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::timeline::{ItemSource, ReplayItem, TimelineEntry, timeline};
use crate::episode::{Event, EventKind, Role};

/// How fast a replay goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReplaySpeed {
    /// That many times as fast as it was, within [`ReplaySpeed::SLOWEST`] and [`ReplaySpeed::FASTEST`].
    Times(f64),
    /// To the end at once.
    Instant,
}

/// A speed that there is not.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("`{0}` is no speed: give a number between 1/64 and 16, or `instant`")]
pub struct SpeedError(String);

impl ReplaySpeed {
    /// Slow enough to see small models write, a token a millisecond.
    pub const SLOWEST: f64 = 1.0 / 64.0;
    pub const FASTEST: f64 = 16.0;

    /// The next faster one; nothing beyond [`ReplaySpeed::Instant`].
    #[must_use]
    pub fn faster(self) -> Option<Self> {
        match self {
            Self::Times(times) if times >= Self::FASTEST => Some(Self::Instant),
            Self::Times(times) => Some(Self::Times((times * 2.0).min(Self::FASTEST))),
            Self::Instant => None,
        }
    }

    /// The next slower one.
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

    /// Takes `2`, `2x`, `0.5`, `1/4` and `instant`.
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

/// What a replay can be wound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JumpTarget {
    /// A choice of another writer than that of the step before.
    Switch,
    /// A person took the points.
    Override,
    /// A step that a person marked, as it stands written.
    Bookmark,
}

/// In which direction a replay is wound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Back,
}

/// Plays one episode.
///
/// It knows the moments of the episode, which of them have happened, and the virtual time, in
/// milliseconds since the episode began. At the start the first event has happened, and nothing
/// else.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    events: Arc<[Event]>,
    entries: Arc<[TimelineEntry]>,
    /// Number of moments that have happened.
    played: usize,
    at_ms: f64,
    speed: ReplaySpeed,
    playing: bool,
}

impl Player {
    /// A player at the start of the episode with these events, not playing.
    pub fn new(events: impl Into<Arc<[Event]>>, speed: ReplaySpeed) -> Self {
        let events = events.into();
        let entries: Arc<[TimelineEntry]> = timeline(&events).into();
        let played = entries.len().min(1);
        Self { events, entries, played, at_ms: 0.0, speed, playing: false }
    }

    /// The events that have happened.
    pub fn past_events(&self) -> &[Event] {
        let places = self.entries[..self.played].iter().rev().map(|entry| entry.source);
        let mut counts = places.filter_map(|place| match place {
            ItemSource::Event(index) => Some(index + 1),
            _ => None,
        });
        &self.events[..counts.next().unwrap_or(0)]
    }

    /// How many moments have happened.
    pub fn played(&self) -> usize {
        self.played
    }

    /// The moments that have happened, without the first `before`: events, and the part of the step
    /// in flight that is written.
    pub fn items(&self, before: usize) -> impl Iterator<Item = ReplayItem<'_>> {
        let entries = self.entries.get(before..self.played).unwrap_or_default();
        entries.iter().filter_map(|entry| entry.item(&self.events))
    }

    /// The virtual time, in milliseconds since the episode began.
    pub fn position_ms(&self) -> f64 {
        self.at_ms
    }

    /// The virtual time of the last event that has happened.
    pub fn last_event_ms(&self) -> f64 {
        let happened = self.entries[..self.played].iter().rev();
        let mut events = happened.filter(|entry| matches!(entry.source, ItemSource::Event(_)));
        events.next().map_or(0.0, |entry| entry.at_ms)
    }

    /// The virtual time of the end.
    pub fn length_ms(&self) -> f64 {
        self.entries.last().map_or(0.0, |entry| entry.at_ms)
    }

    /// The time at which it happened, milliseconds since the Unix epoch.
    pub fn recorded_ms(&self) -> u64 {
        let began = self.events.first().map_or(0, |event| event.at_ms);
        let since = self.played.checked_sub(1).map_or(0.0, |last| {
            let entry = self.entries[last];
            entry.real_ms + (self.at_ms - entry.at_ms).max(0.0)
        });
        began.saturating_add(since as u64)
    }

    pub fn is_playing(&self) -> bool {
        self.playing
    }

    /// Whether everything has happened.
    pub fn is_over(&self) -> bool {
        self.played == self.entries.len()
    }

    pub fn speed(&self) -> ReplaySpeed {
        self.speed
    }

    pub fn set_speed(&mut self, speed: ReplaySpeed) {
        self.speed = speed;
    }

    /// Plays, from the start where it was over.
    pub fn play(&mut self) {
        if self.is_over() {
            self.seek_to_start();
        }
        self.playing = !self.is_over();
    }

    pub fn pause(&mut self) {
        self.playing = false;
    }

    /// Lets `ms` milliseconds pass in front of the screen. Does nothing in a pause; pauses at the
    /// end.
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

    /// Milliseconds in front of the screen until something happens; nothing in a pause.
    pub fn next_in_ms(&self) -> Option<f64> {
        let next = self.entries.get(self.played).filter(|_| self.playing)?;
        Some(match self.speed {
            ReplaySpeed::Instant => 0.0,
            ReplaySpeed::Times(times) => ((next.at_ms - self.at_ms) / times).max(0.0),
        })
    }

    /// To the virtual time `at_ms`: what happens at that very time has happened.
    pub fn seek_ms(&mut self, at_ms: f64) {
        let at_ms = at_ms.clamp(0.0, self.length_ms());
        self.played = self.entries.partition_point(|entry| entry.at_ms <= at_ms);
        self.at_ms = at_ms;
    }

    /// To the start.
    pub fn seek_to_start(&mut self) {
        self.played = self.entries.len().min(1);
        self.at_ms = 0.0;
    }

    /// To the end.
    pub fn seek_to_end(&mut self) {
        self.played = self.entries.len();
        self.at_ms = self.length_ms();
        self.playing = false;
    }

    /// To the boundary before step `step` (from 0), where the router's opinion is known and the
    /// choice is not made. False where the step before was never written; nothing changes then.
    pub fn seek_step(&mut self, step: usize) -> bool {
        let boundary = self.boundary(step);
        self.seek_to(boundary)
    }

    /// To the next boundary, or to the end. False at the end.
    pub fn step_forward(&mut self) -> bool {
        let last = self.entries.len().checked_sub(1);
        let next = self.boundaries().into_iter().chain(last).find(|at| *at >= self.played);
        self.seek_to(next)
    }

    /// To the boundary before, or to the start. False at the start.
    pub fn step_back(&mut self) -> bool {
        let mut boundaries = self.boundaries().into_iter().rev();
        let before = boundaries.find(|at| at + 1 < self.played);
        let before = before.or((self.played > 1).then_some(0));
        self.seek_to(before)
    }

    /// To the next or the last landmark of that kind. False where there is none; nothing changes
    /// then.
    pub fn jump(&mut self, to: JumpTarget, direction: Direction) -> bool {
        let mut places = match to {
            JumpTarget::Switch => self.switches(),
            JumpTarget::Override => {
                self.positions(|kind| matches!(kind, EventKind::OverrideSet { .. })).collect()
            }
            JumpTarget::Bookmark => self.bookmarks(),
        };
        places.sort_unstable();
        let found = match direction {
            Direction::Forward => places.into_iter().find(|place| *place >= self.played),
            Direction::Back => places.into_iter().rev().find(|place| place + 1 < self.played),
        };
        self.seek_to(found)
    }

    /// To just after the moment of that position, if there is one.
    fn seek_to(&mut self, to: Option<usize>) -> bool {
        let Some(position) = to else { return false };
        self.played = position + 1;
        self.at_ms = self.entries[position].at_ms;
        self.playing &= !self.is_over();
        true
    }

    /// Positions among the moments of events of a kind.
    fn positions(&self, holds: impl Fn(&EventKind) -> bool) -> impl Iterator<Item = usize> {
        self.entries.iter().enumerate().filter_map(move |(position, entry)| match entry.source {
            ItemSource::Event(index) => holds(&self.events[index].kind).then_some(position),
            _ => None,
        })
    }

    /// The last moment before the choice for a step: the opinion, or the end of the step before.
    fn boundary(&self, step: usize) -> Option<usize> {
        let from = match step.checked_sub(1) {
            None if self.entries.is_empty() => return None,
            None => 0,
            Some(before) => self.written(before)?,
        };
        let opinion = self.entries.iter().position(|entry| match entry.source {
            ItemSource::Opinion(index) => {
                matches!(self.events[index].kind, EventKind::Decided { step: s, .. } if s == step)
            }
            _ => false,
        });
        Some(opinion.map_or(from, |opinion| opinion.max(from)))
    }

    /// The boundaries of all steps that were written.
    fn boundaries(&self) -> Vec<usize> {
        let written = self.positions(|kind| matches!(kind, EventKind::Written { .. })).count();
        (0..written).filter_map(|step| self.boundary(step)).collect()
    }

    /// Where a step stands written.
    fn written(&self, step: usize) -> Option<usize> {
        let is =
            |kind: &EventKind| matches!(kind, EventKind::Written { step: s, .. } if *s == step);
        self.positions(is).next()
    }

    /// Where the writer was changed: at the choice, or at the text where no choice is recorded.
    fn switches(&self) -> Vec<usize> {
        let mut writer: Option<Role> = None;
        let mut chosen: Option<(usize, Role)> = None;
        let mut found = Vec::new();
        for position in self.positions(|_| true) {
            let ItemSource::Event(index) = self.entries[position].source else { continue };
            match &self.events[index].kind {
                EventKind::Decided { choice, .. } => chosen = Some((position, *choice)),
                EventKind::Written { generation, .. } => {
                    let at = chosen.take().filter(|(_, choice)| *choice == generation.model);
                    if writer.is_some_and(|before| before != generation.model) {
                        found.push(at.map_or(position, |(at, _)| at));
                    }
                    writer = Some(generation.model);
                }
                _ => {}
            }
        }
        found
    }

    /// Where marked steps stand written; where one never was, the place at which it was marked.
    fn bookmarks(&self) -> Vec<usize> {
        let mut found = Vec::new();
        for position in self.positions(|kind| matches!(kind, EventKind::Bookmarked { .. })) {
            let ItemSource::Event(index) = self.entries[position].source else { continue };
            if let EventKind::Bookmarked { step, .. } = self.events[index].kind {
                found.push(self.written(step).unwrap_or(position));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{Decider, Episode, EpisodeStatus};
    use crate::recording::fixtures::{PAUSE_MS, rescue, rescue_with_user_actions};

    const ONCE: ReplaySpeed = ReplaySpeed::Times(1.0);

    /// What the moments shown come to: the events' fold, and the text in flight.
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
    fn the_end_is_the_fold_of_all_events_and_any_place_that_of_a_prefix() {
        for events in [rescue().events, rescue_with_user_actions()] {
            let mut player = Player::new(events.clone(), ONCE);
            player.play();
            let mut prefixes = 0;
            while player.is_playing() {
                player.advance(0.7);
                let (episode, _) = screen(&player);
                let happened = player.past_events().len();
                assert_eq!(episode, Episode::fold(&events[..happened]).unwrap());
                // Whichever way one comes here, it looks the same.
                let mut other = Player::new(events.clone(), ReplaySpeed::Instant);
                if happened.is_multiple_of(2) {
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
    fn the_part_in_flight_grows_to_the_step() {
        let events = rescue().events;
        let mut player = Player::new(events, ONCE);
        player.seek_step(2);
        let (episode, draft) = screen(&player);
        assert_eq!(episode.unwrap().steps.len(), 2);
        assert_eq!(draft, "Apples now: 38 - 19 = 21\n", "the draft that will be dropped");
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
    fn time_passes_as_fast_as_told_and_not_in_a_pause() {
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
    fn a_long_pause_is_cut_short_but_the_clock_tells_the_time() {
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
    fn steps_lead_from_boundary_to_boundary_and_back() {
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
    fn nothing_plays_as_nothing() {
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

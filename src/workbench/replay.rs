//! A replay: the state is fed by a recording, through the code that live events go through. It
//! needs no model, no session and no store.

use std::sync::Arc;

use super::onscreen::Run;
use crate::episode::FoldError;
use crate::recording::{Landmark, Moment, Player, Recorded, Speed, Way};

/// What a person can ask of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Play or pause; from the start where it is over.
    Toggle,
    /// To the next boundary.
    Forward,
    /// To the boundary before.
    Back,
    /// To the boundary before the step in view.
    Seek,
    Start,
    End,
    Faster,
    Slower,
    Jump(Landmark, Way),
    /// To another episode of the recording.
    Episode(Way),
}

/// A recording on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    source: String,
    episodes: Arc<[Recorded]>,
    /// Which of them is on the screen.
    at: usize,
    pub(super) player: Player,
    /// Moments that the run on the screen has gone through.
    applied: usize,
    /// The time of the last [`super::Message::Clock`] since it plays.
    pub(super) clock_ms: Option<u64>,
}

impl Replay {
    /// Plays the first of `episodes` from its start; nothing where there is none. `source` says
    /// where they come from, for the screen.
    pub fn new(source: impl Into<String>, episodes: Vec<Recorded>, speed: Speed) -> Option<Self> {
        let mut player = Player::new(episodes.first()?.events.clone(), speed);
        player.play();
        Some(Self {
            source: source.into(),
            episodes: episodes.into(),
            at: 0,
            player,
            applied: 0,
            clock_ms: None,
        })
    }

    /// Where the recording comes from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Which episode is on the screen, from 0, and how many there are.
    pub fn place(&self) -> (usize, usize) {
        (self.at, self.episodes.len())
    }

    /// The episode on the screen, whole.
    pub fn recorded(&self) -> &Recorded {
        &self.episodes[self.at]
    }

    /// Plays it.
    pub fn player(&self) -> &Player {
        &self.player
    }

    /// Brings `run` to the player's position; with `whole_steps`, without the part of a step that is in flight.
    pub(super) fn bring(
        &mut self,
        run: &mut Option<Run>,
        whole_steps: bool,
    ) -> Result<(), FoldError> {
        if self.player.shown() < self.applied {
            *run = None;
        }
        if run.is_none() {
            self.applied = 0;
        }
        for moment in self.player.moments(self.applied) {
            match (moment, &mut *run) {
                (Moment::Event(event), None) => {
                    *run = Some(Run::start(self.episodes[self.at].id, event)?)
                }
                (Moment::Event(event), Some(run)) => run.apply(event)?,
                (Moment::Token { .. }, Some(_)) if whole_steps => {}
                (Moment::Token { model, token }, Some(run)) => run.receive(model, token),
                (Moment::Opinion { step, opinion }, Some(run)) => {
                    run.opinion = Some((step, opinion))
                }
                // Nothing comes before the first event.
                (_, None) => {}
            }
        }
        self.applied = self.player.shown();
        Ok(())
    }

    /// Why an order cannot be obeyed.
    pub(super) fn obey(&mut self, order: Order, in_view: Option<usize>) -> Result<(), String> {
        let or = |done: bool, why: &str| if done { Ok(()) } else { Err(why.to_owned()) };
        let player = &mut self.player;
        match order {
            Order::Toggle if player.is_playing() => player.pause(),
            Order::Toggle => {
                player.play();
                self.clock_ms = None;
            }
            Order::Forward => return or(player.step_forward(), "this is the end"),
            Order::Back => return or(player.step_back(), "this is the start"),
            Order::Seek => {
                let found = in_view.is_some_and(|step| player.seek_step(step));
                return or(found, "there are no steps yet");
            }
            Order::Start => player.seek_start(),
            Order::End => player.seek_end(),
            Order::Faster => {
                let faster = player.speed().faster().ok_or("nothing is faster than instant")?;
                player.set_speed(faster);
            }
            Order::Slower => {
                let slowest = || format!("{} is the slowest", player.speed());
                let slower = player.speed().slower().ok_or_else(slowest)?;
                player.set_speed(slower);
            }
            Order::Jump(landmark, way) => {
                let what = match landmark {
                    Landmark::Switch => "switch of the writer",
                    Landmark::Override => "override by a person",
                    Landmark::Bookmark => "bookmark",
                };
                let when = match way {
                    Way::Forward => "later",
                    Way::Back => "earlier",
                };
                return or(player.jump(landmark, way), &format!("there is no {when} {what}"));
            }
            Order::Episode(way) => return self.turn_to(way),
        }
        Ok(())
    }

    fn turn_to(&mut self, way: Way) -> Result<(), String> {
        let to = match way {
            Way::Forward => Some(self.at + 1).filter(|at| *at < self.episodes.len()),
            Way::Back => self.at.checked_sub(1),
        };
        let Some(to) = to else {
            return Err(match (self.episodes.len(), way) {
                (1, _) => "this recording has one episode only".into(),
                (_, Way::Forward) => "this is the last episode of the recording".into(),
                (_, Way::Back) => "this is the first episode of the recording".into(),
            });
        };
        let plays = self.player.is_playing() || self.player.is_over();
        self.at = to;
        self.player = Player::new(self.episodes[to].events.clone(), self.player.speed());
        if plays {
            self.player.play();
        }
        self.applied = 0;
        self.clock_ms = None;
        Ok(())
    }
}

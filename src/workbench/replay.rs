//! The replay page: a recording feeds the display, through the same code as live events. It needs
//! no model, no session and no store.

use std::sync::Arc;

use super::displayed_episode::DisplayedEpisode;
use crate::episode::FoldError;
use crate::recording::{Direction, JumpTarget, Player, RecordedEpisode, ReplayItem, ReplaySpeed};

/// An action of the replay page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayAction {
    /// Play or pause; from the start if it is over.
    TogglePlay,
    /// To the next boundary.
    Forward,
    /// To the previous boundary.
    Back,
    /// To the boundary before the step in view.
    SeekSelected,
    /// To the start.
    Start,
    /// To the end.
    End,
    /// To the next higher speed.
    Faster,
    /// To the next lower speed.
    Slower,
    /// To the next or previous event of that kind.
    Jump(JumpTarget, Direction),
    /// To the next or previous episode of the recording.
    Episode(Direction),
}

/// A recording on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    source: String,
    episodes: Arc<[RecordedEpisode]>,
    /// Index of the episode on the screen.
    index: usize,
    pub(super) player: Player,
    /// Number of the player's items that the displayed episode has.
    applied_moments: usize,
    /// The time of the last [`super::Message::Clock`] while it plays.
    pub(super) clock_ms: Option<u64>,
}

impl Replay {
    /// Plays the first of `episodes` from its start; `None` if there are no episodes. `source` says
    /// where they come from, for the screen.
    pub fn new(
        source: impl Into<String>,
        episodes: Vec<RecordedEpisode>,
        speed: ReplaySpeed,
    ) -> Option<Self> {
        let mut player = Player::new(episodes.first()?.events.clone(), speed);
        player.play();
        Some(Self {
            source: source.into(),
            episodes: episodes.into(),
            index: 0,
            player,
            applied_moments: 0,
            clock_ms: None,
        })
    }

    /// Where the recording comes from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Index of the episode on the screen, and the number of episodes.
    pub fn position(&self) -> (usize, usize) {
        (self.index, self.episodes.len())
    }

    /// The episode on the screen, whole.
    pub fn recorded(&self) -> &RecordedEpisode {
        &self.episodes[self.index]
    }

    /// The player of the episode.
    pub fn player(&self) -> &Player {
        &self.player
    }

    /// Brings `displayed` to the player's position; with `whole_steps`, without text in flight.
    pub(super) fn sync(
        &mut self,
        displayed: &mut Option<DisplayedEpisode>,
        whole_steps: bool,
    ) -> Result<(), FoldError> {
        if self.player.played() < self.applied_moments {
            *displayed = None;
        }
        if displayed.is_none() {
            self.applied_moments = 0;
        }
        for item in self.player.items(self.applied_moments) {
            match (item, &mut *displayed) {
                (ReplayItem::Event(event), None) => {
                    *displayed =
                        Some(DisplayedEpisode::start(self.episodes[self.index].id, event)?);
                }
                (ReplayItem::Event(event), Some(displayed)) => displayed.apply(event)?,
                (ReplayItem::Token { .. }, Some(_)) if whole_steps => {}
                (ReplayItem::Token { model, token }, Some(displayed)) => {
                    displayed.push_token(model, token);
                }
                (ReplayItem::Opinion { step, opinion }, Some(displayed)) => {
                    displayed.opinion = Some((step, opinion));
                }
                // No token or opinion comes before the first event.
                (_, None) => {}
            }
        }
        self.applied_moments = self.player.played();
        Ok(())
    }

    /// Carries out an action on the step `in_view`; the error says why it cannot be done.
    pub(super) fn run_action(
        &mut self,
        action: ReplayAction,
        in_view: Option<usize>,
    ) -> Result<(), String> {
        let or = |done: bool, why: &str| if done { Ok(()) } else { Err(why.to_owned()) };
        let player = &mut self.player;
        match action {
            ReplayAction::TogglePlay if player.is_playing() => player.pause(),
            ReplayAction::TogglePlay => {
                player.play();
                self.clock_ms = None;
            }
            ReplayAction::Forward => return or(player.step_forward(), "this is the end"),
            ReplayAction::Back => return or(player.step_back(), "this is the start"),
            ReplayAction::SeekSelected => {
                let found = in_view.is_some_and(|step| player.seek_step(step));
                return or(found, "there are no steps yet");
            }
            ReplayAction::Start => player.seek_to_start(),
            ReplayAction::End => player.seek_to_end(),
            ReplayAction::Faster => {
                let faster = player.speed().faster().ok_or("this is the highest speed")?;
                player.set_speed(faster);
            }
            ReplayAction::Slower => {
                let slowest = || format!("{} is the slowest", player.speed());
                let slower = player.speed().slower().ok_or_else(slowest)?;
                player.set_speed(slower);
            }
            ReplayAction::Jump(landmark, direction) => {
                let what = match landmark {
                    JumpTarget::Switch => "switch of the writer",
                    JumpTarget::Override => "override by the user",
                    JumpTarget::Bookmark => "bookmark",
                };
                let when = match direction {
                    Direction::Forward => "later",
                    Direction::Back => "earlier",
                };
                return or(player.jump(landmark, direction), &format!("there is no {when} {what}"));
            }
            ReplayAction::Episode(direction) => return self.switch_episode(direction),
        }
        Ok(())
    }

    fn switch_episode(&mut self, direction: Direction) -> Result<(), String> {
        let to = match direction {
            Direction::Forward => Some(self.index + 1).filter(|index| *index < self.episodes.len()),
            Direction::Back => self.index.checked_sub(1),
        };
        let Some(to) = to else {
            return Err(match (self.episodes.len(), direction) {
                (1, _) => "this recording has one episode only".into(),
                (_, Direction::Forward) => "this is the last episode of the recording".into(),
                (_, Direction::Back) => "this is the first episode of the recording".into(),
            });
        };
        let plays = self.player.is_playing() || self.player.is_over();
        self.index = to;
        self.player = Player::new(self.episodes[to].events.clone(), self.player.speed());
        if plays {
            self.player.play();
        }
        self.applied_moments = 0;
        self.clock_ms = None;
        Ok(())
    }
}

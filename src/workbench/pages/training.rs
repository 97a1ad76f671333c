//! Training, calibration and promotion of policies.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::workbench::action::{Action, PageId};
use crate::workbench::handlers::navigation;
use crate::workbench::message::Effect;
use crate::workbench::page::{Hints, Page};
use crate::workbench::state::State;
use crate::workbench::training_page::TrainingAction;
use crate::workbench::view;
use crate::workbench::view::episode::EpisodePanes;
use crate::workbench::view::render_context::RenderContext;

const HINTS: Hints = &[
    (Action::Training(TrainingAction::Train), "train"),
    (Action::Training(TrainingAction::Collect), "collect"),
    (Action::Training(TrainingAction::Calibrate), "calibrate"),
    (Action::Training(TrainingAction::PromotionTest), "test"),
    (Action::Training(TrainingAction::Promote), "promote"),
    (Action::Training(TrainingAction::Discard), "discard"),
    (Action::Back, "back"),
];

/// Training, calibration and promotion of policies.
pub(super) struct TrainingPage;

impl Page for TrainingPage {
    fn id(&self) -> PageId {
        PageId::Training
    }

    fn name(&self) -> &'static str {
        "training"
    }

    fn render(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        state: &State,
        _: &mut EpisodePanes,
        ctx: RenderContext<'_>,
    ) {
        view::training_page::render(frame, area, state, ctx);
    }

    fn hints(&self, _: &State) -> Hints {
        HINTS
    }

    fn handle(&self, state: &mut State, action: Action) -> Option<Vec<Effect>> {
        (action == Action::Quit).then(|| navigation::back(state))
    }
}

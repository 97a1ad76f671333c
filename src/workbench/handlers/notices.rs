//! Notices, for handlers that do nothing else.

use crate::workbench::message::Effect;
use crate::workbench::state::{Notice, State};

/// Shows a hint.
pub(in crate::workbench) fn hint(state: &mut State, text: impl Into<String>) -> Vec<Effect> {
    state.notice = Some(Notice::Hint(text.into()));
    Vec::new()
}

/// Shows an error.
pub(in crate::workbench) fn error(state: &mut State, text: impl Into<String>) -> Vec<Effect> {
    state.notice = Some(Notice::Error(text.into()));
    Vec::new()
}

//! The pages of the workbench. A new page is a file here, an id in `PageId` and a row of [`PAGES`].

mod library;
mod live;
mod replay;
mod training;

use super::action::ActionScope;
use super::page::Page;
use super::state::State;

/// The pages.
const PAGES: [&dyn Page; 4] =
    [&live::LivePage, &replay::ReplayPage, &library::LibraryPage, &training::TrainingPage];

/// The page on the screen.
pub(super) fn current(state: &State) -> &'static dyn Page {
    let id = state.page();
    PAGES.into_iter().find(|page| page.id() == id).unwrap_or(&live::LivePage)
}

/// Why actions of this scope are not available on a page that shows an episode; `needs_session`
/// answers for those that need a session.
fn unavailable_on_episode(
    scope: ActionScope,
    state: &State,
    needs_session: impl FnOnce() -> Option<String>,
) -> Option<String> {
    match scope {
        ActionScope::Anywhere | ActionScope::On(_) => None,
        ActionScope::AnyEpisode | ActionScope::Scrollable => {
            state.displayed.is_none().then(|| "there are no steps yet".into())
        }
        ActionScope::SessionReady
        | ActionScope::SessionReadyOrFailed
        | ActionScope::OpenEpisode => needs_session(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::action::PageId;

    #[test]
    fn every_page_is_in_the_table_once() {
        assert_eq!(PAGES.map(Page::id), PageId::ALL);
    }
}

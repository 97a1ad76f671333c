//! A list to choose from, which typing narrows.

use ratatui::crossterm::event::KeyEvent;

use super::action::Action;

/// A list to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    /// What the list is of.
    pub title: String,
    /// The items.
    pub items: Vec<MenuItem>,
    /// What was typed: an item matches if it contains each word.
    pub filter: String,
    /// Which of the matching items is selected.
    pub selected: usize,
    /// The keys to apply once the items are loaded; `None` if they are loaded.
    pending_keys: Option<Vec<KeyEvent>>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct MenuItem {
    /// The item.
    pub label: String,
    /// A remark beside it: keys, a description.
    pub note: String,
    /// What choosing it does.
    pub choice: MenuChoice,
}

/// What choosing an item does.
#[derive(Debug, Clone, PartialEq)]
pub enum MenuChoice {
    /// Runs an action.
    Action(Action),
    /// Loads the theme of that name.
    Theme(String),
    /// Loads the preset of that name.
    Preset(String),
    /// Moves the threshold.
    Threshold(f64),
    /// Forks with a policy.
    Policy {
        /// Name of the policy.
        name: String,
        /// The step to fork at, from 0.
        step: usize,
    },
}

/// Which list to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuKind {
    /// The themes.
    Themes,
    /// The presets.
    Presets,
    /// The thresholds that were calibrated for the current policy, and whether they still hold.
    Calibrations,
    /// The policies to fork with.
    Policies {
        /// The step to fork at, from 0.
        step: usize,
    },
}

impl Menu {
    /// A list of `items`, nothing typed.
    pub fn new(title: impl Into<String>, items: Vec<MenuItem>) -> Self {
        Self { title: title.into(), items, filter: String::new(), selected: 0, pending_keys: None }
    }

    /// A list whose items are being loaded; keys typed meanwhile are kept.
    pub(super) fn loading() -> Self {
        Self { pending_keys: Some(Vec::new()), ..Self::new("loading", Vec::new()) }
    }

    /// Whether the items are being loaded.
    pub(super) fn is_loading(&self) -> bool {
        self.pending_keys.is_some()
    }

    /// Keeps a key until the items are loaded, if it must wait for them: keys that edit the filter
    /// need not, unless they follow a key that must.
    pub(super) fn defer_key(&mut self, key: KeyEvent, edits_filter: bool) -> bool {
        match &mut self.pending_keys {
            Some(keys) if !edits_filter || !keys.is_empty() => {
                keys.push(key);
                true
            }
            _ => false,
        }
    }

    /// Fills in the loaded items; returns the keys to apply now.
    pub(super) fn fill(&mut self, loaded: Self) -> Vec<KeyEvent> {
        let filter = std::mem::take(&mut self.filter);
        let keys = self.pending_keys.take().unwrap_or_default();
        *self = Self { filter, ..loaded };
        keys
    }

    /// The items that contain each typed word, in any case.
    pub fn matching(&self) -> impl Iterator<Item = &MenuItem> {
        let words: Vec<String> =
            self.filter.to_lowercase().split_whitespace().map(str::to_owned).collect();
        self.items.iter().filter(move |item| {
            let text = format!("{} {}", item.label, item.note).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    }

    /// What Enter would choose.
    pub(super) fn selected_choice(&self) -> Option<&MenuChoice> {
        self.matching().nth(self.selected).map(|item| &item.choice)
    }

    /// Moves the selection by that many items.
    pub(super) fn move_selection(&mut self, by: isize) {
        let last = self.matching().count().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Changes the filter and selects the first match.
    pub(super) fn edit_filter(&mut self, edit: impl FnOnce(&mut String)) {
        edit(&mut self.filter);
        self.selected = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_narrows_by_words_in_any_order() {
        let item = |label: &str, note: &str, t| MenuItem {
            label: label.into(),
            note: note.into(),
            choice: MenuChoice::Threshold(t),
        };
        let mut menu =
            Menu::new("", vec![item("Small writes", "s", 0.1), item("large writes", "l", 0.2)]);
        menu.move_selection(5);
        assert_eq!(menu.selected_choice(), Some(&MenuChoice::Threshold(0.2)));
        menu.edit_filter(|filter| *filter = "wri small".into());
        assert_eq!(
            (menu.matching().count(), menu.selected_choice()),
            (1, Some(&MenuChoice::Threshold(0.1)))
        );
        menu.edit_filter(|filter| *filter = "none".into());
        assert_eq!(menu.selected_choice(), None);
    }
}

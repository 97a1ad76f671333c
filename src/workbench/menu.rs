//! A list to choose from, which typing narrows.

use super::actions::Action;

/// A list to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    pub title: String,
    pub items: Vec<MenuItem>,
    /// What was typed: each word must be in an item.
    pub filter: String,
    /// Which of the items that are left one is at.
    pub selected: usize,
    /// The items are on their way.
    pub loading: bool,
}

/// One that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct MenuItem {
    pub label: String,
    /// What stands beside it: keys, a description.
    pub note: String,
    pub choice: MenuChoice,
}

/// What choosing does.
#[derive(Debug, Clone, PartialEq)]
pub enum MenuChoice {
    Action(Action),
    /// A theme's name.
    Theme(String),
    /// A preset's name.
    Preset(String),
    /// Moves the threshold there.
    Threshold(f64),
    /// Forks at `step`, from 0, with the policy of that name.
    Policy {
        name: String,
        step: usize,
    },
}

/// Which list is to be made.
#[derive(Debug, Clone, PartialEq)]
pub enum MenuKind {
    Themes,
    Presets,
    /// Thresholds that were calibrated for the policy in force, and whether they still hold.
    Calibrations,
    /// Policies to fork with at that step, from 0.
    Policies {
        step: usize,
    },
}

impl Menu {
    /// All of `items`, nothing typed.
    pub fn new(title: impl Into<String>, items: Vec<MenuItem>) -> Self {
        Self { title: title.into(), items, filter: String::new(), selected: 0, loading: false }
    }

    /// One whose items are on their way: what is typed meanwhile counts.
    pub(super) fn loading_menu() -> Self {
        Self { loading: true, ..Self::new("a moment", Vec::new()) }
    }

    /// The items that have all that was typed, with or without capitals.
    pub fn matching(&self) -> impl Iterator<Item = &MenuItem> {
        let words: Vec<String> =
            self.filter.to_lowercase().split_whitespace().map(str::to_owned).collect();
        self.items.iter().filter(move |item| {
            let text = format!("{} {}", item.label, item.note).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    }

    /// What would be chosen.
    pub fn selected_row(&self) -> Option<&MenuChoice> {
        self.matching().nth(self.selected).map(|item| &item.choice)
    }

    pub(super) fn move_selection(&mut self, by: isize) {
        let last = self.matching().count().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
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
        assert_eq!(menu.selected_row(), Some(&MenuChoice::Threshold(0.2)));
        menu.filter = "wri small".into();
        menu.move_selection(0);
        assert_eq!(
            (menu.matching().count(), menu.selected_row()),
            (1, Some(&MenuChoice::Threshold(0.1)))
        );
        menu.filter = "none".into();
        assert_eq!(menu.selected_row(), None);
    }
}

//! A list to choose from, which typing narrows.

use super::actions::Action;

/// A list to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    pub title: String,
    pub items: Vec<Item>,
    /// What was typed: each word must be in an item.
    pub typed: String,
    /// Which of the items that are left one is at.
    pub at: usize,
    /// The items are on their way.
    pub waits: bool,
}

/// One that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub label: String,
    /// What stands beside it: keys, a description.
    pub note: String,
    pub pick: Pick,
}

/// What choosing does.
#[derive(Debug, Clone, PartialEq)]
pub enum Pick {
    Act(Action),
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
pub enum List {
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
    pub fn new(title: impl Into<String>, items: Vec<Item>) -> Self {
        Self { title: title.into(), items, typed: String::new(), at: 0, waits: false }
    }

    /// One whose items are on their way: what is typed meanwhile counts.
    pub(super) fn awaited() -> Self {
        Self { waits: true, ..Self::new("a moment", Vec::new()) }
    }

    /// The items that have all that was typed, with or without capitals.
    pub fn left(&self) -> impl Iterator<Item = &Item> {
        let words: Vec<String> =
            self.typed.to_lowercase().split_whitespace().map(str::to_owned).collect();
        self.items.iter().filter(move |item| {
            let text = format!("{} {}", item.label, item.note).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    }

    /// What would be chosen.
    pub fn here(&self) -> Option<&Pick> {
        self.left().nth(self.at).map(|item| &item.pick)
    }

    pub(super) fn step(&mut self, by: isize) {
        let last = self.left().count().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_narrows_by_words_in_any_order() {
        let item = |label: &str, note: &str, t| Item {
            label: label.into(),
            note: note.into(),
            pick: Pick::Threshold(t),
        };
        let mut menu =
            Menu::new("", vec![item("Small writes", "s", 0.1), item("large writes", "l", 0.2)]);
        menu.step(5);
        assert_eq!(menu.here(), Some(&Pick::Threshold(0.2)));
        menu.typed = "wri small".into();
        menu.step(0);
        assert_eq!((menu.left().count(), menu.here()), (1, Some(&Pick::Threshold(0.1))));
        menu.typed = "none".into();
        assert_eq!(menu.here(), None);
    }
}

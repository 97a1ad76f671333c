//! [`Theme`]: the style of each role.

use ratatui::style::Style;

/// A theme: the style of each role. Roles that a file omits have the terminal's default style.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name, as for `--theme`.
    pub name: String,
    /// One line on its purpose; empty if its file has none.
    pub description: String,
    /// Ordinary text.
    pub text: Style,
    /// Labels and less important text.
    pub muted: Style,
    /// Lines between panes.
    pub border: Style,
    /// Titles of panes.
    pub title: Style,
    /// The small model: its mark, its bars.
    pub small: Style,
    /// The large model.
    pub large: Style,
    /// What the user did.
    pub user: Style,
    /// The cursor after text that is being generated.
    pub cursor: Style,
    /// The threshold's bar.
    pub threshold: Style,
    /// A discarded draft.
    pub discarded: Style,
    /// The selected step.
    pub selected: Style,
    /// A correct answer, or success.
    pub good: Style,
    /// A wrong answer, a failure.
    pub bad: Style,
    /// What needs attention: a pause, a spent budget, a key that is not available now.
    pub warning: Style,
    /// Names of keys.
    pub key: Style,
}

impl Theme {
    /// All roles with their names in files.
    pub(super) fn roles_mut(&mut self) -> [(&'static str, &mut Style); 15] {
        [
            ("text", &mut self.text),
            ("muted", &mut self.muted),
            ("border", &mut self.border),
            ("title", &mut self.title),
            ("small", &mut self.small),
            ("large", &mut self.large),
            ("user", &mut self.user),
            ("cursor", &mut self.cursor),
            ("threshold", &mut self.threshold),
            ("discarded", &mut self.discarded),
            ("selected", &mut self.selected),
            ("good", &mut self.good),
            ("bad", &mut self.bad),
            ("warning", &mut self.warning),
            ("key", &mut self.key),
        ]
    }
}

//! Themes: roles of colour, read from `themes/*.toml`.
//!
//! A file of the same name in the user's `themes` folder wins over the embedded one. Meaning never
//! hangs on colour alone: writers are marked `S` and `L`, the threshold is a bar of its own.

mod capabilities;
mod load;
#[cfg(test)]
mod tests;

use ratatui::style::Style;

pub use capabilities::{Colours, Glyphs};
pub use load::theme_names;

/// The style of each role. What a file leaves out is plain.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name, as `--theme` takes it.
    pub name: String,
    /// What it is made for, in one line; empty if its file does not say.
    pub description: String,
    /// Ordinary text.
    pub text: Style,
    /// Labels and what matters less.
    pub muted: Style,
    /// Lines between panes.
    pub border: Style,
    /// Titles of panes.
    pub title: Style,
    /// The small model: its mark, its bars.
    pub small: Style,
    /// The large model.
    pub large: Style,
    /// A person's doing.
    pub user: Style,
    /// The mark after text that is being written.
    pub cursor: Style,
    /// The threshold's bar.
    pub threshold: Style,
    /// A draft that was not kept.
    pub discarded: Style,
    /// The selected step.
    pub selected: Style,
    /// A right answer, work in order.
    pub good: Style,
    /// A wrong answer, a failure.
    pub bad: Style,
    /// What needs attention: pause, spent budget, a key that does not fit now.
    pub warning: Style,
    /// Names of keys.
    pub key: Style,
}

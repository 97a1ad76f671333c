//! Themes: a style for each role on the screen, read from `themes/*.toml`.
//!
//! A file of the same name in the user's `themes` folder takes precedence over the one inside the binary. No information
//! depends on colour alone: steps are marked `S` and `L`, and the threshold has its own bar.

mod capabilities;
mod load;
mod styles;
#[cfg(test)]
mod tests;

pub use capabilities::{Colours, Glyphs};
pub use load::theme_names;
pub use styles::Theme;

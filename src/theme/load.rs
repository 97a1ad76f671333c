//! Themes by name or path.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use rust_embed::Embed;
use serde::Deserialize;

use super::capabilities::Colours;
use super::styles::Theme;
use crate::config::{FileError, NamedFile, file_names};

/// The themes inside the binary.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/themes"]
#[include = "*.toml"]
struct Embedded;

impl Theme {
    /// The theme of this name or path, reduced to the colours of this terminal. Without a name it is `mono` if the
    /// terminal has no colours or `NO_COLOR` is set, else `default`. `folder` has the user's themes.
    ///
    /// # Errors
    /// If it cannot be found, read or parsed.
    pub fn load_for_terminal(name: Option<&str>, folder: &Path) -> Result<Self, FileError> {
        let colours = Colours::detect(|variable| std::env::var(variable).ok());
        let fallback = if colours == Colours::None { "mono" } else { "default" };
        Self::load(name.unwrap_or(fallback), folder).map(|theme| theme.reduced(colours))
    }

    /// The theme of this name or path, with all its colours.
    ///
    /// # Errors
    /// As for [`Theme::load_for_terminal`].
    pub fn load(name: &str, folder: &Path) -> Result<Self, FileError> {
        let file = NamedFile::find::<Embedded>("theme", name, folder)?;
        let ThemeFile { description, roles } = file.parse()?;
        Ok(roles.theme(file.name().into_owned(), description))
    }
}

/// Names that [`Theme::load`] accepts, sorted: those of the user and those inside the binary.
pub fn theme_names(folder: &Path) -> Vec<String> {
    file_names::<Embedded>(folder)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    #[serde(default)]
    description: String,
    roles: RoleStyles,
}

/// The table `roles` of a file; see [`Theme`] for their meaning.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RoleStyles {
    text: StyleSpec,
    muted: StyleSpec,
    border: StyleSpec,
    title: StyleSpec,
    small: StyleSpec,
    large: StyleSpec,
    #[serde(alias = "person")]
    user: StyleSpec,
    cursor: StyleSpec,
    threshold: StyleSpec,
    discarded: StyleSpec,
    selected: StyleSpec,
    good: StyleSpec,
    bad: StyleSpec,
    warning: StyleSpec,
    key: StyleSpec,
}

impl RoleStyles {
    fn theme(self, name: String, description: String) -> Theme {
        let RoleStyles {
            text,
            muted,
            border,
            title,
            small,
            large,
            user,
            cursor,
            threshold,
            discarded,
            selected,
            good,
            bad,
            warning,
            key,
        } = self;
        Theme {
            name,
            description,
            text: text.style(),
            muted: muted.style(),
            border: border.style(),
            title: title.style(),
            small: small.style(),
            large: large.style(),
            user: user.style(),
            cursor: cursor.style(),
            threshold: threshold.style(),
            discarded: discarded.style(),
            selected: selected.style(),
            good: good.style(),
            bad: bad.style(),
            warning: warning.style(),
            key: key.style(),
        }
    }
}

/// One style in a file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
struct StyleSpec {
    fg: Option<ColourSpec>,
    bg: Option<ColourSpec>,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
    reversed: bool,
    crossed_out: bool,
}

impl StyleSpec {
    fn style(&self) -> Style {
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underlined, Modifier::UNDERLINED),
            (self.reversed, Modifier::REVERSED),
            (self.crossed_out, Modifier::CROSSED_OUT),
        ];
        let on = modifiers.into_iter().filter_map(|(on, modifier)| on.then_some(modifier));
        Style {
            fg: self.fg.as_ref().map(|colour| colour.0),
            bg: self.bg.as_ref().map(|colour| colour.0),
            ..Style::new().add_modifier(on.collect())
        }
    }
}

/// A colour by name, by number, or as `#rrggbb`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ColourSpec(Color);

impl TryFrom<String> for ColourSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!(
                "`{text}` is not a colour: use a name such as `cyan` or `light-blue`, a number from \
                 \"0\" to \"255\", or `#rrggbb`"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_themes_load() {
        let home = tempfile::tempdir().unwrap();
        let names = theme_names(home.path());
        let known = ["colour-blind", "default", "dusk", "high-contrast", "light", "mono"];
        assert_eq!(names, known);
        for name in names {
            let theme = Theme::load(&name, home.path()).unwrap();
            assert_eq!(theme.name, name);
            assert_ne!(theme.small, theme.large, "{name}");
        }
    }

    #[test]
    fn mono_has_no_colour() {
        let home = tempfile::tempdir().unwrap();
        let theme = Theme::load("mono", home.path()).unwrap();
        assert_eq!(theme.clone().reduced(Colours::None), theme);
    }

    #[test]
    fn users_files_take_precedence() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("default.toml");
        std::fs::write(file, "[roles]\nsmall = { fg = \"#102030\", bold = true }\n").unwrap();
        let theme = Theme::load("default", home.path()).unwrap();
        assert_eq!(theme.small, Style::new().fg(Color::Rgb(16, 32, 48)).bold());
        assert_eq!(theme.large, Style::new());
    }

    #[test]
    fn errors_name_the_position_and_the_remedy() {
        let home = tempfile::tempdir().unwrap();
        let message = |text: &str| {
            std::fs::write(home.path().join("mine.toml"), text).unwrap();
            Theme::load("mine", home.path()).unwrap_err().to_string()
        };
        let unknown = Theme::load("mime", home.path()).unwrap_err().to_string();
        assert!(unknown.contains("no theme `mime`"), "{unknown}");
        assert!(unknown.contains("default, dusk, high-contrast, light, mono"), "{unknown}");

        let colour = message("[roles]\nsmall = { fg = \"cyam\" }\n");
        assert!(
            colour.contains("mine.toml, line 2, column 16: `cyam` is not a colour"),
            "{colour}"
        );

        let key = message("[roles]\nsmal = { fg = \"cyan\" }\n");
        assert!(key.contains("line 2, column 1: unknown field `smal`"), "{key}");
        assert!(key.contains("correct its spelling"), "{key}");

        let outside = Theme::load("../mine", home.path()).unwrap_err();
        assert!(matches!(outside, FileError::Unknown { .. }), "{outside}");
        let missing = Theme::load("none.toml", home.path()).unwrap_err().to_string();
        assert!(missing.ends_with("none.toml: there is no such file"), "{missing}");
    }

    #[test]
    fn the_former_name_of_a_role_loads() {
        let home = tempfile::tempdir().unwrap();
        let user = |role: &str| {
            let text = format!("[roles]\n{role} = {{ fg = \"yellow\" }}\n");
            std::fs::write(home.path().join("mine.toml"), text).unwrap();
            Theme::load("mine", home.path()).unwrap().user
        };
        assert_eq!(user("person"), user("user"));
        assert_eq!(user("person").fg, Some(Color::Yellow));
    }
}

//! Reading themes, with errors that say where and what to do.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ratatui::style::{Color, Modifier, Style};
use rust_embed::Embed;
use serde::Deserialize;
use thiserror::Error;

use super::{Colours, Theme};

/// The themes inside the binary.
#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/themes"]
#[include = "*.toml"]
struct Embedded;

/// Why a theme cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ThemeError {
    #[error(
        "there is no theme `{name}`: choose one of {known}, give the path of a .toml file, or put `{name}.toml` into {folder}"
    )]
    Unknown { name: String, known: String, folder: PathBuf },
    #[error("cannot read theme {path}: {reason}")]
    Read { path: PathBuf, reason: String },
    #[error("theme {path}, line {line}, column {column}: {reason}")]
    Syntax { path: PathBuf, line: usize, column: usize, reason: String },
}

impl Theme {
    /// The theme of that name or path, in the colours that this terminal has; without a name,
    /// `mono` where the environment says NO_COLOR, else `default`.
    ///
    /// # Errors
    /// When there is none, or its file cannot be read or understood; the sentence says where and
    /// what to do.
    pub fn choose(name: Option<&str>, config: &Path) -> Result<Self, ThemeError> {
        let colours = Colours::detect(|variable| std::env::var(variable).ok());
        let fallback = if colours == Colours::None { "mono" } else { "default" };
        Self::load(name.unwrap_or(fallback), config).map(|theme| theme.reduced(colours))
    }

    /// The theme of that name or path as its file has it. A path ends with `.toml`; a name is
    /// looked for in the folder `themes` below `config`, then inside the binary.
    ///
    /// # Errors
    /// As for [`Theme::choose`].
    pub fn load(name: &str, config: &Path) -> Result<Self, ThemeError> {
        let path = Path::new(name);
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = read(path)?.ok_or_else(|| ThemeError::Read {
                path: path.into(),
                reason: "there is no such file".into(),
            })?;
            return parse(path, &text);
        }
        let folder = config.join("themes");
        // A name stays inside the folder.
        if !name.contains(std::path::is_separator) {
            let file = format!("{name}.toml");
            let own = folder.join(&file);
            if let Some(text) = read(&own)? {
                return parse(&own, &text);
            }
            if let Some(embedded) = Embedded::get(&file) {
                return parse(Path::new(&file), &String::from_utf8_lossy(&embedded.data));
            }
        }
        let known = theme_names(config).join(", ");
        Err(ThemeError::Unknown { name: name.into(), known, folder })
    }
}

/// Names that [`Theme::load`] takes, sorted: those inside the binary and the user's. A folder that
/// cannot be read counts as empty.
pub fn theme_names(config: &Path) -> Vec<String> {
    let own = std::fs::read_dir(config.join("themes")).into_iter().flatten().flatten();
    let own = own.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let names = Embedded::iter().map(|file| file.to_string()).chain(own);
    let stems = names.filter_map(|file| file.strip_suffix(".toml").map(str::to_owned));
    stems.collect::<BTreeSet<_>>().into_iter().collect()
}

fn read(path: &Path) -> Result<Option<String>, ThemeError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ThemeError::Read { path: path.into(), reason: error.to_string() }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Theme, ThemeError> {
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let file: File = toml::from_str(text).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start).min(text.len())];
        let mut reason = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        if reason.starts_with("unknown field") {
            let _ = write!(reason, "; remove it or correct its spelling");
        }
        ThemeError::Syntax {
            path: path.into(),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|&c| c != '\n').count() + 1,
            reason,
        }
    })?;
    let Roles {
        text,
        muted,
        border,
        title,
        small,
        large,
        person,
        cursor,
        threshold,
        discarded,
        selected,
        good,
        bad,
        warning,
        key,
    } = file.roles;
    Ok(Theme {
        name: name.unwrap_or_default(),
        text: text.style(),
        muted: muted.style(),
        border: border.style(),
        title: title.style(),
        small: small.style(),
        large: large.style(),
        person: person.style(),
        cursor: cursor.style(),
        threshold: threshold.style(),
        discarded: discarded.style(),
        selected: selected.style(),
        good: good.style(),
        bad: bad.style(),
        warning: warning.style(),
        key: key.style(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    roles: Roles,
}

/// The roles as a file has them; see [`Theme`] for their meaning.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Roles {
    text: Look,
    muted: Look,
    border: Look,
    title: Look,
    small: Look,
    large: Look,
    person: Look,
    cursor: Look,
    threshold: Look,
    discarded: Look,
    selected: Look,
    good: Look,
    bad: Look,
    warning: Look,
    key: Look,
}

/// One style as a file has it.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Look {
    fg: Option<Paint>,
    bg: Option<Paint>,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
    reversed: bool,
    crossed_out: bool,
}

impl Look {
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
            fg: self.fg.as_ref().map(|paint| paint.0),
            bg: self.bg.as_ref().map(|paint| paint.0),
            ..Style::new().add_modifier(on.collect())
        }
    }
}

/// A colour by name, number or hexadecimal digits.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Paint(Color);

impl TryFrom<String> for Paint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!(
                "`{text}` is no colour: use a name such as `cyan` or `light-blue`, a number from \
                 \"0\" to \"255\", or `#rrggbb`"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("themes")).unwrap();
        home
    }

    #[test]
    fn embedded_themes_load() {
        let home = home();
        let names = theme_names(home.path());
        assert_eq!(names, ["default", "high-contrast", "light", "mono"]);
        for name in names {
            let theme = Theme::load(&name, home.path()).unwrap();
            assert_eq!(theme.name, name);
            assert_ne!(theme.small, theme.large, "{name}");
        }
    }

    #[test]
    fn mono_has_no_colour() {
        let home = home();
        let theme = Theme::load("mono", home.path()).unwrap();
        assert_eq!(theme.clone().reduced(Colours::None), theme);
    }

    #[test]
    fn users_file_wins() {
        let home = home();
        let file = home.path().join("themes/default.toml");
        std::fs::write(file, "[roles]\nsmall = { fg = \"#102030\", bold = true }\n").unwrap();
        let theme = Theme::load("default", home.path()).unwrap();
        assert_eq!(theme.small, Style::new().fg(Color::Rgb(16, 32, 48)).bold());
        assert_eq!(theme.large, Style::new());
    }

    #[test]
    fn errors_say_where_and_what_to_do() {
        let home = home();
        let message = |text: &str| {
            std::fs::write(home.path().join("themes/mine.toml"), text).unwrap();
            Theme::load("mine", home.path()).unwrap_err().to_string()
        };
        let unknown = Theme::load("mime", home.path()).unwrap_err().to_string();
        assert!(unknown.contains("no theme `mime`"), "{unknown}");
        assert!(unknown.contains("default, high-contrast, light, mono"), "{unknown}");

        let colour = message("[roles]\nsmall = { fg = \"cyam\" }\n");
        assert!(colour.contains("mine.toml, line 2, column 16: `cyam` is no colour"), "{colour}");

        let key = message("[roles]\nsmal = { fg = \"cyan\" }\n");
        assert!(key.contains("line 2, column 1: unknown field `smal`"), "{key}");
        assert!(key.contains("correct its spelling"), "{key}");

        let outside = Theme::load("../themes/mine", home.path()).unwrap_err();
        assert!(matches!(outside, ThemeError::Unknown { .. }), "{outside}");
        let missing = Theme::load("none.toml", home.path()).unwrap_err().to_string();
        assert!(missing.ends_with("none.toml: there is no such file"), "{missing}");
    }
}

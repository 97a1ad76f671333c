//! What a terminal can show: how many colours, and which characters.

use ratatui::style::{Color, Style};

use super::styles::Theme;

/// How many colours a terminal has, fewest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colours {
    /// No colours available or wanted: modifiers only.
    None,
    /// The 16 colours of ANSI.
    Sixteen,
    /// The 256 colours of xterm.
    Palette,
    /// 24 bits of colour.
    TrueColour,
}

impl Colours {
    /// Reads `NO_COLOR`, `COLORTERM` and `TERM`; `variable` looks up an environment variable.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default();
        let term = value("TERM");
        if !value("NO_COLOR").is_empty() || term == "dumb" {
            Self::None
        } else if matches!(value("COLORTERM").as_str(), "truecolor" | "24bit") {
            Self::TrueColour
        } else if term.contains("256color") {
            Self::Palette
        } else {
            Self::Sixteen
        }
    }
}

/// Which characters a terminal can draw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Box drawing and blocks.
    #[default]
    Unicode,
    /// ASCII only; the models' text is transliterated.
    Ascii,
}

impl Glyphs {
    /// Unicode if the locale of the environment is UTF-8 or not set.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"];
        let locale = locale.into_iter().filter_map(variable).find(|value| !value.is_empty());
        match locale.map(|value| value.to_ascii_lowercase()) {
            Some(value) if !value.contains("utf-8") && !value.contains("utf8") => Self::Ascii,
            _ => Self::Unicode,
        }
    }
}

impl Theme {
    /// The theme reduced to this many colours.
    #[must_use]
    pub fn reduced(mut self, colours: Colours) -> Self {
        for (_, role) in self.roles_mut() {
            let Style { fg, bg, .. } = *role;
            role.fg = fg.and_then(|colour| reduce_colour(colour, colours));
            role.bg = bg.and_then(|colour| reduce_colour(colour, colours));
        }
        self
    }
}

fn reduce_colour(colour: Color, colours: Colours) -> Option<Color> {
    match (colours, colour) {
        (Colours::None, _) => None,
        (Colours::Palette, Color::Rgb(r, g, b)) => {
            Some(Color::Indexed(nearest_cube_index(r, g, b)))
        }
        (Colours::Sixteen, Color::Rgb(r, g, b)) => Some(nearest_ansi(r, g, b)),
        (Colours::Sixteen, Color::Indexed(index)) => {
            let (r, g, b) = indexed_rgb(index);
            Some(nearest_ansi(r, g, b))
        }
        _ => Some(colour),
    }
}

/// Levels of the palette's 6 × 6 × 6 cube.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_cube_index(r: u8, g: u8, b: u8) -> u8 {
    let level = |v: u8| {
        let nearest = (0u8..6).min_by_key(|&i| LEVELS[usize::from(i)].abs_diff(v));
        nearest.unwrap_or_default()
    };
    16 + 36 * level(r) + 6 * level(g) + level(b)
}

/// A colour's red, green and blue, with xterm's values for the colours of ANSI; `None` for the terminal's default.
#[cfg(test)]
pub(super) fn rgb_of(colour: Color) -> Option<(u8, u8, u8)> {
    match colour {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(index) => Some(indexed_rgb(index)),
        named => ANSI.iter().find(|(known, _)| *known == named).map(|(_, value)| *value),
    }
}

fn indexed_rgb(index: u8) -> (u8, u8, u8) {
    match index {
        0..16 => ANSI[usize::from(index)].1,
        16..232 => {
            let i = usize::from(index - 16);
            (LEVELS[i / 36], LEVELS[i / 6 % 6], LEVELS[i % 6])
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

/// The colours of ANSI with the values of xterm.
const ANSI: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
];

fn nearest_ansi(r: u8, g: u8, b: u8) -> Color {
    let distance = |(x, y, z): (u8, u8, u8)| {
        [r.abs_diff(x), g.abs_diff(y), b.abs_diff(z)]
            .map(|d| u32::from(d).pow(2))
            .iter()
            .sum::<u32>()
    };
    // The nearest to a soft colour is often a grey, which would lose the meaning.
    let spread = |(x, y, z): (u8, u8, u8)| x.max(y).max(z) - x.min(y).min(z);
    let coloured = spread((r, g, b)) >= 64;
    ANSI.iter()
        .filter(|(_, value)| !coloured || spread(*value) > 0)
        .min_by_key(|(_, value)| distance(*value))
        .map_or(Color::Reset, |(colour, _)| *colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_read_from_the_environment() {
        let colours = |pairs: &[(&str, &str)]| {
            Colours::detect(|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(colours(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), Colours::TrueColour);
        assert_eq!(colours(&[("TERM", "screen-256color")]), Colours::Palette);
        assert_eq!(colours(&[("TERM", "linux")]), Colours::Sixteen);
        assert_eq!(colours(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), Colours::None);
        assert_eq!(colours(&[("NO_COLOR", "")]), Colours::Sixteen);

        let glyphs = |lang: &str| Glyphs::detect(|name| (name == "LANG").then(|| lang.to_owned()));
        assert_eq!(glyphs("en_GB.UTF-8"), Glyphs::Unicode);
        assert_eq!(glyphs("POSIX"), Glyphs::Ascii);
        assert_eq!(Glyphs::detect(|_| None), Glyphs::Unicode);
    }

    #[test]
    fn colours_are_reduced_to_the_nearest() {
        let orange = Color::Rgb(250, 130, 0);
        assert_eq!(reduce_colour(orange, Colours::TrueColour), Some(orange));
        assert_eq!(reduce_colour(orange, Colours::Palette), Some(Color::Indexed(208)));
        assert_eq!(reduce_colour(Color::Indexed(201), Colours::Sixteen), Some(Color::LightMagenta));
        assert_eq!(reduce_colour(Color::Cyan, Colours::Sixteen), Some(Color::Cyan));
        assert_eq!(reduce_colour(orange, Colours::None), None);
        let soft = Color::Rgb(240, 140, 200);
        assert_eq!(reduce_colour(soft, Colours::Sixteen), Some(Color::Magenta), "no grey");
        assert_eq!(
            reduce_colour(Color::Rgb(128, 120, 125), Colours::Sixteen),
            Some(Color::DarkGray)
        );
    }
}

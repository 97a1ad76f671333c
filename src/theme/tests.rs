//! Requirements for all themes inside the binary.

use std::collections::BTreeSet;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};

use super::capabilities::rgb_of;
use super::{Colours, Theme, theme_names};

type Rgb = (u8, u8, u8);

fn all() -> Vec<Theme> {
    let nowhere = Path::new("/nowhere");
    theme_names(nowhere).iter().map(|name| Theme::load(name, nowhere).unwrap()).collect()
}

/// Linear red, green and blue in [0, 1], from sRGB.
fn linear((r, g, b): Rgb) -> [f64; 3] {
    [r, g, b].map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    })
}

/// Contrast ratio of WCAG 2, from 1 to 21.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |c| linear(c).iter().zip([0.2126, 0.7152, 0.0722]).map(|(v, w)| v * w).sum();
    let (a, b): (f64, f64) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The distance of two colours in hue and chroma (a* and b* of CIELAB) for an eye whose vision is the matrix `sees`.
fn difference(sees: [[f64; 3]; 3], a: Rgb, b: Rgb) -> f64 {
    let plane = |colour| {
        let light = linear(colour);
        let through = |row: [f64; 3]| row.iter().zip(light).map(|(w, v)| w * v).sum::<f64>();
        let [r, g, b] = sees.map(through).map(|v| v.clamp(0.0, 1.0));
        let root = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = root(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        (500.0 * (x - y), 200.0 * (y - z))
    };
    let (one, other) = (plane(a), plane(b));
    (one.0 - other.0).hypot(one.1 - other.1)
}

/// Colour blindness by Machado, Oliveira and Fernandes (2009), severity 1.
const PROTANOPE: [[f64; 3]; 3] = [
    [0.152_286, 1.052_583, -0.204_868],
    [0.114_503, 0.786_281, 0.099_216],
    [-0.003_882, -0.048_116, 1.051_998],
];
const DEUTERANOPE: [[f64; 3]; 3] = [
    [0.367_322, 0.860_646, -0.227_968],
    [0.280_085, 0.672_501, 0.047_413],
    [-0.011_820, 0.042_940, 0.968_881],
];

fn foreground(style: Style) -> Rgb {
    style.fg.and_then(rgb_of).unwrap()
}

#[test]
fn every_theme_sets_every_role() {
    let wanted: BTreeSet<&str> = all()[0].roles_mut().map(|(name, _)| name).into();
    for name in theme_names(Path::new("/nowhere")) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("themes/{name}.toml"));
        let file: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        let roles: BTreeSet<&str> =
            file["roles"].as_table().unwrap().keys().map(String::as_str).collect();
        assert_eq!(roles, wanted, "{name}");
    }
}

/// Roles that have no sign of their own on the screen must differ without colour.
#[test]
fn roles_without_a_sign_differ_without_colour() {
    for theme in all() {
        let name = theme.name.clone();
        let plain = theme.reduced(Colours::None);
        for (role, style) in
            [("cursor", plain.cursor), ("selected", plain.selected), ("discarded", plain.discarded)]
        {
            assert!(!style.add_modifier.is_empty(), "{name}: {role}");
        }
        assert!(plain.cursor.add_modifier.contains(Modifier::REVERSED), "{name}");
    }
}

#[test]
fn pairs_of_roles_differ_at_every_colour_depth() {
    for theme in all() {
        for colours in [Colours::Sixteen, Colours::Palette, Colours::TrueColour] {
            let theme = theme.clone().reduced(colours);
            let pairs = [
                ("small, large", theme.small, theme.large),
                ("good, bad", theme.good, theme.bad),
                ("user, small", theme.user, theme.small),
                ("user, large", theme.user, theme.large),
                ("selected, text", theme.selected, theme.text),
                ("discarded, text", theme.discarded, theme.text),
            ];
            for (what, one, other) in pairs {
                assert_ne!(one, other, "{}: {what} at {colours:?}", theme.name);
            }
        }
    }
}

#[test]
fn contrast_is_sufficient() {
    let mut judged = 0;
    for mut theme in all() {
        let name = theme.name.clone();
        // A theme without its own background is checked only if it is for a known one.
        let background = match (theme.text.bg, name.as_str()) {
            (Some(background), _) => rgb_of(background).unwrap(),
            (None, "light") => (255, 255, 255),
            (None, _) => continue,
        };
        for (role, style) in theme.roles_mut() {
            let Some(foreground) = style.fg.and_then(rgb_of) else { continue };
            let background = style.bg.and_then(rgb_of).unwrap_or(background);
            // WCAG minimum for text; lower for lines and for text that may be skipped.
            let least = if matches!(role, "border" | "discarded") { 3.0 } else { 4.5 };
            let got = contrast(foreground, background);
            assert!(got >= least, "{name}: {role} has a contrast of {got:.2}");
            judged += 1;
        }
    }
    assert!(judged > 50, "{judged}");
    assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
}

#[test]
fn the_colour_blind_theme_is_distinguishable() {
    let load = |name| Theme::load(name, Path::new("/nowhere")).unwrap();
    let theme = load("colour-blind");
    for (eye, sees) in [("protanope", PROTANOPE), ("deuteranope", DEUTERANOPE)] {
        let pairs = [
            ("small, large", theme.small, theme.large),
            ("good, bad", theme.good, theme.bad),
            ("small, user", theme.small, theme.user),
        ];
        for (what, one, other) in pairs {
            let got = difference(sees, foreground(one), foreground(other));
            assert!(got > 60.0, "{what} are {got:.0} apart to a {eye}");
        }
        // Check of the measure: red and green are hard to distinguish.
        let dusk = load("dusk");
        let got = difference(sees, foreground(dusk.good), foreground(dusk.bad));
        assert!(got < 40.0, "{got:.0} to a {eye}");
    }
    let usual = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    assert!(difference(usual, (95, 208, 128), (255, 104, 104)) > 60.0);
    let orange = Color::Rgb(230, 159, 0);
    assert_eq!(theme.large.fg, Some(orange));
}

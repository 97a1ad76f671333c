//! Reference tables of the manual, generated from the tables that the program itself uses.

use clap::ValueEnum;

use super::error::CommandResult;
use crate::config::{DraftLength, Folders, load_preset, preset_names};
use crate::engine::TokenStats;
use crate::engine::{ENGINE_KINDS, EngineKind};
use crate::evaluation::COLUMN_LEGEND;
use crate::routing::{AcceptedDrafts, ROUTERS, feature_specs};
use crate::tasks::reference_table;
use crate::theme::{Theme, theme_names};
use crate::workbench::Keymap;

/// A reference table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Reference {
    /// Kinds of models, by the `source` of a preset
    Engines,
    /// Default keys of the workbench
    Keys,
    /// Columns of the table that `eval` prints
    Metrics,
    /// Routers
    Routers,
    /// Features that a policy sees
    Features,
    /// Presets, including your own
    Presets,
    /// Task sets
    Tasks,
    /// Themes, including your own
    Themes,
}

impl Reference {
    /// The table, in Markdown.
    ///
    /// # Errors
    /// A usage error if a preset or theme of the user is invalid.
    pub(super) fn to_markdown(self, folders: &Folders) -> CommandResult<String> {
        match self {
            Self::Engines => Ok(engines()),
            Self::Keys => Ok(Keymap::default().to_markdown()),
            Self::Metrics => Ok(metrics()),
            Self::Routers => Ok(routers()),
            Self::Features => Ok(features()),
            Self::Presets => presets(folders),
            Self::Tasks => Ok(reference_table()),
            Self::Themes => themes(folders),
        }
    }
}

fn engines() -> String {
    let header = ["`source`, e.g.", "what it is", "token statistics", "scores drafts", "reuses"];
    table(
        header,
        ENGINE_KINDS.iter().map(|kind| {
            let EngineKind { source_form, help, token_stats, prefix_reuse, .. } = kind;
            let scores = if kind.can_score_text { "yes" } else { "no" };
            [
                code(source_form),
                (*help).to_owned(),
                token_stats.to_string(),
                scores.to_owned(),
                prefix_reuse.to_string(),
            ]
        }),
    )
}

fn metrics() -> String {
    let row = |(name, meaning): (&str, &str)| [name.to_owned(), meaning.to_owned()];
    table(["column", "meaning"], COLUMN_LEGEND.map(row))
}

fn routers() -> String {
    let rows = ROUTERS.iter().map(|spec| {
        let draft = match (spec.requirements.accepted_drafts, spec.requirements.draft_length) {
            (AcceptedDrafts::OwnLength, _) => "as trained".to_owned(),
            (_, DraftLength::Tokens(0)) => "none".to_owned(),
            (_, DraftLength::Tokens(1)) => "1 token".to_owned(),
            (_, DraftLength::Tokens(n)) => format!("{n} tokens"),
            (_, DraftLength::Step) => "the step".to_owned(),
        };
        let needs = [
            (spec.needs_mixture(), "a fitted mixture"),
            (spec.needs_policy() && !spec.needs_mixture(), "a trained policy"),
            (spec.requirements.scored_draft, "a large model that scores drafts"),
            (spec.requirements.solution, "the solution"),
        ];
        let needs = needs.iter().filter(|(is_needed, _)| *is_needed).map(|(_, what)| *what);
        let needs = token_stats(spec.requirements.token_stats).into_iter().chain(needs);
        [
            code(spec.name),
            spec.summary.to_owned(),
            spec.formula.to_owned(),
            draft,
            needs.collect::<Vec<_>>().join(", "),
        ]
    });
    table(["router", "chooses by", "p(large)", "draft", "needs"], rows)
}

fn features() -> String {
    let rows = feature_specs().map(|spec| {
        let name = if spec.is_family() { format!("{}.*", spec.name) } else { spec.name.to_owned() };
        let range = match spec.unit {
            "" => spec.range.to_owned(),
            unit => format!("{}, in {unit}", spec.range),
        };
        let needs = token_stats(spec.needs).unwrap_or_default().to_owned();
        [code(&name), spec.meaning.to_owned(), range, needs]
    });
    table(["feature", "meaning", "range", "needs"], rows)
}

/// What a small model must report of its tokens.
fn token_stats(needed: TokenStats) -> Option<&'static str> {
    match needed {
        TokenStats::None => None,
        TokenStats::Logprobs => Some("log-probabilities"),
        TokenStats::Distribution => Some("distributions"),
    }
}

fn presets(folders: &Folders) -> CommandResult<String> {
    let rows = preset_names(folders).into_iter().map(|name| {
        let preset = load_preset(&name, folders)?;
        Ok([code(&name), preset.description])
    });
    Ok(table(["preset", "models and use"], rows.collect::<CommandResult<Vec<_>>>()?))
}

fn themes(folders: &Folders) -> CommandResult<String> {
    let folder = folders.themes();
    let rows = theme_names(&folder).into_iter().map(|name| {
        let theme = Theme::load(&name, &folder)?;
        Ok([code(&name), theme.description])
    });
    Ok(table(["theme", "for"], rows.collect::<CommandResult<Vec<_>>>()?))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A Markdown table. A bar inside a cell would end the cell, so it is escaped.
fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| format!("| {} |\n", cells.join(" | "));
    let escaped = |cell: String| cell.replace('|', "\\|");
    let mut text = line(header.map(str::to_owned));
    text.extend(["|", &"---|".repeat(N), "\n"]);
    text.extend(rows.into_iter().map(|row| line(row.map(escaped))));
    text
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    /// Environment variable that makes the test rewrite the manual.
    const UPDATE: &str = "UPDATE_DOCS";
    const END: &str = "<!-- end -->";

    fn name(reference: Reference) -> String {
        reference.to_possible_value().unwrap().get_name().to_owned()
    }

    /// The page with the block replaced; `None` if it has no such block.
    fn with_block(page: &str, name: &str, table: &str) -> Option<String> {
        let marker = format!("<!-- generated: {name} -->\n");
        let start = page.find(&marker)? + marker.len();
        let end = start + page[start..].find(END)?;
        Some(format!("{}{table}{}", &page[..start], &page[end..]))
    }

    #[test]
    fn the_manual_has_the_tables_of_the_program() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path()).unwrap();
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let pages: Vec<PathBuf> =
            std::fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().path()).collect();
        for reference in Reference::value_variants() {
            let name = name(*reference);
            let table = reference.to_markdown(&folders).unwrap();
            let mut is_found = false;
            for path in &pages {
                let page = std::fs::read_to_string(path).unwrap();
                let Some(current) = with_block(&page, &name, &table) else { continue };
                is_found = true;
                if std::env::var_os(UPDATE).is_some() {
                    std::fs::write(path, current).unwrap();
                } else {
                    assert!(
                        page == current,
                        "{}: table `{name}` is out of date: run `{UPDATE}=1 cargo test --release --lib the_manual`",
                        path.display()
                    );
                }
            }
            assert!(is_found, "no page has a block `<!-- generated: {name} -->`");
        }
    }

    #[test]
    fn bars_do_not_end_cells() {
        let text = table(["a", "b"], [["x|y".to_owned(), String::new()]]);
        assert_eq!(text, "| a | b |\n|---|---|\n| x\\|y |  |\n");
    }
}

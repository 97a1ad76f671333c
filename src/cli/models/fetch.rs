//! `pointsman models fetch`.

use std::collections::BTreeSet;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use thiserror::Error;

use super::named;
use crate::cli::options::Common;
use crate::cli::style::bytes;
use crate::cli::{Outcome, style};
use crate::config::{Folders, Preset};
use crate::engine::hub::{self, Headway, Wanted};
use crate::engine::{is_hub_id, is_on_hub};
use crate::episode::Role;

/// What was named has nothing to fetch.
#[derive(Debug, Error)]
#[error(
    "preset {0} has no model of the Hugging Face hub, so there is nothing to fetch: name another preset, or an id such as Qwen/Qwen2.5-Math-7B-Instruct"
)]
pub struct NoHubModel(String);

/// Fetches what presets and ids need, one after the other.
///
/// # Errors
/// At the first that cannot be fetched; those before it are here.
pub(super) fn run(
    what: &[String],
    json: bool,
    common: &Common,
    folders: &Folders,
) -> anyhow::Result<Outcome> {
    let mut wanted = BTreeSet::new();
    let presets = if what.is_empty() { std::slice::from_ref(&common.preset) } else { what };
    for name in presets {
        let is_file = name.ends_with(".toml") || Path::new(name).is_file();
        if is_on_hub(name) && !is_file {
            wanted.insert((name.clone(), Wanted::Model));
            continue;
        }
        let preset = named(common, Some(name.clone()), folders)?;
        let needed = needs(&preset);
        if needed.is_empty() {
            return Err(NoHubModel(preset.name).into());
        }
        wanted.extend(needed);
    }
    for (id, kind) in wanted {
        let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
            "{prefix} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta} left {msg}",
        )?);
        bar.set_prefix(id.clone());
        let mut begun = false;
        let result = hub::fetch(&id, kind, &mut |at: Headway<'_>| {
            // What was here before is no work of this run, and would spoil the rate.
            if !std::mem::replace(&mut begun, true) {
                bar.reset();
            }
            bar.set_length(at.total.max(at.done));
            bar.set_position(at.done);
            bar.set_message(style::plain(at.file));
        });
        bar.finish_and_clear();
        let fetched = result?;
        if json {
            let line = json!({
                "model": id,
                "folder": fetched.folder,
                "files": fetched.files,
                "bytes": fetched.bytes,
                "kept": fetched.kept,
                "verified": fetched.verified,
            });
            style::line(&line.to_string())?;
        } else {
            style::line(&format!(
                "{id}: {} files, {}, {} of them here before, {} compared with their SHA-256, in {}",
                fetched.files,
                bytes(fetched.bytes),
                fetched.kept,
                fetched.verified,
                fetched.folder.display()
            ))?;
        }
    }
    Ok(Outcome::Done)
}

/// What of a preset is on the hub: models, and the tokenizers of GGUF files.
fn needs(preset: &Preset) -> BTreeSet<(String, Wanted)> {
    let mut needed = BTreeSet::new();
    for role in Role::BOTH {
        let config = preset.model(role);
        if config.remote.is_some() {
            continue;
        }
        if is_on_hub(&config.source) {
            needed.insert((config.source.clone(), Wanted::Model));
        }
        let tokenizer = config.tokenizer.as_ref().filter(|source| is_on_hub(source));
        // Only a GGUF file needs another's.
        if let Some(source) = tokenizer.filter(|_| !is_hub_id(&config.source)) {
            needed.insert((source.clone(), Wanted::Tokenizer));
        }
    }
    // A model brings its tokenizer.
    let whole: Vec<String> = needed
        .iter()
        .filter(|(_, kind)| *kind == Wanted::Model)
        .map(|(id, _)| id.clone())
        .collect();
    needed.retain(|(id, kind)| *kind == Wanted::Model || !whole.contains(id));
    needed
}

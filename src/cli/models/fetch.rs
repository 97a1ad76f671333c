//! `pointsman models fetch`.

use std::collections::BTreeSet;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::cli::error::{CommandError, CommandResult, CommandStatus};
use crate::cli::options::CommonArgs;
use crate::cli::output;
use crate::cli::output::bytes;
use crate::config::{Folders, Preset};
use crate::engine::EngineKind;
use crate::engine::hub::{self, FetchProgress, FetchSet, is_hub_id, is_on_hub};
use crate::episode::Role;

/// Fetches the files of presets and models, one model after the other.
///
/// # Errors
/// If a model cannot be fetched; those before it stay in the cache.
pub(super) fn run(
    what: &[String],
    json: bool,
    common: &CommonArgs,
    folders: &Folders,
) -> CommandResult<CommandStatus> {
    let mut wanted = BTreeSet::new();
    let presets = if what.is_empty() { std::slice::from_ref(&common.preset) } else { what };
    for name in presets {
        let path = Path::new(name);
        let is_file = path.extension().is_some_and(|e| e == "toml") || path.is_file();
        if is_on_hub(name) && !is_file {
            wanted.insert((name.clone(), FetchSet::Model));
            continue;
        }
        let preset = common.preset_named(Some(name.clone()), folders)?;
        let needed = hub_sources(&preset);
        if needed.is_empty() {
            return Err(CommandError::usage(format!(
                "preset {} has no model on the Hugging Face hub, so there is nothing to fetch: name another preset, or an id such as Qwen/Qwen2.5-Math-7B-Instruct",
                preset.name
            )));
        }
        wanted.extend(needed);
    }
    for (id, kind) in wanted {
        let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
            "{prefix} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta} left {msg}",
        )?);
        bar.set_prefix(id.clone());
        let mut is_started = false;
        let result = hub::fetch(&id, kind, &mut |at: FetchProgress<'_>| {
            // Files that are already in the cache would distort the rate.
            if !std::mem::replace(&mut is_started, true) {
                bar.reset();
            }
            bar.set_length(at.total.max(at.done));
            bar.set_position(at.done);
            bar.set_message(output::strip_control_chars(at.file));
        });
        bar.finish_and_clear();
        let fetched = result?;
        if json {
            let line = json!({
                "model": id,
                "folder": fetched.folder,
                "files": fetched.files,
                "bytes": fetched.bytes,
                "already_present": fetched.already_present,
                "verified": fetched.verified,
            });
            output::print_json(&line)?;
        } else {
            output::print_line(&format!(
                "{id}: {} files, {}, in {} ({} already in the cache, {} verified by SHA-256)",
                fetched.files,
                bytes(fetched.bytes),
                fetched.folder.display(),
                fetched.already_present,
                fetched.verified
            ))?;
        }
    }
    Ok(CommandStatus::Success)
}

/// What a preset needs from the hub: models, and tokenizers for GGUF files.
fn hub_sources(preset: &Preset) -> BTreeSet<(String, FetchSet)> {
    let mut needed = BTreeSet::new();
    for role in Role::BOTH {
        let config = preset.model(role);
        if !EngineKind::of(config).is_local() {
            continue;
        }
        if is_on_hub(&config.source) {
            needed.insert((config.source.clone(), FetchSet::Model));
        }
        let tokenizer = config.tokenizer.as_ref().filter(|source| is_on_hub(source));
        // Only a GGUF file needs a tokenizer from elsewhere.
        if let Some(source) = tokenizer.filter(|_| !is_hub_id(&config.source)) {
            needed.insert((source.clone(), FetchSet::Tokenizer));
        }
    }
    // A whole model includes its tokenizer.
    let whole_models: Vec<String> = needed
        .iter()
        .filter(|(_, kind)| *kind == FetchSet::Model)
        .map(|(id, _)| id.clone())
        .collect();
    needed.retain(|(id, kind)| *kind == FetchSet::Model || !whole_models.contains(id));
    needed
}

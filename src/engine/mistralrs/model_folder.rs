//! The folder that mistral.rs loads: links to the model's files, and a `config.json` that it understands.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::safetensors::MmapedSafetensors;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engine::model_files::weight_files;
use crate::engine::model_info::{CONFIG_FILE, ConfigJson};

const GENERATION_CONFIG: &str = "generation_config.json";

/// Files that are not linked: the two that are written, and those of Mistral's own format, which mistral.rs prefers to
/// the files that were checked.
const NOT_LINKED: [&str; 4] = [CONFIG_FILE, GENERATION_CONFIG, "params.json", "tekken.json"];

/// A temporary folder for the model of `folder`. It is needed only while the model is loaded.
///
/// mistral.rs ignores some of what `config.json` says; [`ConfigJson::for_mistralrs`] says it in other words.
///
/// # Errors
/// If a file cannot be read, or the folder cannot be created.
pub(super) fn model_folder(folder: &Path) -> Result<TempDir> {
    let folder = std::path::absolute(folder)?;
    let config = ConfigJson::read(&folder)?;
    let weights = weight_files(&folder)?;
    let created = tempfile::tempdir().context("creating a temporary folder")?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        let is_weights = path.extension() == Some(OsStr::new("safetensors"));
        let is_excluded = NOT_LINKED.iter().any(|excluded| name == *excluded);
        if path.is_file() && !is_excluded && (!is_weights || weights.contains(&path)) {
            link(&path, &created.path().join(name))
                .with_context(|| format!("linking {}", path.display()))?;
        }
    }
    let write = |name: &str, value: &Value| fs::write(created.path().join(name), value.to_string());
    write(CONFIG_FILE, &config.for_mistralrs(has_output_tensor(&weights)?))?;
    if let Some(ids) = end_of_text(&folder, &config)? {
        write(GENERATION_CONFIG, &json!({ "eos_token_id": ids }))?;
    }
    Ok(created)
}

/// The ids that end a text: those of `generation_config.json`, else of `config.json`, which mistral.rs does not read.
fn end_of_text(folder: &Path, config: &ConfigJson) -> Result<Option<Value>> {
    let path = folder.join(GENERATION_CONFIG);
    let generation: Value = if path.is_file() {
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is invalid JSON", path.display()))?
    } else {
        Value::Null
    };
    let found = [&generation["eos_token_id"], config.end_of_text()];
    Ok(found.into_iter().find(|ids| !ids.is_null()).cloned())
}

fn has_output_tensor(weights: &[std::path::PathBuf]) -> Result<bool> {
    for path in weights {
        // SAFETY: the mapping is read here and dropped, as in `model_info`.
        let mapped = unsafe { MmapedSafetensors::new(path) }?;
        if mapped.tensors().iter().any(|(name, _)| name == "lm_head.weight") {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
}

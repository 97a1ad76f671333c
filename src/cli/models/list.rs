//! `pointsman models ls`.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::json;

use crate::cli::error::{CommandResult, CommandStatus};
use crate::cli::output;
use crate::cli::output::bytes;
use crate::cli::stdio::note;
use crate::config::{Folders, ModelConfig, load_preset, preset_names};
use crate::engine::{ModelInfo, ModelLocation, model_info};
use crate::episode::Role;

/// Prints a row for each model of each preset, and reports broken ones on standard error.
///
/// # Errors
/// If standard output cannot be written.
pub(super) fn run(json: bool, folders: &Folders) -> CommandResult<CommandStatus> {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header([
        "preset",
        "model",
        "source",
        "place",
        "disk",
        "parameters",
        "memory",
        "context",
    ]);
    let mut errors = Vec::new();
    let mut lines = Vec::new();
    for name in preset_names(folders) {
        let preset = match load_preset(&name, folders) {
            Ok(preset) => preset,
            Err(error) => {
                lines.push(json!({ "preset": name, "error": error.to_string() }));
                errors.push(error.to_string());
                continue;
            }
        };
        for role in Role::BOTH {
            let config = preset.model(role);
            let found = model_info(config, &folders.cache);
            if let Err(error) = &found {
                errors.push(format!("preset {name}, {role} model: {error}"));
            }
            lines.push(match &found {
                Ok(found) => model_json(&name, role, config, found),
                Err(error) => json!({
                    "preset": name, "role": role, "source": config.source, "error": error.to_string(),
                }),
            });
            let cell = |pick: fn(&ModelInfo) -> Option<u64>, show: fn(u64) -> String| {
                found.as_ref().ok().and_then(pick).map_or("–".into(), show)
            };
            table.add_row([
                name.clone(),
                role.to_string(),
                output::strip_control_chars(&config.source),
                found.as_ref().map_or("broken".into(), |found| found.location.to_string()),
                cell(|found| found.bytes, bytes),
                cell(|found| found.parameters, |n| output::si(n as f64)),
                cell(|found| found.memory, bytes),
                cell(|found| found.context, |n| n.to_string()),
            ]);
        }
    }
    for column in 4..=7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if json {
        for line in lines {
            output::print_json(&line)?;
        }
    } else {
        output::print_line(&table.trim_fmt())?;
    }
    for error in &errors {
        note!("pointsman: {error}");
    }
    Ok(if errors.is_empty() { CommandStatus::Success } else { CommandStatus::Failure })
}

fn model_json(
    preset: &str,
    role: Role,
    config: &ModelConfig,
    found: &ModelInfo,
) -> serde_json::Value {
    json!({
        "preset": preset,
        "role": role,
        "source": config.source,
        "location": location_word(&found.location),
        "path": found.location.path(),
        "bytes": found.bytes,
        "parameters": found.parameters,
        "memory": found.memory,
        "context": found.context,
        "remarks": found.remarks(config),
        "refusal": found.refusal,
        "architecture": found.architecture,
        "template": found.template,
    })
}

/// A location, in JSON.
pub(super) fn location_word(location: &ModelLocation) -> &'static str {
    match location {
        ModelLocation::Embedded(_) => "binary",
        ModelLocation::Folder(_) => "folder",
        ModelLocation::File(_) => "file",
        ModelLocation::HubCache(_) => "hub-cache",
        ModelLocation::NotFetched => "not-here",
        ModelLocation::Remote => "remote",
    }
}

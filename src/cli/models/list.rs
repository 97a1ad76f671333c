//! `pointsman models ls`.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::json;

use super::key;
use crate::cli::style::bytes;
use crate::cli::{Outcome, style};
use crate::config::{Folders, load_preset, preset_names};
use crate::engine::{Inventory, inventory};
use crate::episode::Role;

/// Prints a row for each model of each preset, and a sentence on standard error for each that is broken.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn run(json: bool, folders: &Folders) -> anyhow::Result<Outcome> {
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
    let mut faults = Vec::new();
    let mut lines = Vec::new();
    for name in preset_names(folders) {
        let preset = match load_preset(&name, folders) {
            Ok(preset) => preset,
            Err(error) => {
                lines.push(json!({ "preset": name, "error": error.to_string() }));
                faults.push(error.to_string());
                continue;
            }
        };
        for role in Role::BOTH {
            let config = preset.model(role);
            let found = inventory(config, &folders.cache);
            if let Err(error) = &found {
                faults.push(format!("preset {name}, {role} model: {error}"));
            }
            lines.push(match &found {
                Ok(found) => object(&name, role, &config.source, found),
                Err(error) => json!({
                    "preset": name, "role": role, "source": config.source, "error": error.to_string(),
                }),
            });
            let cell = |pick: fn(&Inventory) -> Option<u64>, show: fn(u64) -> String| {
                found.as_ref().ok().and_then(pick).map_or("–".into(), show)
            };
            table.add_row([
                name.clone(),
                role.to_string(),
                style::plain(&config.source),
                found.as_ref().map_or("broken".into(), |found| found.place.to_string()),
                cell(|found| found.bytes, bytes),
                cell(|found| found.parameters, |n| style::si(n as f64)),
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
            style::line(&line.to_string())?;
        }
    } else {
        style::line(&table.trim_fmt())?;
    }
    for fault in &faults {
        eprintln!("pointsman: {fault}");
    }
    Ok(if faults.is_empty() { Outcome::Done } else { Outcome::Unwell })
}

fn object(preset: &str, role: Role, source: &str, found: &Inventory) -> serde_json::Value {
    json!({
        "preset": preset,
        "role": role,
        "source": source,
        "place": key(&found.place),
        "path": found.place.path(),
        "bytes": found.bytes,
        "parameters": found.parameters,
        "memory": found.memory,
        "context": found.context,
        "architecture": found.architecture,
        "template": found.template,
    })
}

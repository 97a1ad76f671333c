//! Options that several subcommands share.

use std::path::PathBuf;

use clap::Args;

use crate::config::{ConfigError, DraftLength, Folders, Preset, Shadow, load_preset};
use crate::routing::{ROUTER_NAMES, RouterError};

/// Which models, who chooses, and where episodes are kept.
#[derive(Debug, Clone, Args)]
pub struct CommonArgs {
    /// Preset: a name, or a TOML file
    #[arg(long, global = true, default_value = "tiny", value_name = "NAME|FILE")]
    pub preset: String,

    /// Folder of the episode store [default: in the user's data folder]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub store: Option<PathBuf>,

    /// Who chooses the writer of the next step [default: the preset's]
    #[arg(long, global = true, value_name = "NAME", help = router_help())]
    pub router: Option<String>,

    /// Policy of the router `policy`: the name of a stored one, `builtin:tiny`, or a file
    /// [default: the one that was promoted, else the preset's]
    #[arg(long, global = true, value_name = "NAME|FILE")]
    pub policy: Option<String>,

    /// Tokens that the small model writes before the choice: a number, or `step`
    /// [default: the preset's, else the router's own]
    #[arg(long, alias = "glimpse", global = true, value_name = "N|step")]
    pub draft: Option<DraftLength>,

    /// The large model writes when p(large) is at least this [default: the preset's]
    #[arg(long, global = true, value_name = "0..1")]
    pub threshold: Option<f64>,

    /// What one episode may cost, in the unit of the models' prices [default: the preset's]
    #[arg(long, global = true, value_name = "COST")]
    pub budget: Option<f64>,

    /// Seed of everything that is random
    #[arg(long, global = true, default_value_t = 0)]
    pub seed: u64,
}

/// Which routers only look on.
#[derive(Debug, Clone, Args)]
pub struct ShadowArgs {
    /// Routers that only look on: what they would have chosen is kept with every choice. With @T one
    /// has a threshold of its own [default: the preset's]
    #[arg(long, value_name = "NAME[@T],…", value_delimiter = ',')]
    pub shadow: Vec<Shadow>,
}

impl ShadowArgs {
    /// Puts them into the preset.
    ///
    /// # Errors
    /// When there is no router of such a name.
    pub fn apply_to(&self, preset: &mut Preset) -> Result<(), RouterError> {
        if !self.shadow.is_empty() {
            preset.routing.shadows.clone_from(&self.shadow);
        }
        let names = preset.routing.shadows.iter().map(|shadow| shadow.router.clone());
        crate::routing::check_router_names(&names.collect::<Vec<_>>())
    }
}

fn router_help() -> String {
    format!(
        "Who chooses the writer of the next step: {} [default: the preset's]",
        ROUTER_NAMES.join(", ")
    )
}

/// Reads a probability, 0 and 1 among them.
///
/// # Errors
/// When it is none.
pub fn parse_probability(text: &str) -> Result<f64, String> {
    parse_number(text, |p| (0.0..=1.0).contains(&p)).ok_or_else(|| "it must be from 0 to 1".into())
}

/// Reads a probability that is neither 0 nor 1.
///
/// # Errors
/// When it is none.
pub fn parse_open_probability(text: &str) -> Result<f64, String> {
    parse_number(text, |p| p > 0.0 && p < 1.0)
        .ok_or_else(|| "it must be above 0 and below 1".into())
}

/// Reads a cost as a share of always-large's.
///
/// # Errors
/// When it is none that can be aimed at.
pub fn parse_cost_share(text: &str) -> Result<f64, String> {
    parse_number(text, |share| share > 0.0 && share < 2.0)
        .ok_or_else(|| "it must be above 0 and below 2".into())
}

fn parse_number(text: &str, is_valid: impl Fn(f64) -> bool) -> Option<f64> {
    text.trim().parse().ok().filter(|number| is_valid(*number))
}

impl CommonArgs {
    /// The preset with this command line's changes.
    ///
    /// # Errors
    /// When there is no such preset, or it or an option is invalid.
    pub fn preset(&self, folders: &Folders) -> Result<Preset, ConfigError> {
        let mut preset = load_preset(&self.preset, folders)?;
        if let Some(router) = &self.router {
            preset.routing.router.clone_from(router);
            // A draft that the preset chose for its own router says nothing about another.
            preset.routing.draft_length = None;
        }
        if self.draft.is_some() {
            preset.routing.draft_length = self.draft;
        }
        if let Some(threshold) = self.threshold {
            preset.routing.threshold = threshold;
        }
        if self.budget.is_some() {
            preset.budget.limit = self.budget;
        }
        preset.validate().map_err(ConfigError::CommandLine)?;
        Ok(preset)
    }

    /// The store's folder.
    pub fn store(&self, folders: &Folders) -> PathBuf {
        self.store.clone().unwrap_or_else(|| folders.store())
    }
}

//! Options that several subcommands share.

use std::path::PathBuf;

use clap::Args;

use crate::config::{ConfigError, DraftLength, Folders, Preset, Shadow, load_preset};
use crate::routing::{RouterError, check_router_name, router_names};

/// Models, routing and store.
#[derive(Debug, Clone, Args)]
pub(super) struct CommonArgs {
    /// Preset: a name, or the path of a TOML file
    #[arg(long, global = true, default_value = "tiny", value_name = "NAME|FILE")]
    pub(super) preset: String,

    /// Folder of the episode store [default: in the user's data folder]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(super) store: Option<PathBuf>,

    /// How long a command that writes to the store waits while another one does, in seconds
    #[arg(
        long,
        global = true,
        env = "POINTSMAN_STORE_WAIT",
        default_value_t = 30,
        value_name = "S"
    )]
    pub(super) store_wait: u64,

    #[arg(long, global = true, value_name = "NAME", help = router_help())]
    pub(super) router: Option<String>,

    /// Policy of the router `policy`: the name of a stored one, `builtin:tiny`, or a file
    /// [default: the promoted one, else the preset's]
    #[arg(long, global = true, value_name = "NAME|FILE")]
    pub(super) policy: Option<String>,

    /// Draft that the small model writes before each choice: a number of tokens, or `step`
    /// [default: the preset's, else the router's]
    #[arg(long, alias = "glimpse", global = true, value_name = "N|step")]
    pub(super) draft: Option<DraftLength>,

    /// The large model writes a step if p(large) is at least this [default: the preset's]
    #[arg(long, global = true, value_name = "0..1")]
    pub(super) threshold: Option<f64>,

    /// Cost limit of an episode, in the unit of the models' prices [default: the preset's]
    #[arg(long, global = true, value_name = "COST")]
    pub(super) budget: Option<f64>,

    /// Seed of all random choices
    #[arg(long, global = true, default_value_t = 0)]
    pub(super) seed: u64,
}

/// Routers that observe.
#[derive(Debug, Clone, Args)]
pub(super) struct ShadowArgs {
    /// Routers that observe: what each would have chosen is recorded with every choice. NAME@T gives
    /// one its own threshold [default: the preset's]
    #[arg(long, value_name = "NAME[@T],…", value_delimiter = ',')]
    pub(super) shadow: Vec<Shadow>,
}

impl ShadowArgs {
    /// Applies them to the preset.
    ///
    /// # Errors
    /// If a router is unknown.
    pub(super) fn apply_to(&self, preset: &mut Preset) -> Result<(), RouterError> {
        if !self.shadow.is_empty() {
            preset.routing.shadows.clone_from(&self.shadow);
        }
        for shadow in &preset.routing.shadows {
            check_router_name(&shadow.router)?;
        }
        Ok(())
    }
}

fn router_help() -> String {
    format!(
        "Router that chooses the model of each step: {} [default: the preset's]",
        router_names().collect::<Vec<_>>().join(", ")
    )
}

/// Parses a probability, from 0 to 1 inclusive.
///
/// # Errors
/// If it is not one.
pub(super) fn parse_probability(text: &str) -> Result<f64, String> {
    parse_number(text, |p| (0.0..=1.0).contains(&p)).ok_or_else(|| "it must be from 0 to 1".into())
}

/// Parses a probability between 0 and 1, both excluded.
///
/// # Errors
/// If it is not one.
pub(super) fn parse_open_probability(text: &str) -> Result<f64, String> {
    parse_number(text, |p| p > 0.0 && p < 1.0)
        .ok_or_else(|| "it must be above 0 and below 1".into())
}

/// Parses a target cost, as a share of always-large's.
///
/// # Errors
/// If it is not above 0 and below 2.
pub(super) fn parse_cost_share(text: &str) -> Result<f64, String> {
    parse_number(text, |share| share > 0.0 && share < 2.0)
        .ok_or_else(|| "it must be above 0 and below 2".into())
}

fn parse_number(text: &str, is_valid: impl Fn(f64) -> bool) -> Option<f64> {
    text.trim().parse().ok().filter(|number| is_valid(*number))
}

impl CommonArgs {
    /// The preset with the changes of this command line.
    ///
    /// # Errors
    /// If the preset does not exist, or it or an option is invalid.
    pub(super) fn preset(&self, folders: &Folders) -> Result<Preset, ConfigError> {
        let mut preset = load_preset(&self.preset, folders)?;
        if let Some(router) = &self.router {
            preset.routing.router.clone_from(router);
            // The preset's draft length was chosen for its own router.
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

    /// The preset of this name, or that of --preset, with the changes of this command line.
    ///
    /// # Errors
    /// As for [`CommonArgs::preset`].
    pub(super) fn preset_named(
        &self,
        name: Option<String>,
        folders: &Folders,
    ) -> Result<Preset, ConfigError> {
        let preset = name.unwrap_or_else(|| self.preset.clone());
        Self { preset, ..self.clone() }.preset(folders)
    }

    /// The store's folder.
    pub(super) fn store(&self, folders: &Folders) -> PathBuf {
        self.store.clone().unwrap_or_else(|| folders.store())
    }
}

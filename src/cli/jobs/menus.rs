//! Lists to choose from, and loading what was chosen: themes, presets, calibrated thresholds,
//! policies.

use std::sync::Arc;

use super::JobRunner;
use crate::config::{Preset, load_preset, preset_names};
use crate::engine::{EngineError, ModelLocation, model_info};
use crate::evaluation::{QuantileScale, calibrations};
use crate::routing::{PairFingerprint, Policy, Provenance, RouterRegistry};
use crate::session::RoutingConfig;
use crate::theme::{Theme, theme_names};
use crate::training::{current_policy, find_policy, list_policies};
use crate::workbench::{LoadedRouting, Menu, MenuChoice, MenuItem, MenuKind};

impl JobRunner {
    /// The items of a list.
    pub(super) fn menu(
        &self,
        kind: MenuKind,
        routing: &RoutingConfig,
        pair: Option<&PairFingerprint>,
    ) -> Result<Menu, String> {
        Ok(match kind {
            MenuKind::Themes => {
                let names = theme_names(&self.folders.themes());
                let item = |name: String| MenuItem {
                    label: name.clone(),
                    note: String::new(),
                    choice: MenuChoice::Theme(name),
                };
                Menu::new("themes", names.into_iter().map(item).collect())
            }
            MenuKind::Presets => {
                let names = preset_names(&self.folders);
                Menu::new(
                    "presets",
                    names.into_iter().map(|name| self.preset_menu_item(name)).collect(),
                )
            }
            MenuKind::Calibrations => self.calibration_menu(routing, pair)?,
            MenuKind::Policies { step } => {
                let names = self.policies(&routing.preset)?;
                let item = |(name, note): (String, String)| MenuItem {
                    label: name.clone(),
                    note,
                    choice: MenuChoice::Policy { name, step },
                };
                Menu::new("policy of the fork", names.into_iter().map(item).collect())
            }
        })
    }

    fn preset_menu_item(&self, name: String) -> MenuItem {
        // A broken preset is listed too: choosing it says what is wrong.
        let note = match load_preset(&name, &self.folders) {
            Ok(preset) if self.missing_model(&preset).is_some() => {
                format!("not fetched · {}", preset.description)
            }
            Ok(preset) => preset.description,
            Err(_) => "cannot be used".into(),
        };
        MenuItem { label: format!("{name:<16}"), note, choice: MenuChoice::Preset(name) }
    }

    fn calibration_menu(
        &self,
        routing: &RoutingConfig,
        pair: Option<&PairFingerprint>,
    ) -> Result<Menu, String> {
        let policy = routing_policy(routing)
            .ok_or("thresholds are calibrated for the router `policy` only")?;
        let digest = policy.digest().map_err(|e| e.to_string())?;
        let pair = pair.cloned().unwrap_or_default();
        let now = Provenance::of(digest, &routing.preset, pair, &self.task_set);
        let all = calibrations(&self.store, policy).map_err(|e| e.to_string())?;
        if all.is_empty() {
            return Err(format!(
                "no threshold has been calibrated for {} yet: calibrate one on the training page",
                policy.card.name
            ));
        }
        let item = |calibration: &crate::routing::Calibration| {
            let label = format!(
                "{:.4}  {:.0} % correct at {:.0} % of the cost: {}",
                calibration.threshold,
                100.0 * calibration.accuracy,
                100.0 * calibration.cost_share,
                calibration.target
            );
            MenuItem {
                label,
                note: calibration.state(&now),
                choice: MenuChoice::Threshold(calibration.threshold),
            }
        };
        Ok(Menu::new("calibrated thresholds", all.iter().map(item).collect()))
    }

    /// The policy of the preset and those of the store: name and description.
    fn policies(&self, preset: &Preset) -> Result<Vec<(String, String)>, String> {
        let listed = list_policies(preset, &self.store).map_err(|e| e.to_string())?;
        let note = |policy: &Policy| format!("from {} episodes", policy.card.dataset_counts.used);
        let readable = listed.into_iter().flatten();
        let all: Vec<_> = readable.map(|(name, policy)| (name, note(&policy))).collect();
        if all.is_empty() { Err("there is no policy yet".into()) } else { Ok(all) }
    }

    /// The routers of the preset, with another policy.
    pub(super) fn registry_with_policy(
        &self,
        preset: &Preset,
        name: &str,
    ) -> Result<RouterRegistry, String> {
        let policy = find_policy(name, Some(&self.store)).map_err(|e| e.to_string())?;
        Ok(RouterRegistry::new(&preset.name, Some(Arc::new(policy))))
    }

    /// Loads a theme.
    pub(super) fn theme(&self, name: &str) -> Result<Box<Theme>, String> {
        let theme = Theme::load_for_terminal(Some(name), &self.folders.themes());
        theme.map(Box::new).map_err(|e| e.to_string())
    }

    /// Loads a preset with its policy.
    pub(super) fn load_preset_routing(&self, name: &str) -> Result<Box<LoadedRouting>, String> {
        let preset = load_preset(name, &self.folders).map_err(|e| e.to_string())?;
        crate::routing::check_router_name(&preset.routing.router).map_err(|e| e.to_string())?;
        let policy = current_policy(&preset, Some(&self.store)).map_err(|e| e.to_string())?;
        let registry = RouterRegistry::new(&preset.name, policy.map(Arc::new));
        registry.router(&preset.routing.router).map_err(|e| e.to_string())?;
        registry.shadows(&preset.routing.shadows).map_err(|e| e.to_string())?;
        // The running session ends before the new one loads its models, so they must be available.
        match self.missing_model(&preset) {
            Some(why) => Err(why.to_string()),
            None => Ok(Box::new(with_scale(RoutingConfig { preset, registry }))),
        }
    }

    /// Why a model of the preset cannot be loaded, if that is known without loading it.
    fn missing_model(&self, preset: &Preset) -> Option<EngineError> {
        [&preset.small, &preset.large].into_iter().find_map(|model| {
            match model_info(model, &self.folders.cache) {
                Ok(found) if found.location == ModelLocation::NotFetched => {
                    Some(EngineError::NotFetched(model.source.clone()))
                }
                Ok(_) => None,
                Err(error) => Some(error),
            }
        })
    }
}

/// The policy of this routing, if it routes.
pub(super) fn routing_policy(routing: &RoutingConfig) -> Option<&Arc<Policy>> {
    routing.registry.policy_of(&routing.preset.routing.router)
}

/// This routing with the scores of its policy's training, if a policy routes.
pub(in crate::cli) fn with_scale(routing: RoutingConfig) -> LoadedRouting {
    let scale = routing_policy(&routing)
        .map(|policy| QuantileScale::new(policy.card.quantiles.iter().copied()));
    LoadedRouting { routing, scale }
}

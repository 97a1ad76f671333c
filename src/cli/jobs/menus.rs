//! Lists to choose from: themes, presets, calibrated thresholds, policies.

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
    pub(super) fn menu(
        &self,
        list: MenuKind,
        basis: Option<&(Preset, PairFingerprint)>,
    ) -> Result<Menu, String> {
        Ok(match list {
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
            MenuKind::Calibrations => self.calibration_menu(basis)?,
            MenuKind::Policies { step } => {
                let names = self.policies()?;
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
        // One that is broken is listed too: choosing it says what is wrong.
        let note = match load_preset(&name, &self.folders) {
            Ok(preset) if self.missing_model(&preset).is_some() => {
                format!("not fetched · {}", preset.description)
            }
            Ok(preset) => preset.description,
            Err(_) => "cannot be used".into(),
        };
        MenuItem { label: format!("{name:<16}"), note, choice: MenuChoice::Preset(name) }
    }

    fn calibration_menu(&self, basis: Option<&(Preset, PairFingerprint)>) -> Result<Menu, String> {
        let policy = self
            .routing_policy()
            .ok_or("thresholds are calibrated for the router `routing_policy` only")?;
        let digest = policy.digest().map_err(|e| e.to_string())?;
        let (preset, pair) =
            basis.cloned().unwrap_or_else(|| (self.preset(), PairFingerprint::default()));
        let now = Provenance::of(digest, &preset, pair, &self.task_set);
        let all = calibrations(&self.store, &policy).map_err(|e| e.to_string())?;
        if all.is_empty() {
            return Err(format!(
                "no threshold was calibrated for {} yet: the page for retraining does",
                policy.card.name
            ));
        }
        let item = |calibration: &crate::routing::Calibration| {
            let label = format!(
                "{:.4}  {:.0} % right at {:.0} % of the cost: {}",
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

    /// Names of the policies that can be had, with what they are.
    fn policies(&self) -> Result<Vec<(String, String)>, String> {
        let listed = list_policies(&self.preset(), &self.store).map_err(|e| e.to_string())?;
        let note = |policy: &Policy| format!("from {} episodes", policy.card.dataset_counts.used);
        let readable = listed.into_iter().flatten();
        let all: Vec<_> = readable.map(|(name, policy)| (name, note(&policy))).collect();
        if all.is_empty() { Err("there is no policy yet".into()) } else { Ok(all) }
    }

    /// The routers with another policy.
    pub(super) fn registry_with_policy(&self, name: &str) -> Result<RouterRegistry, String> {
        let policy = find_policy(name, Some(&self.store)).map_err(|e| e.to_string())?;
        Ok(RouterRegistry::new(self.preset().name, Some(Arc::new(policy))))
    }

    pub(super) fn theme(&self, name: &str) -> Result<Box<Theme>, String> {
        let theme = Theme::load_for_terminal(Some(name), &self.folders.themes());
        theme.map(Box::new).map_err(|e| e.to_string())
    }

    /// Loads a preset, and puts its policy in force.
    pub(super) fn load_preset_routing(&self, name: &str) -> Result<Box<LoadedRouting>, String> {
        let preset = load_preset(name, &self.folders).map_err(|e| e.to_string())?;
        crate::routing::check_router_names(std::slice::from_ref(&preset.routing.router))
            .map_err(|e| e.to_string())?;
        let policy = current_policy(&preset, Some(&self.store)).map_err(|e| e.to_string())?;
        let registry = RouterRegistry::new(&preset.name, policy.map(Arc::new));
        registry.router(&preset.routing.router).map_err(|e| e.to_string())?;
        registry.shadows(&preset.routing.shadows).map_err(|e| e.to_string())?;
        // The session before ends for the new one, which should then begin.
        match self.missing_model(&preset) {
            Some(why) => Err(why.to_string()),
            None => Ok(self.apply_routing(preset, registry)),
        }
    }

    /// Why a model of the preset cannot be loaded, as far as can be told without loading it.
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

    /// Has these choose, and tells.
    pub(super) fn apply_routing(
        &self,
        preset: Preset,
        registry: RouterRegistry,
    ) -> Box<LoadedRouting> {
        self.set_routing(&preset, &registry);
        let threshold_scale = threshold_scale(&preset, &registry);
        Box::new(LoadedRouting {
            routing: RoutingConfig { preset, registry },
            scale: threshold_scale,
        })
    }
}

/// Scores of the training of the policy that routes, where one does.
pub fn threshold_scale(preset: &Preset, registry: &RouterRegistry) -> Option<QuantileScale> {
    let policy = registry.policy().filter(|_| preset.routing.router == "policy")?;
    Some(QuantileScale::new(policy.card.quantiles.iter().copied()))
}

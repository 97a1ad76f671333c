//! Lists to choose from: themes, presets, calibrated thresholds, policies.

use std::sync::Arc;

use super::Bureau;
use crate::cli::calibrate::{aim, calibrations};
use crate::cli::policies;
use crate::config::{Preset, load_preset, preset_names};
use crate::engine::{EngineError, Place, inventory};
use crate::evaluation::Scale;
use crate::routing::{Ground, Pair, Policy, Roster};
use crate::session::Employment;
use crate::theme::{Theme, theme_names};
use crate::workbench::{Chosen, Item, List, Menu, Pick};

impl Bureau {
    pub(super) fn choices(
        &self,
        list: List,
        ground: Option<&(Preset, Pair)>,
    ) -> Result<Menu, String> {
        Ok(match list {
            List::Themes => {
                let names = theme_names(&self.folders.themes());
                let item = |name: String| Item {
                    label: name.clone(),
                    note: String::new(),
                    pick: Pick::Theme(name),
                };
                Menu::new("themes", names.into_iter().map(item).collect())
            }
            List::Presets => {
                let names = preset_names(&self.folders);
                Menu::new("presets", names.into_iter().map(|name| self.preset_item(name)).collect())
            }
            List::Calibrations => self.calibrated(ground)?,
            List::Policies { step } => {
                let names = self.policies()?;
                let item = |(name, note): (String, String)| Item {
                    label: name.clone(),
                    note,
                    pick: Pick::Policy { name, step },
                };
                Menu::new("policy of the fork", names.into_iter().map(item).collect())
            }
        })
    }

    fn preset_item(&self, name: String) -> Item {
        // One that is broken is listed too: choosing it says what is wrong.
        let note = match load_preset(&name, &self.folders) {
            Ok(preset) if self.absent(&preset).is_some() => {
                format!("not fetched · {}", preset.description)
            }
            Ok(preset) => preset.description,
            Err(_) => "cannot be used".into(),
        };
        Item { label: format!("{name:<16}"), note, pick: Pick::Preset(name) }
    }

    fn calibrated(&self, ground: Option<&(Preset, Pair)>) -> Result<Menu, String> {
        let policy =
            self.policy().ok_or("thresholds are calibrated for the router `policy` only")?;
        let digest = policy.digest().map_err(|e| e.to_string())?;
        let (preset, pair) = ground.cloned().unwrap_or_else(|| (self.preset(), Pair::default()));
        let now = Ground::of(digest, &preset, pair, &self.task);
        let all = calibrations(&self.store, &policy).map_err(|e| e.to_string())?;
        if all.is_empty() {
            return Err(format!(
                "no threshold was calibrated for {} yet: the page for retraining does",
                policy.card.name
            ));
        }
        let item = |calibration: &crate::routing::Calibration| {
            let changed = calibration.ground.changed(&now);
            let state = if changed.is_empty() {
                "holds".to_owned()
            } else {
                format!("STALE: {} changed", changed.join(", "))
            };
            let label = format!(
                "{:.4}  {:.0} % right at {:.0} % of the cost: {}",
                calibration.threshold,
                100.0 * calibration.accuracy,
                100.0 * calibration.cost_share,
                aim(calibration.target)
            );
            Item { label, note: state, pick: Pick::Threshold(calibration.threshold) }
        };
        Ok(Menu::new("calibrated thresholds", all.iter().map(item).collect()))
    }

    /// Names of the policies that can be had, with what they are.
    fn policies(&self) -> Result<Vec<(String, String)>, String> {
        let about = |policy: &Policy| format!("from {} episodes", policy.card.intake.used);
        let mut all: Vec<(String, String)> = Vec::new();
        if let Some(source) = &self.preset().routing.policy
            && let Ok(policy) = crate::routing::load_policy(source)
        {
            all.push((source.clone(), about(&policy)));
        }
        for (number, file) in self.store.policies().map_err(|e| e.to_string())? {
            if let Ok(policy) = policies::read(&file, &number.to_string()) {
                all.push((policy.card.name.clone(), about(&policy)));
            }
        }
        if all.is_empty() { Err("there is no policy yet".into()) } else { Ok(all) }
    }

    /// The routers with another policy.
    pub(super) fn hire(&self, name: &str) -> Result<Roster, String> {
        let policy = if policies::is_source(name) {
            crate::routing::load_policy(name).map_err(|e| e.to_string())?
        } else {
            policies::stored(&self.store, name).map_err(|e| e.to_string())?
        };
        Ok(Roster::new(self.preset().name, Some(Arc::new(policy))))
    }

    pub(super) fn theme(&self, name: &str) -> Result<Box<Theme>, String> {
        let theme = Theme::choose(Some(name), &self.folders.themes());
        theme.map(Box::new).map_err(|e| e.to_string())
    }

    /// Loads a preset, and puts its policy in force.
    pub(super) fn load(&self, name: &str) -> Result<Box<Chosen>, String> {
        let preset = load_preset(name, &self.folders).map_err(|e| e.to_string())?;
        crate::routing::known(std::slice::from_ref(&preset.routing.router))
            .map_err(|e| e.to_string())?;
        let policy = policies::in_force(&preset, Some(&self.store)).map_err(|e| e.to_string())?;
        let roster = Roster::new(&preset.name, policy.map(Arc::new));
        roster.router(&preset.routing.router).map_err(|e| e.to_string())?;
        roster.shadows(&preset.routing.shadows).map_err(|e| e.to_string())?;
        // The session before ends for the new one, which should then begin.
        match self.absent(&preset) {
            Some(why) => Err(why.to_string()),
            None => Ok(self.chosen(preset, roster)),
        }
    }

    /// Why a model of the preset cannot be loaded, as far as can be told without loading it.
    fn absent(&self, preset: &Preset) -> Option<EngineError> {
        [&preset.small, &preset.large].into_iter().find_map(|model| {
            match inventory(model, &self.folders.cache) {
                Ok(found) if found.place == Place::NotHere => {
                    Some(EngineError::NotFetched(model.source.clone()))
                }
                Ok(_) => None,
                Err(error) => Some(error),
            }
        })
    }

    /// Has these choose, and tells.
    pub(super) fn chosen(&self, preset: Preset, roster: Roster) -> Box<Chosen> {
        self.employ(&preset, &roster);
        let scale = scale(&preset, &roster);
        Box::new(Chosen { employment: Employment { preset, roster }, scale })
    }
}

/// Scores of the training of the policy that routes, where one does.
pub fn scale(preset: &Preset, roster: &Roster) -> Option<Scale> {
    let policy = roster.policy().filter(|_| preset.routing.router == "policy")?;
    Some(Scale::new(policy.card.quantiles.iter().copied()))
}

//! What a preset must hold beyond its types.

use thiserror::Error;

use super::Preset;
use crate::role::Role;

/// A value of a preset that cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{key} {reason}")]
pub struct InvalidPreset {
    /// The key as the file has it, such as `routing.threshold`.
    pub key: String,
    /// The rest of the sentence.
    pub reason: String,
}

pub(super) fn check(
    ok: bool,
    key: &str,
    reason: impl FnOnce() -> String,
) -> Result<(), InvalidPreset> {
    if ok { Ok(()) } else { Err(InvalidPreset { key: key.into(), reason: reason() }) }
}

impl Preset {
    /// Checks every value that its type alone does not; call it again after changing one.
    ///
    /// # Errors
    /// At the first value that cannot be used.
    pub fn validate(&self) -> Result<(), InvalidPreset> {
        for role in Role::BOTH {
            self.validate_model(role)?;
        }
        check(self.small.price().is_some() == self.large.price().is_some(), "price", || {
            "is given for one model only: give both, in one unit, or neither".into()
        })?;
        let has_placeholder = |template: &str| template.contains("{question}");
        // A preset's template goes unused where both models have their own.
        let unused = Role::BOTH.iter().all(|role| self.model(*role).prompt.is_some());
        check(unused || has_placeholder(&self.prompt.template), "prompt.template", || {
            "does not contain {question}".into()
        })?;
        for role in Role::BOTH {
            let own = self.model(role).prompt.as_deref();
            check(own.is_none_or(has_placeholder), &format!("{role}.prompt"), || {
                "does not contain {question}".into()
            })?;
        }
        let of_chat = [
            ("prompt.system", self.prompt.system.is_some()),
            ("prompt.thinking", self.prompt.thinking.is_some()),
        ];
        for (key, given) in of_chat {
            check(self.prompt.chat || !given, key, || {
                "is for the models' chat templates: set prompt.chat = true, or leave it out".into()
            })?;
        }
        let empty = || "is empty".to_owned();
        check(!self.steps.delimiter.is_empty(), "steps.delimiter", empty)?;
        // Every step contains the empty text, so the first would end the episode.
        check(!self.steps.answer_marker.is_empty(), "steps.answer_marker", empty)?;
        let zero = || "is 0, but must be at least 1".to_owned();
        check(self.steps.max_tokens > 0, "steps.max_tokens", zero)?;
        check(self.steps.max_steps > 0, "steps.max_steps", zero)?;
        let end = self.steps.thinking_end.as_deref();
        check(end != Some(""), "steps.thinking_end", empty)?;
        let repeats = self.steps.max_repeats;
        check(repeats.is_none_or(|n| n > 1), "steps.max_repeats", || {
            format!("is {}, but must be at least 2", repeats.unwrap_or_default())
        })?;
        let temperature = self.sampling.temperature;
        check(temperature >= 0.0 && temperature.is_finite(), "sampling.temperature", || {
            format!("is {temperature}, but must be 0 or more")
        })?;
        let top_p = self.sampling.top_p;
        check(top_p > 0.0 && top_p <= 1.0, "sampling.top_p", || {
            format!("is {top_p}, but must be above 0 and at most 1")
        })?;
        check(!self.routing.router.trim().is_empty(), "routing.router", empty)?;
        let threshold = self.routing.threshold;
        check((0.0..=1.0).contains(&threshold), "routing.threshold", || {
            format!("is {threshold}, but must be from 0 to 1")
        })?;
        if let Some(exploration) = &self.routing.exploration {
            let quantiles = &exploration.quantiles;
            let ascend = quantiles.is_sorted() && quantiles.iter().all(|q| (0.0..=1.0).contains(q));
            check(ascend && quantiles.len() >= 2, "routing.exploration.quantiles", || {
                "must be two or more thresholds from 0 to 1, not decreasing".into()
            })?;
            let coin = exploration.coin;
            check((0.0..=1.0).contains(&coin), "routing.exploration.coin", || {
                format!("is {coin}, but must be from 0 to 1")
            })?;
        }
        if let Some(limit) = self.budget.limit {
            check(limit > 0.0 && limit.is_finite(), "budget.limit", || {
                format!("is {limit}, but must be above 0; leave it out for no limit")
            })?;
        }
        Ok(())
    }

    fn validate_model(&self, role: Role) -> Result<(), InvalidPreset> {
        let model = self.model(role);
        let key = |name: &str| format!("{role}.{name}");
        check(!model.source.trim().is_empty(), &key("source"), || "is empty".into())?;
        if let Some(bits) = model.quantize_bits {
            check(matches!(bits, 2..=6 | 8), &key("quantize_bits"), || {
                format!("is {bits}, but must be 2, 3, 4, 5, 6 or 8")
            })?;
        }
        check(model.paged_context.is_none_or(|n| n > 0), &key("paged_context"), || {
            "is 0, but must be at least 1; leave it out for no pages".into()
        })?;
        let apart = [model.price_in, model.price_cached, model.price_out];
        let given = apart.iter().filter(|price| price.is_some()).count();
        check(given == 0 || given == 3, &key("price_in"), || {
            "and price_cached and price_out go together: give all three (price_cached may be 0)"
                .into()
        })?;
        check(given == 0 || model.price.is_none(), &key("price"), || {
            "is given beside price_in: leave one of them out".into()
        })?;
        let prices =
            [("price", model.price), ("price_in", model.price_in), ("price_out", model.price_out)];
        for (name, price) in prices {
            check(price.is_none_or(|p| p > 0.0 && p.is_finite()), &key(name), || {
                format!("is {}, but must be above 0 and finite", price.unwrap_or_default())
            })?;
        }
        let cached = model.price_cached;
        check(cached.is_none_or(|p| p >= 0.0 && p.is_finite()), &key("price_cached"), || {
            format!("is {}, but must be 0 or more and finite", cached.unwrap_or_default())
        })?;
        self.validate_remote(role)?;
        check(model.parameters != Some(0), &key("parameters"), || {
            "is 0, but must be at least 1; leave it out to have it counted".into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Exploration, Folders, load_preset};

    fn refused(change: impl FnOnce(&mut Preset)) -> String {
        let folders = Folders::below("/nonexistent").unwrap();
        let mut preset = load_preset("tiny", &folders).unwrap();
        change(&mut preset);
        preset.validate().unwrap_err().key
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert_eq!(refused(|p| p.routing.threshold = -0.1), "routing.threshold");
        assert_eq!(refused(|p| p.routing.threshold = f64::NAN), "routing.threshold");
        assert_eq!(refused(|p| p.routing.router = " ".into()), "routing.router");
        let explore = |quantiles: &[f64], coin: f64| {
            let quantiles = quantiles.to_vec();
            refused(|p| p.routing.exploration = Some(Exploration { quantiles, coin }))
        };
        assert_eq!(explore(&[0.0], 0.0), "routing.exploration.quantiles");
        assert_eq!(explore(&[0.5, 0.1], 0.0), "routing.exploration.quantiles");
        assert_eq!(explore(&[0.0, 1.0], 1.5), "routing.exploration.coin");
        assert_eq!(refused(|p| p.steps.delimiter.clear()), "steps.delimiter");
        assert_eq!(refused(|p| p.steps.answer_marker.clear()), "steps.answer_marker");
        assert_eq!(refused(|p| p.steps.max_tokens = 0), "steps.max_tokens");
        assert_eq!(refused(|p| p.steps.max_steps = 0), "steps.max_steps");
        assert_eq!(refused(|p| p.steps.thinking_end = Some(String::new())), "steps.thinking_end");
        assert_eq!(refused(|p| p.steps.max_repeats = Some(1)), "steps.max_repeats");
        assert_eq!(refused(|p| p.prompt.system = Some("Be brief.".into())), "prompt.system");
        assert_eq!(refused(|p| p.prompt.thinking = Some(false)), "prompt.thinking");
        assert_eq!(refused(|p| p.large.paged_context = Some(0)), "large.paged_context");
        assert_eq!(refused(|p| p.sampling.temperature = f64::INFINITY), "sampling.temperature");
        assert_eq!(refused(|p| p.sampling.top_p = 0.0), "sampling.top_p");
        assert_eq!(refused(|p| p.budget.limit = Some(0.0)), "budget.limit");
        assert_eq!(refused(|p| p.small.quantize_bits = Some(7)), "small.quantize_bits");
        assert_eq!(refused(|p| p.large.source.clear()), "large.source");
        assert_eq!(refused(|p| p.large.parameters = Some(0)), "large.parameters");
        assert_eq!(refused(|p| p.large.price = Some(1.0)), "price");
        assert_eq!(refused(|p| p.large.prompt = Some("?".into())), "large.prompt");
        assert_eq!(refused(|p| p.prompt.template = "?".into()), "prompt.template");
        assert_eq!(
            refused(|p| {
                p.small.price = Some(f64::INFINITY);
                p.large.price = Some(1.0);
            }),
            "small.price"
        );
    }
}

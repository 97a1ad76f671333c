//! Checks of a preset beyond its types.

use super::invalid_preset::{InvalidPreset, check};
use super::model_config::ModelConfig;
use super::preset::Preset;
use super::validate_remote::validate_remote;
use crate::role::Role;

impl Preset {
    /// Checks the values that their types alone do not; call it again after changing one.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub fn validate(&self) -> Result<(), InvalidPreset> {
        self.validate_numbers()?;
        for role in Role::BOTH {
            let is_named = !self.model(role).source.trim().is_empty();
            check(is_named, &format!("{role}.source"), || "is empty".into())?;
            validate_remote(self, role)?;
        }
        check(self.small.price().is_some() == self.large.price().is_some(), "price", || {
            "is set for one model only: set both in the same unit, or neither".into()
        })?;
        let has_router = !self.routing.router.trim().is_empty();
        check(has_router, "routing.router", || "is empty".into())?;
        self.validate_prompts()?;
        self.validate_steps()
    }

    /// Checks the ranges of the numbers only, which computations rely on: an episode's preset may be older than the
    /// other rules.
    ///
    /// # Errors
    /// The first number that is outside its range.
    pub(crate) fn validate_numbers(&self) -> Result<(), InvalidPreset> {
        for role in Role::BOTH {
            validate_model(role, self.model(role))?;
        }
        self.validate_sampling()?;
        self.validate_routing()?;
        let limit = self.budget.limit;
        check(limit.is_none_or(|l| l > 0.0 && l.is_finite()), "budget.limit", || {
            format!(
                "is {}, but must be above 0 and finite; remove it for no limit",
                limit.unwrap_or_default()
            )
        })
    }

    fn validate_prompts(&self) -> Result<(), InvalidPreset> {
        let has_placeholder = |template: &str| template.contains("{question}");
        let missing = || "does not contain {question}".to_owned();
        // The preset's template is unused if both models have their own.
        let is_unused = Role::BOTH.iter().all(|role| self.model(*role).prompt.is_some());
        let is_valid = is_unused || has_placeholder(&self.prompt.template);
        check(is_valid, "prompt.template", missing)?;
        for role in Role::BOTH {
            let own = self.model(role).prompt.as_deref();
            check(own.is_none_or(has_placeholder), &format!("{role}.prompt"), missing)?;
        }
        let chat_settings = [
            ("prompt.system", self.prompt.system.is_some()),
            ("prompt.thinking", self.prompt.thinking.is_some()),
        ];
        for (key, is_set) in chat_settings {
            check(self.prompt.chat || !is_set, key, || {
                "is for chat templates: set prompt.chat = true, or remove it".into()
            })?;
        }
        Ok(())
    }

    fn validate_steps(&self) -> Result<(), InvalidPreset> {
        let empty = || "is empty".to_owned();
        let zero = || "is 0, but must be at least 1".to_owned();
        let steps = &self.steps;
        check(!steps.delimiter.is_empty(), "steps.delimiter", empty)?;
        // Every step contains the empty text, so the first would end the episode.
        check(!steps.answer_marker.is_empty(), "steps.answer_marker", empty)?;
        check(steps.max_tokens > 0, "steps.max_tokens", zero)?;
        check(steps.max_steps > 0, "steps.max_steps", zero)?;
        check(steps.thinking_end.as_deref() != Some(""), "steps.thinking_end", empty)?;
        let repeats = steps.max_repeats;
        check(repeats.is_none_or(|n| n > 1), "steps.max_repeats", || {
            format!("is {}, but must be at least 2", repeats.unwrap_or_default())
        })
    }

    fn validate_sampling(&self) -> Result<(), InvalidPreset> {
        let temperature = self.sampling.temperature;
        check(temperature >= 0.0 && temperature.is_finite(), "sampling.temperature", || {
            format!("is {temperature}, but must be 0 or more and finite")
        })?;
        let top_p = self.sampling.top_p;
        check(top_p > 0.0 && top_p <= 1.0, "sampling.top_p", || {
            format!("is {top_p}, but must be above 0 and at most 1")
        })
    }

    fn validate_routing(&self) -> Result<(), InvalidPreset> {
        let is_probability = |value: f64| (0.0..=1.0).contains(&value);
        let threshold = self.routing.threshold;
        check(is_probability(threshold), "routing.threshold", || {
            format!("is {threshold}, but must be from 0 to 1")
        })?;
        let Some(exploration) = &self.routing.exploration else { return Ok(()) };
        let quantiles = &exploration.quantiles;
        let is_valid = quantiles.len() >= 2
            && quantiles.is_sorted()
            && quantiles.iter().all(|&quantile| is_probability(quantile));
        check(is_valid, "routing.exploration.quantiles", || {
            "must be at least two thresholds from 0 to 1, not decreasing".into()
        })?;
        let coin = exploration.coin;
        check(is_probability(coin), "routing.exploration.coin", || {
            format!("is {coin}, but must be from 0 to 1")
        })
    }
}

fn validate_model(role: Role, model: &ModelConfig) -> Result<(), InvalidPreset> {
    let key = |name: &str| format!("{role}.{name}");
    let bits = model.quantize_bits;
    check(bits.is_none_or(|bits| matches!(bits, 2..=6 | 8)), &key("quantize_bits"), || {
        format!("is {}, but must be 2, 3, 4, 5, 6 or 8", bits.unwrap_or_default())
    })?;
    check(model.paged_context.is_none_or(|n| n > 0), &key("paged_context"), || {
        "is 0, but must be at least 1; remove it for a KV cache without pages".into()
    })?;
    validate_prices(role, model)?;
    check(model.parameters != Some(0), &key("parameters"), || {
        "is 0, but must be at least 1; remove it to have the parameters counted".into()
    })
}

fn validate_prices(role: Role, model: &ModelConfig) -> Result<(), InvalidPreset> {
    let key = |name: &str| format!("{role}.{name}");
    let split = [model.price_in, model.price_cached, model.price_out];
    let given = split.iter().filter(|price| price.is_some()).count();
    check(given == 0 || given == split.len(), &key("price_in"), || {
        "and price_cached and price_out belong together: set all three (price_cached may be 0)"
            .into()
    })?;
    check(given == 0 || model.price.is_none(), &key("price"), || {
        "is set together with price_in: remove one of them".into()
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Exploration, Folders, load_preset};

    fn invalid_key(change: impl FnOnce(&mut Preset)) -> String {
        let folders = Folders::below("/nonexistent").unwrap();
        let mut preset = load_preset("tiny", &folders).unwrap();
        change(&mut preset);
        preset.validate().unwrap_err().key
    }

    #[test]
    fn values_out_of_range_are_rejected() {
        assert_eq!(invalid_key(|p| p.routing.threshold = -0.1), "routing.threshold");
        assert_eq!(invalid_key(|p| p.routing.threshold = f64::NAN), "routing.threshold");
        assert_eq!(invalid_key(|p| p.routing.router = " ".into()), "routing.router");
        let explore = |quantiles: &[f64], coin: f64| {
            let quantiles = quantiles.to_vec();
            invalid_key(|p| p.routing.exploration = Some(Exploration { quantiles, coin }))
        };
        assert_eq!(explore(&[0.0], 0.0), "routing.exploration.quantiles");
        assert_eq!(explore(&[0.5, 0.1], 0.0), "routing.exploration.quantiles");
        assert_eq!(explore(&[0.0, 1.0], 1.5), "routing.exploration.coin");
        assert_eq!(invalid_key(|p| p.steps.delimiter.clear()), "steps.delimiter");
        assert_eq!(invalid_key(|p| p.steps.answer_marker.clear()), "steps.answer_marker");
        assert_eq!(invalid_key(|p| p.steps.max_tokens = 0), "steps.max_tokens");
        assert_eq!(invalid_key(|p| p.steps.max_steps = 0), "steps.max_steps");
        assert_eq!(
            invalid_key(|p| p.steps.thinking_end = Some(String::new())),
            "steps.thinking_end"
        );
        assert_eq!(invalid_key(|p| p.steps.max_repeats = Some(1)), "steps.max_repeats");
        assert_eq!(invalid_key(|p| p.prompt.system = Some("Be brief.".into())), "prompt.system");
        assert_eq!(invalid_key(|p| p.prompt.thinking = Some(false)), "prompt.thinking");
        assert_eq!(invalid_key(|p| p.large.paged_context = Some(0)), "large.paged_context");
        assert_eq!(invalid_key(|p| p.sampling.temperature = f64::INFINITY), "sampling.temperature");
        assert_eq!(invalid_key(|p| p.sampling.top_p = 0.0), "sampling.top_p");
        assert_eq!(invalid_key(|p| p.budget.limit = Some(0.0)), "budget.limit");
        assert_eq!(invalid_key(|p| p.small.quantize_bits = Some(7)), "small.quantize_bits");
        assert_eq!(invalid_key(|p| p.large.source.clear()), "large.source");
        assert_eq!(invalid_key(|p| p.large.parameters = Some(0)), "large.parameters");
        assert_eq!(invalid_key(|p| p.large.price = Some(1.0)), "price");
        assert_eq!(invalid_key(|p| p.large.prompt = Some("?".into())), "large.prompt");
        assert_eq!(invalid_key(|p| p.prompt.template = "?".into()), "prompt.template");
        assert_eq!(
            invalid_key(|p| {
                p.small.price = Some(f64::INFINITY);
                p.large.price = Some(1.0);
            }),
            "small.price"
        );
    }
}

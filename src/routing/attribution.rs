//! How far each feature moved p(large).
//!
//! For the trained policy these are integrated gradients (Sundararajan, Taly and Yan 2017,
//! arXiv 1703.01365) of p(large), the mean over the policy's networks and λ grid, along the straight line
//! from the mean boundary of the training to the boundary in question, in standardized features. λ is not
//! a feature; it stays constant along the line. A feature at its training mean contributes nothing, and the
//! contributions add up to p(large) minus the policy's p(large) at the mean boundary, up to the error of
//! the integral ([`INTEGRATION_POINTS`] midpoints): below 0.004 if the features are within two standard
//! deviations of their means, below 0.015 within five.
//!
//! A feature that a boundary lacks, such as those of the last step before the first, is 0 to the policy
//! and contributes as such.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Policy, RouterError, feature_spec, router_spec};

/// Number of midpoints of the integral: more are more accurate and slower.
const INTEGRATION_POINTS: usize = 256;

/// The parts of a p(large).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contributions {
    /// p(large) at the mean boundary of the policy's training; 0 for a rule.
    pub base: f64,
    /// p(large) at the boundary.
    pub p_large: f64,
    /// The contributions that are not 0, largest absolute value first.
    pub parts: Vec<Contribution>,
}

/// One feature's contribution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contribution {
    /// Name of the feature, or of its family.
    pub name: String,
    /// How far it moved p(large), in [−1, 1]; positive is towards the large model.
    pub contribution: f64,
}

impl Contributions {
    /// What the numbers mean, for the user.
    pub const METHOD: &str = "each feature's share of the difference between p(large) here and at the mean boundary of the \
         policy's training, by integrated gradients: the shares add up";

    fn new(base: f64, p_large: f64, parts: impl IntoIterator<Item = (String, f64)>) -> Self {
        let parts = parts.into_iter().filter(|(_, contribution)| *contribution != 0.0);
        let mut parts: Vec<Contribution> =
            parts.map(|(name, contribution)| Contribution { name, contribution }).collect();
        parts.sort_by(|a, b| {
            b.contribution.abs().total_cmp(&a.contribution.abs()).then(a.name.cmp(&b.name))
        });
        Self { base, p_large, parts }
    }

    /// The same with one contribution for each family of features (`words`, `digits`), whose members say
    /// little one by one.
    #[must_use]
    pub fn by_family(&self) -> Self {
        let mut kinds = BTreeMap::new();
        for part in &self.parts {
            *kinds.entry(family(&part.name).to_owned()).or_insert(0.0) += part.contribution;
        }
        Self::new(self.base, self.p_large, kinds)
    }

    /// The `n` largest contributions, and the sum of all others.
    pub fn largest(&self, n: usize) -> (&[Contribution], f64) {
        let (shown, others) = self.parts.split_at(n.min(self.parts.len()));
        (shown, others.iter().map(|part| part.contribution).sum())
    }

    /// How far p(large) is above the threshold; negative if the small model writes.
    pub fn margin(&self, threshold: f64) -> f64 {
        self.p_large - threshold
    }
}

/// The family that a feature belongs to, else its own name.
fn family(feature: &str) -> &str {
    let family = feature_spec(feature).filter(|spec| spec.is_family());
    family.map_or(feature, |spec| spec.name)
}

/// The contributions to the policy's p(large) at a boundary with these features. Takes some tens of
/// milliseconds.
///
/// # Errors
/// If the network fails.
pub fn contributions(
    policy: &Policy,
    features: &BTreeMap<String, f64>,
) -> Result<Contributions, RouterError> {
    let failed = |e: candle_core::Error| RouterError::Policy {
        name: policy.card.name.clone(),
        reason: e.to_string(),
    };
    let set = &policy.card.set;
    let rows = [policy.card.mean.clone(), set.row(features)];
    let p = policy.p_large_batch(&rows).map_err(failed)?;
    let end = policy.standardize(features);
    let point_at = |i: usize| {
        let share = (i as f32 + 0.5) / INTEGRATION_POINTS as f32;
        end.iter().map(|x| share * x).collect()
    };
    let points: Vec<Vec<f32>> = (0..INTEGRATION_POINTS).map(point_at).collect();
    let gradients = policy.gradients(&points).map_err(failed)?;
    let contributions =
        gradients.iter().zip(&end).map(|(sum, x)| sum / INTEGRATION_POINTS as f64 * f64::from(*x));
    Ok(Contributions::new(p[0], p[1], set.features.iter().cloned().zip(contributions)))
}

/// The parts of the p(large) of a handcrafted router: its one statistic, or nothing if it always
/// chooses the same model.
#[must_use]
pub fn rule_contributions(router: &str, p_large: f64) -> Contributions {
    match router_spec(router).and_then(|spec| spec.statistic) {
        Some(statistic) => Contributions::new(0.0, p_large, [(statistic.to_owned(), p_large)]),
        None => Contributions::new(p_large, p_large, None),
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::routing::load_policy;

    /// A boundary around the training's mean.
    fn boundary(policy: &Policy, spread: f64, random: &mut ChaCha8Rng) -> BTreeMap<String, f64> {
        let card = &policy.card;
        let scales = card.mean.iter().zip(&card.spread);
        let values = card.set.features.iter().zip(scales).map(|(name, (mean, scale))| {
            let off = random.random_range(-spread..spread);
            (name.clone(), f64::from(*mean) + off * f64::from(*scale))
        });
        values.collect()
    }

    fn sum(all: &Contributions) -> f64 {
        all.parts.iter().map(|part| part.contribution).sum()
    }

    #[test]
    fn contributions_add_up() {
        let policy = load_policy("builtin:tiny").unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut widest: f64 = 0.0;
        for spread in [0.1, 0.5, 1.0, 2.0, 5.0] {
            for _ in 0..10 {
                let features = boundary(&policy, spread, &mut random);
                let all = contributions(&policy, &features).unwrap();
                assert!((all.p_large - policy.p_large(&features).unwrap()).abs() < 1e-6);
                let error = (sum(&all) - (all.p_large - all.base)).abs();
                let most = if spread > 2.0 { 0.015 } else { 0.004 };
                assert!(error < most, "{error} at {spread}");
                widest = widest.max((all.p_large - all.base).abs());
                let kinds = all.by_family();
                assert!((sum(&kinds) - sum(&all)).abs() < 1e-9);
                assert!(kinds.parts.iter().all(|part| !part.name.starts_with("words.")));
                assert!(
                    all.parts.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs())
                );
                let (first, rest) = kinds.largest(5);
                let shown: f64 = first.iter().map(|part| part.contribution).sum();
                assert!((shown + rest - sum(&all)).abs() < 1e-9);
            }
        }
        assert!(widest > 0.2, "p hardly moved: {widest}");
    }

    #[test]
    fn a_feature_at_its_mean_contributes_nothing() {
        let policy = load_policy("builtin:tiny").unwrap();
        let card = &policy.card;
        let means = card.set.features.iter().cloned().zip(card.mean.iter().map(|m| f64::from(*m)));
        let mut features: BTreeMap<String, f64> = means.collect();
        let still = contributions(&policy, &features).unwrap();
        assert_eq!(still.parts, []);
        assert_eq!(still.base, still.p_large);

        // A feature that alone is moved has all of the difference.
        let at = card.set.features.iter().position(|f| f == "draft.min_logprob").unwrap();
        let moved = f64::from(card.mean[at]) - 3.0 * f64::from(card.spread[at]);
        features.insert("draft.min_logprob".into(), moved);
        let all = contributions(&policy, &features).unwrap();
        assert_eq!(all.parts.len(), 1);
        let difference = policy.p_large(&features).unwrap() - still.p_large;
        assert!(difference.abs() > 0.01, "{difference}");
        assert!((all.parts[0].contribution - difference).abs() < 0.002, "{all:?} {difference}");
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let policy = load_policy("builtin:tiny").unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let features = boundary(&policy, 1.0, &mut random);
        let gradients = policy.gradients(&[policy.standardize(&features)]).unwrap();
        let largest = |a: &(usize, f64), b: &(usize, f64)| a.1.abs().total_cmp(&b.1.abs());
        let (at, slope) = gradients.into_iter().enumerate().max_by(largest).unwrap();
        let moved = |by: f64| {
            let mut features = features.clone();
            let name = &policy.card.set.features[at];
            *features.get_mut(name).unwrap() += by * f64::from(policy.card.spread[at]);
            policy.p_large(&features).unwrap()
        };
        let measured = (moved(0.005) - moved(-0.005)) / 0.01;
        assert!((slope - measured).abs() < 0.05 * measured.abs(), "{slope} {measured}");
    }

    #[test]
    fn a_rule_has_one_part() {
        let all = rule_contributions("entropy", 0.3);
        assert_eq!((all.base, all.parts.len(), all.parts[0].contribution), (0.0, 1, 0.3));
        assert!((all.margin(0.5) + 0.2).abs() < 1e-12);
        assert_eq!(rule_contributions("always-large", 1.0).parts, []);
    }
}

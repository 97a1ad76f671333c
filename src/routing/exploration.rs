//! Choices drawn at random, with their propensities, so that a policy can learn from them.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::Exploration;
use crate::episode::Role;

impl Exploration {
    /// The threshold below which a share `u`, in [0, 1], of all draws lies.
    fn quantile(&self, u: f64) -> f64 {
        let last = self.quantiles.len().saturating_sub(1);
        let at = u * last as f64;
        let i = (at as usize).min(last.saturating_sub(1));
        let low = self.quantiles.get(i).copied().unwrap_or(0.0);
        let high = self.quantiles.get(i + 1).copied().unwrap_or(1.0);
        low + (high - low) * (at - i as f64)
    }

    /// Probability that the threshold is at most `t`.
    fn cumulative(&self, t: f64) -> f64 {
        let last = self.quantiles.len().saturating_sub(1).max(1) as f64;
        // Equal quantiles have a probability mass of their own, which the last of them completes.
        let i = self.quantiles.partition_point(|q| *q <= t);
        if i == 0 {
            return 0.0;
        }
        let low = self.quantiles[i - 1];
        let within = self.quantiles.get(i).map_or(0.0, |high| (t - low) / (high - low));
        ((i - 1) as f64 + within) / last
    }
}

/// Draws the choices of one episode: one random threshold for the episode, and with some probability a
/// fair coin instead of it at a boundary.
///
/// The propensity of a choice is its probability given the choices before it, for an unknown threshold.
/// The product of the propensities of an episode is the probability of its choices, given p(large) at
/// its boundaries.
#[derive(Debug, Clone)]
pub struct Explorer {
    config: Exploration,
    threshold: f64,
    /// Upper ends of intervals of the threshold, ascending up to 1, with the probability of the choices so
    /// far for a threshold in that interval.
    threshold_likelihood: Vec<(f64, f64)>,
    rng: ChaCha8Rng,
}

/// A drawn choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledChoice {
    /// The model.
    pub choice: Role,
    /// Probability of the choice, in (0, 1].
    pub propensity: f64,
    /// Whether the coin decided instead of the threshold.
    pub by_coin: bool,
}

impl Explorer {
    /// Draws the threshold of an episode.
    pub fn new(config: Exploration, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let threshold = config.quantile(rng.random()).clamp(0.0, 1.0);
        Self { config, threshold, threshold_likelihood: vec![(1.0, 1.0)], rng }
    }

    /// The threshold of the episode.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Draws the choice at a boundary, where p(large) is `p_large`.
    pub fn draw(&mut self, p_large: f64) -> SampledChoice {
        let coin = self.config.coin;
        let by_coin = coin > 0.0 && self.rng.random_bool(coin);
        let large = if by_coin { self.rng.random_bool(0.5) } else { p_large >= self.threshold };
        self.split_interval(p_large);
        let (mut all, mut same, mut low) = (0.0, 0.0, 0.0);
        for (high, probability) in &mut self.threshold_likelihood {
            // A threshold of at most p(large) chooses the large model.
            let agrees = (*high <= p_large) == large;
            let chosen = (1.0 - coin) * f64::from(u8::from(agrees)) + coin / 2.0;
            let below = self.config.cumulative(*high);
            let mass = (below - low) * *probability;
            low = below;
            all += mass;
            same += mass * chosen;
            *probability *= chosen;
        }
        let choice = if large { Role::Large } else { Role::Small };
        SampledChoice { choice, propensity: if all > 0.0 { same / all } else { 1.0 }, by_coin }
    }

    /// Splits the interval that contains `at`.
    fn split_interval(&mut self, at: f64) {
        let i = self.threshold_likelihood.partition_point(|(high, _)| *high < at);
        if let Some(&(high, probability)) = self.threshold_likelihood.get(i)
            && at < high
        {
            self.threshold_likelihood.insert(i, (at, probability));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p(large) depends on the choices before, as it does in an episode.
    fn p_large(so_far: &[Role]) -> f64 {
        let large = so_far.iter().filter(|r| **r == Role::Large).count();
        [0.35, 0.6, 0.2, 0.8][so_far.len()] * (1.0 - 0.3 * large as f64)
    }

    #[test]
    fn products_of_propensities_are_the_frequencies_of_the_choices() {
        for coin in [0.0, 0.3] {
            let config = Exploration { quantiles: vec![0.0, 0.1, 0.4, 0.4, 1.0], coin };
            let mut seen = std::collections::HashMap::new();
            let episodes = 40_000;
            for seed in 0..episodes {
                let mut explorer = Explorer::new(config.clone(), seed);
                let (mut choices, mut product) = (Vec::new(), 1.0);
                for _ in 0..4 {
                    let drawn = explorer.draw(p_large(&choices));
                    choices.push(drawn.choice);
                    product *= drawn.propensity;
                }
                let entry = seen.entry(choices).or_insert((0_u32, product));
                entry.0 += 1;
                assert!((entry.1 - product).abs() < 1e-9, "the same choices, the same propensity");
            }
            let total: f64 = seen.values().map(|(_, product)| product).sum();
            assert!((total - 1.0).abs() < 1e-9, "{total}");
            for (choices, (count, product)) in seen {
                let share = f64::from(count) / episodes as f64;
                assert!((share - product).abs() < 0.012, "{choices:?}: {share} against {product}");
            }
        }
    }

    #[test]
    fn thresholds_follow_their_quantiles() {
        let config = Exploration { quantiles: vec![0.0, 0.2, 0.2, 0.9, 1.0], coin: 0.0 };
        for (t, below) in [(0.1, 0.125), (0.2, 0.5), (0.55, 0.625), (1.0, 1.0), (-0.1, 0.0)] {
            assert!((config.cumulative(t) - below).abs() < 1e-9, "{t}: {}", config.cumulative(t));
        }
        assert!((config.quantile(0.625) - 0.55).abs() < 1e-9);
        assert_eq!((config.quantile(0.0), config.quantile(1.0)), (0.0, 1.0));
    }
}

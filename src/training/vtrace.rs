//! V-trace (Espeholt et al. 2018, arXiv 1802.01561, eq. 1 and remark 2): values of a policy from trajectories
//! that another one wrote.

/// Values and advantages of one trajectory, a number a boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct VTraceTargets {
    /// What the value function should say.
    pub values: Vec<f64>,
    /// r_t + v_{t+1} − V(s_t), not yet weighted by ρ_t.
    pub advantages: Vec<f64>,
}

/// The targets for undiscounted `rewards` (γ = 1), current `values` V(s_t), and `ratios` π/μ of the
/// choices that were made; both truncations ρ̄ and c̄ are 1, and `vtrace_lambda` in [0, 1] is λ: at 0 only the
/// next value is believed, at 1 the whole trajectory. What follows the last boundary is worth 0.
///
/// All slices are of the same length.
pub fn v_trace(
    rewards: &[f64],
    values: &[f64],
    ratios: &[f64],
    vtrace_lambda: f64,
) -> VTraceTargets {
    let n = rewards.len();
    let mut targets = VTraceTargets { values: vec![0.0; n], advantages: vec![0.0; n] };
    let (mut next_value, mut next_target) = (0.0, 0.0);
    for t in (0..n).rev() {
        let weight = ratios[t].min(1.0);
        let delta = weight * (rewards[t] + next_value - values[t]);
        targets.advantages[t] = rewards[t] + next_target - values[t];
        targets.values[t] = values[t] + delta + vtrace_lambda * weight * (next_target - next_value);
        (next_value, next_target) = (values[t], targets.values[t]);
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_policy_it_is_the_return() {
        let targets = v_trace(&[1.0, 2.0, 3.0], &[0.3, -0.2, 5.0], &[1.0; 3], 1.0);
        assert!(targets.values.iter().zip([6.0, 5.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((targets.advantages[0] - (1.0 + 5.0 - 0.3)).abs() < 1e-12);
    }

    #[test]
    fn it_is_the_sum_of_weighted_differences() {
        // v_s = V(s_s) + Σ_{t≥s} (Π_{i<t} c_i) δ_t, term by term.
        let (rewards, values, ratios) = ([0.5, -1.0, 2.0], [0.1, 0.4, 0.7], [0.5, 3.0, 0.2]);
        let targets = v_trace(&rewards, &values, &ratios, 0.7);
        let c = ratios.map(|r: f64| r.min(1.0));
        for s in 0..3 {
            let mut expected = values[s];
            for t in s..3 {
                let after = values.get(t + 1).copied().unwrap_or(0.0);
                let delta = c[t] * (rewards[t] + after - values[t]);
                expected += c[s..t].iter().map(|c| 0.7 * c).product::<f64>() * delta;
            }
            assert!((targets.values[s] - expected).abs() < 1e-12, "{s}");
        }
    }

    #[test]
    fn a_choice_that_the_policy_would_never_make_teaches_nothing() {
        let targets = v_trace(&[1.0, 1.0], &[0.5, 0.25], &[1.0, 0.0], 1.0);
        assert_eq!(targets.values, [1.25, 0.25]);
    }
}

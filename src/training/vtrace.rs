//! V-trace (Espeholt et al. 2018, IMPALA, arXiv 1802.01561, eq. 1 and remark 2): values of a policy from
//! trajectories that another policy wrote.

/// Values and advantages of one trajectory, one number per boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct VTraceTargets {
    /// Targets `v_t` of the value function.
    pub values: Vec<f64>,
    /// Advantages `r_t + v_{t+1} − V(s_t)`, not weighted by `ρ_t`.
    pub advantages: Vec<f64>,
}

/// The V-trace targets of one trajectory, without discount (γ = 1) and with both truncation levels ρ̄ and c̄
/// equal to 1:
///
/// `v_t = V(s_t) + δ_t + c_t (v_{t+1} − V(s_{t+1}))`, where `δ_t = ρ_t (r_t + V(s_{t+1}) − V(s_t))`,
/// `ρ_t = min(1, π/μ)` and `c_t = λ min(1, π/μ)`.
///
/// `values` are the current estimates `V(s_t)`, `ratios` are π/μ of the choices that were made. `vtrace_lambda`
/// is λ in [0, 1]: 0 bootstraps from the next value only, 1 uses the whole trajectory. The value after the
/// last boundary is 0. All slices must have the same length.
///
/// ```
/// use pointsman::training::v_trace;
///
/// // On-policy (all ratios 1) with λ = 1, the target is the sum of the remaining rewards.
/// let targets = v_trace(&[1.0, 2.0, 3.0], &[0.5, 0.5, 0.5], &[1.0; 3], 1.0);
/// assert_eq!(targets.values, [6.0, 5.0, 3.0]);
/// ```
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
    fn a_choice_that_the_policy_never_makes_has_no_weight() {
        let targets = v_trace(&[1.0, 1.0], &[0.5, 0.25], &[1.0, 0.0], 1.0);
        assert_eq!(targets.values, [1.25, 0.25]);
    }
}

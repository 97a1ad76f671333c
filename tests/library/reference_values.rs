//! Statistics against values computed by other libraries: see tests/reference/README.md.

use std::fs;
use std::path::Path;

use pointsman::evaluation::{
    BaselineOutcome, Baselines, LoggedEpisode, OffPolicyLog, Sweep, curve, curve_metrics,
    learn_then_test, p_value,
};
use pointsman::routing::{GaussianComponent, GaussianMixture};
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn near(ours: f64, theirs: f64, relative: f64) {
    assert!((ours - theirs).abs() <= relative * theirs.abs().max(1e-12), "{ours} not {theirs}");
}

#[derive(Deserialize)]
struct OffPolicy {
    episodes: Vec<LoggedEpisode>,
    estimates: Vec<Estimate>,
}

#[derive(Deserialize)]
struct Estimate {
    threshold: f64,
    accuracy: f64,
    accuracy_ci: Option<[f64; 2]>,
    cost: f64,
    cost_ci: [f64; 2],
    effective: f64,
}

#[test]
fn offpolicy_estimates_equal_those_of_scope_rl_and_statsmodels() {
    let reference: OffPolicy = read("offpolicy.json");
    let log = OffPolicyLog::new(&reference.episodes);
    assert_eq!(log.left_out(), 0);
    for theirs in &reference.estimates {
        let ours = log.estimate(theirs.threshold);
        near(ours.accuracy.unwrap(), theirs.accuracy, 1e-9);
        near(ours.cost.unwrap(), theirs.cost, 1e-9);
        near(ours.effective, theirs.effective, 1e-12);
        let cost_ci = ours.cost_ci.unwrap();
        let accuracy_ci = ours.accuracy_ci.unwrap();
        for end in 0..2 {
            near(cost_ci[end], theirs.cost_ci[end], 1e-6);
            if let Some(ci) = theirs.accuracy_ci {
                near(accuracy_ci[end], ci[end], 1e-6);
            }
        }
    }
}

#[derive(Deserialize)]
struct Calibration {
    misses: Vec<u64>,
    n: u64,
    alpha: f64,
    delta: f64,
    p_values: Vec<f64>,
    last: Option<usize>,
}

#[test]
fn learn_then_test_equals_that_of_mapie() {
    let cases: Vec<Calibration> = read("calibration.json");
    assert!(cases.iter().any(|case| case.last.is_none()));
    for case in &cases {
        for (&misses, &theirs) in case.misses.iter().zip(&case.p_values) {
            near(p_value(misses, case.n, case.alpha), theirs, 1e-9);
        }
        assert_eq!(learn_then_test(&case.misses, case.n, case.alpha, case.delta), case.last);
    }
}

#[derive(Deserialize)]
struct Curves {
    sweeps: Vec<Sweep>,
    baselines: Baselines,
    thresholds: Vec<f64>,
    apgr: f64,
    /// At 0.5, 0.8 and 0.95.
    cpt: [f64; 3],
}

#[test]
fn curve_metrics_equal_those_of_scikit_learn_and_numpy() {
    let reference: Curves = read("curves.json");
    let points = curve(&reference.sweeps, &reference.baselines, &reference.thresholds).unwrap();
    let cost =
        |outcomes: &[BaselineOutcome]| -> f64 { outcomes.iter().map(|outcome| outcome.cost).sum() };
    let small_share = cost(&reference.baselines.small) / cost(&reference.baselines.large);
    let ours = curve_metrics(&points, Some(small_share));
    near(ours.apgr.unwrap(), reference.apgr, 1e-9);
    for (ours, theirs) in [ours.cpt50, ours.cpt80, ours.cpt95].into_iter().zip(reference.cpt) {
        near(ours.unwrap(), theirs, 1e-9);
    }
}

#[derive(Deserialize)]
struct Gaussians {
    values: Vec<f64>,
    weights: [f64; 2],
    means: [f64; 2],
    variances: [f64; 2],
    /// Sum over all values.
    log_likelihood: f64,
    /// Of the second component, at the first values.
    posterior_of_second: Vec<f64>,
}

#[test]
fn a_gaussian_mixture_equals_that_of_scikit_learn() {
    let theirs: Gaussians = read("mixture.json");
    let ours = GaussianMixture::fit(&theirs.values).unwrap();
    for (i, GaussianComponent { weight, mean, variance }) in
        [ours.unsure, ours.sure].into_iter().enumerate()
    {
        near(weight, theirs.weights[i], 1e-3);
        near(mean, theirs.means[i], 1e-3);
        near(variance, theirs.variances[i], 1e-3);
    }
    let mean = theirs.log_likelihood / theirs.values.len() as f64;
    near(ours.log_likelihood(&theirs.values), mean, 1e-7);
    for (x, posterior) in theirs.values.iter().zip(&theirs.posterior_of_second) {
        assert!((1.0 - ours.unsure_probability(*x) - posterior).abs() < 1e-3);
    }
    assert_eq!(GaussianMixture::fit(&[1.0; 20]), None);
    assert_eq!(GaussianMixture::fit(&theirs.values[..9]), None);
}

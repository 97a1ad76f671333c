"""Computes the values for tests/library/reference_values.rs with other libraries. See README.md."""

import json
from pathlib import Path

import numpy as np
from mapie.risk_control import control_fwer
from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value
from scipy.stats import binom
from scope_rl.ope.discrete import SelfNormalizedTIS
from sklearn.metrics import auc
from sklearn.mixture import GaussianMixture
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.proportion import proportion_confint

HERE = Path(__file__).parent
SMALL, LARGE = 0, 1


def play(p, errors, t):
    """Whether the answer at threshold t is correct, and its cost."""
    small = p < t
    return bool(not (small & errors).any()), float(2 * small.sum() + 10 * (~small).sum())


def log_episode(rng, question, steps):
    """An episode under a threshold T ~ U(0, 1), with the probability of each choice given those before."""
    p = rng.random(steps)
    errors = rng.random(steps) < 0.3 * p
    t = rng.random()
    low, high, boundaries = 0.0, 1.0, []
    for x in p:
        inside, span = min(max(x, low), high), high - low
        if x >= t:
            high, probability = inside, (inside - low) / span
        else:
            low, probability = inside, (high - inside) / span
        boundaries.append({"p_large": x, "large": bool(x >= t), "propensity": probability})
    correct, cost = play(p, errors, t)
    return {"question": question, "boundaries": boundaries, "correct": correct, "cost": cost}


def trajectory_wise(episodes, t, rewards):
    """SNTIS of scope-rl for "large if p >= t"; short episodes are padded with certain choices."""
    steps = max(len(e["boundaries"]) for e in episodes)
    action = np.zeros((len(episodes), steps), dtype=int)
    pscore = np.ones((len(episodes), steps))
    policy = np.zeros((len(episodes), steps, 2))
    policy[:, :, SMALL] = 1.0
    reward = np.zeros((len(episodes), steps))
    for i, episode in enumerate(episodes):
        for j, choice in enumerate(episode["boundaries"]):
            action[i, j] = LARGE if choice["large"] else SMALL
            pscore[i, j] = choice["propensity"]
            policy[i, j] = [choice["p_large"] < t, choice["p_large"] >= t]
        reward[i, len(episode["boundaries"]) - 1] = rewards[i]
    return SelfNormalizedTIS().estimate_policy_value(
        step_per_trajectory=steps,
        action=action.ravel(),
        reward=reward.ravel(),
        pscore=pscore.ravel(),
        evaluation_policy_action_dist=policy.reshape(-1, 2),
    )


def weights(episodes, t):
    agree = [all(c["large"] == (c["p_large"] >= t) for c in e["boundaries"]) for e in episodes]
    return np.array(agree) / [np.prod([c["propensity"] for c in e["boundaries"]]) for e in episodes]


def standard_error(values, w, questions):
    """Standard error of a weighted mean, clustered by question: the sandwich of a regression on a constant."""
    fit = WLS(values, np.ones_like(w), weights=w).fit(
        cov_type="cluster", cov_kwds={"groups": questions, "use_correction": False}
    )
    return fit.bse[0]


def offpolicy():
    rng = np.random.default_rng(1)
    episodes = [log_episode(rng, i // 2, int(rng.integers(2, 5))) for i in range(40)]
    questions = np.array([e["question"] for e in episodes])
    correct = np.array([float(e["correct"]) for e in episodes])
    cost = np.array([e["cost"] for e in episodes])
    estimates = []
    for t in np.linspace(0.1, 0.9, 9):
        w = weights(episodes, t)
        accuracy = trajectory_wise(episodes, t, correct)
        mean_cost = trajectory_wise(episodes, t, cost)
        se, cost_se = (standard_error(x, w, questions) for x in (correct, cost))
        effective = w.sum() ** 2 / (w**2).sum()
        # If all values agree, the standard error is 0.
        ci = None
        if se > 1e-8:
            n = min(accuracy * (1 - accuracy) / se**2, effective)
            ci = proportion_confint(n * accuracy, n, method="wilson")
        estimates.append({
            "threshold": t,
            "accuracy": accuracy,
            "accuracy_ci": ci,
            "cost": mean_cost,
            "cost_ci": [mean_cost - 1.959964 * cost_se, mean_cost + 1.959964 * cost_se],
            "effective": effective,
        })
    return {"episodes": episodes, "estimates": estimates}


def calibration():
    cases = []
    settings = [(64, 0.1, 0.1), (256, 0.05, 0.1), (1024, 0.02, 0.05), (16, 0.1, 0.1), (512, 0.3, 0.01)]
    # Powers of two: mapie rounds n * (misses / n) up, which must be exact.
    for n, alpha, delta in settings:
        rng = np.random.default_rng(n)
        risks = alpha * np.linspace(0, 1.2, 12)
        misses = [int(rng.binomial(n, risk)) for risk in risks]
        p = compute_hoeffding_bentkus_p_value(np.array(misses) / n, n, alpha, binary=True)[:, 0]
        # mapie returns the smaller of Hoeffding's p-value and the binomial tail: for 0/1 losses the tail.
        assert np.allclose(p, binom.cdf(misses, n, alpha), rtol=1e-9)
        passed = control_fwer(p, delta, "fixed_sequence")
        cases.append({
            "misses": misses,
            "n": n,
            "alpha": alpha,
            "delta": delta,
            "p_values": list(p),
            "last": int(passed[-1]) if len(passed) else None,
        })
    return cases


def curves():
    """Sweeps of a router, its APGR by the trapezoidal rule of scikit-learn, its CPTs by interpolation with numpy."""
    rng = np.random.default_rng(3)
    sweeps, small, large, questions = [], [], [], []
    for _ in range(30):
        p = rng.random(5)
        errors = rng.random(5) < 0.5 * p
        bounds = np.concatenate([[1.0], np.sort(p)[::-1], [0.0]])
        pieces = []
        for high, low in zip(bounds, bounds[1:]):
            correct, cost = play(p, errors, high)
            pieces.append({"low": low, "high": high, "correct": correct, "cost": cost})
        sweeps.append(pieces)
        questions.append((p, errors))
        small.append(dict(zip(("correct", "cost"), play(p, errors, 2.0))))
        large.append({"correct": True, "cost": 50.0})
    thresholds = np.linspace(0, 1, 33)
    results = np.array([[play(*q, t) for q in questions] for t in thresholds[::-1]]).mean(axis=1)
    accuracy, share = results[:, 0], results[:, 1] / 50.0
    accuracy_small = np.mean([s["correct"] for s in small])
    start = np.mean([s["cost"] for s in small]) / 50.0
    x = np.concatenate([[start], share, [1.0]])
    y = np.concatenate([[0.0], (accuracy - accuracy_small) / (1 - accuracy_small), [1.0]])
    envelope = np.maximum.accumulate(y)
    first = np.concatenate([[True], np.diff(envelope) > 0])
    # The envelope rises from the point before each new maximum.
    keep = first | np.concatenate([first[1:], [True]])
    return {
        "sweeps": sweeps,
        "baselines": {"small": small, "large": large},
        "thresholds": list(thresholds),
        "apgr": auc(x, y) / (1 - start),
        "cpt": [np.interp(level, envelope[keep], x[keep]) for level in (0.5, 0.8, 0.95)],
    }


def mixture():
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.normal(-1.2, 0.5, 80), rng.normal(1.0, 0.8, 120)])
    rng.shuffle(x)
    # Without regularization, until convergence: the maximum itself.
    fit = GaussianMixture(2, reg_covar=0.0, tol=1e-13, max_iter=100_000, random_state=0).fit(x[:, None])
    order = np.argsort(fit.means_[:, 0])
    return {
        "values": list(x),
        "weights": list(fit.weights_[order]),
        "means": list(fit.means_[order, 0]),
        "variances": list(fit.covariances_[order, 0, 0]),
        "log_likelihood": fit.score(x[:, None]) * len(x),
        "posterior_of_second": list(fit.predict_proba(x[:, None])[:5, order[1]]),
    }


for compute in (offpolicy, calibration, curves, mixture):
    path = HERE / f"{compute.__name__}.json"
    path.write_text(json.dumps(compute()) + "\n")
    print(path.name)

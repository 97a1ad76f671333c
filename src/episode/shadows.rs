//! Shadow routers, which do not choose: where they would have chosen otherwise.

use std::collections::BTreeMap;

use super::{Episode, Role, apply_threshold};

/// A step at which a shadow router would have chosen the other model.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowDisagreement {
    /// The step, counted from 0.
    pub step: usize,
    /// The shadow router as the preset names it: `entropy`, `entropy@0.2`.
    pub router: String,
    /// Its p(large), in [0, 1].
    pub p: f64,
    /// Its own threshold, or else the current one at that step; in [0, 1].
    pub t: f64,
    /// The model that it would have chosen.
    pub shadow_choice: Role,
    /// The model that was chosen.
    pub actual_choice: Role,
}

/// How often a shadow router agreed with the choices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShadowAgreement {
    /// Steps at which both chose the same model.
    pub agreed: usize,
    /// Steps at which it gave an estimate.
    pub compared: usize,
}

impl ShadowAgreement {
    /// Share of the steps at which it agreed, in [0, 1]; `None` if it never gave an estimate.
    pub fn rate(self) -> Option<f64> {
        (self.compared > 0).then(|| self.agreed as f64 / self.compared as f64)
    }
}

/// The steps of the trace at which a shadow router would have chosen the other model, in order.
pub fn disagreements(episode: &Episode) -> Vec<ShadowDisagreement> {
    shadow_decisions(episode)
        .filter(|shadow| shadow.shadow_choice != shadow.actual_choice)
        .collect()
}

/// How often each shadow router of these episodes agreed with the choices. One router with two thresholds counts as
/// two shadows.
pub fn agreements<'a>(
    episodes: impl IntoIterator<Item = &'a Episode>,
) -> BTreeMap<String, ShadowAgreement> {
    let mut all: BTreeMap<String, ShadowAgreement> = BTreeMap::new();
    for shadow in episodes.into_iter().flat_map(shadow_decisions) {
        let agreement = all.entry(shadow.router).or_default();
        agreement.compared += 1;
        agreement.agreed += usize::from(shadow.shadow_choice == shadow.actual_choice);
    }
    all
}

/// The choice of every shadow router at every step that it evaluated, next to the actual one.
fn shadow_decisions(episode: &Episode) -> impl Iterator<Item = ShadowDisagreement> + '_ {
    episode.decisions().flat_map(|(step, decision)| {
        episode.started.preset.routing.shadows.iter().filter_map(move |shadow| {
            let p = *decision.shadows.get(&shadow.router)?;
            let t = shadow.threshold.unwrap_or(decision.threshold);
            let router = shadow.to_string();
            Some(ShadowDisagreement {
                step,
                router,
                p,
                t,
                shadow_choice: apply_threshold(p, t),
                actual_choice: decision.choice,
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Decider;
    use crate::episode::fixtures::{decided, episode_of, shadows_evaluated, started, written};

    #[test]
    fn shadows_disagree_at_their_own_threshold_or_at_that_of_the_choice() {
        let mut first = started();
        first.preset.routing.shadows =
            ["entropy", "entropy@0.2", "random"].map(|s| s.parse().unwrap()).into();
        let by = Decider::Rule("confidence".into());
        let episode = episode_of(
            first,
            [
                shadows_evaluated(0, &[("entropy", 0.3)]),
                decided(0, Some(0.1), Role::Small, by.clone(), 0),
                written(0, Role::Small, 2),
                shadows_evaluated(1, &[("entropy", 0.3)]),
                decided(1, Some(0.3), Role::Large, by, 0),
                written(1, Role::Large, 2),
                // No router was asked.
                decided(2, None, Role::Small, Decider::Budget, 0),
                written(2, Role::Small, 2),
            ],
        );
        let found = disagreements(&episode);
        let short: Vec<_> = found.iter().map(|d| (d.step, d.router.as_str(), d.t)).collect();
        assert_eq!(short, [(0, "entropy@0.2", 0.2), (1, "entropy", 0.5)]);
        assert_eq!((found[0].shadow_choice, found[0].actual_choice), (Role::Large, Role::Small));
        assert_eq!(
            (found[1].shadow_choice, found[1].actual_choice, found[1].p),
            (Role::Small, Role::Large, 0.3)
        );
        let rates = agreements([&episode, &episode]);
        assert_eq!(rates["entropy"], ShadowAgreement { agreed: 2, compared: 4 });
        assert_eq!(rates["entropy@0.2"].rate(), Some(0.5));
        assert!(!rates.contains_key("random"), "it gave no estimate");
        assert_eq!(ShadowAgreement::default().rate(), None);
    }
}

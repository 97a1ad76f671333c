//! How the user's choices compare with the router's.

use std::collections::BTreeMap;

use crate::episode::{Decider, Episode, EpisodeStatus, Verdict};

/// How the user's choices compare with the router's.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UserComparison {
    /// Steps, not undone since, whose writer the user chose.
    pub decisions: usize,
    /// Those of them for which the router's opinion is known.
    pub with_opinion: usize,
    /// Those of the latter for which the router would have chosen the same model.
    pub agreed: usize,
    /// Questions with graded episodes of both sides.
    pub questions: usize,
    /// Means of the user's episodes over these questions. Each question counts once, however many
    /// episodes it has.
    pub user: SideMeans,
    /// Means of the router's episodes over the same questions.
    pub router: SideMeans,
}

impl UserComparison {
    /// Share of the steps with an opinion at which both agreed, in [0, 1]. `None` if there are none.
    pub fn agreement(&self) -> Option<f64> {
        (self.with_opinion > 0).then(|| self.agreed as f64 / self.with_opinion as f64)
    }
}

/// Means over questions; 0 if there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SideMeans {
    /// Number of episodes.
    pub episodes: usize,
    /// Share answered correctly, in [0, 1].
    pub accuracy: f64,
    /// Mean cost of an episode, in the unit of the prices, without what a fork prefilled again.
    pub cost: f64,
}

/// Compares the user's choices in `episodes` with the router's.
///
/// Every decision counts once: a step that a fork shares with its parent counts for the parent.
/// Accuracy and cost compare graded episodes of the same question, models, router and threshold: those
/// in which the user chose, and those that the router alone decided, such as repeats and forks from
/// before the user's first choice. Episodes with numbers outside their ranges do not count.
pub fn compare_with_user<'a>(episodes: impl IntoIterator<Item = &'a Episode>) -> UserComparison {
    let mut comparison = UserComparison::default();
    let mut by_question: BTreeMap<ComparisonKey<'_>, [SideTotals; 2]> = BTreeMap::new();
    for episode in episodes.into_iter().filter(|episode| episode.check_ranges().is_ok()) {
        let own = episode.decisions().filter(|(step, _)| *step >= episode.inherited_steps);
        for (_, decision) in own.filter(|(_, d)| d.by == Decider::User) {
            comparison.decisions += 1;
            if let Some(router_choice) = decision.router_choice() {
                comparison.with_opinion += 1;
                comparison.agreed += usize::from(router_choice == decision.choice);
            }
        }
        let EpisodeStatus::Finished { verdict, .. } = &episode.status else { continue };
        let correct = match verdict {
            Verdict::Correct => true,
            Verdict::Wrong => false,
            Verdict::Undecided => continue,
        };
        let by_user = episode.has_user_choice();
        if by_user || only_router_decided(episode) {
            let sums =
                &mut by_question.entry(comparison_key(episode)).or_default()[usize::from(by_user)];
            sums.episodes += 1;
            sums.correct += usize::from(correct);
            sums.cost += episode.ledger.cost();
        }
    }
    for [router, user] in by_question.into_values() {
        if router.episodes > 0 && user.episodes > 0 {
            comparison.questions += 1;
            comparison.user.add(user);
            comparison.router.add(router);
        }
    }
    for side in [&mut comparison.user, &mut comparison.router] {
        side.accuracy /= comparison.questions.max(1) as f64;
        side.cost /= comparison.questions.max(1) as f64;
    }
    comparison
}

/// Question, models, router and threshold (as bits).
type ComparisonKey<'a> = (&'a str, &'a str, &'a str, &'a str, u64);

fn comparison_key(episode: &Episode) -> ComparisonKey<'_> {
    let started = &episode.started;
    let models = &started.models;
    let routing = &started.preset.routing;
    (
        started.question.as_str(),
        models.small.digest.as_str(),
        models.large.digest.as_str(),
        routing.router.as_str(),
        routing.threshold.to_bits(),
    )
}

/// Whether a single router at a single threshold made all decisions: a fork may change either.
fn only_router_decided(episode: &Episode) -> bool {
    let threshold = episode.started.preset.routing.threshold;
    let mut deciders = episode.decisions().map(|(_, d)| &d.by).filter(|by| **by != Decider::Budget);
    let first = deciders.next();
    episode.decisions().all(|(_, d)| d.threshold == threshold)
        && deciders.all(|by| Some(by) == first)
}

#[derive(Debug, Clone, Copy, Default)]
struct SideTotals {
    episodes: usize,
    correct: usize,
    cost: f64,
}

impl SideMeans {
    /// Adds the means of one question.
    fn add(&mut self, sums: SideTotals) {
        self.episodes += sums.episodes;
        self.accuracy += sums.correct as f64 / sums.episodes as f64;
        self.cost += sums.cost / sums.episodes as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::fixtures::{decided, episode_of, started, written};
    use crate::episode::{EventKind, FinishReason, Parent, Role, Started};

    fn rule() -> Decider {
        Decider::Rule("entropy".into())
    }

    fn finished(verdict: Verdict) -> EventKind {
        EventKind::Finished { answer: None, verdict, reason: FinishReason::Answered }
    }

    /// One step of 5 tokens prefilled and 5 written: 10 by the small model, 100 by the large one.
    fn one_step_episode(
        started: Started,
        by: Decider,
        p: f64,
        choice: Role,
        verdict: Verdict,
    ) -> Episode {
        let step = [decided(0, Some(p), choice, by, 0), written(0, choice, 5), finished(verdict)];
        episode_of(started, step)
    }

    #[test]
    fn agreement_is_about_what_the_router_would_have_chosen() {
        let episode = episode_of(
            started(),
            [
                decided(0, Some(0.7), Role::Large, Decider::User, 0),
                written(0, Role::Large, 5),
                decided(1, Some(0.7), Role::Small, Decider::User, 0),
                written(1, Role::Small, 5),
                decided(2, None, Role::Small, Decider::User, 0),
                written(2, Role::Small, 5),
                decided(3, Some(0.1), Role::Small, rule(), 0),
                written(3, Role::Small, 5),
            ],
        );
        let score = compare_with_user([&episode]);
        assert_eq!((score.decisions, score.with_opinion, score.agreed), (3, 2, 1));
        assert_eq!((score.agreement(), score.questions), (Some(0.5), 0));
        assert_eq!(compare_with_user([]), UserComparison::default());
        assert_eq!(compare_with_user([]).agreement(), None);
    }

    #[test]
    fn accuracy_and_cost_are_compared_on_the_same_questions() {
        use Verdict::{Correct, Undecided, Wrong};
        let ask = |question: &str| Started { question: question.into(), ..started() };
        let other = Started { question: "b".into(), ..started() };
        let mut moved = started();
        moved.preset.routing.threshold = 0.9;
        let episodes = [
            one_step_episode(ask("a"), Decider::User, 0.2, Role::Large, Correct),
            one_step_episode(ask("a"), rule(), 0.2, Role::Small, Wrong),
            one_step_episode(ask("a"), rule(), 0.2, Role::Small, Correct),
            // The others have no counterpart, or no grade.
            one_step_episode(other, Decider::User, 0.2, Role::Small, Correct),
            one_step_episode(ask("c"), rule(), 0.2, Role::Small, Correct),
            one_step_episode(ask("b"), rule(), 0.2, Role::Small, Undecided),
        ];
        let score = compare_with_user(&episodes);
        assert_eq!((score.questions, score.decisions, score.agreed), (1, 2, 1));
        assert_eq!(score.user, SideMeans { episodes: 1, accuracy: 1.0, cost: 100.0 });
        assert_eq!(score.router, SideMeans { episodes: 2, accuracy: 0.5, cost: 10.0 });
    }

    #[test]
    fn an_inherited_choice_makes_a_fork_the_users_but_counts_once() {
        let child = |step| Started { parent: Some(Parent { episode: 1, step }), ..started() };
        let steps = |first: Decider, second: Decider| {
            [
                decided(0, Some(0.2), Role::Small, first, 0),
                written(0, Role::Small, 5),
                decided(1, Some(0.2), Role::Small, second, 0),
                written(1, Role::Small, 5),
                finished(Verdict::Correct),
            ]
        };
        let parent = episode_of(started(), steps(rule(), Decider::User));
        let before = episode_of(child(1), steps(rule(), rule()));
        let after = episode_of(child(2), steps(rule(), Decider::User));
        let other = episode_of(child(1), steps(rule(), Decider::Rule("random".into())));
        let score = compare_with_user([&parent, &before, &after, &other]);
        assert_eq!(score.decisions, 1);
        assert_eq!((score.user.episodes, score.router.episodes), (2, 1));
    }
}

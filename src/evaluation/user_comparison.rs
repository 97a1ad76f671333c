//! A person who takes the points, against the router in force.

use std::collections::BTreeMap;

use crate::episode::{Decider, Episode, EpisodeStatus, Verdict};

/// How a person did against the router in force.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UserComparison {
    /// Steps that stand and that a person decided.
    pub decisions: usize,
    /// Those at which the router said what it would have chosen.
    pub with_opinion: usize,
    /// Those of them at which it would have chosen the same.
    pub agreed: usize,
    /// Questions of which there are graded episodes of both.
    pub questions: usize,
    /// Over these questions, each of which counts once however many episodes it has.
    pub user: SideMeans,
    pub router: SideMeans,
}

impl UserComparison {
    /// Share of the with_opinion steps at which they agreed, in [0, 1].
    pub fn agreement(&self) -> Option<f64> {
        (self.with_opinion > 0).then(|| self.agreed as f64 / self.with_opinion as f64)
    }
}

/// Means over questions; 0 where there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SideMeans {
    pub episodes: usize,
    /// Share answered correctly, in [0, 1].
    pub accuracy: f64,
    /// Of an episode, in the unit of the prices; what a fork read again is not in it.
    pub cost: f64,
}

/// The score of these episodes.
///
/// The decisions of all of them count, each once: a step that a fork shares with its parent is its
/// parent's. Accuracy and cost compare episodes of the same question, models, router and threshold: those in
/// which a person chose, and those that the router alone decided, such as repeats and forks from before
/// the person's first choice. Only episodes that were graded count; one that was stopped is not.
pub fn compare_with_user<'a>(episodes: impl IntoIterator<Item = &'a Episode>) -> UserComparison {
    let mut score = UserComparison::default();
    let mut by_question: BTreeMap<ComparisonKey<'_>, [SideTotals; 2]> = BTreeMap::new();
    for episode in episodes {
        let own = episode.decisions().filter(|(step, _)| *step >= episode.inherited_steps);
        for (_, decision) in own.filter(|(_, d)| d.by == Decider::User) {
            score.decisions += 1;
            if let Some(router_choice) = decision.router_choice() {
                score.with_opinion += 1;
                score.agreed += usize::from(router_choice == decision.choice);
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
            score.questions += 1;
            score.user.add(user);
            score.router.add(router);
        }
    }
    for side in [&mut score.user, &mut score.router] {
        side.accuracy /= score.questions.max(1) as f64;
        side.cost /= score.questions.max(1) as f64;
    }
    score
}

/// Question, models, router and threshold (its bits).
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

/// Whether one router at one threshold decided all of it: a fork may have changed them.
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
    /// Adds a question's means.
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
            // Of the others there is no counterpart, or no grade.
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
    fn a_fork_is_a_persons_where_it_inherits_a_choice_that_counts_once() {
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

//! What the next step would cost, from what the ledger says of those before it.

use super::{Episode, PerRole, Role, Step};

/// An estimate for the next step.
///
/// With price p (of a token that is read for u and j, else of one that is written), tokens u that a model has not read, mean length n of its steps, mean draft d of the small
/// model where a router weighed, and mean reading j of the large model where a router asked for one:
///
/// | chosen | cost |
/// |---|---|
/// | small | p_small (u_small + n_small), and p_large (u_large + j) where j > 0 |
/// | large | p_large (u_large + n_large), and p_small (u_small + d) where d > 0, and p_large (j + 1) where j > 0 |
///
/// A price for tokens from the cache is added for the rest of the text, each time that a model reads it. u is 1, its own last token, for the model that wrote the last step or has read a draft of the next
/// one. Otherwise it is that and the tokens of the steps since the last one that it wrote or accepted,
/// or the tokens of the steps from the last one on that it only drafted; for a model that has done
/// nothing yet, all of them and the prompt, whose length is what the other model prefilled first.
/// The other model's steps and count of the prompt are converted by tokens a character, as each model has
/// written them so far. What a model has not shown yet, n and tokens a character, is taken to be the mean of
/// all steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NextStepCost {
    /// u: tokens to prefill, where a model is chosen.
    pub unread: PerRole<usize>,
    /// n: tokens to write.
    pub length: PerRole<f64>,
    /// In the unit of the prices, by the model that is chosen.
    pub cost: PerRole<f64>,
}

impl NextStepCost {
    /// Share of the budget `limit` that would be left if `role` wrote the next step, when `spent` has been spent;
    /// negative where it would not do.
    pub fn budget_left(&self, role: Role, limit: f64, spent: f64) -> f64 {
        1.0 - (spent + self.cost[role]) / limit
    }
}

impl Episode {
    /// Whether its budget, where it has one, is spent.
    pub fn is_budget_spent(&self) -> bool {
        self.budget.is_some_and(|budget| self.ledger.cost() >= budget)
    }

    /// An estimate of what the large model alone would have cost: the prompt once, from no cache, and every token that
    /// stands in the trace.
    pub fn all_large_cost(&self) -> f64 {
        let first = self.steps.first();
        let drafts = first.map_or(&self.discarded, |step| &step.discarded);
        let first = drafts.first().or(first.map(|step| &step.generation));
        let prompt =
            first.map_or(0, |generation| generation.usage.prefilled + generation.usage.reused);
        self.ledger.prices.large.cost(prompt, 0, self.ledger.kept_tokens())
    }

    /// What the next step would cost either way; nothing before the first step, which tells how long steps are.
    pub fn next_step_cost(&self) -> Option<NextStepCost> {
        let all = mean(self.steps.iter().map(|step| step.generation.tokens.len()))?;
        let length = PerRole::from_fn(|role| {
            let own = self.steps.iter().filter(|step| step.generation.model == role);
            mean(own.map(|step| step.generation.tokens.len())).unwrap_or(all)
        });
        let unread = PerRole::from_fn(|role| self.unread_tokens(role));
        let drafts = self.decisions().filter_map(|(_, d)| d.features.get("glimpse.length"));
        let drafts: Vec<usize> = drafts.map(|n| *n as usize).collect();
        let draft = mean(drafts.into_iter()).unwrap_or(0.0);
        let scorings = self.steps.iter().flat_map(|step| &step.scorings);
        let scoring = mean(scorings.map(|scoring| scoring.tokens.len())).unwrap_or(0.0);

        let cost = PerRole::from_fn(|role| {
            let price = self.ledger.prices;
            let before = |role: Role| {
                let known = self.trace_tokens(role).saturating_sub(unread[role]);
                price[role].cost(unread[role], known, 0)
            };
            let first = |role: Role, tokens: f64| before(role) + price[role].written * tokens;
            let asked = scoring > 0.0;
            let read = price.large.read * scoring;
            let mut cost = first(role, length[role]);
            match role {
                Role::Small if asked => cost += before(Role::Large) + read,
                Role::Small => {}
                Role::Large => {
                    if draft > 0.0 {
                        cost += first(Role::Small, draft);
                    }
                    if asked {
                        cost += price.large.read + read;
                    }
                }
            }
            cost
        });
        Some(NextStepCost { unread, length, cost })
    }

    /// Tokens before the next step that `role` has not read, its own last one included.
    fn unread_tokens(&self, role: Role) -> usize {
        let drafted = self.discarded.iter().any(|w| w.model == role);
        if drafted || self.scorings.iter().any(|r| r.model == role) {
            return 1;
        }
        let length = |steps: &[Step]| self.step_tokens(role, steps);
        let scorings = |at: usize| self.steps[at].scorings.iter().any(|r| r.model == role);
        match self.steps.iter().rposition(|step| step.read_by(role)) {
            // A draft that a model judged and that was kept is read, too.
            Some(last) if self.steps[last].generation.model == role || scorings(last) => {
                1 + length(&self.steps[last + 1..])
            }
            Some(last) => length(&self.steps[last..]),
            None => self.trace_tokens(role),
        }
    }

    /// Tokens of the prompt and of all steps, for a model.
    fn trace_tokens(&self, role: Role) -> usize {
        let rates = [role, role.other()].map(|role| self.tokens_per_char(role));
        let prompt = self.prompt_length() as f64 * rates[0] / rates[1];
        prompt.round() as usize + self.step_tokens(role, &self.steps)
    }

    /// Tokens of some steps, for a model.
    fn step_tokens(&self, role: Role, steps: &[Step]) -> usize {
        let all = steps.iter().map(|s| s.generation.text.chars().count()).sum::<usize>();
        (all as f64 * self.tokens_per_char(role)).round() as usize
    }

    /// Of what `role` wrote and kept, else of all steps; positive.
    fn tokens_per_char(&self, role: Role) -> f64 {
        let rate = |of: &dyn Fn(&Step) -> bool| {
            let steps = self.steps.iter().filter(|step| of(step)).map(|step| &step.generation);
            let (tokens, characters) = steps.fold((0, 0), |(tokens, characters), w| {
                (tokens + w.tokens.len(), characters + w.text.chars().count())
            });
            (tokens > 0 && characters > 0).then(|| tokens as f64 / characters as f64)
        };
        rate(&|step| step.generation.model == role).or_else(|| rate(&|_| true)).unwrap_or(1.0)
    }

    /// Tokens of the prompt, as the model that read it first counts them.
    fn prompt_length(&self) -> usize {
        let Some(first) = self.steps.first() else { return 0 };
        let stretches = first.discarded.iter().chain([&first.generation]);
        // A stretch that found the prompt in the cache tells nothing of it.
        let fresh = stretches.map(|w| w.usage).filter(|usage| usage.reused == 0);
        fresh.map(|usage| usage.prefilled).next().unwrap_or(0)
    }
}

fn mean(counts: impl Iterator<Item = usize>) -> Option<f64> {
    let (mut sum, mut n) = (0, 0_u32);
    for count in counts {
        sum += count;
        n += 1;
    }
    (n > 0).then(|| sum as f64 / f64::from(n))
}

#[cfg(test)]
mod tests {
    use crate::episode::fixtures::{decided, discarded, draft_scored, episode, written};
    use crate::episode::{Decider, EventKind, Role};

    #[test]
    fn nothing_is_known_before_the_first_step() {
        assert_eq!(episode([]).next_step_cost(), None);
    }

    #[test]
    fn a_model_that_takes_over_reads_what_it_has_not_read() {
        // Prices are 1 and 10, a stretch prefills 5 tokens.
        let one = episode([written(0, Role::Small, 4)]);
        let next_step_cost = one.next_step_cost().unwrap();
        assert_eq!((next_step_cost.unread.small, next_step_cost.unread.large), (1, 5 + 4));
        assert_eq!((next_step_cost.length.small, next_step_cost.length.large), (4.0, 4.0));
        assert_eq!(
            (next_step_cost.cost.small, next_step_cost.cost.large),
            (1.0 + 4.0, 10.0 * (9.0 + 4.0))
        );
        let left = next_step_cost.budget_left(Role::Large, 200.0, one.ledger.cost());
        assert!((left - (1.0 - (9.0 + 130.0) / 200.0)).abs() < 1e-12);

        let three = episode([
            written(0, Role::Small, 4),
            written(1, Role::Large, 6),
            written(2, Role::Small, 8),
        ]);
        let next_step_cost = three.next_step_cost().unwrap();
        assert_eq!((next_step_cost.unread.small, next_step_cost.unread.large), (1, 1 + 8));
        assert_eq!((next_step_cost.length.small, next_step_cost.length.large), (6.0, 6.0));
    }

    #[test]
    fn other_tokens_are_converted() {
        // The large model writes two characters a token.
        let mut steps = vec![written(0, Role::Small, 4), written(1, Role::Large, 6)];
        if let EventKind::Written { generation, .. } = &mut steps[1] {
            generation.text = "x".repeat(12);
        }
        steps.push(written(2, Role::Small, 8));
        let next_step_cost = episode(steps).next_step_cost().unwrap();
        assert_eq!((next_step_cost.unread.small, next_step_cost.unread.large), (1, 1 + 8 / 2));
    }

    #[test]
    fn drafts_and_readings_are_charged_to_both_ways() {
        let by = Decider::Rule("judge".into());
        let judge = episode([
            draft_scored(0, 3),
            decided(0, Some(0.9), Role::Large, by.clone(), 3),
            discarded(0, Role::Small, 3),
            written(0, Role::Large, 7),
        ]);
        let next_step_cost = judge.next_step_cost().unwrap();
        // The small model has read the prompt, but not the step.
        assert_eq!((next_step_cost.unread.small, next_step_cost.unread.large), (7, 1));
        assert_eq!(next_step_cost.cost.small, (7.0 + 7.0) + 10.0 * (1.0 + 3.0));
        assert_eq!(
            next_step_cost.cost.large,
            10.0 * (1.0 + 7.0) + (7.0 + 3.0) + 10.0 * (3.0 + 1.0)
        );

        let looked = episode([
            decided(0, Some(0.1), Role::Small, by, 3),
            written(0, Role::Small, 3),
            discarded(1, Role::Small, 2),
        ]);
        assert_eq!(looked.next_step_cost().unwrap().unread.small, 1);

        let accepted =
            episode([draft_scored(0, 3), written(0, Role::Small, 3), written(1, Role::Small, 2)]);
        assert_eq!(accepted.next_step_cost().unwrap().unread.large, 1 + 2);
    }
}

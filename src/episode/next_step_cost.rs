//! What the next step would cost, estimated from the steps so far.

use super::{Episode, PerRole, Role, Step};

/// An estimate of the cost of the next step, by the model that is chosen.
///
/// | chosen | cost |
/// |---|---|
/// | small | `p(small) u(small) + w(small) n(small)`, and `p(large) (u(large) + j)` if `j > 0` |
/// | large | `p(large) u(large) + w(large) n(large)`, and `p(small) u(small) + w(small) d` if `d > 0`, and `p(large) (j + 1)` if `j > 0` |
///
/// * `p`, `w`: price of a token that the model reads, and of one that it writes. Each time that a model reads, the
///   rest of the text is added at its price for cached tokens.
/// * `u`: tokens that the model has not read. 1, its own last token, if it wrote the last step or scored a draft of
///   the next one. Otherwise 1 and the tokens of the steps since the last one that it wrote or whose draft it scored,
///   or all tokens from the last step on that it only drafted. For a model that has not read anything yet: the
///   prompt, as the other model counted it, and all steps.
/// * `n`: mean number of tokens of the model's own steps; of all steps if it has none.
/// * `d`: mean length of the small model's drafts, over the decisions that recorded one.
/// * `j`: mean number of tokens per scoring of the large model.
///
/// The other model's tokens are converted by the tokens per character that each model has shown so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NextStepCost {
    /// u: tokens that each model would have to read.
    pub unread: PerRole<usize>,
    /// n: tokens that each model would write.
    pub length: PerRole<f64>,
    /// Cost in the unit of the prices, by the model that is chosen.
    pub cost: PerRole<f64>,
}

impl NextStepCost {
    /// Share of the budget `limit` that would be left if `role` wrote the next step and `spent` has been spent so
    /// far; at most 1, negative if the budget does not suffice.
    pub fn budget_left(&self, role: Role, limit: f64, spent: f64) -> f64 {
        1.0 - (spent + self.cost[role]) / limit
    }
}

impl Episode {
    /// Whether the budget is spent; false for an episode without one.
    pub fn is_budget_spent(&self) -> bool {
        self.budget.is_some_and(|budget| self.ledger.cost() >= budget)
    }

    /// Estimated cost of the same trace written by the large model alone: the prompt read once, without a cache, and
    /// every token of the trace written.
    pub fn all_large_cost(&self) -> f64 {
        let first = self.steps.first();
        let drafts = first.map_or(&self.discarded, |step| &step.discarded);
        let first = drafts.first().or(first.map(|step| &step.generation));
        let prompt =
            first.map_or(0, |generation| generation.usage.prefilled + generation.usage.reused);
        self.ledger.prices.large.cost(prompt, 0, self.ledger.kept_tokens())
    }

    /// What the next step would cost with either model; `None` before the first step.
    pub fn next_step_cost(&self) -> Option<NextStepCost> {
        let all = mean(self.steps.iter().map(|step| step.generation.tokens.len()))?;
        let length = PerRole::from_fn(|role| {
            let own = self.steps.iter().filter(|step| step.generation.model == role);
            mean(own.map(|step| step.generation.tokens.len())).unwrap_or(all)
        });
        let unread = PerRole::from_fn(|role| self.unread_tokens(role));
        let drafts = self.decisions().filter_map(|(_, decision)| decision.draft_length());
        let draft = mean(drafts).unwrap_or(0.0);
        let scorings = self.steps.iter().flat_map(|step| &step.scorings);
        let scoring = mean(scorings.map(|scoring| scoring.tokens.len())).unwrap_or(0.0);

        let cost = PerRole::from_fn(|role| {
            let price = self.ledger.prices;
            let before = |role: Role| {
                let known = self.trace_tokens(role).saturating_sub(unread[role]);
                price[role].cost(unread[role], known, 0)
            };
            let first = |role: Role, tokens: f64| before(role) + price[role].written * tokens;
            let scored = scoring > 0.0;
            let read = price.large.read * scoring;
            let mut cost = first(role, length[role]);
            match role {
                Role::Small if scored => cost += before(Role::Large) + read,
                Role::Small => {}
                Role::Large => {
                    if draft > 0.0 {
                        cost += first(Role::Small, draft);
                    }
                    if scored {
                        cost += price.large.read + read;
                    }
                }
            }
            cost
        });
        Some(NextStepCost { unread, length, cost })
    }

    /// u: tokens before the next step that `role` has not read, including its own last one.
    fn unread_tokens(&self, role: Role) -> usize {
        let drafted = self.discarded.iter().any(|w| w.model == role);
        if drafted || self.scorings.iter().any(|r| r.model == role) {
            return 1;
        }
        let length = |steps: &[Step]| self.step_tokens(role, steps);
        let scorings = |at: usize| self.steps[at].scorings.iter().any(|r| r.model == role);
        match self.steps.iter().rposition(|step| step.read_by(role)) {
            // A model has also read a step whose draft it scored.
            Some(last) if self.steps[last].generation.model == role || scorings(last) => {
                1 + length(&self.steps[last + 1..])
            }
            Some(last) => length(&self.steps[last..]),
            None => self.trace_tokens(role),
        }
    }

    /// Tokens of the prompt and of all steps in the vocabulary of `role`.
    fn trace_tokens(&self, role: Role) -> usize {
        let rates = [role, role.other()].map(|role| self.tokens_per_char(role));
        let prompt = self.prompt_length() as f64 * rates[0] / rates[1];
        prompt.round() as usize + self.step_tokens(role, &self.steps)
    }

    /// Tokens of `steps` in the vocabulary of `role`.
    fn step_tokens(&self, role: Role, steps: &[Step]) -> usize {
        let all = steps.iter().map(|s| s.generation.text.chars().count()).sum::<usize>();
        (all as f64 * self.tokens_per_char(role)).round() as usize
    }

    /// Tokens per character of the steps that `role` wrote, or of all steps if it wrote none; positive.
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

    /// Tokens of the prompt in the vocabulary of the model that read it first; 0 if unknown.
    fn prompt_length(&self) -> usize {
        let Some(first) = self.steps.first() else { return 0 };
        let generations = first.discarded.iter().chain([&first.generation]);
        // If the prompt was in the cache, its length is not in the counts.
        let fresh = generations.map(|w| w.usage).filter(|usage| usage.reused == 0);
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
        // Prices are 1 and 10; a generation prefills 5 tokens.
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
    fn drafts_and_scorings_are_charged_to_both_choices() {
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

        let drafted = episode([
            decided(0, Some(0.1), Role::Small, by, 3),
            written(0, Role::Small, 3),
            discarded(1, Role::Small, 2),
        ]);
        assert_eq!(drafted.next_step_cost().unwrap().unread.small, 1);

        let accepted =
            episode([draft_scored(0, 3), written(0, Role::Small, 3), written(1, Role::Small, 2)]);
        assert_eq!(accepted.next_step_cost().unwrap().unread.large, 1 + 2);
    }
}

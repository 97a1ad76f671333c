//! Draws the problems of a split.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::problem::Problem;
use super::story::{self, OperationMix};
use crate::tasks::Split;

/// An endless, seeded source of problems.
#[derive(Debug, Clone)]
pub struct ProblemGenerator {
    rng: ChaCha8Rng,
    mix: OperationMix,
    split: Split,
}

impl ProblemGenerator {
    /// Problems of `split` with the given mix of operations. The same arguments give the same problems.
    pub fn new(mix: OperationMix, split: Split, seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), mix, split }
    }
}

impl Iterator for ProblemGenerator {
    type Item = Problem;

    fn next(&mut self) -> Option<Problem> {
        loop {
            if let Some(problem) = story::generate(&mut self.rng, &self.mix)
                && Split::of(&problem.question) == self.split
            {
                return Some(problem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tasks::arithmetic::{OperationKind, Operator};

    fn some(n: usize, split: Split) -> Vec<Problem> {
        ProblemGenerator::new(OperationMix::full(), split, 7).take(n).collect()
    }

    /// The answer, computed from the operations that matter.
    fn worked_out(problem: &Problem) -> u32 {
        problem.operations.iter().rfind(|o| o.matters).map_or(0, |o| o.result)
    }

    #[test]
    fn every_line_of_a_solution_is_correct() {
        for problem in some(3000, Split::Train) {
            let lines: Vec<&str> = problem.solution.lines().collect();
            assert_eq!(lines.len(), problem.steps());
            for (i, line) in lines.iter().enumerate() {
                assert!(problem.step_is_correct(i, line), "{line} in {problem:?}");
                assert!(!problem.step_is_correct(i, &format!("{line}0")), "another number");
            }
            for o in &problem.operations {
                let result = match o.operator {
                    Operator::Add => o.left + o.right,
                    Operator::Subtract => o.left - o.right,
                    Operator::Multiply => o.left * o.right,
                    Operator::Divide => o.left / o.right,
                };
                assert_eq!(result, o.result);
                assert!(o.operator != Operator::Divide || o.left % o.right == 0);
            }
            assert_eq!(problem.answer, worked_out(&problem));
            assert!((2..=6).contains(&problem.operations.len()));
        }
    }

    #[test]
    fn stories_vary_and_every_kind_occurs() {
        let all = some(3000, Split::Train);
        let questions: HashSet<&str> = all.iter().map(|p| p.question.as_str()).collect();
        assert!(questions.len() > 2950, "few questions occur twice");
        let kinds: HashSet<OperationKind> =
            all.iter().flat_map(|p| (0..p.steps()).map(|i| p.kind(i))).collect();
        assert_eq!(kinds.len(), OperationKind::ALL.len());
        let harmless = all.iter().filter(|p| p.operations.iter().any(|o| !o.matters)).count();
        assert!(
            harmless > 300,
            "{harmless} questions have lines that the answer does not depend on"
        );
    }

    #[test]
    fn splits_share_no_question_and_a_seed_repeats_its_questions() {
        for split in [Split::Train, Split::Develop, Split::Test] {
            assert!(some(200, split).iter().all(|p| Split::of(&p.question) == split));
        }
        assert_eq!(some(50, Split::Test), some(50, Split::Test));
        let other: Vec<Problem> =
            ProblemGenerator::new(OperationMix::full(), Split::Test, 8).take(50).collect();
        assert_ne!(some(50, Split::Test), other);
    }

    #[test]
    fn a_step_error_is_acceptable_where_it_is_harmless() {
        let all = some(500, Split::Train);
        let harmless = |p: &&Problem| !p.step_matters(0);
        let problem = all.iter().find(harmless).expect("some stories begin with the other count");
        let sign = problem.operations[0].operator.sign();
        assert!(problem.step_is_acceptable(0, &format!("1 {sign} 1 = 99")));
        assert!(!problem.step_is_correct(0, &format!("1 {sign} 1 = 99")));
        assert!(!problem.step_is_acceptable(0, "Answer: 99"));
        let last = problem.steps() - 1;
        assert!(!problem.step_is_acceptable(last, "Answer: 12345"));
    }
}

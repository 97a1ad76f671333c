//! [`Steps`]: what a step is, and when an episode ends.

use serde::{Deserialize, Serialize};

/// What a step is, and when an episode ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// Text that ends a step.
    pub delimiter: String,
    /// Text that marks the answer: a finished step that contains it ends the episode.
    #[serde(alias = "answer")]
    pub answer_marker: String,
    /// Text that ends the reasoning of a thinking model, such as `</think>`: an answer before it does not count.
    #[serde(default, alias = "thoughts_end", skip_serializing_if = "Option::is_none")]
    pub thinking_end: Option<String>,
    /// Ends an episode that repeats itself: if the last steps are the same step, or the same sequence of steps, this
    /// many times in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_repeats: Option<usize>,
    /// Maximum number of tokens of a step.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: usize,
    /// Maximum number of steps of an episode.
    #[serde(default = "default_max_steps")]
    pub max_steps: usize,
}

impl Steps {
    /// Whether `step` contains the answer; `before` is the text before it, prompt first.
    pub fn has_answer<'a>(&self, mut before: impl Iterator<Item = &'a str>, step: &str) -> bool {
        let after_thinking = match &self.thinking_end {
            None => step,
            Some(end) => match step.rsplit_once(end.as_str()) {
                Some((_, after)) => after,
                None if before.any(|earlier| earlier.contains(end.as_str())) => step,
                None => return false,
            },
        };
        after_thinking.contains(&self.answer_marker)
    }

    /// Whether the last of `steps` repeat themselves `max_repeats` times; leading and trailing blanks are ignored.
    pub fn is_repetition_loop(&self, steps: &[&str]) -> bool {
        let Some(times) = self.max_repeats else { return false };
        let n = steps.len();
        (1..=n / times).any(|period| {
            let tail = &steps[n - period * times..];
            tail.iter().zip(&tail[period..]).all(|(a, b)| a.trim() == b.trim())
        })
    }
}

fn default_max_tokens() -> usize {
    256
}

fn default_max_steps() -> usize {
    40
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(more: &str) -> Steps {
        toml::from_str(&format!("delimiter = \"\\n\"\nanswer_marker = \"A:\"\n{more}")).unwrap()
    }

    #[test]
    fn an_answer_among_thoughts_does_not_count() {
        let plain = steps("");
        assert!(plain.has_answer([].into_iter(), "so A: 4"));
        assert!(!plain.has_answer(["A: 4"].into_iter(), "and on"));
        let thinking = steps("thinking_end = \"</think>\"");
        assert!(!thinking.has_answer(["<think>"].into_iter(), "A: 4?"));
        assert!(!thinking.has_answer([].into_iter(), "A: 4? </think>"));
        assert!(thinking.has_answer([].into_iter(), "5? </think> A: 4"));
        assert!(thinking.has_answer(["5? </think>", "So"].into_iter(), "A: 4"));
        let not_thinking = ["Q?<think>\n\n</think>\n\n"];
        assert!(
            thinking.has_answer(not_thinking.into_iter(), "A: 4"),
            "the prompt ends the thoughts"
        );
    }

    #[test]
    fn repeated_sequences_of_steps_are_loops() {
        let guard = steps("max_repeats = 3");
        assert!(guard.is_repetition_loop(&["x", "a\n", "a", " a"]));
        assert!(guard.is_repetition_loop(&["a", "b", "a", "b", "a", "b"]));
        assert!(!guard.is_repetition_loop(&["a", "b", "a", "b", "a"]), "two and a half times");
        assert!(!guard.is_repetition_loop(&["a", "a", "b", "a"]));
        assert!(!guard.is_repetition_loop(&[]));
        assert!(!steps("").is_repetition_loop(&["a"; 9]));
    }
}

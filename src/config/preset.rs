//! Presets: which two models, how they are asked, who chooses, and what it may cost.

use serde::{Deserialize, Serialize};

use super::{Price, Remote};
use crate::role::Role;

/// A preset as its TOML file has it. Unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Shown in the status line; the file's stem where absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// One line for lists.
    #[serde(default)]
    pub description: String,
    /// The cheap model.
    pub small: ModelConfig,
    /// The dear model.
    pub large: ModelConfig,
    pub prompt: Prompt,
    pub steps: Steps,
    #[serde(default)]
    pub sampling: Sampling,
    #[serde(default)]
    pub routing: Routing,
    #[serde(default)]
    pub budget: Budget,
}

impl Preset {
    /// The configuration of one model.
    pub fn model(&self, role: Role) -> &ModelConfig {
        match role {
            Role::Small => &self.small,
            Role::Large => &self.large,
        }
    }

    /// The same, to be changed.
    pub fn model_mut(&mut self, role: Role) -> &mut ModelConfig {
        match role {
            Role::Small => &mut self.small,
            Role::Large => &mut self.large,
        }
    }

    /// The prompt of one model for a question: its own template, else what its chat template makes of the
    /// preset's, else that as it is, with `{question}` replaced, and the beginning of the answer behind it.
    pub fn prompt_for(&self, role: Role, question: &str) -> String {
        let model = self.model(role);
        let template = model.prompt.as_ref().or(model.rendered_prompt.as_ref());
        let template = template.unwrap_or(&self.prompt.template);
        format!("{}{}", template.replace("{question}", question), self.prompt.answer_prefix)
    }

    /// Whether the model's own chat template is to frame the prompt.
    pub fn uses_chat_template(&self, role: Role) -> bool {
        self.prompt.chat && self.model(role).prompt.is_none()
    }
}

/// One model: where it is and how it is loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// `builtin:tiny/small` or `builtin:tiny/large`, a folder with `config.json`, `tokenizer.json`
    /// and safetensors, a `.gguf` file, a Hugging Face id such as `Qwen/Qwen2.5-Math-7B`, or the address of
    /// an OpenAI-compatible API, such as `http://gpu-box:8000/v1`, with a table `remote`.
    pub source: String,
    /// Name on the screen; the last part of `source` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Folder or Hugging Face id with `tokenizer.json`, for a GGUF file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
    #[serde(default)]
    pub device: DeviceChoice,
    #[serde(default)]
    pub dtype: Dtype,
    /// In-situ quantization to this many bits (2, 3, 4, 5, 6 or 8), for safetensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantize_bits: Option<u8>,
    /// Number of parameters, where it cannot be counted: of a model behind an address, and, for estimates, of one
    /// that is not fetched yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Price of a token, prefilled or decoded; 2 × parameters (floating-point operations) where
    /// absent. Both models' prices must be in the same unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// Price of a million tokens of the prefix that are computed, as who sells them names it; with it go
    /// `price_cached` and `price_out`, and `price` is left out. Costs are then in millionths of that
    /// currency: 12.3k is 0.0123.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_in: Option<f64>,
    /// Price of a million tokens of the prefix that are taken from the cache; may be 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_cached: Option<f64>,
    /// Price of a million tokens that are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_out: Option<f64>,
    /// On a GPU, keys and values are kept in pages (PagedAttention), room for this many tokens of context in
    /// all; without it, each text has a cache of its own. mistral.rs 0.8.1 does not tell what it found in
    /// its pages, so the whole prefix is charged at each step: costs are upper bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paged_context: Option<usize>,
    /// A prompt template of this model's own, which no chat template frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What the model's chat template made of the preset's prompt when an episode began. It is kept with the
    /// episode, so that it can be read and forked without the template; a preset's file has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "framed")]
    pub rendered_prompt: Option<String>,
    /// For a model behind an address: how it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
}

impl ModelConfig {
    /// The name that screens and reports use.
    pub fn label(&self) -> &str {
        let model_name = self.remote.as_ref().map_or(&self.source, |remote| &remote.model);
        self.name.as_deref().unwrap_or_else(|| {
            let model_name = model_name.trim_end_matches('/');
            model_name.rsplit('/').next().unwrap_or(model_name)
        })
    }

    /// Its prices, where the preset names them.
    pub fn price(&self) -> Option<Price> {
        let split = || {
            let (read, cached, written) = (self.price_in?, self.price_cached?, self.price_out?);
            // A million tokens at a price are a token at a millionth of it, the unit of costs.
            Some(Price { read, cached, written })
        };
        self.price.map(Price::from).or_else(split)
    }
}

/// Where a model runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// The first accelerator that the binary was built for, else the CPU.
    #[default]
    Auto,
    Cpu,
}

/// Number format of weights and activations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// mistral.rs chooses for the device.
    #[default]
    Auto,
    F32,
    F16,
    Bf16,
}

/// How a question is put to the models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Text before the first step; `{question}` stands for the question. Special tokens may be
    /// written out (`<|im_start|>`). With `chat` it is what the person says, and has none.
    #[serde(default = "default_template")]
    pub template: String,
    /// Whether each model's own chat template frames the question.
    #[serde(default, skip_serializing_if = "is_false")]
    pub chat: bool,
    /// With `chat`: the system message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// With `chat`: what the chat template is told as `enable_thinking`; nothing where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<bool>,
    /// What every answer begins with, behind the template; it is put there, not written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[serde(alias = "opening")]
    pub answer_prefix: String,
}

fn default_template() -> String {
    "{question}".into()
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What a step is and when an episode is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// Ends a step.
    pub delimiter: String,
    /// A finished step that contains this ends the episode.
    #[serde(alias = "answer")]
    pub answer_marker: String,
    /// What ends the thoughts of a thinking model, such as `</think>`: an answer before it is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "thoughts_end")]
    pub thinking_end: Option<String>,
    /// An episode whose last steps are the same step, or the same few steps, this often in a row goes round
    /// in circles, and ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_repeats: Option<usize>,
    /// Tokens of one step at most.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: usize,
    /// Steps of one episode at most.
    #[serde(default = "default_max_steps")]
    pub max_steps: usize,
}

impl Steps {
    /// Whether `step`, which follows the prompt and the steps `before`, gives the answer.
    pub fn has_answer<'a>(&self, mut before: impl Iterator<Item = &'a str>, step: &str) -> bool {
        let said = match &self.thinking_end {
            None => step,
            Some(end) => match step.rsplit_once(end.as_str()) {
                Some((_, said)) => said,
                None if before.any(|earlier| earlier.contains(end.as_str())) => step,
                None => return false,
            },
        };
        said.contains(&self.answer_marker)
    }

    /// Whether the last of `steps` repeat themselves as often as `max_repeats` says; blanks do not count.
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

/// How tokens are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// 0 takes the most probable token.
    pub temperature: f64,
    /// Nucleus: the smallest set of tokens with at least this probability, in (0, 1].
    pub top_p: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 0.0, top_p: 1.0 }
    }
}

/// Who chooses, on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    /// Name of a router (`pointsman run --help` lists them).
    pub router: String,
    /// The policy of the router `policy` until one is promoted: `builtin:tiny`, or a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Length of the draft; the router's own where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "draft", alias = "glimpse")]
    pub draft_length: Option<DraftLength>,
    /// The large model writes the next step when p(large) is at least this, in [0, 1].
    pub threshold: f64,
    /// Whether the small model may get the points back after the large one has written.
    pub switching: Switching,
    /// Draw choices, to learn from them, rather than to obey the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exploration: Option<Exploration>,
    /// Routers that only look on and say what they would have chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<Shadow>,
}

/// A router that only looks on, written `entropy` or, with a threshold of its own, `entropy@0.2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shadow {
    /// Name of the router.
    pub router: String,
    /// In [0, 1]; the one in force where absent.
    pub threshold: Option<f64>,
}

impl std::str::FromStr for Shadow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (router, threshold) = match text.split_once('@') {
            Some((router, threshold)) => (router, Some(threshold)),
            None => (text, None),
        };
        let number = |t: &str| t.trim().parse().ok().filter(|t| (0.0..=1.0).contains(t));
        let wrong = || {
            format!(
                "shadow `{text}` is not a router's name, alone or with @ and a threshold from 0 to 1"
            )
        };
        let router = router.trim().to_owned();
        if router.is_empty() {
            return Err(wrong());
        }
        let threshold = threshold.map(|t| number(t).ok_or_else(wrong)).transpose()?;
        Ok(Self { router, threshold })
    }
}

impl TryFrom<String> for Shadow {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Shadow> for String {
    fn from(shadow: Shadow) -> Self {
        shadow.to_string()
    }
}

impl std::fmt::Display for Shadow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.threshold {
            Some(threshold) => write!(f, "{}@{threshold}", self.router),
            None => f.write_str(&self.router),
        }
    }
}

/// How the choices of an episode are drawn: its threshold at random, once, and, at each boundary
/// with probability `coin`, the choice by the toss of a coin.
///
/// One random threshold an episode is the logging that supports every threshold; coins add what a
/// threshold never does, at a price in accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exploration {
    /// The threshold's quantiles at 0, 1/n, … 1, not decreasing, in [0, 1]; between two of them it
    /// is uniform.
    pub quantiles: Vec<f64>,
    /// In [0, 1].
    pub coin: f64,
}

impl Default for Exploration {
    /// A uniform threshold and no coins.
    fn default() -> Self {
        Self { quantiles: vec![0.0, 1.0], coin: 0.0 }
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            router: "confidence".into(),
            policy: None,
            draft_length: None,
            threshold: 0.5,
            switching: Switching::Reversible,
            exploration: None,
            shadows: Vec::new(),
        }
    }
}

/// Whether a choice of the large model is for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switching {
    #[default]
    Reversible,
    /// Once the large model writes, it writes to the end.
    Absorbing,
}

/// How much of the next step the small model writes before the choice is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DraftLengthText", into = "DraftLengthText")]
pub enum DraftLength {
    /// This many tokens; 0 is none.
    Tokens(usize),
    /// The whole step.
    Step,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum DraftLengthText {
    Number(usize),
    Word(String),
}

impl TryFrom<DraftLengthText> for DraftLength {
    type Error = String;

    fn try_from(text: DraftLengthText) -> Result<Self, String> {
        match text {
            DraftLengthText::Number(n) => Ok(Self::Tokens(n)),
            DraftLengthText::Word(word) => word.parse(),
        }
    }
}

impl From<DraftLength> for DraftLengthText {
    fn from(draft_length: DraftLength) -> Self {
        match draft_length {
            DraftLength::Tokens(n) => Self::Number(n),
            DraftLength::Step => Self::Word("step".into()),
        }
    }
}

impl std::str::FromStr for DraftLength {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "step" => Ok(Self::Step),
            n => n.parse().map(Self::Tokens).map_err(|_| {
                format!("draft `{n}` is neither a number of tokens nor the word `step`")
            }),
        }
    }
}

impl std::fmt::Display for DraftLength {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tokens(n) => write!(f, "{n}"),
            Self::Step => f.write_str("step"),
        }
    }
}

/// What an episode may cost, in the unit of the models' prices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// No limit where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    pub when_spent: WhenSpent,
}

/// What happens at a boundary when the budget is spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenSpent {
    /// The small model writes the rest.
    #[default]
    SmallOnly,
    /// The episode ends.
    Stop,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(more: &str) -> Steps {
        toml::from_str(&format!("delimiter = \"\\n\"\nanswer = \"A:\"\n{more}")).unwrap()
    }

    #[test]
    fn an_answer_among_thoughts_is_none_yet() {
        let plain = steps("");
        assert!(plain.has_answer([].into_iter(), "so A: 4"));
        assert!(!plain.has_answer(["A: 4"].into_iter(), "and on"));
        let thinking = steps("thinking_end = \"</think>\"");
        assert!(!thinking.has_answer(["<think>"].into_iter(), "A: 4?"));
        assert!(!thinking.has_answer([].into_iter(), "A: 4? </think>"));
        assert!(thinking.has_answer([].into_iter(), "5? </think> A: 4"));
        assert!(thinking.has_answer(["5? </think>", "So"].into_iter(), "A: 4"));
        let told_not_to = ["Q?<think>\n\n</think>\n\n"];
        assert!(
            thinking.has_answer(told_not_to.into_iter(), "A: 4"),
            "the prompt ends the thoughts"
        );
    }

    #[test]
    fn a_circle_is_any_few_steps_that_come_again_and_again() {
        let guard = steps("max_repeats = 3");
        assert!(guard.is_repetition_loop(&["x", "a\n", "a", " a"]));
        assert!(guard.is_repetition_loop(&["a", "b", "a", "b", "a", "b"]));
        assert!(!guard.is_repetition_loop(&["a", "b", "a", "b", "a"]), "twice and a half");
        assert!(!guard.is_repetition_loop(&["a", "a", "b", "a"]));
        assert!(!guard.is_repetition_loop(&[]));
        assert!(!steps("").is_repetition_loop(&["a"; 9]));
    }

    #[test]
    fn shadows_are_a_name_and_perhaps_a_threshold() {
        for (text, router, threshold) in [
            ("entropy", "entropy", None),
            ("gmm@0.25", "gmm", Some(0.25)),
            ("judge@1", "judge", Some(1.0)),
        ] {
            let shadow: Shadow = text.parse().unwrap();
            assert_eq!((shadow.router.as_str(), shadow.threshold), (router, threshold));
            assert_eq!(shadow.to_string(), text);
        }
        for wrong in ["", "@0.5", "entropy@", "entropy@2", "entropy@x", "entropy@NaN"] {
            let error = wrong.parse::<Shadow>().unwrap_err();
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
        }
    }
}

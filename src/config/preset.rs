//! [`Preset`]: which two models, how a question is asked, which router decides, and what an episode may cost.

use serde::{Deserialize, Serialize};

use super::model_config::ModelConfig;
use super::remote::Api;
use super::routing::Routing;
use super::steps::Steps;
use crate::role::Role;

/// A preset: the two models, their prompt, and how an episode runs. Its TOML file may contain no unknown keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Name in the status line; by default the file name without `.toml`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// One line of description, for lists.
    #[serde(default)]
    pub description: String,
    /// The cheap model.
    pub small: ModelConfig,
    /// The expensive model.
    pub large: ModelConfig,
    /// How the question is asked.
    pub prompt: Prompt,
    /// What a step is, and when an episode ends.
    pub steps: Steps,
    /// How tokens are sampled.
    #[serde(default)]
    pub sampling: Sampling,
    /// Which model writes the next step.
    #[serde(default)]
    pub routing: Routing,
    /// What an episode may cost.
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

    /// The configuration of one model, mutable.
    pub fn model_mut(&mut self, role: Role) -> &mut ModelConfig {
        match role {
            Role::Small => &mut self.small,
            Role::Large => &mut self.large,
        }
    }

    /// The prompt of one model for a question, followed by the preset's beginning of the answer. The template is the
    /// model's own, else the preset's as its chat template rendered it, else the preset's as it is.
    pub fn prompt_for(&self, role: Role, question: &str) -> String {
        let model = self.model(role);
        let template = model.prompt.as_ref().or(model.rendered_prompt.as_ref());
        let template = template.unwrap_or(&self.prompt.template);
        format!("{}{}", template.replace("{question}", question), self.prompt.answer_prefix)
    }

    /// Whether the prompt is rendered with the model's chat template.
    pub fn uses_chat_template(&self, role: Role) -> bool {
        self.prompt.chat && self.model(role).prompt.is_none()
    }

    /// Copies the preset's system message and thinking flag to models with a chat API that set none themselves.
    pub(super) fn copy_prompt_to_remotes(&mut self) {
        for model in [&mut self.small, &mut self.large] {
            let chat = model.remote.as_mut().filter(|remote| remote.api == Api::Chat);
            if let Some(remote) = chat.filter(|_| model.prompt.is_none()) {
                remote.system = remote.system.take().or_else(|| self.prompt.system.clone());
                remote.thinking = remote.thinking.or(self.prompt.thinking);
            }
        }
    }
}

/// How a question is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Text before the first step; `{question}` is replaced by the question. It may contain special tokens such as
    /// `<|im_start|>`. With `chat` it is the user's message, without special tokens.
    #[serde(default = "default_template")]
    pub template: String,
    /// Whether the prompt is rendered with each model's chat template.
    #[serde(default, skip_serializing_if = "is_false")]
    pub chat: bool,
    /// With `chat`: the system message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// With `chat`: the template variable `enable_thinking`; undefined by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<bool>,
    /// Text that every answer begins with. It follows the template; the models do not generate it.
    #[serde(default, alias = "opening", skip_serializing_if = "String::is_empty")]
    pub answer_prefix: String,
}

fn default_template() -> String {
    "{question}".into()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How tokens are sampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Temperature; 0 always selects the most probable token.
    pub temperature: f64,
    /// Nucleus sampling: sample from the smallest set of tokens with at least this probability, in (0, 1].
    pub top_p: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 0.0, top_p: 1.0 }
    }
}

/// What an episode may cost, in the unit of the models' prices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// The most that an episode may cost; no limit by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// What happens when the budget is spent.
    pub when_spent: WhenSpent,
}

/// What happens at a boundary when the budget is spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenSpent {
    /// The small model writes the remaining steps.
    #[default]
    SmallOnly,
    /// The episode ends.
    Stop,
}

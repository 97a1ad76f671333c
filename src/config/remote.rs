//! [`Remote`]: how the server of a remote model is called.

use serde::{Deserialize, Serialize};

/// How the server of a remote model is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// The model's name on the server.
    pub model: String,
    /// Which API is used.
    #[serde(default)]
    pub api: Api,
    /// With `api = "chat"`: how the server is asked to continue the last message.
    #[serde(default, alias = "continues")]
    pub continuation: ContinuationMode,
    /// With `api = "chat"`: the system message; by default the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// With `api = "chat"` and `continuation = "final-message"`: the variable `enable_thinking` of the server's chat
    /// template; by default the preset's `prompt.thinking`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<bool>,
    /// Name of the environment variable that holds the key; by default no key is sent. The key itself never appears in
    /// a preset, the store, a log or a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Whether replies are streamed. Set it to false for a server that reports `usage` with whole replies only
    /// (completions of mistral.rs 0.8.1). The tokens of a step then appear when it is finished, all its time counts as
    /// decode time, and the server finishes a step that is cancelled.
    #[serde(default = "default_stream")]
    pub stream: bool,
    /// Number of most probable tokens whose log-probabilities are requested, from 2 to 20; 0 for a server that sends
    /// none, which excludes routers that need them.
    #[serde(default = "default_logprobs")]
    pub logprobs: u8,
    /// Seconds that the server may send nothing, before the first token or between two tokens.
    #[serde(default = "default_timeout")]
    pub timeout_s: f64,
    /// How often a request is retried if the server cannot be reached, is overloaded (5xx) or limits the rate (429). The
    /// pauses grow, or are those that the server asks for.
    #[serde(default = "default_retries")]
    pub retries: u32,
    /// Maximum number of requests per minute, for all concurrent episodes of a command together; by default no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<f64>,
}

/// Which API of a server is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// `/completions`: continues the prompt and the steps as plain text.
    #[default]
    Completions,
    /// `/chat/completions`: the prompt is the user's message, without special tokens, and the steps are the beginning
    /// of the assistant's, which the server must be able to continue.
    Chat,
}

/// How a chat API is asked to continue the assistant's last message.
///
/// A server that cannot continue a message starts a new one at each step: it repeats the solution from its beginning, or
/// replies to the steps. Its replies do not show that, so pointsman cannot detect it, but the trace shows it. OpenAI's own
/// models behave like this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContinuationMode {
    /// With `continue_final_message` and `add_generation_prompt = false` beside the messages: vLLM, SGLang.
    #[default]
    FinalMessage,
    /// With `prefix = true` in the message: DeepSeek, Mistral.
    Prefix,
    /// With nothing: the server always continues the last message.
    #[serde(alias = "untold")]
    Implicit,
}

fn default_stream() -> bool {
    true
}

fn default_logprobs() -> u8 {
    5
}

fn default_timeout() -> f64 {
    120.0
}

fn default_retries() -> u32 {
    5
}

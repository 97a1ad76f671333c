//! Models behind an address: how an OpenAI-compatible API is asked.

use serde::{Deserialize, Serialize};

use super::validate::check;
use super::{DeviceChoice, Dtype, InvalidPreset, Preset};
use crate::role::Role;

/// How a model behind an address is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// Its name on the server.
    pub model: String,
    #[serde(default)]
    pub api: Api,
    /// With `api = "chat"`: how the server is told to go on with the last message.
    #[serde(default)]
    #[serde(alias = "continues")]
    pub continuation: ContinuationMode,
    /// With `api = "chat"`: a system message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// With `api = "chat"` and `continues = "final-message"`: told to the server's chat template as
    /// `enable_thinking`; the preset's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking: Option<bool>,
    /// Name of the environment variable that holds the key; no key is sent where absent. The key itself
    /// is in no preset, store, log or message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Whether it is asked to stream. A server that reports `usage` with whole replies only is asked for those
    /// (the completions of mistral.rs 0.8.1): the tokens of a step are then seen when it is written, all its time
    /// counts as writing, and a step that is cancelled is written to its end there.
    #[serde(default = "default_stream")]
    pub stream: bool,
    /// How many of the most probable tokens the server is asked to name with their log-probabilities, 2 to
    /// 20; 0 for a server that names none, and then only routers that need none can be used.
    #[serde(default = "default_logprobs")]
    pub logprobs: u8,
    /// Seconds that the server may be silent, before the first token or between two.
    #[serde(default = "default_timeout")]
    pub timeout_s: f64,
    /// How often a request is sent again where the server cannot be reached, is overloaded (5xx) or wants
    /// to be asked more slowly (429), each time after a longer pause, or that which the server names.
    #[serde(default = "default_retries")]
    pub retries: u32,
    /// Requests a minute at most, by all episodes together that a command has in flight; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<f64>,
}

/// Which of the two APIs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// `/completions`: goes on with a text as it is, the preset's prompt included.
    #[default]
    Completions,
    /// `/chat/completions`: the prompt is the person's message, without special tokens, and the steps are
    /// the beginning of the answer, which the server must be able to go on with.
    Chat,
}

/// How a chat API is told to go on with the assistant's last message.
///
/// A server that cannot do so begins a new message at each step: it writes the solution from its
/// beginning, or an answer to the steps. Nothing in its reply tells, so it cannot be refused; the trace
/// shows it. OpenAI's own models are such.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContinuationMode {
    /// By `continue_final_message` and `add_generation_prompt = false` beside the messages: vLLM, SGLang.
    #[default]
    FinalMessage,
    /// By `prefix = true` in the message: DeepSeek, Mistral.
    Prefix,
    /// It goes on with it untold.
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

impl Preset {
    /// Gives the preset's system message, and whether to think, to the models behind a chat API that have none
    /// of their own.
    pub(super) fn copy_prompt_to_remotes(&mut self) {
        for model in [&mut self.small, &mut self.large] {
            let chat = model.remote.as_mut().filter(|remote| remote.api == Api::Chat);
            if let Some(remote) = chat.filter(|_| model.prompt.is_none()) {
                remote.system = remote.system.take().or_else(|| self.prompt.system.clone());
                remote.thinking = remote.thinking.or(self.prompt.thinking);
            }
        }
    }

    pub(super) fn validate_remote(&self, role: Role) -> Result<(), InvalidPreset> {
        let model = self.model(role);
        let key = |name: &str| format!("{role}.{name}");
        let address = ["http://", "https://"].iter().find_map(|s| model.source.strip_prefix(s));
        let Some(remote) = &model.remote else {
            return check(address.is_none(), &key("source"), || {
                format!("is an address: name the model there, [{role}.remote] with model = \"…\"")
            });
        };
        let Some(address) = address else {
            return check(false, &key("remote"), || {
                format!(
                    "is for a model behind http:// or https://, and {role}.source is not: leave one of them out"
                )
            });
        };
        // What may hold a key is not repeated in messages.
        let host = address.split('/').next().unwrap_or_default();
        check(!host.is_empty() && !address.contains(char::is_whitespace), &key("source"), || {
            "has no host: write it as http://host:8000/v1".into()
        })?;
        check(!host.contains('@') && !address.contains(['?', '#']), &key("source"), || {
            format!(
                "may hold neither a name before `@` nor what follows `?` or `#`: put a key into an environment variable, and its name into {role}.remote.key_env"
            )
        })?;
        let local = [
            ("tokenizer", model.tokenizer.is_some()),
            ("device", model.device != DeviceChoice::default()),
            ("dtype", model.dtype != Dtype::default()),
            ("quantize_bits", model.quantize_bits.is_some()),
            ("paged_context", model.paged_context.is_some()),
        ];
        for (name, given) in local {
            check(!given, &key(name), || {
                "is for a model in this process, and this one is behind an address: leave it out"
                    .into()
            })?;
        }
        check(model.price().is_some() || model.parameters.is_some(), &key("price_in"), || {
            "is missing: give the prices of a million tokens (price_in, price_cached, price_out), or parameters".into()
        })?;
        let key = |name: &str| format!("{role}.remote.{name}");
        check(!remote.model.trim().is_empty(), &key("model"), || "is empty".into())?;
        let own = format!("{role}.prompt");
        if remote.api == Api::Chat {
            check(model.prompt.is_some() || self.prompt.chat, &own, || {
                "is missing: a chat API has a template of its own, so give this model's message without special tokens, such as prompt = \"{question}\"".into()
            })?;
            // It would be taken for something that the person says.
            check(self.prompt.answer_prefix.is_empty(), "prompt.answer_prefix", || {
                format!(
                    "cannot be put into the answer of the {role} model, which is behind a chat API: leave it out, or use api = \"completions\""
                )
            })?;
            let tells = remote.continuation == ContinuationMode::FinalMessage;
            check(tells || remote.thinking.is_none(), &key("thinking"), || {
                "cannot be told to a server that goes on in another way than \"final-message\": leave it, or prompt.thinking, out".into()
            })?;
        } else {
            check(!self.uses_chat_template(role), &own, || {
                "is missing: a server shows nobody its chat template, so with prompt.chat give this model's whole prompt, special tokens included, or set api = \"chat\"".into()
            })?;
            let chat = "is for api = \"chat\": leave it out, or set that";
            check(remote.system.is_none(), &key("system"), || chat.into())?;
            check(remote.thinking.is_none(), &key("thinking"), || chat.into())?;
            check(
                remote.continuation == ContinuationMode::default(),
                &key("continuation"),
                || chat.into(),
            )?;
        }
        // A key written here by mistake would be kept with every episode.
        let name = |text: &str| {
            let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            !text.is_empty()
                && text.chars().all(fits)
                && !text.starts_with(|c: char| c.is_ascii_digit())
        };
        check(remote.key_env.as_deref().is_none_or(name), &key("key_env"), || {
            "is no name of an environment variable in capitals, such as OPENAI_API_KEY: it is not the place for the key itself".into()
        })?;
        let n = remote.logprobs;
        check(n == 0 || (2..=20).contains(&n), &key("logprobs"), || {
            format!("is {n}, but must be from 2 to 20, or 0 for none")
        })?;
        let timeout = remote.timeout_s;
        check(timeout > 0.0 && timeout <= 86_400.0, &key("timeout_s"), || {
            format!("is {timeout}, but must be above 0 and at most 86400")
        })?;
        let retries = remote.retries;
        check(retries <= 20, &key("retries"), || format!("is {retries}, but must be at most 20"))?;
        let rate = remote.requests_per_minute;
        check(rate.is_none_or(|r| r > 0.0 && r.is_finite()), &key("requests_per_minute"), || {
            format!(
                "is {}, but must be above 0; leave it out for no limit",
                rate.unwrap_or_default()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Folders, load_preset};

    const REMOTE: &str = "model = \"org/big\"\nkey_env = \"BIG_KEY\"";

    fn preset(source: &str, model: &str, remote: &str) -> Result<Preset, InvalidPreset> {
        let folders = Folders::below("/nonexistent").unwrap();
        let mut preset = load_preset("tiny", &folders).unwrap();
        let text = format!("source = \"{source}\"\n{model}\n[remote]\n{remote}");
        preset.large = toml::from_str(&text).unwrap();
        preset.validate().map(|()| preset)
    }

    #[test]
    fn a_model_behind_an_address_is_named_there() {
        let preset = preset("http://gpu-box:8000/v1", "parameters = 7000", REMOTE).unwrap();
        assert_eq!(preset.large.label(), "big");
        let remote = preset.large.remote.as_ref().unwrap();
        assert_eq!((remote.api, remote.logprobs, remote.retries), (Api::Completions, 5, 5));
        let again: Preset = toml::from_str(&toml::to_string(&preset).unwrap()).unwrap();
        assert_eq!(again, preset);
    }

    #[test]
    fn a_chat_api_is_told_the_presets_system_message() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path()).unwrap();
        let text = |remote: &str| {
            format!(
                "[small]\nsource = \"o/n\"\nparameters = 7\n[large]\nsource = \"http://host/v1\"\n\
                 parameters = 7000\n[large.remote]\nmodel = \"m\"\n{remote}\n[prompt]\nchat = true\n\
                 system = \"Be brief.\"\n[steps]\ndelimiter = \"\\n\"\nanswer = \"A:\"\n"
            )
        };
        let load = |remote: &str| {
            let path = home.path().join("chat.toml");
            std::fs::write(&path, text(remote)).unwrap();
            load_preset(path.to_str().unwrap(), &folders).map_err(|e| e.to_string())
        };
        let told = |remote: &str| load(remote).unwrap().large.remote.unwrap().system;
        assert_eq!(told("api = \"chat\"").as_deref(), Some("Be brief."));
        assert_eq!(told("api = \"chat\"\nsystem = \"Own.\"").as_deref(), Some("Own."));
        let why = load("api = \"completions\"").unwrap_err();
        assert!(why.contains("large.prompt is missing"), "{why}");
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let url = "http://gpu-box:8000/v1";
        let refused = |source: &str, model: &str, remote: &str| {
            preset(source, model, remote)
                .expect_err(&format!("{source} {model} {remote}"))
                .to_string()
        };
        let params = "parameters = 7000";
        for (source, model, remote, says) in [
            ("models/big", params, REMOTE, "large.remote is for a model behind http"),
            ("http://", params, REMOTE, "large.source has no host"),
            ("http://:pw@host/v1", params, REMOTE, "large.source may hold neither"),
            ("http://host/v1?key=pw", params, REMOTE, "large.source may hold neither"),
            (url, "", REMOTE, "large.price_in is missing"),
            (url, "parameters = 7\ndtype = \"f16\"", REMOTE, "large.dtype is for a model in this"),
            (url, "price_in = 2.5", REMOTE, "large.price_in and price_cached and price_out"),
            (url, params, "model = \"\"", "large.remote.model is empty"),
            (url, params, "model = \"m\"\nsystem = \"s\"", "large.remote.system is for api"),
            (url, params, "model = \"m\"\napi = \"chat\"", "large.prompt is missing"),
            (url, params, "model = \"m\"\nkey_env = \"sk_pw\"", "large.remote.key_env is no name"),
            (url, params, "model = \"m\"\nlogprobs = 1", "large.remote.logprobs is 1"),
            (url, params, "model = \"m\"\ntimeout_s = 0.0", "large.remote.timeout_s is 0"),
            (url, params, "model = \"m\"\nretries = 21", "large.remote.retries is 21"),
            (url, params, "model = \"m\"\nrequests_per_minute = -1.0", "large.remote.requests_per"),
        ] {
            let sentence = refused(source, model, remote);
            assert!(sentence.starts_with(says), "{sentence}");
            assert!(!sentence.contains("pw"), "{sentence}");
        }
    }

    #[test]
    fn prices_of_a_million_tokens_are_those_of_one_in_millionths() {
        let folders = Folders::below("/nonexistent").unwrap();
        let mut preset = load_preset("tiny", &folders).unwrap();
        preset.large.price_in = Some(2.0);
        preset.large.price_cached = Some(0.5);
        preset.large.price_out = Some(8.0);
        assert_eq!(preset.validate().unwrap_err().key, "price");
        preset.small.price = Some(0.1);
        preset.validate().unwrap();
        assert_eq!(preset.large.price().unwrap().cost(100, 10, 1), 200.0 + 5.0 + 8.0);
        preset.large.price = Some(1.0);
        assert_eq!(preset.validate().unwrap_err().key, "large.price");
    }
}

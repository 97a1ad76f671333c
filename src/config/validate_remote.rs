//! Checks of remote models; see [`Preset::validate`].

use super::invalid_preset::{InvalidPreset, check};
use super::model_config::{DeviceChoice, Dtype, ModelConfig};
use super::preset::Preset;
use super::remote::{Api, ContinuationMode, Remote};
use crate::role::Role;

/// Checks what concerns servers in the configuration of one model.
///
/// # Errors
/// At the first invalid value.
pub(super) fn validate_remote(preset: &Preset, role: Role) -> Result<(), InvalidPreset> {
    let model = preset.model(role);
    let key = |name: &str| format!("{role}.{name}");
    let address = ["http://", "https://"].iter().find_map(|s| model.source.strip_prefix(s));
    match (&model.remote, address) {
        (None, None) => Ok(()),
        (None, Some(_)) => check(false, &key("source"), || {
            format!("is an address: add a table [{role}.remote] with model = \"…\"")
        }),
        (Some(_), None) => check(false, &key("remote"), || {
            format!(
                "is for a remote model, but {role}.source does not start with http:// or https://: remove one of them"
            )
        }),
        (Some(remote), Some(address)) => {
            check_address(role, address)?;
            check_local_settings(role, model)?;
            check_request_settings(role, remote)?;
            match remote.api {
                Api::Chat => check_chat(preset, role, remote),
                Api::Completions => check_completions(preset, role, remote),
            }
        }
    }
}

/// Checks the address after `http://`. Messages do not repeat it, because it may contain a key.
fn check_address(role: Role, address: &str) -> Result<(), InvalidPreset> {
    let key = format!("{role}.source");
    let host = address.split('/').next().unwrap_or_default();
    check(!host.is_empty() && !address.contains(char::is_whitespace), &key, || {
        "has no host: write it like http://host:8000/v1".into()
    })?;
    check(!host.contains('@') && !address.contains(['?', '#']), &key, || {
        format!(
            "must contain neither a user name before `@` nor anything after `?` or `#`: put a key into an environment variable, and set {role}.remote.key_env to its name"
        )
    })
}

/// Checks that nothing is set that concerns models in this process only, and that tokens have a price.
fn check_local_settings(role: Role, model: &ModelConfig) -> Result<(), InvalidPreset> {
    let key = |name: &str| format!("{role}.{name}");
    let local = [
        ("tokenizer", model.tokenizer.is_some()),
        ("device", model.device != DeviceChoice::default()),
        ("dtype", model.dtype != Dtype::default()),
        ("quantize_bits", model.quantize_bits.is_some()),
        ("paged_context", model.paged_context.is_some()),
    ];
    for (name, is_set) in local {
        check(!is_set, &key(name), || {
            "is for models in this process, and this is a remote model: remove it".into()
        })?;
    }
    check(model.price().is_some() || model.parameters.is_some(), &key("price_in"), || {
        "is missing: set the prices of a million tokens (price_in, price_cached, price_out), or parameters".into()
    })
}

/// Checks what applies to both APIs.
fn check_request_settings(role: Role, remote: &Remote) -> Result<(), InvalidPreset> {
    let key = |name: &str| format!("{role}.remote.{name}");
    check(!remote.model.trim().is_empty(), &key("model"), || "is empty".into())?;
    // A key put here by mistake would be stored with every episode.
    let is_variable = |text: &str| {
        let is_allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        !text.is_empty()
            && text.chars().all(is_allowed)
            && !text.starts_with(|c: char| c.is_ascii_digit())
    };
    check(remote.key_env.as_deref().is_none_or(is_variable), &key("key_env"), || {
        "must be the name of an environment variable in capitals, such as OPENAI_API_KEY, not the key itself".into()
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
        format!("is {}, but must be above 0; remove it for no limit", rate.unwrap_or_default())
    })
}

fn check_chat(preset: &Preset, role: Role, remote: &Remote) -> Result<(), InvalidPreset> {
    let has_message = preset.model(role).prompt.is_some() || preset.prompt.chat;
    check(has_message, &format!("{role}.prompt"), || {
        "is missing: a chat API applies its own template, so set this model's message without special tokens, such as prompt = \"{question}\"".into()
    })?;
    // It would become part of the user's message.
    check(preset.prompt.answer_prefix.is_empty(), "prompt.answer_prefix", || {
        format!(
            "cannot be used with the {role} model's chat API: remove it, or set {role}.remote.api = \"completions\""
        )
    })?;
    let passes_thinking = remote.continuation == ContinuationMode::FinalMessage;
    check(passes_thinking || remote.thinking.is_none(), &format!("{role}.remote.thinking"), || {
        "requires continuation = \"final-message\": set that, or remove it and prompt.thinking"
            .into()
    })
}

fn check_completions(preset: &Preset, role: Role, remote: &Remote) -> Result<(), InvalidPreset> {
    check(!preset.uses_chat_template(role), &format!("{role}.prompt"), || {
        "is missing: pointsman cannot read the chat template of a server, so with prompt.chat set this model's whole prompt including special tokens, or set api = \"chat\"".into()
    })?;
    let chat_settings = [
        ("system", remote.system.is_some()),
        ("thinking", remote.thinking.is_some()),
        ("continuation", remote.continuation != ContinuationMode::default()),
    ];
    for (name, is_set) in chat_settings {
        check(!is_set, &format!("{role}.remote.{name}"), || {
            "is for api = \"chat\": remove it, or set that".into()
        })?;
    }
    Ok(())
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
    fn a_remote_model_has_the_servers_name_for_it() {
        let preset = preset("http://gpu-box:8000/v1", "parameters = 7000", REMOTE).unwrap();
        assert_eq!(preset.large.label(), "big");
        let remote = preset.large.remote.as_ref().unwrap();
        assert_eq!((remote.api, remote.logprobs, remote.retries), (Api::Completions, 5, 5));
        let again: Preset = toml::from_str(&toml::to_string(&preset).unwrap()).unwrap();
        assert_eq!(again, preset);
    }

    #[test]
    fn a_chat_api_gets_the_presets_system_message() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::below(home.path()).unwrap();
        let text = |remote: &str| {
            format!(
                "[small]\nsource = \"o/n\"\nparameters = 7\n[large]\nsource = \"http://host/v1\"\n\
                 parameters = 7000\n[large.remote]\nmodel = \"m\"\n{remote}\n[prompt]\nchat = true\n\
                 system = \"Be brief.\"\n[steps]\ndelimiter = \"\\n\"\nanswer_marker = \"A:\"\n"
            )
        };
        let load = |remote: &str| {
            let path = home.path().join("chat.toml");
            std::fs::write(&path, text(remote)).unwrap();
            load_preset(path.to_str().unwrap(), &folders).map_err(|e| e.to_string())
        };
        let system = |remote: &str| load(remote).unwrap().large.remote.unwrap().system;
        assert_eq!(system("api = \"chat\"").as_deref(), Some("Be brief."));
        assert_eq!(system("api = \"chat\"\nsystem = \"Own.\"").as_deref(), Some("Own."));
        let why = load("api = \"completions\"").unwrap_err();
        assert!(why.contains("large.prompt is missing"), "{why}");
    }

    #[test]
    fn invalid_remote_models_are_rejected() {
        let url = "http://gpu-box:8000/v1";
        let error = |source: &str, model: &str, remote: &str| {
            preset(source, model, remote)
                .expect_err(&format!("{source} {model} {remote}"))
                .to_string()
        };
        let params = "parameters = 7000";
        for (source, model, remote, says) in [
            ("models/big", params, REMOTE, "large.remote is for a remote model"),
            ("http://", params, REMOTE, "large.source has no host"),
            ("http://:pw@host/v1", params, REMOTE, "large.source must contain neither"),
            ("http://host/v1?key=pw", params, REMOTE, "large.source must contain neither"),
            (url, "", REMOTE, "large.price_in is missing"),
            (url, "parameters = 7\ndtype = \"f16\"", REMOTE, "large.dtype is for models in this"),
            (url, "price_in = 2.5", REMOTE, "large.price_in and price_cached and price_out"),
            (url, params, "model = \"\"", "large.remote.model is empty"),
            (url, params, "model = \"m\"\nsystem = \"s\"", "large.remote.system is for api"),
            (url, params, "model = \"m\"\napi = \"chat\"", "large.prompt is missing"),
            (url, params, "model = \"m\"\nkey_env = \"sk_pw\"", "large.remote.key_env must be"),
            (url, params, "model = \"m\"\nlogprobs = 1", "large.remote.logprobs is 1"),
            (url, params, "model = \"m\"\ntimeout_s = 0.0", "large.remote.timeout_s is 0"),
            (url, params, "model = \"m\"\nretries = 21", "large.remote.retries is 21"),
            (url, params, "model = \"m\"\nrequests_per_minute = -1.0", "large.remote.requests_per"),
        ] {
            let sentence = error(source, model, remote);
            assert!(sentence.starts_with(says), "{sentence}");
            assert!(!sentence.contains("pw"), "{sentence}");
        }
    }

    #[test]
    fn prices_of_a_million_tokens_are_costs_of_one_in_millionths() {
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

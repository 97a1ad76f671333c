//! The wire format: request bodies and reply chunks.

use serde_json::{Map, Value, json};

use super::token_assembler::TokenLogprob;
use crate::config::{Api, ContinuationMode, Remote};
use crate::engine::interface::EngineRequest;
use crate::episode::MIN_LOGPROB;

/// How much a server's rounding may add to probabilities.
const ROUNDING: f64 = 0.02;

/// Token counts that a server reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerUsage {
    /// Of the prefix.
    pub(super) prompt: usize,
    /// Of those, taken from the server's cache; 0 if not reported.
    pub(super) cached: usize,
    /// Generated, including the end-of-text token and tokens that are not sent.
    pub(super) written: usize,
}

/// Why a server stopped generating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerStop {
    /// At the stop text.
    Delimiter,
    /// At the model's end-of-text token.
    EndOfText,
    /// At one of these two; the server does not say which.
    Unspecified,
    /// At `max_tokens`.
    Length,
    /// For another reason, in the server's words.
    Other(String),
}

/// One event of a stream, or a whole reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Chunk {
    pub(super) text: String,
    pub(super) logprobs: Vec<TokenLogprob>,
    pub(super) finish: Option<ServerStop>,
    pub(super) usage: Option<ServerUsage>,
}

/// The body of a request that continues the prefix and `partial`, the text of the step so far.
pub(super) fn request_body(remote: &Remote, request: &EngineRequest, partial: &str) -> Value {
    let mut body = json!({
        "model": remote.model,
        "stream": remote.stream,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stop": [request.delimiter],
    });
    if remote.stream {
        body["stream_options"] = json!({ "include_usage": true });
    }
    if request.temperature > 0.0 {
        body["top_p"] = request.top_p.into();
        body["seed"] = step_seed(request, partial).into();
    }
    let prompt = request.prefix.first().map_or("", |segment| &*segment.text);
    let steps = request.prefix.iter().skip(1).map(|segment| &*segment.text);
    let answer: String = steps.chain([partial]).collect();
    match remote.api {
        Api::Completions => {
            body["prompt"] = format!("{prompt}{answer}").into();
            if remote.logprobs > 0 {
                body["logprobs"] = remote.logprobs.into();
            }
        }
        Api::Chat => add_messages(&mut body, remote, prompt, &answer),
    }
    body
}

/// A seed of 31 bits, which servers accept, that differs from step to step.
fn step_seed(request: &EngineRequest, partial: &str) -> u64 {
    let prefix_length: u64 = request.prefix.iter().map(|s| s.text.len() as u64).sum();
    let position = prefix_length + partial.len() as u64;
    (request.seed ^ position.wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 33
}

/// Adds the fields of the chat API: the prompt as the user's message, and the steps as the beginning of the answer.
fn add_messages(body: &mut Value, remote: &Remote, prompt: &str, answer: &str) {
    let message = |role: &str, content: &str| json!({ "role": role, "content": content });
    let system = remote.system.as_deref().map(|text| message("system", text));
    let mut messages: Vec<Value> = system.into_iter().collect();
    messages.push(message("user", prompt));
    if !answer.is_empty() {
        let mut last = message("assistant", answer);
        match remote.continuation {
            ContinuationMode::FinalMessage => {
                body["continue_final_message"] = true.into();
                body["add_generation_prompt"] = false.into();
            }
            ContinuationMode::Prefix => last["prefix"] = true.into(),
            ContinuationMode::Implicit => {}
        }
        messages.push(last);
    }
    body["messages"] = messages.into();
    if let Some(thinking) = remote.thinking {
        body["chat_template_kwargs"] = json!({ "enable_thinking": thinking });
    }
    if remote.logprobs > 0 {
        body["logprobs"] = true.into();
        body["top_logprobs"] = remote.logprobs.into();
    }
}

/// What is wrong with a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReplyError {
    /// It reports an error, or is not a reply at all.
    ServerError(String),
    /// Its log-probabilities cannot come from a distribution.
    Logprobs,
}

/// Parses an event of a stream, or a whole reply.
///
/// # Errors
/// If it reports an error or is malformed.
pub(super) fn parse_chunk(data: &str) -> Result<Chunk, ReplyError> {
    let event: Value = serde_json::from_str(data)
        .map_err(|_| ReplyError::ServerError("its reply is not JSON".to_owned()))?;
    if let Some(error) = error_message(&event) {
        return Err(ReplyError::ServerError(error));
    }
    let usage = event.get("usage").and_then(usage);
    let Some(choice) = event.get("choices").and_then(|all| all.get(0)) else {
        return Ok(Chunk { usage, ..Chunk::default() });
    };
    let message = || choice.get("delta").or_else(|| choice.get("message"))?.get("content");
    let text = choice.get("text").or_else(message).and_then(Value::as_str).unwrap_or_default();
    Ok(Chunk {
        text: text.to_owned(),
        logprobs: choice.get("logprobs").map_or(Ok(Vec::new()), parse_logprobs)?,
        finish: finish(choice),
        usage,
    })
}

/// The error message in a reply, in the formats of different servers; `None` if the reply reports no error.
pub(super) fn error_message(reply: &Value) -> Option<String> {
    let error = reply.get("error").filter(|error| !error.is_null());
    let message_of = |value: &Value| {
        let message = value.get("message").or_else(|| value.get("detail"));
        message.or(Some(value)).map(|m| m.as_str().map_or_else(|| m.to_string(), str::to_owned))
    };
    match error {
        Some(error) => message_of(error),
        None if reply.get("choices").is_none() => {
            let is_error = reply.get("message").or_else(|| reply.get("detail")).is_some();
            is_error.then(|| message_of(reply)).flatten()
        }
        None => None,
    }
}

fn usize_field(value: &Value, name: &str) -> Option<usize> {
    value.get(name)?.as_u64().and_then(|n| usize::try_from(n).ok())
}

fn usage(usage: &Value) -> Option<ServerUsage> {
    let prompt = usize_field(usage, "prompt_tokens")?;
    let details = usage.get("prompt_tokens_details");
    let cached = details.and_then(|d| usize_field(d, "cached_tokens")).unwrap_or(0).min(prompt);
    Some(ServerUsage {
        prompt,
        cached,
        written: usize_field(usage, "completion_tokens").unwrap_or(0),
    })
}

fn finish(choice: &Value) -> Option<ServerStop> {
    let reason = choice.get("finish_reason")?.as_str()?;
    // vLLM and SGLang report what stopped it: a text, or one of the model's own tokens.
    let stop_detail = choice
        .get("stop_reason")
        .or_else(|| choice.get("matched_stop").filter(|matched| !matched.is_null()));
    Some(match (reason, stop_detail) {
        ("stop", Some(Value::String(_))) | ("stop_sequence", _) => ServerStop::Delimiter,
        ("stop", Some(_)) | ("eos_token" | "end_turn", _) => ServerStop::EndOfText,
        ("stop", None) => ServerStop::Unspecified,
        ("length", _) => ServerStop::Length,
        (other, _) => ServerStop::Other(other.to_owned()),
    })
}

/// The tokens of a chunk: a list of objects (chat, and llama.cpp always), a single object (mistral.rs streams), or
/// parallel lists.
fn parse_logprobs(logprobs: &Value) -> Result<Vec<TokenLogprob>, ReplyError> {
    if let Some(content) = logprobs.get("content").and_then(Value::as_array) {
        return content.iter().map(parse_token).collect();
    }
    if logprobs.get("token").is_some() {
        return Ok(vec![parse_token(logprobs)?]);
    }
    let list = |name: &str| logprobs.get(name).and_then(Value::as_array);
    let Some(tokens) = list("tokens") else { return Ok(Vec::new()) };
    let at = |name: &str, index: usize| list(name).and_then(|list| list.get(index));
    let token_at = |(index, token): (usize, &Value)| {
        let text = token.as_str().unwrap_or_default();
        let own = sampled_logprob(at("token_logprobs", index))?;
        let best = at("top_logprobs", index).and_then(Value::as_object);
        let best = best.map(|best: &Map<String, Value>| {
            best.iter().filter_map(|(k, v)| Some((k.as_str(), v.as_f64()?))).collect::<Vec<_>>()
        });
        token_logprob(0, text, own, &best.unwrap_or_default())
    };
    tokens.iter().enumerate().map(token_at).collect()
}

fn parse_token(token: &Value) -> Result<TokenLogprob, ReplyError> {
    let logprob_of = |value: &Value| value.get("logprob").and_then(Value::as_f64);
    let spelled = |value: &'_ Value| value.get("token").and_then(Value::as_str).map(str::to_owned);
    let best = token.get("top_logprobs").and_then(Value::as_array);
    let best: Vec<(String, f64)> = best
        .map(|best| {
            best.iter().filter_map(|one| Some((spelled(one).unwrap_or_default(), logprob_of(one)?)))
        })
        .map(Iterator::collect)
        .unwrap_or_default();
    let best: Vec<(&str, f64)> =
        best.iter().map(|(text, logprob)| (text.as_str(), *logprob)).collect();
    let id = usize_field(token, "id").and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
    let own = sampled_logprob(token.get("logprob"))?;
    token_logprob(id, &spelled(token).unwrap_or_default(), own, &best)
}

/// The log-probability of a sampled token; `None` if the server does not report it.
///
/// # Errors
/// [`ReplyError::Logprobs`] for null or a text: the token was sampled, so the server writes NaN that way.
fn sampled_logprob(value: Option<&Value>) -> Result<Option<f64>, ReplyError> {
    value.map(|value| value.as_f64().ok_or(ReplyError::Logprobs)).transpose()
}

/// A token's statistics from its log-probability, 0 if it is unknown, and those of the most probable tokens.
///
/// # Errors
/// [`ReplyError::Logprobs`] if the values are not natural logarithms of probabilities. mistral.rs 0.8.1 sends decimal
/// logarithms, and at temperature 0 those of the logits.
fn token_logprob(
    id: u32,
    text: &str,
    own: Option<f64>,
    best: &[(&str, f64)],
) -> Result<TokenLogprob, ReplyError> {
    let own = own.unwrap_or(0.0);
    let sum: f64 = best.iter().map(|(_, logprob)| logprob.exp()).sum();
    if own.exp().max(sum) > 1.0 + ROUNDING {
        return Err(ReplyError::Logprobs);
    }
    let own = own.min(0.0);
    let mut all: Vec<f64> = best.iter().map(|(_, logprob)| *logprob).collect();
    // The sampled token is usually among them; llama.cpp omits the text of a token that it stops at.
    if !best.iter().any(|(spelled, logprob)| *spelled == text || *logprob == own) {
        all.push(own);
    }
    all.sort_by(|a, b| b.total_cmp(a));
    let p = |rank: usize| all.get(rank).map(|logprob| logprob.min(0.0).exp() as f32);
    let top = p(0).unwrap_or(0.0);
    // With a single value the margin is unknown.
    let margin = p(1).map_or(0.0, |second| top - second);
    Ok(TokenLogprob {
        id,
        text: text.to_owned(),
        logprob: (own as f32).max(MIN_LOGPROB),
        top,
        margin,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::interface::Segment;

    fn remote(more: &str) -> Remote {
        toml::from_str(&format!("model = \"m\"\n{more}")).unwrap()
    }

    fn request() -> EngineRequest {
        let segment = |text: &str| Segment { text: Arc::from(text), own_ids: None };
        EngineRequest {
            prefix: vec![segment("Q?"), segment("One.\n"), segment("Two.\n")],
            delimiter: "\n".into(),
            partial: None,
            score_text: None,
            max_tokens: 9,
            is_draft: false,
            temperature: 0.0,
            top_p: 0.9,
            seed: 7,
        }
    }

    #[test]
    fn completions_continue_the_text() {
        let body = request_body(&remote(""), &request(), "Thr");
        assert_eq!(body["prompt"], "Q?One.\nTwo.\nThr");
        assert_eq!((&body["logprobs"], &body["max_tokens"]), (&json!(5), &json!(9)));
        assert!(body.get("seed").is_none() && body.get("top_p").is_none());
    }

    #[test]
    fn chats_continue_the_last_message() {
        let chat = remote("api = \"chat\"\nsystem = \"Be brief.\"\nlogprobs = 0");
        let sent = request_body(&chat, &request(), "");
        let roles: Vec<&Value> =
            sent["messages"].as_array().unwrap().iter().map(|m| &m["role"]).collect();
        assert_eq!(roles, ["system", "user", "assistant"]);
        assert_eq!(sent["messages"][2]["content"], "One.\nTwo.\n");
        assert_eq!(sent["continue_final_message"], true);
        assert!(sent.get("logprobs").is_none());
        let first = EngineRequest { prefix: request().prefix[..1].to_vec(), ..request() };
        let sent = request_body(&chat, &first, "");
        assert!(sent.get("continue_final_message").is_none(), "no message to continue yet");
        let quiet = remote("api = \"chat\"\nthinking = false");
        let kwargs = &request_body(&quiet, &request(), "")["chat_template_kwargs"];
        assert_eq!(*kwargs, json!({ "enable_thinking": false }));
        let prefix = remote("api = \"chat\"\ncontinuation = \"prefix\"");
        assert_eq!(request_body(&prefix, &request(), "")["messages"][1]["prefix"], true);
    }

    #[test]
    fn each_step_has_its_own_seed() {
        let warm = EngineRequest { temperature: 0.7, ..request() };
        let seed =
            |partial: &str| request_body(&remote(""), &warm, partial)["seed"].as_u64().unwrap();
        assert_ne!(seed(""), seed("x"));
        assert_eq!(seed(""), seed(""));
        assert!(seed("") < 1 << 31);
    }

    #[test]
    fn replies_of_different_servers_are_parsed() {
        let vllm = r#"{"choices":[{"text":" 4","logprobs":{"tokens":[" 4"],"token_logprobs":[-0.1],
            "top_logprobs":[{" 4":-0.1," 5":-2.5}]},"finish_reason":"stop","stop_reason":"\n"}],"usage":null}"#;
        let read = parse_chunk(vllm).unwrap();
        assert_eq!((read.text.as_str(), &read.finish), (" 4", &Some(ServerStop::Delimiter)));
        let entry = &read.logprobs[0];
        assert!((entry.top - (-0.1_f32).exp()).abs() < 1e-6, "{entry:?}");
        assert!((entry.margin - ((-0.1_f32).exp() - (-2.5_f32).exp())).abs() < 1e-6);
        let chat = r#"{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"token":"a",
            "logprob":-1.5,"top_logprobs":[{"token":"b","logprob":-0.5}]}]},"finish_reason":"stop"}]}"#;
        let read = parse_chunk(chat).unwrap();
        assert_eq!(read.finish, Some(ServerStop::Unspecified));
        assert!((read.logprobs[0].top - (-0.5_f32).exp()).abs() < 1e-6);
        let llama = r#"{"choices":[{"text":"","logprobs":{"content":[{"id":199,"token":"","logprob":-0.5,
            "top_logprobs":[{"token":"\n","logprob":-0.5},{"token":"a","logprob":-2.0}]}]}}]}"#;
        let entry = &parse_chunk(llama).unwrap().logprobs[0];
        assert_eq!(entry.id, 199);
        assert!((entry.margin - ((-0.5_f32).exp() - (-2.0_f32).exp())).abs() < 1e-6);
        let usage = r#"{"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":4,
            "prompt_tokens_details":{"cached_tokens":16}}}"#;
        let counted = ServerUsage { prompt: 30, cached: 16, written: 4 };
        assert_eq!(parse_chunk(usage).unwrap().usage, Some(counted));
        for (reply, says) in [
            (r#"{"error":{"message":"no"}}"#, "no"),
            (r#"{"error":"no"}"#, "no"),
            (r#"{"object":"error","message":"no"}"#, "no"),
            ("no", "its reply is not JSON"),
        ] {
            assert_eq!(parse_chunk(reply).unwrap_err(), ReplyError::ServerError(says.to_owned()));
        }
    }

    #[test]
    fn whole_replies_are_requested_and_parsed() {
        let whole = remote("stream = false");
        let sent = request_body(&whole, &request(), "");
        assert_eq!(sent["stream"], false);
        assert!(sent.get("stream_options").is_none());
        for choice in [r#""text":"Yes.""#, r#""message":{"role":"assistant","content":"Yes."}"#] {
            let reply = format!(
                r#"{{"choices":[{{{choice},"finish_reason":"length"}}],"usage":{{"prompt_tokens":3,"completion_tokens":2}}}}"#
            );
            let read = parse_chunk(&reply).unwrap();
            assert_eq!((read.text.as_str(), read.finish), ("Yes.", Some(ServerStop::Length)));
            assert_eq!(read.usage, Some(ServerUsage { prompt: 3, cached: 0, written: 2 }));
        }
    }

    #[test]
    fn impossible_logprobs_are_rejected() {
        let reply = |own: f64, best: [f64; 2]| {
            let best = best.map(|logprob| json!({ "token": 7, "logprob": logprob, "bytes": "a" }));
            let logprobs = json!({ "token": "a", "logprob": own, "top_logprobs": best });
            parse_chunk(&json!({ "choices": [{ "text": "a", "logprobs": logprobs }] }).to_string())
        };
        let read = reply(-0.1, [-0.1, -2.5]).unwrap();
        assert!((read.logprobs[0].top - (-0.1_f32).exp()).abs() < 1e-6);
        let decimal = [0.9_f64.log10(), 0.08_f64.log10()];
        assert_eq!(reply(decimal[0], decimal).unwrap_err(), ReplyError::Logprobs);
        assert_eq!(reply(1.2, [-0.1, -2.5]).unwrap_err(), ReplyError::Logprobs, "a logit");
    }
}

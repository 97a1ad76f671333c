//! What goes over the wire: bodies of requests, events of replies.

use serde_json::{Map, Value, json};

use super::token_assembler::TokenLogprob;
use crate::config::{Api, ContinuationMode, Remote};
use crate::engine::EngineRequest;

/// What a server's rounding may add to probabilities.
const ROUNDING: f64 = 0.02;

/// Tokens as a server counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerUsage {
    /// Of the prefix.
    pub prompt: usize,
    /// Of those, from its cache; 0 where it does not say.
    pub cached: usize,
    /// Written, the end-of-text token and those that it does not send among them.
    pub written: usize,
}

/// Why a server stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerStop {
    /// The stop text came.
    Delimiter,
    EndOfText,
    /// One of these two; it does not say which.
    Unspecified,
    Length,
    /// Anything else, in its words.
    Other(String),
}

/// One event.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Chunk {
    pub text: String,
    pub logprobs: Vec<TokenLogprob>,
    pub finish: Option<ServerStop>,
    pub usage: Option<ServerUsage>,
}

/// The body of a request that goes on after the prefix and `partial`.
pub(super) fn request_body(remote: &Remote, request: &EngineRequest, partial: &str) -> Value {
    let steps = || request.prefix.iter().skip(1).map(|s| &*s.text).chain([partial]);
    let prompt = request.prefix.first().map_or("", |segment| &*segment.text);
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
        // Each step has draws of its own; servers take 31 bits.
        let place: u64 = request.prefix.iter().map(|s| s.text.len() as u64).sum();
        let seed =
            request.seed ^ (place + partial.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        body["seed"] = (seed >> 33).into();
    }
    match remote.api {
        Api::Completions => {
            body["prompt"] = [prompt].into_iter().chain(steps()).collect::<String>().into();
            if remote.logprobs > 0 {
                body["logprobs"] = remote.logprobs.into();
            }
        }
        Api::Chat => {
            let message = |role: &str, content: &str| json!({ "role": role, "content": content });
            let system = remote.system.as_deref().map(|text| message("system", text));
            let mut messages: Vec<Value> = system.into_iter().collect();
            messages.push(message("user", prompt));
            let answer: String = steps().collect();
            if !answer.is_empty() {
                let mut last = message("assistant", &answer);
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
    }
    body
}

/// What is wrong with a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReplyError {
    /// It says itself what went wrong, or is no such reply.
    ServerError(String),
    /// Its log-probabilities belong to no distribution.
    Logprobs,
}

/// Reads the data of an event, or a whole reply.
///
/// # Errors
/// What is wrong with it.
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

/// The message of an error, in the ways in which servers put it.
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
    // vLLM and SGLang tell what stopped it: a text, or a token of the model's own.
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

/// The tokens of a piece: a list of objects (chat, and llama.cpp throughout), one object (a stream of mistral.rs), or
/// lists side by side.
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
    let of_place = |(index, token): (usize, &Value)| {
        let text = token.as_str().unwrap_or_default();
        let own = at("token_logprobs", index).and_then(Value::as_f64);
        let best = at("top_logprobs", index).and_then(Value::as_object);
        let best = best.map(|best: &Map<String, Value>| {
            best.iter().filter_map(|(k, v)| Some((k.as_str(), v.as_f64()?))).collect()
        });
        token_logprob(0, text, own, best.unwrap_or_default())
    };
    tokens.iter().enumerate().map(of_place).collect()
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
    let best = best.iter().map(|(text, logprob)| (text.as_str(), *logprob)).collect();
    let id = usize_field(token, "id").and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
    token_logprob(id, &spelled(token).unwrap_or_default(), logprob_of(token), best)
}

/// What the numbers of a token and of the most probable ones say; servers put minus infinity in their own ways.
///
/// # Errors
/// When they are not the natural logarithms of probabilities: those of mistral.rs 0.8.1 are decimal ones, at
/// temperature 0 of the logits.
fn token_logprob(
    id: u32,
    text: &str,
    own: Option<f64>,
    best: Vec<(&str, f64)>,
) -> Result<TokenLogprob, ReplyError> {
    let own = own.filter(|own| own.is_finite()).unwrap_or(0.0);
    let sum: f64 = best.iter().map(|(_, logprob)| logprob.exp()).sum();
    if own.exp().max(sum) > 1.0 + ROUNDING {
        return Err(ReplyError::Logprobs);
    }
    let own = own.min(0.0);
    let mut all: Vec<f64> = best.iter().map(|(_, logprob)| *logprob).collect();
    // The drawn one is mostly among them; llama.cpp does not spell one that it stops at.
    if !best.iter().any(|(spelled, logprob)| *spelled == text || *logprob == own) {
        all.push(own);
    }
    all.sort_by(|a, b| b.total_cmp(a));
    let p = |rank: usize| all.get(rank).map(|logprob| logprob.min(0.0).exp() as f32);
    let top = p(0).unwrap_or(0.0);
    // With one alone, how far it is ahead is not known.
    let margin = p(1).map_or(0.0, |second| top - second);
    Ok(TokenLogprob { id, text: text.to_owned(), logprob: own as f32, top, margin })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::Segment;

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
    fn a_completion_goes_on_with_the_text() {
        let body = request_body(&remote(""), &request(), "Thr");
        assert_eq!(body["prompt"], "Q?One.\nTwo.\nThr");
        assert_eq!((&body["logprobs"], &body["max_tokens"]), (&json!(5), &json!(9)));
        assert!(body.get("seed").is_none() && body.get("top_p").is_none());
    }

    #[test]
    fn a_chat_goes_on_with_the_last_message() {
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
        assert!(sent.get("continue_final_message").is_none(), "nothing to go on with yet");
        let quiet = remote("api = \"chat\"\nthinking = false");
        let told = &request_body(&quiet, &request(), "")["chat_template_kwargs"];
        assert_eq!(*told, json!({ "enable_thinking": false }));
        let prefix = remote("api = \"chat\"\ncontinues = \"prefix\"");
        assert_eq!(request_body(&prefix, &request(), "")["messages"][1]["prefix"], true);
    }

    #[test]
    fn seeds_differ_from_step_to_step() {
        let warm = EngineRequest { temperature: 0.7, ..request() };
        let seed =
            |partial: &str| request_body(&remote(""), &warm, partial)["seed"].as_u64().unwrap();
        assert_ne!(seed(""), seed("x"));
        assert_eq!(seed(""), seed(""));
        assert!(seed("") < 1 << 31);
    }

    #[test]
    fn replies_are_read_as_servers_write_them() {
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
    fn a_whole_reply_is_asked_for_and_read() {
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
    fn logprobs_of_no_distribution_are_refused() {
        let reply = |own: f64, best: [f64; 2]| {
            let best = best.map(|logprob| json!({ "token": 7, "logprob": logprob, "bytes": "a" }));
            let told = json!({ "token": "a", "logprob": own, "top_logprobs": best });
            parse_chunk(&json!({ "choices": [{ "text": "a", "logprobs": told }] }).to_string())
        };
        let read = reply(-0.1, [-0.1, -2.5]).unwrap();
        assert!((read.logprobs[0].top - (-0.1_f32).exp()).abs() < 1e-6);
        let decimal = [0.9_f64.log10(), 0.08_f64.log10()];
        assert_eq!(reply(decimal[0], decimal).unwrap_err(), ReplyError::Logprobs);
        assert_eq!(reply(1.2, [-0.1, -2.5]).unwrap_err(), ReplyError::Logprobs, "a logit");
    }
}

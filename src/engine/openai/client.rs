//! Sends a request: rate limit, retries, and error messages.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, redirect};
use serde_json::Value;

use super::rate_limiter::{RateLimiter, backoff, parse_retry_after};
use super::wire;
use crate::config::{Api, ModelConfig, Remote};
use crate::engine::error::EngineError;
use crate::engine::interface::{Flow, TokenCallback};

/// How often the callback is asked whether to continue while nothing arrives.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long to wait for a connection, and for the text of an error reply.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For pauses, which end by themselves.
const NO_TIMEOUT: Duration = Duration::from_secs(86_400);

/// Bytes of an error reply that are read.
const MAX_ERROR_BYTES: usize = 16 << 10;

/// Characters of an error reply that are shown.
const MAX_ERROR_CHARS: usize = 200;

/// The result of [`wait_or_cancel`].
pub(super) enum WaitResult<T> {
    /// The future's output.
    Ready(T),
    /// The callback cancelled.
    Cancelled,
    /// The timeout has passed.
    TimedOut,
}

/// Waits for a future, and asks the callback meanwhile whether to continue.
pub(super) async fn wait_or_cancel<T>(
    future: impl Future<Output = T>,
    idle_timeout: Duration,
    on_token: &mut TokenCallback<'_>,
) -> WaitResult<T> {
    let deadline = Instant::now() + idle_timeout;
    let mut future = pin!(future);
    loop {
        let remaining = deadline.saturating_duration_since(Instant::now());
        match tokio::time::timeout(remaining.min(POLL_INTERVAL), &mut future).await {
            Ok(output) => return WaitResult::Ready(output),
            Err(_) if on_token(None) == Flow::Cancel => return WaitResult::Cancelled,
            Err(_) if Instant::now() >= deadline => return WaitResult::TimedOut,
            Err(_) => {}
        }
    }
}

/// A client for one model of a server.
pub(super) struct Client {
    http: reqwest::Client,
    endpoint: String,
    key: Option<String>,
    remote: Remote,
    name: String,
    address: String,
    rate_limiter: Arc<RateLimiter>,
}

impl Client {
    /// # Errors
    /// If the key's environment variable is missing or unusable, or the system's certificates cannot be read.
    pub(super) fn new(
        config: &ModelConfig,
        remote: Remote,
        rate_limiter: Arc<RateLimiter>,
    ) -> Result<Self, EngineError> {
        let name = config.label().to_owned();
        let key =
            remote.key_env.as_deref().map(|variable| read_api_key(&name, variable)).transpose()?;
        let address = config.source.trim_end_matches('/').to_owned();
        let http = reqwest::Client::builder()
            .user_agent(concat!("pointsman/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // The key must not be sent to any other address than the preset's.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|e| EngineError::Load { name: name.clone(), reason: root_cause(&e) })?;
        let path = match remote.api {
            Api::Completions => "completions",
            Api::Chat => "chat/completions",
        };
        let endpoint = format!("{address}/{path}");
        Ok(Self { http, endpoint, key, remote, name, address, rate_limiter })
    }

    pub(super) fn remote(&self) -> &Remote {
        &self.remote
    }

    /// How long the server may send nothing.
    pub(super) fn idle_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.remote.timeout_s)
    }

    /// An error of this server; `reason` is a clause with the remedy.
    pub(super) fn failed(&self, reason: impl AsRef<str>) -> EngineError {
        EngineError::Remote {
            name: self.name.clone(),
            address: self.address.clone(),
            reason: self.redact(reason.as_ref()),
        }
    }

    /// The error if the server sends nothing for too long.
    pub(super) fn timeout_error(&self) -> EngineError {
        self.failed(format!(
            "it has sent nothing for {} s: check whether it is overloaded, or raise `timeout_s` in the preset",
            self.remote.timeout_s
        ))
    }

    /// The text on one line, without the key, which a server may repeat in its messages.
    fn redact(&self, text: &str) -> String {
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(key) = &self.key {
            text = text.replace(key.as_str(), "…");
        }
        text
    }

    /// Sends a request, with as many retries as the preset allows. Returns the reply and when its request was sent;
    /// `None` if the callback cancelled.
    ///
    /// # Errors
    /// If the server rejects the request, cannot be reached, or sends nothing.
    pub(super) async fn send_with_retries(
        &self,
        body: &Value,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<Option<(Response, Instant)>, EngineError> {
        let mut tries = 0;
        loop {
            let slot = tokio::time::sleep_until(self.rate_limiter.reserve_slot().into());
            if let WaitResult::Cancelled = wait_or_cancel(slot, NO_TIMEOUT, on_token).await {
                return Ok(None);
            }
            let sent = Instant::now();
            let reply = match wait_or_cancel(self.send(body), self.idle_timeout(), on_token).await {
                WaitResult::Ready(reply) => reply,
                WaitResult::Cancelled => return Ok(None),
                WaitResult::TimedOut => return Err(self.timeout_error()),
            };
            let (problem, pause) = match reply {
                Ok(response) if response.status().is_success() => {
                    return Ok(Some((response, sent)));
                }
                Ok(response) => self.retry_or_error(response).await?,
                Err(error) => (
                    format!(
                        "it cannot be reached ({}): start the server, or check `source`",
                        root_cause(&error)
                    ),
                    None,
                ),
            };
            tries += 1;
            if tries > self.remote.retries {
                return Err(self.failed(format!("{problem} (tried {tries} times)")));
            }
            if let Some(pause) = pause {
                self.rate_limiter.pause_for(pause);
            }
            let pause = pause.unwrap_or_default() + backoff(tries - 1);
            let problem = self.redact(&problem);
            tracing::warn!("model {}: {problem}; retry in {:.1} s", self.name, pause.as_secs_f64());
            if let WaitResult::Cancelled =
                wait_or_cancel(tokio::time::sleep(pause), NO_TIMEOUT, on_token).await
            {
                return Ok(None);
            }
        }
    }

    async fn send(&self, body: &Value) -> reqwest::Result<Response> {
        let text = body.to_string();
        let mut request =
            self.http.post(&self.endpoint).header("content-type", "application/json").body(text);
        if let Some(mut key) =
            self.key.as_ref().and_then(|key| HeaderValue::from_str(&format!("Bearer {key}")).ok())
        {
            // Keeps the key out of the client's logs.
            key.set_sensitive(true);
            request = request.header(AUTHORIZATION, key);
        }
        request.send().await
    }

    /// What an error reply says and how long to wait, if the request is worth a retry.
    ///
    /// # Errors
    /// If it is not.
    async fn retry_or_error(
        &self,
        response: Response,
    ) -> Result<(String, Option<Duration>), EngineError> {
        let status = response.status();
        let header = response.headers().get(RETRY_AFTER).and_then(|h| h.to_str().ok());
        let pause = header.map_or(Ok(None), |header| parse_retry_after(header, SystemTime::now()));
        let text = error_text(response).await;
        let reply: Option<Value> = serde_json::from_str(&text).ok();
        let message = reply.as_ref().and_then(wire::error_message).unwrap_or(text);
        let details = self.error_details(status, &message);
        let problem = if status == StatusCode::TOO_MANY_REQUESTS {
            if reply.as_ref().is_some_and(is_quota_exhausted) {
                return Err(self.failed(format!(
                    "the quota is used up ({details}): check your account with the provider"
                )));
            }
            format!(
                "it limits the request rate ({details}): set `requests_per_minute` in the preset"
            )
        } else if status.is_server_error() {
            format!("it is down or overloaded ({details}): try again later")
        } else {
            return Err(self.failed(self.rejection(status, &details)));
        };
        match pause {
            Ok(pause) => Ok((problem, pause)),
            Err(seconds) => Err(self.failed(format!("{problem}; it asks to wait for {seconds} s"))),
        }
    }

    /// Status and message of an error reply, shortened.
    fn error_details(&self, status: StatusCode, message: &str) -> String {
        let code = status.as_u16();
        let message: String = self.redact(message).chars().take(MAX_ERROR_CHARS).collect();
        if message.is_empty() {
            code.to_string()
        } else {
            format!("{code}: {}", message.trim_end_matches('.'))
        }
    }

    /// Why a request was rejected for good, and the remedy.
    fn rejection(&self, status: StatusCode, details: &str) -> String {
        match (status, self.remote.key_env.as_deref()) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(variable)) => {
                format!("it rejects the key ({details}): check the environment variable {variable}")
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => format!(
                "it needs a key ({details}): put one into an environment variable, and set `key_env` to its name"
            ),
            (StatusCode::NOT_FOUND, _) => format!(
                "it has no such API or no model {} ({details}): check `source`, which usually ends in /v1, and `model`",
                self.remote.model
            ),
            (status, _) if status.is_redirection() => {
                format!("it has moved ({details}): set `source` to its new address")
            }
            _ => format!(
                "it rejects the request ({details}): change the named parameter in the preset; `logprobs = 0` requests no log-probabilities"
            ),
        }
    }
}

/// The text of an error reply; a long or slow one is cut off.
async fn error_text(mut response: Response) -> String {
    let mut text = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await
            && text.len() < MAX_ERROR_BYTES
        {
            text.extend_from_slice(&chunk);
        }
    };
    // After the timeout, what has arrived is enough.
    let _ = tokio::time::timeout(CONNECT_TIMEOUT, read).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// Reads a key from the environment.
fn read_api_key(model: &str, variable: &str) -> Result<String, EngineError> {
    let unusable = |reason: &'static str| EngineError::ApiKey {
        name: model.to_owned(),
        variable: variable.to_owned(),
        reason,
    };
    let key = match std::env::var(variable) {
        Ok(key) => key.trim().to_owned(),
        Err(std::env::VarError::NotPresent) => String::new(),
        Err(std::env::VarError::NotUnicode(_)) => return Err(unusable("is not valid UTF-8")),
    };
    match HeaderValue::from_str(&key) {
        _ if key.is_empty() => Err(unusable("is not set")),
        Err(_) => Err(unusable("contains characters that a key cannot have")),
        Ok(_) => Ok(key),
    }
}

/// Whether a reply with status 429 means that the account's quota is used up, so that waiting does not help.
fn is_quota_exhausted(reply: &Value) -> bool {
    let error = reply.get("error");
    let field = |name: &str| error.and_then(|e| e.get(name)).and_then(Value::as_str);
    ["code", "type"].into_iter().any(|name| field(name) == Some("insufficient_quota"))
}

/// The innermost cause of an error; the outer ones only say that a request failed.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

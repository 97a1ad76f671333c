//! One request: when it is sent, how often, and what is said where it fails.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, redirect};
use serde_json::Value;

use super::rate_limiter::{RateLimiter, backoff, parse_retry_after};
use super::wire;
use crate::config::{Api, ModelConfig, Remote};
use crate::engine::{EngineError, Flow, TokenCallback};

/// How often a watcher is asked whether to go on while nothing comes.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long to wait for a connection, and for the text of a refusal.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For pauses, which end by themselves.
const NO_TIMEOUT: Duration = Duration::from_secs(86_400);

/// Bytes of a refusal that are read, and characters that are shown.
const MAX_ERROR_BYTES: usize = 16 << 10;
const MAX_ERROR_CHARS: usize = 200;

/// What became of something that was waited for.
pub(super) enum WaitResult<T> {
    Ready(T),
    Cancelled,
    /// It took too long.
    TimedOut,
}

/// Waits, and asks the watcher meanwhile.
pub(super) async fn wait_or_cancel<T>(
    what: impl Future<Output = T>,
    idle_timeout: Duration,
    on_token: &mut TokenCallback<'_>,
) -> WaitResult<T> {
    let deadline = Instant::now() + idle_timeout;
    let mut what = pin!(what);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match tokio::time::timeout(left.min(POLL_INTERVAL), &mut what).await {
            Ok(came) => return WaitResult::Ready(came),
            Err(_) if on_token(None) == Flow::Cancel => return WaitResult::Cancelled,
            Err(_) if Instant::now() >= deadline => return WaitResult::TimedOut,
            Err(_) => {}
        }
    }
}

/// A server, and one of its models.
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
    /// When the key's variable is not set or holds no key, or the system's certificates cannot be read.
    pub fn new(
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
            // A key goes to the address that the preset names and to no other.
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

    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// How long the server may be silent.
    pub fn idle_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.remote.timeout_s)
    }

    /// An error about this server; `reason` says what and what to do.
    pub fn failed(&self, reason: impl AsRef<str>) -> EngineError {
        EngineError::Remote {
            name: self.name.clone(),
            address: self.address.clone(),
            reason: self.redact(reason.as_ref()),
        }
    }

    /// That nothing has come for too long.
    pub fn timeout_error(&self) -> EngineError {
        self.failed(format!(
            "it has said nothing for {} s: see whether it is overloaded, or raise `timeout_s` in the preset",
            self.remote.timeout_s
        ))
    }

    /// One line without the key, whatever a server repeats in its messages.
    fn redact(&self, text: &str) -> String {
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(key) = &self.key {
            text = text.replace(key.as_str(), "…");
        }
        text
    }

    /// Sends a request, again and again as the preset allows, until a reply begins; also, when that was sent to
    /// which it is the reply. Nothing where the watcher cancelled it.
    ///
    /// # Errors
    /// When the server refuses it, cannot be reached or says nothing.
    pub async fn send_with_retries(
        &self,
        body: &Value,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<Option<(Response, Instant)>, EngineError> {
        let mut tries = 0;
        loop {
            let turn = tokio::time::sleep_until(self.rate_limiter.reserve_slot().into());
            if let WaitResult::Cancelled = wait_or_cancel(turn, NO_TIMEOUT, on_token).await {
                return Ok(None);
            }
            let sent = Instant::now();
            let reply = match wait_or_cancel(self.send(body), self.idle_timeout(), on_token).await {
                WaitResult::Ready(reply) => reply,
                WaitResult::Cancelled => return Ok(None),
                WaitResult::TimedOut => return Err(self.timeout_error()),
            };
            let (why, pause) = match reply {
                Ok(response) if response.status().is_success() => {
                    return Ok(Some((response, sent)));
                }
                Ok(response) => self.retry_or_error(response).await?,
                Err(error) => (
                    format!(
                        "it cannot be reached ({}): start it, or check `source`",
                        root_cause(&error)
                    ),
                    None,
                ),
            };
            tries += 1;
            if tries > self.remote.retries {
                return Err(self.failed(format!("{why} (asked {tries} times)")));
            }
            if let Some(pause) = pause {
                self.rate_limiter.pause_for(pause);
            }
            let pause = pause.unwrap_or_default() + backoff(tries - 1);
            let why = self.redact(&why);
            tracing::warn!("model {}: {why}; again in {:.1} s", self.name, pause.as_secs_f64());
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
            // Kept out of what the client logs.
            key.set_sensitive(true);
            request = request.header(AUTHORIZATION, key);
        }
        request.send().await
    }

    /// What a refusal says and how long to wait, where it is worth asking again.
    ///
    /// # Errors
    /// Where it is not.
    async fn retry_or_error(
        &self,
        mut response: Response,
    ) -> Result<(String, Option<Duration>), EngineError> {
        let status = response.status();
        let header = response.headers().get(RETRY_AFTER).and_then(|h| h.to_str().ok());
        let pause = header.map_or(Ok(None), |header| parse_retry_after(header, SystemTime::now()));
        let mut text = Vec::new();
        let read = async {
            while let Ok(Some(part)) = response.chunk().await
                && text.len() < MAX_ERROR_BYTES
            {
                text.extend_from_slice(&part);
            }
        };
        // What has come by then will do.
        let _ = tokio::time::timeout(CONNECT_TIMEOUT, read).await;
        let text = String::from_utf8_lossy(&text).into_owned();
        let said = serde_json::from_str(&text).ok();
        let spent = said.as_ref().is_some_and(quota_is_spent);
        let said = self.redact(&said.as_ref().and_then(wire::error_message).unwrap_or(text));
        let code = status.as_u16();
        let said = match said.chars().take(MAX_ERROR_CHARS).collect::<String>() {
            said if said.is_empty() => code.to_string(),
            said => format!("{code}: {}", said.trim_end_matches('.')),
        };
        let variable = self.remote.key_env.as_deref();
        let reason = match (status, variable) {
            (StatusCode::TOO_MANY_REQUESTS, _) if spent => {
                format!("what may be spent there is spent ({said}): see to the account")
            }
            (StatusCode::TOO_MANY_REQUESTS, _) => {
                let why = format!(
                    "it wants to be asked less often ({said}): set `requests_per_minute` in the preset"
                );
                match pause {
                    Ok(pause) => return Ok((why, pause)),
                    Err(seconds) => format!("{why}, or try again in {seconds} s"),
                }
            }
            (status, _) if status.is_server_error() => {
                let why = format!("it is down or overloaded ({said}): try again later");
                match pause {
                    Ok(pause) => return Ok((why, pause)),
                    Err(seconds) => format!("{why}, it says in {seconds} s"),
                }
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(variable)) => {
                format!("it refuses the key ({said}): check the variable {variable}")
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => {
                format!(
                    "it wants a key ({said}): put it into a variable and name that as `key_env`"
                )
            }
            (StatusCode::NOT_FOUND, _) => format!(
                "it has no such API or no model {} ({said}): check `source`, which mostly ends in /v1, and `model`",
                self.remote.model
            ),
            (status, _) if status.is_redirection() => {
                format!("it has moved ({said}): give its new address as `source`")
            }
            _ => format!(
                "it refuses the request ({said}): change in the preset what it names, `logprobs = 0` asks for none"
            ),
        };
        Err(self.failed(reason))
    }
}

/// Reads a key from the environment.
fn read_api_key(model: &str, variable: &str) -> Result<String, EngineError> {
    let wrong = |reason: &'static str| EngineError::ApiKey {
        name: model.to_owned(),
        variable: variable.to_owned(),
        reason,
    };
    let key = match std::env::var(variable) {
        Ok(key) => key.trim().to_owned(),
        Err(std::env::VarError::NotPresent) => String::new(),
        Err(std::env::VarError::NotUnicode(_)) => return Err(wrong("is no text")),
    };
    match HeaderValue::from_str(&key) {
        _ if key.is_empty() => Err(wrong("is not set")),
        Err(_) => Err(wrong("holds what no key can")),
        Ok(_) => Ok(key),
    }
}

/// Whether more money, rather than idle_timeout, is wanted.
fn quota_is_spent(reply: &Value) -> bool {
    let error = reply.get("error");
    let tells = |name: &str| error.and_then(|e| e.get(name)).and_then(Value::as_str);
    ["code", "type"].into_iter().any(|name| tells(name) == Some("insufficient_quota"))
}

/// The innermost reason of an error: the outer ones say that a request failed, and where.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

//! Remote models: OpenAI-compatible completions and chat APIs of model vendors and of servers such as vLLM, SGLang,
//! llama.cpp and mistral.rs. Only this folder names the HTTP client.
//!
//! | file | content |
//! |---|---|
//! | `client` | sends a request, with retries and error messages |
//! | `wire` | request bodies and reply chunks |
//! | `reply_reader` | reads a reply up to the end of the step |
//! | `token_assembler` | matches streamed text with reported tokens |
//! | `rate_limiter` | when requests may be sent |
//!
//! How an [`EngineRequest`] maps to the API:
//!
//! | | |
//! |---|---|
//! | reply | streamed, or whole with `stream = false` |
//! | text | `/completions` continues prompt and steps as one text; `/chat/completions` gets the steps as the beginning of the assistant's message (see [`ContinuationMode`](crate::config::ContinuationMode)) |
//! | end of a step | the delimiter is sent as `stop`, so that the server stops by itself and reports its usage |
//! | end of the text | as the server reports it (vLLM and SGLang do); if it only says `stop`, a step that is not blank ends with the delimiter, and a blank one is the end of the text |
//! | tokens | as many as `usage` counts; without log-probabilities each chunk of the stream counts as a token |
//! | prefilled, reused | `prompt_tokens` minus `cached_tokens`, and `cached_tokens`, from `usage`; never estimated. A cancelled request reports no usage, so only its generated tokens are counted |
//! | token statistics | log-probabilities if the server sends them; no entropies |
//!
//! Once a token has arrived, a request is not retried: the episode ends with the error and keeps its finished steps.

mod client;
mod rate_limiter;
mod reply_reader;
mod token_assembler;
mod wire;

use std::sync::Arc;

use self::client::Client;
use self::reply_reader::send_and_read;
use super::error::EngineError;
use super::interface::{ChatInput, Engine, EngineOutput, EngineRequest, Segment, TokenCallback};
use super::kind;
use super::token_stats::TokenStats;
use crate::config::ModelConfig;
use crate::episode::{ModelRecord, StopReason, Usage};

pub use rate_limiter::RateLimiter;

/// A model on a server.
pub(super) struct RemoteEngine {
    record: ModelRecord,
    token_stats: TokenStats,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl RemoteEngine {
    /// An engine for the server at the configuration's `source`. Nothing is sent yet.
    ///
    /// # Errors
    /// If the key's environment variable is not set, the model has neither a price nor a parameter count, or the
    /// system provides no sockets.
    pub(super) fn new(
        config: &ModelConfig,
        rate_limiter: Arc<RateLimiter>,
    ) -> Result<Self, EngineError> {
        let Some(remote) = config.remote.clone() else {
            return Err(EngineError::NotFound(config.source.clone()));
        };
        let name = config.label().to_owned();
        let parameters = match (config.parameters, config.price()) {
            (Some(n), _) => n,
            (None, Some(_)) => 0,
            (None, None) => return Err(EngineError::NoPrice { name }),
        };
        let address = config.source.trim_end_matches('/');
        let digest = format!("{address}#{}", remote.model);
        // With a worker thread, a dropped connection is closed at once and not with the next request.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("pointsman-remote")
            .enable_all()
            .build()
            .map_err(|e| EngineError::Load { name: name.clone(), reason: e.to_string() })?;
        let client = Client::new(config, remote, rate_limiter)?;
        let record = ModelRecord { name, digest, parameters };
        Ok(Self { record, token_stats: kind::token_stats(config), client, runtime })
    }
}

impl Engine for RemoteEngine {
    fn model(&self) -> &ModelRecord {
        &self.record
    }

    fn token_stats(&self) -> TokenStats {
        self.token_stats
    }

    fn can_score_text(&self) -> bool {
        false
    }

    /// Returns the user's message unchanged: the chat API applies the template itself.
    fn apply_template(&self, chat: ChatInput<'_>) -> Result<String, EngineError> {
        Ok(chat.user.to_owned())
    }

    fn generate(
        &mut self,
        request: &EngineRequest,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<EngineOutput, EngineError> {
        if request.score_text.is_some() {
            return Err(EngineError::CannotScoreText(self.record.name.clone()));
        }
        self.runtime.block_on(generate_step(&self.client, request, on_token))
    }

    /// Does nothing: the server manages its own cache and reports what it reused.
    fn prefill(&mut self, _: Vec<Segment>) -> Result<Usage, EngineError> {
        Ok(Usage::default())
    }

    fn reset(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Generates a step. If the server stops at a delimiter before any other text, a second request continues.
async fn generate_step(
    client: &Client,
    request: &EngineRequest,
    on_token: &mut TokenCallback<'_>,
) -> Result<EngineOutput, EngineError> {
    let partial = request.partial.as_ref().map_or("", |partial| &partial.text);
    let mut output = send_and_read(client, request, partial, on_token).await?;
    let is_blank_step = |output: &EngineOutput| {
        output.stop == StopReason::Delimiter
            && partial.trim().is_empty()
            && output.text.trim().is_empty()
    };
    if is_blank_step(&output) {
        let continued = EngineRequest {
            max_tokens: request.max_tokens.saturating_sub(output.tokens.len()).max(1),
            ..request.clone()
        };
        let partial = format!("{partial}{}", output.text);
        let rest = send_and_read(client, &continued, &partial, on_token).await?;
        output.text.push_str(&rest.text);
        output.tokens.extend(rest.tokens);
        output.usage += rest.usage;
        output.stop = rest.stop;
        if is_blank_step(&output) {
            return Err(client.failed(
                "it generates blank lines only: its chat template may remove trailing blank lines; \
                 api = \"completions\" uses no template",
            ));
        }
    }
    Ok(output)
}

//! OpenAI-compatible completions and chat APIs: closed models, and servers of one's own (vLLM, SGLang,
//! llama.cpp, mistral.rs). The only folder that names the HTTP client.
//!
//! What is asked for, and what is made of the reply:
//!
//! | | |
//! |---|---|
//! | reply | streamed, or whole where the preset says so |
//! | text | `/completions` goes on with prompt and steps as they are; `/chat/completions` with the steps as the beginning of the assistant's message ([`ContinuationMode`](crate::config::ContinuationMode)) |
//! | end of a step | the delimiter is sent as `stop`, so that the server ends by itself and reports what it took |
//! | end of the text | as the server tells it (vLLM and SGLang do); where it only says `stop`, a text that is not blank ends with the delimiter, and a blank one is the end |
//! | tokens | as many as `usage` says were written; where no log-probabilities are given, a piece of the stream stands for a token |
//! | prefilled, reused | `prompt_tokens` less `cached_tokens`, and `cached_tokens`, as `usage` says; never guessed. Of a request that is cancelled, and so reports nothing, nothing is counted but the tokens that came |
//! | token statistics | log-probabilities as the server gives them, at most: no entropies |
//!
//! A reply is not asked for again once a token of it has come: the episode ends with the error, and keeps what was
//! written before.

mod client;
mod rate_limiter;
mod token_assembler;
mod wire;

use std::sync::Arc;
use std::time::Instant;

use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::StreamExt;
use reqwest::Response;

use self::client::{Client, WaitResult, root_cause, wait_or_cancel};
use self::token_assembler::TokenAssembler;
use self::wire::{ReplyError, ServerStop, ServerUsage};
use super::chat::ChatInput;
use super::sampler::step_is_over;
use super::{
    Engine, EngineError, EngineOutput, EngineRequest, Flow, Segment, TokenCallback, TokenStats,
};
use crate::config::{ModelConfig, Remote};
use crate::episode::{ModelRecord, StopReason, Usage};

pub use rate_limiter::RateLimiter;

/// Pieces of text after the delimiter that show that a server does not stop there.
const MAX_CHUNKS_AFTER_STOP: usize = 16;

/// A model that a server runs.
pub struct RemoteEngine {
    record: ModelRecord,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl RemoteEngine {
    /// An engine that asks the server at the configuration's `source`, whenever `rate_limiter` lets it. Nothing is sent yet.
    ///
    /// # Errors
    /// When the key's variable is not set, the model has neither price nor parameter count, or the system
    /// gives no sockets.
    pub fn new(
        config: &ModelConfig,
        remote: Remote,
        rate_limiter: Arc<RateLimiter>,
    ) -> Result<Self, EngineError> {
        let name = config.label().to_owned();
        let parameters = match (config.parameters, config.price()) {
            (Some(n), _) => n,
            (None, Some(_)) => 0,
            (None, None) => return Err(EngineError::NoPrice { name }),
        };
        let address = config.source.trim_end_matches('/');
        let digest = format!("{address}#{}", remote.model);
        // With a thread of its own: a connection that is dropped must be closed then, not with the next request.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("pointsman-remote")
            .enable_all()
            .build()
            .map_err(|e| EngineError::Load { name: name.clone(), reason: e.to_string() })?;
        let client = Client::new(config, remote, rate_limiter)?;
        Ok(Self { record: ModelRecord { name, digest, parameters }, client, runtime })
    }
}

impl Engine for RemoteEngine {
    fn model(&self) -> &ModelRecord {
        &self.record
    }

    fn token_stats(&self) -> TokenStats {
        TokenStats::of_remote(self.client.remote())
    }

    fn can_score_text(&self) -> bool {
        false
    }

    /// The message as it is: a chat API frames it by itself.
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

    /// Sends nothing: what a server has in its cache is its own affair, and it reports it.
    fn prefill(&mut self, _: Vec<Segment>) -> Result<Usage, EngineError> {
        Ok(Usage::default())
    }

    fn reset(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Writes a step; where the server stopped at a delimiter before anything else came, with a second request.
async fn generate_step(
    client: &Client,
    request: &EngineRequest,
    on_token: &mut TokenCallback<'_>,
) -> Result<EngineOutput, EngineError> {
    let partial = request.partial.as_ref().map_or("", |partial| &partial.text);
    let mut draft = send_once(client, request, partial, on_token).await?;
    let blank = |draft: &EngineOutput| format!("{partial}{}", draft.text).trim().is_empty();
    if draft.stop == StopReason::Delimiter && blank(&draft) {
        let left = EngineRequest {
            max_tokens: request.max_tokens.saturating_sub(draft.tokens.len()).max(1),
            ..request.clone()
        };
        let partial = format!("{partial}{}", draft.text);
        let rest = send_once(client, &left, &partial, on_token).await?;
        draft.text.push_str(&rest.text);
        draft.tokens.extend(rest.tokens);
        draft.usage += rest.usage;
        draft.stop = rest.stop;
        if draft.stop == StopReason::Delimiter && blank(&draft) {
            return Err(client.failed(
                "it writes blank lines only: its chat template may drop those that end the text, \
                 api = \"completions\" has no template",
            ));
        }
    }
    Ok(draft)
}

/// One request, after the prefix and `partial`.
async fn send_once(
    client: &Client,
    request: &EngineRequest,
    partial: &str,
    on_token: &mut TokenCallback<'_>,
) -> Result<EngineOutput, EngineError> {
    let has_logprobs = client.remote().logprobs > 0;
    let mut reply = ReplyReader {
        client,
        request,
        step: partial.to_owned(),
        has_logprobs,
        assembler: TokenAssembler::new(has_logprobs),
        tokens_reported: 0,
        first: None,
        delimiter_seen: false,
        chunks_after_stop: 0,
        finish: None,
        usage: None,
    };
    let body = wire::request_body(client.remote(), request, partial);
    let Some((response, sent)) = client.send_with_retries(&body, on_token).await? else {
        return Ok(reply.into_output(StopReason::Cancelled, Instant::now(), on_token));
    };
    reply.assembler = TokenAssembler::new(has_logprobs);
    let stop = if client.remote().stream {
        reply.read_stream(response, on_token).await?
    } else {
        reply.read_whole(response, on_token).await?
    };
    Ok(reply.into_output(stop, sent, on_token))
}

/// A reply on its way.
struct ReplyReader<'a> {
    client: &'a Client,
    request: &'a EngineRequest,
    /// The step's text so far, its beginning included.
    step: String,
    /// Whether log-probabilities were asked for.
    has_logprobs: bool,
    assembler: TokenAssembler,
    /// Tokens that the watcher has seen.
    tokens_reported: usize,
    first: Option<Instant>,
    /// The delimiter was sent, where others leave it out.
    delimiter_seen: bool,
    /// Pieces of text after it.
    chunks_after_stop: usize,
    finish: Option<ServerStop>,
    usage: Option<ServerUsage>,
}

impl ReplyReader<'_> {
    /// Takes events until the step ends.
    async fn read_stream(
        &mut self,
        response: Response,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<StopReason, EngineError> {
        let mut events = response.bytes_stream().eventsource();
        loop {
            let event =
                match wait_or_cancel(events.next(), self.client.idle_timeout(), on_token).await {
                    WaitResult::Ready(event) => event,
                    WaitResult::Cancelled => return Ok(StopReason::Cancelled),
                    WaitResult::TimedOut => return Err(self.client.timeout_error()),
                };
            let data = match event {
                Some(Ok(event)) if event.data.trim() == "[DONE]" => return self.stop_reason(""),
                Some(Ok(event)) => event.data,
                Some(Err(EventStreamError::Transport(error))) => {
                    return self.stop_reason(&format!(" ({})", root_cause(&error)));
                }
                Some(Err(error)) => return self.stop_reason(&format!(" ({error})")),
                None => return self.stop_reason(""),
            };
            if self.add_chunk(&data, on_token)? == Flow::Cancel {
                return Ok(StopReason::Cancelled);
            }
        }
    }

    /// Takes a reply that comes in one piece.
    async fn read_whole(
        &mut self,
        response: Response,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<StopReason, EngineError> {
        match wait_or_cancel(response.text(), self.client.idle_timeout(), on_token).await {
            WaitResult::Ready(Ok(text)) => match self.add_chunk(&text, on_token)? {
                Flow::Cancel => Ok(StopReason::Cancelled),
                Flow::Continue => self.stop_reason(""),
            },
            WaitResult::Ready(Err(error)) => {
                self.stop_reason(&format!(" ({})", root_cause(&error)))
            }
            WaitResult::Cancelled => Ok(StopReason::Cancelled),
            WaitResult::TimedOut => Err(self.client.timeout_error()),
        }
    }

    /// Takes the data of an event.
    fn add_chunk(
        &mut self,
        data: &str,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<Flow, EngineError> {
        let mut chunk = wire::parse_chunk(data).map_err(|wrong| match wrong {
            ReplyError::ServerError(said) => {
                self.client.failed(format!("it gave up ({said}): its own log may say why"))
            }
            ReplyError::Logprobs => self.client.failed(
                "what it gives as log-probabilities are none: set `logprobs = 0` in the preset, and use a router that needs none",
            ),
        })?;
        self.usage = chunk.usage.or(self.usage);
        self.finish = chunk.finish.or(self.finish.take());
        if self.delimiter_seen {
            self.chunks_after_stop += usize::from(!chunk.text.is_empty());
            if self.chunks_after_stop > MAX_CHUNKS_AFTER_STOP {
                return Err(self.client.failed(
                    "it writes on after the delimiter: it must obey `stop`, take another server",
                ));
            }
            return Ok(Flow::Continue);
        }
        if self.has_logprobs
            && chunk.logprobs.is_empty()
            && !chunk.text.trim().is_empty()
            && self.tokens_reported == 0
        {
            return Err(self.client.failed(
                "it gives no log-probabilities: set `logprobs = 0` in the preset, and use a router that needs none",
            ));
        }
        let before = self.step.len();
        self.step.push_str(&chunk.text);
        if step_is_over(&self.step, &self.request.delimiter) {
            self.delimiter_seen = true;
            let blank = self.step.len() - self.step.trim_start().len();
            let at = self.step[blank..].find(&self.request.delimiter).unwrap_or_default();
            self.step.truncate((blank + at + self.request.delimiter.len()).max(before));
            chunk.text.truncate(self.step.len() - before);
        }
        let mut flow = Flow::Continue;
        for token in self.assembler.push(&chunk.text, chunk.logprobs) {
            self.first.get_or_insert_with(Instant::now);
            self.tokens_reported += 1;
            if on_token(Some(token)) == Flow::Cancel {
                flow = Flow::Cancel;
            }
        }
        Ok(flow)
    }

    /// Why the step ends, when the stream has.
    ///
    /// # Errors
    /// When it ended in the middle, or without saying what it took.
    fn stop_reason(&self, how: &str) -> Result<StopReason, EngineError> {
        let Some(finish) = &self.finish else {
            return Err(self.client.failed(format!(
                "the connection ended in the middle of a step{how}: see whether it still runs, and ask again"
            )));
        };
        if self.usage.is_none() {
            let remedy = if self.client.remote().stream {
                "it must know `stream_options.include_usage`; set `stream = false` in the preset, or take another server"
            } else {
                "take another server"
            };
            return Err(self.client.failed(format!(
                "it does not report what it took, so the ledger would be wrong: {remedy}"
            )));
        }
        let blank = self.step.trim().is_empty();
        Ok(match finish {
            _ if self.delimiter_seen => StopReason::Delimiter,
            ServerStop::Delimiter => StopReason::Delimiter,
            ServerStop::Unspecified if !blank => StopReason::Delimiter,
            ServerStop::EndOfText | ServerStop::Unspecified => StopReason::EndOfText,
            ServerStop::Length if self.request.is_draft => StopReason::DraftLimit,
            ServerStop::Length => StopReason::TokenLimit,
            ServerStop::Other(reason) => {
                return Err(self.client.failed(format!(
                    "it broke off ({reason}): ask another question or another model"
                )));
            }
        })
    }

    /// The draft; what the server left out is put in its place.
    fn into_output(
        self,
        stop: StopReason,
        sent: Instant,
        on_token: &mut TokenCallback<'_>,
    ) -> EngineOutput {
        let tail = match stop {
            StopReason::Delimiter if !self.delimiter_seen => self.request.delimiter.as_str(),
            _ => "",
        };
        let last = Instant::now();
        let tokens = self.assembler.finish(tail, self.usage.map(|usage| usage.written));
        for token in &tokens[self.tokens_reported.min(tokens.len())..] {
            // It is over either way.
            on_token(Some(token));
        }
        // A reply in one piece does not tell when its first token was there.
        let streamed = self.client.remote().stream;
        let first = if streamed { self.first.unwrap_or(last) } else { sent };
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        let (prompt, cached) = self.usage.map_or((0, 0), |c| (c.prompt, c.cached));
        EngineOutput {
            text: tokens.iter().map(|token| token.text.as_str()).collect(),
            tokens,
            usage: Usage {
                prefilled: prompt - cached,
                reused: cached,
                prefill_ms: ms(sent, first),
                decode_ms: ms(first, last),
            },
            stop,
        }
    }
}

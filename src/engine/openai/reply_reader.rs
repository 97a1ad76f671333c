//! Reads a server's reply up to the end of the step.

use std::time::Instant;

use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::StreamExt;
use reqwest::Response;

use super::client::{Client, WaitResult, root_cause, wait_or_cancel};
use super::token_assembler::TokenAssembler;
use super::wire::{self, ReplyError, ServerStop, ServerUsage};
use crate::engine::error::EngineError;
use crate::engine::interface::{EngineOutput, EngineRequest, Flow, TokenCallback};
use crate::engine::sampler::step_is_over;
use crate::episode::{StopReason, Usage};

/// Chunks of text after the delimiter that are tolerated before the server is found to ignore `stop`.
const MAX_CHUNKS_AFTER_STOP: usize = 16;

/// Sends one request that continues the prefix and `partial`, and reads its reply.
pub(super) async fn send_and_read(
    client: &Client,
    request: &EngineRequest,
    partial: &str,
    on_token: &mut TokenCallback<'_>,
) -> Result<EngineOutput, EngineError> {
    let has_logprobs = client.remote().logprobs > 0;
    let body = wire::request_body(client.remote(), request, partial);
    let Some((response, sent)) = client.send_with_retries(&body, on_token).await? else {
        let reply = ReplyReader::new(client, request, partial, has_logprobs);
        return Ok(reply.into_output(StopReason::Cancelled, Instant::now(), on_token));
    };
    let mut reply = ReplyReader::new(client, request, partial, has_logprobs);
    let stop = if client.remote().stream {
        reply.read_stream(response, on_token).await?
    } else {
        reply.read_whole(response, on_token).await?
    };
    Ok(reply.into_output(stop, sent, on_token))
}

/// The state of a reply that is being read.
struct ReplyReader<'a> {
    client: &'a Client,
    request: &'a EngineRequest,
    /// The step's text so far, including the partial step.
    step: String,
    /// Whether log-probabilities were requested.
    has_logprobs: bool,
    assembler: TokenAssembler,
    /// Number of tokens passed to the callback.
    tokens_reported: usize,
    /// When the first token arrived.
    first: Option<Instant>,
    /// Whether the server sent the delimiter, which others omit.
    delimiter_seen: bool,
    chunks_after_stop: usize,
    finish: Option<ServerStop>,
    usage: Option<ServerUsage>,
}

impl<'a> ReplyReader<'a> {
    fn new(
        client: &'a Client,
        request: &'a EngineRequest,
        partial: &str,
        has_logprobs: bool,
    ) -> Self {
        Self {
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
        }
    }

    /// Reads a stream of events until it ends.
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

    /// Reads a reply that comes in one piece.
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

    /// Adds the data of an event.
    fn add_chunk(
        &mut self,
        data: &str,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<Flow, EngineError> {
        let mut chunk = wire::parse_chunk(data).map_err(|error| match error {
            ReplyError::ServerError(message) => {
                self.client.failed(format!("generation failed ({message}): see the server's log"))
            }
            ReplyError::Logprobs => self.client.failed(format!(
                "its log-probabilities are invalid at token {} of the step: set `logprobs = 0` in the preset, and use a router that needs none",
                self.tokens_reported + 1
            )),
        })?;
        self.usage = chunk.usage.or(self.usage);
        self.finish = chunk.finish.or(self.finish.take());
        if self.delimiter_seen {
            return self.skip_chunk(&chunk.text);
        }
        let is_first_text = self.tokens_reported == 0 && !chunk.text.trim().is_empty();
        if self.has_logprobs && is_first_text && chunk.logprobs.is_empty() {
            return Err(self.client.failed(
                "it sends no log-probabilities: set `logprobs = 0` in the preset, and use a router that needs none",
            ));
        }
        self.append_text(&mut chunk.text);
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

    /// Ignores text after the delimiter.
    ///
    /// # Errors
    /// If there is too much of it.
    fn skip_chunk(&mut self, text: &str) -> Result<Flow, EngineError> {
        self.chunks_after_stop += usize::from(!text.is_empty());
        if self.chunks_after_stop > MAX_CHUNKS_AFTER_STOP {
            return Err(self.client.failed(
                "it ignores `stop` and continues after the delimiter: use a server that supports `stop`",
            ));
        }
        Ok(Flow::Continue)
    }

    /// Appends a chunk's text to the step, and cuts both after the delimiter if it is complete.
    fn append_text(&mut self, text: &mut String) {
        let before = self.step.len();
        self.step.push_str(text);
        if step_is_over(&self.step, &self.request.delimiter) {
            self.delimiter_seen = true;
            let blank = self.step.len() - self.step.trim_start().len();
            let at = self.step[blank..].find(&self.request.delimiter).unwrap_or_default();
            self.step.truncate((blank + at + self.request.delimiter.len()).max(before));
            text.truncate(self.step.len() - before);
        }
    }

    /// Why the step ends, once the reply has ended; `how` is a note on how it ended, for messages.
    ///
    /// # Errors
    /// If the reply broke off or does not report its usage.
    fn stop_reason(&self, how: &str) -> Result<StopReason, EngineError> {
        let Some(finish) = &self.finish else {
            return Err(self.client.failed(format!(
                "the connection ended in the middle of a step{how}: check whether the server is still running, and try again"
            )));
        };
        if self.usage.is_none() {
            let remedy = if self.client.remote().stream {
                "it must support `stream_options.include_usage`; set `stream = false` in the preset, or use another server"
            } else {
                "use another server"
            };
            return Err(self.client.failed(format!(
                "it does not report its token usage, so the ledger would be wrong: {remedy}"
            )));
        }
        let is_blank = self.step.trim().is_empty();
        Ok(match finish {
            _ if self.delimiter_seen => StopReason::Delimiter,
            ServerStop::Delimiter => StopReason::Delimiter,
            ServerStop::Unspecified if !is_blank => StopReason::Delimiter,
            ServerStop::EndOfText | ServerStop::Unspecified => StopReason::EndOfText,
            ServerStop::Length if self.request.is_draft => StopReason::DraftLimit,
            ServerStop::Length => StopReason::TokenLimit,
            ServerStop::Other(reason) => {
                return Err(self.client.failed(format!(
                    "it stopped early ({reason}): try another question or another model"
                )));
            }
        })
    }

    /// The output, with the delimiter appended if the server omitted it.
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
            // The step has ended; there is nothing left to cancel.
            on_token(Some(token));
        }
        // A reply in one piece does not say when its first token was generated.
        let is_streamed = self.client.remote().stream;
        let first = if is_streamed { self.first.unwrap_or(last) } else { sent };
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        let (prompt, cached) = self.usage.map_or((0, 0), |usage| (usage.prompt, usage.cached));
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

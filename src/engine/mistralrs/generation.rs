//! Sends a request to mistral.rs and collects its tokens.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use mistralrs::{
    Constraint, CustomLogitsProcessor, NormalRequest, RequestMessage, Response, SamplingParams,
};
use tokio::sync::mpsc::error::TryRecvError;

use super::loading::PAGE_TOKENS;
use super::step_sampler::{StepEnd, StepSampler, TokenReport};
use super::{MIN_PARAMETERS_FOR_POOL, MistralEngine};
use crate::engine::error::EngineError;
use crate::engine::interface::{EngineOutput, EngineRequest, Flow, TokenCallback};
use crate::engine::sampler::SamplerParams;
use crate::episode::{StopReason, Token, Usage};

/// How often the callback is asked whether to continue while there is no new token.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// An id that no vocabulary has. candle reads the largest number as a row of zeros.
const NO_TOKEN: u32 = u32::MAX - 1;

/// A request that is ready to be sent.
pub(super) struct PreparedRequest {
    /// The prefix to send.
    ids: Vec<u32>,
    /// Length of the whole prefix, including a withheld token.
    prefix_length: usize,
    /// Maximum length of the reply, for mistral.rs.
    max_length: usize,
    sampler: Arc<StepSampler>,
    tokens: mpsc::Receiver<TokenReport>,
}

/// A request that mistral.rs is working on.
pub(super) struct RunningRequest {
    prefix_length: usize,
    sent: Instant,
    sampler: Arc<StepSampler>,
    /// The tokens, as the sampler draws them.
    tokens: mpsc::Receiver<TokenReport>,
    /// mistral.rs's reply, which comes after the last token.
    reply: tokio::sync::mpsc::Receiver<Response>,
}

impl MistralEngine {
    /// The ids of the prefix including the partial step.
    fn prefix_ids(&self, request: &EngineRequest) -> Result<Vec<u32>, EngineError> {
        let mut ids = Vec::new();
        for segment in &request.prefix {
            match &segment.own_ids {
                Some(own_ids) => ids.extend_from_slice(own_ids),
                None if ids.is_empty() => ids.extend(self.tokenize(&segment.text)?),
                None => ids.extend(self.tokenize_inside(&segment.text)?),
            }
        }
        if let Some(partial) = &request.partial {
            ids.extend_from_slice(&partial.ids);
        }
        if ids.is_empty() {
            // An empty prompt is invalid, so it starts with the end-of-text token.
            ids.push(self.end_of_text[0]);
        }
        Ok(ids)
    }

    /// Tokenizes the prefix and sets up the sampler.
    pub(super) fn prepare(&self, request: &EngineRequest) -> Result<PreparedRequest, EngineError> {
        let mut ids = self.prefix_ids(request)?;
        let forced_tokens = match &request.score_text {
            Some(text) => self.tokenize_inside(text)?,
            None => Vec::new(),
        };
        let prefix_length = ids.len();
        let free_context = self.context.saturating_sub(prefix_length);
        if free_context == 0 {
            return Err(EngineError::PromptTooLong {
                tokens: prefix_length,
                name: self.record.name.clone(),
                context: self.context,
                limit: self.context_limit,
            });
        }
        let is_scoring = !forced_tokens.is_empty();
        let max_tokens = if is_scoring { forced_tokens.len() } else { request.max_tokens };
        let end = StepEnd {
            delimiter: request.delimiter.clone(),
            limit: max_tokens.min(free_context),
            // A scored text is complete.
            free_context: if is_scoring { max_tokens.min(free_context) } else { free_context },
            at_limit: if max_tokens > free_context {
                StopReason::ContextFull
            } else if request.is_draft || is_scoring {
                StopReason::DraftLimit
            } else {
                StopReason::TokenLimit
            },
        };
        let params = SamplerParams {
            temperature: request.temperature,
            top_p: request.top_p,
            seed: request.seed,
        };
        let partial_text = request.partial.as_ref().map_or("", |partial| &partial.text);
        let withholds = self.is_paged && prefix_length > 1 && prefix_length % PAGE_TOKENS == 1;
        let (reports, tokens) = mpsc::channel();
        let mut sampler =
            StepSampler::new(self.codec.clone(), self.end_of_text.clone(), params, end, reports)
                .with_prefix(prefix_length, partial_text)
                .with_forced_tokens(forced_tokens);
        if self.record.parameters < MIN_PARAMETERS_FOR_POOL {
            sampler = sampler.single_threaded();
        }
        if withholds && let Some(last) = ids.pop() {
            sampler = sampler.with_withheld(last);
        }
        Ok(PreparedRequest {
            ids,
            prefix_length,
            max_length: free_context + usize::from(withholds),
            sampler: Arc::new(sampler),
            tokens,
        })
    }

    /// Sends the request to mistral.rs's engine.
    pub(super) fn send(
        &mut self,
        prepared: PreparedRequest,
    ) -> Result<RunningRequest, EngineError> {
        self.needs_reset = true;
        let PreparedRequest { ids, prefix_length, max_length, sampler, tokens } = prepared;
        let processor = sampler.clone() as Arc<dyn CustomLogitsProcessor>;
        let sent = Instant::now();
        let reply = self.send_ids(ids, max_length, Some(processor))?;
        Ok(RunningRequest { prefix_length, sent, sampler, tokens, reply })
    }

    /// Has mistral.rs drop its prefix cache, which it does when a request fails: a token that no vocabulary has fails
    /// on the CPU before anything is computed. Returns whether it did.
    pub(super) fn drop_caches(&mut self) -> Result<bool, EngineError> {
        let reply = self.send_ids(vec![NO_TOKEN], 1, None)?.blocking_recv();
        Ok(matches!(reply, Some(Response::CompletionModelError(..))))
    }

    fn send_ids(
        &mut self,
        ids: Vec<u32>,
        max_length: usize,
        processor: Option<Arc<dyn CustomLogitsProcessor>>,
    ) -> Result<tokio::sync::mpsc::Receiver<Response>, EngineError> {
        self.requests += 1;
        let (response, reply) = tokio::sync::mpsc::channel(4);
        let request = NormalRequest {
            messages: RequestMessage::CompletionTokens(ids),
            sampling_params: SamplingParams {
                max_len: Some(max_length),
                ..SamplingParams::neutral()
            },
            response,
            return_logprobs: false,
            is_streaming: false,
            id: self.requests,
            constraint: Constraint::None,
            suffix: None,
            tools: None,
            tool_choice: None,
            logits_processors: processor.map(|processor| vec![processor]),
            return_raw_logits: false,
            web_search_options: None,
            model_id: None,
            truncate_sequence: false,
        };
        let sender = self.model.inner().get_sender(None).map_err(|e| self.crashed(&e))?;
        sender
            .blocking_send(mistralrs::Request::Normal(Box::new(request)))
            .map_err(|_| self.crashed(&"its engine accepts no requests"))?;
        Ok(reply)
    }
}

/// The tokens received so far.
struct Received {
    tokens: Vec<Token>,
    first: Option<Instant>,
    last: Instant,
    stop: Option<StopReason>,
}

impl RunningRequest {
    /// Collects the tokens until the step ends, passing each to the callback.
    ///
    /// # Errors
    /// If mistral.rs fails: a clause that says why.
    pub(super) fn collect(
        mut self,
        on_token: &mut TokenCallback<'_>,
    ) -> Result<EngineOutput, String> {
        let mut received =
            Received { tokens: Vec::new(), first: None, last: self.sent, stop: None };
        // An engine that dies closes neither channel at once, so both are polled.
        let reply = loop {
            match self.tokens.recv_timeout(POLL_INTERVAL) {
                Ok(report) => {
                    self.receive(report, &mut received, on_token);
                    if received.stop.is_some() {
                        break self.reply.blocking_recv();
                    }
                }
                Err(_) => match self.reply.try_recv() {
                    Ok(reply) => break Some(reply),
                    // A prefill cannot be interrupted; the token after it will be the last.
                    Err(TryRecvError::Empty) => self.cancel_if(on_token(None)),
                    Err(TryRecvError::Disconnected) => break None,
                },
            }
        };
        while let Ok(report) = self.tokens.try_recv() {
            self.receive(report, &mut received, on_token);
        }
        match reply {
            Some(Response::CompletionDone(_)) => Ok(self.output(received)),
            Some(Response::CompletionModelError(reason, _) | Response::ModelError(reason, _)) => {
                Err(reason)
            }
            Some(Response::InternalError(e) | Response::ValidationError(e)) => Err(e.to_string()),
            Some(_) => Err("its reply is not a completion".into()),
            None => Err("its engine ended; the log says why".into()),
        }
    }

    fn receive(
        &self,
        report: TokenReport,
        received: &mut Received,
        on_token: &mut TokenCallback<'_>,
    ) {
        received.first.get_or_insert(report.at);
        received.last = report.at;
        self.cancel_if(on_token(Some(&report.token)));
        received.tokens.push(report.token);
        received.stop = report.stop.or(received.stop);
    }

    fn cancel_if(&self, flow: Flow) {
        if flow == Flow::Cancel {
            self.sampler.cancelled.store(true, Ordering::Relaxed);
        }
    }

    fn output(&self, received: Received) -> EngineOutput {
        let prefilled = self.sampler.prefilled.load(Ordering::Relaxed).min(self.prefix_length);
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        let first = received.first.unwrap_or(self.sent);
        EngineOutput {
            text: received.tokens.iter().map(|token| token.text.as_str()).collect(),
            tokens: received.tokens,
            usage: Usage {
                prefilled,
                reused: self.prefix_length - prefilled,
                prefill_ms: ms(self.sent, first),
                decode_ms: ms(first, received.last),
            },
            stop: received.stop.unwrap_or(StopReason::EndOfText),
        }
    }
}

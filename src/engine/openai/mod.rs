//! OpenAI-compatible completions and chat APIs: closed models, and servers of one's own (vLLM, SGLang,
//! llama.cpp, mistral.rs). The only folder that names the HTTP client.
//!
//! What is asked for, and what is made of the reply:
//!
//! | | |
//! |---|---|
//! | reply | streamed, or whole where the preset says so |
//! | text | `/completions` goes on with prompt and steps as they are; `/chat/completions` with the steps as the beginning of the assistant's message ([`Continues`](crate::config::Continues)) |
//! | end of a step | the delimiter is sent as `stop`, so that the server ends by itself and reports what it took |
//! | end of the text | as the server tells it (vLLM and SGLang do); where it only says `stop`, a text that is not blank ends with the delimiter, and a blank one is the end |
//! | tokens | as many as `usage` says were written; where no log-probabilities are given, a piece of the stream stands for a token |
//! | prefilled, reused | `prompt_tokens` less `cached_tokens`, and `cached_tokens`, as `usage` says; never guessed. Of a request that is cancelled, and so reports nothing, nothing is counted but the tokens that came |
//! | evidence | log-probabilities as the server gives them, at most: no entropies |
//!
//! A reply is not asked for again once a token of it has come: the episode ends with the error, and keeps what was
//! written before.

mod assembly;
mod client;
mod gate;
mod wire;

use std::sync::Arc;
use std::time::Instant;

use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::StreamExt;
use reqwest::Response;

use self::assembly::Assembly;
use self::client::{Client, Waited, cause, wait};
use self::wire::{Counted, Finish, Wrong};
use super::chat::Chat;
use super::sampler::step_is_over;
use super::{Draft, Engine, EngineError, Evidence, Flow, Request, Segment, Watch};
use crate::config::{ModelConfig, Remote};
use crate::episode::{ModelRecord, StopReason, Usage};

pub use gate::Gate;

/// Pieces of text after the delimiter that show that a server does not stop there.
const TOO_MANY: usize = 16;

/// A model that a server runs.
pub struct RemoteEngine {
    record: ModelRecord,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl RemoteEngine {
    /// An engine that asks the server at the configuration's `source`, whenever `gate` lets it. Nothing is sent yet.
    ///
    /// # Errors
    /// When the key's variable is not set, the model has neither price nor parameter count, or the system
    /// gives no sockets.
    pub fn new(config: &ModelConfig, remote: Remote, gate: Arc<Gate>) -> Result<Self, EngineError> {
        let name = config.label().to_owned();
        let parameters = match (config.parameters, config.price()) {
            (Some(n), _) => n,
            (None, Some(_)) => 0,
            (None, None) => return Err(EngineError::NoPrice { name }),
        };
        let place = config.source.trim_end_matches('/');
        let digest = format!("{place}#{}", remote.model);
        // With a thread of its own: a connection that is dropped must be closed then, not with the next request.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("pointsman-remote")
            .enable_all()
            .build()
            .map_err(|e| EngineError::Load { name: name.clone(), reason: e.to_string() })?;
        let client = Client::new(config, remote, gate)?;
        Ok(Self { record: ModelRecord { name, digest, parameters }, client, runtime })
    }
}

impl Engine for RemoteEngine {
    fn model(&self) -> &ModelRecord {
        &self.record
    }

    fn evidence(&self) -> Evidence {
        Evidence::of_remote(self.client.remote())
    }

    fn takes_dictation(&self) -> bool {
        false
    }

    /// The message as it is: a chat API frames it by itself.
    fn frame(&self, chat: Chat<'_>) -> Result<String, EngineError> {
        Ok(chat.user.to_owned())
    }

    fn write(&mut self, request: &Request, watch: &mut Watch<'_>) -> Result<Draft, EngineError> {
        if request.dictation.is_some() {
            return Err(EngineError::NoDictation(self.record.name.clone()));
        }
        self.runtime.block_on(write(&self.client, request, watch))
    }

    /// Sends nothing: what a server has in its cache is its own affair, and it reports it.
    fn read(&mut self, _: Vec<Segment>) -> Result<Usage, EngineError> {
        Ok(Usage::default())
    }

    fn forget(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Writes a step; where the server stopped at a delimiter before anything else came, with a second request.
async fn write(
    client: &Client,
    request: &Request,
    watch: &mut Watch<'_>,
) -> Result<Draft, EngineError> {
    let begun = request.begun.as_ref().map_or("", |begun| &begun.text);
    let mut draft = once(client, request, begun, watch).await?;
    let blank = |draft: &Draft| format!("{begun}{}", draft.text).trim().is_empty();
    if draft.stop == StopReason::Delimiter && blank(&draft) {
        let left = Request {
            max_tokens: request.max_tokens.saturating_sub(draft.tokens.len()).max(1),
            ..request.clone()
        };
        let begun = format!("{begun}{}", draft.text);
        let rest = once(client, &left, &begun, watch).await?;
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

/// One request, after the prefix and `begun`.
async fn once(
    client: &Client,
    request: &Request,
    begun: &str,
    watch: &mut Watch<'_>,
) -> Result<Draft, EngineError> {
    let told = client.remote().logprobs > 0;
    let mut reply = Reply {
        client,
        request,
        step: begun.to_owned(),
        told,
        assembly: Assembly::new(told),
        seen: 0,
        first: None,
        over: false,
        beyond: 0,
        finish: None,
        counted: None,
    };
    let body = wire::body(client.remote(), request, begun);
    let Some((response, sent)) = client.ask(&body, watch).await? else {
        return Ok(reply.draft(StopReason::Cancelled, Instant::now(), watch));
    };
    reply.assembly = Assembly::new(told);
    let stop = if client.remote().stream {
        reply.stream(response, watch).await?
    } else {
        reply.whole(response, watch).await?
    };
    Ok(reply.draft(stop, sent, watch))
}

/// A reply on its way.
struct Reply<'a> {
    client: &'a Client,
    request: &'a Request,
    /// The step's text so far, its beginning included.
    step: String,
    /// Whether log-probabilities were asked for.
    told: bool,
    assembly: Assembly,
    /// Tokens that the watcher has seen.
    seen: usize,
    first: Option<Instant>,
    /// The delimiter was sent, where others leave it out.
    over: bool,
    /// Pieces of text after it.
    beyond: usize,
    finish: Option<Finish>,
    counted: Option<Counted>,
}

impl Reply<'_> {
    /// Takes events until the step ends.
    async fn stream(
        &mut self,
        response: Response,
        watch: &mut Watch<'_>,
    ) -> Result<StopReason, EngineError> {
        let mut events = response.bytes_stream().eventsource();
        loop {
            let event = match wait(events.next(), self.client.patience(), watch).await {
                Waited::Came(event) => event,
                Waited::Cancelled => return Ok(StopReason::Cancelled),
                Waited::Silent => return Err(self.client.silent()),
            };
            let data = match event {
                Some(Ok(event)) if event.data.trim() == "[DONE]" => return self.ended(""),
                Some(Ok(event)) => event.data,
                Some(Err(EventStreamError::Transport(error))) => {
                    return self.ended(&format!(" ({})", cause(&error)));
                }
                Some(Err(error)) => return self.ended(&format!(" ({error})")),
                None => return self.ended(""),
            };
            if self.take(&data, watch)? == Flow::Cancel {
                return Ok(StopReason::Cancelled);
            }
        }
    }

    /// Takes a reply that comes in one piece.
    async fn whole(
        &mut self,
        response: Response,
        watch: &mut Watch<'_>,
    ) -> Result<StopReason, EngineError> {
        match wait(response.text(), self.client.patience(), watch).await {
            Waited::Came(Ok(text)) => match self.take(&text, watch)? {
                Flow::Cancel => Ok(StopReason::Cancelled),
                Flow::Continue => self.ended(""),
            },
            Waited::Came(Err(error)) => self.ended(&format!(" ({})", cause(&error))),
            Waited::Cancelled => Ok(StopReason::Cancelled),
            Waited::Silent => Err(self.client.silent()),
        }
    }

    /// Takes the data of an event.
    fn take(&mut self, data: &str, watch: &mut Watch<'_>) -> Result<Flow, EngineError> {
        let mut piece = wire::piece(data).map_err(|wrong| match wrong {
            Wrong::GaveUp(said) => {
                self.client.failed(format!("it gave up ({said}): its own log may say why"))
            }
            Wrong::Logprobs => self.client.failed(
                "what it gives as log-probabilities are none: set `logprobs = 0` in the preset, and use a router that needs none",
            ),
        })?;
        self.counted = piece.counted.or(self.counted);
        self.finish = piece.finish.or(self.finish.take());
        if self.over {
            self.beyond += usize::from(!piece.text.is_empty());
            if self.beyond > TOO_MANY {
                return Err(self.client.failed(
                    "it writes on after the delimiter: it must obey `stop`, take another server",
                ));
            }
            return Ok(Flow::Continue);
        }
        if self.told && piece.entries.is_empty() && !piece.text.trim().is_empty() && self.seen == 0
        {
            return Err(self.client.failed(
                "it gives no log-probabilities: set `logprobs = 0` in the preset, and use a router that needs none",
            ));
        }
        let before = self.step.len();
        self.step.push_str(&piece.text);
        if step_is_over(&self.step, &self.request.delimiter) {
            self.over = true;
            let blank = self.step.len() - self.step.trim_start().len();
            let at = self.step[blank..].find(&self.request.delimiter).unwrap_or_default();
            self.step.truncate((blank + at + self.request.delimiter.len()).max(before));
            piece.text.truncate(self.step.len() - before);
        }
        let mut flow = Flow::Continue;
        for token in self.assembly.take(&piece.text, piece.entries) {
            self.first.get_or_insert_with(Instant::now);
            self.seen += 1;
            if watch(Some(token)) == Flow::Cancel {
                flow = Flow::Cancel;
            }
        }
        Ok(flow)
    }

    /// Why the step ends, when the stream has.
    ///
    /// # Errors
    /// When it ended in the middle, or without saying what it took.
    fn ended(&self, how: &str) -> Result<StopReason, EngineError> {
        let Some(finish) = &self.finish else {
            return Err(self.client.failed(format!(
                "the connection ended in the middle of a step{how}: see whether it still runs, and ask again"
            )));
        };
        if self.counted.is_none() {
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
            _ if self.over => StopReason::Delimiter,
            Finish::Delimiter => StopReason::Delimiter,
            Finish::Untold if !blank => StopReason::Delimiter,
            Finish::EndOfText | Finish::Untold => StopReason::EndOfText,
            Finish::Length if self.request.glimpse => StopReason::Glimpse,
            Finish::Length => StopReason::TokenLimit,
            Finish::Other(reason) => {
                return Err(self.client.failed(format!(
                    "it broke off ({reason}): ask another question or another model"
                )));
            }
        })
    }

    /// The draft; what the server left out is put in its place.
    fn draft(self, stop: StopReason, sent: Instant, watch: &mut Watch<'_>) -> Draft {
        let tail = match stop {
            StopReason::Delimiter if !self.over => self.request.delimiter.as_str(),
            _ => "",
        };
        let last = Instant::now();
        let tokens = self.assembly.finish(tail, self.counted.map(|counted| counted.written));
        for token in &tokens[self.seen.min(tokens.len())..] {
            // It is over either way.
            watch(Some(token));
        }
        // A reply in one piece does not tell when its first token was there.
        let streamed = self.client.remote().stream;
        let first = if streamed { self.first.unwrap_or(last) } else { sent };
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        let (prompt, cached) = self.counted.map_or((0, 0), |c| (c.prompt, c.cached));
        Draft {
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

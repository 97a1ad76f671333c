//! A server with the OpenAI-compatible completions and chat APIs, which streams like vLLM. A tiny model writes the
//! text; faults can be injected.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{Engine, EngineOutput, EngineRequest, Flow, Segment};
use pointsman::episode::{Role, StopReason, Token};
use serde_json::{Value, json};

use crate::tiny::{cache, preset};

/// What the server does with a request instead of answering it.
#[derive(Debug, Clone)]
pub(crate) enum ServerFault {
    /// Refuses it: status, more header lines, body.
    Refuse(u16, &'static str, &'static str),
    /// Closes the connection without an answer.
    HangUp,
    /// Closes the connection after so many tokens.
    Die(usize),
    /// Sends nothing more after so many tokens, until the client disconnects.
    Silence(usize),
    /// Streams these events only.
    Say(&'static [&'static str]),
}

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

/// Which features of the API the server has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerCapabilities {
    /// Reports whether the stop text or the end of the text came.
    pub(crate) reports_stop: bool,
    /// Sends log-probabilities if requested.
    pub(crate) logprobs: bool,
    /// Continues a message of the assistant.
    pub(crate) continues_messages: bool,
}

struct ServerState {
    engine: Mutex<MistralEngine>,
    capabilities: ServerCapabilities,
    faults: Mutex<VecDeque<ServerFault>>,
    received: Mutex<Vec<Received>>,
    /// Requests now, the most at once, and those whose client disconnected.
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
    disconnects: AtomicUsize,
}

/// A running server, which lasts as long as the process.
pub(crate) struct Server {
    /// The `source` of a preset.
    pub(crate) source: String,
    state: Arc<ServerState>,
}

impl Server {
    /// Starts a server with this model of the tiny pair.
    pub(crate) fn start(role: Role, capabilities: ServerCapabilities) -> Self {
        let state = Arc::new(ServerState {
            engine: Mutex::new(MistralEngine::load(preset().model(role), &cache()).unwrap()),
            capabilities,
            faults: Mutex::default(),
            received: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
            disconnects: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let source = format!("http://{}/v1", listener.local_addr().unwrap());
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || while state.serve(&stream).unwrap_or(false) {});
            }
        });
        Self { source, state }
    }

    /// Injects these faults into the next requests.
    pub(crate) fn queue_faults(&self, faults: impl IntoIterator<Item = ServerFault>) {
        self.state.faults.lock().unwrap().extend(faults);
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// The most requests at the same time.
    pub(crate) fn max_in_flight(&self) -> usize {
        self.state.max_in_flight.load(Ordering::SeqCst)
    }

    /// Waits for a client to disconnect in the middle of an answer.
    pub(crate) fn client_disconnected(&self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.state.disconnects.load(Ordering::SeqCst) == 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.state.disconnects.load(Ordering::SeqCst) > 0
    }
}

/// Why an answer is incomplete.
enum AnswerAborted {
    ClientGone,
    InjectedFault,
}

impl ServerState {
    /// Answers one request, and returns whether another may follow.
    fn serve(&self, stream: &TcpStream) -> std::io::Result<bool> {
        let Some(received) = receive(stream)? else { return Ok(false) };
        self.received.lock().unwrap().push(received.clone());
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.max_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        let fault = self.faults.lock().unwrap().pop_front();
        let more = self.answer(stream, &received, fault.as_ref());
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        more
    }

    fn answer(
        &self,
        mut stream: &TcpStream,
        received: &Received,
        fault: Option<&ServerFault>,
    ) -> std::io::Result<bool> {
        match fault {
            Some(ServerFault::HangUp) => return Ok(false),
            Some(ServerFault::Refuse(status, headers, body)) => {
                write!(
                    stream,
                    "HTTP/1.1 {status} No\r\nContent-Length: {}\r\n{headers}\r\n{body}",
                    body.len()
                )?;
                return Ok(true);
            }
            _ => {}
        }
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        )?;
        if let Some(ServerFault::Say(events)) = fault {
            for event in *events {
                send(stream, event)?;
            }
        } else {
            match self.write(stream, received, fault) {
                Ok(()) => {}
                Err(AnswerAborted::InjectedFault) => return Ok(false),
                Err(AnswerAborted::ClientGone) => {
                    self.disconnects.fetch_add(1, Ordering::SeqCst);
                    return Ok(false);
                }
            }
        }
        stream.write_all(b"0\r\n\r\n")?;
        Ok(true)
    }

    /// Streams what the model writes.
    fn write(
        &self,
        stream: &TcpStream,
        received: &Received,
        fault: Option<&ServerFault>,
    ) -> Result<(), AnswerAborted> {
        let body = &received.body;
        let chat = received.path.ends_with("/chat/completions");
        let text = if chat { self.chat_prompt(body) } else { string(&body["prompt"]) };
        let stop = string(&body["stop"][0]);
        let request = EngineRequest {
            prefix: vec![Segment { text: text.into(), own_ids: None }],
            delimiter: stop.clone(),
            partial: None,
            score_text: None,
            max_tokens: body["max_tokens"].as_u64().unwrap() as usize,
            is_draft: false,
            temperature: body["temperature"].as_f64().unwrap(),
            top_p: 1.0,
            seed: body["seed"].as_u64().unwrap_or(0),
        };
        let logprobs = self.capabilities.logprobs && !body["logprobs"].is_null();
        let mut sent = 0;
        let mut broken = None;
        // Text that may begin the stop text is held back until the next token.
        let mut held = String::new();
        let mut engine = self.engine.lock().unwrap();
        let draft = engine.generate(&request, &mut |token| {
            let Some(token) = token else { return Flow::Continue };
            match fault {
                Some(ServerFault::Die(after)) if sent == *after => {
                    broken = Some(AnswerAborted::InjectedFault);
                }
                Some(ServerFault::Silence(after)) if sent == *after => {
                    wait_for_disconnect(stream);
                    broken = Some(AnswerAborted::ClientGone);
                }
                _ => {}
            }
            if broken.is_some() {
                return Flow::Cancel;
            }
            held.push_str(&token.text);
            let whole = held.replace(&stop, "");
            let ready = if whole.len() < held.len() { whole.len() } else { sendable_len(&whole) };
            let choice = choice(chat, &whole[..ready], logprobs.then_some(token));
            held.drain(..ready);
            sent += 1;
            if send(stream, &json!({ "choices": [choice], "usage": null }).to_string()).is_err() {
                broken = Some(AnswerAborted::ClientGone);
                return Flow::Cancel;
            }
            Flow::Continue
        });
        drop(engine);
        if let Some(broken) = broken {
            return Err(broken);
        }
        self.end(stream, chat, &draft.unwrap(), &stop, &held).map_err(|_| AnswerAborted::ClientGone)
    }

    fn end(
        &self,
        stream: &TcpStream,
        chat: bool,
        draft: &EngineOutput,
        stop: &str,
        held: &str,
    ) -> std::io::Result<()> {
        let mut last = choice(chat, held.strip_suffix(stop).unwrap_or(held), None);
        let (reason, stop_reason) = match draft.stop {
            StopReason::Delimiter => ("stop", json!(stop)),
            StopReason::EndOfText => ("stop", Value::Null),
            _ => ("length", Value::Null),
        };
        last["finish_reason"] = reason.into();
        if self.capabilities.reports_stop {
            last["stop_reason"] = stop_reason;
        }
        send(stream, &json!({ "choices": [last] }).to_string())?;
        let usage = json!({
            "prompt_tokens": draft.usage.prefilled + draft.usage.reused,
            "completion_tokens": draft.tokens.len(),
            "prompt_tokens_details": { "cached_tokens": draft.usage.reused },
        });
        send(stream, &json!({ "choices": [], "usage": usage }).to_string())?;
        send(stream, "[DONE]")
    }

    /// The messages of a conversation, joined.
    fn chat_prompt(&self, body: &Value) -> String {
        let messages = body["messages"].as_array().unwrap();
        let all: String = messages.iter().map(|m| string(&m["content"])).collect();
        let continues =
            body["continue_final_message"] == true && body["add_generation_prompt"] == false;
        let open = messages.last().unwrap()["role"] == "assistant";
        assert_eq!(continues, open, "the flags fit the last message");
        if self.capabilities.continues_messages { all } else { string(&messages[0]["content"]) }
    }
}

/// Bytes that can be sent: all but the last character, which may begin the stop text.
fn sendable_len(text: &str) -> usize {
    text.char_indices().next_back().map_or(0, |(at, _)| at)
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A choice in the format of the completions or the chat API.
fn choice(chat: bool, text: &str, token: Option<&Token>) -> Value {
    let logprobs = token.map(|token| {
        let second = f64::from(token.top - token.margin).max(1e-30).ln();
        let own = f64::from(token.logprob);
        if chat {
            let best = json!([
                { "token": token.text, "logprob": own },
                { "token": "<other>", "logprob": second },
            ]);
            json!({ "content": [{ "token": token.text, "logprob": own, "top_logprobs": best }] })
        } else {
            let mut best = json!({ "<other>": second });
            best[&token.text] = own.into();
            json!({ "tokens": [token.text], "token_logprobs": [own], "top_logprobs": [best] })
        }
    });
    if chat {
        json!({ "delta": { "content": text }, "logprobs": logprobs, "finish_reason": null })
    } else {
        json!({ "text": text, "logprobs": logprobs, "finish_reason": null })
    }
}

/// Sends one event.
fn send(mut stream: &TcpStream, data: &str) -> std::io::Result<()> {
    let event = format!("data: {data}\n\n");
    stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())
}

/// Waits until the client closes the connection, for a minute at most.
fn wait_for_disconnect(stream: &TcpStream) {
    let deadline = Instant::now() + Duration::from_secs(60);
    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let is_open = || match stream.peek(&mut [0]) {
        Ok(bytes) => bytes > 0,
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    };
    while Instant::now() < deadline && is_open() {
        std::thread::sleep(Duration::from_millis(5));
    }
    stream.set_read_timeout(None).unwrap();
}

/// Reads one request; `None` at the end of the connection.
fn receive(stream: &TcpStream) -> std::io::Result<Option<Received>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut authorization) = (0, None);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap();
    Ok(Some(Received { at: Instant::now(), path, authorization, body }))
}

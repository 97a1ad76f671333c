//! Bytes that the workbench writes to the terminal, and the time from a key press to its frame.
//!
//! The binary runs in a pseudo-terminal of 80×24 with the tiny pair, so Criterion has no part in it. Measured are
//!
//! - bytes per second, with and without `--slow-link`: a replay of `rescue` at 1/64 speed; a replay of an episode as
//!   long as those of large models, with a token every 25 ms; a question every second; questions back to back, which
//!   is far faster than useful models; and an idle workbench;
//! - the time from pressing `?`, which opens and closes the help, to the end of the frame that shows it: while the
//!   workbench runs episodes back to back and collects others with a pair for each core; then while
//!   `pointsman collect --jobs 2` keeps all cores busy from another process, compared with the echo of `cat`.
//!
//! One thread reads the terminal, so that nothing delays the time of a frame. Every line has the load average.

use std::io::{Read, Write};
use std::os::fd::RawFd;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman::config::{Folders, load_preset};
use pointsman::episode::{Event, EventKind, FinishReason, Generation, Role, Token, Verdict};
use pointsman::recording::{find_recording, write_event};
use pointsman::routing::{RouterRegistry, load_policy};
use pointsman::session::{EpisodeRunner, EpisodeSpec, NullObserver, load_pair};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const SIZE: PtySize = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
/// Duration of a measurement of bytes.
const MEASURE_TIME: Duration = Duration::from_secs(8);
const IDLE_TIME: Duration = Duration::from_secs(5);
/// Limits while text streams, and for a key press.
const BYTES_PER_SECOND_LIMIT: f64 = 5000.0;
const LATENCY_LIMIT: Duration = Duration::from_millis(16);
/// Half of them open the help, the others close it.
const KEY_PRESSES: usize = 600;
/// Milliseconds per token in the replay: 40 tokens a second.
const TOKEN_MS: f32 = 25.0;
/// Factor by which the embedded recording is slowed down.
const SLOWDOWN: f64 = 64.0;
const LINK_SPEEDS: [(&str, Option<&str>); 2] =
    [("normal link", None), ("slow link", Some("--slow-link"))];
/// The bytes that end a frame.
const END_OF_FRAME: &[u8] = b"\x1b[?2026l";
/// How long to wait for a screen; generous, since the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The workbench in a terminal.
struct WorkbenchProcess {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    parser: vt100::Parser,
    bytes: usize,
    frames: usize,
    /// The last bytes read: the end of a frame may arrive in two parts.
    tail: Vec<u8>,
}

impl WorkbenchProcess {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let pair = native_pty_system().openpty(SIZE).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pointsman"));
        command.args(arguments);
        command.env("POINTSMAN_HOME", home);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).expect("the workbench");
        let reader = pair.master.try_clone_reader().expect("the terminal's output");
        let writer = pair.master.take_writer().expect("the terminal's input");
        let parser = vt100::Parser::new(SIZE.rows, SIZE.cols, 0);
        Self {
            master: pair.master,
            child,
            reader,
            writer,
            parser,
            bytes: 0,
            frames: 0,
            tail: Vec::new(),
        }
    }

    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("the workbench reads");
    }

    /// Reads until a frame has ended for whose screen `holds` is true, and returns that time; `None` at `deadline`.
    fn read(&mut self, deadline: Instant, holds: impl Fn(&str) -> bool) -> Option<Instant> {
        let fd: RawFd = self.master.as_raw_fd()?;
        let mut chunk = [0; 16 * 1024];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut wanted = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            let ms = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
            // SAFETY: one entry, which outlives the call.
            if unsafe { libc::poll(&raw mut wanted, 1, ms) } == 0 {
                if left.is_zero() {
                    return None;
                }
                continue;
            }
            let n = self.reader.read(&mut chunk).expect("the workbench is there");
            let at = Instant::now();
            let chunk = &chunk[..n];
            self.bytes += n;
            self.tail.extend_from_slice(chunk);
            let ends = self.tail.windows(END_OF_FRAME.len()).filter(|w| *w == END_OF_FRAME);
            self.frames += ends.count();
            let is_whole = self.tail.ends_with(END_OF_FRAME);
            // What is kept is shorter than an end of a frame, so that none is counted twice.
            self.tail.drain(..self.tail.len().saturating_sub(END_OF_FRAME.len() - 1));
            self.parser.process(chunk);
            if is_whole && holds(&self.parser.screen().contents()) {
                return Some(at);
            }
        }
    }

    fn wait_until_shown(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> Instant {
        let seen = self.read(Instant::now() + TIMEOUT, holds);
        seen.unwrap_or_else(|| panic!("no {what}:\n{}", self.parser.screen().contents()))
    }

    /// Reads for `span`, and asks a new question whenever an episode is over; returns the number of questions.
    fn ask_repeatedly(&mut self, span: Duration) -> usize {
        let deadline = Instant::now() + span;
        let mut asked = 0;
        while Instant::now() < deadline {
            if is_over(&self.parser.screen().contents()) {
                self.press("d");
                asked += 1;
                // Wait until the old answer is gone; a short episode may end within a frame.
                let soon = Instant::now() + Duration::from_millis(100);
                self.read(deadline.min(soon), |text| !is_over(text));
            } else {
                self.read(deadline, is_over);
            }
        }
        asked
    }

    /// Bytes and frames per second while `during` reads, and its result.
    fn rate<T>(&mut self, during: impl FnOnce(&mut Self) -> T) -> (f64, f64, T) {
        let (bytes, frames, began) = (self.bytes, self.frames, Instant::now());
        let result = during(self);
        let s = began.elapsed().as_secs_f64();
        ((self.bytes - bytes) as f64 / s, (self.frames - frames) as f64 / s, result)
    }

    fn quit(mut self) {
        // The rest of the output fits into the buffer of the terminal.
        self.press("\x03");
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.child.try_wait().expect("our own child").is_none() {
            assert!(Instant::now() < deadline, "the workbench does not quit");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Whether the status line shows that the episode is over.
fn is_over(text: &str) -> bool {
    let status = text.lines().nth_back(1).unwrap_or_default();
    [" correct", " wrong", " finished"].iter().any(|word| status.contains(word))
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().map_or("?", |one| one).to_owned()
}

fn print_rate(what: &str, bytes: f64, frames: f64, rest: &str) {
    let share = bytes / BYTES_PER_SECOND_LIMIT;
    println!(
        "{what:<44} {bytes:>7.0} B/s  {frames:>5.1} frames/s  {share:.2} of the limit{rest}  (load {})",
        load_average()
    );
}

/// Measures bytes while the pair answers questions.
fn measure_live(home: &Path) {
    for (name, link) in LINK_SPEEDS {
        let arguments: Vec<&str> = ["--seed", "3"].into_iter().chain(link).collect();
        let mut workbench = WorkbenchProcess::start(home, &arguments);
        workbench.wait_until_shown("first answer", is_over);
        let (bytes, frames, ()) = workbench.rate(|workbench| {
            for _ in 0..MEASURE_TIME.as_secs() {
                workbench.press("d");
                workbench.read(Instant::now() + Duration::from_secs(1), |_| false);
            }
        });
        print_rate(&format!("a question each second, {name}"), bytes, frames, "");
        workbench.press("d");
        let (bytes, frames, asked) =
            workbench.rate(|workbench| workbench.ask_repeatedly(MEASURE_TIME));
        let episodes = format!(", {:.1} episodes/s", asked as f64 / MEASURE_TIME.as_secs_f64());
        print_rate(&format!("question after question, {name}"), bytes, frames, &episodes);
        workbench.read(Instant::now() + Duration::from_secs(2), |_| false);
        let (bytes, frames, _) =
            workbench.rate(|workbench| workbench.read(Instant::now() + IDLE_TIME, |_| false));
        print_rate(&format!("idle, {name}"), bytes, frames, "");
        workbench.quit();
    }
}

/// Measures bytes during a replay of the embedded recording.
fn measure_recording(home: &Path) {
    let recorded = find_recording("rescue", home).expect("an embedded recording").remove(0);
    let tokens: usize =
        recorded.episode.steps.iter().map(|step| step.generation.tokens.len()).sum();
    let tokens = tokens + recorded.events.iter().map(discarded).sum::<usize>();
    for (name, link) in LINK_SPEEDS {
        let speed = format!("1/{SLOWDOWN}");
        let arguments = ["replay", "rescue", "--speed", &speed].into_iter().chain(link);
        let mut workbench = WorkbenchProcess::start(home, &arguments.collect::<Vec<_>>());
        // The first frame draws everything, and is not counted.
        workbench.wait_until_shown("start", |text| text.contains("playing"));
        let began = Instant::now();
        let (bytes, frames, end) = workbench
            .rate(|workbench| workbench.wait_until_shown("end", |text| text.contains("ended")));
        let rate_per_second = tokens as f64 / (end - began).as_secs_f64();
        print_rate(
            &format!("`rescue`, {name}"),
            bytes,
            frames,
            &format!(", {rate_per_second:.0} tokens/s"),
        );
        workbench.quit();
    }
}

/// Tokens of a discarded draft.
fn discarded(event: &Event) -> usize {
    match &event.kind {
        EventKind::Discarded { generation, .. } => generation.tokens.len(),
        _ => 0,
    }
}

/// Measures bytes during a replay of real steps with a token every 25 ms.
fn measure_long_replay(home: &Path) {
    let file = home.join("long.jsonl");
    let mut lines = Vec::new();
    for event in long_episode(home) {
        write_event(&mut lines, 1, &event).expect("written to memory");
    }
    std::fs::write(&file, lines).expect("the recording is written");
    let file = file.to_str().expect("a path in UTF-8");
    for (name, link) in LINK_SPEEDS {
        let arguments: Vec<&str> = ["replay", file].into_iter().chain(link).collect();
        let mut workbench = WorkbenchProcess::start(home, &arguments);
        workbench.wait_until_shown("trace", |text| text.contains("trace"));
        let (bytes, frames, _) =
            workbench.rate(|workbench| workbench.read(Instant::now() + MEASURE_TIME, |_| false));
        print_rate(&format!("40 tokens a second, {name}"), bytes, frames, "");
        workbench.quit();
    }
}

/// The steps of real episodes joined into one that is as long as those of large models, with slower tokens.
fn long_episode(home: &Path) -> Vec<Event> {
    let mut runner = runner(home);
    let policy = load_policy("builtin:tiny").expect("the embedded policy");
    let registry = RouterRegistry::new("tiny", Some(Arc::new(policy)));
    let mut chain = Vec::new();
    let (mut step, mut ms) = (0, 0.0);
    for question in question_stream().take(40) {
        let mut router = registry.router("policy").expect("a router");
        let mut events = Vec::new();
        let spec = EpisodeSpec::new(&question, router.as_mut(), 0);
        runner.run(spec, &mut events, &mut NullObserver).expect("an episode");
        for mut event in events {
            let slow = |generation: &mut Generation| {
                generation.tokens.iter_mut().for_each(|token: &mut Token| token.ms = TOKEN_MS);
                f64::from(TOKEN_MS) * generation.tokens.len() as f64
            };
            match &mut event.kind {
                EventKind::Started(_) if chain.is_empty() => {}
                EventKind::Decided { step: at, features, .. } => {
                    *at = step;
                    ms += f64::from(TOKEN_MS) * features.get("draft.length").unwrap_or(&0.0);
                }
                EventKind::Discarded { step: at, generation } => {
                    *at = step;
                    slow(generation);
                }
                EventKind::Written { step: at, generation } => {
                    *at = step;
                    let took = slow(generation);
                    // The draft of the policy is the whole step of the small model.
                    ms += if generation.model == Role::Large { took } else { 0.0 };
                    step += 1;
                }
                _ => continue,
            }
            chain.push(Event::new(1_800_000_000_000 + ms as u64, event.kind));
        }
    }
    assert!(ms / 1000.0 > 1.5 * MEASURE_TIME.as_secs_f64(), "{ms} ms are too short");
    let last = EventKind::Finished {
        answer: None,
        verdict: Verdict::Undecided,
        reason: FinishReason::EndOfText,
    };
    chain.push(Event::new(1_800_000_000_000 + ms as u64, last));
    chain
}

/// A running `pointsman collect`, killed when this is dropped.
struct CollectProcess(process::Child);

impl CollectProcess {
    fn start(home: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
            .args(["collect", "-n", "100000", "--jobs", "2"])
            .env("POINTSMAN_HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the collector");
        Self(child)
    }
}

impl Drop for CollectProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures from a letter to its echo by `cat`: the time in which the machine wakes `cat` and this program.
fn echo_latency() {
    let pair = native_pty_system().openpty(SIZE).expect("a pseudo-terminal");
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", "stty raw -echo && echo ready && exec cat"]);
    let mut child = pair.slave.spawn_command(command).expect("cat");
    let mut reader = pair.master.try_clone_reader().expect("its output");
    let mut writer = pair.master.take_writer().expect("its input");
    let mut chunk = [0; 64];
    let mut heard = Vec::new();
    while !heard.ends_with(b"ready\n") {
        let n = reader.read(&mut chunk).expect("cat is there");
        heard.extend_from_slice(&chunk[..n]);
    }
    // `cat` may not have started yet.
    std::thread::sleep(Duration::from_millis(200));
    let mut took = Vec::with_capacity(KEY_PRESSES);
    for i in 0..KEY_PRESSES {
        std::thread::sleep(Duration::from_millis(40 + (i as u64 * 7) % 53));
        let pressed = Instant::now();
        writer.write_all(b"x").expect("cat reads");
        let _ = reader.read(&mut chunk).expect("cat is there");
        took.push(pressed.elapsed());
    }
    print_latencies("letter to echo by `cat`", &mut took, "");
    child.kill().expect("our own child");
    let _ = child.wait();
}

fn print_latencies(what: &str, took: &mut [Duration], rest: &str) {
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let late = took.iter().filter(|time| **time > LATENCY_LIMIT).count();
    println!(
        "{what:<44} p50 {:.1}, p90 {:.1}, p99 {:.1}, longest {:.1} ms; {late} of {} over {} ms{rest}  (load {})",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
        took.len(),
        LATENCY_LIMIT.as_millis(),
        load_average()
    );
}

/// Measures from key press to frame while all cores are busy, with this workbench and with another program.
fn measure_latency(home: &Path) {
    for (name, link) in LINK_SPEEDS {
        let what = format!("key press to frame, {name}");
        let (mut took, rate_per_second) = time_key_presses(home, link, true);
        print_latencies(&what, &mut took, &format!("; {rate_per_second:.1} episodes/s"));
    }
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let mut collecting = CollectProcess::start(elsewhere.path());
    // It loads its models first.
    std::thread::sleep(Duration::from_secs(5));
    echo_latency();
    let (mut took, rate_per_second) = time_key_presses(home, None, false);
    print_latencies(
        "key press, `collect` beside it",
        &mut took,
        &format!("; {rate_per_second:.1} episodes/s"),
    );
    let ended = collecting.0.try_wait().expect("our own child");
    assert!(ended.is_none(), "the collector has ended: {ended:?}");
}

/// The latencies of key presses while questions are asked back to back, and the questions per second. With
/// `collects`, the workbench also collects episodes for training, with a pair for each core.
fn time_key_presses(home: &Path, link: Option<&str>, collects: bool) -> (Vec<Duration>, f64) {
    let arguments: Vec<&str> = ["--seed", "3"].into_iter().chain(link).collect();
    let mut workbench = WorkbenchProcess::start(home, &arguments);
    workbench.wait_until_shown("first answer", is_over);
    let began = Instant::now();
    let help = |text: &str| text.contains("small writes the next step");
    let mut took = Vec::with_capacity(KEY_PRESSES);
    let mut asked = 0;
    for i in 0..KEY_PRESSES / 2 {
        if collects && i % 10 == 0 {
            // To the training page; starts a collection unless one is running; and back.
            workbench.press("T");
            workbench.wait_until_shown("page for retraining", |text| text.contains("retraining"));
            workbench.press("e");
            workbench.wait_until_shown("collecting", |text| text.contains("collecting"));
            workbench.press("\x7f");
            workbench.wait_until_shown("trace", |text| text.contains("trace"));
        }
        // The interval varies, so that it is not in step with the frames.
        asked += workbench.ask_repeatedly(Duration::from_millis(40 + (i as u64 * 7) % 53));
        for open in [true, false] {
            let pressed = Instant::now();
            workbench.press("?");
            let seen = workbench.wait_until_shown("answer to `?`", |text| help(text) == open);
            took.push(seen - pressed);
        }
    }
    let rate_per_second = asked as f64 / began.elapsed().as_secs_f64();
    workbench.quit();
    (took, rate_per_second)
}

fn runner(home: &Path) -> EpisodeRunner {
    let folders = Folders::below(home).expect("an absolute path");
    let preset = load_preset("tiny", &folders).expect("the embedded preset");
    load_pair(&preset, &folders.cache).expect("the tiny pair loads")
}

fn question_stream() -> impl Iterator<Item = Question> {
    questions("arithmetic", Split::Develop, 11).expect("the task set")
}

/// Measures and prints everything, or key presses alone.
pub(crate) fn run(latency_only: bool) {
    let home = tempfile::tempdir().expect("a temporary folder");
    if !latency_only {
        measure_recording(home.path());
        measure_long_replay(home.path());
        measure_live(home.path());
    }
    measure_latency(home.path());
}

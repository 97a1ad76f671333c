//! Threads and memory of engines: none is left behind by an episode or by a model that was dropped.

use std::time::{Duration, Instant};

use pointsman::engine::mistralrs::MistralEngine;
use pointsman::session::{Command, EpisodeSpec, NullObserver, SessionUpdate, spawn_session};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::questions;

use crate::own_process::{in_own_process, resident_mib};
use crate::tiny::{cache, load, pair, preset, registry};

/// What this process uses after each episode; later episodes use the threads and memory of the first ones.
#[derive(Default)]
struct Usage {
    episodes: usize,
    /// Threads, descriptors and MiB after the first episodes.
    before: Option<(usize, usize, f64)>,
}

impl Usage {
    const FIRST_EPISODES: usize = 50;
    /// The allocator keeps some memory. A thread pool or a prefix cache for each episode would exceed this.
    const MAX_GROWTH_MIB: f64 = 64.0;

    fn check(&mut self) {
        self.episodes += 1;
        let now = (threads(), descriptors(), resident_mib().expect("Linux reports it"));
        if self.episodes == Self::FIRST_EPISODES {
            self.before = Some(now);
        }
        let Some(before) = self.before else { return };
        assert!(
            now.0 <= before.0 && now.1 <= before.1 && now.2 <= before.2 + Self::MAX_GROWTH_MIB,
            "threads, descriptors and MiB {before:?} became {now:?} after {} episodes",
            self.episodes
        );
    }
}

/// Episodes in one process.
fn episodes() -> usize {
    if std::env::var_os("POINTSMAN_SLOW").is_some() { 5000 } else { 200 }
}

fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).expect("Linux lists threads and descriptors").count()
}

fn threads() -> usize {
    count("/proc/self/task")
}

fn descriptors() -> usize {
    count("/proc/self/fd")
}

#[test]
fn episodes_leave_nothing_behind() {
    in_own_process("leaks::episodes_leave_nothing_behind", run_episodes);
}

fn run_episodes() {
    let mut runner = pair();
    let mut router = registry().router("confidence").unwrap();
    let mut usage = Usage::default();
    for (seed, question) in
        questions("arithmetic", Split::Test, 7).unwrap().take(episodes()).enumerate()
    {
        let spec = EpisodeSpec::new(&question, router.as_mut(), seed as u64);
        runner.run(spec, &mut NullObserver, &mut NullObserver).unwrap();
        usage.check();
    }
}

#[test]
fn a_session_leaves_nothing_behind() {
    in_own_process("leaks::a_session_leaves_nothing_behind", ask_questions);
}

fn ask_questions() {
    let mut live = spawn_session(|_| Ok(load()), registry(), Box::new(NullObserver)).unwrap();
    let mut usage = Usage::default();
    for (seed, question) in
        questions("arithmetic", Split::Test, 8).unwrap().take(episodes()).enumerate()
    {
        let ask = Command::Ask { question, router: None, seed: seed as u64, paused: false };
        live.commands.send(ask).unwrap();
        loop {
            match live.updates.blocking_recv().expect("the session goes on") {
                SessionUpdate::Event { event, .. } if event.kind.ends_episode() => break,
                SessionUpdate::SessionFailed(error) => panic!("{error}"),
                _ => {}
            }
        }
        usage.check();
    }
    live.commands.send(Command::Quit).unwrap();
    live.thread.join().unwrap();
}

#[test]
fn dropped_models_leave_no_threads_behind() {
    in_own_process("leaks::dropped_models_leave_no_threads_behind", load_and_drop_models);
}

fn load_and_drop_models() {
    const LOADS: usize = 12;
    let load = || drop(MistralEngine::load(&preset().small, &cache()).unwrap());
    load();
    let before = threads();
    (0..LOADS).for_each(|_| load());
    // mistral.rs's logger of an engine ends at its next report, which is due every five seconds.
    let deadline = Instant::now() + Duration::from_secs(180);
    while threads() > before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    let after = threads();
    assert!(after <= before, "{before} threads after one model, {after} after {LOADS} more");
}

//! An engine that is reset after each episode leaves no threads behind.

use std::time::{Duration, Instant};

use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{Engine, EngineRequest, Flow, Segment};

use crate::own_process::in_own_process;
use crate::tiny::{cache, preset};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("Linux lists the threads of a process").count()
}

#[test]
fn threads_of_reset_engines_end() {
    in_own_process("logger_threads::threads_of_reset_engines_end", reset_sixty_times);
}

fn reset_sixty_times() {
    const RESTARTS: usize = 60;
    let mut engine = MistralEngine::load(&preset().small, &cache()).unwrap();
    let before = threads();
    for _ in 0..RESTARTS {
        let request = EngineRequest {
            prefix: vec![Segment { text: "Ava has 3 pens.\n".into(), own_ids: None }],
            delimiter: "\n".into(),
            partial: None,
            score_text: None,
            max_tokens: 4,
            is_draft: false,
            temperature: 0.0,
            top_p: 1.0,
            seed: 0,
        };
        engine.generate(&request, &mut |_| Flow::Continue).unwrap();
        engine.reset().unwrap();
    }
    let after = threads();
    assert!(
        after > before + RESTARTS / 2,
        "mistral.rs no longer leaves threads behind: remove end_logger_threads"
    );
    // Such a thread ends at its next report, which is due every five seconds.
    let deadline = Instant::now() + Duration::from_secs(40);
    while threads() > before + RESTARTS / 4 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    let left = threads();
    assert!(
        left <= before + RESTARTS / 4,
        "{before} threads at first, {after} after the resets, {left} in the end"
    );
}

//! An engine that is restarted after each episode leaves no threads behind.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pointsman::config::{Folders, load_preset};
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{Engine, EngineRequest, Flow, Segment};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("Linux lists its threads").count()
}

#[test]
fn threads_of_former_engines_end() {
    const RESTARTS: usize = 60;
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let preset = load_preset("tiny", &Folders::below(home.clone()).unwrap()).unwrap();
    let mut engine = MistralEngine::load(&preset.small, &home.join("cache")).unwrap();
    let before = threads();
    for _ in 0..RESTARTS {
        let request = EngineRequest {
            prefix: vec![Segment { text: "Ava has 3 pens.\n".into(), own_ids: None }],
            delimiter: "\n".into(),
            partial: None,
            forced_text: None,
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
        "mistral.rs no longer leaves threads: drop the end_logger_threads"
    );
    // The threads report every five seconds, and the report is their end.
    let deadline = Instant::now() + Duration::from_secs(40);
    while threads() > before + RESTARTS / 4 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    let left = threads();
    assert!(left <= before + RESTARTS / 4, "{before} before, {after} at most, {left} at last");
}

//! A GGUF file of the tiny large model writes what its safetensors do.

mod tiny_gguf;

use std::path::Path;

use pointsman::config::{Folders, ModelConfig, load_preset};
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{Engine, EngineRequest, Flow, Segment};
use pointsman::tasks::arithmetic::{OperationMix, ProblemGenerator, Split};
use tiny_gguf::{convert, source};

fn texts(config: &ModelConfig, cache: &Path) -> Vec<String> {
    let mut engine = MistralEngine::load(config, cache).unwrap();
    let problems = ProblemGenerator::new(OperationMix::full(), Split::Test, 6).take(10);
    let write = |problem: pointsman::tasks::arithmetic::Problem| {
        let prompt = format!("{}\n", problem.question);
        let request = EngineRequest {
            prefix: vec![Segment { text: prompt.as_str().into(), own_ids: None }],
            delimiter: "Answer:".into(),
            partial: None,
            forced_text: None,
            max_tokens: 100,
            is_draft: false,
            temperature: 0.0,
            top_p: 1.0,
            seed: 0,
        };
        engine.generate(&request, &mut |_| Flow::Continue).unwrap().text
    };
    problems.map(write).collect()
}

#[test]
fn a_gguf_file_writes_what_its_safetensors_do() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::below(home.path()).unwrap();
    let plain = load_preset("tiny", &folders).unwrap().large;
    let file = home.path().join("large.gguf");
    convert(&file);
    let gguf = ModelConfig {
        source: file.display().to_string(),
        tokenizer: Some(source().display().to_string()),
        ..plain.clone()
    };
    assert_eq!(texts(&gguf, &folders.cache), texts(&plain, &folders.cache));
}

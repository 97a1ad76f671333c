//! A GGUF file gives the same text as the safetensors it was converted from.

use std::path::Path;

use pointsman::config::{Folders, ModelConfig, load_preset};
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{Engine, EngineRequest, Flow, Segment};
use pointsman::tasks::arithmetic::{OperationMix, Problem, ProblemGenerator, Split};

use crate::tiny_gguf::{convert, source};

fn texts(config: &ModelConfig, cache: &Path) -> Vec<String> {
    let mut engine = MistralEngine::load(config, cache).unwrap();
    let problems = ProblemGenerator::new(OperationMix::full(), Split::Test, 6).take(10);
    let write = |problem: Problem| {
        let prompt = format!("{}\n", problem.question);
        let request = EngineRequest {
            prefix: vec![Segment { text: prompt.as_str().into(), own_ids: None }],
            delimiter: "Answer:".into(),
            partial: None,
            score_text: None,
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
fn a_gguf_file_writes_the_same_text_as_its_safetensors() {
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

//! Random small models of each family against transformers: see tests/reference/README.md.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{Device, Tensor, safetensors};
use pointsman::config::ModelConfig;
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{
    Engine, EngineError, EngineOutput, EngineRequest, Flow, PartialStep, SUPPORTED_ARCHITECTURES,
    Segment,
};
use pointsman::episode::StopReason;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engine_requests::{foreign, ids, request};

/// The largest difference of a log-probability or an entropy, in nats.
const TOLERANCE: f64 = 1e-3;

/// A text that no model writes.
const NEVER: &str = "\u{1}never\u{1}";

/// Tokens of a draft.
const DRAFT: usize = 5;

#[derive(Deserialize)]
pub(crate) struct Reference {
    /// Name of the tokenizer's file.
    tokenizer: String,
    pub(crate) config: Value,
    seed: u64,
    /// Name with `*` for each layer, shape, scale and offset.
    tensors: Vec<(String, Vec<usize>, f32, f32)>,
    end_of_text: Vec<u32>,
    prompt: String,
    written: Expected,
    read: ReadText,
    switch: Switch,
    full: FullContext,
}

/// Tokens and their statistics.
#[derive(Deserialize)]
struct Expected {
    ids: Vec<u32>,
    logprobs: Vec<f64>,
    entropies: Vec<f64>,
}

/// A text that the model scores after the prompt.
#[derive(Deserialize)]
struct ReadText {
    text: String,
    #[serde(flatten)]
    expected: Expected,
}

/// What the model writes after the first `own` tokens of its own text and another model's step.
#[derive(Deserialize)]
struct Switch {
    own: usize,
    text: String,
    #[serde(flatten)]
    expected: Expected,
}

/// What the model writes after a prompt that nearly fills the context.
#[derive(Deserialize)]
struct FullContext {
    context: usize,
    text: String,
    repeats: usize,
    tokens: usize,
    #[serde(flatten)]
    expected: Expected,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/models")
}

pub(crate) fn read(family: &str) -> Reference {
    let path = folder().join(format!("{family}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The weights that `make_models.py` calculates: `SplitMix64`, seeded with the FNV-1a hash of the name.
fn weights(name: &str, elements: usize, seed: u64, scale: f32, offset: f32) -> Vec<f32> {
    let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let number = |n: usize| {
        let mut z = (hash ^ seed).wrapping_add((n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 40) as f32 * 2.0_f32.powi(-23) - 1.0) * scale + offset
    };
    (1..=elements).map(number).collect()
}

impl Reference {
    /// All tensors of the model.
    pub(crate) fn tensors(&self) -> HashMap<String, Tensor> {
        let layers = self.config["num_hidden_layers"].as_u64().unwrap();
        let mut tensors = HashMap::new();
        for (pattern, shape, scale, offset) in &self.tensors {
            let is_repeated = pattern.contains(".*.");
            for layer in 0..if is_repeated { layers } else { 1 } {
                let name = pattern.replacen('*', &layer.to_string(), 1);
                let elements = shape.iter().product();
                let values = weights(&name, elements, self.seed, *scale, *offset);
                let tensor = Tensor::from_vec(values, shape.as_slice(), &Device::Cpu).unwrap();
                tensors.insert(name, tensor);
            }
        }
        tensors
    }

    /// Writes the model's folder.
    pub(crate) fn unpack(&self, to: &Path) {
        safetensors::save(&self.tensors(), to.join("model.safetensors")).unwrap();
        let tokenizer = folder().join(format!("{}.tokenizer.json", self.tokenizer));
        fs::copy(tokenizer, to.join("tokenizer.json")).unwrap();
        let write =
            |name: &str, value: &Value| fs::write(to.join(name), value.to_string()).unwrap();
        write("config.json", &self.config);
        write("generation_config.json", &json!({ "eos_token_id": self.end_of_text }));
        write("tokenizer_config.json", &json!({ "chat_template": "{{ messages[0].content }}" }));
    }

    fn load(&self, home: &TempDir) -> Result<MistralEngine, EngineError> {
        self.unpack(home.path());
        MistralEngine::load(&config(home.path()), &home.path().join("cache"))
    }
}

fn config(folder: &Path) -> ModelConfig {
    let config = json!({ "source": folder, "device": "cpu", "dtype": "f32" });
    serde_json::from_value(config).unwrap()
}

fn own(output: &EngineOutput) -> Segment {
    Segment { text: output.text.as_str().into(), own_ids: Some(Arc::from(ids(output))) }
}

#[track_caller]
fn generate(engine: &mut dyn Engine, request: &EngineRequest) -> EngineOutput {
    let output = engine.generate(request, &mut |_| Flow::Continue).unwrap();
    let texts: String = output.tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(texts, output.text, "the tokens have the text of the step");
    output
}

/// Checks tokens and statistics.
#[track_caller]
fn assert_equal(ours: &[EngineOutput], theirs: &Expected) {
    let tokens: Vec<_> = ours.iter().flat_map(|output| &output.tokens).collect();
    assert_eq!(tokens.iter().map(|token| token.id).collect::<Vec<_>>(), theirs.ids);
    for (n, token) in tokens.iter().enumerate() {
        let logprob = (f64::from(token.logprob) - theirs.logprobs[n]).abs();
        let entropy = (f64::from(token.entropy) - theirs.entropies[n]).abs();
        assert!(logprob < TOLERANCE && entropy < TOLERANCE, "token {n}: {logprob} {entropy}");
    }
}

/// Compares a loaded model with its reference.
pub(crate) fn compare(mut engine: MistralEngine, reference: &Reference) {
    let prompt = || vec![foreign(&reference.prompt)];
    let written = &reference.written;
    let limit = written.ids.len();
    let whole = generate(&mut engine, &request(prompt(), NEVER, limit));
    assert_eq!(whole.usage.reused, 0, "the first request reads everything");
    assert_equal(std::slice::from_ref(&whole), written);
    assert_eq!(whole.stop, StopReason::EndOfText);
    assert_eq!(written.ids.last(), reference.end_of_text.last(), "the second of two ids");
    engine.reset().unwrap();

    // At each boundary; and as short as possible, where most limits are inside a character.
    in_steps(&mut engine, reference, &whole, &frequent_text(&whole), 100);
    in_steps(&mut engine, reference, &whole, NEVER, 1);

    // A draft that is kept.
    let mut draft = request(prompt(), NEVER, DRAFT);
    draft.is_draft = true;
    let draft = generate(&mut engine, &draft);
    assert_eq!(draft.stop, StopReason::DraftLimit);
    let mut rest = request(prompt(), NEVER, limit);
    rest.partial = Some(PartialStep { text: draft.text.clone(), ids: ids(&draft) });
    let rest = generate(&mut engine, &rest);
    assert_eq!(format!("{}{}", draft.text, rest.text), whole.text);
    assert_equal(&[draft, rest], written);
    engine.reset().unwrap();

    // Another model's text, scored.
    let mut scored = request(prompt(), NEVER, 1);
    scored.score_text = Some(reference.read.text.as_str().into());
    let scored = generate(&mut engine, &scored);
    assert_equal(std::slice::from_ref(&scored), &reference.read.expected);
    assert_eq!(scored.text, reference.read.text);
    engine.reset().unwrap();

    // A switch: its own step, then one of another model.
    let switch = &reference.switch;
    let first = generate(&mut engine, &request(prompt(), NEVER, switch.own));
    // A step has more tokens than its limit if a character needs them.
    let first = Segment {
        own_ids: Some(written.ids[..switch.own].into()),
        text: first.text.as_str().into(),
    };
    let prefix = vec![foreign(&reference.prompt), first, foreign(&switch.text)];
    let after = request(prefix, NEVER, switch.expected.ids.len());
    let after = generate(&mut engine, &after);
    let extra = after.tokens.len().saturating_sub(switch.expected.ids.len());
    assert!(extra <= 3, "{extra} more tokens to complete a character");
    let after =
        EngineOutput { tokens: after.tokens[..switch.expected.ids.len()].to_vec(), ..after };
    assert_equal(std::slice::from_ref(&after), &switch.expected);
    engine.reset().unwrap();

    fill_context(&mut engine, &reference.full);
}

/// The same text in steps.
fn in_steps(
    engine: &mut MistralEngine,
    reference: &Reference,
    whole: &EngineOutput,
    delimiter: &str,
    limit: usize,
) {
    let mut prefix = vec![foreign(&reference.prompt)];
    let mut steps: Vec<EngineOutput> = Vec::new();
    while steps.last().is_none_or(|step| step.stop != StopReason::EndOfText) {
        let step = generate(engine, &request(prefix.clone(), delimiter, limit));
        assert!(steps.is_empty() || step.usage.prefilled == 1, "its own last token alone");
        prefix.push(own(&step));
        steps.push(step);
    }
    assert!(steps.len() > 1, "no boundary at {delimiter:?}");
    assert_equal(&steps, &reference.written);
    let text: String = steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(text, whole.text);
    engine.reset().unwrap();
}

/// The text of the most frequent token that can end a step.
fn frequent_text(output: &EngineOutput) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    // A step cannot end with its first token if that is blank, and the last one ends the text.
    for token in &output.tokens[1..output.tokens.len() - 1] {
        let text = token.text.as_str();
        if !text.trim().is_empty() && !text.contains('\u{FFFD}') {
            *counts.entry(text).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).expect("a token with text").0.to_owned()
}

/// Up to the last token of the context, and not beyond it.
fn fill_context(engine: &mut MistralEngine, full: &FullContext) {
    let text = full.text.repeat(full.repeats);
    let prefix = vec![foreign(&text)];
    assert_eq!(engine.tokenize(&text).unwrap().len(), full.tokens);
    let last = generate(engine, &request(prefix, NEVER, 10_000));
    assert_equal(std::slice::from_ref(&last), &full.expected);
    if full.tokens + last.tokens.len() == full.context {
        assert_eq!(last.stop, StopReason::ContextFull);
    }
    let too_long = vec![foreign(&full.text.repeat(full.repeats * 2))];
    let error = engine.generate(&request(too_long, NEVER, 1), &mut |_| Flow::Continue);
    let sentence = error.unwrap_err().to_string();
    assert!(sentence.contains(&format!("only {}", full.context)), "{sentence}");
}

#[test]
fn a_token_that_was_read_while_loading_is_read_again() {
    let reference = read("llama3");
    let home = tempfile::tempdir().unwrap();
    reference.unpack(home.path());
    // mistral.rs puts the beginning-of-text token before the text that it reads while it loads a model.
    let path = home.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let id = tokenizer["added_tokens"][0]["id"].clone();
    let template = json!([{ "SpecialToken": { "id": "<|0|>", "type_id": 0 } },
        { "Sequence": { "id": "A", "type_id": 0 } }]);
    tokenizer["post_processor"] = json!({ "type": "TemplateProcessing", "single": template,
        "pair": template, "special_tokens": {
            "<|0|>": { "id": "<|0|>", "ids": [id], "tokens": ["<|0|>"] } } });
    fs::write(path, tokenizer.to_string()).unwrap();
    let mut engine = MistralEngine::load(&config(home.path()), &home.path().join("cache")).unwrap();
    let prompt = "<|0|>hello";
    let first = generate(&mut engine, &request(vec![foreign(prompt)], NEVER, 4));
    let length = engine.tokenize(prompt).unwrap().len();
    assert_eq!((first.usage.prefilled, first.usage.reused), (length, 0));
}

/// A test for each family.
macro_rules! families {
    ($($name:ident: $family:literal,)*) => {
        $(#[test]
        fn $name() {
            let reference = read($family);
            let home = tempfile::tempdir().unwrap();
            compare(reference.load(&home).unwrap(), &reference);
        })*

        const FAMILIES: &[&str] = &[$($family),*];
    };
}

families! {
    llama3: "llama3",
    r1_llama: "r1-llama",
    smollm2: "smollm2",
    llama2: "llama2",
    qwen2: "qwen2",
    qwen2_math: "qwen2-math",
    r1_qwen: "r1-qwen",
    qwen3: "qwen3",
    qwen3_large: "qwen3-large",
    mistral: "mistral",
    mistral_window: "mistral-window",
    mixtral: "mixtral",
    gemma: "gemma",
    gemma2: "gemma2",
    phi3: "phi3",
    phi3_longrope: "phi3-longrope",
    smollm3: "smollm3",
    glm4: "glm4",
    starcoder2: "starcoder2",
}

#[test]
fn every_supported_architecture_has_a_reference() {
    let architectures: Vec<Value> =
        FAMILIES.iter().map(|family| read(family).config["architectures"][0].clone()).collect();
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/models.md");
    let manual = fs::read_to_string(manual).unwrap();
    for supported in SUPPORTED_ARCHITECTURES {
        assert!(architectures.contains(&json!(supported)), "{supported}");
        assert!(manual.contains(&format!("| `{supported}` |")), "{supported} in docs/models.md");
    }
    let files = fs::read_dir(folder()).unwrap().count();
    assert_eq!(files, FAMILIES.len() + 3, "a file for each family, and three tokenizers");
}

//! A GGUF file of the tiny large model writes what its safetensors do.

use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor, safetensors};
use pointsman::config::{Folders, ModelConfig, load_preset};
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{Engine, Flow, Request, Segment};
use pointsman::tasks::arithmetic::{Problems, Profile, Split};

const LAYERS: u32 = 4;
const HEADS: usize = 4;
const WIDTH: usize = 128;

/// Names in a safetensors file and in GGUF (llama.cpp's tensor naming).
const NAMES: [(&str, &str); 9] = [
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("presets/tiny/large")
}

/// GGUF rotates neighbours where safetensors rotate halves.
fn interleaved(weight: &Tensor) -> Tensor {
    let half = WIDTH / HEADS / 2;
    let split = weight.reshape((HEADS, 2, half, WIDTH)).unwrap();
    split.transpose(1, 2).unwrap().contiguous().unwrap().reshape((WIDTH, WIDTH)).unwrap()
}

fn convert(to: &Path) {
    let weights = safetensors::load(source().join("model.safetensors"), &Device::Cpu).unwrap();
    let mut tensors = Vec::new();
    let mut put = |name: String, tensor: &Tensor| {
        tensors.push((name, QTensor::quantize(tensor, GgmlDType::F32).unwrap()));
    };
    let embedding = &weights["model.embed_tokens.weight"];
    put("token_embd.weight".into(), embedding);
    put("output.weight".into(), embedding);
    put("output_norm.weight".into(), &weights["model.norm.weight"]);
    for layer in 0..LAYERS {
        for (from, name) in NAMES {
            let weight = &weights[&format!("model.layers.{layer}.{from}.weight")];
            let turned = matches!(name, "attn_q" | "attn_k").then(|| interleaved(weight));
            put(format!("blk.{layer}.{name}.weight"), turned.as_ref().unwrap_or(weight));
        }
    }
    let llama = |key: &str| format!("llama.{key}");
    let facts = [
        ("general.architecture".to_owned(), Value::String("llama".into())),
        (llama("context_length"), Value::U32(2048)),
        (llama("embedding_length"), Value::U32(WIDTH as u32)),
        (llama("block_count"), Value::U32(LAYERS)),
        (llama("feed_forward_length"), Value::U32(384)),
        (llama("attention.head_count"), Value::U32(HEADS as u32)),
        (llama("attention.head_count_kv"), Value::U32(HEADS as u32)),
        (llama("attention.layer_norm_rms_epsilon"), Value::F32(1e-5)),
        (llama("rope.dimension_count"), Value::U32((WIDTH / HEADS) as u32)),
        (llama("rope.freq_base"), Value::F32(10_000.0)),
        ("tokenizer.ggml.eos_token_id".to_owned(), Value::U32(0)),
    ];
    let facts: Vec<(&str, &Value)> = facts.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    write(&mut File::create(to).unwrap(), &facts, &tensors).unwrap();
}

fn texts(config: &ModelConfig, cache: &Path) -> Vec<String> {
    let mut engine = MistralEngine::load(config, cache).unwrap();
    let problems = Problems::new(Profile::full(), Split::Test, 6).take(10);
    let write = |problem: pointsman::tasks::arithmetic::Problem| {
        let prompt = format!("{}\n", problem.question);
        let request = Request {
            prefix: vec![Segment { text: prompt.as_str().into(), own: None }],
            delimiter: "Answer:".into(),
            begun: None,
            dictation: None,
            max_tokens: 100,
            glimpse: false,
            temperature: 0.0,
            top_p: 1.0,
            seed: 0,
        };
        engine.write(&request, &mut |_| Flow::Continue).unwrap().text
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

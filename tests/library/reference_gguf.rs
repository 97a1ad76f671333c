//! The reference models as GGUF files.

use std::fs::File;
use std::path::Path;

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use pointsman::config::ModelConfig;
use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{GGUF_ARCHITECTURES, model_info};
use serde_json::json;

use crate::reference_models::{Reference, compare, read};

/// Parts of the names in safetensors and in GGUF (llama.cpp's tensor naming), in the order of replacement.
const NAMES: [(&str, &str); 15] = [
    ("model.embed_tokens", "token_embd"),
    ("lm_head", "output"),
    ("model.norm", "output_norm"),
    ("model.layers.", "blk."),
    ("input_layernorm", "attn_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

/// The name of a tensor in GGUF.
fn gguf_name(name: &str) -> String {
    NAMES.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// The files of llama.cpp rotate neighbouring values, safetensors of Llama the two halves of a head.
fn interleave(weight: &Tensor, heads: usize) -> Tensor {
    let (rows, columns) = weight.dims2().unwrap();
    let split = weight.reshape((heads, 2, rows / heads / 2, columns)).unwrap();
    split.transpose(1, 2).unwrap().contiguous().unwrap().reshape((rows, columns)).unwrap()
}

/// Writes the model in f32, as `architecture`, with more metadata and one more tensor.
fn convert(
    reference: &Reference,
    architecture: &str,
    to: &Path,
    more: &[(&str, Value)],
    more_tensor: Option<&str>,
) {
    let config = &reference.config;
    let number = |key: &str| config[key].as_u64();
    let heads = number("num_attention_heads").unwrap();
    let kv_heads = number("num_key_value_heads").unwrap();
    let is_llama = ["llama", "mistral3"].contains(&architecture);
    let mut tensors: Vec<(String, QTensor)> = Vec::new();
    for (name, tensor) in reference.tensors() {
        let tensor = match name.as_str() {
            name if is_llama && name.contains("q_proj") => interleave(&tensor, heads as usize),
            name if is_llama && name.contains("k_proj") => interleave(&tensor, kv_heads as usize),
            _ => tensor,
        };
        tensors.push((gguf_name(&name), QTensor::quantize(&tensor, GgmlDType::F32).unwrap()));
    }
    let head_size =
        number("head_dim").unwrap_or_else(|| number("hidden_size").unwrap() / heads) as u32;
    let size = |key: &str| Value::U32(number(key).unwrap() as u32);
    let real = |key: &str| Value::F32(config[key].as_f64().unwrap() as f32);
    let metadata = vec![
        ("context_length", size("max_position_embeddings")),
        ("embedding_length", size("hidden_size")),
        ("block_count", size("num_hidden_layers")),
        ("feed_forward_length", size("intermediate_size")),
        ("attention.head_count", size("num_attention_heads")),
        ("attention.head_count_kv", size("num_key_value_heads")),
        ("attention.key_length", Value::U32(head_size)),
        ("attention.value_length", Value::U32(head_size)),
        ("attention.layer_norm_rms_epsilon", real("rms_norm_eps")),
        ("rope.dimension_count", Value::U32(head_size)),
        ("rope.freq_base", real("rope_theta")),
    ];
    let mut all = vec![("general.architecture".to_owned(), Value::String(architecture.into()))];
    all.extend(metadata.into_iter().map(|(key, v)| (format!("{architecture}.{key}"), v)));
    let all: Vec<(&str, &Value)> = all.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let all: Vec<(&str, &Value)> =
        all.into_iter().chain(more.iter().map(|(k, v)| (*k, v))).collect();
    if let Some(name) = more_tensor {
        let zeros = Tensor::zeros(8, DType::F32, &Device::Cpu).unwrap();
        tensors.push((name.into(), QTensor::quantize(&zeros, GgmlDType::F32).unwrap()));
    }
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    write(&mut File::create(to).unwrap(), &all, &tensors).unwrap();
}

fn compare_as(family: &str, architecture: &str) {
    let reference = read(family);
    let home = tempfile::tempdir().unwrap();
    let (folder, file) = (home.path().join("folder"), home.path().join("model.gguf"));
    std::fs::create_dir(&folder).unwrap();
    reference.unpack(&folder);
    convert(&reference, architecture, &file, &[], None);
    let config = json!({ "source": file, "tokenizer": folder, "device": "cpu" });
    let config: ModelConfig = serde_json::from_value(config).unwrap();
    let engine = MistralEngine::load(&config, &home.path().join("cache")).unwrap();
    compare(engine, &reference);
}

#[test]
fn llama() {
    compare_as("llama2", "llama");
    compare_as("smollm2", "llama");
}

#[test]
fn mistral() {
    compare_as("mistral", "llama");
    compare_as("mistral", "mistral3");
}

#[test]
fn qwen2() {
    compare_as("qwen2", "qwen2");
    compare_as("r1-qwen", "qwen2");
}

#[test]
fn qwen3() {
    compare_as("qwen3", "qwen3");
    compare_as("qwen3-large", "qwen3");
}

#[test]
fn every_gguf_architecture_is_compared_and_listed() {
    let (tests, manual) = (include_str!("reference_gguf.rs"), include_str!("../../docs/models.md"));
    for architecture in GGUF_ARCHITECTURES {
        assert!(tests.contains(&format!("\", \"{architecture}\");")), "{architecture}");
        assert!(manual.contains(&format!("`{architecture}`")), "{architecture}");
    }
}

#[test]
fn what_gguf_files_say_and_mistralrs_ignores_is_refused() {
    let reference = read("smollm2");
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    reference.unpack(home.path());
    let file = home.path().join("model.gguf");
    let config = json!({ "source": file, "tokenizer": home.path(), "device": "cpu" });
    let config: ModelConfig = serde_json::from_value(config).unwrap();
    let refusal = |more: &[(&str, Value)], tensor: Option<&str>| {
        convert(&reference, "llama", &file, more, tensor);
        MistralEngine::load(&config, &cache).err().map(|error| error.to_string())
    };
    // Llama 3 in GGUF has the factors of its RoPE scaling as a tensor.
    let factors = refusal(&[], Some("rope_freqs.weight")).unwrap();
    assert!(factors.contains("rope_freqs.weight"), "{factors}");
    let bias = refusal(&[], Some("blk.0.attn_q.bias")).unwrap();
    assert!(bias.contains("blk.0.attn_q.bias"), "{bias}");
    let yarn = ("llama.rope.scaling.type", Value::String("yarn".into()));
    assert!(refusal(&[yarn], None).unwrap().contains("(yarn)"));
    let experts = ("llama.expert_count", Value::U32(4));
    assert!(refusal(&[experts], None).unwrap().contains("experts"));
    assert_eq!(refusal(&[], None), None);
    let window = ("llama.attention.sliding_window", Value::U32(48));
    convert(&reference, "llama", &file, &[window], None);
    let found = model_info(&config, &cache).unwrap();
    assert_eq!(
        (found.context, found.context_limit.map(|limit| limit.tokens)),
        (Some(48), Some(48))
    );
}

//! Converts the large model of the tiny pair to GGUF.

use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor, safetensors};

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

/// The folder of the large model.
pub(crate) fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("presets/tiny/large")
}

/// GGUF rotates neighbouring values, safetensors of Llama the two halves of a head.
fn interleave(weight: &Tensor) -> Tensor {
    let half = WIDTH / HEADS / 2;
    let split = weight.reshape((HEADS, 2, half, WIDTH)).unwrap();
    split.transpose(1, 2).unwrap().contiguous().unwrap().reshape((WIDTH, WIDTH)).unwrap()
}

/// Writes the model as a GGUF file in f32.
pub(crate) fn convert(to: &Path) {
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
            let interleaved = matches!(name, "attn_q" | "attn_k").then(|| interleave(weight));
            put(format!("blk.{layer}.{name}.weight"), interleaved.as_ref().unwrap_or(weight));
        }
    }
    let llama = |key: &str| format!("llama.{key}");
    let metadata = [
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
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    write(&mut File::create(to).unwrap(), &metadata, &tensors).unwrap();
}

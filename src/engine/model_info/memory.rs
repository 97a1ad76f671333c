//! The number format of a loaded model, and an estimate of the memory that it needs.

use crate::config::{DeviceChoice, Dtype, ModelConfig};

/// Tokens of KV cache that [`ModelInfo::memory`](super::ModelInfo::memory) includes, or the model's context length if
/// that is shorter.
pub const KV_TOKENS: u64 = 4096;

/// The dimensions that determine the size of a model's KV cache.
pub(super) struct KvCacheShape {
    pub(super) layers: u64,
    pub(super) kv_heads: u64,
    pub(super) head_size: u64,
}

impl KvCacheShape {
    /// Bytes of keys and values, with `bytes_per_element`: of all pages with PagedAttention, else of [`KV_TOKENS`]
    /// or of the `context` if that is shorter.
    pub(super) fn bytes(
        &self,
        context: Option<u64>,
        config: &ModelConfig,
        bytes_per_element: u64,
    ) -> u64 {
        let unpaged = context.map_or(KV_TOKENS, |context| context.min(KV_TOKENS));
        let tokens = config.paged_context.map_or(unpaged, |pages| pages as u64);
        let elements = self.layers.saturating_mul(self.kv_heads).saturating_mul(self.head_size);
        // Keys and values.
        elements.saturating_mul(2 * bytes_per_element).saturating_mul(tokens)
    }
}

/// Whether a model runs on a CPU.
pub(in crate::engine) fn is_on_cpu(config: &ModelConfig) -> bool {
    config.device == DeviceChoice::Cpu || cfg!(not(any(feature = "cuda", feature = "metal")))
}

/// The number format that a model is loaded with: the preset's, but f32 for bf16 on a CPU, where mistral.rs fails at
/// the first token.
pub(in crate::engine) fn loaded_dtype(config: &ModelConfig) -> Dtype {
    match config.dtype {
        Dtype::Bf16 if is_on_cpu(config) => Dtype::F32,
        dtype => dtype,
    }
}

/// Bytes of a number that is not quantized. With `dtype = "auto"` mistral.rs chooses a format of two bytes.
pub(super) fn bytes_per_element(config: &ModelConfig) -> u64 {
    if loaded_dtype(config) == Dtype::F32 { 4 } else { 2 }
}

/// Bytes of this many weights, quantized if the preset says so.
pub(super) fn weight_bytes(weights: u64, config: &ModelConfig) -> u64 {
    match config.quantize_bits {
        // Each block has a scale: about half a bit for each weight.
        Some(bits) => weights.saturating_mul(2 * u64::from(bits) + 1) / 16,
        None => weights.saturating_mul(bytes_per_element(config)),
    }
}

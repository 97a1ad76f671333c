//! [`ModelConfig`]: one model of a preset.

use serde::{Deserialize, Serialize};

use super::price::Price;
use super::remote::Remote;

/// One model of a preset: where it is, how it is loaded, and what its tokens cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Where the model is: `builtin:tiny/small`, a folder, a `.gguf` file, a Hugging Face id such as
    /// `Qwen/Qwen2.5-Math-7B`, or with a table `remote` the address of an OpenAI-compatible API such as
    /// `http://gpu-box:8000/v1`. [`ENGINE_KINDS`](crate::engine::ENGINE_KINDS) lists all forms.
    pub source: String,
    /// Name on the screen; by default the last part of `source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For a GGUF file: a folder or Hugging Face id with `tokenizer.json`, which replaces the tokenizer in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
    /// Where the model runs.
    #[serde(default)]
    pub device: DeviceChoice,
    /// Number format of weights and activations.
    #[serde(default)]
    pub dtype: Dtype,
    /// For safetensors: quantization to this many bits (2, 3, 4, 5, 6 or 8) while the model is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantize_bits: Option<u8>,
    /// Number of parameters if it cannot be counted: of a remote model, and, for estimates, of a model that is not
    /// downloaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Price of a token, prefilled or decoded; by default 2 × parameters, the floating-point operations of a token.
    /// Both models' prices must have the same unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// Price of a million computed tokens of the prefix, in a currency. Requires `price_cached` and `price_out`, and
    /// excludes `price`. Costs are then in millionths of the currency: 12.3k is 0.0123.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_in: Option<f64>,
    /// Price of a million tokens of the prefix that come from the cache; may be 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_cached: Option<f64>,
    /// Price of a million generated tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_out: Option<f64>,
    /// On a GPU: use PagedAttention, with pages for this many tokens of context in total; by default each text has its
    /// own KV cache. mistral.rs 0.8.1 does not report which tokens it found in its pages, so each step is charged its
    /// whole prefix, and costs are upper bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paged_context: Option<usize>,
    /// A prompt template for this model alone, used as it is, without a chat template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The preset's prompt as the model's chat template rendered it when an episode started. It is stored with the
    /// episode, so that the episode can be read and forked without the template; preset files do not set it.
    #[serde(default, alias = "framed", skip_serializing_if = "Option::is_none")]
    pub rendered_prompt: Option<String>,
    /// For a remote model: how its server is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
}

impl ModelConfig {
    /// The name on screens and in reports.
    pub fn label(&self) -> &str {
        let model_name = self.remote.as_ref().map_or(&self.source, |remote| &remote.model);
        self.name.as_deref().unwrap_or_else(|| {
            let model_name = model_name.trim_end_matches('/');
            model_name.rsplit('/').next().unwrap_or(model_name)
        })
    }

    /// The prices of its tokens, if the preset sets them.
    pub fn price(&self) -> Option<Price> {
        let split = || {
            let (read, cached, written) = (self.price_in?, self.price_cached?, self.price_out?);
            // The price of a million tokens is that of one token in millionths, the unit of costs.
            Some(Price { read, cached, written })
        };
        self.price.map(Price::from).or_else(split)
    }
}

/// Where a model runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// On the first accelerator that the binary was built for, else on the CPU.
    #[default]
    Auto,
    /// On the CPU.
    Cpu,
}

/// Number format of weights and activations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// mistral.rs chooses one for the device.
    #[default]
    Auto,
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// 16-bit float with the exponent of a 32-bit one.
    Bf16,
}

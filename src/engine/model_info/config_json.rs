//! `config.json`: what it says of a model, whatever version of transformers wrote it.

use std::path::Path;

use serde_json::Value;

use super::memory::KvCacheShape;
use crate::engine::context_limit::{LimitCause, UsableContext};
use crate::engine::error::EngineError;
use crate::user_file::{self, MAX_MODEL_SETTINGS};

/// The name of the file.
pub(in crate::engine) const CONFIG_FILE: &str = "config.json";

/// mistral.rs extends a KV cache by this many tokens at a time, and fails if that exceeds the context.
pub(super) const CACHE_BLOCK: u64 = 512;

/// The content of a model's `config.json`.
#[derive(Debug, Clone)]
pub(in crate::engine) struct ConfigJson(Value);

impl ConfigJson {
    /// Reads the file of a folder.
    ///
    /// # Errors
    /// If it cannot be read, or is invalid JSON.
    pub(in crate::engine) fn read(folder: &Path) -> Result<Self, EngineError> {
        let path = folder.join(CONFIG_FILE);
        let text = user_file::read_text(&path, MAX_MODEL_SETTINGS)
            .map_err(|e| EngineError::unreadable_file(&path, &e))?;
        let json = serde_json::from_str(&text).map_err(|e| {
            EngineError::unreadable(&path, format!("invalid JSON ({e}): copy or download it again"))
        })?;
        Ok(Self::new(json))
    }

    /// Moves what transformers 5 writes into `rope_parameters` to where version 4 has it, as mistral.rs does not know
    /// the new place.
    pub(super) fn new(mut json: Value) -> Self {
        if let Some(rope) = json["rope_parameters"].as_object().cloned() {
            for key in ["rope_theta", "partial_rotary_factor"] {
                if let (true, Some(value)) = (json[key].is_null(), rope.get(key)) {
                    json[key] = value.clone();
                }
            }
            if json["rope_scaling"].is_null() && rope.contains_key("rope_type") {
                json["rope_scaling"] = Value::Object(rope);
            }
        }
        Self(json)
    }

    /// A number.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.0[key].as_u64()
    }

    /// The architecture, such as `Qwen3ForCausalLM`.
    pub(super) fn architecture(&self) -> Option<&str> {
        self.0["architectures"][0].as_str()
    }

    /// Whether a key is true.
    pub(super) fn is_true(&self, key: &str) -> bool {
        self.0[key] == true
    }

    /// How the weights are quantized in the files.
    pub(super) fn quantization(&self) -> Option<&str> {
        let config = self.0.get("quantization_config").filter(|config| !config.is_null())?;
        Some(config["quant_method"].as_str().unwrap_or("an unknown method"))
    }

    /// The ids of the tokens that end a text: a number, a list, or null.
    pub(in crate::engine) fn end_of_text(&self) -> &Value {
        &self.0["eos_token_id"]
    }

    /// The kind of `RoPE` scaling; `None` without scaling.
    pub(super) fn rope_scaling(&self) -> Option<&str> {
        let scaling = self.0.get("rope_scaling").filter(|scaling| !scaling.is_null())?;
        let kind = scaling["rope_type"].as_str().or_else(|| scaling["type"].as_str());
        Some(kind.unwrap_or("unnamed")).filter(|kind| *kind != "default")
    }

    /// The sliding window of attention, if the model uses one.
    fn sliding_window(&self) -> Option<u64> {
        // Each architecture's defaults in transformers: whether a window is used, and its size.
        let switch = || self.is_true("use_sliding_window");
        let (is_used, default, has_layer_types) = match self.architecture().unwrap_or_default() {
            "MistralForCausalLM" => (true, Some(4096), false),
            "MixtralForCausalLM"
            | "Phi3ForCausalLM"
            | "PhiMoEForCausalLM"
            | "Starcoder2ForCausalLM" => (true, None, false),
            "Gemma2ForCausalLM" => (true, Some(4096), true),
            "Qwen2ForCausalLM"
            | "Qwen3ForCausalLM"
            | "Qwen3MoeForCausalLM"
            | "SmolLM3ForCausalLM" => (switch(), Some(4096), true),
            // The others have no such window.
            _ => (false, None, false),
        };
        let layers = self.0["layer_types"].as_array().filter(|_| has_layer_types);
        let in_a_layer =
            layers.is_none_or(|all| all.iter().any(|kind| kind == "sliding_attention"));
        let size = self.0.get("sliding_window").map_or(default, Value::as_u64);
        size.filter(|_| is_used && in_a_layer)
    }

    /// How many tokens of context mistral.rs computes as the model's authors do.
    pub(in crate::engine) fn context(&self) -> UsableContext {
        let Some(declared) = self.number("max_position_embeddings") else {
            return UsableContext { tokens: None, limit: None };
        };
        let of_scaling = self.original_context().filter(|_| self.has_longrope());
        let in_blocks = declared - declared % CACHE_BLOCK;
        let limits = [
            (self.sliding_window(), LimitCause::SlidingWindow),
            (of_scaling, LimitCause::LongRope),
            // The number is part of the scaling, so the configuration cannot be rounded up.
            (Some(in_blocks).filter(|n| self.has_longrope() && *n > 0), LimitCause::CacheBlocks),
        ];
        UsableContext::new(declared, &limits)
    }

    /// The context length without `RoPE` scaling.
    pub(super) fn original_context(&self) -> Option<u64> {
        let inside = self.0["rope_scaling"]["original_max_position_embeddings"].as_u64();
        self.number("original_max_position_embeddings").or(inside)
    }

    fn has_longrope(&self) -> bool {
        matches!(self.rope_scaling(), Some("longrope" | "su"))
    }

    /// Whether the output layer is the embedding. Some files do not say so.
    pub(super) fn is_tied(&self, has_output_tensor: bool) -> bool {
        self.0["tie_word_embeddings"].as_bool().unwrap_or(!has_output_tensor)
    }

    /// The configuration to load with mistral.rs, so that it computes what the model's authors do within
    /// [`Self::context`].
    pub(in crate::engine) fn for_mistralrs(&self, has_output_tensor: bool) -> Value {
        let mut json = self.0.clone();
        // Within the usable context a window hides nothing. Gemma 2's configuration requires the number.
        if self.architecture() != Some("Gemma2ForCausalLM") {
            json["sliding_window"] = Value::Null;
        } else if json["hidden_activation"].is_string()
            && let Some(entries) = json.as_object_mut()
        {
            // transformers uses the other one.
            entries.remove("hidden_act");
        }
        match self.rope_scaling() {
            None | Some("dynamic") => json["rope_scaling"] = Value::Null,
            Some(kind) => {
                let key = if self.has_longrope() { "type" } else { "rope_type" };
                json["rope_scaling"][key] = kind.to_owned().into();
            }
        }
        if let Some(declared) =
            self.number("max_position_embeddings").filter(|_| !self.has_longrope())
        {
            json["max_position_embeddings"] = declared.next_multiple_of(CACHE_BLOCK).into();
        }
        json["tie_word_embeddings"] = self.is_tied(has_output_tensor).into();
        json
    }

    /// The dimensions of the KV cache.
    pub(super) fn kv_cache_shape(&self) -> Option<KvCacheShape> {
        let heads = self.number("num_attention_heads");
        let head_size = self
            .number("head_dim")
            .or_else(|| Some(self.number("hidden_size")? / heads?.max(1)))?;
        Some(KvCacheShape {
            layers: self.number("num_hidden_layers")?,
            kv_heads: self.number("num_key_value_heads").or(heads)?,
            head_size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(architecture: &str, mut json: Value) -> ConfigJson {
        json["architectures"] = json!([architecture]);
        if json["max_position_embeddings"].is_null() {
            json["max_position_embeddings"] = 32_768.into();
        }
        ConfigJson::new(json)
    }

    #[test]
    fn a_window_that_is_not_used_is_removed() {
        let math =
            json!({ "sliding_window": 4096, "use_sliding_window": false, "max_window_layers": 21 });
        let math = config("Qwen2ForCausalLM", math);
        assert_eq!(math.context().tokens, Some(32_768));
        assert_eq!(math.for_mistralrs(true)["sliding_window"], Value::Null);
        // As transformers: off unless it is switched on.
        let silent = config("Qwen2ForCausalLM", json!({ "sliding_window": 4096 }));
        assert_eq!(silent.context().limit, None);
        let used = json!({ "sliding_window": 4096, "use_sliding_window": true });
        let used = config("Qwen3ForCausalLM", used).context();
        assert_eq!(used.tokens, Some(4096));
        let all = json!({ "sliding_window": 4096, "use_sliding_window": true,
            "layer_types": ["full_attention", "full_attention"] });
        assert_eq!(config("Qwen3ForCausalLM", all).context().tokens, Some(32_768));
        assert_eq!(
            config("LlamaForCausalLM", json!({ "sliding_window": 64 })).context().limit,
            None
        );
    }

    #[test]
    fn a_real_window_limits_the_context() {
        for architecture in ["MistralForCausalLM", "Gemma2ForCausalLM", "Phi3ForCausalLM"] {
            let context = config(architecture, json!({ "sliding_window": 2047 })).context();
            assert_eq!(context.tokens, Some(2047), "{architecture}");
            let sentence = context.limit.unwrap().to_string();
            assert!(sentence.contains("sliding window"), "{sentence}");
        }
        let null = config("MistralForCausalLM", json!({ "sliding_window": null }));
        assert_eq!(null.context().tokens, Some(32_768));
        assert_eq!(
            config("MistralForCausalLM", json!({})).context().tokens,
            Some(4096),
            "the default"
        );
    }

    #[test]
    fn the_new_place_of_rope_parameters_is_understood() {
        let new =
            json!({ "rope_parameters": { "rope_type": "yarn", "rope_theta": 5.0, "factor": 4.0 } });
        let new = config("Qwen2ForCausalLM", new);
        assert_eq!(new.rope_scaling(), Some("yarn"));
        let plain = json!({ "rope_parameters": { "rope_type": "default", "rope_theta": 5.0 } });
        let plain = config("Qwen2ForCausalLM", plain);
        assert_eq!(plain.rope_scaling(), None);
        let loaded = plain.for_mistralrs(false);
        assert_eq!((&loaded["rope_theta"], &loaded["rope_scaling"]), (&json!(5.0), &Value::Null));
        assert_eq!(loaded["tie_word_embeddings"], true);
    }

    #[test]
    fn contexts_are_rounded_up_to_whole_blocks() {
        let odd = config("LlamaForCausalLM", json!({ "max_position_embeddings": 700 }));
        assert_eq!(odd.context().tokens, Some(700));
        assert_eq!(odd.for_mistralrs(true)["max_position_embeddings"], 1024);
        let long = json!({ "max_position_embeddings": 1000, "original_max_position_embeddings": 900,
            "rope_scaling": { "type": "longrope" } });
        let long = config("Phi3ForCausalLM", long);
        assert_eq!(long.context().tokens, Some(512), "this number cannot be rounded");
        assert_eq!(long.for_mistralrs(true)["max_position_embeddings"], 1000);
    }
}

//! The families of models whose results equal those of their authors' code, and the tensors that mistral.rs reads.
//!
//! `tests/library/reference_models.rs` compares a random model of each with transformers. A tensor that is not listed
//! would be ignored by mistral.rs, and the model would compute something else.

use std::collections::BTreeSet;

use super::config_json::ConfigJson;
use super::tensor_header::TensorHeader;

/// A family of models in safetensors.
struct Family {
    /// As `config.json` names it.
    architecture: &'static str,
    /// Tensors of each layer, after `model.layers.0.`. `#` stands for the number of an expert.
    layer: &'static [&'static [&'static str]],
    /// More tensors of each layer if a key of `config.json` is true.
    optional: &'static [(&'static str, &'static [&'static str])],
    /// Tensors beside the layers.
    whole: &'static [&'static str],
}

const NORMS: &[&str] = &["input_layernorm.weight", "post_attention_layernorm.weight"];
const ATTENTION: &[&str] = &[
    "self_attn.q_proj.weight",
    "self_attn.k_proj.weight",
    "self_attn.v_proj.weight",
    "self_attn.o_proj.weight",
];
const ATTENTION_BIASES: &[&str] =
    &["self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"];
const HEAD_NORMS: &[&str] = &["self_attn.q_norm.weight", "self_attn.k_norm.weight"];
const MLP: &[&str] = &["mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight"];
const FUSED_MLP: &[&str] = &["mlp.gate_up_proj.weight", "mlp.down_proj.weight"];
const EMBEDDING: &str = "model.embed_tokens.weight";
const OUTPUT: &str = "lm_head.weight";
const WHOLE: &[&str] = &[EMBEDDING, "model.norm.weight"];

const fn family(architecture: &'static str, layer: &'static [&'static [&'static str]]) -> Family {
    Family { architecture, layer, optional: &[], whole: WHOLE }
}

static FAMILIES: [Family; 11] = [
    family("LlamaForCausalLM", &[NORMS, ATTENTION, MLP]),
    family("Qwen2ForCausalLM", &[NORMS, ATTENTION, ATTENTION_BIASES, MLP]),
    family("Qwen3ForCausalLM", &[NORMS, ATTENTION, HEAD_NORMS, MLP]),
    family("MistralForCausalLM", &[NORMS, ATTENTION, MLP]),
    family(
        "MixtralForCausalLM",
        &[
            NORMS,
            ATTENTION,
            &[
                "block_sparse_moe.gate.weight",
                "block_sparse_moe.experts.#.w1.weight",
                "block_sparse_moe.experts.#.w2.weight",
                "block_sparse_moe.experts.#.w3.weight",
            ],
        ],
    ),
    family("GemmaForCausalLM", &[NORMS, ATTENTION, MLP]),
    family(
        "Gemma2ForCausalLM",
        &[
            NORMS,
            ATTENTION,
            MLP,
            &["pre_feedforward_layernorm.weight", "post_feedforward_layernorm.weight"],
        ],
    ),
    family(
        "Phi3ForCausalLM",
        &[NORMS, &["self_attn.qkv_proj.weight", "self_attn.o_proj.weight"], FUSED_MLP],
    ),
    family("SmolLM3ForCausalLM", &[NORMS, ATTENTION, MLP]),
    Family {
        optional: &[("attention_bias", ATTENTION_BIASES)],
        ..family(
            "Glm4ForCausalLM",
            &[
                NORMS,
                ATTENTION,
                FUSED_MLP,
                &["post_self_attn_layernorm.weight", "post_mlp_layernorm.weight"],
            ],
        )
    },
    Family {
        optional: &[
            ("use_bias", ATTENTION_BIASES),
            ("use_bias", &["self_attn.o_proj.bias", "mlp.c_fc.bias", "mlp.c_proj.bias"]),
        ],
        whole: &[EMBEDDING, "model.norm.weight", "model.norm.bias"],
        ..family(
            "Starcoder2ForCausalLM",
            &[
                NORMS,
                &["input_layernorm.bias", "post_attention_layernorm.bias"],
                ATTENTION,
                &["mlp.c_fc.weight", "mlp.c_proj.weight"],
            ],
        )
    },
];

/// The architectures in safetensors that can be loaded, as `config.json` names them.
pub static SUPPORTED_ARCHITECTURES: [&str; FAMILIES.len()] = {
    let mut names = [""; FAMILIES.len()];
    let mut n = 0;
    while n < names.len() {
        names[n] = FAMILIES[n].architecture;
        n += 1;
    }
    names
};

/// For GGUF files, as `general.architecture` names them.
pub static GGUF_ARCHITECTURES: [&str; 4] = ["llama", "mistral3", "qwen2", "qwen3"];

/// Why a folder's tensors are not those that mistral.rs reads: a clause with the remedy.
pub(super) fn tensor_problem(config: &ConfigJson, tensors: &[TensorHeader]) -> Option<String> {
    let family = FAMILIES.iter().find(|f| Some(f.architecture) == config.architecture())?;
    let found: BTreeSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    if !config.is_tied(found.contains(OUTPUT)) && !found.contains(OUTPUT) {
        return Some(missing(OUTPUT));
    }
    let mut expected = BTreeSet::new();
    // `config.json` may name any number of layers, so the first missing one ends this.
    for name in family.tensors(config)? {
        if !found.contains(name.as_str()) {
            return Some(missing(&name));
        }
        expected.insert(name);
    }
    let is_known =
        |name: &str| expected.contains(name) || name == OUTPUT || name.ends_with(".inv_freq");
    let unknown = found.iter().find(|name| !is_known(name))?;
    Some(format!(
        "mistral.rs would ignore its tensor {unknown} and compute something else: use another model, or run this one on a server (table `remote`)"
    ))
}

fn missing(tensor: &str) -> String {
    format!("its safetensors lack the tensor {tensor}: copy or download the model again")
}

impl Family {
    /// The names of all tensors but the output's; `None` if `config.json` does not say how many.
    fn tensors(&self, config: &ConfigJson) -> Option<impl Iterator<Item = String>> {
        let layers = config.number("num_hidden_layers")?;
        let optional = self.optional.iter().filter(|(key, _)| config.is_true(key));
        let lists = self.layer.iter().copied().chain(optional.map(|(_, names)| *names));
        let names: Vec<&str> = lists.flatten().copied().collect();
        let experts = if names.iter().any(|name| name.contains('#')) {
            config.number("num_local_experts")?
        } else {
            1
        };
        let of_layer = move |layer: u64| {
            let names = names.clone().into_iter();
            names.flat_map(move |name| {
                let numbers = if name.contains('#') { experts } else { 1 };
                (0..numbers).map(move |n| {
                    format!("model.layers.{layer}.{}", name.replace('#', &n.to_string()))
                })
            })
        };
        let whole = self.whole.iter().map(|name| (*name).to_owned());
        Some(whole.chain((0..layers).flat_map(of_layer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> ConfigJson {
        ConfigJson::new(serde_json::from_str(json).unwrap())
    }

    fn headers(names: impl IntoIterator<Item = String>) -> Vec<TensorHeader> {
        let header = |name| TensorHeader { name, shape: vec![1], format: "F32".into(), bytes: 4 };
        names.into_iter().map(header).collect()
    }

    #[test]
    fn a_model_has_the_tensors_of_its_family_and_no_others() {
        let llama = r#"{ "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2 }"#;
        let config = config(llama);
        let names = || FAMILIES[0].tensors(&config).unwrap();
        assert_eq!(names().count(), 2 + 2 * 9);
        assert_eq!(tensor_problem(&config, &headers(names())), None, "tied");
        let with = |name: &str| tensor_problem(&config, &headers(names().chain([name.to_owned()])));
        assert_eq!(with("lm_head.weight"), None);
        assert_eq!(with("model.layers.0.self_attn.rotary_emb.inv_freq"), None);
        let ignored = with("model.layers.1.self_attn.q_proj.bias").unwrap();
        assert!(ignored.contains("model.layers.1.self_attn.q_proj.bias"), "{ignored}");
        let missing = tensor_problem(&config, &headers(names().skip(3))).unwrap();
        assert!(missing.contains("model.embed_tokens.weight"), "{missing}");
    }

    #[test]
    fn experts_and_optional_biases_are_counted() {
        let mixtral = config(
            r#"{ "architectures": ["MixtralForCausalLM"], "num_hidden_layers": 1, "num_local_experts": 3 }"#,
        );
        let tensors = |config: &ConfigJson| {
            let family = FAMILIES.iter().find(|f| Some(f.architecture) == config.architecture());
            family.unwrap().tensors(config).unwrap().count()
        };
        assert_eq!(tensors(&mixtral), 2 + 2 + 4 + 1 + 3 * 3);
        let glm4 = |bias: &str| {
            let json = format!(
                r#"{{ "architectures": ["Glm4ForCausalLM"], "num_hidden_layers": 1, "attention_bias": {bias} }}"#
            );
            tensors(&config(&json))
        };
        assert_eq!(glm4("true"), glm4("false") + 3);
    }
}

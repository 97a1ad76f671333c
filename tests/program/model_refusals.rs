//! Models that would fail later or compute something else are refused before they are loaded, by every command.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor, safetensors};
use serde_json::{Value, json};

use crate::copy_folder::copy_folder;
use crate::shell::{failure, objects, output};
use crate::tiny_gguf;

const TINY: &str = include_str!("../../presets/tiny.toml");

/// A copy of the tiny pair's large model, and a preset `changed` with it.
struct ChangedModel {
    home: tempfile::TempDir,
    folder: PathBuf,
}

impl ChangedModel {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("model");
        copy_folder(&tiny_gguf::source(), &folder);
        let changed = Self { home, folder };
        changed.write_preset(|text| text);
        changed
    }

    fn write_preset(&self, edit: impl Fn(String) -> String) {
        let folder = self.home.path().join("config/presets");
        std::fs::create_dir_all(&folder).unwrap();
        let source = self.folder.display().to_string();
        let text = TINY.replace("builtin:tiny/large", &source);
        std::fs::write(folder.join("changed.toml"), edit(text)).unwrap();
    }

    /// Changes keys of `config.json`.
    fn config(self, changes: &Value) -> Self {
        let path = self.folder.join("config.json");
        let mut config: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        std::fs::write(path, config.to_string()).unwrap();
        self
    }

    /// Changes the weights.
    fn weights(self, edit: impl FnOnce(&mut HashMap<String, Tensor>)) -> Self {
        let path = self.folder.join("model.safetensors");
        let mut tensors = safetensors::load(&path, &Device::Cpu).unwrap();
        edit(&mut tensors);
        safetensors::save(&tensors, path).unwrap();
        self
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    /// The large model's line of `models check`.
    fn check(&self) -> Value {
        let output = output(self.home(), &["models", "check", "changed", "--json"]);
        objects(std::str::from_utf8(&output.stdout).unwrap()).remove(1)
    }

    /// The sentence with which `models check` and `run` refuse the model.
    #[track_caller]
    fn refusal(&self) -> String {
        let line = self.check();
        assert_eq!(line["loads"], false, "{line}");
        let sentence = line["error"].as_str().unwrap().to_owned();
        let run = ["run", "--preset", "changed", "--router", "always-large", "What is 2 + 2?"];
        let (code, errors) = failure(self.home(), &run);
        assert_eq!(code, 1);
        assert!(errors.contains(&sentence), "{errors}\n{sentence}");
        sentence
    }
}

fn changed() -> ChangedModel {
    ChangedModel::new()
}

const LAYER: &str = "model.layers.2.mlp.up_proj.weight";

#[test]
fn weights_that_do_not_fit_are_refused() {
    let missing = changed().weights(|tensors| drop(tensors.remove(LAYER))).refusal();
    assert!(missing.contains(&format!("lack the tensor {LAYER}")), "{missing}");

    let biased = changed().weights(|tensors| {
        let bias = Tensor::zeros(128, DType::F32, &Device::Cpu).unwrap();
        tensors.insert("model.layers.0.self_attn.q_proj.bias".into(), bias);
    });
    let biased = biased.refusal();
    assert!(biased.contains("would ignore its tensor model.layers.0.self_attn.q_proj.bias"));

    let wide = changed().weights(|tensors| {
        let wide = tensors[LAYER].to_dtype(DType::F64).unwrap();
        tensors.insert(LAYER.into(), wide);
    });
    let wide = wide.refusal();
    assert!(wide.contains("F64: convert the weights"), "{wide}");

    let plain = json!({ "quantization_config": { "quant_method": "awq", "bits": 4 } });
    let plain = changed().config(&plain).refusal();
    assert!(plain.contains("awq") && plain.contains("remove `quantization_config`"), "{plain}");

    let shard = changed();
    let (from, to) = ("model.safetensors", "model-00001-of-00002.safetensors");
    std::fs::rename(shard.folder.join(from), shard.folder.join(to)).unwrap();
    let shard = shard.refusal();
    assert!(shard.contains("model-00002-of-00002.safetensors is missing"), "{shard}");
}

#[test]
fn rope_scaling_that_would_be_ignored_is_refused() {
    let yarn = json!({ "rope_scaling": { "type": "yarn", "factor": 4.0,
        "original_max_position_embeddings": 512 } });
    let sentence = changed().config(&yarn).refusal();
    assert!(sentence.contains("(yarn)") && sentence.contains("config.json"), "{sentence}");
    // As transformers 5 writes it.
    let new = json!({ "rope_parameters": { "rope_type": "yarn", "rope_theta": 10_000.0, "factor": 4.0 } });
    assert!(changed().config(&new).refusal().contains("(yarn)"));
    let plain = json!({ "rope_theta": null, "rope_parameters": { "rope_type": "default", "rope_theta": 10_000.0 } });
    assert_eq!(changed().config(&plain).check()["loads"], true);
}

#[test]
fn a_tokenizer_that_is_larger_than_the_vocabulary_is_refused() {
    let model = changed();
    let path = model.folder.join("tokenizer.json");
    let mut tokenizer: Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let token = json!({ "id": 768, "content": "<|more|>", "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true });
    tokenizer["added_tokens"].as_array_mut().unwrap().push(token);
    std::fs::write(path, tokenizer.to_string()).unwrap();
    let sentence = model.refusal();
    assert!(sentence.contains("768") && sentence.contains("tokenizer"), "{sentence}");
}

#[test]
fn a_window_ends_the_context() {
    let window = json!({ "architectures": ["MistralForCausalLM"], "sliding_window": 64 });
    let model = changed().config(&window);
    let line = model.check();
    assert_eq!((&line["context"], &line["loads"]), (&json!(64), &json!(true)), "{line}");
    let remark = line["remarks"][0].as_str().unwrap();
    assert!(remark.contains("only 64 of its 2048 tokens") && remark.contains("sliding window"));
    let question = "Ava has 37 pens. She buys 4 boxes of 12 pens. She gives away 18 pens.";
    let long = format!("{} How many pens does Ava have?", [question; 4].join(" "));
    let run = ["run", "--preset", "changed", "--router", "always-large", &long];
    let ended = output(model.home(), &run);
    assert_eq!(ended.status.code(), Some(1));
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert!(errors.contains("tiny-large only 64, because mistral.rs"), "{errors}");
    // Without the window the whole text fits.
    let no_window = json!({ "architectures": ["MistralForCausalLM"], "sliding_window": null });
    let line = changed().config(&no_window).check();
    assert_eq!((&line["context"], &line["loads"]), (&json!(2048), &json!(true)), "{line}");
}

#[test]
fn bf16_on_a_cpu_is_computed_in_f32() {
    let model = changed();
    model.write_preset(|text| {
        let (small, large) = text.split_once("[large]").unwrap();
        let large = large
            .replace("device = \"auto\"\ndtype = \"f32\"", "device = \"cpu\"\ndtype = \"bf16\"");
        format!("{small}[large]{large}")
    });
    let line = model.check();
    assert_eq!(line["loads"], true, "{line}");
    assert!(line["remarks"][0].as_str().unwrap().contains("computed in f32"), "{line}");
    let exact = changed().check();
    assert_eq!(line["memory"], exact["memory"], "the estimate is that of f32");
    assert_eq!(exact["remarks"], json!([]));
}

//! `pointsman models`: the tiny pair, a GGUF file, broken files, and a fake Hugging Face hub.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::copy_folder::copy_folder;
use crate::fake_hub::{COMMIT, FakeHub, HubFault, sha256};
use crate::shell::{failure, objects, output, pointsman, stdout};
use crate::tiny_gguf;

const TINY: &str = include_str!("../../presets/tiny.toml");

/// Writes a preset whose large model is at `source`.
fn preset(home: &Path, name: &str, source: &str, more: &str) {
    let folder = home.join("config/presets");
    std::fs::create_dir_all(&folder).unwrap();
    let large = format!("source = \"{source}\"\n{more}");
    let text = TINY.replace("source = \"builtin:tiny/large\"", &large);
    std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
}

/// A copy of the large model's folder.
fn copy(home: &Path, name: &str) -> PathBuf {
    let folder = home.join(name);
    copy_folder(&tiny_gguf::source(), &folder);
    folder
}

/// The error of `models check` for the large model, which must not load.
fn load_error(home: &Path, name: &str) -> String {
    let output = output(home, &["models", "check", name, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let lines = objects(std::str::from_utf8(&output.stdout).unwrap());
    assert_eq!(lines.len(), 2, "the pair is not checked: {lines:?}");
    assert_eq!((&lines[0]["loads"], &lines[1]["loads"]), (&true.into(), &false.into()));
    let error = lines[1]["error"].as_str().unwrap().to_owned();
    assert!(!error.contains('\n'), "{error}");
    error
}

#[test]
fn models_of_all_presets_are_listed() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("large.gguf");
    tiny_gguf::convert(&file);
    let tokenizer = format!("tokenizer = \"{}\"", tiny_gguf::source().display());
    preset(home.path(), "gguf", file.to_str().unwrap(), &tokenizer);
    preset(home.path(), "folder", copy(home.path(), "copy").to_str().unwrap(), "");
    let lines = objects(&list(home.path(), &["--json"]));
    let find = |preset: &str, role: &str| {
        let found = lines.iter().find(|line| line["preset"] == preset && line["role"] == role);
        found.unwrap_or_else(|| panic!("{preset} {role}: {lines:?}"))
    };
    let tiny = find("tiny", "large");
    assert_eq!((tiny["location"].as_str(), tiny["context"].as_u64()), (Some("binary"), Some(2048)));
    assert_eq!(tiny["architecture"], "LlamaForCausalLM");
    let parameters = tiny["parameters"].as_u64().unwrap();
    // Weights in f32, and keys and values of 2048 tokens in 4 layers of width 128.
    assert_eq!(tiny["memory"].as_u64(), Some(4 * parameters + 2 * 4 * 128 * 4 * 2048));
    assert_eq!(find("folder", "large")["location"], "folder");
    assert_eq!(find("folder", "large")["parameters"], tiny["parameters"]);
    let gguf = find("gguf", "large");
    assert_eq!((gguf["location"].as_str(), gguf["context"].as_u64()), (Some("file"), Some(2048)));
    assert_eq!(gguf["architecture"], "llama");
    let qwen = find("qwen2.5-math", "large");
    assert_eq!((&qwen["location"], &qwen["bytes"]), (&"not-here".into(), &Value::Null));
    assert_eq!(qwen["parameters"], 7_615_616_512_u64);
    // Without files only the weights are estimated; the preset's bf16 is f32 on a CPU.
    let bytes = if cfg!(any(feature = "cuda", feature = "metal")) { 2 } else { 4 };
    assert_eq!(qwen["memory"], bytes * 7_615_616_512_u64);
    let table = list(home.path(), &[]);
    assert!(table.contains("inside the binary") && table.contains("7.62G"), "{table}");

    preset(home.path(), "broken", "/nowhere/at/all", "");
    let output = hub_command(home.path(), None, &["models", "ls"]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("preset broken, large model: model `/nowhere/at/all`"), "{errors}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("qwen2.5-math"));
}

fn list(home: &Path, more: &[&str]) -> String {
    let output = hub_command(home, None, &[&["models", "ls"], more].concat()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_tiny_pair_loads_and_works_together() {
    let home = tempfile::tempdir().unwrap();
    let lines = objects(&stdout(home.path(), &["models", "check", "--json"]));
    assert_eq!(lines.len(), 3);
    for (line, vocabulary) in lines.iter().zip([384, 768]) {
        let (loads, tokens) = (&line["loads"], &line["vocabulary"]);
        assert_eq!((loads, tokens), (&true.into(), &vocabulary.into()), "{line}");
        assert_eq!(line["token_stats"], "the whole distributions");
        for rate in ["prefill_tokens_per_s", "decode_tokens_per_s"] {
            assert!(line[rate].as_f64().unwrap() > 1.0, "{line}");
        }
    }
    let pair = &lines[2];
    assert_eq!((&pair["pair"], &pair["works"]), (&"tiny".into(), &true.into()), "{pair}");
    assert!(pair["small_tokens"].as_u64() > Some(1) && pair["large_tokens"].as_u64() > Some(1));
    let message = stdout(home.path(), &["models", "check", "tiny"]);
    assert!(message.contains("ok  pair         one step by each model: "), "{message}");
}

#[test]
fn a_gguf_file_works_with_a_folder_of_safetensors() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("large.gguf");
    tiny_gguf::convert(&file);
    let tokenizer = format!("tokenizer = \"{}\"", tiny_gguf::source().display());
    preset(home.path(), "gguf", file.to_str().unwrap(), &tokenizer);
    let lines = objects(&stdout(home.path(), &["models", "check", "gguf", "--json"]));
    assert_eq!((&lines[1]["location"], &lines[2]["works"]), (&"file".into(), &true.into()));

    preset(home.path(), "mute", file.to_str().unwrap(), "");
    let message = load_error(home.path(), "mute");
    assert!(message.contains("has no tokenizer"), "{message}");

    let length = std::fs::metadata(&file).unwrap().len();
    std::fs::File::options().write(true).open(&file).unwrap().set_len(length / 2).unwrap();
    let message = load_error(home.path(), "gguf");
    assert!(message.contains("large.gguf: invalid or incomplete GGUF file"), "{message}");
    std::fs::write(&file, b"GGUF").unwrap();
    let message = load_error(home.path(), "gguf");
    assert!(message.contains("large.gguf: invalid or incomplete GGUF file"), "{message}");
}

#[test]
fn a_broken_model_folder_is_refused_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let whole = std::fs::read_to_string(tiny_gguf::source().join("config.json")).unwrap();
    let broken = |name: &str, damage: &dyn Fn(&Path)| {
        let folder = copy(home.path(), name);
        damage(&folder);
        preset(home.path(), name, folder.to_str().unwrap(), "");
        load_error(home.path(), name)
    };
    let write = |file: &str, text: String| {
        let file = file.to_owned();
        move |folder: &Path| std::fs::write(folder.join(&file), &text).unwrap()
    };

    let message =
        broken("lacking", &|folder| std::fs::remove_file(folder.join("tokenizer.json")).unwrap());
    assert!(message.contains("has no tokenizer.json"), "{message}");
    let message = broken("foreign", &write("config.json", whole.replace("LlamaFor", "MambaFor")));
    assert!(
        message.contains("architecture MambaForCausalLM") && message.contains("LlamaForCausalLM")
    );
    let message = broken("garbled", &write("config.json", "{".into()));
    assert!(message.contains("config.json: invalid JSON"), "{message}");
    let message = broken("wordless", &write("tokenizer.json", "{}".into()));
    assert!(message.contains("tokenizer.json: invalid tokenizer"), "{message}");
    let message = broken("torn", &|folder| {
        let file = folder.join("model.safetensors");
        let length = std::fs::metadata(&file).unwrap().len();
        std::fs::File::options().write(true).open(file).unwrap().set_len(length / 2).unwrap();
    });
    assert!(
        message.contains("model.safetensors: invalid or incomplete safetensors file"),
        "{message}"
    );
    let layers = "\"num_hidden_layers\": 4";
    let message =
        broken("misfit", &write("config.json", whole.replace(layers, "\"num_hidden_layers\": 5")));
    assert!(message.contains("lack the tensor model.layers.4."), "{message}");
    let vast = format!("{layers}, \"head_dim\": 4000000000");
    let message = broken("vast", &write("config.json", whole.replace(layers, &vast)));
    assert!(message.contains("of memory, and") && message.contains("--force"), "{message}");
}

/// The command with the hub's cache in `home`, and that hub, or one that does not answer.
fn hub_command(home: &Path, hub: Option<&FakeHub>, arguments: &[&str]) -> Command {
    let mut command = pointsman(home, arguments);
    let nowhere = "http://127.0.0.1:9".to_owned();
    command
        .env("HF_HOME", home.join("hf"))
        .env("HF_ENDPOINT", hub.map_or(nowhere, |hub| hub.address.clone()))
        .env_remove("HF_HUB_CACHE")
        .env_remove("HF_TOKEN");
    command
}

/// The error of a fetch that must fail.
fn fetch_error(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), stdout.len()), (Some(1), 0), "{errors}");
    assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
    errors
}

#[test]
fn a_model_is_fetched_and_loads_without_a_network() {
    let home = tempfile::tempdir().unwrap();
    let server = FakeHub::start(&tiny_gguf::source(), HubFault::Nothing);
    preset(home.path(), "fetched", "tiny/open", "");
    let message = fetch_error(hub_command(home.path(), None, &["models", "fetch", "fetched"]));
    assert!(
        message.contains("does not answer for tiny/open") && message.contains("HF_ENDPOINT"),
        "{message}"
    );
    let check = ["models", "check", "fetched", "--json"];
    let message = hub_command(home.path(), None, &check).output().unwrap();
    let message = String::from_utf8(message.stdout).unwrap();
    assert!(message.contains("`pointsman models fetch tiny/open` downloads it"), "{message}");
    assert!(message.contains("/tiny/open does not exist"), "{message}");

    let fetch = ["models", "fetch", "fetched", "--json"];
    let run = || {
        let output = hub_command(home.path(), Some(&server), &fetch).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        objects(std::str::from_utf8(&output.stdout).unwrap()).remove(0)
    };
    let first = run();
    assert_eq!((&first["model"], &first["files"]), (&"tiny/open".into(), &4.into()));
    assert_eq!((&first["already_present"], &first["verified"]), (&0.into(), &1.into()));
    let again = run();
    assert_eq!((&again["already_present"], &again["verified"]), (&4.into(), &0.into()));
    assert_eq!(server.ranges().len(), 2, "one request for the size, one for the file");
    let snapshot = home.path().join(format!("hf/hub/models--tiny--open/snapshots/{COMMIT}"));
    assert!(!snapshot.join("onnx").exists() && !snapshot.join("../model.safetensors").exists());

    let rows = objects(&list(home.path(), &["--json"]));
    let row = rows.iter().find(|row| row["source"] == "tiny/open").unwrap();
    assert_eq!(
        (row["location"].as_str(), row["context"].as_u64()),
        (Some("hub-cache"), Some(2048))
    );
    let output = hub_command(home.path(), None, &check).output().unwrap();
    let lines = objects(std::str::from_utf8(&output.stdout).unwrap());
    assert!(output.status.success(), "{lines:?}");
    assert_eq!((&lines[1]["location"], &lines[2]["works"]), (&"hub-cache".into(), &true.into()));
}

#[test]
fn files_of_a_former_commit_are_not_fetched_again() {
    let home = tempfile::tempdir().unwrap();
    let server = FakeHub::start(&tiny_gguf::source(), HubFault::Nothing);
    preset(home.path(), "fetched", "tiny/open", "");
    let run = || {
        let fetch = ["models", "fetch", "fetched", "--json"];
        let output = hub_command(home.path(), Some(&server), &fetch).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        objects(std::str::from_utf8(&output.stdout).unwrap()).remove(0)
    };
    run();
    // The cache as if it held the former commit.
    let repository = home.path().join("hf/hub/models--tiny--open");
    let before = "fedcba9876543210fedcba9876543210fedcba98";
    let snapshots = repository.join("snapshots");
    std::fs::rename(snapshots.join(COMMIT), snapshots.join(before)).unwrap();
    std::fs::write(repository.join("refs/main"), before).unwrap();
    let asked = server.ranges().len();
    let again = run();
    assert_eq!((&again["already_present"], &again["verified"]), (&0.into(), &1.into()));
    assert_eq!(server.ranges().len(), asked, "the weights are in the cache");
    let check = ["models", "check", "fetched", "--json"];
    let output = hub_command(home.path(), None, &check).output().unwrap();
    assert!(output.status.success(), "{output:?}");

    // A file of the right size with other content is fetched again.
    std::fs::rename(snapshots.join(COMMIT), snapshots.join("old")).unwrap();
    let weights = std::fs::canonicalize(snapshots.join("old/model.safetensors")).unwrap();
    let mut bytes = std::fs::read(&weights).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    run();
    assert!(server.ranges().len() > asked);
}

#[test]
fn a_gguf_file_of_the_hub_is_fetched_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = copy(home.path(), "repository");
    tiny_gguf::convert(&folder.join("large-f32.gguf"));
    let server = FakeHub::start(&folder, HubFault::Nothing);
    preset(home.path(), "hubfile", "tiny/open/large-f32.gguf", "tokenizer = \"tiny/open\"");
    let row = || {
        let rows = objects(&list(home.path(), &["--json"]));
        rows.into_iter().find(|row| row["source"] == "tiny/open/large-f32.gguf").unwrap()
    };
    assert_eq!(row()["location"], "not-here");
    let check = ["models", "check", "hubfile", "--json"];
    let message = hub_command(home.path(), None, &check).output().unwrap();
    let message = String::from_utf8(message.stdout).unwrap();
    assert!(
        message.contains("`pointsman models fetch tiny/open/large-f32.gguf` downloads it"),
        "{message}"
    );

    let run =
        hub_command(home.path(), Some(&server), &["models", "fetch", "hubfile"]).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    let snapshot = home.path().join(format!("hf/hub/models--tiny--open/snapshots/{COMMIT}"));
    assert!(snapshot.join("tokenizer.json").exists(), "the tokenizer comes with it");
    assert!(!snapshot.join("model.safetensors").exists(), "other weights do not");
    assert_eq!((&row()["location"], &row()["architecture"]), (&"file".into(), &"llama".into()));
    let output = hub_command(home.path(), None, &check).output().unwrap();
    let lines = objects(std::str::from_utf8(&output.stdout).unwrap());
    assert_eq!(lines[2]["works"], true, "{lines:?}");

    // Fetching only the tokenizer later keeps the model complete.
    preset(home.path(), "whole", "tiny/open", "");
    for what in ["tiny/open", "hubfile"] {
        let fetch = ["models", "fetch", what];
        assert!(hub_command(home.path(), Some(&server), &fetch).output().unwrap().status.success());
    }
    let output =
        hub_command(home.path(), None, &["models", "check", "whole", "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");

    let wrong = ["models", "fetch", "tiny/open/other.gguf"];
    let message = fetch_error(hub_command(home.path(), Some(&server), &wrong));
    assert!(message.contains("has no file other.gguf: it has large-f32.gguf"), "{message}");
}

#[test]
fn a_model_in_several_files_needs_all_of_them() {
    let home = tempfile::tempdir().unwrap();
    let folder = copy(home.path(), "shards");
    let whole = folder.join("model.safetensors");
    let weights = candle_core::safetensors::load(&whole, &candle_core::Device::Cpu).unwrap();
    std::fs::rename(&whole, folder.join("consolidated.safetensors")).unwrap();
    let mut map = serde_json::Map::new();
    for shard in 0..2 {
        let file = format!("model-0000{}-of-00002.safetensors", shard + 1);
        let part = weights.iter().filter(|(name, _)| name.contains("mlp") == (shard == 1));
        let part: std::collections::HashMap<_, _> =
            part.map(|(n, t)| (n.clone(), t.clone())).collect();
        candle_core::safetensors::save(&part, folder.join(&file)).unwrap();
        map.extend(part.into_keys().map(|name| (name, file.clone().into())));
    }
    let index = serde_json::json!({ "weight_map": map }).to_string();
    std::fs::write(folder.join("model.safetensors.index.json"), index).unwrap();

    let server = FakeHub::start(&folder, HubFault::Nothing);
    preset(home.path(), "shards", "tiny/open", "");
    let output =
        hub_command(home.path(), Some(&server), &["models", "fetch", "shards"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let snapshot = home.path().join(format!("hf/hub/models--tiny--open/snapshots/{COMMIT}"));
    assert!(!snapshot.join("consolidated.safetensors").exists(), "a second copy of the weights");
    let check = ["models", "check", "shards", "--json"];
    let output = hub_command(home.path(), None, &check).output().unwrap();
    let lines = objects(std::str::from_utf8(&output.stdout).unwrap());
    assert_eq!((&lines[1]["parameters"], &lines[2]["works"]), (&951_424.into(), &true.into()));

    std::fs::remove_file(snapshot.join("model-00002-of-00002.safetensors")).unwrap();
    let output = hub_command(home.path(), None, &check).output().unwrap();
    let message = String::from_utf8(output.stdout).unwrap();
    assert!(message.contains("`pointsman models fetch tiny/open` downloads it"), "{message}");
}

#[test]
fn a_model_fetched_by_another_tool_is_loaded() {
    let home = tempfile::tempdir().unwrap();
    let repository = home.path().join("hf/hub/models--tiny--open");
    std::fs::create_dir_all(repository.join("refs")).unwrap();
    std::fs::write(repository.join("refs/main"), COMMIT).unwrap();
    let snapshot = copy(&repository, &format!("snapshots/{COMMIT}"));
    // Such tools fetch everything, including a second copy of the weights.
    let weights = snapshot.join("model.safetensors");
    std::fs::copy(&weights, snapshot.join("consolidated.safetensors")).unwrap();
    preset(home.path(), "theirs", "tiny/open", "");
    let server = FakeHub::start(&tiny_gguf::source(), HubFault::Nothing);
    for online in [None, Some(&server)] {
        let check = ["models", "check", "theirs", "--json"];
        let output = hub_command(home.path(), online, &check).output().unwrap();
        let lines = objects(std::str::from_utf8(&output.stdout).unwrap());
        assert!(output.status.success(), "{lines:?}");
        assert_eq!(
            (&lines[1]["location"], &lines[2]["works"]),
            (&"hub-cache".into(), &true.into())
        );
        assert_eq!(lines[1]["parameters"], 951_424, "the weights count once");
    }
    assert!(server.authorized().is_empty(), "the hub is not asked");
    let run = ["run", "--json", "--preset", "theirs", "--seed", "3"];
    let output = hub_command(home.path(), None, &run).output().unwrap();
    let started = objects(std::str::from_utf8(&output.stdout).unwrap()).remove(0);
    assert_eq!(started["models"]["large"]["digest"], "hub:tiny/open");
}

#[test]
fn a_missing_tokenizer_is_reported_with_its_source() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("large.gguf");
    tiny_gguf::convert(&file);
    let empty = home.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let server = FakeHub::start(&tiny_gguf::source(), HubFault::Nothing);
    for (tokenizer, expected) in [
        ("tiny/open", "the tokenizer tiny/open of model tiny-large is not in the local cache"),
        ("/no/where", "the tokenizer `/no/where` of model tiny-large: no such folder"),
        (empty.to_str().unwrap(), "empty has no tokenizer.json"),
    ] {
        preset(home.path(), "g", file.to_str().unwrap(), &format!("tokenizer = \"{tokenizer}\""));
        for command in [&["models", "check", "g"][..], &["run", "--preset", "g"]] {
            let output = hub_command(home.path(), Some(&server), command).output().unwrap();
            assert!(!output.status.success());
            let message = [output.stdout, output.stderr].concat();
            let message = String::from_utf8(message).unwrap();
            assert!(message.contains(expected), "{command:?}: {message}");
        }
    }
    assert!(server.authorized().is_empty(), "nothing is fetched without asking");
}

#[test]
fn an_interrupted_fetch_is_resumed() {
    let weights = std::fs::metadata(tiny_gguf::source().join("model.safetensors")).unwrap().len();
    let rest = format!("{}-", weights / 2);
    let fetch = ["models", "fetch", "tiny/open"];

    // As if killed after the last byte of a file, before the file was renamed.
    let home = tempfile::tempdir().unwrap();
    let blobs = home.path().join("hf/hub/models--tiny--open/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    let whole = std::fs::read(tiny_gguf::source().join("config.json")).unwrap();
    std::fs::write(blobs.join(format!("{}.part", sha256(&whole))), &whole).unwrap();
    let server = FakeHub::start(&tiny_gguf::source(), HubFault::BreaksOff);
    let output = hub_command(home.path(), Some(&server), &fetch).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.ranges(), ["0-0", "0-", "0-0", &rest], "a broken connection is made again");

    let home = tempfile::tempdir().unwrap();
    let server = FakeHub::start(&tiny_gguf::source(), HubFault::Stalls);
    let mut child =
        hub_command(home.path(), Some(&server), &fetch).stderr(Stdio::null()).spawn().unwrap();
    let blobs = home.path().join("hf/hub/models--tiny--open/blobs");
    let deadline = Instant::now() + Duration::from_secs(120);
    let half_is_here = || {
        let parts = std::fs::read_dir(&blobs).into_iter().flatten().flatten();
        let mut parts = parts.filter(|part| part.path().extension().is_some_and(|e| e == "part"));
        parts.any(|part| part.metadata().is_ok_and(|m| m.len() == weights / 2))
    };
    while !half_is_here() {
        assert!(Instant::now() < deadline, "half of the weights do not arrive");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = hub_command(home.path(), Some(&server), &fetch).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.ranges().last(), Some(&rest), "only the rest is requested");
    let message = String::from_utf8(output.stdout).unwrap();
    assert!(message.contains("1 verified by SHA-256"), "{message}");
}

#[test]
fn a_failed_fetch_gives_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let server = FakeHub::start(&tiny_gguf::source(), HubFault::Corrupt);
    let message =
        fetch_error(hub_command(home.path(), Some(&server), &["models", "fetch", "tiny/open"]));
    assert!(
        message.contains("model.safetensors of tiny/open came with a wrong checksum"),
        "{message}"
    );
    let message =
        fetch_error(hub_command(home.path(), Some(&server), &["models", "fetch", "tiny/open"]));
    assert!(message.contains("wrong checksum"), "a broken file is not kept: {message}");
    let message =
        fetch_error(hub_command(home.path(), Some(&server), &["models", "fetch", "no/body"]));
    assert!(
        message.contains("no/body cannot be read") && message.contains("check the name"),
        "{message}"
    );

    let server = FakeHub::start(&tiny_gguf::source(), HubFault::Huge);
    let message =
        fetch_error(hub_command(home.path(), Some(&server), &["models", "fetch", "tiny/open"]));
    assert!(message.contains("free some space"), "{message}");

    let server = FakeHub::start(&tiny_gguf::source(), HubFault::Nothing);
    let gated = ["models", "fetch", "tiny/gated"];
    let message = fetch_error(hub_command(home.path(), Some(&server), &gated));
    assert!(message.contains("gated") && message.contains("HF_TOKEN"), "{message}");
    let mut command = hub_command(home.path(), Some(&server), &gated);
    command.env("HF_TOKEN", "not-this-one");
    let message = fetch_error(command);
    assert!(
        message.contains("refuses the token") && !message.contains("not-this-one"),
        "{message}"
    );
    let output =
        hub_command(home.path(), Some(&server), &gated).env("HF_TOKEN", "secret").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(server.authorized().iter().skip(2).all(|token| *token));
    let grep = Command::new("grep").args(["-rl", "secret"]).arg(home.path()).output().unwrap();
    assert_eq!(String::from_utf8(grep.stdout).unwrap(), "", "the token is stored nowhere");

    let (code, message) = failure(home.path(), &["models", "fetch"]);
    assert_eq!(code, 2);
    assert!(message.contains("preset tiny has no model on the Hugging Face hub"), "{message}");
}

//! The kinds of models, a row each in [`ENGINE_KINDS`].
//!
//! A row says how the kind's `source` strings look, what its engines can do, and how its files are found. A new kind
//! is a new row; a new [`Runtime`] also needs an arm in [`load`](super::load()).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::embedded::{self, BUILTIN};
use super::error::EngineError;
use super::hub;
use super::model_files::weight_files;
use super::token_stats::TokenStats;
use crate::config::{Api, ModelConfig};

/// A kind of model, chosen by the `source` of a model in a preset.
#[derive(Debug)]
pub struct EngineKind {
    /// Its name.
    pub name: &'static str,
    /// The form of its `source` strings, by example.
    pub source_form: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// What runs it.
    pub runtime: Runtime,
    /// The statistics of its tokens that its engines report; see [`token_stats`] for the one of a preset.
    pub token_stats: TokenStats,
    /// Whether its engines can score a text that another model wrote.
    pub can_score_text: bool,
    /// Which part of a prefix needs no prefill.
    pub prefix_reuse: PrefixReuse,
    /// Whether a `source` is of this kind; asked in the order of the rows.
    recognizes: fn(&str) -> bool,
    /// Finds the model's files; the folder is the cache for unpacked ones.
    locate: fn(&str, &Path) -> Result<LocatedModel, EngineError>,
}

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// mistral.rs in this process.
    InProcess,
    /// A server with this API.
    Server(Api),
}

/// Which part of a prefix an engine does not compute again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixReuse {
    /// Everything of this episode, from the KV cache in this process.
    KvCache,
    /// What the server reports as cached.
    AsReported,
}

impl std::fmt::Display for PrefixReuse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::KvCache => "the KV cache",
            Self::AsReported => "what the server reports as cached",
        })
    }
}

/// All kinds. The first row that recognizes a source wins.
pub static ENGINE_KINDS: [EngineKind; 7] = [
    EngineKind {
        name: "embedded",
        source_form: "builtin:tiny/small",
        help: "a model inside the binary",
        runtime: Runtime::InProcess,
        token_stats: TokenStats::Distribution,
        can_score_text: true,
        prefix_reuse: PrefixReuse::KvCache,
        recognizes: |source| source.starts_with(BUILTIN),
        locate: |source, cache| embedded::unpack(source, cache).map(LocatedModel::Embedded),
    },
    EngineKind {
        name: "GGUF file",
        source_form: "/models/qwen3-8b-q8_0.gguf",
        help: "a GGUF file; `tokenizer` names a folder or hub id with tokenizer.json",
        runtime: Runtime::InProcess,
        token_stats: TokenStats::Distribution,
        can_score_text: true,
        prefix_reuse: PrefixReuse::KvCache,
        recognizes: |source| Path::new(source).is_file(),
        locate: |source, _| Ok(LocatedModel::Gguf(PathBuf::from(source))),
    },
    EngineKind {
        name: "hub model",
        source_form: "Qwen/Qwen3-8B",
        help: "a model of the Hugging Face hub, from its local cache",
        runtime: Runtime::InProcess,
        token_stats: TokenStats::Distribution,
        can_score_text: true,
        prefix_reuse: PrefixReuse::KvCache,
        recognizes: |source| hub::is_hub_id(source) && !Path::new(source).exists(),
        locate: locate_hub_model,
    },
    EngineKind {
        name: "hub GGUF file",
        source_form: "owner/name/file.gguf",
        help: "a GGUF file of the Hugging Face hub, from its local cache",
        runtime: Runtime::InProcess,
        token_stats: TokenStats::Distribution,
        can_score_text: true,
        prefix_reuse: PrefixReuse::KvCache,
        recognizes: |source| hub::hub_file(source).is_some() && !Path::new(source).exists(),
        locate: locate_hub_file,
    },
    EngineKind {
        name: "folder",
        source_form: "/models/qwen3-8b",
        help: "a folder with config.json, tokenizer.json and safetensors",
        runtime: Runtime::InProcess,
        token_stats: TokenStats::Distribution,
        can_score_text: true,
        prefix_reuse: PrefixReuse::KvCache,
        // Last of the local kinds: any other text is the path of a folder.
        recognizes: |_| true,
        locate: locate_folder,
    },
    EngineKind {
        name: "remote completions",
        source_form: "http://gpu-box:8000/v1",
        help: "a model of a server with /completions (`remote.api = \"completions\"`, the default)",
        runtime: Runtime::Server(Api::Completions),
        token_stats: TokenStats::Logprobs,
        can_score_text: false,
        prefix_reuse: PrefixReuse::AsReported,
        recognizes: |_| true,
        locate: locate_nothing,
    },
    EngineKind {
        name: "remote chat",
        source_form: "https://api.example.com/v1",
        help: "a model of a server with /chat/completions (`remote.api = \"chat\"`)",
        runtime: Runtime::Server(Api::Chat),
        token_stats: TokenStats::Logprobs,
        can_score_text: false,
        prefix_reuse: PrefixReuse::AsReported,
        recognizes: |_| true,
        locate: locate_nothing,
    },
];

impl EngineKind {
    /// The kind of a preset's model. A model with a table `remote` is a remote one; of the others, the form of
    /// `source` and the files on this disk decide.
    pub fn of(config: &ModelConfig) -> &'static Self {
        let runtime = config.remote.as_ref().map_or(Runtime::InProcess, |r| Runtime::Server(r.api));
        let is_of_kind =
            |kind: &&Self| kind.runtime == runtime && (kind.recognizes)(&config.source);
        // A row of each runtime recognizes everything.
        ENGINE_KINDS.iter().find(is_of_kind).unwrap_or(&ENGINE_KINDS[0])
    }

    /// Whether its models run in this process and use its memory, rather than on a server.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.runtime == Runtime::InProcess
    }
}

/// The token statistics that the model of a preset reports: those of its kind, or none if `remote.logprobs` is 0.
pub fn token_stats(config: &ModelConfig) -> TokenStats {
    match &config.remote {
        Some(remote) if remote.logprobs == 0 => TokenStats::None,
        _ => EngineKind::of(config).token_stats,
    }
}

/// Where a model's files are on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LocatedModel {
    /// The folder where a model of the binary was unpacked.
    Embedded(PathBuf),
    /// A folder with config.json, tokenizer.json and safetensors.
    Folder(PathBuf),
    /// A GGUF file.
    Gguf(PathBuf),
    /// A complete snapshot in the local cache of the hub.
    HubSnapshot(PathBuf),
}

/// Finds the files of a preset's model, which runs in this process; a model of the binary is unpacked below `cache`.
///
/// # Errors
/// If `source` names nothing, the model of a hub is not or not completely in the local cache, or a file cannot be read
/// or unpacked.
pub(super) fn locate(config: &ModelConfig, cache: &Path) -> Result<LocatedModel, EngineError> {
    (EngineKind::of(config).locate)(&config.source, cache)
}

fn locate_folder(source: &str, _: &Path) -> Result<LocatedModel, EngineError> {
    let folder = Path::new(source);
    if !folder.is_dir() {
        return Err(EngineError::NotFound(source.to_owned()));
    }
    for needed in ["config.json", "tokenizer.json"] {
        let path = folder.join(needed);
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(EngineError::unreadable_file(&path, &error));
            }
            _ => return Err(EngineError::Incomplete(folder.to_owned(), needed)),
        }
    }
    if weight_files(folder)?.is_empty() {
        return Err(EngineError::Incomplete(folder.to_owned(), "*.safetensors"));
    }
    Ok(LocatedModel::Folder(folder.to_owned()))
}

fn locate_hub_model(source: &str, _: &Path) -> Result<LocatedModel, EngineError> {
    let snapshot = hub::snapshot_dir(source).map(LocatedModel::HubSnapshot);
    snapshot.ok_or_else(|| EngineError::NotFetched(source.to_owned()))
}

fn locate_hub_file(source: &str, _: &Path) -> Result<LocatedModel, EngineError> {
    let file = hub::hub_file(source).and_then(|(id, file)| hub::cached_file(id, file));
    file.map(LocatedModel::Gguf).ok_or_else(|| EngineError::NotFetched(source.to_owned()))
}

/// A remote model has no files on this machine.
fn locate_nothing(source: &str, _: &Path) -> Result<LocatedModel, EngineError> {
    Err(EngineError::NotFound(source.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(model: &str) -> &'static str {
        EngineKind::of(&toml::from_str(model).unwrap()).name
    }

    #[test]
    fn sources_are_recognized() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("m.gguf");
        std::fs::write(&file, "").unwrap();
        let source = |source: &str| kind(&format!("source = {source:?}"));
        assert_eq!(source("builtin:tiny/small"), "embedded");
        assert_eq!(source(file.to_str().unwrap()), "GGUF file");
        assert_eq!(source(home.path().to_str().unwrap()), "folder");
        assert_eq!(source("/no/where"), "folder");
        assert_eq!(source("Qwen/Qwen3-8B"), "hub model");
        assert_eq!(source("owner/name/m.gguf"), "hub GGUF file");
        let remote = |api: &str| {
            kind(&format!("source = \"http://host/v1\"\n[remote]\nmodel = \"m\"\napi = \"{api}\""))
        };
        assert_eq!(remote("completions"), "remote completions");
        assert_eq!(remote("chat"), "remote chat");
    }

    #[test]
    fn every_row_is_recognized_by_its_example() {
        for row in &ENGINE_KINDS {
            assert!((row.recognizes)(row.source_form) || row.name == "GGUF file", "{}", row.name);
        }
    }

    #[test]
    fn a_remote_model_without_logprobs_gives_no_statistics() {
        let stats = |remote: &str| {
            let text = format!("source = \"http://host/v1\"\n[remote]\nmodel = \"m\"\n{remote}");
            token_stats(&toml::from_str(&text).unwrap())
        };
        assert_eq!(stats(""), TokenStats::Logprobs);
        assert_eq!(stats("logprobs = 0"), TokenStats::None);
        let local = toml::from_str("source = \"builtin:tiny/small\"").unwrap();
        assert_eq!(token_stats(&local), TokenStats::Distribution);
    }
}

//! The form of hub ids and file names.

use std::path::Path;

use crate::engine::model_files::has_extension;

/// Whether `source` has the form of a Hugging Face id: `owner/name`. Texts that start with `.`, `/` or `~` or end with
/// `.gguf` are paths, and those with a colon are of another kind.
pub fn is_hub_id(source: &str) -> bool {
    let parts: Vec<&str> = source.split('/').collect();
    let is_name = |part: &&str| !part.is_empty() && !part.starts_with(['.', '~']);
    parts.len() == 2
        && parts.iter().all(is_name)
        && !has_extension(source, "gguf")
        && !source.contains(':')
}

/// The id and the file name, if `source` has the form `owner/name/file.gguf`.
pub(in crate::engine) fn hub_file(source: &str) -> Option<(&str, &str)> {
    let (id, file) = source.rsplit_once('/')?;
    (has_extension(file, "gguf") && is_hub_id(id)).then_some((id, file))
}

/// Whether `source` names a model or a GGUF file of the hub, and no local path of the same name exists.
pub fn is_on_hub(source: &str) -> bool {
    (is_hub_id(source) || hub_file(source).is_some()) && !Path::new(source).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_files_of_the_hub_differ_from_paths() {
        assert!(is_hub_id("Qwen/Qwen3-8B") && hub_file("Qwen/Qwen3-8B").is_none());
        assert_eq!(hub_file("o/n/m-q8_0.gguf"), Some(("o/n", "m-q8_0.gguf")));
        for path in
            ["n/m.gguf", "/o/n/m.gguf", "./n/m.gguf", "~/n/m.gguf", "a/o/n/m.gguf", "m.gguf"]
        {
            assert!(!is_hub_id(path) && hub_file(path).is_none(), "{path}");
        }
    }
}

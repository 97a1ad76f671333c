//! Loads policy files, embedded ones and the user's.

use std::path::Path;

use rust_embed::RustEmbed;

use super::{Policy, RouterError};
use crate::engine::BUILTIN;
use crate::user_file::{self, MAX_POLICY};

/// The policies embedded in the binary.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/presets"]
#[include = "*/policy.safetensors"]
struct EmbeddedPolicies;

/// Loads the policy that `source` names: an embedded one such as `builtin:tiny`, or a file.
///
/// # Errors
/// [`RouterError::Policy`] if there is none, or it cannot be used.
pub fn load_policy(source: &str) -> Result<Policy, RouterError> {
    let failed = |reason: String| RouterError::Policy { name: source.to_owned(), reason };
    let bytes = if let Some(name) = source.strip_prefix(BUILTIN) {
        let file = EmbeddedPolicies::get(&format!("{name}/policy.safetensors"));
        file.ok_or_else(|| failed("no policy of this name is embedded in the binary".into()))?.data
    } else {
        let file = user_file::read(Path::new(source), MAX_POLICY);
        file.map_err(|e| failed(format!("cannot read it: {e}")))?.into()
    };
    Policy::from_bytes(&bytes).map_err(|e| failed(e.to_string()))
}

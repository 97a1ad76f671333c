//! Loads policy files, embedded ones and the user's.

use rust_embed::RustEmbed;

use super::{Policy, RouterError};
use crate::engine::BUILTIN;

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
    let bytes = match source.strip_prefix(BUILTIN) {
        Some(name) => {
            let file = EmbeddedPolicies::get(&format!("{name}/policy.safetensors"));
            file.ok_or_else(|| failed("no policy of this name is embedded in the binary".into()))?
                .data
        }
        None => std::fs::read(source).map_err(|e| failed(e.to_string()))?.into(),
    };
    Policy::from_bytes(&bytes).map_err(|e| failed(e.to_string()))
}

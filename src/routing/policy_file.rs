//! Policy files: those inside the binary, and the user's.

use rust_embed::RustEmbed;

use super::{Policy, RouterError};
use crate::engine::BUILTIN;

/// The policies inside the binary.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/presets"]
#[include = "*/policy.safetensors"]
struct EmbeddedPolicies;

/// Loads the policy that `source` names: `builtin:tiny`, or a file's path.
///
/// # Errors
/// When there is none, or it cannot be used; the sentence names it.
pub fn load_policy(source: &str) -> Result<Policy, RouterError> {
    let failed = |reason: String| RouterError::Policy { name: source.to_owned(), reason };
    let bytes = match source.strip_prefix(BUILTIN) {
        Some(name) => {
            let file = EmbeddedPolicies::get(&format!("{name}/policy.safetensors"));
            file.ok_or_else(|| failed("there is none of that name in the binary".into()))?.data
        }
        None => std::fs::read(source).map_err(|e| failed(e.to_string()))?.into(),
    };
    Policy::from_bytes(&bytes).map_err(|e| failed(e.to_string()))
}

//! Progress bars, on standard error.

use super::error::CommandResult;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `n` things with a word before it, the rate and the time left behind it.
///
/// # Errors
/// When its template is broken.
pub fn bar(n: usize, prefix: &str) -> CommandResult<ProgressBar> {
    let style = ProgressStyle::with_template(
        "{prefix:>14} {bar:30} {pos}/{len} {per_sec} {eta} left {msg}",
    )?;
    let bar = ProgressBar::new(n as u64).with_style(style.progress_chars("=> "));
    bar.set_prefix(prefix.to_owned());
    Ok(bar)
}

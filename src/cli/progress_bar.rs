//! Progress bars, on standard error.

use indicatif::{ProgressBar, ProgressStyle};

use super::error::CommandResult;
use super::reader_watch;
use crate::engine::Flow;

/// A bar of `n` items, with `prefix` before it and the rate and the time left after it.
///
/// # Errors
/// Never, unless the template in this function is wrong.
pub(super) fn bar(n: usize, prefix: &str) -> CommandResult<ProgressBar> {
    let style = ProgressStyle::with_template(
        "{prefix:>14} {bar:30} {pos}/{len} {per_sec} {eta} left {msg}",
    )?;
    let bar = ProgressBar::new(n as u64).with_style(style.progress_chars("=> "));
    bar.set_prefix(prefix.to_owned());
    Ok(bar)
}

/// Counts one item, and cancels the work once nobody reads its result.
pub(super) fn counted(bar: &ProgressBar) -> Flow {
    bar.inc(1);
    reader_watch::flow()
}

//! sled panics over some damages. Here such a panic is an error, and prints nothing.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use super::tables::TableError;

thread_local! {
    /// Whether a panic of this thread is caught, so that it need not be printed.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic is an error.
pub(super) fn without_panic<T>(
    work: impl FnOnce() -> Result<T, TableError>,
) -> Result<T, TableError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !EXPECTED.get() {
                print(panic);
            }
        }));
    });
    EXPECTED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(false);
    result.unwrap_or_else(|_| Err("sled cannot cope with the damage".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(without_panic(|| Ok(3)), Ok(3));
        let damaged: [u8; 0] = [];
        assert!(without_panic(|| Ok(damaged.iter().max().copied().unwrap())).is_err());
    }
}

//! Opening the store of the command line.

use std::time::Duration;

use super::options::CommonArgs;
use super::output;
use super::stdio::note;
use crate::config::Folders;
use crate::store::{Store, StoreError};

/// Opens the store for writing. Waits for another process that has it open, and says so.
///
/// # Errors
/// As for [`Store::open`].
pub(super) fn for_writing(common: &CommonArgs, folders: &Folders) -> Result<Store, StoreError> {
    let path = common.store(folders);
    let wait = Duration::from_secs(common.store_wait);
    let store = Store::open_waiting(&path, wait, |holder| {
        note!(
            "pointsman: {holder} has the store {} open: waiting up to {} s",
            path.display(),
            common.store_wait
        );
    })?;
    print_notices(&store);
    Ok(store)
}

/// Opens the store for reading, which is possible while another process writes.
///
/// # Errors
/// As for [`Store::open_read_only`].
pub(super) fn for_reading(common: &CommonArgs, folders: &Folders) -> Result<Store, StoreError> {
    let store = Store::open_read_only(&common.store(folders))?;
    print_notices(&store);
    Ok(store)
}

fn print_notices(store: &Store) {
    for notice in store.notices() {
        note!("pointsman: {}", output::strip_control_chars(notice));
    }
}

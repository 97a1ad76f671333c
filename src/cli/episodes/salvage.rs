//! `pointsman episodes salvage`.

use std::path::Path;

use crate::cli::error::CommandResult;
use crate::cli::output;
use crate::store::Store;

pub(super) fn run(store: &Store, to: &Path) -> CommandResult<()> {
    let report = store.salvage(to)?;
    for (id, events) in &report.shortened {
        output::print_line(&format!("episode {id}: the first {events} events are copied"))?;
    }
    for id in &report.lost {
        output::print_line(&format!("episode {id}: nothing is left"))?;
    }
    Ok(output::print_line(&format!(
        "{} complete episodes, {} shortened and {} lost; the new store is {}",
        report.complete,
        report.shortened.len(),
        report.lost.len(),
        to.display()
    ))?)
}

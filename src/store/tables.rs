//! The tables that the log describes: what every part of the store reads.

use super::log::Location;
use super::operation::{Operation, Table};

/// Why a table cannot be read or changed, as a phrase.
pub(super) type TableError = String;

/// A row: its key and its value.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// Rows in the order of their keys. They end after the first error, because an index that cannot be read may repeat
/// its error for ever.
pub(super) type Rows<'a> = Box<dyn Iterator<Item = Result<Row, TableError>> + 'a>;

/// The rows of all tables. [`super::sled_tables::SledTables`] holds them for the process that writes,
/// [`super::log_tables::LogTables`] reads them from the log.
pub(super) trait Tables: Send + Sync {
    /// The value of a row of any table except [`Table::Events`].
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError>;

    /// The rows of any table except [`Table::Events`] whose keys are below `end` if it is given, in ascending or
    /// descending order.
    fn rows(&self, table: Table, end: Option<&[u8]>, descending: bool) -> Rows<'_>;

    /// Number of rows of any table except [`Table::Events`].
    fn count(&self, table: Table) -> Result<usize, TableError>;

    /// The events of an episode as JSON; `None` for an event that was lost.
    fn events(&self, id: u64) -> Result<Vec<Option<Vec<u8>>>, TableError>;

    /// Index that the next event of the episode gets; 0 if it has none.
    fn next_event(&self, id: u64) -> Result<u32, TableError>;

    /// Applies the operations of record number `record`, which is at `at`.
    fn apply(&self, record: u64, at: Location, operations: &[Operation]) -> Result<(), TableError>;

    /// Frees the space of removed rows, so that nothing of them stays on disk.
    fn compact(&self) -> Result<(), TableError> {
        Ok(())
    }

    /// Called once, when the store closes after `last_record`. Returns whether there is an index that is complete.
    fn close(&self, last_record: u64) -> Result<bool, TableError>;
}

/// The rows until the first error, with that error.
pub(super) fn until_error<'a>(
    rows: impl Iterator<Item = Result<Row, TableError>> + 'a,
) -> Rows<'a> {
    let mut failed = false;
    Box::new(rows.take_while(move |row| !std::mem::replace(&mut failed, row.is_err())))
}

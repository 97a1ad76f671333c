//! Reading and changing the annotations of stored episodes.

use std::collections::BTreeSet;

use super::operation::{Operation, Table};
use super::{Annotations, Store, StoreError};

impl Store {
    /// The user's annotations of episode `id`; the default if there are none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Read`] if they cannot be read.
    pub fn annotations(&self, id: u64) -> Result<Annotations, StoreError> {
        let json = self.tables.get(Table::Annotations, &id.to_be_bytes());
        self.parse_annotations(id, json.map_err(|e| self.read_error(&e))?.as_deref())
    }

    /// Changes the annotations of the episodes `ids`: of all, or of none. Once this has
    /// returned, the change is on disk.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::InTrash`] for the first such episode, [`StoreError::Write`] if the
    /// disk refuses.
    pub fn annotate(
        &self,
        ids: &[u64],
        change: impl Fn(&mut Annotations),
    ) -> Result<(), StoreError> {
        self.update_annotations(ids, |id, annotations| {
            if annotations.trashed.is_some() {
                return Err(StoreError::InTrash(id));
            }
            change(annotations);
            Ok(())
        })
    }

    /// Changes the annotations of `ids` in one record.
    pub(super) fn update_annotations(
        &self,
        ids: &[u64],
        change: impl Fn(u64, &mut Annotations) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<u64> = ids.iter().copied().collect();
        let episode = ids.first().copied().filter(|_| ids.len() == 1).unwrap_or(0);
        self.change(episode, |tables| {
            let mut operations = Vec::new();
            for &id in &ids {
                let key = id.to_be_bytes();
                let row = tables.get(Table::Episodes, &key).map_err(|e| self.read_error(&e))?;
                row.ok_or_else(|| self.missing_error(id))?;
                let old = self.annotations(id)?;
                let mut annotations = old.clone();
                change(id, &mut annotations)?;
                if annotations == Annotations::default() {
                    operations.push(Operation::remove(Table::Annotations, &key));
                } else if annotations != old {
                    let json = self.to_json(&annotations)?;
                    operations.push(Operation::put(Table::Annotations, &key, json));
                }
            }
            Ok((operations, ()))
        })
    }

    pub(super) fn parse_annotations(
        &self,
        id: u64,
        json: Option<&[u8]>,
    ) -> Result<Annotations, StoreError> {
        let Some(json) = json else {
            return Ok(Annotations::default());
        };
        let annotations = serde_json::from_slice(json);
        annotations.map_err(|e| self.damaged_error(id, &format!("tags and note: {e}")))
    }
}

//! Reading and changing the annotations of stored episodes.

use std::collections::BTreeSet;

use sled::IVec;
use sled::transaction::{ConflictableTransactionError, TransactionError};

use super::{Annotations, Store, StoreError};

impl Store {
    /// The user's annotations of episode `id`; the default if there are none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Read`] if they cannot be read.
    pub fn annotations(&self, id: u64) -> Result<Annotations, StoreError> {
        let json = self.annotations.get(id.to_be_bytes()).map_err(|e| self.read_error(&e))?;
        self.parse_annotations(id, json.as_ref())
    }

    /// Changes the annotations of the episodes `ids`: of all, or of none. `change` may be called several times for
    /// each. Once this has returned, the change survives a crash.
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

    /// Changes the annotations of `ids` in one transaction and flushes them.
    pub(super) fn update_annotations(
        &self,
        ids: &[u64],
        change: impl Fn(u64, &mut Annotations) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<u64> = ids.iter().copied().collect();
        for &id in &ids {
            let exists = self.episodes.contains_key(id.to_be_bytes());
            if !exists.map_err(|e| self.read_error(&e))? {
                return Err(self.missing_error(id));
            }
        }
        let result = self.annotations.transaction(|tree| {
            for &id in &ids {
                let key = id.to_be_bytes();
                let old = tree.get(key)?;
                let new = self.parse_annotations(id, old.as_ref()).and_then(|mut annotations| {
                    change(id, &mut annotations)?;
                    let is_default = annotations == Annotations::default();
                    if is_default { Ok(None) } else { self.to_json(&annotations).map(Some) }
                });
                match new.map_err(ConflictableTransactionError::Abort)? {
                    Some(json) => tree.insert(&key, json)?,
                    None => tree.remove(&key)?,
                };
            }
            Ok(())
        });
        result.map_err(|e| self.transaction_error(e))?;
        self.flush()
    }

    pub(super) fn transaction_error(&self, error: TransactionError<StoreError>) -> StoreError {
        match error {
            TransactionError::Abort(error) => error,
            TransactionError::Storage(error) => self.write_error(&error),
        }
    }

    pub(super) fn parse_annotations(
        &self,
        id: u64,
        json: Option<&IVec>,
    ) -> Result<Annotations, StoreError> {
        let Some(json) = json else {
            return Ok(Annotations::default());
        };
        let annotations = serde_json::from_slice(json);
        annotations.map_err(|e| self.damaged_error(id, &format!("tags and note: {e}")))
    }
}

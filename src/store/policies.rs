//! Policies in the store: their files, the promotions, and calibrated thresholds.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::counters::Counter;
use super::operation::{Operation, Table, number_of};
use super::{Store, StoreError};

impl Store {
    /// The number of a new policy. Numbers are counted from 1 and never reused.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses.
    pub fn next_policy_id(&self) -> Result<u64, StoreError> {
        self.advance(Counter::Policy, 1)
    }

    /// Saves the file of a policy.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses.
    pub fn save_policy(&self, policy: u64, file: &[u8]) -> Result<(), StoreError> {
        self.put(Table::Policies, &policy.to_be_bytes(), file)
    }

    /// Deletes the file of a policy, unless the policy was ever promoted.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Write`] if the disk refuses.
    pub fn delete_policy(&self, policy: u64) -> Result<(), StoreError> {
        self.change(0, |tables| {
            for row in tables.rows(Table::Promotions, None, false) {
                let (_, json) = row.map_err(|e| self.read_error(&e))?;
                let promotions: Vec<u64> = self.read_json(&json)?;
                if promotions.contains(&policy) {
                    return Ok((Vec::new(), ()));
                }
            }
            Ok((vec![Operation::remove(Table::Policies, &policy.to_be_bytes())], ()))
        })
    }

    /// The numbers and files of all policies, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Read`] if they cannot be read.
    pub fn policies(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let rows = self.tables.rows(Table::Policies, None, false).map(|row| {
            let (key, file) = row.map_err(|e| self.read_error(&e))?;
            Ok((number_of(&key), file))
        });
        rows.collect()
    }

    /// The numbers of the policies that were promoted for `preset`, in the order of their promotion; the last one is
    /// active.
    ///
    /// # Errors
    /// [`StoreError::Read`] if they cannot be read.
    pub fn promotions(&self, preset: &str) -> Result<Vec<u64>, StoreError> {
        let json = self.tables.get(Table::Promotions, preset.as_bytes());
        json.map_err(|e| self.read_error(&e))?.map_or(Ok(Vec::new()), |json| self.read_json(&json))
    }

    /// Makes `policy` the active one for `preset`.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Write`] if the disk refuses.
    pub fn promote(&self, preset: &str, policy: u64) -> Result<(), StoreError> {
        let mut promotions = self.promotions(preset)?;
        promotions.push(policy);
        self.put(Table::Promotions, preset.as_bytes(), &self.to_json(&promotions)?)
    }

    /// Undoes the last promotion for `preset`: the policy before it becomes active again. Returns the number of the
    /// demoted policy; `None` if there was no promotion.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Write`] if the disk refuses.
    pub fn roll_back(&self, preset: &str) -> Result<Option<u64>, StoreError> {
        let mut promotions = self.promotions(preset)?;
        let demoted = promotions.pop();
        if demoted.is_some() {
            self.put(Table::Promotions, preset.as_bytes(), &self.to_json(&promotions)?)?;
        }
        Ok(demoted)
    }

    /// Saves a calibration.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses.
    pub fn save_calibration(&self, calibration: &impl Serialize) -> Result<(), StoreError> {
        let index = self.advance(Counter::Calibration, 1)?;
        self.put(Table::Calibrations, &index.to_be_bytes(), &self.to_json(calibration)?)
    }

    /// All calibrations, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Read`] if they cannot be read.
    pub fn calibrations<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        let rows = self.tables.rows(Table::Calibrations, None, false);
        rows.map(|row| self.read_json(&row.map_err(|e| self.read_error(&e))?.1)).collect()
    }

    fn put(&self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.change(0, |_| Ok((vec![Operation::put(table, key, value)], ())))
    }

    fn read_json<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(json).map_err(|e| self.read_error(&e.to_string()))
    }
}

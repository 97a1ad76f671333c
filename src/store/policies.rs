//! Policies in the store: their files, which one is in force, and calibrated thresholds.
//!
//! The tree `policies` holds every policy's file by its number; `reign` the numbers that were
//! promoted for each preset, the last of which is in force; `calibrations` thresholds as JSON, in the
//! order in which they were found.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, StoreError, decode_u64};

impl Store {
    /// A new policy's number; numbers are counted from 1 and never given twice.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn next_policy_id(&self) -> Result<u64, StoreError> {
        self.increment("last_policy")
    }

    /// Keeps a policy's file.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save_policy(&self, policy: u64, file: &[u8]) -> Result<(), StoreError> {
        self.put("policies", &policy.to_be_bytes(), file)
    }

    /// Deletes a policy's file, unless it was ever promoted.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn delete_policy(&self, policy: u64) -> Result<(), StoreError> {
        let promotions_tree = self.db.open_tree("reign").map_err(|e| self.read_error(&e))?;
        for json in promotions_tree.iter().values() {
            let promotions: Vec<u64> = self.read_json(&json.map_err(|e| self.read_error(&e))?)?;
            if promotions.contains(&policy) {
                return Ok(());
            }
        }
        let tree = self.db.open_tree("policies").map_err(|e| self.write_error(&e))?;
        tree.remove(policy.to_be_bytes()).map_err(|e| self.write_error(&e))?;
        self.flush()
    }

    /// The files of all policies with their numbers, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn policies(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let tree = self.db.open_tree("policies").map_err(|e| self.read_error(&e))?;
        let rows = tree.iter().map(|row| {
            let (key, file) = row.map_err(|e| self.read_error(&e))?;
            Ok((decode_u64(Some(&key)), file.to_vec()))
        });
        rows.collect()
    }

    /// The numbers that were promoted for `preset`, in that order: the last one is in force.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn promotions(&self, preset: &str) -> Result<Vec<u64>, StoreError> {
        let tree = self.db.open_tree("reign").map_err(|e| self.read_error(&e))?;
        let json = tree.get(preset).map_err(|e| self.read_error(&e))?;
        json.map_or(Ok(Vec::new()), |json| self.read_json(&json))
    }

    /// Puts `policy` in force for `preset`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn promote(&self, preset: &str, policy: u64) -> Result<(), StoreError> {
        let mut promotions = self.promotions(preset)?;
        promotions.push(policy);
        self.put("reign", preset.as_bytes(), &self.to_json(&promotions)?)
    }

    /// Puts the policy in force that was before the last promotion. Returns the number of the one
    /// that was demoted; nothing where none had been promoted.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn roll_back(&self, preset: &str) -> Result<Option<u64>, StoreError> {
        let mut promotions = self.promotions(preset)?;
        let demoted = promotions.pop();
        if demoted.is_some() {
            self.put("reign", preset.as_bytes(), &self.to_json(&promotions)?)?;
        }
        Ok(demoted)
    }

    /// Keeps a calibration.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save_calibration(&self, calibration: &impl Serialize) -> Result<(), StoreError> {
        let index = self.increment("last_calibration")?;
        self.put("calibrations", &index.to_be_bytes(), &self.to_json(calibration)?)
    }

    /// All calibrations, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn calibrations<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        let tree = self.db.open_tree("calibrations").map_err(|e| self.read_error(&e))?;
        let rows = tree.iter().values();
        rows.map(|row| self.read_json(&row.map_err(|e| self.read_error(&e))?)).collect()
    }

    fn put(&self, tree: &str, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let tree = self.db.open_tree(tree).map_err(|e| self.write_error(&e))?;
        tree.insert(key, value).map_err(|e| self.write_error(&e))?;
        self.flush()
    }

    fn read_json<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(json).map_err(|e| self.read_error(&e))
    }
}

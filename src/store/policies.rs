//! Policies in the store: their files, the promotions, and calibrated thresholds.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::database::decode_u64;
use super::{Store, StoreError};

/// Tree of policy files, by the policy's number.
const POLICIES: &str = "policies";
/// Tree of the promoted policies' numbers as JSON, by preset; the last one is active. The name is that of the first
/// version, so that its stores open.
const PROMOTIONS: &str = "reign";
/// Tree of calibrations as JSON, in the order in which they were made.
const CALIBRATIONS: &str = "calibrations";

impl Store {
    /// The number of a new policy. Numbers are counted from 1 and never reused.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses.
    pub fn next_policy_id(&self) -> Result<u64, StoreError> {
        self.increment("last_policy")
    }

    /// Saves the file of a policy.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses.
    pub fn save_policy(&self, policy: u64, file: &[u8]) -> Result<(), StoreError> {
        self.put(POLICIES, &policy.to_be_bytes(), file)
    }

    /// Deletes the file of a policy, unless the policy was ever promoted.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Write`] if the disk refuses.
    pub fn delete_policy(&self, policy: u64) -> Result<(), StoreError> {
        for json in self.tree(PROMOTIONS)?.iter().values() {
            let promotions: Vec<u64> = self.read_json(&json.map_err(|e| self.read_error(&e))?)?;
            if promotions.contains(&policy) {
                return Ok(());
            }
        }
        self.tree(POLICIES)?.remove(policy.to_be_bytes()).map_err(|e| self.write_error(&e))?;
        self.flush()
    }

    /// The numbers and files of all policies, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Read`] if they cannot be read.
    pub fn policies(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let rows = self.tree(POLICIES)?.iter().map(|row| {
            let (key, file) = row.map_err(|e| self.read_error(&e))?;
            Ok((decode_u64(Some(&key)), file.to_vec()))
        });
        rows.collect()
    }

    /// The numbers of the policies that were promoted for `preset`, in the order of their promotion; the last one is
    /// active.
    ///
    /// # Errors
    /// [`StoreError::Read`] if they cannot be read.
    pub fn promotions(&self, preset: &str) -> Result<Vec<u64>, StoreError> {
        let json = self.tree(PROMOTIONS)?.get(preset).map_err(|e| self.read_error(&e))?;
        json.map_or(Ok(Vec::new()), |json| self.read_json(&json))
    }

    /// Makes `policy` the active one for `preset`.
    ///
    /// # Errors
    /// [`StoreError::Read`] or [`StoreError::Write`] if the disk refuses.
    pub fn promote(&self, preset: &str, policy: u64) -> Result<(), StoreError> {
        let mut promotions = self.promotions(preset)?;
        promotions.push(policy);
        self.put(PROMOTIONS, preset.as_bytes(), &self.to_json(&promotions)?)
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
            self.put(PROMOTIONS, preset.as_bytes(), &self.to_json(&promotions)?)?;
        }
        Ok(demoted)
    }

    /// Saves a calibration.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the disk refuses.
    pub fn save_calibration(&self, calibration: &impl Serialize) -> Result<(), StoreError> {
        let index = self.increment("last_calibration")?;
        self.put(CALIBRATIONS, &index.to_be_bytes(), &self.to_json(calibration)?)
    }

    /// All calibrations, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Read`] if they cannot be read.
    pub fn calibrations<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        let rows = self.tree(CALIBRATIONS)?.iter().values();
        rows.map(|row| self.read_json(&row.map_err(|e| self.read_error(&e))?)).collect()
    }

    fn put(&self, tree: &str, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.tree(tree)?.insert(key, value).map_err(|e| self.write_error(&e))?;
        self.flush()
    }

    fn read_json<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(json).map_err(|e| self.read_error(&e))
    }
}

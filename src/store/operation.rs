//! What a record of the log does to the tables of the store.

/// A table of the store. The numbers are those on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Table {
    /// Events as JSON, by episode and index.
    Events = 0,
    /// Summaries as JSON, by episode; empty while the episode runs.
    Episodes = 1,
    /// Annotations as JSON, by episode; no row for the default.
    Annotations = 2,
    /// Policy files, by policy.
    Policies = 3,
    /// Numbers of the promoted policies as JSON, by preset.
    Promotions = 4,
    /// Calibrations as JSON, by number.
    Calibrations = 5,
    /// What the store knows of itself, by name.
    Meta = 6,
}

impl Table {
    pub(super) const ALL: [Self; 7] = [
        Self::Events,
        Self::Episodes,
        Self::Annotations,
        Self::Policies,
        Self::Promotions,
        Self::Calibrations,
        Self::Meta,
    ];

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    /// Sets a row.
    Put { table: Table, key: Vec<u8>, value: Vec<u8> },
    /// Removes a row; in [`Table::Events`] all rows whose key begins with `key`.
    Remove { table: Table, key: Vec<u8> },
    /// The bodies of the records with these numbers are erased, because they belong to deleted episodes.
    Erase { records: Vec<u64> },
}

impl Operation {
    pub(super) fn put(table: Table, key: &[u8], value: impl Into<Vec<u8>>) -> Self {
        Self::Put { table, key: key.to_vec(), value: value.into() }
    }

    pub(super) fn remove(table: Table, key: &[u8]) -> Self {
        Self::Remove { table, key: key.to_vec() }
    }

    /// Sets event `index` of episode `id`.
    pub(super) fn put_event(id: u64, index: u32, json: Vec<u8>) -> Self {
        Self::Put { table: Table::Events, key: event_key(id, index).to_vec(), value: json }
    }

    /// Whether the operation deletes, or only marks an episode for that.
    pub(super) fn frees_space(&self) -> bool {
        match self {
            Self::Put { table, .. } => *table == Table::Annotations,
            Self::Remove { .. } | Self::Erase { .. } => true,
        }
    }

    /// Whether the operation sets an event.
    pub(super) fn is_event(&self) -> bool {
        matches!(self, Self::Put { table: Table::Events, .. })
    }

    /// Removes episode `id` with its events and annotations.
    pub(super) fn remove_episode(id: u64) -> [Self; 3] {
        [Table::Events, Table::Episodes, Table::Annotations]
            .map(|table| Self::remove(table, &id.to_be_bytes()))
    }
}

/// Keys sort by episode, then by index.
pub(super) fn event_key(id: u64, index: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&id.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

/// Index in the key of an event.
pub(super) fn event_index_of(key: &[u8]) -> u32 {
    key.get(8..).and_then(|rest| rest.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// The number at the beginning of a key, big-endian; 0 if the key is shorter.
pub(super) fn number_of(key: &[u8]) -> u64 {
    key.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

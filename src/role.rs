//! The two models of a pair.

use std::fmt;
use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

/// Which model of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The cheap model.
    Small,
    /// The expensive model.
    Large,
}

impl Role {
    /// Both roles, small first.
    pub const BOTH: [Self; 2] = [Self::Small, Self::Large];

    /// The other model.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Small => Self::Large,
            Self::Large => Self::Small,
        }
    }

    /// `S` or `L`, which mark steps in traces.
    pub const fn letter(self) -> char {
        match self {
            Self::Small => 'S',
            Self::Large => 'L',
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Small => "small",
            Self::Large => "large",
        })
    }
}

/// A value for each model of the pair.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerRole<T> {
    /// The small model's.
    pub small: T,
    /// The large model's.
    pub large: T,
}

impl<T> PerRole<T> {
    /// Calls `f` for each role, small first.
    pub fn from_fn(mut f: impl FnMut(Role) -> T) -> Self {
        Self { small: f(Role::Small), large: f(Role::Large) }
    }
}

impl<T> Index<Role> for PerRole<T> {
    type Output = T;

    fn index(&self, role: Role) -> &T {
        match role {
            Role::Small => &self.small,
            Role::Large => &self.large,
        }
    }
}

impl<T> IndexMut<Role> for PerRole<T> {
    fn index_mut(&mut self, role: Role) -> &mut T {
        match role {
            Role::Small => &mut self.small,
            Role::Large => &mut self.large,
        }
    }
}

//! The folders that belong to the user.

use std::ffi::OsString;
use std::path::PathBuf;

use etcetera::BaseStrategy;

use super::{ConfigError, FileError};

/// Environment variable that puts all folders below one; tests and trials use it.
pub const HOME_VARIABLE: &str = "POINTSMAN_HOME";

/// Where pointsman keeps what belongs to the user. None of the folders need exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Presets, themes, recordings and keys of the user.
    pub config: PathBuf,
    /// The store and the policies.
    pub data: PathBuf,
    /// What can be made or fetched again.
    pub cache: PathBuf,
    /// Logs.
    pub state: PathBuf,
}

impl Folders {
    /// The folders by the XDG rules, or below [`HOME_VARIABLE`] where that is set.
    ///
    /// # Errors
    /// When there is no home folder to start from.
    pub fn find() -> Result<Self, ConfigError> {
        match std::env::var_os(HOME_VARIABLE) {
            Some(home) if !home.is_empty() => Self::below(home),
            _ => {
                let base = etcetera::choose_base_strategy().map_err(|_| ConfigError::NoHome)?;
                let own = |folder: PathBuf| folder.join("pointsman");
                Ok(Self {
                    config: own(base.config_dir()),
                    data: own(base.data_dir()),
                    cache: own(base.cache_dir()),
                    state: own(base.state_dir().unwrap_or_else(|| base.data_dir())),
                })
            }
        }
    }

    /// All folders below one.
    ///
    /// # Errors
    /// When `home` is relative and there is no working folder to resolve it against.
    pub fn below(home: impl Into<OsString>) -> Result<Self, ConfigError> {
        let home = PathBuf::from(home.into());
        let home = std::path::absolute(&home)
            .map_err(|error| FileError::Read { path: home, reason: error.to_string() })?;
        Ok(Self {
            config: home.join("config"),
            data: home.join("data"),
            cache: home.join("cache"),
            state: home.join("state"),
        })
    }

    /// The store, unless the command line names another.
    pub fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    /// The user's themes.
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }

    /// The user's recordings.
    pub fn recordings(&self) -> PathBuf {
        self.config.join("recordings")
    }

    /// The user's keys.
    pub fn keys(&self) -> PathBuf {
        self.config.join("keys.toml")
    }

    /// The user's presets.
    pub fn presets(&self) -> PathBuf {
        self.config.join("presets")
    }
}

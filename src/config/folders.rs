//! The user's folders.

use std::ffi::OsString;
use std::path::PathBuf;

use etcetera::BaseStrategy;

use super::error::ConfigError;
use super::named_file::FileError;

/// The environment variable that sets one parent for all folders, for tests and trials.
const HOME_VARIABLE: &str = "POINTSMAN_HOME";

/// Where pointsman keeps the user's files. The folders need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Presets, themes, recordings and `keys.toml`.
    pub config: PathBuf,
    /// The store and the policies.
    pub data: PathBuf,
    /// Files that can be created or downloaded again.
    pub cache: PathBuf,
    /// Logs.
    pub state: PathBuf,
}

impl Folders {
    /// The folders of the XDG base directory specification, or those below the folder in `POINTSMAN_HOME` if that is set.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`] if no home folder is known.
    pub fn find() -> Result<Self, ConfigError> {
        match std::env::var_os(HOME_VARIABLE) {
            Some(home) if !home.is_empty() => Self::below(home),
            _ => {
                let base = etcetera::choose_base_strategy().map_err(|_| ConfigError::NoHome)?;
                let ours = |folder: PathBuf| folder.join("pointsman");
                Ok(Self {
                    config: ours(base.config_dir()),
                    data: ours(base.data_dir()),
                    cache: ours(base.cache_dir()),
                    state: ours(base.state_dir().unwrap_or_else(|| base.data_dir())),
                })
            }
        }
    }

    /// All folders below `home`.
    ///
    /// # Errors
    /// If `home` is relative and the working folder is unknown.
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

    /// The default store.
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

    /// The user's key bindings.
    pub fn keys(&self) -> PathBuf {
        self.config.join("keys.toml")
    }

    /// The user's presets.
    pub fn presets(&self) -> PathBuf {
        self.config.join("presets")
    }
}

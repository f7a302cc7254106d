//! What the module's configuration says that matters to sshd and PAM.

use std::path::{Path, PathBuf};

use duo_login::config::{self, Bypass, Key};

use crate::lint::pam::stack::Entry;
use crate::lint::tree::Tree;

/// The settings that matter here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// `login_timeout`, in seconds.
    pub(crate) login_timeout: u64,
    /// `autopush`.
    pub(crate) autopush: bool,
    /// Whether there are users outside `groups`, who get `PAM_IGNORE`.
    pub(crate) ignores: bool,
}

impl Settings {
    /// Those of the file that the Duo line `duo` names, or else of the one at `config`; if it cannot be
    /// used, the module's defaults. The file itself is judged by `pamduo check`.
    pub(crate) fn read(tree: &Tree, duo: &Entry, config: &Path) -> Self {
        let text = tree.read(&path(duo, config)).unwrap_or_default();
        match config::read(&text).config {
            Ok(config) => Self {
                login_timeout: config.login_timeout.as_secs(),
                autopush: config.autopush,
                ignores: config.bypass == Bypass::Ignore && !config.groups.is_everyone(),
            },
            Err(_) => Self::defaults(),
        }
    }

    fn defaults() -> Self {
        let default = |name| Key::named(name).map_or("", |key| key.default);
        Self {
            // The table has a number, as a test checks.
            login_timeout: default("login_timeout").parse().unwrap_or(u64::MAX),
            autopush: default("autopush") == "yes",
            ignores: false,
        }
    }
}

/// The configuration file of the Duo line `duo`: the last `conf=`, or else `config`.
pub(crate) fn path(duo: &Entry, config: &Path) -> PathBuf {
    let mut arguments = duo.arguments().iter().rev();
    let named = arguments.find_map(|argument| argument.strip_prefix("conf="));
    named.map_or(config, Path::new).to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Settings, config};

    #[test]
    fn defaults_are_those_of_a_configuration_that_sets_nothing_else() {
        let config = config::read("[duo]\nikey = I\nskey = S\nhost = h\n").config;
        let config = config.unwrap();
        let defaults = Settings::defaults();
        assert_eq!(
            Duration::from_secs(defaults.login_timeout),
            config.login_timeout
        );
        assert_eq!(defaults.autopush, config.autopush);
    }
}

//! What the module's own configuration says that matters to a login's surroundings.

use std::path::Path;
use std::time::Duration;

use duo_login::config::{self, Bypass};

use super::stack::Entry;
use super::tree::Tree;

/// The settings that matter here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// `login_timeout`.
    pub(crate) login_timeout: Duration,
    /// `autopush`.
    pub(crate) autopush: bool,
    /// Whether there are users outside `groups`, who get `PAM_IGNORE`.
    pub(crate) ignores: bool,
}

impl Settings {
    /// Of the file that this line of a stack names, or else of the one at `config`; where it cannot
    /// be used, the module's defaults. How good the file itself is, is not judged here.
    pub(crate) fn read(tree: &Tree, duo: &Entry, config: &Path) -> Self {
        let mut named = duo.arguments().iter().rev();
        let named = named.find_map(|argument| argument.strip_prefix("conf="));
        let path = named.map_or(config, Path::new);
        let defaults = Self {
            login_timeout: Duration::from_secs(100),
            autopush: false,
            ignores: false,
        };
        let Ok(text) = tree.read(path) else {
            return defaults;
        };
        config::read(&text).config.map_or(defaults, |config| Self {
            login_timeout: config.login_timeout,
            autopush: config.autopush,
            ignores: config.bypass == Bypass::Ignore && !config.groups.is_everyone(),
        })
    }
}

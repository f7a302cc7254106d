//! How results are told: text, coloured on a terminal only, or JSON.

use std::io::{self, IsTerminal as _, Write as _};

/// Where results go.
pub(crate) struct Output {
    /// JSON instead of text.
    pub(crate) json: bool,
    /// Colours, since standard output is a terminal.
    pub(crate) colour: bool,
}

impl Output {
    /// Text, coloured on a terminal only, or JSON.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            colour: !json && io::stdout().is_terminal(),
        }
    }

    /// Writes a line. A reader that has gone away is no reason to complain.
    pub(crate) fn line(&self, text: &str) {
        let _ = writeln!(io::stdout(), "{text}");
    }
}

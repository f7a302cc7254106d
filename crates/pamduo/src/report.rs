//! How results are told: text, coloured on a terminal only, or JSON; never a secret of the
//! configuration, also where someone put one in a wrong place.

use std::cell::OnceCell;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use crate::secrets::Secrets;

/// Longest line of text.
const WIDTH: usize = 80;

/// Where results go.
pub(crate) struct Output {
    /// JSON instead of text.
    pub(crate) json: bool,
    /// Colours, since standard output is a terminal.
    pub(crate) colour: bool,
    config: PathBuf,
    secrets: OnceCell<Secrets>,
}

/// A colour, by its number (ECMA-48, select graphic rendition).
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    /// Something is broken.
    Red = 31,
    /// As it should be.
    Green = 32,
    /// Worth a look.
    Yellow = 33,
    /// Of no weight.
    Grey = 90,
}

impl Output {
    /// Text, coloured on a terminal only, or JSON; without the secrets of the file `config`.
    pub(crate) fn new(json: bool, config: &Path) -> Self {
        Self {
            json,
            colour: !json && io::stdout().is_terminal(),
            config: config.to_owned(),
            secrets: OnceCell::new(),
        }
    }

    fn without_secrets(&self, text: &str) -> String {
        let secrets = self.secrets.get_or_init(|| Secrets::of_file(&self.config));
        secrets.strike_out(text)
    }

    /// Writes a line. A reader that has gone away is no reason to complain.
    #[allow(clippy::unused_self)] // whoever has no output writes nothing
    pub(crate) fn line(&self, text: &str) {
        let _ = writeln!(io::stdout(), "{}", self.without_secrets(text));
    }

    /// Writes text as it is.
    pub(crate) fn raw(text: &[u8]) {
        let _ = io::stdout().write_all(text);
    }

    /// Says on standard error why there is no result.
    pub(crate) fn error(&self, text: &str) {
        self.note(&format!("pamduo: {text}"));
    }

    /// Writes a line on standard error.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{}", self.without_secrets(text));
    }

    /// Writes JSON.
    pub(crate) fn value(&self, value: &serde_json::Value) {
        self.line(&format!("{value:#}"));
    }

    /// `text` in a colour, if there are colours.
    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        if self.colour {
            paint(colour, text)
        } else {
            text.to_owned()
        }
    }
}

/// `text` in a colour.
pub(crate) fn paint(colour: Colour, text: &str) -> String {
    format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
}

/// Breaks `text` at blanks, for lines that begin with `indent` blanks. A word that is too long
/// stays whole.
pub(crate) fn wrap(text: &str, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let length = indent + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

//! How results are told: text, coloured on a terminal only, or JSON.

use std::io::{self, IsTerminal as _, Write as _};

/// Longest line of text.
const WIDTH: usize = 80;

/// Where results go.
pub(crate) struct Output {
    /// JSON instead of text.
    pub(crate) json: bool,
    /// Colours, since standard output is a terminal.
    pub(crate) colour: bool,
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

#[allow(clippy::unused_self)] // who writes shows where it goes
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

    /// Writes text as it is.
    pub(crate) fn raw(&self, text: &[u8]) {
        let _ = io::stdout().write_all(text);
    }

    /// Says on standard error why there is no result.
    pub(crate) fn error(&self, text: &str) {
        let _ = writeln!(io::stderr(), "pamduo: {text}");
    }

    /// Writes a line on standard error.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Writes JSON.
    pub(crate) fn value(&self, value: &serde_json::Value) {
        self.line(&format!("{value:#}"));
    }

    /// `text` in a colour, if there are colours.
    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }
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

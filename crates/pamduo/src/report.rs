//! Everything that `pamduo` writes on a screen: text, coloured on a terminal only, or JSON. Nothing
//! leaves without the configuration's secrets being struck out, even when someone put one in the
//! wrong place, so no other file writes to standard output or standard error.

use std::cell::RefCell;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::secrets::Secrets;

/// Longest line of text, in columns.
const WIDTH: usize = 80;

/// Where results go.
pub(crate) struct Output {
    /// JSON instead of text.
    pub(crate) json: bool,
    /// Whether text on standard output has colours.
    pub(crate) colour: bool,
    config: PathBuf,
    /// Read when the first line is written.
    secrets: RefCell<Option<Secrets>>,
}

/// As it should be.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// Worth a look.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// Something is broken.
pub(crate) const RED: Style = AnsiColor::Red.on_default();
/// Unimportant.
pub(crate) const GREY: Style = AnsiColor::BrightBlack.on_default();

impl Output {
    /// Text or JSON, without the secrets of the file `config`. Text has colours if standard output
    /// is a terminal that can show them and neither `NO_COLOR` nor `CLICOLOR` forbids them.
    pub(crate) fn new(json: bool, config: &Path) -> Self {
        let stdout = io::stdout();
        // CLICOLOR_FORCE would colour what goes to a file, too.
        let colour = stdout.is_terminal() && AutoStream::choice(&stdout) != ColorChoice::Never;
        Self {
            json,
            colour: !json && colour,
            config: config.to_owned(),
            secrets: RefCell::new(None),
        }
    }

    /// Strikes out `secret`, too, from now on.
    pub(crate) fn hide(&self, secret: &str) {
        self.with_secrets(|secrets| secrets.add(secret));
    }

    /// Strikes out the secrets of another configuration file, too, from now on.
    pub(crate) fn hide_file(&self, path: &Path) {
        self.with_secrets(|secrets| secrets.add_file(path));
    }

    /// `text` without secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.with_secrets(|secrets| secrets.strike_out(text))
    }

    fn with_secrets<T>(&self, use_them: impl FnOnce(&mut Secrets) -> T) -> T {
        let mut secrets = self.secrets.borrow_mut();
        use_them(secrets.get_or_insert_with(|| Secrets::of_file(&self.config)))
    }

    /// Writes a line. A reader that has gone away is no reason to complain.
    pub(crate) fn line(&self, text: &str) {
        let _ = writeln!(io::stdout(), "{}", self.redact(text));
    }

    /// Writes a line on standard error.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{}", self.redact(text));
    }

    /// Says on standard error why there is no result.
    pub(crate) fn error(&self, text: &str) {
        self.note(&format!("pamduo: {text}"));
    }

    /// Writes a question on standard error, so that standard output holds the result alone. The
    /// answer follows on the same line.
    pub(crate) fn prompt(&self, text: &str) {
        let mut screen = io::stderr();
        let _ = write!(screen, "{}", self.redact(text));
        let _ = screen.flush();
    }

    /// Writes JSON. Secrets are struck out before it is written as text: JSON's escapes would hide
    /// a secret that has a quote or a backslash in it.
    pub(crate) fn value(&self, value: Value) {
        let value = redacted(value, &|text| self.redact(text));
        let _ = writeln!(io::stdout(), "{value:#}");
    }

    /// Writes a text that was compiled in, byte for byte. It holds nothing from outside.
    pub(crate) fn compiled_in(text: &[u8]) {
        let _ = io::stdout().write_all(text);
    }

    /// `text` in a colour, if there are colours.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        paint(self.colour, style, text)
    }

    /// `text` without secrets, in lines that leave room for `indent` blanks before them. Secrets
    /// are struck out first: one with a blank in it might end up on two lines. A word that is too
    /// long stays whole.
    pub(crate) fn wrap(&self, text: &str, indent: usize) -> Vec<String> {
        wrap(&self.redact(text), indent)
    }
}

/// `text` in a colour, if `colour` says so.
pub(crate) fn paint(colour: bool, style: Style, text: &str) -> String {
    if colour {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// `value` with `redact` applied to each string, names of fields excepted: those are our own.
fn redacted(value: Value, redact: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(redact(&text)),
        Value::Array(items) => items
            .into_iter()
            .map(|item| redacted(item, redact))
            .collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, redacted(value, redact)))
            .collect(),
        other => other,
    }
}

fn wrap(text: &str, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && indent + columns(&line) + 1 + columns(word) > WIDTH {
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

/// How much room `text` takes; colours take none.
fn columns(text: &str) -> usize {
    let plain = anstream::adapter::strip_str(text);
    plain.map(|part| part.chars().count()).sum()
}

#[cfg(test)]
mod tests {
    use super::{GREEN, paint, redacted, wrap};
    use serde_json::json;

    #[test]
    fn each_string_of_json_is_redacted_and_fields_keep_their_names() {
        let value = json!({"a": ["x\"y", 1, null], "x\"y": {"b": "in x\"y"}});
        let expected = json!({"a": ["-", 1, null], "x\"y": {"b": "in -"}});
        assert_eq!(redacted(value, &|text| text.replace("x\"y", "-")), expected);
    }

    #[test]
    fn lines_break_at_blanks_and_colours_take_no_room() {
        let long = "x".repeat(90);
        assert_eq!(wrap(&format!("a {long} b"), 0), ["a", &long, "b"]);
        let word = "y".repeat(38);
        let painted = paint(true, GREEN, &word);
        assert_eq!(wrap(&format!("{painted} {word}"), 3).len(), 1);
        assert_eq!(wrap(&format!("{painted} {word}"), 4).len(), 2);
    }
}

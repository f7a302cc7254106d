//! The file's lines as `duo_unix` reads them: comments, continuation lines, sections.
//!
//! Each line that holds a key is given to `rust-ini`; the rules around it are Duo's, not those of
//! that crate: a bad line is ignored, and the others are still used.

use ini::{Ini, ParseOption};
use zeroize::Zeroizing;

/// One key with its value, continuation lines included.
pub(super) struct Entry {
    /// Line of the key, from 1.
    pub(super) line: usize,
    /// The key as written.
    pub(super) key: String,
    /// The value; may be secret.
    pub(super) value: Zeroizing<String>,
    /// Continuation lines that look like keys of their own: line and name.
    pub(super) swallowed: Vec<(usize, String)>,
}

/// What a file holds.
#[derive(Default)]
pub(super) struct Lines {
    /// Keys in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// Lines that are not a section, key or comment.
    pub(super) bad: Vec<usize>,
}

/// Reads `text`; never fails.
pub(super) fn split(text: &str) -> Lines {
    let mut lines = Lines::default();
    // Whether an indented line goes on with the last entry.
    let mut open = false;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, raw) in text.split('\n').enumerate() {
        let number = index + 1;
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let indented = raw.starts_with([' ', '\t']);
        let line = without_comment(raw).trim();
        if line.is_empty() {
            continue;
        }
        // Bytes that are not UTF-8 arrive as replacement characters.
        if line.contains('\u{fffd}') {
            lines.bad.push(number);
            open = false;
            continue;
        }
        if indented && open {
            if let Some(entry) = lines.entries.last_mut() {
                if !entry.value.is_empty() {
                    entry.value.push(' ');
                }
                entry.value.push_str(line);
                if let Some((name, _)) = line.split_once('=') {
                    entry.swallowed.push((number, name.trim().to_owned()));
                }
            }
            continue;
        }
        if line.starts_with('[') {
            open = false;
            if !line.ends_with(']') {
                lines.bad.push(number);
            }
            continue;
        }
        if let Some((key, value)) = key_and_value(line) {
            open = true;
            lines.entries.push(Entry {
                line: number,
                key,
                value,
                swallowed: Vec::new(),
            });
        } else {
            open = false;
            lines.bad.push(number);
        }
    }
    lines
}

/// Cuts off a comment: `#` or `;` at the start of the line or after a blank.
fn without_comment(line: &str) -> &str {
    let mut after_blank = true;
    for (index, character) in line.char_indices() {
        if after_blank && matches!(character, '#' | ';') {
            return line.get(..index).unwrap_or_default();
        }
        after_blank = matches!(character, ' ' | '\t');
    }
    line
}

/// Has `rust-ini` read one line, without its quotes and escapes, which are not Duo's.
fn key_and_value(line: &str) -> Option<(String, Zeroizing<String>)> {
    let options = ParseOption {
        enabled_quote: false,
        enabled_escape: false,
        ..ParseOption::default()
    };
    let mut ini = Ini::load_from_str_opt(line, options).ok()?;
    let properties = ini.general_section_mut();
    let key = properties.iter().next()?.0.to_owned();
    let value = Zeroizing::new(properties.remove(&key)?);
    match key.trim() {
        "" => None,
        key => Some((key.to_owned(), Zeroizing::new(value.trim().to_owned()))),
    }
}

//! From a [`Config`] back to a file that means the same.

use zeroize::Zeroizing;

use super::keys::KEYS;
use super::{Config, Failmode};

impl Config {
    /// The text of a file that [`super::read`] reads to the same configuration and `failmode`. It
    /// holds the skey.
    #[must_use]
    pub fn to_text(&self, failmode: Option<Failmode>) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from("[duo]\n"));
        for key in KEYS {
            for value in key.written(self, failmode) {
                push_line(&mut text, key.name, &value);
            }
        }
        text
    }
}

/// Appends `key = value`. A character that would begin a comment after the blank stands right after
/// the equals sign.
fn push_line(text: &mut String, key: &str, value: &str) {
    let blank = if value.starts_with(['#', ';']) {
        ""
    } else {
        " "
    };
    for part in [key, " =", blank, value, "\n"] {
        text.push_str(part);
    }
}

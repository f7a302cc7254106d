//! Strikes secrets out of text.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use duo_auth::clean;
use duo_login::config::file::SIZE_LIMIT;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// What is written in place of a secret.
const STRUCK: &str = "[secret]";
/// A word of this many letters and digits is taken for a secret: Duo's secret keys have 40.
const LONG: usize = 32;

/// A secret of fewer bytes may be a part of an ordinary word.
const SHORT: usize = 12;

/// The secrets of configuration files.
pub(crate) struct Secrets(Vec<Zeroizing<String>>);

impl Secrets {
    /// Every secret that the file at `path` may hold: from its comments as well, and even when the
    /// file is not trusted.
    pub(crate) fn of_file(path: &Path) -> Self {
        let mut bytes = Zeroizing::new(Vec::new());
        // The length of a device or a pipe is 0, and neither is read.
        let is_file = path.metadata().is_ok_and(|status| status.is_file());
        if is_file {
            let file = File::open(path);
            let _ = file.and_then(|file| file.take(SIZE_LIMIT).read_to_end(&mut bytes));
        }
        Self::of_text(&String::from_utf8_lossy(&bytes))
    }

    /// Adds those of another file.
    pub(crate) fn add_file(&mut self, path: &Path) {
        self.0.append(&mut Self::of_file(path).0);
        self.sort();
    }

    /// Adds one.
    pub(crate) fn add(&mut self, secret: &str) {
        self.0.push(Zeroizing::new(secret.to_owned()));
        self.sort();
    }

    /// The longest first: a part of a secret may be another one.
    fn sort(&mut self) {
        // As it is shown where control characters are replaced.
        let cleaned: Vec<_> = self.0.iter().map(|s| Zeroizing::new(clean(s))).collect();
        self.0.extend(cleaned);
        self.0.retain(|secret| !secret.is_empty());
        self.0
            .sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.0.dedup();
    }

    fn of_text(text: &str) -> Self {
        let mut secrets = Vec::new();
        for line in text.lines() {
            let pair = line.split_once('=');
            if let Some((_, value)) = pair.filter(|(key, _)| is_skey(key)) {
                let value = value.trim();
                let bare = value.split([' ', '\t']).next().unwrap_or_default();
                // In a comment, a short value is more likely prose ("the skey = in the vault").
                let is_comment = line.trim_start().starts_with(['#', ';']);
                let told = [value, bare]
                    .into_iter()
                    .filter(|s| !is_comment || s.len() >= SHORT);
                secrets.extend(told.map(|s| Zeroizing::new(s.to_owned())));
            }
            for (index, _) in line.match_indices("://") {
                let rest = line.get(index + 3..).unwrap_or_default();
                let authority = rest.split([' ', '\t', '/']).next().unwrap_or_default();
                let Some((user, _)) = authority.rsplit_once('@') else {
                    continue;
                };
                // The file's own explanation: http://[user:password@]host.
                if user.starts_with('[') {
                    continue;
                }
                let plain =
                    Zeroizing::new(percent_decode_str(user).decode_utf8_lossy().into_owned());
                for both in [user, plain.as_str()] {
                    secrets.push(Zeroizing::new(BASE64_STANDARD.encode(both)));
                    secrets.push(Zeroizing::new(both.to_owned()));
                    if let Some((_, password)) = both.split_once(':') {
                        secrets.push(Zeroizing::new(password.to_owned()));
                    }
                }
            }
        }
        let mut secrets = Self(secrets);
        secrets.sort();
        secrets
    }

    /// `text` without them, and without any word that is as long as a secret key.
    pub(crate) fn strike_out(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = strike(&text, secret);
        }
        let mut clean = String::with_capacity(text.len());
        let mut word = String::new();
        for character in text.chars().chain(['\n']) {
            if character.is_ascii_alphanumeric() {
                word.push(character);
                continue;
            }
            clean.push_str(if word.len() >= LONG { STRUCK } else { &word });
            word.clear();
            clean.push(character);
        }
        clean.pop();
        clean
    }
}

/// `text` without `secret`. A short one is struck out as a whole word only: within another word,
/// what is left would give it away, as in `by[secret] = success`.
fn strike(text: &str, secret: &str) -> String {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(secret) {
        clean.push_str(before);
        let inside = is_part(clean.chars().next_back()) || is_part(after.chars().next());
        clean.push_str(if inside && secret.len() < SHORT {
            secret
        } else {
            STRUCK
        });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

/// Whether a line's value is the secret key, or was.
fn is_skey(key: &str) -> bool {
    key.to_ascii_lowercase().contains("skey")
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn a_secret_that_was_added_or_has_control_characters_is_struck_out() {
        let mut secrets = Secrets::of_text("skey = bell\u{7}rings here");
        secrets.add("added");
        let text = "bell\u{7}rings here, bell?rings here, added";
        assert_eq!(secrets.strike_out(text), "[secret], [secret], [secret]");
    }

    #[test]
    fn secrets_are_struck_out_wherever_they_are() {
        let secrets = Secrets::of_text(
            "; old skey = hidden1234567\n; skey = in the\n; http://[user:password@]host\nskey = s3cret ; new\nhttp_proxy = http://me:p%40ss@proxy:1\n",
        );
        let long = "a".repeat(40);
        let text = format!(
            "in password hidden1234567 s3cret p%40ss p@ss bWU6cEBzcw== {long} me proxy:1 aaa p@sses\n"
        );
        assert_eq!(
            secrets.strike_out(&text),
            "in password [secret] [secret] [secret] [secret] [secret] [secret] me proxy:1 aaa p@sses\n"
        );
    }
}

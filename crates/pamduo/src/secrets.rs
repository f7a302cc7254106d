//! Strikes out secrets, wherever they stand.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use duo_login::config::file::SIZE_LIMIT;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// What stands in a secret's place.
const STRUCK: &str = "[secret]";
/// So many letters and digits in a row are taken for a secret: Duo's secret keys have 40.
const LONG: usize = 32;

/// A shorter secret may be a part of an ordinary word.
const SHORT: usize = 12;

/// Every secret that a configuration file may hold.
pub(crate) struct Secrets(Vec<Zeroizing<String>>);

impl Secrets {
    /// Collects them from the file's text: also from comments, and from a file that is not
    /// believed.
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

    fn of_text(text: &str) -> Self {
        let mut secrets = Vec::new();
        for line in text.lines() {
            let pair = line.split_once('=');
            if let Some((_, value)) = pair.filter(|(key, _)| is_skey(key)) {
                let value = value.trim();
                let bare = value.split([' ', '\t']).next().unwrap_or_default();
                // Of a comment, a short word is more likely a word ("the skey = in the vault").
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
        secrets.retain(|secret| !secret.is_empty());
        // The longest first: a part of a secret may be another one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
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

/// `text` without `secret`. A short one only as a whole word: in the middle of another, it would
/// tell what it is: `by[secret] = success`.
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
    fn secrets_are_struck_out_wherever_they_stand() {
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

//! What the phone shows of the login that it is asked to approve (`pushinfo = yes`).

use std::fs;

use crate::pam_items::PamItems;
use duo_auth::clean;
use duo_auth::sign::encode;

/// Longest `pushinfo` that Duo takes, in bytes (Duo's Auth API, `auth`): "under 20,000".
const LIMIT: usize = 19_999;
/// Longest value but the command, in characters.
const VALUE: usize = 200;

/// The line above the push's details. Duo Mobile adds the word "request".
#[must_use]
pub fn kind(service: &str, through_sshd: bool) -> String {
    match service {
        _ if through_sshd => "SSH login".to_owned(),
        "login" | "" => "Login".to_owned(),
        "su-l" => "su".to_owned(),
        "sudo-i" => "sudo".to_owned(),
        other => clean(other).chars().take(40).collect(),
    }
}

/// What is known about a login.
#[derive(Clone, Copy, Debug, Default)]
pub struct Details<'a> {
    /// This server's name.
    pub server: Option<&'a str>,
    /// `PAM_SERVICE`.
    pub service: &'a str,
    /// The client's address, or its name where that is all there is.
    pub from: Option<&'a str>,
    /// Unix user.
    pub user: &'a str,
    /// The command that is to be run.
    pub command: Option<&'a str>,
}

impl Details<'_> {
    /// `key=value` pairs, percent-encoded and joined by `&`, cut to Duo's limit. The command comes
    /// last, so that it is what gets cut.
    #[must_use]
    pub fn encoded(&self) -> String {
        let mut text = String::new();
        for (key, value) in [
            ("Server Name", self.server),
            ("Service", Some(self.service)),
            ("From", self.from),
            ("User", Some(self.user)),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                let value: String = clean(value).chars().take(VALUE).collect();
                push(&mut text, key, &value);
            }
        }
        if let Some(command) = self.command.filter(|command| !command.is_empty()) {
            push(&mut text, "Command", &clean(command));
        }
        text
    }
}

/// Appends a pair, as much of the value as fits, whole characters only.
fn push(text: &mut String, key: &str, value: &str) {
    if !text.is_empty() {
        text.push('&');
    }
    text.push_str(&encode(key));
    text.push('=');
    for character in value.chars() {
        let encoded = encode(character.encode_utf8(&mut [0; 4]));
        if text.len() + encoded.len() > LIMIT {
            return;
        }
        text.push_str(&encoded);
    }
}

/// The command line of sudo, which runs the PAM stack in its own process; `None` for other services.
#[must_use]
pub fn command(items: &PamItems) -> Option<String> {
    if !matches!(items.service.as_str(), "sudo" | "sudo-i") {
        return None;
    }
    let line = fs::read("/proc/self/cmdline").ok()?;
    let words: Vec<String> = line
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    Some(words.join(" ")).filter(|command| !command.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Details, kind};
    use proptest::prelude::*;

    #[test]
    fn the_phone_is_told_what_is_known_and_nothing_else() {
        let details = Details {
            server: Some("bastion-1"),
            service: "sudo",
            from: Some("203.0.113.5"),
            user: "alice",
            command: Some("sudo ls -la /etc & echo \"a=b\""),
        };
        assert_eq!(
            details.encoded(),
            "Server%20Name=bastion-1&Service=sudo&From=203.0.113.5&User=alice&\
             Command=sudo%20ls%20-la%20%2Fetc%20%26%20echo%20%22a%3Db%22"
        );
        let details = Details {
            service: "login",
            user: "alice",
            ..Details::default()
        };
        assert_eq!(details.encoded(), "Service=login&User=alice");
    }

    #[test]
    fn the_type_line_names_the_service() {
        for (service, through_sshd, expected) in [
            ("sshd", true, "SSH login"),
            ("sshd-internal", true, "SSH login"),
            ("sudo", false, "sudo"),
            ("sudo-i", false, "sudo"),
            ("su", false, "su"),
            ("su-l", false, "su"),
            ("login", false, "Login"),
            ("a\u{1b}b", false, "a?b"),
        ] {
            assert_eq!(kind(service, through_sshd), expected, "{service}");
        }
    }

    proptest! {
        #[test]
        fn it_never_exceeds_duos_limit_nor_cuts_a_character_in_two(
            user in "\\PC{0,300}", command in "(a|%|ü|例){0,6000}"
        ) {
            let details = Details { user: &user, command: Some(&command), ..Details::default() };
            let encoded = details.encoded();
            prop_assert!(encoded.len() < 20_000);
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8();
            prop_assert!(decoded.is_ok());
        }
    }
}

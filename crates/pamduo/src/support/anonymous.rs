//! Log lines without names and addresses: only what is known to be harmless stays.

use duo_auth::clean;

/// How lines about a login begin.
const EVENTS: [&str; 7] = [
    "Successful Duo login",
    "Skipped Duo login",
    "Failed Duo login",
    "Aborted Duo login",
    "Failsafe Duo login",
    "Failsecure Duo login",
    "Error in Duo login",
];

/// Details that stay as they are: about this machine, Duo's host and files.
const WHOLE_DETAILS: [&str; 5] = [
    "Couldn't connect to ",
    "Couldn't open ",
    "Missing host, ikey, or skey",
    "Bad value of 'host'",
    "no CA certificate could be read",
];

/// Details of which these words and the numbers after them stay: what follows comes from Duo or
/// another outside source.
const DETAILS: [&str; 6] = [
    "HTTP ",
    "Invalid ikey or skey",
    "invalid JSON response",
    "not finished within login_timeout",
    "no such user",
    "conversation failed",
];

/// What may stay of a detail.
fn harmless(detail: &str) -> String {
    if WHOLE_DETAILS.iter().any(|start| detail.starts_with(start)) {
        return detail.to_owned();
    }
    let known = DETAILS
        .iter()
        .find_map(|start| Some((start, detail.strip_prefix(start)?)));
    let Some((start, rest)) = known else {
        return "(left out)".to_owned();
    };
    let numbers: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, ':' | ' '))
        .collect();
    format!("{start}{numbers}")
        .trim_end_matches([':', ' '])
        .to_owned()
}

/// How lines about the configuration begin.
const CONFIGURATION: [&str; 9] = [
    "Couldn't open ",
    "Parse error in ",
    "Missing host, ikey, or skey",
    "Unknown key ",
    "Bad value of ",
    "Value of ",
    "Key ",
    "Indented line ",
    "'noverify' is refused",
];

/// Placeholders for names: the same one for the same name.
#[derive(Default)]
pub(super) struct Names {
    users: Vec<String>,
    hosts: Vec<String>,
}

fn placeholder(names: &mut Vec<String>, kind: &str, name: &str) -> String {
    let known = names.iter().position(|known| known == name);
    let number = known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    format!("{kind}{}", number + 1)
}

impl Names {
    /// What may stay of a line: its time, the service, the event, and what names nobody.
    pub(super) fn reduce(&mut self, line: &str) -> String {
        let line = clean(line);
        let Some((head, rest)) = line.split_once("pam_duo(") else {
            return String::new();
        };
        let words = if head.starts_with(|c: char| c.is_ascii_digit()) {
            1
        } else {
            3
        };
        let time: Vec<&str> = head.split_whitespace().take(words).collect();
        let Some((service, text)) = rest.split_once("): ") else {
            return format!("{} pam_duo: (left out)", time.join(" "));
        };
        let service: String = service
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_'))
            .take(32)
            .collect();
        let text = self.message(text);
        format!("{} pam_duo({service}): {text}", time.join(" "))
    }

    fn message(&mut self, text: &str) -> String {
        if let Some((event, rest)) = EVENTS
            .iter()
            .find_map(|event| Some((event, text.strip_prefix(event)?)))
        {
            return format!("{event}{}", self.login(rest));
        }
        // In this line the name has no quotes.
        let bypassed = text
            .strip_prefix("User ")
            .and_then(|rest| rest.split_once(" bypassed Duo 2FA"));
        if let Some((user, rest)) = bypassed {
            let user = placeholder(&mut self.users, "user", &format!("'{user}'"));
            return format!("User {user} bypassed Duo 2FA{rest}");
        }
        let known = CONFIGURATION.iter().any(|start| text.starts_with(start))
            || text.ends_with(" must be readable only by user 'root'");
        if known {
            text.to_owned()
        } else {
            "(left out)".to_owned()
        }
    }

    /// ` for 'USER' from HOST: DETAIL [factor=… device=… txid=… ms=…]`.
    fn login(&mut self, rest: &str) -> String {
        let (rest, fields) = match rest.rsplit_once(" [factor=") {
            Some((rest, fields)) => (rest, reduce_fields(fields)),
            None => (rest, String::new()),
        };
        let Some((user, host, detail)) = who(rest) else {
            // The name was chosen to look like the rest of a line.
            return format!(" (left out){fields}");
        };
        let mut text = String::new();
        if let Some(user) = user {
            text.push_str(" for ");
            text.push_str(&placeholder(&mut self.users, "user", &format!("'{user}'")));
        }
        if let Some(host) = host {
            text.push_str(" from ");
            text.push_str(&placeholder(&mut self.hosts, "host", host));
        }
        if let Some(detail) = detail {
            text.push_str(": ");
            text.push_str(&harmless(detail));
        }
        text + &fields
    }
}

/// Splits ` for 'USER' from HOST: DETAIL`, each part of which may be missing; `None` if it has
/// another form.
fn who(rest: &str) -> Option<(Option<&str>, Option<&str>, Option<&str>)> {
    let (user, rest) = match rest.strip_prefix(" for '") {
        Some(rest) => {
            let (user, rest) = rest.split_once('\'')?;
            (Some(user), rest)
        }
        None => (None, rest),
    };
    let (host, rest) = match rest.strip_prefix(" from ") {
        Some(rest) => {
            let end = rest.find(": ").unwrap_or(rest.len());
            let (host, rest) = rest.split_at(end);
            let is_word = !host.contains(|c: char| c.is_whitespace() || c == '\'');
            (Some(is_word.then_some(host)?), rest)
        }
        None => (None, rest),
    };
    match rest.strip_prefix(": ") {
        Some(detail) => Some((user, host, Some(detail))),
        None => rest.is_empty().then_some((user, host, None)),
    }
}

/// The factor and the time.
fn reduce_fields(fields: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(16)
            .collect()
    };
    let ms = fields
        .rsplit_once(" ms=")
        .map(|(_, ms)| plain(ms))
        .unwrap_or_default();
    format!(" [factor={} ms={ms}]", plain(fields))
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_and_addresses_become_placeholders() {
        let mut names = Names::default();
        for (line, expected) in [
            (
                "2026-01-02T03:04:05+00:00 bastion sshd[7]: pam_duo(sshd:auth): Successful Duo \
                 login for 'alice' from 203.0.113.5 [factor=push device=DP1 txid=T1 ms=42]",
                "2026-01-02T03:04:05+00:00 pam_duo(sshd:auth): Successful Duo login for user1 \
                 from host1 [factor=push ms=42]",
            ),
            (
                "Jan  2 03:04:05 bastion sudo: pam_duo(sudo:auth): Aborted Duo login for 'bob' \
                 from 203.0.113.5: bob is disabled",
                "Jan 2 03:04:05 pam_duo(sudo:auth): Aborted Duo login for user2 from host1: (left \
                 out)",
            ),
            (
                "Jan 2 03:04:05 bastion sshd[7]: pam_duo(sshd:auth): Failsafe Duo login for \
                 'alice': HTTP 503",
                "Jan 2 03:04:05 pam_duo(sshd:auth): Failsafe Duo login for user1: HTTP 503",
            ),
            (
                "Jan 2 03:04:05 bastion sshd[7]: pam_duo(sshd:auth): Aborted Duo login for \
                 'alice': HTTP 400: 40002 Invalid (alice 203.0.113.5)",
                "Jan 2 03:04:05 pam_duo(sshd:auth): Aborted Duo login for user1: HTTP 400: 40002",
            ),
            (
                "Jan 2 03:04:05 bastion sshd[7]: pam_duo(sshd:auth): Aborted Duo login for \
                 'alice': conversation failed; alice",
                "Jan 2 03:04:05 pam_duo(sshd:auth): Aborted Duo login for user1: conversation \
                 failed",
            ),
            (
                "Jan 2 03:04:05 bastion sshd[7]: pam_duo(sshd:auth): Failed Duo login for 'a: \
                 HTTP bob 10.1.2.3' from 1.2.3.4: denied",
                "Jan 2 03:04:05 pam_duo(sshd:auth): Failed Duo login for user3 from host2: (left \
                 out)",
            ),
            (
                "Jan 2 03:04:05 bastion sshd[7]: pam_duo(sshd:auth): Failed Duo login for 'a' \
                 bob' from 1.2.3.4: HTTP 500 [factor=push ms=1]",
                "Jan 2 03:04:05 pam_duo(sshd:auth): Failed Duo login (left out) [factor=push ms=1]",
            ),
            (
                "Jan 2 03:04:05 bastion sshd[7]: pam_duo(sshd:auth): send_gecos: Unix user 'x'",
                "Jan 2 03:04:05 pam_duo(sshd:auth): (left out)",
            ),
        ] {
            assert_eq!(names.reduce(line), expected);
        }
        let line = "1 pam_duo(sshd:auth): User bob bypassed Duo 2FA due to user's UNIX group";
        assert!(names.reduce(line).contains("User user2 bypassed"));
    }
}

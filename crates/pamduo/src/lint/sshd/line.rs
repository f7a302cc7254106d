//! One line of `sshd_config`.

/// A line's keyword, in lower case, and arguments; `None` for a comment or an empty line.
pub(super) fn split(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=' || c == '"')
        .unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end)?;
    if word.is_empty() || word.starts_with('#') {
        return None;
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let keyword = match word.to_ascii_lowercase().as_str() {
        "challengeresponseauthentication" | "skeyauthentication" => {
            "kbdinteractiveauthentication".to_owned()
        }
        other => other.to_owned(),
    };
    Some((keyword, arguments(rest)))
}

/// Words, with quotes and a comment at the end.
fn arguments(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), closing) if open == closing => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, '\\') if matches!(characters.peek(), Some('"' | '\'' | '\\')) => {
                word.get_or_insert_default().extend(characters.next());
            }
            (None, '#') if word.is_none() => break,
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            (_, other) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// A time such as `120`, `2m` or `1h30m`, in seconds.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            let so_far = number.unwrap_or(0).checked_mul(10)?;
            number = Some(so_far.checked_add(u64::from(digit))?);
            continue;
        }
        let unit = match character.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    total.checked_add(number.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{seconds, split};

    #[test]
    fn lines_are_split_as_sshd_does() {
        for (line, keyword, words) in [
            ("UsePAM yes", "usepam", &["yes"][..]),
            ("  usepam=yes # comment", "usepam", &["yes"]),
            ("UsePAM = \"yes\"", "usepam", &["yes"]),
            ("Banner \"/a b\" 'c d'", "banner", &["/a b", "c d"]),
            (
                "ForceCommand \"say \\\"x\\\"\"",
                "forcecommand",
                &["say \"x\""],
            ),
            (
                "ChallengeResponseAuthentication no",
                "kbdinteractiveauthentication",
                &["no"],
            ),
        ] {
            let (key, arguments) = split(line).unwrap();
            assert_eq!(key, keyword, "{line}");
            assert_eq!(arguments, words, "{line}");
        }
        assert!(split("# UsePAM no").is_none());
        assert!(split("   ").is_none());
    }

    #[test]
    fn times_are_read() {
        let read = |text| seconds(text);
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("2m"), Some(120));
        assert_eq!(read("1h30m5"), Some(5405));
        assert_eq!(read("0"), Some(0));
        assert_eq!(read("soon"), None);
    }
}

//! Sets values in a configuration file's text and leaves the rest as it is.

use zeroize::Zeroizing;

use super::questions::Answers;

/// `text` with the answers in it: the last line of each key is replaced, its earlier lines and
/// continuation lines are removed, and a missing key is added.
pub(super) fn with_values(text: &str, answers: &Answers) -> Zeroizing<String> {
    let mut values = vec![
        ("ikey", answers.ikey.as_str()),
        ("skey", answers.skey.expose()),
        ("host", answers.host.as_str()),
    ];
    if let Some(cafile) = &answers.cafile {
        values.push(("cafile", cafile));
    }
    if let Some(proxy) = &answers.http_proxy {
        values.push(("http_proxy", proxy.expose()));
    }
    let mut text = Zeroizing::new(text.to_owned());
    for (key, value) in values {
        text = with_value(&text, key, value);
    }
    text
}

fn with_value(text: &str, key: &str, value: &str) -> Zeroizing<String> {
    // After a blank, # and ; would begin a comment.
    let blank = if value.starts_with(['#', ';']) {
        ""
    } else {
        " "
    };
    let new = Zeroizing::new(format!("{key} ={blank}{value}"));
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().rposition(|line| is_key(line, key));
    let mut edited = Zeroizing::new(String::with_capacity(text.len() + new.len() + 2));
    let mut dropping = false;
    for (index, line) in lines.iter().enumerate() {
        if Some(index) == last {
            edited.push_str(&new);
            edited.push('\n');
            dropping = true;
            continue;
        }
        let continues = line.starts_with([' ', '\t']) && !is_blank_or_comment(line);
        if dropping && continues {
            continue;
        }
        if !is_blank_or_comment(line) {
            dropping = is_key(line, key);
        }
        if dropping && is_key(line, key) {
            continue;
        }
        edited.push_str(line);
        edited.push('\n');
    }
    if last.is_none() {
        edited.push_str(&new);
        edited.push('\n');
    }
    edited
}

/// Whether the line, which is not indented, sets `key`.
fn is_key(line: &str, key: &str) -> bool {
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    line.split_once(['=', ':'])
        .is_some_and(|(name, _)| name.trim_end() == key)
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with(['#', ';'])
}

#[cfg(test)]
mod tests {
    use super::with_value;

    #[test]
    fn one_key_is_replaced_and_the_rest_stays() {
        for (text, expected) in [
            ("", "host = new\n"),
            ("[duo]\nhost =\n; end\n", "[duo]\nhost = new\n; end\n"),
            ("host = a\n b\nikey = i\n", "host = new\nikey = i\n"),
            ("host = a\nikey = i\nhost=b", "ikey = i\nhost = new\n"),
            (
                "host = a\n\n; note\n  b\nikey = i\n",
                "host = new\n\n; note\nikey = i\n",
            ),
            (
                ";host = a\nhosts = b\n",
                ";host = a\nhosts = b\nhost = new\n",
            ),
        ] {
            assert_eq!(*with_value(text, "host", "new"), expected, "{text}");
        }
        assert_eq!(*with_value("", "skey", "#1"), "skey =#1\n");
    }

    #[test]
    fn the_same_value_again_changes_nothing() {
        let once = with_value(super::super::TEMPLATE, "ikey", "DIX");
        assert_eq!(*with_value(&once, "ikey", "DIX"), *once);
        assert!(once.contains("\nikey = DIX\n") && !once.contains("\nikey =\n"));
    }
}

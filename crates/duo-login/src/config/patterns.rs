//! Patterns as OpenSSH and `duo_unix` know them: `*`, `?`, and `!` before a whole pattern.

/// Whether `name` matches `pattern`, where `*` stands for any run of characters and `?` for one.
/// Takes time in proportion to the product of the two lengths at worst.
#[must_use]
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go back to: after the last star, and the first character it does not yet cover.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&character) = name.get(n) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == character => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((after, covered)) => {
                    p = after;
                    n = covered + 1;
                    star = Some((after, n));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks_match_as_in_openssh() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("?", "", false),
            ("?", "ä", true),
            ("adm*", "admins", true),
            ("adm*", "wheel", false),
            ("*dev*", "web-dev-team", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("wheel", "Wheel", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**a**", "bab", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    /// The definition, slow and obvious.
    fn by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => by_definition(rest, name),
            (Some(('*', rest)), Some((_, tail))) => {
                by_definition(rest, name) || by_definition(pattern, tail)
            }
            (Some(('?', rest)), Some((_, tail))) => by_definition(rest, tail),
            (Some((p, rest)), Some((n, tail))) => p == n && by_definition(rest, tail),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_its_definition(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            let p: Vec<char> = pattern.chars().collect();
            let n: Vec<char> = name.chars().collect();
            prop_assert_eq!(matches(&pattern, &name), by_definition(&p, &n));
        }
    }
}

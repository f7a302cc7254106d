//! The files that an `Include` line names.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::lint::tree::Tree;

/// As glob(3) matches file names: a leading dot has to be written.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that an absolute path with `*`, `?` and `[…]` matches, sorted.
pub(super) fn expand(tree: &Tree, path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for part in path.components().skip(1) {
        let part = part.as_os_str().to_string_lossy().into_owned();
        found = if part.contains(['*', '?', '[']) {
            let pattern = pattern(&part);
            let inside = |folder: &PathBuf| {
                let names = tree.names(folder).into_iter();
                let matching = names.filter(|name| pattern.matches_with(name, OPTIONS));
                matching.map(|name| folder.join(name)).collect::<Vec<_>>()
            };
            found.iter().flat_map(inside).collect()
        } else {
            found.into_iter().map(|folder| folder.join(&part)).collect()
        };
    }
    found
}

/// A pattern of one file name. The crate gives `**` a meaning that glob(3) does not know, and does not
/// know `[^…]`; a bracket that is never closed is a plain character.
fn pattern(text: &str) -> Pattern {
    let mut text = text.replace("[^", "[!");
    while text.contains("**") {
        text = text.replace("**", "*");
    }
    Pattern::new(&text).unwrap_or_else(|_| {
        let literal = text.replace('[', "[[]");
        Pattern::new(&literal).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{OPTIONS, pattern};

    fn fits(text: &str, name: &str) -> bool {
        pattern(text).matches_with(name, OPTIONS)
    }

    #[test]
    fn patterns_match_file_names_as_in_glob_3() {
        for (text, name, expected) in [
            ("*.conf", "50-cloud.conf", true),
            ("*.conf", "50-cloud.conf.bak", false),
            ("*.conf", ".hidden.conf", false),
            (".*.conf", ".hidden.conf", true),
            ("?[0-9]-*", "10-x", true),
            ("[!0-9]*", "10-x", false),
            ("[^0-9]*", "10-x", false),
            ("[^0-9]*", "x", true),
            ("[]a]", "]", true),
            ("**.conf", "a.conf", true),
            ("a**", "abc", true),
            ("a[b*", "a[bc", true),
            ("a[b*", "abc", false),
            ("A*", "abc", false),
        ] {
            assert_eq!(fits(text, name), expected, "{text} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let start = Instant::now();
        assert!(!fits(&"*a".repeat(30), &"a".repeat(29)));
        assert!(!fits(&format!("{}b", "*a".repeat(30)), &"a".repeat(200)));
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

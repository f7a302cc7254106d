//! Patterns of file names.

use std::path::{Path, PathBuf};

use super::tree::Tree;

/// The files that a pattern with `*`, `?` and `[…]` stands for, sorted.
pub(crate) fn expand(tree: &Tree, pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.components().skip(1) {
        let part = part.as_os_str().to_string_lossy().into_owned();
        found = if part.contains(['*', '?', '[']) {
            let pattern: Vec<char> = part.chars().collect();
            let inside = |folder: &PathBuf| {
                let names = tree.names(folder).into_iter();
                let fits = names.filter(|name| {
                    let hidden = name.starts_with('.') && !part.starts_with('.');
                    !hidden && matches(&pattern, &name.chars().collect::<Vec<_>>())
                });
                fits.map(|name| folder.join(name)).collect::<Vec<_>>()
            };
            found.iter().flat_map(inside).collect()
        } else {
            found.into_iter().map(|folder| folder.join(&part)).collect()
        };
    }
    found
}

/// Whether a name fits a pattern (glob(7)).
fn matches(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            matches(rest, name) || matches!(name, [_, shorter @ ..] if matches(pattern, shorter))
        }
        (['?', rest @ ..], [_, shorter @ ..]) => matches(rest, shorter),
        (['[', set @ ..], [first, shorter @ ..]) if set.contains(&']') => {
            let (inside, rest) = class(set);
            inside(*first) && matches(rest, shorter)
        }
        ([plain, rest @ ..], [first, shorter @ ..]) => plain == first && matches(rest, shorter),
        _ => false,
    }
}

/// A set such as `a-z]` or `!0-9]`, and what follows it.
fn class(set: &[char]) -> (impl Fn(char) -> bool + use<'_>, &[char]) {
    let (negated, set) = match set {
        ['!' | '^', rest @ ..] => (true, rest),
        _ => (false, set),
    };
    // A bracket in the first place is one of the set.
    let end = set
        .iter()
        .skip(1)
        .position(|&c| c == ']')
        .map_or(set.len(), |at| at + 1);
    let (inside, rest) = set.split_at_checked(end).unwrap_or((set, &[]));
    let rest = rest.split_first().map_or(rest, |(_, rest)| rest);
    let contains = move |wanted: char| {
        let mut left = inside;
        let mut found = false;
        while let Some((&from, after)) = left.split_first() {
            left = if let ['-', to, rest @ ..] = after {
                found |= (from..=*to).contains(&wanted);
                rest
            } else {
                found |= from == wanted;
                after
            };
        }
        found != negated
    };
    (contains, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_file_names() {
        let fits = |pattern: &str, name: &str| {
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            matches(&chars(pattern), &chars(name))
        };
        assert!(fits("*.conf", "50-cloud.conf"));
        assert!(!fits("*.conf", "50-cloud.conf.bak"));
        assert!(fits("?[0-9]-*", "10-x"));
        assert!(!fits("[!0-9]*", "10-x"));
        assert!(fits("[]a]", "]"));
    }
}

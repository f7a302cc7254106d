//! From the file's text to a [`Config`], with what there is to say about each line.

use super::fault::ConfigFault;
use super::finding::Finding;
use super::keys::{Key, Taken, nearest};
use super::lines::{self, Entry};
use super::values::Values;
use super::{Config, Failmode};

/// What a file says, and what is wrong with it.
#[derive(Debug)]
pub struct Reading {
    /// The configuration, or why it cannot be used.
    pub config: Result<Config, ConfigFault>,
    /// `failmode`, which is used even where the rest cannot be.
    pub failmode: Option<Failmode>,
    /// What to tell the administrator; never a secret.
    pub findings: Vec<Finding>,
}

/// Reads a file's text. Never fails as a whole: what cannot be used is ignored and reported.
#[must_use]
pub fn read(text: &str) -> Reading {
    let lines = lines::split(text);
    let mut values = Values::default();
    let mut findings: Vec<Finding> = lines
        .entries
        .iter()
        .filter_map(|entry| take(&mut values, entry))
        .collect();
    findings.extend(
        lines
            .bad
            .iter()
            .map(|&line| Finding::NotUnderstood { line }),
    );
    for entry in lines.entries {
        for (line, key) in entry.swallowed {
            if Key::named(&key).is_some() {
                let into = entry.key.clone();
                findings.push(Finding::Swallowed { line, into, key });
            }
        }
    }
    findings.sort_by_key(Finding::line);
    Reading {
        failmode: values.failmode,
        config: values.config(),
        findings,
    }
}

/// Takes one entry. The last one of a key is used, but `groups` add up.
fn take(values: &mut Values, entry: &Entry) -> Option<Finding> {
    let line = entry.line;
    let Some(known) = Key::named(&entry.key) else {
        return Some(Finding::UnknownKey {
            line,
            key: entry.key.clone(),
            meant: nearest(&entry.key),
        });
    };
    let key = known.name;
    let bad = |instead| Finding::BadValue {
        line,
        key,
        accepted: known.accepted,
        instead,
    };
    match known.take(values, &entry.value) {
        Taken::Used => None,
        Taken::Bad => Some(bad("using the default")),
        Taken::BadInstead(instead) => Some(bad(instead)),
        Taken::Clamped(instead) => Some(Finding::Clamped { line, key, instead }),
        Taken::WithoutEffect => Some(Finding::WithoutEffect { line, key }),
    }
}

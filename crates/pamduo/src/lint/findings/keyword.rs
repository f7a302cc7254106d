//! A finding at a keyword of `sshd_config`.

use std::path::Path;

use super::ids::Id;
use super::report::Found;
use crate::finding::{Place, Severity};
use crate::lint::sshd::{PATH, View};

/// A finding at the line that is used for `keyword` (in lower case), or at the whole file if there is
/// none.
pub(super) fn at(
    view: View<'_>,
    keyword: &str,
    kind: (Id, Severity),
    message: &str,
    fix: &str,
) -> Found {
    let whole_file = || Place::whole(Path::new(PATH));
    let line = view.line(keyword);
    let place = line.map_or_else(whole_file, |line| line.place.clone());
    Found {
        services: vec!["sshd".to_owned()],
        ..Found::new(kind, &place, message, fix)
    }
}

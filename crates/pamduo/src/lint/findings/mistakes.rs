//! Mistakes in a stack other than gaps: lines, arguments, includes.

use std::path::Path;

use duo_auth::clean;
use duo_login::args::Arguments;

use super::Settings;
use super::ids::Id;
use super::remedy::LEAVE_OUT;
use super::report::Found;
use crate::finding::{Place, Severity};
use crate::lint::pam::modules::SecondFactor;
use crate::lint::pam::stack::{Entry, Stack, Trouble};
use crate::lint::pam::walk::walk;
use crate::lint::tree::Tree;

/// An argument that the module does not know: it then refuses every login.
pub(super) fn bad_argument(duo: &Entry) -> Option<Found> {
    let words = duo.arguments().iter().map(String::as_bytes);
    let parsed = Arguments::parse(words);
    let bad = parsed.bad.first()?;
    let known = |word: &&String| !parsed.bad.contains(word);
    let rest: Vec<&str> = duo
        .arguments()
        .iter()
        .filter(known)
        .map(String::as_str)
        .collect();
    let message = format!(
        "pam_duo.so knows no argument '{}', and refuses every login: it takes conf=PATH, debug, \
         trace and failmode=safe or secure",
        clean(bad)
    );
    let fix = format!("auth  required  pam_duo.so  {}", rest.join("  "));
    let kind = (Id::BadArgument, Severity::Error);
    Some(Found::new(kind, &duo.place, message, fix.trim_end()))
}

/// A mistake in the files; `possible`: logins can succeed nevertheless.
pub(super) fn in_files((place, trouble): &(Place, Trouble), possible: bool) -> Found {
    let crash = matches!(trouble, Trouble::Loop { .. });
    let severity = if possible && !crash {
        Severity::Warning
    } else {
        Severity::Error
    };
    let outcome = if possible {
        "this part fails"
    } else {
        "nobody gets in"
    };
    let (id, message, fix) = match trouble {
        Trouble::MissingInclude { file } => (
            Id::IncludeMissing,
            format!("the included file '{file}' cannot be read: {outcome}"),
            "(the name of an existing file in /etc/pam.d)",
        ),
        Trouble::Loop { file } => (
            Id::IncludeLoop,
            format!("'{file}' is included in a loop or too deep: PAM crashes, or {outcome}"),
            LEAVE_OUT,
        ),
        Trouble::UnusableLine { reason } => (
            Id::UnusableLine,
            format!("PAM cannot use this line, since {reason}: {outcome}"),
            "auth  required  MODULE  ARGUMENTS",
        ),
    };
    Found::new((id, severity), place, message, fix)
}

/// Duo lines besides the first one; the same line, included again, is not another one.
pub(super) fn other_duos(stack: &Stack) -> impl Iterator<Item = Found> + '_ {
    let first = stack.duo().next().map(|entry| &entry.place);
    let others = stack.duo().filter(move |entry| Some(&entry.place) != first);
    others.map(|entry| {
        Found::new(
            (Id::AnotherDuoModule, Severity::Warning),
            &entry.place,
            "another Duo module is in the same stack: users are asked twice, or by the wrong one",
            LEAVE_OUT,
        )
    })
}

/// `bypass = ignore` in a stack where no other module succeeds.
pub(super) fn ignored_users(
    tree: &Tree,
    service: &str,
    stack: &Stack,
    config: &Path,
) -> Option<Found> {
    let duo = stack.duo().next()?;
    let ignores = stack
        .duo()
        .all(|duo| Settings::read(tree, duo, config).ignores);
    if !ignores {
        return None;
    }
    let bypassed = walk(&stack.entries, service, SecondFactor::Ignores);
    bypassed.ways_in.is_empty().then(|| {
        Found::new(
            (Id::BypassLocksOut, Severity::Error),
            &duo.place,
            "with bypass = ignore, users outside groups cannot get in: no other module succeeds",
            "bypass = success (in the module's configuration)",
        )
    })
}

/// A stack of which not all states were visited.
pub(super) fn too_many_paths(duo: &Entry) -> Found {
    Found::new(
        (Id::TooManyPaths, Severity::Error),
        &duo.place,
        "this stack has too many paths to examine all of them: it is taken to be skippable",
        "(fewer lines with jumps)",
    )
}

//! What a service's stack does to the second factor.

use std::path::Path;

use super::ids::Id;
use super::remedy::LEAVE_OUT;
use super::report::{Found, Report, Service};
use super::safe_argument::SafeArguments;
use super::{gaps, mistakes, module_file, settings};
use crate::finding::{Place, Severity};
use crate::lint::pam::modules::{self, SecondFactor};
use crate::lint::pam::stack::{Entry, Stack};
use crate::lint::pam::walk::{Walk, walk};
use crate::lint::pam::{Type, load, services};
use crate::lint::tree::Tree;

/// Judges every service of the system. Returns the first Duo line of sshd's stack.
pub(crate) fn judge(tree: &Tree, config: &Path, report: &mut Report) -> Option<Entry> {
    let mut sshd = None;
    let mut named = false;
    let mut safe = SafeArguments::default();
    for name in services::all(tree) {
        let stack = load(tree, &name, Type::Auth);
        let duo = stack.duo().next().cloned();
        named |= wrong_types(tree, &name, duo.is_some(), config, report);
        let Some(duo) = duo else {
            continue;
        };
        named = true;
        judge_service(tree, &name, &stack, config, report);
        safe.look(&name, &stack);
        if name == "sshd" {
            sshd = Some(duo);
        }
    }
    safe.note(report);
    if !named {
        report.add(Found::new(
            (Id::DuoInNoStack, Severity::Error),
            &Place::whole(Path::new("/etc/pam.d")),
            "no service asks Duo",
            "auth  required  pam_duo.so, after the password check",
        ));
    }
    sshd
}

/// Duo lines of types other than `auth`; returns whether there are any.
fn wrong_types(
    tree: &Tree,
    service: &str,
    asked: bool,
    config: &Path,
    report: &mut Report,
) -> bool {
    let mut any = false;
    for kind in [Type::Account, Type::Password, Type::Session] {
        for entry in load(tree, service, kind).duo() {
            any = true;
            report.configurations.push(settings::path(entry, config));
            let word = kind.word();
            // The module refuses every change of a password there.
            let severity = if !asked || kind == Type::Password {
                Severity::Error
            } else {
                Severity::Warning
            };
            let mut found = Found::new(
                (Id::WrongType, severity),
                &entry.place,
                format!("pam_duo.so is listed under {word}: Duo is asked under auth alone"),
                if asked {
                    LEAVE_OUT
                } else {
                    "auth  required  pam_duo.so"
                },
            );
            found.services = vec![service.to_owned()];
            report.add(found);
        }
    }
    any
}

fn judge_service(tree: &Tree, name: &str, stack: &Stack, config: &Path, report: &mut Report) {
    let entries = &stack.entries;
    let (skips, approved) = if stack.broken || stack.too_large {
        (Walk::default(), Walk::default())
    } else {
        (
            walk(entries, name, SecondFactor::Fails),
            walk(entries, name, SecondFactor::Approves),
        )
    };
    let possible = !approved.ways_in.is_empty() || approved.cut_short || stack.too_large;
    let mut found = Vec::new();
    let troubles = stack.troubles.iter();
    found.extend(troubles.map(|trouble| mistakes::in_files(trouble, possible)));
    for (gap, path) in &skips.ways_in {
        found.extend(gap.and_then(|gap| gaps::skipped(entries, name, gap, path)));
    }
    if !possible && stack.troubles.is_empty() {
        found.extend(gaps::no_way_in(stack, name, &approved));
    }
    found.extend(mistakes::other_duos(stack));
    found.extend(stack.duo().filter_map(|duo| module_file::judge(tree, duo)));
    found.extend(stack.duo().filter_map(mistakes::bad_argument));
    if possible {
        found.extend(mistakes::ignored_users(tree, name, stack, config));
    }
    let unknown = skips.cut_short || stack.too_large;
    if unknown {
        found.extend(stack.duo().next().map(mistakes::too_many_paths));
    }
    for mut found in found {
        found.services = vec![name.to_owned()];
        report.add(found);
    }
    let configurations = stack.duo().map(|duo| settings::path(duo, config));
    report.configurations.extend(configurations);
    root_alone(entries, name, report);
    duo_alone(stack, name, report);
    let shortest = skips
        .ways_in
        .iter()
        .map(|(_, path)| path)
        .min_by_key(|path| path.len());
    report.services.push(Service {
        name: name.to_owned(),
        skippable: shortest.is_some() || unknown,
        possible,
        path: shortest.cloned().unwrap_or_default(),
    });
}

/// A stack in which Duo is the only factor. sshd may have asked for a key before.
fn duo_alone(stack: &Stack, service: &str, report: &mut Report) {
    let is_other = |entry: &&Entry| !entry.is_duo() && !entry.is_fallback();
    let others = stack.entries.iter().filter(is_other);
    let mut modules = others.filter_map(Entry::module);
    if !modules.all(modules::asks_nothing) {
        return;
    }
    if service == "sshd" {
        report.sshd_asks_duo_alone = true;
    } else if let Some(duo) = stack.duo().next() {
        report.note(format!(
            "{}: Duo is all that {service} asks for: a passcode alone gets in",
            duo.place
        ));
    }
}

/// `pam_rootok.so` where it lets in root alone, who needs no login.
fn root_alone(entries: &[Entry], service: &str, report: &mut Report) {
    let alone = |entry: &&Entry| {
        entry
            .module()
            .is_some_and(|module| modules::is_for_root_alone(module, service))
    };
    if let Some(entry) = entries.iter().find(alone) {
        report.note(format!(
            "{}: pam_rootok.so lets root, and nobody else, pass without Duo",
            entry.place
        ));
    }
}

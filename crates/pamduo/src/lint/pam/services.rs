//! Which services the system has, and where their files are.

use std::path::{Path, PathBuf};

use crate::lint::tree::Tree;

/// Where services are looked up, in this order.
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];

/// How the names of files begin that distributions ship to be included only.
const SHARED: [&str; 9] = [
    "common-",
    "system-auth",
    "system-login",
    "system-local-login",
    "system-remote-login",
    "password-auth",
    "fingerprint-auth",
    "smartcard-auth",
    "postlogin",
];

/// Every service of the system, by name.
pub(crate) fn all(tree: &Tree) -> Vec<String> {
    let mut names: Vec<String> = FOLDERS
        .iter()
        .flat_map(|folder| {
            let names = tree.names(Path::new(folder)).into_iter();
            let regular = names.filter(|name| is_service(tree, &Path::new(folder).join(name)));
            regular.collect::<Vec<_>>()
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Files that others include are judged where they are included; backups of editors and packages are
/// not services.
fn is_service(tree: &Tree, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let shared = SHARED.iter().any(|known| name.starts_with(known));
    let backup = name.starts_with('.')
        || name.ends_with('~')
        || [".dpkg-", ".rpm", ".pam-old", ".bak", ".orig", ".ucf-"]
            .iter()
            .any(|part| name.contains(part));
    !shared && !backup && tree.metadata(path).is_ok_and(|status| status.is_file())
}

/// Where a service's file, or an included one, is.
pub(super) fn find(tree: &Tree, name: &str) -> Option<PathBuf> {
    if name.starts_with('/') {
        return Some(PathBuf::from(name));
    }
    let candidates = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
    candidates
        .into_iter()
        .find(|path| tree.metadata(path).is_ok())
}

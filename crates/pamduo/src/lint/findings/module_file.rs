//! The module's file: it has to exist, and only root may change it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::ids::Id;
use super::report::Found;
use crate::finding::{Place, Severity};
use crate::lint::pam::stack::Entry;
use crate::lint::tree::Tree;

/// What is wrong with the file of the module that `duo` names, if anything.
pub(crate) fn judge(tree: &Tree, duo: &Entry) -> Option<Found> {
    let module = duo.module()?;
    let found = places(tree, module);
    if found.is_empty() {
        return Some(missing(duo, module));
    }
    found.into_iter().find_map(|path| not_roots(tree, &path))
}

/// Where PAM would find the module.
fn places(tree: &Tree, module: &str) -> Vec<PathBuf> {
    let candidates = if module.starts_with('/') {
        vec![PathBuf::from(module)]
    } else {
        folders(tree)
            .into_iter()
            .map(|folder| folder.join(module))
            .collect()
    };
    let is_there = |path: &PathBuf| tree.metadata(path).is_ok_and(|status| status.is_file());
    candidates.into_iter().filter(is_there).collect()
}

/// The folders in which systems keep their modules.
fn folders(tree: &Tree) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for above in ["/usr/lib", "/usr/lib64", "/lib", "/lib64"] {
        let above = Path::new(above);
        folders.push(above.join("security"));
        let architectures = tree.names(above).into_iter();
        // Debian's: x86_64-linux-gnu and the like.
        let architectures = architectures.filter(|name| name.contains("-linux-"));
        folders.extend(architectures.map(|name| above.join(name).join("security")));
    }
    folders
}

fn missing(duo: &Entry, module: &str) -> Found {
    let control = duo.control().map(|control| control.text.clone());
    Found::new(
        (Id::ModuleMissing, Severity::Error),
        &duo.place,
        format!("the file of {module} does not exist: the line fails at every login"),
        format!(
            "auth  {}  pam_duo.so, with the module in PAM's folder",
            control.unwrap_or_default()
        ),
    )
}

fn not_roots(tree: &Tree, path: &Path) -> Option<Found> {
    let status = tree.metadata(path).ok()?;
    let mode = status.mode() & 0o7777;
    let problem = if status.uid() != 0 {
        format!("it belongs to user id {}", status.uid())
    } else if mode & 0o022 != 0 {
        format!("its mode {mode:04o} lets others write to it")
    } else {
        return None;
    };
    let shown = path.display();
    Some(Found::new(
        (Id::ModuleNotRoots, Severity::Error),
        &Place::whole(path),
        format!("{problem}: whoever can change the module is root at the next login"),
        format!("chown root: {shown}; chmod 644 {shown}"),
    ))
}

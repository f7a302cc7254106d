//! A service's modules in the order in which PAM asks them, includes followed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use duo_auth::clean;

use super::control::Control;
use super::modules;
use super::pam::{self, Line, Statement, Type};
use super::tree::Tree;

/// Where services are looked up, in this order.
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];

/// How the names of files begin that distributions have for including only.
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

/// How deep files may include others: libpam's own limit.
const DEPTH_LIMIT: usize = 32;

/// Most modules of one stack, and most files, that are looked at.
const SIZE_LIMIT: usize = 2000;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file, as on the system that is looked at.
    pub(crate) file: Rc<str>,
    /// From 1; none where the file as a whole is meant.
    pub(crate) line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = clean(&self.file);
        match self.line {
            Some(line) => write!(to, "{file}:{line}"),
            None => write!(to, "{file}"),
        }
    }
}

/// A step of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where it is written.
    pub(crate) place: Place,
    /// How many substacks it is in.
    pub(crate) level: usize,
    /// What it is.
    pub(crate) what: What,
}

/// What a step of a stack is.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A module that is asked.
    Module {
        control: Control,
        module: String,
        arguments: Vec<String>,
    },
    /// Something in the place of a line that cannot be used; it fails.
    Failure { control: Control },
    /// The head of a substack: one step together with the deeper ones behind it.
    Substack,
}

impl Entry {
    /// Whether it is the Duo module.
    pub(crate) fn is_duo(&self) -> bool {
        self.module().is_some_and(modules::is_duo)
    }

    /// The module's name as it is written.
    pub(crate) fn module(&self) -> Option<&str> {
        match &self.what {
            What::Module { module, .. } => Some(module),
            _ => None,
        }
    }

    /// Its control field, if it is asked something.
    pub(crate) fn control(&self) -> Option<&Control> {
        match &self.what {
            What::Module { control, .. } | What::Failure { control } => Some(control),
            What::Substack => None,
        }
    }

    /// The module's arguments.
    pub(crate) fn arguments(&self) -> &[String] {
        match &self.what {
            What::Module { arguments, .. } => arguments,
            _ => &[],
        }
    }
}

/// Something in the files that PAM stumbles over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// An included file that cannot be read.
    MissingInclude { file: String },
    /// A file that includes itself, or files nested too deep.
    Loop { file: String },
    /// A line that cannot be used, and why.
    UnusableLine { reason: &'static str },
}

/// A service's modules of one type.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    /// In the order in which they are asked.
    pub(crate) entries: Vec<Entry>,
    /// What PAM stumbles over, and where.
    pub(crate) troubles: Vec<(Place, Trouble)>,
    /// Whether PAM refuses the whole service because of it.
    pub(crate) broken: bool,
    /// Whether there are so many modules or files that not all were read.
    pub(crate) too_large: bool,
}

impl Stack {
    /// Where the Duo module is in it.
    pub(crate) fn duo(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_duo())
    }
}

/// Every service of the system, by name.
pub(crate) fn services(tree: &Tree) -> Vec<String> {
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

/// Files that others include are judged where they are included; editors' and packages' left-overs are no services that a program would ask for.
fn is_service(tree: &Tree, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let shared = SHARED.iter().any(|known| name.starts_with(known));
    let left_over = name.starts_with('.')
        || name.ends_with('~')
        || [".dpkg-", ".rpm", ".pam-old", ".bak", ".orig", ".ucf-"]
            .iter()
            .any(|part| name.contains(part));
    !shared && !left_over && tree.metadata(path).is_ok_and(|status| status.is_file())
}

/// Where a service's file, or an included one, is.
fn find(tree: &Tree, name: &str) -> Option<PathBuf> {
    if name.starts_with('/') {
        return Some(PathBuf::from(name));
    }
    let candidates = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
    candidates
        .into_iter()
        .find(|path| tree.metadata(path).is_ok())
}

/// The modules of `kind` that `service` lists itself. (Where it lists none, PAM asks those of
/// `other`, which is a service of its own here.)
pub(crate) fn load(tree: &Tree, service: &str, kind: Type) -> Stack {
    let mut loader = Loader::new(tree, kind);
    loader.file(service);
    loader.stack
}

struct Loader<'a> {
    tree: &'a Tree,
    kind: Type,
    stack: Stack,
    /// The files that are being read, outermost first.
    open: Vec<PathBuf>,
    /// How many files were included.
    files: usize,
}

impl<'a> Loader<'a> {
    fn new(tree: &'a Tree, kind: Type) -> Self {
        Self {
            tree,
            kind,
            stack: Stack::default(),
            open: Vec::new(),
            files: 0,
        }
    }

    /// Reads a service's own file.
    fn file(&mut self, service: &str) {
        let Some(path) = find(self.tree, service) else {
            return;
        };
        if let Ok(text) = self.tree.read(&path) {
            self.lines(&path, &pam::read(&text), 0, false);
        }
    }

    /// Takes the lines of the file at `path`; only those of one type where `only` says so.
    fn lines(&mut self, path: &Path, lines: &[Line], level: usize, only: bool) {
        self.open.push(path.to_owned());
        let file: Rc<str> = path.to_string_lossy().into();
        for line in lines {
            if self.stack.too_large {
                break;
            }
            let place = Place {
                file: Rc::clone(&file),
                line: Some(line.number),
            };
            self.line(&place, &line.statement, level, only);
        }
        self.open.pop();
    }

    fn line(&mut self, place: &Place, statement: &Statement, level: usize, only: bool) {
        match statement {
            Statement::Module {
                kind,
                control,
                module,
                arguments,
            } if *kind == self.kind => {
                if !control.understood {
                    let reason = "PAM does not understand its control";
                    self.trouble(place, Trouble::UnusableLine { reason });
                }
                let what = What::Module {
                    control: control.clone(),
                    module: module.clone(),
                    arguments: arguments.clone(),
                };
                self.push(place, level, what);
            }
            Statement::Include {
                kind,
                substack,
                file,
            } if *kind == self.kind => {
                if *substack {
                    self.push(place, level, What::Substack);
                }
                let inner = level + usize::from(*substack);
                if !self.include(place, file, inner, true) {
                    self.failure(place, level, Control::bad());
                }
            }
            Statement::IncludeAll { file } => {
                if !self.include(place, file, level, only) {
                    if only {
                        self.failure(place, level, Control::bad());
                    } else {
                        // libpam cannot tell which type the failure would be of, and gives up.
                        self.stack.broken = true;
                    }
                }
            }
            Statement::Unusable {
                kind,
                control,
                reason,
            } => {
                let falls_to = kind.unwrap_or(if only { self.kind } else { Type::Auth });
                if falls_to == self.kind {
                    self.trouble(place, Trouble::UnusableLine { reason });
                    self.failure(place, level, control.clone());
                }
            }
            Statement::Module { .. } | Statement::Include { .. } => {}
        }
    }

    /// Takes an included file; false if it cannot be read.
    fn include(&mut self, place: &Place, name: &str, level: usize, only: bool) -> bool {
        let path = find(self.tree, name).filter(|_| !name.is_empty());
        let text = path.as_ref().and_then(|path| self.tree.read(path).ok());
        let (Some(path), Some(text)) = (path, text) else {
            let file = name.to_owned();
            self.trouble(place, Trouble::MissingInclude { file });
            return false;
        };
        let file = || name.to_owned();
        if self.open.len() >= DEPTH_LIMIT {
            self.trouble(place, Trouble::Loop { file: file() });
            return false;
        }
        if self.open.contains(&path) {
            // Said here; libpam goes on around until it is too deep, or crashes.
            self.trouble(place, Trouble::Loop { file: file() });
        }
        self.files += 1;
        if self.files > SIZE_LIMIT {
            self.stack.too_large = true;
            return true;
        }
        self.lines(&path, &pam::read(&text), level, only);
        true
    }

    fn failure(&mut self, place: &Place, level: usize, control: Control) {
        self.push(place, level, What::Failure { control });
    }

    fn push(&mut self, place: &Place, level: usize, what: What) {
        self.stack.entries.push(Entry {
            place: place.clone(),
            level,
            what,
        });
        self.stack.too_large |= self.stack.entries.len() > SIZE_LIMIT;
    }

    fn trouble(&mut self, place: &Place, trouble: Trouble) {
        // A circle comes by again and again.
        let is_loop = |known: &Trouble| matches!(known, Trouble::Loop { .. });
        let again = self.stack.troubles.iter().any(|(at, known)| {
            (at == place && *known == trouble) || (is_loop(known) && is_loop(&trouble))
        });
        if !again {
            self.stack.troubles.push((place.clone(), trouble));
        }
    }
}

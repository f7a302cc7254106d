//! Loads a service's stack, with the files that it includes, as libpam does.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::control::Control;
use super::file::{self, Line, Statement, Type};
use super::services;
use super::stack::{Entry, Stack, Trouble, What};
use crate::finding::Place;
use crate::lint::tree::Tree;

/// How deep files may include others: libpam's own limit.
const DEPTH_LIMIT: usize = 32;

/// How many modules of one stack, and how many files, are read.
const SIZE_LIMIT: usize = 2000;

/// The modules of `kind` that `service` lists itself. (If it lists none, PAM calls those of `other`,
/// which is a service of its own here.)
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
        let Some(path) = services::find(self.tree, service) else {
            return;
        };
        if let Ok(text) = self.tree.read(&path) {
            self.lines(&path, &file::read(&text), 0, false);
        }
    }

    /// Adds the lines of the file at `path`. `only`: it was included for one type (`TYPE include`),
    /// not for all of them (`@include`).
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
                        // libpam cannot tell which type the failure would be of, and rejects the
                        // service.
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

    /// Adds an included file; false if it cannot be read.
    fn include(&mut self, place: &Place, name: &str, level: usize, only: bool) -> bool {
        let path = services::find(self.tree, name).filter(|_| !name.is_empty());
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
            // Reported here; libpam goes round until it is too deep, or crashes.
            self.trouble(place, Trouble::Loop { file: file() });
        }
        self.files += 1;
        if self.files > SIZE_LIMIT {
            self.stack.too_large = true;
            return true;
        }
        self.lines(&path, &file::read(&text), level, only);
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
        // A loop is met again and again.
        let is_loop = |known: &Trouble| matches!(known, Trouble::Loop { .. });
        let again = self.stack.troubles.iter().any(|(at, known)| {
            (at == place && *known == trouble) || (is_loop(known) && is_loop(&trouble))
        });
        if !again {
            self.stack.troubles.push((place.clone(), trouble));
        }
    }
}

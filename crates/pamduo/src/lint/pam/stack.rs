//! A service's modules, in the order in which PAM calls them.

use super::control::Control;
use super::modules;
use crate::finding::Place;

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
    /// A module that is called.
    Module {
        control: Control,
        module: String,
        arguments: Vec<String>,
    },
    /// What replaces a line that cannot be used: it always fails.
    Failure { control: Control },
    /// The head of a substack: one step together with the deeper ones that follow.
    Substack,
}

impl Entry {
    /// Whether it is the Duo module.
    pub(crate) fn is_duo(&self) -> bool {
        self.module().is_some_and(modules::is_duo)
    }

    /// Whether it checks a code that may take Duo's place where Duo cannot be asked.
    pub(crate) fn is_fallback(&self) -> bool {
        let module = self.module();
        module.is_some_and(|module| modules::is_fallback(module, self.arguments()))
    }

    /// The module's name as it is written.
    pub(crate) fn module(&self) -> Option<&str> {
        match &self.what {
            What::Module { module, .. } => Some(module),
            _ => None,
        }
    }

    /// Its control field, if it has one.
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

/// A mistake in the files.
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
    /// In the order in which they are called.
    pub(crate) entries: Vec<Entry>,
    /// Mistakes in the files, and where.
    pub(crate) troubles: Vec<(Place, Trouble)>,
    /// Whether PAM refuses the whole service because of it.
    pub(crate) broken: bool,
    /// Whether there are more modules or files than are read.
    pub(crate) too_large: bool,
}

impl Stack {
    /// The Duo lines in it.
    pub(crate) fn duo(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_duo())
    }
}

//! Where a walk is.

/// The result of the stack so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    /// None yet; a stack that ends like this has failed.
    Open,
    /// A module's success.
    Yes,
    /// An answer other than success was accepted (`ok` or `done`): the stack fails with it.
    Spoilt,
    /// A module's failure.
    No,
}

/// How the second factor was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Gap {
    /// This step ended the stack, or its substack, before Duo.
    EndsBefore(usize),
    /// This step jumped over Duo.
    JumpsOver(usize),
    /// Duo failed in this step, and that was ignored.
    FailureIgnored(usize),
    /// This step reset the stack after Duo had failed.
    Forgotten(usize),
}

impl Gap {
    /// Which step it is.
    pub(crate) fn at(self) -> usize {
        match self {
            Self::EndsBefore(at)
            | Self::JumpsOver(at)
            | Self::FailureIgnored(at)
            | Self::Forgotten(at) => at,
        }
    }
}

/// A state of the search.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// Which step is next.
    pub(super) at: usize,
    /// The result of the stack so far.
    pub(super) verdict: Verdict,
    /// The verdict with which each open substack began.
    pub(super) outer: Vec<Verdict>,
    /// Whether Duo was called and failed.
    pub(super) duo_failed: bool,
    /// Whether Duo could not be asked, and a code may take its place.
    pub(super) unavailable: bool,
    /// How the second factor was skipped, if it was.
    pub(super) gap: Option<Gap>,
}

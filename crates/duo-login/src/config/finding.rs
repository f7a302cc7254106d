//! What there is to tell the administrator about a configuration file.

use std::fmt;

use duo_auth::clean;

/// Something in the file that the administrator should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A line that is not a section, key or comment.
    NotUnderstood {
        /// Line, from 1.
        line: usize,
    },
    /// A key that is not known.
    UnknownKey {
        /// Line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The key that was probably meant.
        meant: Option<&'static str>,
    },
    /// A value that is not accepted.
    BadValue {
        /// Line, from 1.
        line: usize,
        /// The key.
        key: &'static str,
        /// What is accepted.
        accepted: &'static str,
        /// What is used instead.
        instead: &'static str,
    },
    /// A number outside its range.
    Clamped {
        /// Line, from 1.
        line: usize,
        /// The key.
        key: &'static str,
        /// What is used instead.
        instead: u64,
    },
    /// A key of Duo's module that does nothing here.
    WithoutEffect {
        /// Line, from 1.
        line: usize,
        /// The key.
        key: &'static str,
    },
    /// An indented line that was read as part of the value above.
    Swallowed {
        /// Line, from 1.
        line: usize,
        /// The key that it went to.
        into: String,
        /// The key that it looks like.
        key: String,
    },
}

impl Finding {
    /// The log line, for the file at `path`.
    #[must_use]
    pub fn describe(&self, path: &impl fmt::Display) -> String {
        match self {
            Self::NotUnderstood { line } => format!(
                "Parse error in {path}, line {line}: neither [section], key = value nor comment; \
                 ignored"
            ),
            Self::UnknownKey { line, key, meant } => {
                let key: String = clean(key).chars().take(64).collect();
                match meant {
                    Some(meant) => format!(
                        "Unknown key '{key}' in {path}, line {line}: did you mean '{meant}'?"
                    ),
                    None => format!("Unknown key '{key}' in {path}, line {line}: ignored"),
                }
            }
            Self::BadValue {
                line,
                key,
                accepted,
                instead,
            } => format!(
                "Bad value of '{key}' in {path}, line {line}: expected {accepted}; {instead}"
            ),
            Self::Clamped { line, key, instead } => {
                format!("Value of '{key}' in {path}, line {line}, is out of range: using {instead}")
            }
            Self::WithoutEffect { line, key } => {
                format!("Key '{key}' in {path}, line {line}, has no effect in this module")
            }
            Self::Swallowed { line, into, key } => {
                let short = |text: &str| clean(text).chars().take(64).collect::<String>();
                format!(
                    "Indented line {line} in {path} goes on with the value of '{}'; if '{}' is \
                     meant as a key, remove the blanks before it",
                    short(into),
                    short(key)
                )
            }
        }
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            Self::NotUnderstood { line }
            | Self::UnknownKey { line, .. }
            | Self::BadValue { line, .. }
            | Self::Clamped { line, .. }
            | Self::WithoutEffect { line, .. }
            | Self::Swallowed { line, .. } => *line,
        }
    }
}

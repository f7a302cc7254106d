//! One file of `/etc/pam.d`, as libpam reads it.

use super::control::Control;

/// The type of a line: what PAM calls its module for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Auth,
    Account,
    Password,
    Session,
}

impl Type {
    /// All four.
    pub(crate) const ALL: [Self; 4] = [Self::Auth, Self::Account, Self::Password, Self::Session];

    /// The word in the file.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Account => "account",
            Self::Password => "password",
            Self::Session => "session",
        }
    }

    fn read(word: &str) -> Option<Self> {
        let same = |known: &Self| known.word().eq_ignore_ascii_case(word);
        Self::ALL.into_iter().find(same)
    }
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    /// `TYPE CONTROL MODULE ARGUMENTS`
    Module {
        kind: Type,
        control: Control,
        module: String,
        arguments: Vec<String>,
    },
    /// `TYPE include FILE`, or `substack`
    Include {
        kind: Type,
        substack: bool,
        file: String,
    },
    /// Debian's `@include FILE`, which brings lines of every type.
    IncludeAll { file: String },
    /// A line that libpam cannot use. It is replaced by a module that always fails, of this type or
    /// else of `auth`.
    Unusable {
        kind: Option<Type>,
        control: Control,
        reason: &'static str,
    },
}

/// A line that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, from 1; if backslashes join several lines, that of the first one.
    pub(crate) number: usize,
    /// What it says.
    pub(crate) statement: Statement,
}

/// Reads a file's text.
pub(crate) fn read(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut joined: Option<(usize, String)> = None;
    for (number, raw) in (1..).zip(text.split('\n')) {
        // A comment begins anywhere, even within a word; a backslash in it joins nothing.
        // libpam strips blanks only: the CR of a file from Windows stays part of a name.
        let line = raw
            .split('#')
            .next()
            .unwrap_or_default()
            .trim_matches([' ', '\t']);
        let (number, mut logical) = match joined.take() {
            Some((number, before)) => (number, before),
            None => (number, String::new()),
        };
        if let Some(line) = line.strip_suffix('\\') {
            logical.push_str(line);
            logical.push(' ');
            joined = Some((number, logical));
            continue;
        }
        if line.is_empty() && !logical.is_empty() {
            // Within a joined line, a blank line or a comment is ignored.
            joined = Some((number, logical));
            continue;
        }
        logical.push_str(line);
        lines.extend(statement(&logical).map(|statement| Line { number, statement }));
    }
    if let Some((number, logical)) = joined {
        // libpam rejects a file that ends within a line.
        let first = logical.split([' ', '\t']).next().unwrap_or_default();
        lines.push(Line {
            number,
            statement: Statement::Unusable {
                kind: Type::read(first.strip_prefix('-').unwrap_or(first)),
                control: Control::bad(),
                reason: "it ends in a backslash, with nothing after it",
            },
        });
    }
    lines
}

/// Parses one joined line; `None` if it is empty.
fn statement(line: &str) -> Option<Statement> {
    let mut words = Words { rest: line };
    let (first, _) = words.next()?;
    if first.eq_ignore_ascii_case("@include") {
        let file = words.next().map(|(word, _)| word).unwrap_or_default();
        return Some(Statement::IncludeAll { file });
    }
    let word = first.strip_prefix('-').unwrap_or(&first);
    let kind = Type::read(word);
    let unusable = |control: Control, reason| {
        Some(Statement::Unusable {
            kind,
            control,
            reason,
        })
    };
    let Some((control, bracketed)) = words.next() else {
        return unusable(
            Control::bad(),
            "it has no control such as required, and no module",
        );
    };
    let substack = control.eq_ignore_ascii_case("substack");
    let include = substack || control.eq_ignore_ascii_case("include");
    let module = words.next().map(|(word, _)| word);
    let parsed = Control::parse(&control, bracketed);
    let Some(known) = kind else {
        let control = if include { Control::bad() } else { parsed };
        return unusable(
            control,
            "it begins with none of auth, account, password, session",
        );
    };
    if include {
        return Some(Statement::Include {
            kind: known,
            substack,
            file: module.unwrap_or_default(),
        });
    }
    let Some(module) = module else {
        return unusable(parsed, "it names no module");
    };
    if module.contains('\r') || line.ends_with('\r') {
        return unusable(
            parsed,
            "it ends in a carriage return, as files from Windows do",
        );
    }
    Some(Statement::Module {
        kind: known,
        control: parsed,
        module,
        arguments: words.map(|(word, _)| word).collect(),
    })
}

/// The words of a line, each with whether it was in brackets: `[a b]` is one word, and `\]` in it is
/// a bracket.
struct Words<'a> {
    rest: &'a str,
}

impl Iterator for Words<'_> {
    type Item = (String, bool);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.trim_start_matches([' ', '\t', '\n']);
        if text.is_empty() {
            self.rest = "";
            return None;
        }
        let Some(inner) = text.strip_prefix('[') else {
            let (word, rest) = text.split_once([' ', '\t', '\n']).unwrap_or((text, ""));
            self.rest = rest;
            return Some((word.to_owned(), false));
        };
        let mut word = String::new();
        let mut characters = inner.chars();
        while let Some(character) = characters.next() {
            match character {
                ']' => break,
                '\\' if characters.as_str().starts_with(']') => {
                    characters.next();
                    word.push(']');
                }
                other => word.push(other),
            }
        }
        self.rest = characters.as_str();
        Some((word, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Line {
        let mut lines = read(text);
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    #[test]
    fn a_line_has_type_control_module_and_arguments() {
        let line = only("# c\n-AUTH\t[success=1  default=ignore] pam_x.so a [b c\\] d] # e");
        assert_eq!(line.number, 2);
        let Statement::Module {
            kind,
            control,
            module,
            arguments,
        } = line.statement
        else {
            panic!("{line:?}");
        };
        assert_eq!((kind, module.as_str()), (Type::Auth, "pam_x.so"));
        assert_eq!(control.text, "[success=1 default=ignore]");
        assert_eq!(arguments, ["a", "b c] d"]);
    }

    #[test]
    fn a_backslash_joins_lines_but_not_in_a_comment() {
        let lines =
            read("auth required \\\n# between\n\n pam_x.so\n# note \\\nauth required pam_y.so\\\n");
        let numbers: Vec<usize> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 6]);
    }

    #[test]
    fn includes_of_three_kinds() {
        let file = |name: &str| name.to_owned();
        assert_eq!(
            only("@include common-auth").statement,
            Statement::IncludeAll {
                file: file("common-auth")
            }
        );
        for (text, substack) in [("auth include a", false), ("auth substack a", true)] {
            let kind = Type::Auth;
            let file = file("a");
            assert_eq!(
                only(text).statement,
                Statement::Include {
                    kind,
                    substack,
                    file
                }
            );
        }
    }

    #[test]
    fn lines_that_pam_cannot_use() {
        for text in [
            "auth",
            "auth required",
            "oath required pam_x.so",
            "-@include x",
        ] {
            let statement = only(text).statement;
            assert!(matches!(statement, Statement::Unusable { .. }), "{text}");
        }
    }
}

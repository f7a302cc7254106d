//! The key `groups`: who has to use Duo.

use std::fmt;

use super::patterns::matches;

/// Pattern-lists; empty means everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    lists: Vec<PatternList>,
}

/// Comma-separated patterns, those with `!` kept apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PatternList {
    wanted: Vec<String>,
    unwanted: Vec<String>,
}

impl Groups {
    /// Adds the lists of one `groups` line: separated by blanks, where `\ ` is a blank within a
    /// name.
    pub fn add(&mut self, value: &str) {
        for list in split_unescaped(value) {
            let mut parsed = PatternList::default();
            for pattern in list.split(',').filter(|pattern| !pattern.is_empty()) {
                match pattern.strip_prefix('!') {
                    Some(pattern) => parsed.unwanted.push(pattern.to_owned()),
                    None => parsed.wanted.push(pattern.to_owned()),
                }
            }
            if parsed != PatternList::default() {
                self.lists.push(parsed);
            }
        }
    }

    /// The lists as values of one `groups` line each.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.lists.iter().map(PatternList::line)
    }

    /// Patterns that are the name of one group, without wildcards.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let patterns = self
            .lists
            .iter()
            .flat_map(|l| l.wanted.iter().chain(&l.unwanted));
        patterns
            .map(String::as_str)
            .filter(|p| !p.contains(['*', '?']))
    }

    /// Whether no group is named, so that everyone has to use Duo and nobody's groups matter.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.lists.is_empty()
    }

    /// Whether a user who is in `groups` has to use Duo: some list matches. A list matches when
    /// one of the groups matches a plain pattern and none matches a negated one. A list of negated
    /// patterns alone means everyone else.
    #[must_use]
    pub fn include<S: AsRef<str>>(&self, groups: &[S]) -> bool {
        let any = |patterns: &[String]| {
            groups
                .iter()
                .any(|group| patterns.iter().any(|p| matches(p, group.as_ref())))
        };
        self.is_everyone()
            || self
                .lists
                .iter()
                .any(|list| !any(&list.unwanted) && (list.wanted.is_empty() || any(&list.wanted)))
    }

    /// Why each list does not match a user who is in `groups`; nothing for a list that does.
    #[must_use]
    pub fn misses<S: AsRef<str>>(&self, groups: &[S]) -> Vec<Miss> {
        self.lists
            .iter()
            .filter_map(|list| {
                let excluded = list.unwanted.iter().find_map(|pattern| {
                    let group = groups.iter().find(|g| matches(pattern, g.as_ref()))?;
                    Some(Miss::Excluded {
                        pattern: format!("!{pattern}"),
                        group: group.as_ref().to_owned(),
                    })
                });
                let included = list.wanted.is_empty()
                    || groups
                        .iter()
                        .any(|g| list.wanted.iter().any(|p| matches(p, g.as_ref())));
                excluded.or_else(|| (!included).then(|| Miss::NoneMatches { list: list.line() }))
            })
            .collect()
    }
}

impl PatternList {
    /// The list as it stands in a `groups` line.
    fn line(&self) -> String {
        let wanted = self.wanted.iter().cloned();
        let unwanted = self.unwanted.iter().map(|pattern| format!("!{pattern}"));
        let patterns: Vec<String> = wanted.chain(unwanted).collect();
        let line = patterns.join(",").replace(' ', "\\ ");
        // What would be trimmed at either end, or start a comment, is kept by an empty pattern.
        let front = line.starts_with(|c: char| c.is_whitespace() || matches!(c, '#' | ';'));
        let back = line.ends_with(char::is_whitespace);
        let comma = |needed: bool| if needed { "," } else { "" };
        format!("{}{line}{}", comma(front), comma(back))
    }
}

/// Why a pattern-list does not match a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// None of the user's groups matches a plain pattern.
    NoneMatches {
        /// The list, as in the file.
        list: String,
    },
    /// A group matches a negated pattern.
    Excluded {
        /// The pattern, with its `!`.
        pattern: String,
        /// The group.
        group: String,
    },
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneMatches { list } => write!(f, "no group of the user matches '{list}'"),
            Self::Excluded { pattern, group } => {
                write!(f, "the group '{group}' matches '{pattern}'")
            }
        }
    }
}

/// Splits at blanks, but not at `\ `, which becomes a blank.
fn split_unescaped(value: &str) -> Vec<String> {
    let mut lists = Vec::new();
    let mut list = String::new();
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&' ') => {
                characters.next();
                list.push(' ');
            }
            blank if blank.is_ascii_whitespace() || blank == '\u{b}' => {
                if !list.is_empty() {
                    lists.push(std::mem::take(&mut list));
                }
            }
            other => list.push(other),
        }
    }
    if !list.is_empty() {
        lists.push(list);
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::Groups;

    struct Case {
        lines: &'static [&'static str],
        user_in: &'static [&'static str],
        asked: bool,
    }

    #[test]
    #[allow(clippy::too_many_lines)] // a table
    fn groups_decide_who_is_asked() {
        let cases = [
            Case {
                lines: &[],
                user_in: &["users"],
                asked: true,
            },
            Case {
                lines: &["  "],
                user_in: &["users"],
                asked: true,
            },
            Case {
                lines: &["wheel"],
                user_in: &["users", "wheel"],
                asked: true,
            },
            Case {
                lines: &["wheel"],
                user_in: &["users"],
                asked: false,
            },
            Case {
                lines: &["wheel admins"],
                user_in: &["admins"],
                asked: true,
            },
            Case {
                lines: &["wheel", "admins"],
                user_in: &["admins"],
                asked: true,
            },
            Case {
                lines: &["users,!robots"],
                user_in: &["users"],
                asked: true,
            },
            Case {
                lines: &["users,!robots"],
                user_in: &["users", "robots"],
                asked: false,
            },
            Case {
                lines: &["users,!robots wheel"],
                user_in: &["robots", "wheel"],
                asked: true,
            },
            Case {
                lines: &["!robots"],
                user_in: &["users"],
                asked: true,
            },
            Case {
                lines: &["!robots"],
                user_in: &["users", "robots"],
                asked: false,
            },
            Case {
                lines: &["*,!robots"],
                user_in: &["users"],
                asked: true,
            },
            Case {
                lines: &["adm*"],
                user_in: &["admins"],
                asked: true,
            },
            Case {
                lines: &["adm?n"],
                user_in: &["admin"],
                asked: true,
            },
            Case {
                lines: &[r"domain\ users"],
                user_in: &["domain users"],
                asked: true,
            },
            Case {
                lines: &[r"domain\ users"],
                user_in: &["domain", "users"],
                asked: false,
            },
            Case {
                lines: &["!domain\\ users,*"],
                user_in: &["x", "domain users"],
                asked: false,
            },
            Case {
                lines: &[","],
                user_in: &["users"],
                asked: true,
            },
        ];
        for case in cases {
            let mut groups = Groups::default();
            for line in case.lines {
                groups.add(line);
            }
            assert_eq!(
                groups.include(case.user_in),
                case.asked,
                "groups {:?}, user in {:?}",
                case.lines,
                case.user_in
            );
            // Nobody is left out but by every list.
            let misses = groups.misses(case.user_in);
            let left_out = !groups.is_everyone() && misses.len() == groups.lists.len();
            assert_eq!(left_out, !case.asked, "{misses:?}");
        }
    }

    #[test]
    fn what_leaves_a_user_out_is_named() {
        let mut groups = Groups::default();
        groups.add(r"wheel,domain\ users *,!robot*");
        let misses = groups.misses(&["users", "robots"]);
        let told: Vec<String> = misses.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                r"no group of the user matches 'wheel,domain\ users'",
                "the group 'robots' matches '!robot*'"
            ]
        );
    }
}

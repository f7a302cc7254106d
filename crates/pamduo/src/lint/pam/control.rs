//! What PAM does with a module's answer: the control field of a line, as libpam reads it.

use super::code::{Code, NAMES};

/// What PAM does with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// The answer is the stack's result, unless something failed before.
    Ok,
    /// The same, and the stack ends.
    Done,
    /// The stack has failed, and goes on.
    Bad,
    /// The stack has failed, and ends.
    Die,
    /// The answer is ignored.
    Ignore,
    /// The stack's result so far is discarded.
    Reset,
    /// This many modules are skipped.
    Jump(usize),
}

/// A control field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    /// As it is written.
    pub(crate) text: String,
    /// Whether libpam understands it; if not, every answer is a failure.
    pub(crate) understood: bool,
    actions: [Option<Action>; 32],
}

impl Control {
    /// The control field `text`, brackets left out.
    pub(crate) fn parse(text: &str, bracketed: bool) -> Self {
        let shown = if bracketed {
            format!(
                "[{}]",
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        } else {
            text.to_owned()
        };
        let list = match text.to_ascii_lowercase().as_str() {
            "required" => "success=ok new_authtok_reqd=ok ignore=ignore default=bad",
            "requisite" => "success=ok new_authtok_reqd=ok ignore=ignore default=die",
            "optional" => "success=ok new_authtok_reqd=ok default=ignore",
            "sufficient" => "success=done new_authtok_reqd=done default=ignore",
            _ => text,
        };
        let mut actions = [None; 32];
        let understood = fill(&mut actions, list).is_some();
        if !understood {
            actions = [None; 32];
        }
        Self {
            text: shown,
            understood,
            actions,
        }
    }

    /// The control of a line without one: every answer is a failure.
    pub(crate) fn bad() -> Self {
        Self {
            text: String::new(),
            understood: false,
            actions: [None; 32],
        }
    }

    /// What PAM does with `code`.
    pub(crate) fn action(&self, code: Code) -> Action {
        let action = self
            .actions
            .get(usize::from(code.number()))
            .copied()
            .flatten();
        // A code that the field does not mention is a failure.
        action.unwrap_or(Action::Bad)
    }

    /// Whether it is the plain word `word`.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// Reads `value=action` pairs as libpam does, even without blanks between them; `None` if libpam
/// rejects the list.
fn fill(actions: &mut [Option<Action>; 32], list: &str) -> Option<()> {
    let mut rest = list.trim_start();
    while !rest.is_empty() {
        let (codes, after) = match NAMES.iter().position(|name| rest.starts_with(name)) {
            Some(at) => (Some(at), rest.strip_prefix(NAMES.get(at).copied()?)?),
            None => (None, rest.strip_prefix("default")?),
        };
        let after = after.trim_start().strip_prefix('=')?.trim_start();
        let (action, after) = read_action(after)?;
        match codes {
            Some(at) => *actions.get_mut(at)? = Some(action),
            // For the codes that have not been mentioned yet.
            None => actions
                .iter_mut()
                .for_each(|slot| *slot = slot.or(Some(action))),
        }
        rest = after.trim_start();
    }
    Some(())
}

/// One action, and what follows it.
fn read_action(text: &str) -> Option<(Action, &str)> {
    const WORDS: [(&str, Action); 6] = [
        ("ignore", Action::Ignore),
        ("ok", Action::Ok),
        ("done", Action::Done),
        ("bad", Action::Bad),
        ("die", Action::Die),
        ("reset", Action::Reset),
    ];
    for (word, action) in WORDS {
        if let Some(after) = text.strip_prefix(word) {
            return Some((action, after));
        }
    }
    let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.strip_suffix(after)?;
    let jump: usize = digits.parse().ok().filter(|jump| *jump > 0)?;
    Some((Action::Jump(jump), after))
}

#[cfg(test)]
mod tests {
    use super::super::code::Code;
    use super::{Action, Control};

    fn action(text: &str, code: &str) -> Action {
        Control::parse(text, true).action(Code::named(code).unwrap())
    }

    #[test]
    fn the_four_words_are_what_the_manual_says() {
        for (word, success, ignore, other) in [
            ("required", Action::Ok, Action::Ignore, Action::Bad),
            ("requisite", Action::Ok, Action::Ignore, Action::Die),
            ("optional", Action::Ok, Action::Ignore, Action::Ignore),
            ("sufficient", Action::Done, Action::Ignore, Action::Ignore),
            ("SUFFICIENT", Action::Done, Action::Ignore, Action::Ignore),
        ] {
            assert_eq!(action(word, "success"), success, "{word}");
            assert_eq!(action(word, "new_authtok_reqd"), success, "{word}");
            assert_eq!(action(word, "ignore"), ignore, "{word}");
            assert_eq!(action(word, "perm_denied"), other, "{word}");
        }
    }

    #[test]
    fn pairs_are_read_with_and_without_blanks_and_default_fills_what_is_left() {
        for list in [
            "success=2 default=ignore auth_err=die",
            " success = 2  default=ignore\tauth_err=die ",
            "success=2default=ignoreauth_err=die",
        ] {
            assert_eq!(action(list, "success"), Action::Jump(2), "{list}");
            assert_eq!(action(list, "conv_err"), Action::Ignore, "{list}");
            assert_eq!(action(list, "auth_err"), Action::Die, "{list}");
        }
        // Not mentioned: a failure.
        assert_eq!(action("success=ok", "ignore"), Action::Bad);
        // A later pair overrides `default`; a later `default` overrides nothing.
        assert_eq!(
            action("default=ok success=die default=bad", "success"),
            Action::Die
        );
    }

    #[test]
    fn what_is_not_understood_fails_with_every_answer() {
        for list in [
            "success=0",
            "success",
            "success=",
            "nonsense=ok",
            "success=ok x",
            "mandatory",
        ] {
            let control = Control::parse(list, true);
            assert!(!control.understood, "{list}");
            assert_eq!(control.action(Code::SUCCESS), Action::Bad, "{list}");
        }
    }
}

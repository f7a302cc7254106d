//! Which of sshd's authentication methods let a user in, and whether they ask Duo.

use super::ids::Id;
use super::keyword;
use super::report::Found;
use crate::finding::Severity;
use crate::lint::sshd::{Directive, View};

/// The methods, with the switch of each and whether it is on by default.
const METHODS: [(&str, &str, bool); 5] = [
    ("publickey", "pubkeyauthentication", true),
    ("hostbased", "hostbasedauthentication", false),
    ("gssapi-with-mic", "gssapiauthentication", false),
    ("password", "passwordauthentication", true),
    (KEYBOARD, "kbdinteractiveauthentication", true),
];

const KEYBOARD: &str = "keyboard-interactive";

/// What to write where a key and Duo are wanted.
const KEY_AND_DUO: &str = "AuthenticationMethods publickey,keyboard-interactive";

/// A list of methods that all have to succeed.
type Alternative = Vec<String>;

/// Judges the methods of one view of `sshd_config`; `autopush`: the module's setting.
pub(super) fn judge(view: View<'_>, autopush: bool) -> Vec<Found> {
    match listed(view) {
        Some((line, alternatives)) => judge_lists(view, autopush, line, &alternatives),
        None => any_method(view, autopush),
    }
}

/// A note on a list without anything before PAM, for a system whose stack asks for nothing but Duo.
pub(super) fn duo_alone(view: View<'_>) -> Option<String> {
    let (line, alternatives) = listed(view)?;
    let alone = |list: &Alternative| list.iter().all(|method| reaches_pam(method));
    alternatives.iter().any(alone).then(|| {
        format!(
            "{}: Duo is all that sshd asks for: a passcode alone gets in; put publickey, before \
             keyboard-interactive, or the password check before Duo",
            line.place
        )
    })
}

/// What `AuthenticationMethods` asks for; `None` if any one method is enough.
fn listed(view: View<'_>) -> Option<(&Directive, Vec<Alternative>)> {
    let line = view.line("authenticationmethods")?;
    let any = |word: &String| word.eq_ignore_ascii_case("any");
    if line.arguments.is_empty() || line.arguments.iter().any(any) {
        return None;
    }
    let split = |list: &String| list.split(',').map(str::to_owned).collect();
    Some((line, line.arguments.iter().map(split).collect()))
}

fn is_enabled(view: View<'_>, method: &str) -> bool {
    let method = method.split(':').next().unwrap_or(method);
    let known = METHODS.iter().find(|(name, ..)| *name == method);
    known.is_some_and(|(_, switch, default)| view.is_on(switch, *default))
}

/// One method is enough, and each that is on is a way in.
fn any_method(view: View<'_>, autopush: bool) -> Vec<Found> {
    let mut found = Vec::new();
    let enabled = METHODS.iter().filter(|(name, ..)| is_enabled(view, name));
    let skipping: Vec<_> = enabled.filter(|(name, ..)| !reaches_pam(name)).collect();
    if let Some((_, switch, _)) = skipping.first() {
        let names: Vec<&str> = skipping.iter().map(|(name, ..)| *name).collect();
        let is_listed = view.line("authenticationmethods").is_some();
        found.push(keyword::at(
            view,
            if is_listed {
                "authenticationmethods"
            } else {
                switch
            },
            (Id::NoAuthenticationMethods, Severity::Error),
            &format!(
                "without AuthenticationMethods, {} alone gets in: sshd does not ask PAM then",
                names.join(" or ")
            ),
            KEY_AND_DUO,
        ));
    }
    let password = is_enabled(view, "password");
    if !is_enabled(view, KEYBOARD) {
        if !(password && autopush) {
            found.push(keyboard_off(view));
        }
    } else if password && !autopush {
        let switch = "passwordauthentication";
        let fix = "PasswordAuthentication no";
        found.push(password_cannot_ask(view, Severity::Warning, switch, fix));
    }
    found
}

/// Each of the lists has to ask PAM.
fn judge_lists(
    view: View<'_>,
    autopush: bool,
    line: &Directive,
    alternatives: &[Alternative],
) -> Vec<Found> {
    let keyword = "authenticationmethods";
    let mut found = Vec::new();
    let has = |list: &Alternative, wanted: fn(&str) -> bool| list.iter().any(|m| wanted(m));
    let asking = |list: &Alternative| has(list, asks);
    let keyboard_off = alternatives.iter().any(asking) && !is_enabled(view, KEYBOARD);
    if keyboard_off {
        found.push(self::keyboard_off(view));
    }
    // sshd ignores a list with a method that is off.
    let possible = |list: &&Alternative| list.iter().all(|method| is_enabled(view, method));
    let possible: Vec<&Alternative> = alternatives.iter().filter(possible).collect();
    if possible.is_empty() && !keyboard_off {
        found.push(keyword::at(
            view,
            keyword,
            (Id::MethodsImpossible, Severity::Error),
            "each list has a method that is off or unknown: sshd does not even start",
            KEY_AND_DUO,
        ));
    }
    let skips = |list: &&&Alternative| !has(list, reaches_pam);
    let skipping: Vec<String> = possible.iter().filter(skips).map(|l| l.join(",")).collect();
    if !skipping.is_empty() {
        found.push(keyword::at(
            view,
            keyword,
            (Id::MethodsSkipPam, Severity::Error),
            &format!(
                "{} gets in without PAM, and so without Duo",
                skipping.join(" or ")
            ),
            &with_keyboard(alternatives),
        ));
    }
    let mute = |list: &&&Alternative| !asking(list) && has(list, reaches_pam);
    if possible.iter().any(|list| mute(&list)) && !autopush {
        let severity = if possible.iter().any(|list| asking(list)) {
            Severity::Warning
        } else {
            Severity::Error
        };
        let mut cannot = password_cannot_ask(view, severity, keyword, &with_keyboard(alternatives));
        cannot.finding.place = Some(line.place.clone());
        found.push(cannot);
    }
    found
}

fn keyboard_off(view: View<'_>) -> Found {
    keyword::at(
        view,
        "kbdinteractiveauthentication",
        (Id::NoKeyboardInteractive, Severity::Error),
        "sshd cannot show Duo's question: keyboard-interactive is off",
        "KbdInteractiveAuthentication yes",
    )
}

fn password_cannot_ask(view: View<'_>, severity: Severity, keyword: &str, fix: &str) -> Found {
    keyword::at(
        view,
        keyword,
        (Id::PasswordCannotAsk, severity),
        "sshd's password method cannot show Duo's question, and without autopush = yes fails",
        fix,
    )
}

/// Whether a method runs PAM's `auth` stack and can show its questions.
fn asks(method: &str) -> bool {
    method == KEYBOARD || method == "keyboard-interactive:pam"
}

/// Whether a method runs PAM's `auth` stack.
fn reaches_pam(method: &str) -> bool {
    asks(method) || method == "password"
}

/// The same lists, each with keyboard-interactive.
fn with_keyboard(alternatives: &[Alternative]) -> String {
    let lists = alternatives.iter().map(|list| {
        if list.iter().any(|method| asks(method)) {
            return list.join(",");
        }
        let kept = list.iter().map(String::as_str);
        let kept = kept.filter(|method| *method != "password");
        kept.chain([KEYBOARD]).collect::<Vec<_>>().join(",")
    });
    let mut lists: Vec<String> = lists.collect();
    lists.dedup();
    format!("AuthenticationMethods {}", lists.join(" "))
}

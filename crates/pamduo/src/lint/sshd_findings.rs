//! What `sshd_config` does to the second factor.

use super::findings::{Finding, Report, Severity};
use super::ids::Id;
use super::settings::Settings;
use super::sshd::{self, Directive, Sshd, View};
use super::stack::Place;
use super::tree::Tree;

/// sshd's own `LoginGraceTime`, in seconds.
const GRACE_TIME: u64 = 120;

/// Seconds that a login needs besides those that the module may take.
const MARGIN: u64 = 20;

/// `MaxAuthTries` below which the first key that is refused ends the connection: sshd counts each
/// refused attempt, and hangs up when there are as many as this.
const FEWEST_TRIES: u64 = 2;

/// The methods, with the switch of each and whether it is on by default.
const METHODS: [(&str, &str, bool); 5] = [
    ("publickey", "pubkeyauthentication", true),
    ("hostbased", "hostbasedauthentication", false),
    ("gssapi-with-mic", "gssapiauthentication", false),
    ("password", "passwordauthentication", true),
    (KEYBOARD, "kbdinteractiveauthentication", true),
];

const KEYBOARD: &str = "keyboard-interactive";

/// Judges sshd's configuration, if there is one. For systems where sshd's stack asks Duo.
pub(crate) fn judge(tree: &Tree, settings: Settings, report: &mut Report) {
    let Some(sshd) = Sshd::read(tree) else {
        return;
    };
    let mut global = Vec::new();
    for view in sshd.views() {
        let judge = Judge { view, settings };
        if report.sshd_asks_duo_alone {
            report.notes.extend(judge.duo_alone());
        }
        for finding in judge.findings() {
            let known = |other: &Finding| other.id == finding.id && other.place == finding.place;
            if view.is_global() {
                global.push(finding);
            } else if view.owns(&finding.place) && !global.iter().any(known) {
                report.add(for_some(finding, view.criteria()));
            }
        }
    }
    for finding in global {
        report.add(finding);
    }
}

/// The same, for those of whom a `Match` block speaks.
fn for_some(finding: Finding, criteria: &str) -> Finding {
    Finding {
        why: format!("for Match {criteria}: {}", finding.why),
        ..finding
    }
}

struct Judge<'a> {
    view: View<'a>,
    settings: Settings,
}

/// A way to log in: methods that all have to succeed.
type Alternative = Vec<String>;

impl Judge<'_> {
    fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.view.is_on("usepam", false) {
            found.extend(self.methods());
        } else {
            found.push(self.finding(
                Id::UsePamNo,
                Severity::Error,
                "usepam",
                "sshd does not use PAM, and so never asks Duo",
                "UsePAM yes",
            ));
        }
        if self.view.is_on("permitemptypasswords", false) {
            found.push(self.finding(
                Id::PermitEmptyPasswords,
                Severity::Error,
                "permitemptypasswords",
                "accounts without a password get in without proving anything first",
                "PermitEmptyPasswords no",
            ));
        }
        found.extend(self.grace_time());
        found.extend(self.tries());
        found.extend(self.login_duo());
        found
    }

    /// A finding at the line of `keyword`, or at the file where there is none.
    fn finding(
        &self,
        id: Id,
        severity: Severity,
        keyword: &str,
        why: &str,
        instead: &str,
    ) -> Finding {
        let line = self.view.line(keyword);
        Finding {
            id,
            severity,
            place: line.map_or_else(whole_file, |line| line.place.clone()),
            why: why.to_owned(),
            instead: instead.to_owned(),
            services: vec!["sshd".to_owned()],
            path: Vec::new(),
        }
    }

    fn is_enabled(&self, method: &str) -> bool {
        let method = method.split(':').next().unwrap_or(method);
        let known = METHODS.iter().find(|(name, ..)| *name == method);
        known.is_some_and(|(_, switch, default)| self.view.is_on(switch, *default))
    }

    /// What `AuthenticationMethods` asks for; `None` where any one method will do.
    fn listed(&self) -> Option<(&Directive, Vec<Alternative>)> {
        let line = self.view.line("authenticationmethods")?;
        let any = |word: &String| word.eq_ignore_ascii_case("any");
        if line.arguments.is_empty() || line.arguments.iter().any(any) {
            return None;
        }
        let split = |list: &String| list.split(',').map(str::to_owned).collect();
        Some((line, line.arguments.iter().map(split).collect()))
    }

    /// A list of methods that asks for nothing before PAM, whose stack asks for nothing but Duo.
    fn duo_alone(&self) -> Option<String> {
        let (line, alternatives) = self.listed()?;
        let alone = |list: &Alternative| list.iter().all(|method| reaches_pam(method));
        alternatives.iter().any(alone).then(|| {
            format!(
                "{}: Duo is all that sshd asks for: a passcode alone gets in; put publickey, in \
                 front of keyboard-interactive, or the password check in front of Duo",
                line.place
            )
        })
    }

    fn methods(&self) -> Vec<Finding> {
        match self.listed() {
            Some((line, alternatives)) => self.alternatives(line, &alternatives),
            None => self.any_method(),
        }
    }

    /// One method is enough, and each that is on is a way in.
    fn any_method(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let enabled = METHODS.iter().filter(|(name, ..)| self.is_enabled(name));
        let skipping: Vec<&str> = enabled
            .map(|(name, ..)| *name)
            .filter(|name| !reaches_pam(name))
            .collect();
        if let Some(first) = skipping.first() {
            let keyword = METHODS.iter().find(|(name, ..)| name == first);
            let listed = self.view.line("authenticationmethods").is_some();
            let keyword = if listed {
                "authenticationmethods"
            } else {
                keyword.map_or("", |(_, switch, _)| switch)
            };
            let why = format!(
                "without AuthenticationMethods, {} alone gets in: sshd asks PAM nothing then",
                skipping.join(" or ")
            );
            let instead = "AuthenticationMethods publickey,keyboard-interactive";
            let id = Id::NoAuthenticationMethods;
            found.push(self.finding(id, Severity::Error, keyword, &why, instead));
        }
        let password = self.is_enabled("password");
        if !self.is_enabled(KEYBOARD) {
            if !(password && self.settings.autopush) {
                found.push(self.keyboard_off());
            }
        } else if password && !self.settings.autopush {
            found.push(self.password_cannot_ask(Severity::Warning, "passwordauthentication"));
        }
        found
    }

    /// Each of the alternatives has to ask PAM.
    fn alternatives(&self, line: &Directive, alternatives: &[Alternative]) -> Vec<Finding> {
        let mut found = Vec::new();
        let has = |list: &Alternative, wanted: fn(&str) -> bool| list.iter().any(|m| wanted(m));
        let asking = |list: &Alternative| has(list, asks);
        let keyboard_off = alternatives.iter().any(asking) && !self.is_enabled(KEYBOARD);
        if keyboard_off {
            found.push(self.keyboard_off());
        }
        // sshd passes over a list with a method that is off.
        let possible = |list: &&Alternative| list.iter().all(|method| self.is_enabled(method));
        let possible: Vec<&Alternative> = alternatives.iter().filter(possible).collect();
        if possible.is_empty() && !keyboard_off {
            found.push(self.finding(
                Id::MethodsImpossible,
                Severity::Error,
                "authenticationmethods",
                "each list has a method that is off or unknown: sshd does not even start",
                "AuthenticationMethods publickey,keyboard-interactive",
            ));
        }
        let skips = |list: &&&Alternative| !has(list, reaches_pam);
        let skipping: Vec<String> = possible.iter().filter(skips).map(|l| l.join(",")).collect();
        if !skipping.is_empty() {
            let why = format!(
                "{} gets in without PAM, and so without Duo",
                skipping.join(" or ")
            );
            let id = Id::MethodsSkipPam;
            let keyword = "authenticationmethods";
            let instead = with_keyboard(alternatives);
            found.push(self.finding(id, Severity::Error, keyword, &why, &instead));
        }
        let mute = |list: &&&Alternative| !asking(list) && has(list, reaches_pam);
        if possible.iter().any(|list| mute(&list)) && !self.settings.autopush {
            let others = possible.iter().any(|list| asking(list));
            let severity = if others {
                Severity::Warning
            } else {
                Severity::Error
            };
            let mut finding = self.password_cannot_ask(severity, "authenticationmethods");
            finding.place = line.place.clone();
            finding.instead = with_keyboard(alternatives);
            found.push(finding);
        }
        found
    }

    fn keyboard_off(&self) -> Finding {
        self.finding(
            Id::NoKeyboardInteractive,
            Severity::Error,
            "kbdinteractiveauthentication",
            "sshd cannot ask Duo's question: keyboard-interactive is off",
            "KbdInteractiveAuthentication yes",
        )
    }

    fn password_cannot_ask(&self, severity: Severity, keyword: &str) -> Finding {
        self.finding(
            Id::PasswordCannotAsk,
            severity,
            keyword,
            "sshd's password method cannot show Duo's question, and without autopush = yes fails",
            "PasswordAuthentication no",
        )
    }

    fn grace_time(&self) -> Option<Finding> {
        let value = self.view.value("logingracetime");
        let grace = value.map_or(Some(GRACE_TIME), sshd::seconds)?;
        let timeout = self.settings.login_timeout.as_secs();
        // 0 stands for no limit.
        if grace == 0 || grace > timeout {
            return None;
        }
        let why = format!(
            "sshd hangs up after {grace} s, and a login may take {timeout} s (login_timeout)"
        );
        let instead = format!("LoginGraceTime {}", timeout + MARGIN);
        let id = Id::LoginGraceTime;
        Some(self.finding(id, Severity::Error, "logingracetime", &why, &instead))
    }

    fn tries(&self) -> Option<Finding> {
        let tries: u64 = self.view.value("maxauthtries")?.parse().ok()?;
        if tries >= FEWEST_TRIES {
            return None;
        }
        let (severity, why) = if tries == 0 {
            (
                Severity::Error,
                "sshd hangs up at the first attempt: nobody gets in",
            )
        } else {
            let why = "sshd hangs up at the first refused key, before the right one comes and Duo is asked";
            (Severity::Warning, why)
        };
        Some(self.finding(
            Id::MaxAuthTries,
            severity,
            "maxauthtries",
            why,
            "MaxAuthTries 6",
        ))
    }

    fn login_duo(&self) -> Option<Finding> {
        let line = self.view.line("forcecommand")?;
        let called = line.arguments.iter().any(|word| word.contains("login_duo"));
        called.then(|| {
            self.finding(
                Id::LoginDuo,
                Severity::Warning,
                "forcecommand",
                "login_duo asks Duo once more, after PAM has",
                "(leave this line out)",
            )
        })
    }
}

fn whole_file() -> Place {
    Place {
        file: sshd::PATH.into(),
        line: None,
    }
}

/// Whether a method runs PAM's `auth` stack and can show its questions.
fn asks(method: &str) -> bool {
    method == KEYBOARD || method == "keyboard-interactive:pam"
}

/// Whether a method runs PAM's `auth` stack.
fn reaches_pam(method: &str) -> bool {
    asks(method) || method == "password"
}

/// The same alternatives, each with keyboard-interactive.
fn with_keyboard(alternatives: &[Alternative]) -> String {
    let lists = alternatives.iter().map(|list| {
        let list = list.join(",");
        if list.split(',').any(asks) {
            return list;
        }
        let kept: Vec<&str> = list
            .split(',')
            .filter(|method| *method != "password")
            .collect();
        let kept = kept.into_iter().chain([KEYBOARD]);
        kept.collect::<Vec<_>>().join(",")
    });
    let mut lists: Vec<String> = lists.collect();
    lists.dedup();
    format!("AuthenticationMethods {}", lists.join(" "))
}

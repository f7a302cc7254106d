//! An attack: what is done, by whom, against what.

use std::collections::BTreeSet;

use duo_sim::{Fault, FaultKind};

use crate::end::End;
use crate::site::{App, SETTINGS, Setting, Site};

/// Who plays most of them.
pub const USER: &str = "whoever may run it and knows the first factor";

/// su and sudo, which a user starts.
pub const STARTED: &[App] = &[App::Su, App::Sudo];
/// Each application.
pub const ALL: &[App] = &[App::Su, App::Sudo, App::Sshd];

/// How it is played.
pub enum Play {
    /// One login for each, which begins with these words; `@` is the attacking program.
    Through(Vec<Vec<String>>),
    /// Logins under a limit on memory, such as `as`, in small steps where the module begins to run:
    /// a little more, and everything works.
    Around(&'static str),
    /// One login, by hand.
    ByHand(fn(&Site, App)),
}

/// How much of an end is the same on every machine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// All of it.
    Whole,
    /// In or out.
    Verdict,
}

/// Whom it may let in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Nobody, but with the argument.
    KeepsOut,
    /// Nobody but by the factor.
    FactorOnly,
    /// It is no attack by a user; the table says what happens.
    NoAttack,
}

/// One row of the tables, or one for each application.
pub struct Attack {
    pub what: &'static str,
    pub who: &'static str,
    pub against: &'static [App],
    conf: &'static str,
    fault: Option<Fault>,
    play: Play,
    /// Whether the application has its privileges under it.
    privileged: bool,
    told: Told,
    /// Whether it lies in the moment if the argument lets in.
    by_moment: bool,
    rule: Rule,
}

/// Width of a step at the edge of a limit, in bytes.
const EDGE: u64 = 16 * 1024;
/// How many there are: from the edge, enough for a thread's stack and what it takes to look up a name.
const STEPS: u64 = 58;

/// The least limit, to a step, under which the module says anything.
fn edge(login: impl Fn(u64) -> Result<End, String>) -> Result<u64, String> {
    let (mut too_little, mut enough) = (EDGE, 64 * 1024 * 1024);
    while enough - too_little > EDGE {
        let middle = u64::midpoint(too_little, enough);
        if login(middle)?.how.ends_with(" ends") {
            too_little = middle;
        } else {
            enough = middle;
        }
    }
    Ok(enough)
}

impl Attack {
    pub fn new(what: &'static str, who: &'static str, against: &'static [App], play: Play) -> Self {
        Self {
            what,
            who,
            against,
            conf: "",
            fault: None,
            play,
            privileged: true,
            told: Told::Whole,
            by_moment: false,
            rule: Rule::KeepsOut,
        }
    }

    /// One login that begins with these words, against su and sudo.
    pub fn through(what: &'static str, words: &[&str]) -> Self {
        let words = crate::site::words(words);
        Self::new(what, USER, STARTED, Play::Through(vec![words]))
    }

    /// By hand, against su and sudo.
    pub fn by_hand(what: &'static str, play: fn(&Site, App)) -> Self {
        Self::new(what, USER, STARTED, Play::ByHand(play))
    }

    /// Many logins against su and sudo. Where each of them fails is the machine's.
    pub fn swept(what: &'static str, words: impl Iterator<Item = Vec<String>>) -> Self {
        Self::new(what, USER, STARTED, Play::Through(words.collect())).verdict_only()
    }

    /// Logins at the edge of a limit on memory, against su and sudo.
    pub fn around(what: &'static str, limit: &'static str) -> Self {
        Self::new(what, USER, STARTED, Play::Around(limit)).verdict_only()
    }

    pub fn against(mut self, against: &'static [App]) -> Self {
        self.against = against;
        self
    }

    pub fn by(mut self, who: &'static str) -> Self {
        self.who = who;
        self
    }

    /// Lines of the configuration.
    pub fn conf(mut self, conf: &'static str) -> Self {
        self.conf = conf;
        self
    }

    /// What is wrong with Duo or with the way there.
    pub fn fault(mut self, path: &str, kind: FaultKind, interval_ms: Option<u64>) -> Self {
        let mut fault = Fault::new(path, kind);
        fault.interval_ms = interval_ms;
        self.fault = Some(fault);
        self
    }

    /// The application has no privileges under it: what it says of itself proves nothing.
    pub fn without_privileges(mut self) -> Self {
        self.privileged = false;
        self
    }

    pub fn verdict_only(mut self) -> Self {
        self.told = Told::Verdict;
        self
    }

    /// Whether the argument lets in lies in the moment.
    pub fn by_moment(mut self) -> Self {
        self.by_moment = true;
        self.verdict_only()
    }

    pub fn factor_only(mut self) -> Self {
        self.rule = Rule::FactorOnly;
        self
    }

    /// No user can do it.
    pub fn no_attack(mut self) -> Self {
        self.rule = Rule::NoAttack;
        self
    }

    /// Plays it. Gives the table's cell, or who came in that must not.
    pub fn cell(&self, site: &Site, app: App, setting: Setting) -> Result<String, String> {
        site.configure(setting, self.conf);
        if let Some(fault) = &self.fault {
            site.bed.duo.add_fault(fault.clone());
        }
        let mut ends = BTreeSet::new();
        match &self.play {
            Play::ByHand(play) => {
                play(site, app);
                ends.insert(self.end(site, app, setting, "")?);
            }
            Play::Through(logins) => {
                for before in logins {
                    ends.insert(self.login(site, app, setting, before)?);
                }
            }
            Play::Around(limit) => {
                let login = |bytes: u64| {
                    let before = ["prlimit".to_owned(), format!("--{limit}={bytes}")];
                    self.login(site, app, setting, &before)
                };
                let edge = edge(login)?;
                for step in 0..STEPS {
                    ends.insert(login((edge + step * EDGE).saturating_sub(2 * EDGE))?);
                }
                let hows: Vec<&str> = ends.iter().map(|end| end.how.as_str()).collect();
                // It begins below where anything works, and goes on to where everything does.
                assert!(hows.contains(&"Duo denies"), "{limit}: {hows:?}");
                assert!(hows.iter().any(|how| how.ends_with(" ends")), "{hows:?}");
            }
        }
        if self.by_moment && setting == Setting::Argument {
            return Ok("in or out, by the moment".to_owned());
        }
        let verdicts: BTreeSet<&str> = ends
            .iter()
            .map(|end| if end.inside { "in" } else { "out" })
            .collect();
        let words: BTreeSet<String> = ends.iter().map(End::in_words).collect();
        Ok(match self.told {
            Told::Verdict => verdicts.into_iter().collect::<Vec<_>>().join(" or "),
            Told::Whole => words.into_iter().collect::<Vec<_>>().join(", or "),
        })
    }

    /// One login that begins with these words.
    fn login(
        &self,
        site: &Site,
        app: App,
        setting: Setting,
        before: &[String],
    ) -> Result<End, String> {
        site.forget();
        crate::site::play(&site.login(app, before));
        self.end(site, app, setting, &before.join(" "))
    }

    fn end(&self, site: &Site, app: App, setting: Setting, how: &str) -> Result<End, String> {
        let end = site.end(app, self.privileged);
        let permitted = match self.rule {
            Rule::NoAttack => true,
            Rule::KeepsOut => setting == Setting::Argument && end.how.starts_with("Failsafe"),
            Rule::FactorOnly => end.how == "the factor",
        };
        if end.inside && !permitted {
            let log = site.bed.host.duo_log();
            let log: Vec<&str> = log.iter().map(|line| line.text.as_str()).collect();
            return Err(format!(
                "LET IN: {} ({how}), {app:?}, {setting:?}: {}\n{log:#?}",
                self.what,
                end.in_words()
            ));
        }
        Ok(end)
    }

    /// Every login that is to be played.
    pub fn cells(&self) -> impl Iterator<Item = (App, usize, Setting)> + '_ {
        self.against.iter().flat_map(|app| {
            let settings = SETTINGS.into_iter().enumerate();
            settings.map(|(column, setting)| (*app, column, setting))
        })
    }
}

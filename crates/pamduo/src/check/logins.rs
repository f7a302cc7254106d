//! What happens to logins now: who is asked, let in or kept out, by the judge that the module uses.

use std::path::Path;

use duo_auth::DuoError;
use duo_auth::clock::SystemClock;
use duo_auth::net::is_resource_exhaustion;
use duo_login::Starter;
use duo_login::config::file::FileFault;
use duo_login::config::{Config, ConfigFault, Failmode};
use duo_login::connect;
use duo_login::outcome::{Consent, Fault, Reason, Verdict};
use nix::unistd::geteuid;
use serde_json::{Value, json};

/// What keeps a login from asking the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// A fault, which may let in.
    Fault(Fault),
    /// What never lets in: Duo refuses the request (4xx), or a bug.
    Refusal,
    /// This user may not read what a login reads.
    Unknown,
}

impl Obstacle {
    /// A file that was not read. What this machine lacks says nothing about the file.
    pub(super) fn of_file(path: &Path, fault: &FileFault) -> Self {
        match fault {
            FileFault::Io(error)
                if error.kind() == std::io::ErrorKind::PermissionDenied && !geteuid().is_root() =>
            {
                Self::Unknown
            }
            FileFault::Io(error) if is_resource_exhaustion(error) => {
                Self::Fault(Fault::ResourceExhaustion(error.to_string()))
            }
            other => Self::Fault(Fault::Config(ConfigFault::File {
                path: path.to_owned(),
                reason: other.to_string(),
            })),
        }
    }

    /// What a login meets before it connects: certificates that cannot be used.
    fn before_connecting(config: &Config) -> Option<Self> {
        let clock = SystemClock::start();
        let error = connect::client(config, &clock, &|_| {}).err()?;
        Some(Self::Fault(if error.is_resource_exhaustion() {
            Fault::ResourceExhaustion(error.to_string())
        } else {
            Fault::Config(ConfigFault::Trust(error.to_string()))
        }))
    }

    /// The way to Duo fails.
    pub(super) fn unreachable(host: &str, detail: impl Into<String>) -> Self {
        Self::Fault(Fault::Unreachable(DuoError::Unreachable {
            host: host.to_owned(),
            detail: detail.into(),
        }))
    }
}

impl From<&DuoError> for Obstacle {
    fn from(error: &DuoError) -> Self {
        Fault::try_from(error.clone()).map_or(Self::Refusal, Self::Fault)
    }
}

/// What happens to logins through programs of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Users are asked.
    Asked,
    /// They come in without being asked.
    LetIn,
    /// They stay out, for this reason if a fault is why.
    KeptOut(Option<Reason>),
}

/// What happens to logins now, where the PAM line has no `failmode=`.
#[derive(Debug)]
pub(crate) struct Logins {
    obstacle: Option<Obstacle>,
    failmode: Option<Failmode>,
}

impl Logins {
    /// By the file's `failmode`, its configuration if it can be used, and what the steps met.
    pub(super) fn new(
        failmode: Option<Failmode>,
        config: Option<&Config>,
        met: Option<Obstacle>,
    ) -> Self {
        let first = config.and_then(Obstacle::before_connecting);
        Self {
            obstacle: first.or(met),
            failmode,
        }
    }

    /// Through a program that `starter` started, with `argument` in its PAM line; none if unknown.
    fn fate(&self, starter: Starter, argument: Option<Failmode>) -> Option<Fate> {
        Some(match &self.obstacle {
            None => Fate::Asked,
            Some(Obstacle::Unknown) => return None,
            Some(Obstacle::Refusal) => Fate::KeptOut(None),
            Some(Obstacle::Fault(fault)) => {
                let consent = Consent {
                    file: self.failmode,
                    argument,
                    starter,
                };
                match fault.judge(consent) {
                    Verdict::LetIn => Fate::LetIn,
                    Verdict::KeepOut(reason) => Fate::KeptOut(Some(reason)),
                }
            }
        })
    }

    /// As JSON: an object with a word for each kind of program, or null if it is unknown.
    pub(super) fn json(&self) -> Value {
        let word = |starter| {
            self.fate(starter, None).map(|fate| match fate {
                Fate::Asked => "asked",
                Fate::LetIn => "let-in",
                Fate::KeptOut(_) => "kept-out",
            })
        };
        match (word(Starter::Root), word(Starter::User)) {
            (Some(root), Some(user)) => json!({"root_started": root, "user_started": user}),
            _ => Value::Null,
        }
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        let root = self.fate(Starter::Root, None);
        let user = self.fate(Starter::User, None);
        let (Some(root), Some(user)) = (root, user) else {
            return "unknown; run pamduo as root.".to_owned();
        };
        if root == user {
            let what = self.words(root, Starter::User, "the");
            return format!("users are {what}.");
        }
        format!(
            "sshd, login and other programs that root starts: {}. sudo, su and other \
             programs that users start: {}.",
            self.words(root, Starter::Root, "their"),
            self.words(user, Starter::User, "their"),
        )
    }

    fn words(&self, fate: Fate, starter: Starter, whose: &str) -> String {
        let safe = Some(Failmode::Safe);
        match fate {
            Fate::Asked => "asked".to_owned(),
            Fate::LetIn => "let in without Duo".to_owned(),
            Fate::KeptOut(Some(Reason::Secure)) => "kept out (failmode = secure)".to_owned(),
            Fate::KeptOut(_) if self.fate(starter, safe) == Some(Fate::LetIn) => {
                format!("kept out (failmode=safe in {whose} PAM line lets in)")
            }
            Fate::KeptOut(_) => "kept out".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Logins, Obstacle};
    use duo_auth::{DuoError, Refusal};
    use duo_login::config::Failmode;
    use serde_json::json;

    const ASKED: &str = "users are asked.";
    const IN: &str = "users are let in without Duo.";
    const OUT: &str = "users are kept out.";
    const SECURE: &str = "users are kept out (failmode = secure).";
    const ARGUMENT: &str = "users are kept out (failmode=safe in the PAM line lets in).";
    const SPLIT: &str = "sshd, login and other programs that root starts: let in without Duo. \
        sudo, su and other programs that users start: kept out (failmode=safe in their PAM line \
        lets in).";

    #[test]
    fn logins_are_let_in_and_kept_out_as_the_modules_judge_says() {
        let (host, detail) = ("h".to_owned(), "d".to_owned());
        let refusal = Refusal::default;
        let (unset, safe, secure) = (None, Some(Failmode::Safe), Some(Failmode::Secure));
        let local = DuoError::NotPermitted {
            host: host.clone(),
            detail: detail.clone(),
        };
        let lacked = DuoError::ResourceExhausted { host, detail };
        let refused = DuoError::Refused {
            status: 400,
            refusal: refusal(),
        };
        let keys = DuoError::KeysRejected(refusal());
        let way = Obstacle::unreachable("h", "d");
        let duo = |error: &DuoError| Some(Obstacle::from(error));
        for (obstacle, failmode, text, root, user) in [
            (None, unset, ASKED, "asked", "asked"),
            (None, secure, ASKED, "asked", "asked"),
            (Some(way.clone()), unset, SPLIT, "let-in", "kept-out"),
            (Some(way.clone()), safe, SPLIT, "let-in", "kept-out"),
            (Some(way), secure, SECURE, "kept-out", "kept-out"),
            (duo(&DuoError::Status(503)), unset, IN, "let-in", "let-in"),
            (duo(&local), unset, ARGUMENT, "kept-out", "kept-out"),
            (duo(&local), safe, SPLIT, "let-in", "kept-out"),
            (duo(&keys), unset, ARGUMENT, "kept-out", "kept-out"),
            (duo(&keys), safe, IN, "let-in", "let-in"),
            (
                duo(&DuoError::RateLimited),
                safe,
                OUT,
                "kept-out",
                "kept-out",
            ),
            (duo(&lacked), safe, OUT, "kept-out", "kept-out"),
            (duo(&refused), safe, OUT, "kept-out", "kept-out"),
        ] {
            let logins = Logins { obstacle, failmode };
            assert_eq!(logins.text(), text, "{logins:?}");
            let expected = json!({"root_started": root, "user_started": user});
            assert_eq!(logins.json(), expected, "{logins:?}");
        }
        let unknown = Logins::new(unset, None, Some(Obstacle::Unknown));
        assert_eq!(unknown.json(), json!(null));
        assert!(unknown.text().contains("run pamduo as root"));
    }
}

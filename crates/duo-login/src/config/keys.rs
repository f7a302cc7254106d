//! The one table of configuration keys. It feeds the reader, the writer, `pamduo`, the shipped
//! file, `pam_duo.conf(5)` and the tests: to add a key, add it here, to [`super::Config`], and to
//! [`super::values::Values`].

use zeroize::Zeroizing;

use super::values::Values;
use super::{Bypass, Config, Failmode, LogStyle, MenuSource, StatusMode};
use duo_auth::net::ProxyAddress;
use duo_auth::sign::Signature;

/// Where a key stands in the shipped file and in the man page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// From Duo's Admin Panel.
    Required,
    /// Faults and time limits.
    Faults,
    /// Who has to use Duo.
    Who,
    /// The menu and the factors.
    Asking,
    /// What goes to Duo besides the user's name.
    Telling,
    /// Network and trust.
    Connection,
    /// What syslog gets.
    Log,
    /// Keys of Duo's module that do nothing here, or are refused.
    Others,
}

impl Section {
    /// Every section, in the order of the file, with its title there.
    pub const ALL: [(Self, &'static str); 8] = [
        (
            Self::Required,
            "Required: from your application in Duo's Admin Panel",
        ),
        (Self::Faults, "When Duo cannot be asked"),
        (Self::Who, "Who is asked"),
        (Self::Asking, "How users are asked"),
        (Self::Telling, "What Duo is told"),
        (Self::Connection, "The connection to Duo"),
        (Self::Log, "What is logged"),
        (Self::Others, "Keys of Duo's own module"),
    ];
}

/// How a key's value may be shown in a support bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Whole,
    /// Its first four characters and its length.
    Start,
    /// Its length.
    Length,
    /// Host and port of a proxy.
    Address,
}

/// One key.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// A second name.
    pub alias: Option<&'static str>,
    /// Where it stands.
    pub section: Section,
    /// The value that is used where the file does not have the key; empty if there is none.
    pub default: &'static str,
    /// What is accepted, in words.
    pub accepted: &'static str,
    /// Values for the shipped file, each on a line of its own; the default where there is none.
    pub examples: &'static [&'static str],
    /// How the value may be shown in a support bundle.
    pub shown: Shown,
    /// What it means: sentences for the shipped file and the man page. Names of keys and values are
    /// in backquotes.
    pub help: &'static str,
    kind: Kind,
    /// The values that mean the same, a line each; none where the default does.
    write: fn(&Config, Option<Failmode>) -> Vec<Zeroizing<String>>,
}

/// How a value is read.
enum Kind {
    /// On or off.
    Switch(fn(&mut Values) -> &mut bool),
    /// A whole number from the first to the second; others are clamped.
    Number(u64, u64, fn(&mut Values) -> &mut u64),
    /// In a way of its own.
    Other(fn(&mut Values, &str) -> Taken),
}

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Taken {
    /// It is used.
    Used,
    /// It is not accepted; the default is used.
    Bad,
    /// It is not accepted; this is done instead.
    BadInstead(&'static str),
    /// It is out of range; this is used.
    Clamped(u64),
    /// The key does nothing here.
    WithoutEffect,
}

/// What a switch accepts.
const SWITCH: &str = "yes, true, on, 1, no, false, off or 0";
/// Most tries.
const MOST_PROMPTS: u64 = 3;
/// What `cafile` accepts.
const PEM: &str = "the absolute path of a PEM file";

/// Every key, in the order of the shipped file.
pub static KEYS: &[Key] = &[
    Key {
        examples: &[""],
        shown: Shown::Start,
        help: "Integration key of the application.",
        write: |config, _| text(&config.application.keys.ikey),
        ..Key::required("ikey", "an integration key", |v, text| {
            v.ikey = filled(text);
            Taken::Used
        })
    },
    Key {
        examples: &[""],
        shown: Shown::Length,
        help: "Secret key of the application. Keep it secret.",
        write: |config, _| text(config.application.keys.skey.expose()),
        ..Key::required("skey", "a secret key", |v, text| {
            v.skey = filled(text).map(duo_auth::Secret::new);
            Taken::Used
        })
    },
    Key {
        examples: &[""],
        help: "API hostname, such as api-xxxxxxxx.duosecurity.com, without https://; may carry \
               :port.",
        write: |config, _| text(&config.application.host.to_string()),
        ..Key::required("host", "a host name", |v, text| {
            v.host = filled(text);
            Taken::Used
        })
    },
    Key {
        examples: &["secure"],
        help: "What a fault up to and including preauth does to a login. `secure`: it keeps the \
               user out. Not set: the user comes in if Duo answers with HTTP 5xx or with what \
               cannot be read; and if the way to Duo fails (DNS, TCP, TLS, time-out) and root has \
               started the program (sshd, login). `safe`: also if this file or the keys are \
               wrong, or if this machine forbids the connection and root has started the program. \
               In programs that users start (sudo, su), a failure on the way to Duo keeps out, \
               since those users can cause it, unless the PAM line has the argument \
               `failmode=safe`. HTTP 429 and a lack of memory, descriptors or ports on this \
               machine always keep out, and so does whatever goes wrong after preauth. A bad value \
               is used as `secure`.",
        write: |_, failmode| match failmode {
            Some(failmode) => text(failmode.name()),
            None => Vec::new(),
        },
        ..Key::optional("failmode", Section::Faults, "safe or secure", |v, text| {
            v.failmode = Failmode::named(text).or(Some(Failmode::Secure));
            match Failmode::named(text) {
                Some(_) => Taken::Used,
                None => Taken::BadInstead("using secure"),
            }
        })
    },
    Key {
        default: "10",
        help: "Seconds for one request, DNS, connection and TLS included; 1 to 300. When they are \
               over, the way to Duo has failed: see `failmode`. There is no way to ask for no limit: \
               0 is a bad value. All that happens before a user is asked ends within twice that \
               time and a second.",
        write: |config, _| text(&config.https_timeout.as_secs().to_string()),
        ..Key::number(
            "https_timeout",
            Section::Faults,
            "a whole number from 1 to 300",
            1,
            300,
            |v| &mut v.https_timeout,
        )
    },
    Key {
        default: "100",
        help: "Seconds for the whole login; 1 to 3600. Keep it below sshd's LoginGraceTime, which \
               is 120 unless you changed it.",
        write: |config, _| text(&config.login_timeout.as_secs().to_string()),
        ..Key::number(
            "login_timeout",
            Section::Faults,
            "a whole number from 1 to 3600",
            1,
            3600,
            |v| &mut v.login_timeout,
        )
    },
    Key {
        alias: Some("group"),
        examples: &["sudo adm", "users,!robots"],
        help: "Only members of these groups use Duo; everyone else passes without. Pattern-lists, \
               separated by blanks. A list is patterns, separated by commas, with `*`, `?` and, \
               at the start, `!`. A backslash before a blank makes it part of a name. A list matches a user when one of \
               the user's groups matches a plain pattern and none matches a negated one. A list \
               of negated patterns alone means everyone else. Several lines add up. Default: \
               everyone uses Duo.",
        write: |config, _| config.groups.lines().map(Zeroizing::new).collect(),
        ..Key::optional("groups", Section::Who, "pattern-lists", |v, text| {
            v.groups.add(text);
            Taken::Used
        })
    },
    Key {
        default: "success",
        help: "What users outside `groups` get: `success`, or `ignore` (PAM_IGNORE: the next lines \
               of the PAM stack decide).",
        write: |config, _| text(config.bypass.name()),
        ..Key::optional("bypass", Section::Who, "success or ignore", |v, text| {
            word(Bypass::named(text), &mut v.bypass)
        })
    },
    Key {
        default: "no",
        help: "Send a push, or else make a call, to the first device that can take it, without a \
               menu. The menu follows if that fails. Needed for scp, rsync, ansible and sshd's \
               password method.",
        write: |config, _| switch(config.autopush),
        ..Key::switch("autopush", Section::Asking, |v| &mut v.autopush)
    },
    Key {
        default: "no",
        help: "Say that the code of a verified push can be shown, and show it where Duo's policy \
               asks for one.",
        write: |config, _| switch(config.verified_push),
        ..Key::switch("verified_push", Section::Asking, |v| &mut v.verified_push)
    },
    Key {
        default: "3",
        help: "How often a user may try; 1 to 3.",
        write: |config, _| text(&config.prompts.to_string()),
        ..Key::number(
            "prompts",
            Section::Asking,
            "a whole number from 1 to 3",
            1,
            MOST_PROMPTS,
            |v| &mut v.prompts,
        )
    },
    Key {
        default: "5",
        help: "How many pushes and calls of one user from this host, within 10 minutes, may go \
               without an approval before only passcodes are taken; 1 to 100, or `no`. Three \
               denials do the same, and so does a report of fraud, for 10 minutes. An approved \
               login or a right passcode forgets pushes and denials; `pamduo limits --reset` \
               forgets everything.",
        write: |config, _| match config.push_limit {
            Some(limit) => text(&limit.to_string()),
            None => text("no"),
        },
        ..Key::optional(
            "push_limit",
            Section::Asking,
            "a whole number from 1 to 100, or no",
            |v, text| {
                if on_or_off(text) == Some(false) {
                    v.push_limit = 0;
                    return Taken::Used;
                }
                number(text, 1, 100, &mut v.push_limit)
            },
        )
    },
    Key {
        default: "devices",
        help: "`devices` builds the menu from the user's devices; `server` shows the text that Duo \
               sends, and what is typed goes to Duo.",
        write: |config, _| text(config.menu.name()),
        ..Key::optional("menu", Section::Asking, "devices or server", |v, text| {
            word(MenuSource::named(text), &mut v.menu)
        })
    },
    Key {
        default: "auto",
        help: "How progress reaches the user: `live` as it comes, `prompt` in a prompt of its own, \
               `quiet` not at all; `auto` as fits the application.",
        write: |config, _| text(config.status.name()),
        ..Key::optional(
            "status",
            Section::Asking,
            "auto, live, prompt or quiet",
            |v, text| word(StatusMode::named(text), &mut v.status),
        )
    },
    Key {
        default: "no",
        help: "Tell the phone what is being approved: server, service, address, command.",
        write: |config, _| switch(config.pushinfo),
        ..Key::switch("pushinfo", Section::Telling, |v| &mut v.pushinfo)
    },
    Key {
        default: "no",
        help: "Send this server's address where the client's is not known.",
        write: |config, _| switch(config.fallback_local_ip),
        ..Key::switch("fallback_local_ip", Section::Telling, |v| {
            &mut v.fallback_local_ip
        })
    },
    Key {
        default: "no",
        help: "Take the Duo user name from the GECOS field instead of the Unix name. Users who may \
               change their field (chfn) may then log in as any Duo user; both names are logged.",
        write: |config, _| switch(config.gecos.is_some()),
        ..Key::switch("send_gecos", Section::Telling, |v| &mut v.send_gecos)
    },
    Key {
        default: ",",
        help: "What separates the parts of the GECOS field.",
        write: |config, _| match config.gecos {
            Some(gecos) => text(&gecos.delimiter.to_string()),
            None => Vec::new(),
        },
        ..Key::optional(
            "gecos_delim",
            Section::Telling,
            "one character",
            |v, text| {
                let mut characters = text.chars();
                match (characters.next(), characters.next()) {
                    (Some(delimiter), None) => {
                        v.gecos_delim = delimiter;
                        Taken::Used
                    }
                    _ => Taken::Bad,
                }
            },
        )
    },
    Key {
        examples: &["1"],
        help: "Which part of the GECOS field is the name, from 1; the whole field if it is not set.",
        write: |config, _| match config.gecos.and_then(|gecos| gecos.position) {
            Some(position) => text(&position.to_string()),
            None => Vec::new(),
        },
        ..Key::optional(
            "gecos_username_pos",
            Section::Telling,
            "a number from 1 up",
            |v, text| {
                v.gecos_username_pos = text.parse().ok().filter(|position| *position > 0);
                match v.gecos_username_pos {
                    Some(_) => Taken::Used,
                    None => Taken::Bad,
                }
            },
        )
    },
    Key {
        examples: &["http://proxy.example.com:3128"],
        shown: Shown::Address,
        help: "HTTP proxy: http://[user:password@]host[:port]. Never taken from the environment. \
               Everything up to the last @ is user and password; `%XX` is decoded.",
        write: |config, _| match &config.http_proxy {
            Some(proxy) => text(proxy.expose()),
            None => Vec::new(),
        },
        ..Key::optional(
            "http_proxy",
            Section::Connection,
            "http://[user:password@]host[:port]",
            |v, text| {
                if text.is_empty() {
                    v.http_proxy = None;
                    return Taken::Bad;
                }
                let parsed = ProxyAddress::parse(text);
                let taken = match parsed {
                    Ok(_) => Taken::Used,
                    Err(_) => Taken::BadInstead("Duo is not asked"),
                };
                v.http_proxy = Some(parsed);
                taken
            },
        )
    },
    Key {
        examples: &["/etc/ssl/certs/ca-certificates.crt"],
        help: "CA certificates to trust instead of the system's trust store: the absolute path of \
               a PEM file. Who can write to it can pose as Duo: where that is anyone but root, it \
               is logged at every login.",
        write: |config, _| match config.cafile.as_ref().and_then(|path| path.to_str()) {
            Some(path) => text(path),
            None => Vec::new(),
        },
        ..Key::optional("cafile", Section::Connection, PEM, |v, text| {
            v.cafile = text.starts_with('/').then(|| text.into());
            v.bad_cafile = v.cafile.is_none() && !text.is_empty();
            match v.cafile {
                Some(_) => Taken::Used,
                None if v.bad_cafile => Taken::BadInstead("nothing is trusted"),
                None => Taken::Bad,
            }
        })
    },
    Key {
        default: "v2-sha1",
        help: "How requests are signed: `v2-sha1`, `v2-sha512` or `v5`.",
        write: |config, _| text(config.application.signature.name()),
        ..Key::optional(
            "signature",
            Section::Connection,
            "v2-sha1, v2-sha512 or v5",
            |v, text| {
                let known = Signature::ALL.into_iter().find(|s| s.name() == text);
                word(known, &mut v.signature)
            },
        )
    },
    Key {
        default: "pam",
        help: "How lines are written: `pam` as other PAM modules write theirs, with fields in \
               brackets at the end; `duo_unix` as Duo's own module writes them, for parsers that \
               match a whole line.",
        write: |config, _| text(config.log.name()),
        ..Key::optional("log", Section::Log, "pam or duo_unix", |v, text| {
            word(LogStyle::named(text), &mut v.log)
        })
    },
    Key {
        default: "no",
        help: "Refused: a login that does not check whom it asks is not a second factor. `cafile` \
               says which certificates to trust.",
        ..Key::switch("noverify", Section::Others, |v| &mut v.noverify)
    },
    Key::without_effect("accept_env_factor"),
    Key::without_effect("motd"),
    Key::without_effect("gecos_parsed"),
    Key::without_effect("dev_fips_mode"),
];

impl Key {
    const fn required(
        name: &'static str,
        accepted: &'static str,
        take: fn(&mut Values, &str) -> Taken,
    ) -> Self {
        Self::optional(name, Section::Required, accepted, take)
    }

    const fn optional(
        name: &'static str,
        section: Section,
        accepted: &'static str,
        take: fn(&mut Values, &str) -> Taken,
    ) -> Self {
        Self {
            name,
            alias: None,
            section,
            default: "",
            accepted,
            examples: &[],
            shown: Shown::Whole,
            help: "",
            kind: Kind::Other(take),
            write: |_, _| Vec::new(),
        }
    }

    const fn switch(
        name: &'static str,
        section: Section,
        field: fn(&mut Values) -> &mut bool,
    ) -> Self {
        Self {
            kind: Kind::Switch(field),
            ..Self::optional(name, section, SWITCH, |_, _| Taken::Bad)
        }
    }

    const fn number(
        name: &'static str,
        section: Section,
        accepted: &'static str,
        least: u64,
        most: u64,
        field: fn(&mut Values) -> &mut u64,
    ) -> Self {
        Self {
            kind: Kind::Number(least, most, field),
            ..Self::optional(name, section, accepted, |_, _| Taken::Bad)
        }
    }

    const fn without_effect(name: &'static str) -> Self {
        Self {
            help: "Accepted for the sake of files made for Duo's module, without effect.",
            ..Self::optional(name, Section::Others, "anything", |_, _| {
                Taken::WithoutEffect
            })
        }
    }

    /// The key called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter()
            .find(|key| key.name == name || key.alias == Some(name))
    }

    /// Puts `text` into `values`; where it is not accepted, the default.
    pub(super) fn take(&self, values: &mut Values, text: &str) -> Taken {
        let taken = self.read(values, text);
        if taken == Taken::Bad && !self.default.is_empty() {
            let _ = self.read(values, self.default);
        }
        taken
    }

    fn read(&self, values: &mut Values, text: &str) -> Taken {
        match self.kind {
            Kind::Switch(field) => word(on_or_off(text), field(values)),
            Kind::Number(least, most, field) => number(text, least, most, field(values)),
            Kind::Other(take) => take(values, text),
        }
    }

    /// The lines' values that mean the same as `config` and `failmode`, which may be secret. None
    /// where the key is not set and has no default.
    #[must_use]
    pub fn written(&self, config: &Config, failmode: Option<Failmode>) -> Vec<Zeroizing<String>> {
        (self.write)(config, failmode)
    }

    /// Whether it is accepted without effect.
    #[must_use]
    pub fn does_nothing(&self) -> bool {
        self.section == Section::Others && self.default.is_empty()
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn text(value: &str) -> Vec<Zeroizing<String>> {
    vec![Zeroizing::new(value.to_owned())]
}

fn switch(on: bool) -> Vec<Zeroizing<String>> {
    text(if on { "yes" } else { "no" })
}

fn on_or_off(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Some(true),
        "no" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn word<T>(known: Option<T>, field: &mut T) -> Taken {
    match known {
        Some(word) => {
            *field = word;
            Taken::Used
        }
        None => Taken::Bad,
    }
}

fn number(text: &str, least: u64, most: u64, field: &mut u64) -> Taken {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits {
        // A number too large for its type is a number all the same.
        text.parse().unwrap_or(u64::MAX)
    } else if text.parse::<i64>().is_ok() {
        0
    } else {
        return Taken::Bad;
    };
    // No time at all is no limit in Duo's module, and would be the shortest one here. A number of
    // tries is clamped, as there.
    if number < least && most > MOST_PROMPTS {
        return Taken::Bad;
    }
    *field = number.clamp(least, most);
    if *field == number {
        Taken::Used
    } else {
        Taken::Clamped(*field)
    }
}

/// The key that was probably meant, if one is near enough.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    // A long word is not a typo, and the distance takes time in proportion to its length.
    if word.len() > 32 {
        return None;
    }
    let word = word.to_ascii_lowercase().replace('-', "_");
    KEYS.iter()
        .flat_map(|key| [Some(key.name), key.alias])
        .flatten()
        .map(|name| (strsim::osa_distance(&word, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3).min(3))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::{KEYS, Key, Section, Taken, nearest};
    use crate::config::values::Values;

    #[test]
    fn typos_find_the_key_that_was_meant() {
        for (word, expected) in [
            ("failmod", Some("failmode")),
            ("Failmode", Some("failmode")),
            ("fail_mode", Some("failmode")),
            ("autopsh", Some("autopush")),
            ("https-timeout", Some("https_timeout")),
            ("gruops", Some("groups")),
            ("sekey", Some("skey")),
            ("colour", None),
            ("", None),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", None),
        ] {
            assert_eq!(nearest(word), expected, "{word}");
        }
    }

    #[test]
    fn every_default_and_example_is_accepted_and_every_key_is_explained() {
        for key in KEYS {
            assert!(!key.help.is_empty(), "{}", key.name);
            let mut values = Values::default();
            for value in key.examples.iter().chain([&key.default]) {
                let taken = key.take(&mut values, value);
                let expected = if key.does_nothing() {
                    Taken::WithoutEffect
                } else if value.is_empty() && key.section != Section::Required {
                    continue;
                } else {
                    Taken::Used
                };
                assert_eq!(taken, expected, "{} = {value}", key.name);
            }
        }
    }

    #[test]
    fn names_are_found_and_unique() {
        let names = KEYS.iter().flat_map(|key| [Some(key.name), key.alias]);
        let mut names: Vec<&str> = names.flatten().collect();
        assert!(names.iter().all(|name| Key::named(name).is_some()));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

//! From the file's text to a [`Config`], with what there is to say about each line.

use std::path::PathBuf;
use std::time::Duration;

use super::finding::Finding;
use super::keys::{KNOWN, WITHOUT_EFFECT, nearest};
use super::lines::{self, Entry};
use super::{Bypass, Config, Failmode, Gecos, Groups, Host, Menu, StatusMode};
use crate::duo::sign::{Keys, Signature};
use crate::outcome::ConfigFault;
use crate::secret::Secret;

/// What a file says, and what is wrong with it.
#[derive(Debug)]
pub struct Reading {
    /// The configuration, or why it cannot be used.
    pub config: Result<Config, ConfigFault>,
    /// `failmode`, which counts also where the rest cannot be used.
    pub failmode: Option<Failmode>,
    /// What to tell the administrator; never a secret.
    pub findings: Vec<Finding>,
}

/// Reads a file's text. Never fails as a whole: what cannot be used is passed over and reported.
#[must_use]
pub fn read(text: &str) -> Reading {
    let lines = lines::split(text);
    let mut draft = Draft::default();
    for entry in &lines.entries {
        draft.take(entry);
    }
    let mut findings = draft.findings;
    findings.extend(
        lines
            .bad
            .iter()
            .map(|&line| Finding::NotUnderstood { line }),
    );
    for entry in lines.entries {
        for (line, key) in entry.swallowed {
            if KNOWN.contains(&key.as_str()) {
                let into = entry.key.clone();
                findings.push(Finding::Swallowed { line, into, key });
            }
        }
    }
    findings.sort_by_key(Finding::line);
    let mut values = draft.values;
    let failmode = values.failmode;
    let config = match (values.ikey.take(), values.skey.take(), values.host.take()) {
        (Some(ikey), Some(skey), Some(host)) => match Host::parse(&host) {
            _ if values.noverify => Err(ConfigFault::NoVerify),
            // Not the default: whoever sets it does not mean the system's store, and what is then
            // not trusted would be an outage.
            _ if values.bad_cafile => Err(ConfigFault::Trust(
                "no CA certificate could be read: cafile is not an absolute path".to_owned(),
            )),
            Err(problem) => Err(ConfigFault::BadHost(problem)),
            Ok(host) => Ok(values.config(Keys { ikey, skey }, host)),
        },
        _ => Err(ConfigFault::MissingKeys),
    };
    Reading {
        config,
        failmode,
        findings,
    }
}

/// The values read so far.
#[derive(Default)]
struct Draft {
    values: Values,
    findings: Vec<Finding>,
}

#[allow(clippy::struct_excessive_bools)] // one for each switch of the file
struct Values {
    ikey: Option<String>,
    skey: Option<Secret>,
    host: Option<String>,
    groups: Groups,
    failmode: Option<Failmode>,
    pushinfo: bool,
    http_proxy: Option<Secret>,
    autopush: bool,
    verified_push: bool,
    prompts: u8,
    fallback_local_ip: bool,
    https_timeout: u64,
    cafile: Option<PathBuf>,
    /// Whether `cafile` is there and says nothing that can be used.
    bad_cafile: bool,
    noverify: bool,
    send_gecos: bool,
    gecos_delim: char,
    gecos_username_pos: Option<u32>,
    signature: Signature,
    menu: Menu,
    login_timeout: u64,
    bypass: Bypass,
    status: StatusMode,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            ikey: None,
            skey: None,
            host: None,
            groups: Groups::default(),
            failmode: None,
            pushinfo: false,
            http_proxy: None,
            autopush: false,
            verified_push: false,
            prompts: 3,
            fallback_local_ip: false,
            https_timeout: 10,
            cafile: None,
            bad_cafile: false,
            noverify: false,
            send_gecos: false,
            gecos_delim: ',',
            gecos_username_pos: None,
            signature: Signature::V2Sha1,
            menu: Menu::Devices,
            login_timeout: 100,
            bypass: Bypass::Success,
            status: StatusMode::Auto,
        }
    }
}

impl Values {
    fn config(self, keys: Keys, host: Host) -> Config {
        Config {
            keys,
            host,
            groups: self.groups,
            pushinfo: self.pushinfo,
            http_proxy: self.http_proxy,
            autopush: self.autopush,
            verified_push: self.verified_push,
            prompts: self.prompts,
            fallback_local_ip: self.fallback_local_ip,
            https_timeout: Duration::from_secs(self.https_timeout),
            cafile: self.cafile,
            gecos: self.send_gecos.then_some(Gecos {
                delimiter: self.gecos_delim,
                position: self.gecos_username_pos,
            }),
            signature: self.signature,
            menu: self.menu,
            login_timeout: Duration::from_secs(self.login_timeout),
            bypass: self.bypass,
            status: self.status,
        }
    }
}

/// What a switch accepts.
const SWITCH: &str = "yes, true, on, 1, no, false, off or 0";

impl Draft {
    /// Takes one key. The last one counts, but `groups` add up.
    fn take(&mut self, entry: &Entry) {
        let line = entry.line;
        let value = entry.value.as_str();
        let values = &mut self.values;
        match entry.key.as_str() {
            "ikey" => values.ikey = filled(value),
            "skey" => values.skey = filled(value).map(Secret::new),
            "host" => values.host = filled(value),
            "groups" | "group" => values.groups.add(value),
            "failmode" => {
                values.failmode = match value {
                    "safe" => Some(Failmode::Safe),
                    "secure" => Some(Failmode::Secure),
                    _ => {
                        self.findings.push(Finding::BadValue {
                            line,
                            key: "failmode",
                            accepted: "safe or secure",
                            instead: "it counts as secure",
                        });
                        Some(Failmode::Secure)
                    }
                }
            }
            "prompts" | "https_timeout" | "login_timeout" => {
                self.take_number(line, &entry.key, value);
            }
            "signature" | "menu" | "bypass" | "status" => {
                self.take_choice(line, &entry.key, value);
            }
            "pushinfo" => self.switch(line, "pushinfo", value, |v| &mut v.pushinfo),
            "autopush" => self.switch(line, "autopush", value, |v| &mut v.autopush),
            "verified_push" => self.switch(line, "verified_push", value, |v| &mut v.verified_push),
            "fallback_local_ip" => self.switch(line, "fallback_local_ip", value, |v| {
                &mut v.fallback_local_ip
            }),
            "noverify" => self.switch(line, "noverify", value, |v| &mut v.noverify),
            "send_gecos" => self.switch(line, "send_gecos", value, |v| &mut v.send_gecos),
            "gecos_username_pos" => match value.parse() {
                Ok(position @ 1..) => values.gecos_username_pos = Some(position),
                _ => self.bad(line, "gecos_username_pos", "a number from 1 up"),
            },
            "gecos_delim" => {
                let mut characters = value.chars();
                match (characters.next(), characters.next()) {
                    (Some(delimiter), None) => values.gecos_delim = delimiter,
                    _ => self.bad(line, "gecos_delim", "one character"),
                }
            }
            "http_proxy" => {
                if crate::duo::transport::proxy(value).is_some() {
                    values.http_proxy = Some(Secret::from(value));
                } else {
                    values.http_proxy = None;
                    self.bad(line, "http_proxy", "http://[user:password@]host[:port]");
                }
            }
            "cafile" => {
                values.bad_cafile = false;
                values.cafile = None;
                if value.starts_with('/') {
                    values.cafile = Some(PathBuf::from(value));
                } else if value.is_empty() {
                    self.bad(line, "cafile", "the absolute path of a PEM file");
                } else {
                    values.bad_cafile = true;
                    self.findings.push(Finding::BadValue {
                        line,
                        key: "cafile",
                        accepted: "the absolute path of a PEM file",
                        instead: "nothing is trusted",
                    });
                }
            }
            other => self.other(line, other),
        }
    }

    /// A key whose value is a number within a range.
    fn take_number(&mut self, line: usize, key: &str, value: &str) {
        match key {
            "prompts" => {
                self.number(line, "prompts", value, 1..=3, |v, n| {
                    v.prompts = u8::try_from(n).unwrap_or(3);
                });
            }
            "https_timeout" => {
                self.number(line, "https_timeout", value, 1..=300, |v, n| {
                    v.https_timeout = n;
                });
            }
            _ => {
                self.number(line, "login_timeout", value, 1..=3600, |v, n| {
                    v.login_timeout = n;
                });
            }
        }
    }

    /// A key whose value is one of a few words.
    fn take_choice(&mut self, line: usize, key: &str, value: &str) {
        let values = &mut self.values;
        match key {
            "signature" => {
                let known = [
                    ("v2-sha1", Signature::V2Sha1),
                    ("v2-sha512", Signature::V2Sha512),
                    ("v5", Signature::V5),
                ];
                match choose(value, &known) {
                    Some(signature) => values.signature = signature,
                    None => self.bad(line, "signature", "v2-sha1, v2-sha512 or v5"),
                }
            }
            "menu" => {
                match choose(
                    value,
                    &[("devices", Menu::Devices), ("server", Menu::Server)],
                ) {
                    Some(menu) => values.menu = menu,
                    None => self.bad(line, "menu", "devices or server"),
                }
            }
            "bypass" => {
                let known = [("success", Bypass::Success), ("ignore", Bypass::Ignore)];
                match choose(value, &known) {
                    Some(bypass) => values.bypass = bypass,
                    None => self.bad(line, "bypass", "success or ignore"),
                }
            }
            _ => {
                let known = [
                    ("auto", StatusMode::Auto),
                    ("live", StatusMode::Live),
                    ("prompt", StatusMode::Prompt),
                    ("quiet", StatusMode::Quiet),
                ];
                match choose(value, &known) {
                    Some(status) => values.status = status,
                    None => self.bad(line, "status", "auto, live, prompt or quiet"),
                }
            }
        }
    }

    /// A key without effect, or one that is not known.
    fn other(&mut self, line: usize, word: &str) {
        let known = WITHOUT_EFFECT.iter().find(|key| **key == word);
        let finding = match known {
            Some(key) => Finding::WithoutEffect { line, key },
            None => Finding::UnknownKey {
                line,
                key: word.to_owned(),
                meant: nearest(word),
            },
        };
        self.findings.push(finding);
    }

    fn switch(
        &mut self,
        line: usize,
        key: &'static str,
        value: &str,
        field: fn(&mut Values) -> &mut bool,
    ) {
        let default = *field(&mut Values::default());
        let read = match value.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" | "1" => Some(true),
            "no" | "false" | "off" | "0" => Some(false),
            _ => None,
        };
        *field(&mut self.values) = read.unwrap_or(default);
        if read.is_none() {
            self.bad(line, key, SWITCH);
        }
    }

    fn number(
        &mut self,
        line: usize,
        key: &'static str,
        value: &str,
        range: std::ops::RangeInclusive<u64>,
        set: fn(&mut Values, u64),
    ) {
        // A number too large for its type is a number all the same.
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits {
            Some(value.parse().unwrap_or(u64::MAX))
        } else {
            value.parse::<i64>().ok().map(|_| 0)
        };
        let Some(number) = number else {
            self.bad(line, key, "a whole number");
            return;
        };
        // No time at all is no limit in Duo's module, and would be the shortest one here.
        if number == 0 && key != "prompts" {
            self.bad(line, key, "a whole number from 1 up");
            return;
        }
        let clamped = number.clamp(*range.start(), *range.end());
        set(&mut self.values, clamped);
        if clamped != number {
            let instead = clamped;
            self.findings.push(Finding::Clamped { line, key, instead });
        }
    }

    fn bad(&mut self, line: usize, key: &'static str, accepted: &'static str) {
        self.findings.push(Finding::BadValue {
            line,
            key,
            accepted,
            instead: "the default counts",
        });
    }
}

fn filled(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn choose<T: Copy>(value: &str, known: &[(&str, T)]) -> Option<T> {
    known
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, meaning)| *meaning)
}

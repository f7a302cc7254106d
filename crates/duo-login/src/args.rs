//! Module arguments, from the line in `/etc/pam.d`.

use std::path::PathBuf;

use crate::config::{DEFAULT_PATH, Failmode};

/// What the line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// `conf=PATH`.
    pub conf: PathBuf,
    /// `debug`: log lines go to standard error.
    pub debug: bool,
    /// `trace`: `debug`, and every request and reply.
    pub trace: bool,
    /// `failmode=safe|secure`; overrides the file's.
    pub failmode: Option<Failmode>,
    /// Arguments that are none of these.
    pub bad: Vec<String>,
}

impl Arguments {
    /// Reads the arguments; bad ones are collected, so that each can be named.
    #[must_use]
    pub fn parse<'a>(arguments: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut parsed = Self {
            conf: PathBuf::from(DEFAULT_PATH),
            debug: false,
            trace: false,
            failmode: None,
            bad: Vec::new(),
        };
        for argument in arguments {
            let text = String::from_utf8_lossy(argument);
            match text.as_ref() {
                "debug" => parsed.debug = true,
                "trace" => (parsed.debug, parsed.trace) = (true, true),
                "failmode=safe" => parsed.failmode = Some(Failmode::Safe),
                "failmode=secure" => parsed.failmode = Some(Failmode::Secure),
                other => match other.strip_prefix("conf=") {
                    // A relative path would depend on where the application happens to be.
                    Some(path) if path.starts_with('/') && !path.contains('\u{fffd}') => {
                        parsed.conf = PathBuf::from(path);
                    }
                    _ => parsed.bad.push(other.to_owned()),
                },
            }
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use crate::config::Failmode;
    use std::path::Path;

    fn parse(arguments: &[&str]) -> Arguments {
        Arguments::parse(arguments.iter().map(|a| a.as_bytes()))
    }

    #[test]
    fn no_arguments_mean_the_default_file_and_syslog() {
        let parsed = parse(&[]);
        assert_eq!(parsed.conf, Path::new("/etc/duo/pam_duo.conf"));
        assert!(!parsed.debug && !parsed.trace && parsed.failmode.is_none());
        assert!(parsed.bad.is_empty());
    }

    #[test]
    fn every_argument_of_the_contract_is_taken() {
        let parsed = parse(&["conf=/etc/x.conf", "trace", "failmode=secure"]);
        assert_eq!(parsed.conf, Path::new("/etc/x.conf"));
        assert!(parsed.debug && parsed.trace);
        assert_eq!(parsed.failmode, Some(Failmode::Secure));
        assert!(parse(&["debug"]).debug && !parse(&["debug"]).trace);
        assert_eq!(parse(&["failmode=safe"]).failmode, Some(Failmode::Safe));
    }

    #[test]
    fn everything_else_is_named_in_order() {
        let parsed = parse(&[
            "Debug",
            "conf=",
            "conf=x",
            "failmode=open",
            "",
            "nullok",
            "debug",
        ]);
        let bad = ["Debug", "conf=", "conf=x", "failmode=open", "", "nullok"];
        assert_eq!(parsed.bad, bad);
        assert!(parsed.debug);
    }
}

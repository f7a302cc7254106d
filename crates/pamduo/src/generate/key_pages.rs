//! The shipped configuration and its man page, from the table of keys.

use std::fmt::Write as _;

use duo_login::config::{KEYS, Key, Section};

/// Longest line of the shipped file.
const WIDTH: usize = 79;

/// Start of the shipped file.
const HEAD: &str = "\
; Configuration of pam_duo, Duo two-factor login. See pam_duo.conf(5).
;
; This file must belong to root and must not be writable by anyone else, or it
; is not trusted; it holds a secret, so make it mode 0600.
;
; \"#\" or \";\" starts a comment, at the start of a line or after a blank.
; Switches take yes, true, on, 1, no, false, off or 0.
; \"pamduo check\" tells whether it works before anybody is locked out.

[duo]
";

/// The text of `conf/pam_duo.conf`.
pub(crate) fn file() -> String {
    let mut text = HEAD.to_owned();
    for (section, title) in Section::ALL {
        let rule = "-".repeat(WIDTH.saturating_sub(7 + title.len()));
        let _ = write!(text, "\n; --- {title} {rule}\n");
        for key in keys_of(section) {
            text.push('\n');
            for line in wrap(&plain(key.help), WIDTH - 2) {
                let _ = writeln!(text, "; {line}");
            }
            let comment = if section == Section::Required {
                ""
            } else {
                ";"
            };
            let examples = if key.examples.is_empty() {
                &[key.default]
            } else {
                key.examples
            };
            for value in examples {
                let _ = writeln!(
                    text,
                    "{}",
                    format!("{comment}{} = {value}", key.name).trim_end()
                );
            }
        }
        if section == Section::Others {
            let names: Vec<&str> = without_effect().map(|key| key.name).collect();
            text.push('\n');
            for line in wrap(&format!("Without effect: {}.", names.join(", ")), WIDTH - 2) {
                let _ = writeln!(text, "; {line}");
            }
        }
    }
    text
}

/// Start of `pam_duo.conf(5)`, after its title.
const MAN_HEAD: &str = r#".SH NAME
pam_duo.conf \- configuration of pam_duo
.SH SYNOPSIS
.I /etc/duo/pam_duo.conf
.SH DESCRIPTION
The file has to be a regular file that belongs to root and that nobody else may
write to, or it is not trusted. It holds a secret: make it mode 0600. At most
1 MiB.
.PP
Lines are
.IR "key = value" .
Blanks around names and values go. A line that starts with
.B #
or
.B ;
is a comment, and so is what follows either of them after a blank within a line.
A value goes on in the next line if that is indented. Names of sections, usually
.BR [duo] ,
are not checked. Of a key that is given twice the last value is used;
.B groups
add up.
.PP
Switches take
.BR yes ,
.BR true ,
.BR on ,
.BR 1 ,
.BR no ,
.BR false ,
.B off
or
.BR 0 .
.PP
An unknown key is logged with its line and the key that was probably meant; a
line that is not a section, key or comment as a parse error. Both are ignored.
A bad value is logged, and the default is used.
"#;

/// End of `pam_duo.conf(5)`.
const MAN_TAIL: &str = r".SH EXAMPLE
.nf
.RS
[duo]
ikey = DIXXXXXXXXXXXXXXXXXX
skey = ****************************************
host = api\-xxxxxxxx.duosecurity.com
groups = wheel admins,!robots
failmode = secure
.RE
.fi
.SH SEE ALSO
.BR pam_duo (8),
.BR pamduo (8)
";

/// The text of `pam_duo.conf(5)`.
pub(crate) fn man_page() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text =
        format!(".TH PAM_DUO.CONF 5 \"\" \"pam_duo {version}\" \"File Formats\"\n{MAN_HEAD}");
    for (section, title) in Section::ALL {
        let _ = writeln!(text, ".SH {}", escaped(&title.to_uppercase()));
        for key in keys_of(section) {
            man_entry(&mut text, key.name, key);
        }
        if section == Section::Others {
            let names: Vec<&str> = without_effect().map(|key| key.name).collect();
            if let Some(key) = without_effect().next() {
                man_entry(&mut text, &names.join(", "), key);
            }
        }
    }
    text.push_str(MAN_TAIL);
    text
}

fn man_entry(text: &mut String, name: &str, key: &Key) {
    let alias = key.alias.map(|alias| format!(", {alias}"));
    let default = match key.default {
        "" => String::new(),
        default => format!(" (default: {default})"),
    };
    let _ = writeln!(
        text,
        ".TP\n\\fB{}\\fR{}",
        escaped(&format!("{name}{}", alias.unwrap_or_default())),
        escaped(&default)
    );
    let help = escaped(key.help);
    // Names and values in backquotes are bold.
    for (index, part) in help.split('`').enumerate() {
        let _ = match index % 2 {
            0 => write!(text, "{part}"),
            _ => write!(text, "\\fB{part}\\fR"),
        };
    }
    text.push('\n');
}

/// The keys of a section that have an effect.
fn keys_of(section: Section) -> impl Iterator<Item = &'static Key> {
    KEYS.iter()
        .filter(move |key| key.section == section && !key.does_nothing())
}

fn without_effect() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| key.does_nothing())
}

/// Help text for the file: quotes around what is in backquotes would be taken for part of it.
fn plain(help: &str) -> String {
    help.replace('`', "")
}

/// Text that roff takes as it is.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{file, man_page};
    use duo_login::config::{KEYS, read};

    #[test]
    fn the_shipped_file_is_the_one_that_the_table_gives() {
        assert_eq!(
            include_str!("../../../../conf/pam_duo.conf"),
            file(),
            "write it anew: pamduo generate conf > conf/pam_duo.conf"
        );
    }

    #[test]
    fn every_example_of_the_shipped_file_is_understood_and_defaults_change_nothing() {
        let text = file()
            .replace("\n;", "\n")
            .replace("ikey =\n", "ikey = DI\n");
        let text = text
            .replace("skey =\n", "skey = s\n")
            .replace("host =\n", "host = h\n");
        let lines = text.lines().filter(|line| {
            KEYS.iter()
                .any(|key| line.starts_with(&format!("{} =", key.name)))
        });
        let reading = read(&lines.collect::<Vec<_>>().join("\n"));
        assert_eq!(reading.findings, []);
        assert!(reading.config.is_ok());
    }

    #[test]
    fn the_man_page_explains_every_key() {
        let page = man_page();
        for key in KEYS {
            assert!(page.contains(key.name), "{}", key.name);
        }
        // A line that begins with these is a request, not text.
        let bad = |line: &str| line.starts_with('\'') || line.starts_with(".\\");
        assert!(!page.lines().any(bad), "{page}");
    }
}

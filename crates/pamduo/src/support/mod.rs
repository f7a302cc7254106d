//! `pamduo support`: what a bug report needs in one file. Only what is on a list gets in; then every
//! secret of the configuration is struck out, wherever it is.

mod anonymous;
mod log_lines;
mod versions;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use duo_auth::clean;
use duo_auth::net::ProxyAddress;
use duo_login::config::file::read_trusted;
use duo_login::config::{KEYS, Shown, read};
use serde_json::json;

use crate::private_file::create_private;
use crate::report::Output;
use crate::{check, date, lint};

/// Arguments of `pamduo support`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// New file, instead of pamduo-support-DATE.txt
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Take log lines from FILE instead of the system's log
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Left out: the secret key, proxy credentials, comments, names of users, addresses
of clients. Mode 0600; read it before you send it.

Example:
  pamduo support --output bug-report.txt";

/// What is in the bundle.
const CONTENTS: [&str; 5] = [
    "versions: pamduo, the module's files, OpenSSH, PAM, system, kernel",
    "configuration: the values that are used; no secret key, no proxy credentials",
    "what pamduo check says (Duo is asked; nobody's phone rings)",
    "what pamduo lint says",
    "the last 200 log lines of the module, without names and addresses",
];

/// Runs it; 1 if the file cannot be written.
pub(crate) fn run(arguments: &Arguments, config: &Path, output: &Output) -> ExitCode {
    let path = match &arguments.output {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("pamduo-support-{}.txt", date::stamp())),
    };
    if !output.json {
        output.line(&format!("What goes into {}:", path.display()));
        for content in CONTENTS {
            output.line(&format!("- {content}"));
        }
    }
    let text = bundle(arguments.log.as_deref(), config, output);
    let written = create_private(&path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    if let Err(error) = written {
        output.error(&format!("{} cannot be written: {error}", path.display()));
        return ExitCode::FAILURE;
    }
    if output.json {
        let path = path.display().to_string();
        output.value(json!({"file": path, "contents": CONTENTS}));
    } else {
        output.line("Written, readable by you alone (mode 0600). Read it before you send it.");
    }
    ExitCode::SUCCESS
}

/// The bundle's text.
fn bundle(log: Option<&Path>, config: &Path, output: &Output) -> String {
    let lint = lint::report(Path::new("/"), config, output);
    let sections = [
        ("versions", versions::text()),
        ("configuration", configuration(config)),
        ("pamduo check", check::text(config, output)),
        ("pamduo lint", lint.text(false)),
        ("log", log_lines::text(log)),
    ];
    let mut text = String::new();
    for (title, section) in sections {
        let _ = writeln!(text, "== {title}\n{}\n", section.trim_end());
    }
    output.redact(&text)
}

/// The values that are used, as far as they may be shown.
fn configuration(path: &Path) -> String {
    let mut text = format!("{}\n", path.display());
    let file = match read_trusted(path) {
        Ok(file) => file,
        Err(fault) => {
            let _ = writeln!(text, "not read: {fault}");
            return text;
        }
    };
    let reading = read(&file.text);
    let config = match reading.config {
        Ok(config) => config,
        Err(fault) => {
            let _ = writeln!(text, "not usable: {fault}");
            return text;
        }
    };
    for key in KEYS {
        for value in key.written(&config, reading.failmode) {
            let _ = writeln!(text, "{} = {}", key.name, clean(&shown(key.shown, &value)));
        }
    }
    text
}

/// As much of a value as may be in the bundle.
fn shown(how: Shown, value: &str) -> String {
    let length = value.chars().count();
    match how {
        Shown::Whole => value.to_owned(),
        Shown::Start => {
            let start: String = value.chars().take(4).collect();
            format!("{start}… ({length} characters)")
        }
        Shown::Length => format!("({length} characters)"),
        Shown::Address => match ProxyAddress::parse(value) {
            Ok(proxy) => {
                let credentials = match proxy.credentials() {
                    Some(_) => " (with credentials)",
                    None => "",
                };
                format!("{proxy}{credentials}")
            }
            Err(_) => "(not shown)".to_owned(),
        },
    }
}

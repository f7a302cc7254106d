//! What `pamduo setup` needs to know: from flags, a file, standard input or a terminal.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read};
use std::path::Path;

use duo_auth::Secret;
use duo_login::config::Config;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use zeroize::Zeroizing;

use super::Arguments;
use crate::report::Output;

/// Limit for an answer or a file with a secret key, in bytes.
const LONGEST: u64 = 4096;

/// Why nothing is written.
pub(super) enum Stop {
    /// The command line is wrong or incomplete.
    Usage(String),
    /// It cannot be done.
    Refused(String),
}

/// What goes into the file.
pub(super) struct Answers {
    pub(super) host: String,
    pub(super) ikey: String,
    pub(super) skey: Secret,
    pub(super) cafile: Option<String>,
    pub(super) http_proxy: Option<Secret>,
}

/// Collects the answers; asks for what is missing where there is a terminal.
pub(super) fn ask(
    arguments: &Arguments,
    current: Option<&Config>,
    output: &Output,
) -> Result<Answers, Stop> {
    let has_user = |url: &String| url.contains('@');
    if arguments.http_proxy.as_ref().is_some_and(has_user) {
        return Err(Stop::Usage(
            "--http-proxy with a password would show it in the process list; write it into the \
             file"
                .to_owned(),
        ));
    }
    let (host, ikey) = (
        current.map(|config| config.application.host.to_string()),
        current.map(|config| config.application.keys.ikey.clone()),
    );
    let host = line(
        arguments.host.as_deref(),
        "--host",
        "API hostname",
        host.as_deref(),
        output,
    )?;
    let ikey = line(
        arguments.ikey.as_deref(),
        "--ikey",
        "Integration key",
        ikey.as_deref(),
        output,
    )?;
    let skey = secret(arguments.skey_file.as_deref())?;
    let cafile = match &arguments.cafile {
        None => None,
        Some(path) => match std::path::absolute(path) {
            Ok(path) => path.to_str().map(str::to_owned),
            Err(error) => return Err(Stop::Usage(format!("--cafile: {error}"))),
        },
    };
    let answers = Answers {
        host,
        ikey,
        skey,
        cafile,
        http_proxy: arguments.http_proxy.as_deref().map(Secret::from),
    };
    for (name, value) in [
        ("the API hostname", answers.host.as_str()),
        ("the integration key", &answers.ikey),
        ("the secret key", answers.skey.expose()),
        ("--cafile", answers.cafile.as_deref().unwrap_or("/")),
        (
            "--http-proxy",
            answers.http_proxy.as_ref().map_or("/", |url| url.expose()),
        ),
    ] {
        if value.is_empty() {
            return Err(Stop::Usage(format!("{name} is empty")));
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Stop::Usage(format!(
                "{name} holds a blank or another character that cannot be part of it"
            )));
        }
    }
    Ok(answers)
}

/// A value from a flag, or from the terminal, where Enter keeps the current one.
fn line(
    given: Option<&str>,
    flag: &str,
    question: &str,
    current: Option<&str>,
    output: &Output,
) -> Result<String, Stop> {
    if let Some(given) = given {
        return Ok(given.trim().to_owned());
    }
    if !io::stdin().is_terminal() {
        return Err(Stop::Usage(format!(
            "{flag} is missing, and there is no terminal to ask at"
        )));
    }
    output.prompt(&match current {
        Some(current) => format!("{question} [{current}]: "),
        None => format!("{question}: "),
    });
    let mut answer = String::new();
    let read = io::stdin().lock().take(LONGEST).read_line(&mut answer);
    match read {
        Ok(0) | Err(_) => Err(Stop::Refused("cancelled; nothing was written".to_owned())),
        Ok(_) => Ok(match (answer.trim(), current) {
            ("", Some(current)) => current.to_owned(),
            (answer, _) => answer.to_owned(),
        }),
    }
}

/// The secret key: from a file, from standard input, or from the terminal without echo. Never from
/// the command line, which every user can read.
fn secret(file: Option<&Path>) -> Result<Secret, Stop> {
    let Some(path) = file else {
        if !io::stdin().is_terminal() {
            return Err(Stop::Usage(
                "--skey-file is missing, and there is no terminal to ask at; \
                 --skey-file - reads standard input"
                    .to_owned(),
            ));
        }
        return hidden("Secret key (not shown): ");
    };
    let read = if path == Path::new("-") {
        bounded(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| bounded(&mut file))
    };
    match read {
        Ok(text) => Ok(Secret::from(text.trim())),
        Err(error) => Err(Stop::Refused(format!(
            "the secret key cannot be read from {}: {error}",
            path.display()
        ))),
    }
}

/// Asks without echo. Ctrl-C takes effect once the terminal echoes again.
fn hidden(question: &str) -> Result<Secret, Stop> {
    let mut interrupt = SigSet::empty();
    interrupt.add(Signal::SIGINT);
    let before = interrupt.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let typed = rpassword::prompt_password(question);
    if let Ok(before) = before {
        // A Ctrl-C that came meanwhile ends the program here.
        let _ = before.thread_set_mask();
    }
    match typed {
        Ok(typed) => Ok(Secret::from(Zeroizing::new(typed).trim())),
        Err(_) => Err(Stop::Refused("cancelled; nothing was written".to_owned())),
    }
}

fn bounded(input: &mut dyn Read) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    input.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// What looks odd, but may be right.
pub(super) fn doubts(answers: &Answers) -> Vec<String> {
    let mut doubts = Vec::new();
    let name = answers.host.split(':').next().unwrap_or_default();
    if !name.to_ascii_lowercase().ends_with(".duosecurity.com") {
        doubts.push("note: Duo's API hostnames end in .duosecurity.com".to_owned());
    }
    let ikey = &answers.ikey;
    if ikey.len() != 20 || !ikey.starts_with("DI") {
        doubts.push("note: Duo's integration keys begin with DI and have 20 characters".to_owned());
    }
    let skey = answers.skey.expose();
    if skey.len() != 40 || !skey.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        doubts.push("note: Duo's secret keys have 40 letters and digits".to_owned());
    }
    doubts
}

//! `pamduo setup`: asks for what the configuration needs, tries it with Duo, and writes the file.

mod edit;
mod place;
mod questions;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use duo_auth::Secret;
use duo_auth::net::ProxyAddress;
use duo_login::config::file::{FileFault, read_trusted};
use duo_login::config::{Config, DEFAULT_PATH, read};
use serde_json::json;
use zeroize::Zeroizing;

use self::questions::{Answers, Stop};
use crate::check::{Status, Step, run_connection};
use crate::report::Output;

/// The text of a new file.
const TEMPLATE: &str = include_str!("../../../../conf/pam_duo.conf");

/// Arguments of `pamduo setup`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Duo's API hostname
    #[arg(long)]
    host: Option<String>,
    /// Integration key
    #[arg(long)]
    ikey: Option<String>,
    /// File with the secret key; - for standard input
    #[arg(long, value_name = "FILE")]
    skey_file: Option<PathBuf>,
    /// CA certificates to trust instead of the system's
    #[arg(long, value_name = "FILE")]
    cafile: Option<PathBuf>,
    /// HTTP proxy; write a password into the file later
    #[arg(long, value_name = "URL")]
    http_proxy: Option<String>,
    /// Replace keys in an existing file; a copy is kept
    #[arg(long)]
    force: bool,
    /// Write the file without asking Duo
    #[arg(long)]
    no_check: bool,
}

const EXAMPLES: &str = "\
What is not given is asked for; the secret key is not shown.

Example:
  pamduo setup --host api-1.duosecurity.com --ikey DIX --skey-file - < FILE";

/// Runs it; 0 if the file has the values, 1 if not, 2 if an answer is missing.
pub(crate) fn run(arguments: &Arguments, config: &Path, output: &Output) -> ExitCode {
    match set_up(arguments, config, output) {
        Ok(done) => {
            tell(&done, config, output);
            ExitCode::SUCCESS
        }
        Err(Stop::Usage(text)) => {
            output.error(&text);
            ExitCode::from(2)
        }
        Err(Stop::Refused(text)) => {
            output.error(&text);
            ExitCode::FAILURE
        }
    }
}

/// What was done.
struct Done {
    written: bool,
    backup: Option<PathBuf>,
}

/// The file that is there before.
struct Before {
    /// Its text, if it is trusted.
    text: Option<Zeroizing<String>>,
    /// Whether nobody else may read it.
    private: bool,
}

impl Before {
    /// Whether it is the package's own file, unchanged.
    fn as_shipped(&self) -> bool {
        self.text.as_ref().is_some_and(|text| **text == TEMPLATE)
    }
}

fn set_up(arguments: &Arguments, path: &Path, output: &Output) -> Result<Done, Stop> {
    let refused = |text: String| Stop::Refused(text);
    let before = look(path).map_err(refused)?;
    if let Some(Before { text: None, .. }) = &before {
        return Err(refused(format!(
            "{path} is not trusted, so its settings would be lost. Fix owner and mode (chown root: \
             {path}; chmod 600 {path}), then run this again. Nothing was written",
            path = path.display()
        )));
    }
    let current = before
        .as_ref()
        .and_then(|before| before.text.as_ref())
        .map(|text| read(text));
    let current = current.and_then(|reading| reading.config.ok());
    let answers = questions::ask(arguments, current.as_ref(), output)?;
    output.hide(answers.skey.expose());
    let base = match &before {
        Some(Before {
            text: Some(text), ..
        }) => text.as_str(),
        _ => TEMPLATE,
    };
    let text = edit::with_values(base, &answers);
    let config = match read(&text).config {
        Ok(config) if has(&config, &answers) => config,
        Ok(_) => {
            return Err(refused(
                "a value cannot be represented in the file".to_owned(),
            ));
        }
        Err(fault) => return Err(refused(format!("{fault}; nothing was written"))),
    };
    for warning in questions::doubts(&answers) {
        output.error(&warning);
    }
    if let Some(before) = &before {
        let same = before.text.as_ref().is_some_and(|before| **before == *text);
        if same && before.private {
            return Ok(Done {
                written: false,
                backup: None,
            });
        }
        if !arguments.force && !before.as_shipped() {
            return Err(refused(format!(
                "{} exists already and differs; with --force its keys are replaced, and a copy is \
                 kept. Nothing was written",
                path.display()
            )));
        }
    }
    if !arguments.no_check {
        try_with_duo(&config, output)?;
    }
    let backup = match &before {
        Some(before) if !before.as_shipped() => Some(place::back_up(path).map_err(|error| {
            refused(format!(
                "{} cannot be copied: {error}; nothing was written",
                path.display()
            ))
        })?),
        _ => None,
    };
    place::write(path, &text, before.is_some())
        .map_err(|error| refused(format!("{} cannot be written: {error}", path.display())))?;
    Ok(Done {
        written: true,
        backup,
    })
}

/// What is at `path`; an error if nothing may be written there.
fn look(path: &Path) -> Result<Option<Before>, String> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{shown}: {error}; run pamduo as root")),
        Ok(status) if !status.is_file() => Err(format!(
            "{shown} is not a regular file, so it is not replaced; move it away"
        )),
        Ok(_) => Ok(Some(match read_trusted(path) {
            Err(FileFault::Io(error)) => {
                return Err(format!("{shown}: {error}; run pamduo as root"));
            }
            Ok(file) => Before {
                private: !file.readable_by_others,
                text: Some(file.text),
            },
            Err(_) => Before {
                text: None,
                private: false,
            },
        })),
    }
}

/// Whether the file's text is read as the answers that it was made from.
fn has(config: &Config, answers: &Answers) -> bool {
    let cafile = answers.cafile.as_deref().map(Path::new);
    config.application.host.to_string() == answers.host
        && config.application.keys.ikey == answers.ikey
        && config.application.keys.skey.expose() == answers.skey.expose()
        && (cafile.is_none() || config.cafile.as_deref() == cafile)
        && (answers.http_proxy.is_none()
            || config.http_proxy.as_ref().map(ProxyAddress::expose)
                == answers.http_proxy.as_ref().map(Secret::expose))
}

/// Runs the steps of `pamduo check` that ask Duo. If one fails, they are shown, and nothing is
/// written.
fn try_with_duo(config: &Config, output: &Output) -> Result<(), Stop> {
    let mut steps: Vec<Step> = Vec::new();
    run_connection(config, &mut |step| steps.push(step));
    let broken = |step: &Step| matches!(step.status(), Status::Failed | Status::Skipped);
    if !steps.iter().any(broken) {
        return Ok(());
    }
    for step in &steps {
        for line in step.lines(output, false) {
            output.note(&line);
        }
    }
    Err(Stop::Refused(
        "Duo cannot be asked with these keys; nothing was written. To write them nevertheless, \
         add --no-check"
            .to_owned(),
    ))
}

/// Says what was done, and the lines for sshd and sudo.
fn tell(done: &Done, path: &Path, output: &Output) {
    let module = if path == Path::new(DEFAULT_PATH) {
        "pam_duo.so".to_owned()
    } else {
        // The module requires an absolute path.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        format!("pam_duo.so conf={}", path.display())
    };
    if output.json {
        output.value(json!({
            "written": done.written,
            "file": path.display().to_string(),
            "backup": done.backup.as_ref().map(|path| path.display().to_string()),
            "module": module,
        }));
        return;
    }
    if done.written {
        output.line(&format!("Written: {}", path.display()));
    } else {
        output.line(&format!("{} has these values already.", path.display()));
    }
    if let Some(backup) = &done.backup {
        output.line(&format!("Copy of the old file: {}", backup.display()));
    }
    output.line(&format!(
        "
Keep a root session open until a login in another window has worked.

For SSH with a public key and Duo, in /etc/pam.d/sshd, instead of
\"@include common-auth\":

    auth  required  {module}

and in the new file /etc/ssh/sshd_config.d/00-duo.conf:

    UsePAM yes
    KbdInteractiveAuthentication yes
    PasswordAuthentication no
    AuthenticationMethods publickey,keyboard-interactive

For sudo, in /etc/pam.d/sudo, after the line that checks the password:

    @include common-auth
    auth  required  {module}

Then: sshd -t && systemctl reload ssh

The package has more recipes in /usr/share/doc/libpam-duo-rs/examples. Next steps:
pamduo check, pamduo login NAME, and, once it is enabled, pamduo lint."
    ));
}

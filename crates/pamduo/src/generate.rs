//! `pamduo generate`: the man page and completions, for packaging.

mod key_pages;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::report::Output;

/// Arguments of `pamduo generate`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What to print
    #[arg(value_enum)]
    what: What,
    /// Folder that the file goes to, instead of standard output
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Example:
  pamduo generate man --output target/man";

/// What can be generated.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    Conf,
    ConfMan,
    Man,
    Bash,
    Zsh,
    Fish,
}

/// Runs it for the command line `command`; 1 if the file cannot be written.
pub(crate) fn run(arguments: &Arguments, command: Command, output: &Output) -> ExitCode {
    let (name, text) = match arguments.what {
        What::Conf => ("pam_duo.conf", key_pages::file().into_bytes()),
        What::ConfMan => ("pam_duo.conf.5", key_pages::man_page().into_bytes()),
        What::Man => ("pamduo.8", man(&command).unwrap_or_default()),
        What::Bash => ("pamduo.bash", completions(command, Shell::Bash)),
        What::Zsh => ("_pamduo", completions(command, Shell::Zsh)),
        What::Fish => ("pamduo.fish", completions(command, Shell::Fish)),
    };
    let Some(folder) = &arguments.output else {
        Output::compiled_in(&text);
        return ExitCode::SUCCESS;
    };
    let path: &Path = &folder.join(name);
    match fs::create_dir_all(folder).and_then(|()| fs::write(path, text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&format!("{}: {error}", path.display()));
            ExitCode::FAILURE
        }
    }
}

fn completions(mut command: Command, shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "pamduo", &mut text);
    text
}

/// Sections of the man page besides the options.
const SECTIONS: [(&str, &[(&str, &str)]); 5] = [
    (
        "EXAMPLES",
        &[
            (
                "pamduo setup",
                "Write the configuration, asking for what it needs.",
            ),
            (
                "pamduo setup --host HOST --ikey IKEY --skey-file - < FILE",
                "The same without questions. The secret key is never on the command line.",
            ),
            (
                "pamduo check",
                "Try the configuration step by step, up to Duo.",
            ),
            (
                "pamduo check --json | jq '.steps[] | select(.status == \"failed\")'",
                "The same for a program.",
            ),
            (
                "pamduo login alice --from 203.0.113.5",
                "Try alice's login, with her phone and without PAM.",
            ),
            (
                "pamduo lint",
                "Look for ways around two-factor login on this system.",
            ),
            (
                "pamduo support",
                "Collect what a bug report needs, without secrets.",
            ),
        ],
    ),
    (
        "JSON",
        &[
            (
                "finding",
                "An object, the same for check and lint: id (a stable name), severity (error or \
                 warning), message (what is wrong), fix (what to do, or the line to write), and \
                 where: an object with file and line, or null if it is not in a file. line is null \
                 if the file as a whole is meant.",
            ),
            (
                "pamduo check --json",
                "{\"steps\": [STEP, ...], \"logins\": LOGINS}. A step has id, status (ok, warning, failed or skipped), \
                 detail, ms (its time in milliseconds), waits_for (the step that failed before a \
                 skipped one, or null), and findings. LOGINS says what happens to logins now: \
                 root_started (through sshd, login and other programs that root starts) and \
                 user_started (sudo, su), each asked, let-in or kept-out, for PAM lines without \
                 failmode=; or null if it is unknown, since the file can be read by root alone.",
            ),
            (
                "pamduo lint --json",
                "{\"findings\": [...], \"services\": [...], \"notes\": [TEXT, ...]}. A finding has \
                 two more fields: services (the names of those that it affects) and path. A service \
                 has name, skippable, possible, and path. A path is a list of modules in the order \
                 in which PAM calls them, each with file, line, module, result, and then.",
            ),
        ],
    ),
    (
        "EXIT STATUS",
        &[
            (
                "0",
                "No findings; the user would get in; the file is written.",
            ),
            (
                "1",
                "Findings; the user would stay out; nothing is written.",
            ),
            ("2", "Usage errors."),
        ],
    ),
    (
        "FILES",
        &[(
            "/etc/duo/pam_duo.conf",
            "The configuration, unless --config names another file.",
        )],
    ),
    (
        "SEE ALSO",
        &[("pam_duo(8), pam_duo.conf(5), sshd_config(5), pam.d(5)", "")],
    ),
];

/// pamduo(8): the command, each subcommand with its options, examples.
fn man(command: &Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let top = command.clone().after_help("");
    let page = Man::new(top).section("8").manual("pam_duo");
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    let mut heading = Roff::new();
    heading.control("SH", ["SUBCOMMANDS"]);
    heading.to_writer(&mut text)?;
    for subcommand in command.get_subcommands().filter(|s| !s.is_hide_set()) {
        let name = subcommand.get_name();
        let mut part = Roff::new();
        part.control("SS", [format!("pamduo {name}").as_str()]);
        let about = subcommand.get_about().map(ToString::to_string);
        part.text([roman(about.unwrap_or_default())]);
        let more = subcommand.get_after_help().map(ToString::to_string);
        let more = more.unwrap_or_default();
        // What precedes the examples, which have a section of their own.
        let more = more.split("Example").next().unwrap_or_default();
        if !more.trim().is_empty() {
            part.control("PP", []);
            part.text([roman(more.trim())]);
        }
        part.to_writer(&mut text)?;
        let has_options = subcommand
            .get_arguments()
            .any(|argument| !argument.is_global_set());
        if has_options {
            let mut options = Vec::new();
            Man::new(subcommand.clone()).render_options_section(&mut options)?;
            // There is a heading for all subcommands already.
            let options = String::from_utf8_lossy(&options).replace(".SH OPTIONS\n", "");
            text.extend_from_slice(options.as_bytes());
        }
    }
    let mut rest = Roff::new();
    rest.control("SH", ["FINDINGS OF LINT"]);
    for (name, meaning) in crate::lint::findings::ids::ALL {
        rest.control("TP", []);
        rest.text([bold(*name)]);
        rest.text([roman(*meaning)]);
    }
    for (heading, items) in SECTIONS {
        rest.control("SH", [heading]);
        for (term, meaning) in items {
            if meaning.is_empty() {
                rest.text([roman(*term)]);
            } else {
                rest.control("TP", []);
                rest.text([bold(*term)]);
                rest.text([roman(*meaning)]);
            }
        }
    }
    rest.to_writer(&mut text)?;
    Ok(text)
}

//! What a user chooses for what he starts: environment, folder, descriptors, terminal, privileges.

use std::thread;
use std::time::Duration;

use duo_sim::FaultKind;
use login_sandbox::Terminal;

use crate::attack::{Attack, STARTED};
use crate::page;
use crate::site::{ALICE, App, CAROL, Site, play, words};

const TITLE: &str = "The surroundings";
const INTRODUCTION: &str = "\
Environment, working folder, descriptors, terminal and privileges are the
user's choice.";

/// Without `autopush`, the module asks for a passcode or a device.
const ASKS: &str = "autopush = no";
const PREAUTH: &str = "/auth/v2/preauth";

/// Something done in a shell first; `"$@"` is the rest.
fn shell(what: &'static str, script: &str) -> Attack {
    Attack::through(what, &["sh", "-c", script, "sh"])
}

/// A key at the question, and whatever else it takes to end the login.
fn at_the_question(site: &Site, app: App, before: &[String], keys: &str) {
    let mut terminal = Terminal::start(&site.login_by(CAROL, app, before));
    terminal.expect("asscode");
    terminal.expect(": ");
    // As late as a person would.
    thread::sleep(Duration::from_millis(200));
    terminal.send(keys);
    if keys == "\u{1a}" {
        // Stopped and gone on, or held back while the question stands.
        thread::sleep(Duration::from_millis(800));
        terminal.send("\u{3}");
    }
    terminal.finish();
}

fn hang_up(site: &Site, user_id: u32, app: App, ms: &str) {
    let before = words(&["@", "hangup", ms, "--"]);
    play(&site.login_by(user_id, app, &before));
}

fn second_su(site: &Site, _: App) {
    let inner = format!("su root -c '{}'", site.mark(App::Su));
    let outer = site.bed.host.inside(&["su", "alice", "-c", &inner]);
    play(&outer);
}

fn environment() -> Vec<Attack> {
    vec![
        Attack::through(
            "the environment of the resolver",
            &[
                "env",
                "RES_OPTIONS=attempts:0 timeout:0 ndots:15",
                "LOCALDOMAIN=nowhere.invalid",
                "HOSTALIASES=/proc/self/environ",
                "RESOLV_HOST_CONF=/nonexistent",
            ],
        ),
        Attack::through(
            "the environment of the loader and of malloc",
            &[
                "env",
                "LD_PRELOAD=/nonexistent.so",
                "LD_LIBRARY_PATH=/nonexistent",
                "LD_AUDIT=/nonexistent.so",
                "LD_BIND_NOW=1",
                "GLIBC_TUNABLES=glibc.malloc.check=3:glibc.rtld.optional_static_tls=0:glibc.pthread.stack_cache_size=0",
                "MALLOC_ARENA_MAX=1",
                "MALLOC_PERTURB_=255",
            ],
        ),
        Attack::through(
            "the environment of TLS and of proxies",
            &[
                "env",
                "SSL_CERT_FILE=/nonexistent",
                "SSL_CERT_DIR=/nonexistent",
                "http_proxy=http://127.0.0.1:1",
                "https_proxy=http://127.0.0.1:1",
                "ALL_PROXY=socks5://127.0.0.1:1",
                "NO_PROXY=duo.test",
            ],
        ),
        Attack::through(
            "the environment of everything else",
            &[
                "env",
                "TMPDIR=/nonexistent",
                "HOME=/nonexistent",
                "LANG=xx_YY.UTF-8",
                "LOCPATH=/nonexistent",
                "TZ=:/dev/zero",
                "RUST_MIN_STACK=18446744073709551615",
                "RUST_BACKTRACE=full",
                "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22",
                "SUDO_UID=0",
            ],
        ),
        shell(
            "an environment of 100 KB",
            "X=$(head -c 100000 /dev/zero | tr '\\0' x); export X; exec \"$@\"",
        ),
    ]
}

fn folder_and_descriptors() -> Vec<Attack> {
    let silent = |attack: Attack| attack.fault("dns", FaultKind::DnsServfail, None);
    vec![
        shell(
            "a folder that is deleted",
            "d=$(mktemp -d) && cd $d && rmdir $d && exec \"$@\"",
        ),
        shell(
            "a folder that cannot be read",
            "d=$(mktemp -d) && cd $d && chmod 0 $d && { \"$@\"; s=$?; rmdir $d; exit $s; }",
        ),
        silent(shell(
            "a folder with a pam_duo.conf that says `safe`, and no resolver",
            "d=$(mktemp -d) && cd $d && mkdir -p etc/duo && \
             echo 'failmode = safe' | tee pam_duo.conf >etc/duo/pam_duo.conf && \
             { \"$@\"; s=$?; rm -r $d; exit $s; }",
        )),
        shell("no standard input", "exec \"$@\" <&-"),
        shell("no standard output", "exec \"$@\" >&-"),
        shell("no standard error", "exec \"$@\" 2>&-"),
        shell("none of the three", "exec \"$@\" <&- >&- 2>&-"),
        silent(shell(
            "none of the three, and no resolver",
            "exec \"$@\" <&- >&- 2>&-",
        )),
        shell("an output that is full", "exec \"$@\" >/dev/full 2>&1"),
        shell("umask 0777", "umask 0777; exec \"$@\""),
        Attack::through("a fixed layout of memory", &["setarch", "-R"]),
    ]
}

fn terminal() -> Vec<Attack> {
    let asked = |what, play| Attack::by_hand(what, play).conf(ASKS);
    vec![
        asked("Ctrl-C at the question", |site, app| {
            at_the_question(site, app, &[], "\u{3}");
        })
        .verdict_only(),
        asked("Ctrl-D at the question", |site, app| {
            at_the_question(site, app, &[], "\u{4}\u{4}\u{4}\u{4}");
        })
        .verdict_only(),
        asked("Ctrl-Z at the question, then Ctrl-C", |site, app| {
            at_the_question(site, app, &words(&["@", "jobs", "500", "--"]), "\u{1a}");
        })
        .verdict_only(),
        asked("the terminal is gone at the question", |site, app| {
            hang_up(site, CAROL, app, "700");
        })
        .verdict_only(),
        Attack::by_hand("the terminal is gone while Duo is asked", |site, app| {
            hang_up(site, ALICE, app, "250");
        })
        .fault(PREAUTH, FaultKind::Delay, Some(600))
        .verdict_only(),
        asked(
            "no terminal, and an input that is at its end, at the question",
            |site, app| {
                let at_end = words(&[
                    "setsid",
                    "--wait",
                    "sh",
                    "-c",
                    "exec \"$@\" </dev/null",
                    "sh",
                ]);
                play(&site.login_by(CAROL, app, &at_end));
            },
        ),
    ]
}

fn privileges() -> Vec<Attack> {
    let unprivileged = |attack: Attack| attack.without_privileges();
    vec![
        unprivileged(Attack::through(
            "a debugger (ptrace)",
            &["@", "trace", "--"],
        )),
        unprivileged(Attack::through(
            "no_new_privs",
            &["setpriv", "--no-new-privs"],
        )),
        unprivileged(Attack::through(
            "a user namespace in which one is root",
            &["unshare", "--user", "--map-root-user"],
        )),
        Attack::by_hand("su inside a su of root's, and no resolver", second_su)
            .against(&STARTED[..1])
            .by("whoever root has given a shell")
            .fault("dns", FaultKind::DnsServfail, None)
            .without_privileges(),
    ]
}

#[test]
fn nobody_gets_in_by_the_surroundings() {
    let mut attacks = environment();
    attacks.extend(folder_and_descriptors());
    attacks.extend(terminal());
    attacks.extend(privileges());
    page::section(TITLE, INTRODUCTION, &attacks);
}

//! One thread of su or sudo is frozen, in a control group of the user's own, for longer than a request
//! may take. Nothing of the process's own sees that.

use duo_sim::FaultKind;
use login_sandbox::Terminal;

use crate::attack::{Attack, Play, STARTED};
use crate::cgroup::Group;
use crate::page;
use crate::site::{ALICE, App, Site, as_user, words};

const TITLE: &str = "A thread that is frozen";
const INTRODUCTION: &str = "\
In a control group (cgroup v2) of one's own, such as `systemd-run --user --scope`
gives, a user moves one thread of a program that he has started into a `threaded`
child group, and writes `cgroup.freeze` for 2.5 s, while Duo's name is looked up.";

fn freeze(site: &Site, app: App, which: &str) {
    let group = Group::new().unwrap();
    let path = group.path().display().to_string();
    let tool = site.tool().display().to_string();
    let join = format!("echo $$ > {path}/cgroup.procs && exec \"$@\"");
    let login = [
        words(&["sh", "-c", &join, "sh"]),
        as_user(ALICE),
        words(&[&tool, "freeze", &path, which, "2500", "--"]),
        site.asks(app),
    ]
    .concat();
    let arguments: Vec<&str> = login.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(&site.bed.host.inside(&arguments));
    terminal.expect("frozen");
    terminal.finish();
}

#[test]
fn nobody_gets_in_by_freezing_a_thread() {
    if let Err(why) = Group::new() {
        return page::skipped(TITLE, &why);
    }
    let frozen = |what, play| {
        Attack::new(
            what,
            "whoever may run it, in a control group of one's own",
            STARTED,
            Play::ByHand(play),
        )
        .fault("dns", FaultKind::DnsSlow, Some(400))
    };
    let attacks = [
        frozen("the main thread is frozen", |site, app| {
            freeze(site, app, "main");
        }),
        frozen("the thread that looks up names is frozen", |site, app| {
            freeze(site, app, "resolver");
        }),
    ];
    page::section(TITLE, INTRODUCTION, &attacks);
}

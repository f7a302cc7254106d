//! Outages, and what this machine forbids: what nobody who may only log in can bring about. In
//! root's own programs these let in where the contract says so, and the page does not hide it.

use duo_sim::FaultKind;

use crate::attack::{ALL, Attack, Play};
use crate::page;
use crate::site::{App, Site, play, run};

/// An address that is nowhere.
const FORBIDDEN: &str = "host = 10.9.9.9";

#[test]
fn an_outage_lets_in_to_roots_own_programs_alone() {
    let row =
        |what, who| Attack::new(what, who, &ALL[2..], Play::Through(vec![Vec::new()])).no_attack();
    let resolver = "the resolver's owner, or who floods it";
    let network = "who is on the way to Duo";
    let attacks = [
        row("the resolver does not answer", resolver).fault("dns", FaultKind::DnsSilent, None),
        row("the resolver says SERVFAIL", resolver).fault("dns", FaultKind::DnsServfail, None),
        row("the resolver answers with garbage", resolver).fault(
            "dns",
            FaultKind::DnsGarbage,
            None,
        ),
        row("the resolver names a wrong address: TLS fails", resolver).fault(
            "connection",
            FaultKind::UnknownCa,
            None,
        ),
        row("connections are reset", network).fault("connection", FaultKind::Reset, None),
        row("connections are taken, and nothing else comes", network).fault(
            "connection",
            FaultKind::StallAccept,
            None,
        ),
        row("Duo answers 503", "Duo")
            .fault("/auth/v2/preauth", FaultKind::Status, None)
            .against(ALL),
    ];
    page::section(
        "What no user here can do",
        "These are outages, for the contract as for the administrator: with `failmode` unset or\n\
         `safe` they let in to root's own programs, such as `sshd`, so that a server can be\n\
         reached while Duo cannot. Whoever can bring one about needs the first factor alone.\n\
         `secure` keeps out. What a user has started is let in by Duo's own answer alone: see\n\
         \"The network's names\".",
        &attacks,
    );
}

/// A route that is prohibited gives EACCES, as SELinux does.
fn forbidden(site: &Site, app: App) {
    run("ip", &["route", "replace", "prohibit", "10.9.9.9"]);
    play(&site.login(app, &[]));
}

#[test]
fn what_this_machine_forbids_lets_in_with_the_files_word_to_roots_own_programs_alone() {
    let attacks = [Attack::new(
        "`connect` gives EACCES",
        "root (SELinux, a local firewall)",
        ALL,
        Play::ByHand(forbidden),
    )
    .conf(FORBIDDEN)
    .no_attack()];
    page::section(
        "What this machine forbids",
        "No user can make this either. It is not taken for an outage unless the administrator\n\
         has said `safe`.",
        &attacks,
    );
}

//! A resolver that is flooded, broken or lies, against what a user has started.

use duo_sim::FaultKind;

use crate::attack::{Attack, Play, STARTED};
use crate::page;

const TITLE: &str = "The network's names";
const INTRODUCTION: &str = "\
The resolver of this machine, or the way to Duo, is somebody else's, and that
somebody has an account here, or a friend who has one. For `sshd`, see \"What no
user here can do\".";

const OWNER: &str = "whoever may run it and can flood the resolver";
const LIAR: &str = "whoever may run it and answers for the resolver";
const NETWORK: &str = "whoever may run it and is on the way to Duo";

#[test]
fn nobody_gets_in_to_su_or_sudo_by_the_networks_names() {
    let row = |what, who| Attack::new(what, who, STARTED, Play::Through(vec![Vec::new()]));
    let attacks = [
        row("the resolver does not answer", OWNER).fault("dns", FaultKind::DnsSilent, None),
        row("the resolver answers too late", OWNER).fault("dns", FaultKind::DnsSlow, Some(3000)),
        row("the resolver says SERVFAIL", OWNER).fault("dns", FaultKind::DnsServfail, None),
        row("the resolver says that there is no such name", LIAR).fault(
            "dns",
            FaultKind::DnsNoName,
            None,
        ),
        row("the resolver answers with garbage", LIAR).fault("dns", FaultKind::DnsGarbage, None),
        row(
            "the name leads to a server with a certificate of its own",
            LIAR,
        )
        .fault("connection", FaultKind::UnknownCa, None),
        row(
            "the name leads to a server with another name's certificate",
            LIAR,
        )
        .fault("connection", FaultKind::WrongName, None),
        row("the name leads to a port where nobody listens", LIAR).conf("host = duo.test:1"),
        row("connections are reset", NETWORK).fault("connection", FaultKind::Reset, None),
        row("connections are taken, and nothing else comes", NETWORK).fault(
            "connection",
            FaultKind::StallAccept,
            None,
        ),
        row("answers are cut off", NETWORK).fault("/auth/v2/preauth", FaultKind::Truncate, None),
    ];
    page::section(TITLE, INTRODUCTION, &attacks);
}

//! The approval that sshd's second run of the stack uses up, without a datagram to oneself: SELinux
//! denies that to the programs that run PAM.

use crate::bed::pushes;
use crate::stand_in;
use crate::test_bed::TestBed;

fn bed() -> TestBed {
    TestBed::new("", "autopush = yes")
}

#[test]
fn one_login_is_one_push_where_no_datagram_may_be_sent_to_oneself() {
    for options in [&["-a", "1"][..], &["-d", "-a", "1"]] {
        let bed = bed();
        let mut arguments = options.to_vec();
        arguments.extend(["sshd", "alice", "1"]);
        let said = stand_in::run(&bed, &arguments);
        assert_eq!(said.codes(), [0, 0], "{}", said.text);
        assert_eq!(pushes(&bed, "alice"), 1, "{options:?}: {}", said.text);
    }
}

#[test]
fn an_approval_is_used_once_whichever_fork_is_first() {
    let bed = bed();
    let said = stand_in::run(&bed, &["-d", "-a", "3", "sshd", "alice", "1"]);
    assert_eq!(said.codes(), [0, 0, 0, 0], "{}", said.text);
    assert_eq!(pushes(&bed, "alice"), 3, "{}", said.text);
}

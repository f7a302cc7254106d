//! A configuration file of Duo's own module works here: who is asked, under which name, from where,
//! and what the log says.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use login_sandbox::severity::{ERROR, INFO, WARNING};
use login_sandbox::{AUTHPRIV, Syslog};

use crate::test_bed::{CONF, TestBed, config, converse};

/// Rewrites the configuration.
fn configure(bed: &TestBed, extra: &str) {
    let conf = format!("{}{extra}\n", config(&bed.duo));
    bed.host.write(CONF, 0o600, &conf);
    bed.duo.clear();
    bed.host.clear_log();
}

#[test]
fn groups_decide_by_primary_and_supplementary_groups_and_patterns() {
    let bed = TestBed::with("[users.alice]\npreauth = \"allow\"", "", |host| {
        host.user("alice")
            .group("wheel", &["alice"])
            .group("domain users", &["alice"])
            .group("robots", &[])
            .group("web-dev", &["alice"])
    });
    for (groups, asked) in [
        ("groups = alice", true),
        ("groups = wheel", true),
        ("groups = robots", false),
        ("groups = robots wheel", true),
        ("group = robots\ngroups = wheel", true),
        ("groups = whe?l", true),
        ("groups = web*", true),
        ("groups = *,!robots", true),
        ("groups = *,!wheel", false),
        ("groups = !wheel", false),
        ("groups = !robots", true),
        ("groups = domain\\ users", true),
        ("groups = domain", false),
        ("groups = robots\n  wheel", true),
        ("groups = ; nothing", true),
    ] {
        configure(&bed, groups);
        let finished = bed.pamtester("alice", &[]);
        assert_eq!(finished.status, 0, "{groups}: {}", finished.transcript);
        assert_eq!(!bed.paths().is_empty(), asked, "{groups}");
        let line = bed.logged("alice");
        let expected = if asked {
            "Skipped Duo login"
        } else {
            "User alice bypassed Duo 2FA"
        };
        assert!(line.text.contains(expected), "{groups}: {}", line.text);
    }
}

#[test]
fn users_in_300_groups_are_looked_up_whole() {
    let bed = TestBed::with(
        "[users.alice]\npreauth = \"allow\"",
        "groups = group-299",
        |host| {
            (0..300).fold(host.user("alice"), |host, n| {
                host.group(&format!("group-{n}"), &["alice"])
            })
        },
    );
    assert_eq!(bed.pamtester("alice", &[]).status, 0);
    assert_eq!(bed.paths(), ["/auth/v2/preauth"]);
}

#[test]
fn a_group_that_cannot_be_looked_up_keeps_out_with_its_number_in_the_log() {
    let bed = TestBed::new("", "groups = wheel\nfailmode = safe");
    // A primary group that no longer exists.
    let passwd = bed.host.directory().join("etc/passwd");
    let users = std::fs::read_to_string(&passwd).unwrap();
    std::fs::write(&passwd, users.replace(":2001:2001:", ":2001:4999:")).unwrap();
    let finished = bed.pamtester("alice", &[]);
    assert!(
        finished.transcript.contains("Error in service module"),
        "{}",
        finished.transcript
    );
    let line = bed.logged("Error in Duo login for 'alice' from 203.0.113.5: group id 4999");
    assert_eq!(line.severity, ERROR);
    assert!(bed.paths().is_empty());
}

#[test]
fn bypass_ignore_leaves_the_decision_to_the_rest_of_the_stack() {
    let ignore = "groups = wheel\nbypass = ignore";
    let bed = TestBed::with("", ignore, |host| {
        let duo = "auth required {module}\n";
        host.user("alice")
            .pam("deny", &format!("{duo}auth required pam_deny.so\n"))
            .pam("permit", &format!("{duo}auth required pam_permit.so\n"))
    });
    assert_ne!(bed.pamtester_as("deny", "alice", &[]).status, 0);
    assert_eq!(bed.pamtester_as("permit", "alice", &[]).status, 0);
    // PAM_IGNORE from the only line of a stack is no success.
    assert_ne!(bed.pamtester("alice", &[]).status, 0);
}

#[test]
fn gecos_gives_the_duo_name_with_a_warning_that_names_both() {
    for (gecos, extra, name) in [
        ("asmith", "", "asmith"),
        (
            "Alice Smith,room,asmith",
            "gecos_username_pos = 3",
            "asmith",
        ),
        (
            "Alice/asmith",
            "gecos_delim = /\ngecos_username_pos = 2",
            "asmith",
        ),
        ("", "", "alice"),
        ("Alice,room", "gecos_username_pos = 9", "alice"),
        (",,,", "gecos_username_pos = 2", "alice"),
        ("al\u{1}ice\u{7f}%s%n", "", "al\u{1}ice\u{7f}%s%n"),
        ("ålïçé 例え", "", "ålïçé 例え"),
    ] {
        let scenario = "unknown_users = \"allow\"\n[users.alice]\npreauth = \"allow\"";
        let bed = TestBed::with(scenario, &format!("send_gecos = yes\n{extra}"), |host| {
            host.user_with_gecos("alice", gecos)
        });
        let finished = bed.pamtester("alice", &[]);
        assert_eq!(finished.status, 0, "{gecos}: {}", finished.transcript);
        let preauth = bed.request("/auth/v2/preauth");
        assert_eq!(preauth.parameter("username"), Some(name), "{gecos}");
        let line = bed.logged("send_gecos: ");
        assert_eq!(line.severity, WARNING);
        assert!(
            line.text.contains("Unix user 'alice' is Duo user '"),
            "{}",
            line.text
        );
        assert!(!line.raw.iter().any(u8::is_ascii_control), "{line:?}");
    }
}

#[test]
fn duo_gets_an_address_or_nothing_and_the_log_what_pam_gave() {
    let bed = TestBed::new("[users.alice]\npreauth = \"allow\"", "");
    let mut extra = "";
    for (rhost, sent) in [
        ("203.0.113.5", Some("203.0.113.5")),
        ("2001:db8::7", Some("2001:db8::7")),
        ("::ffff:203.0.113.5", Some("203.0.113.5")),
        ("client.example.com", None),
        ("", None),
    ] {
        configure(&bed, extra);
        let command = bed.host.pamtester("duo", "alice", rhost, &["authenticate"]);
        assert_eq!(converse(&command, &[]).status, 0);
        assert_eq!(
            bed.request("/auth/v2/preauth").parameter("ipaddr"),
            sent,
            "{rhost}"
        );
        let line = bed.logged("Skipped Duo login for 'alice'");
        let from = format!(" from {rhost}: ");
        assert_eq!(
            line.text.contains(&from),
            !rhost.is_empty(),
            "{}",
            line.text
        );
    }
    // This server's own address stands in, if there is one that leads anywhere.
    extra = "fallback_local_ip = yes";
    configure(&bed, extra);
    let command = bed.host.pamtester("duo", "alice", "", &["authenticate"]);
    assert_eq!(converse(&command, &[]).status, 0);
    let own = duo_login::who::address::server().map(|address| address.to_string());
    let sent = bed.request("/auth/v2/preauth");
    assert_eq!(sent.parameter("ipaddr"), own.as_deref());
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn events_reach_syslog_with_facility_severity_prefix_words_and_fields() {
    for (scenario, extra, answers, severity, text) in [
        (
            "",
            "",
            &["123456"][..],
            INFO,
            "Successful Duo login for 'alice' from 203.0.113.5 [factor=passcode ms=",
        ),
        (
            "[users.alice]\npreauth = \"allow\"",
            "",
            &[],
            WARNING,
            "Skipped Duo login for 'alice' from 203.0.113.5: Logging you in...",
        ),
        (
            "",
            "prompts = 1",
            &["111111"],
            WARNING,
            "Failed Duo login for 'alice' from 203.0.113.5: Incorrect passcode. Please try again. [factor=passcode ms=",
        ),
        (
            "[users.alice]\npreauth = \"deny\"",
            "",
            &[],
            WARNING,
            "Aborted Duo login for 'alice' from 203.0.113.5: Access denied",
        ),
        (
            "[[faults]]\npath = \"*\"\nkind = \"status\"",
            "",
            &[],
            WARNING,
            "Failsafe Duo login for 'alice' from 203.0.113.5: HTTP 500",
        ),
        (
            "[[faults]]\npath = \"*\"\nkind = \"status\"",
            "failmode = secure",
            &[],
            WARNING,
            "Failsecure Duo login for 'alice' from 203.0.113.5: HTTP 500",
        ),
        (
            "[[faults]]\npath = \"*\"\nkind = \"garbage_json\"",
            "",
            &[],
            WARNING,
            "Failsafe Duo login for 'alice' from 203.0.113.5: invalid JSON response",
        ),
        (
            "[[faults]]\npath = \"connection\"\nkind = \"refuse\"",
            "",
            &[],
            WARNING,
            "Failsafe Duo login for 'alice' from 203.0.113.5: Couldn't connect to localhost",
        ),
        (
            "[[faults]]\npath = \"/auth/v2/auth\"\nkind = \"status\"",
            "",
            &["1"],
            ERROR,
            "Error in Duo login for 'alice' from 203.0.113.5: HTTP 500",
        ),
        (
            "",
            "groups = wheel",
            &[],
            INFO,
            "User alice bypassed Duo 2FA due to user's UNIX group",
        ),
        (
            "",
            "skey =",
            &[],
            ERROR,
            "Missing host, ikey, or skey in /etc/duo/pam_duo.conf",
        ),
        (
            "[users.alice]\npreauth = \"allow\"",
            "no key here",
            &[],
            ERROR,
            "Parse error in /etc/duo/pam_duo.conf, line 6",
        ),
        (
            "[users.alice]\npreauth = \"allow\"",
            "failmod = secure",
            &[],
            WARNING,
            "Unknown key 'failmod' in /etc/duo/pam_duo.conf, line 6: did you mean 'failmode'?",
        ),
        (
            "[users.alice]\npreauth = \"allow\"",
            "prompts = 9",
            &[],
            WARNING,
            "Value of 'prompts' in /etc/duo/pam_duo.conf, line 6, is out of range: using 3",
        ),
        (
            "[users.alice]\npreauth = \"allow\"",
            "motd = yes",
            &[],
            INFO,
            "Key 'motd' in /etc/duo/pam_duo.conf, line 6, has no effect",
        ),
    ] {
        let bed = TestBed::new(scenario, extra);
        bed.pamtester("alice", answers);
        let line = bed.logged(text);
        assert!(
            line.text.starts_with(&format!("pam_duo(duo:auth): {text}")),
            "{}",
            line.text
        );
        assert_eq!(
            (line.facility, line.severity),
            (AUTHPRIV, severity),
            "{}",
            line.text
        );
        assert_eq!(line.tag, "pamtester");
        assert!(line.pid.is_some());
    }
}

#[test]
fn a_file_that_others_can_read_is_an_error_at_every_login_and_duo_is_asked_all_the_same() {
    let bed = TestBed::new("[users.alice]\npreauth = \"allow\"", "");
    for mode in [0o644, 0o640, 0o604] {
        bed.host.clear_log();
        bed.host.write(CONF, mode, &config(&bed.duo));
        assert_eq!(bed.pamtester("alice", &[]).status, 0);
        let line = bed.logged("/etc/duo/pam_duo.conf must be readable only by user 'root'");
        assert_eq!(line.severity, ERROR);
        bed.logged("Skipped Duo login");
    }
}

#[test]
fn a_syslog_that_is_missing_or_full_neither_delays_nor_fails_a_login() {
    for syslog in [Syslog::Missing, Syslog::Full] {
        let bed = TestBed::with("", "", |host| host.user("alice").syslog(syslog));
        let started = Instant::now();
        let finished = bed.pamtester("alice", &["111111", "123456"]);
        assert_eq!(finished.status, 0, "{syslog:?}: {}", finished.transcript);
        // Far less than any wait for a reader would be.
        assert!(started.elapsed() < Duration::from_secs(15), "{syslog:?}");
    }
}

/// Every key, set to something else than its default, and what is seen of it.
#[test]
#[allow(clippy::too_many_lines)] // a table
fn every_key_takes_effect() {
    let scenario = "long_poll_s = 1\n[users.alice]\nverified_push = {code = \"471193\"}\n\
        push = {answer = \"approve\", after_ms = 100}\n[users.asmith]\npreauth = \"allow\"";
    let bed = TestBed::with(scenario, "", |host| {
        host.user_with_gecos("alice", "Alice;asmith")
            .group("wheel", &["alice"])
            .pam("sudo", crate::test_bed::DUO_ONLY)
            .pam("ignored", "auth required {module}\n")
    });
    let log_in = |extra: &str, rhost: &str, answers: &[&str]| {
        configure(&bed, extra);
        let command = bed.host.pamtester("duo", "alice", rhost, &["authenticate"]);
        converse(&command, answers)
    };
    let parameter = |path: &str, name: &str| bed.request(path).parameter(name).map(str::to_owned);

    // ikey, skey and host: with others, Duo does not take the request or is not reached.
    for (line, logged) in [
        ("ikey = DIOTHER", "Invalid ikey or skey: 40102"),
        ("skey = other", "Invalid ikey or skey: 40103"),
        ("host = 127.0.0.1:1", "Couldn't connect to 127.0.0.1:1"),
        (
            "cafile = /etc/duo/pam_duo.conf",
            "no CA certificate could be read from cafile",
        ),
        (
            "http_proxy = http://127.0.0.1:1",
            "Couldn't connect to localhost",
        ),
        ("noverify = yes", "'noverify' is refused"),
    ] {
        assert_ne!(
            log_in(&format!("{line}\nfailmode = secure"), "", &[]).status,
            0,
            "{line}"
        );
        bed.host.wait_log(logged);
    }
    // failmode: the same outage lets in with safe.
    assert_eq!(
        log_in("host = 127.0.0.1:1\nfailmode = safe", "", &[]).status,
        0
    );
    // groups and group, bypass.
    for key in ["groups", "group"] {
        assert_eq!(log_in(&format!("{key} = !wheel"), "", &[]).status, 0);
        assert!(bed.paths().is_empty());
    }
    assert_ne!(
        log_in("groups = !wheel\nbypass = ignore", "", &[]).status,
        0
    );
    // pushinfo, autopush, verified_push.
    let pushed = "verified_push = yes\nautopush = yes";
    let mut info = String::from(pushed);
    let _ = write!(info, "\npushinfo = yes");
    assert_eq!(log_in(&info, "", &[""]).status, 0);
    assert!(
        parameter("/auth/v2/auth", "pushinfo")
            .unwrap()
            .contains("User=alice")
    );
    assert!(parameter("/auth/v2/auth", "txid").is_some());
    assert_eq!(log_in(pushed, "", &[""]).status, 0);
    assert_eq!(parameter("/auth/v2/auth", "pushinfo"), None);
    // prompts.
    assert_ne!(log_in("prompts = 1", "", &["111111"]).status, 0);
    // fallback_local_ip.
    log_in("prompts = 1\nfallback_local_ip = yes", "", &["111111"]);
    let own = duo_login::who::address::server().map(|address| address.to_string());
    assert_eq!(parameter("/auth/v2/preauth", "ipaddr"), own);
    // send_gecos, gecos_delim, gecos_username_pos ("; " would begin a comment).
    let gecos = "send_gecos = yes\ngecos_delim = ;\ngecos_username_pos = 2";
    assert_eq!(log_in(&gecos.replace("= ;", "=;"), "", &[]).status, 0);
    assert_eq!(
        parameter("/auth/v2/preauth", "username").as_deref(),
        Some("asmith")
    );
    // signature.
    log_in("prompts = 1\nsignature = v5", "", &["111111"]);
    assert_eq!(
        bed.request("/auth/v2/preauth").signature.unwrap().name(),
        "v5"
    );
    // menu.
    assert!(
        log_in("menu = server\nprompts = 1", "", &["111111"])
            .transcript
            .contains("to XXX-XXX-1234")
    );
    assert_eq!(
        parameter("/auth/v2/auth", "factor").as_deref(),
        Some("prompt")
    );
    // status: a phone call whose steps are seen, or not.
    let call = |status: &str| log_in(&format!("status = {status}"), "", &["phone"]).transcript;
    assert!(call("live").contains("Calling iPhone"));
    assert!(!call("quiet").contains("Calling iPhone"));
    // login_timeout and https_timeout.
    bed.duo.add_fault(duo_sim::Fault::new(
        "/auth/v2/auth",
        duo_sim::FaultKind::StallRequest,
    ));
    log_in("login_timeout = 1", "", &["123456"]);
    bed.logged("not finished within login_timeout, 1 s");
    let started = Instant::now();
    log_in("https_timeout = 1", "", &["123456"]);
    bed.logged("Error in Duo login for 'alice': Couldn't connect to localhost");
    assert!(
        started.elapsed() < Duration::from_secs(9),
        "the default of 10 s counted"
    );
    // Keys without effect are accepted and said.
    bed.duo.clear_faults();
    for key in ["accept_env_factor", "motd", "gecos_parsed", "dev_fips_mode"] {
        assert_eq!(log_in(&format!("{key} = yes"), "", &["123456"]).status, 0);
        bed.logged(&format!("Key '{key}' in {CONF}, line 6, has no effect"));
    }
}

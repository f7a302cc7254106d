//! The configuration file: what it may look like, and what it then means.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    unreachable_pub
)]

use std::time::Duration;

use duo_auth::sign::Signature;
use duo_login::config::ConfigFault;
use duo_login::config::{Bypass, Config, Failmode, Finding, MenuSource, Reading, StatusMode, read};
use proptest::prelude::*;

const KEYS: &str = "ikey = DI1\nskey = 5ecre7\nhost = api.example.com\n";

fn reading(extra: &str) -> Reading {
    read(&format!("[duo]\n{KEYS}{extra}"))
}

#[track_caller]
fn config(extra: &str) -> Config {
    let reading = reading(extra);
    assert_eq!(reading.findings, [], "{extra}");
    reading.config.unwrap()
}

#[test]
fn keys_alone_mean_the_defaults_of_the_contract() {
    let config = config("");
    assert_eq!(config.application.keys.ikey, "DI1");
    assert_eq!(config.application.keys.skey.expose(), "5ecre7");
    assert_eq!(config.application.host.to_string(), "api.example.com");
    assert!(config.groups.is_everyone());
    assert_eq!(reading("").failmode, None);
    assert!(!config.pushinfo && !config.autopush && !config.verified_push);
    assert!(!config.fallback_local_ip && config.gecos.is_none());
    assert!(config.http_proxy.is_none() && config.cafile.is_none());
    assert_eq!(config.prompts, 3);
    assert_eq!(config.https_timeout, Duration::from_secs(10));
    assert_eq!(config.login_timeout, Duration::from_secs(100));
    assert_eq!(config.application.signature, Signature::V2Sha1);
    assert_eq!(config.menu, MenuSource::Devices);
    assert_eq!(config.bypass, Bypass::Success);
    assert_eq!(config.status, StatusMode::Auto);
}

#[test]
fn every_layout_of_the_same_file_means_the_same() {
    for text in [
        "[duo]\nikey=DI1\nskey=5ecre7\nhost=api.example.com",
        "ikey = DI1\nskey = 5ecre7\nhost = api.example.com\n",
        "[Duo Security]\r\nikey = DI1\r\nskey = 5ecre7\r\nhost = api.example.com\r\n",
        "\u{feff}[duo]\nikey = DI1\nskey = 5ecre7\nhost = api.example.com\n",
        "; c\n[duo] ; c\nikey = DI1 # c\nskey\t=\t5ecre7\t; c\n#c\n\nhost = api.example.com ;c",
        "  [duo]\n  ikey = DI1\n[x]\n  skey = 5ecre7\n[y]\n\thost = api.example.com\n",
        "[duo]\nikey:DI1\nskey: 5ecre7\nhost:api.example.com",
        "[duo]\nikey = old\nikey = DI1\nskey = 5ecre7\nhost = api.example.com",
        "[duo]\nikey =\n  DI1\nskey =\n\t5ecre7\nhost = api.example.com",
    ] {
        let reading = read(text);
        assert_eq!(reading.findings, [], "{text}");
        let config = reading.config.unwrap();
        assert_eq!(config.application.keys.ikey, "DI1", "{text}");
        assert_eq!(config.application.keys.skey.expose(), "5ecre7", "{text}");
        assert_eq!(
            config.application.host.to_string(),
            "api.example.com",
            "{text}"
        );
    }
}

#[test]
fn signs_within_values_are_part_of_them() {
    for value in ["a#b;c", "a=b:c", "\"quoted\"", "back\\slash", "a\\nb", "'"] {
        let text = format!("ikey = DI\nhost = h\nskey = {value}\n");
        let config = read(&text).config.unwrap();
        assert_eq!(config.application.keys.skey.expose(), value);
    }
}

#[test]
fn switches_take_eight_words() {
    for (word, on) in [
        ("yes", true),
        ("true", true),
        ("on", true),
        ("1", true),
        ("no", false),
        ("false", false),
        ("off", false),
        ("0", false),
    ] {
        assert_eq!(config(&format!("autopush = {word}")).autopush, on, "{word}");
    }
}

#[test]
fn groups_add_up_and_go_on_in_indented_lines() {
    let config = config("groups = wheel\n  admins\n\tdomain\\ users\ngroup = ops,!bots\n");
    for (groups, asked) in [
        (&["wheel"][..], true),
        (&["admins"], true),
        (&["domain users"], true),
        (&["ops"], true),
        (&["ops", "bots"], false),
        (&["users"], false),
    ] {
        assert_eq!(config.groups.include(groups), asked, "{groups:?}");
    }
}

#[test]
fn a_bad_value_is_named_with_its_line_and_the_default_is_used() {
    for (line, key) in [
        ("pushinfo = maybe", "pushinfo"),
        ("autopush =", "autopush"),
        ("verified_push = 2", "verified_push"),
        ("prompts = many", "prompts"),
        ("https_timeout = 1.5", "https_timeout"),
        ("login_timeout = soon", "login_timeout"),
        ("login_timeout = 0", "login_timeout"),
        ("https_timeout = 0", "https_timeout"),
        ("https_timeout = -1", "https_timeout"),
        ("signature = v3", "signature"),
        ("menu = both", "menu"),
        ("bypass = yes", "bypass"),
        ("status = loud", "status"),
        ("http_proxy =", "http_proxy"),
        ("gecos_delim = ab", "gecos_delim"),
        ("gecos_username_pos = 0", "gecos_username_pos"),
    ] {
        let reading = reading(&format!("{line}\n"));
        let [
            Finding::BadValue {
                line: 5,
                key: named,
                ..
            },
        ] = reading.findings[..]
        else {
            panic!("{line}: {:?}", reading.findings);
        };
        assert_eq!(named, key);
        let text = reading.findings[0].describe(&"FILE");
        assert!(text.contains(&format!("'{key}' in FILE, line 5")), "{text}");
        let (found, plain) = (reading.config.unwrap(), config(""));
        assert_eq!(format!("{found:?}"), format!("{plain:?}"), "{line}");
    }
}

/// Whoever sets it does not mean the system's store: what is then not trusted would be an outage,
/// which lets people in.
#[test]
fn a_cafile_that_is_no_absolute_path_is_a_configuration_fault() {
    for value in ["ca.pem", "./ca.pem", "~/ca.pem", "\"/etc/ca.pem\""] {
        let reading = reading(&format!("cafile = {value}\n"));
        assert!(reading.config.is_err(), "{value}");
        assert_eq!(reading.findings.len(), 1);
    }
    let reading = reading("cafile = ca.pem\ncafile = /etc/ca.pem\n");
    assert!(reading.config.is_ok(), "the last one counts");
}

/// Whoever sets it does not mean a way past it. No piece of it is told: it may be a password.
#[test]
fn a_proxy_that_is_not_one_is_a_configuration_fault() {
    for value in ["ftp://x", "http://me:p@ss@proxy:port", "http://a b"] {
        let reading = reading(&format!("http_proxy = {value}\n"));
        let fault = reading.config.unwrap_err();
        assert!(matches!(fault, ConfigFault::BadProxy(_)), "{value}");
        let [finding] = &reading.findings[..] else {
            panic!("{:?}", reading.findings);
        };
        let told = format!("{fault} {}", finding.describe(&"FILE"));
        assert!(!told.contains("p@ss") && !told.contains(value), "{told}");
    }
}

#[test]
fn a_bad_failmode_is_used_as_secure() {
    for (line, expected) in [
        ("failmode = safe", Some(Failmode::Safe)),
        ("failmode = secure", Some(Failmode::Secure)),
        ("failmode = Safe", Some(Failmode::Secure)),
        ("failmode =", Some(Failmode::Secure)),
        ("failmode = open", Some(Failmode::Secure)),
    ] {
        assert_eq!(reading(line).failmode, expected, "{line}");
    }
}

#[test]
fn failmode_counts_wherever_it_stands_and_whatever_else_is_wrong() {
    for text in [
        "failmode = secure\n",
        "nonsense\n[unclosed\nfailmode = secure",
        "ikey = x\n\u{fffd} = y\nfailmode = secure",
        "ikey = x\n= y\nskey\nfailmode = secure\nhost",
    ] {
        let reading = read(text);
        assert_eq!(reading.failmode, Some(Failmode::Secure), "{text}");
        assert_eq!(reading.config.unwrap_err(), ConfigFault::MissingKeys);
    }
}

#[test]
fn numbers_out_of_range_are_clamped_and_said() {
    for (line, prompts) in [
        ("prompts = 0", 1),
        ("prompts = 4", 3),
        ("prompts = 99999999999999999999", 3),
        ("prompts = -1", 1),
    ] {
        let reading = reading(line);
        assert!(
            matches!(reading.findings[..], [Finding::Clamped { .. }]),
            "{line}"
        );
        assert_eq!(reading.config.unwrap().prompts, prompts, "{line}");
    }
}

#[test]
fn unknown_keys_and_bad_lines_are_ignored_and_named() {
    let reading = reading("fail_mode = secure\nno key\n[open\nmotd = yes\nxyzzy = 1\n");
    assert!(reading.config.is_ok());
    let said: Vec<String> = reading.findings.iter().map(|f| f.describe(&"F")).collect();
    for (text, part) in said.iter().zip([
        "Unknown key 'fail_mode' in F, line 5: did you mean 'failmode'?",
        "Parse error in F, line 6",
        "Parse error in F, line 7",
        "Key 'motd' in F, line 8, has no effect",
        "Unknown key 'xyzzy' in F, line 9: ignored",
    ]) {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(said.len(), 5);
}

#[test]
fn an_indented_key_is_part_of_the_value_above_and_that_is_said() {
    let reading = read("ikey = DI\nhost = h\n  skey = 5ecre7\n");
    assert_eq!(reading.config.unwrap_err(), ConfigFault::MissingKeys);
    let text = reading.findings[0].describe(&"F");
    assert!(text.contains("line 3") && text.contains("'skey'"), "{text}");
}

#[test]
fn required_keys_and_noverify_are_configuration_faults() {
    for text in [
        "",
        "ikey=a\nskey=b",
        "ikey=\nskey=b\nhost=c",
        "ikey=a\nhost=c",
    ] {
        assert_eq!(
            read(text).config.unwrap_err(),
            ConfigFault::MissingKeys,
            "{text}"
        );
    }
    assert_eq!(
        reading("noverify = yes").config.unwrap_err(),
        ConfigFault::NoVerify
    );
    assert!(reading("noverify = no").config.is_ok());
    let bad = read("ikey=a\nskey=b\nhost=https://x").config.unwrap_err();
    assert!(matches!(bad, ConfigFault::BadHost(_)));
}

#[test]
fn nothing_that_is_said_about_a_file_shows_the_skey() {
    let text = "ikey = DI\nskey = 5ecre7\nskye = 5ecre7\n5ecre7\nhost = h\nprompts = 5ecre7\n";
    let reading = read(text);
    assert!(reading.findings.len() >= 3);
    for finding in &reading.findings {
        let said = finding.describe(&"F");
        assert!(!said.contains("5ecre7"), "{said}");
    }
    assert!(!format!("{reading:?}").contains("5ecre7"));
}

#[test]
fn the_shipped_configuration_has_every_key_and_nothing_wrong_but_the_missing_ones() {
    let shipped = include_str!("../conf/pam_duo.conf");
    let reading = read(shipped);
    assert_eq!(reading.findings, []);
    assert_eq!(reading.config.unwrap_err(), ConfigFault::MissingKeys);
    // With every commented key switched on and the required ones filled in, it is whole.
    let filled: String = shipped
        .lines()
        .map(|line| {
            let is_key = line.starts_with(';') && line.contains(" = ") && !line.starts_with("; ");
            let line = line.strip_prefix(';').filter(|_| is_key).unwrap_or(line);
            match line {
                "ikey =" => "ikey = DI\n".to_owned(),
                "skey =" => "skey = x\n".to_owned(),
                "host =" => "host = h\n".to_owned(),
                other => format!("{other}\n"),
            }
        })
        .collect();
    let reading = read(&filled);
    assert_eq!(reading.findings, [], "{filled}");
    assert!(reading.config.is_ok());
    for key in [
        "failmode",
        "groups",
        "pushinfo",
        "http_proxy",
        "autopush",
        "verified_push",
        "prompts",
        "fallback_local_ip",
        "https_timeout",
        "cafile",
        "send_gecos",
        "gecos_delim",
        "gecos_username_pos",
        "signature",
        "menu",
        "login_timeout",
        "bypass",
        "status",
    ] {
        assert!(filled.contains(&format!("\n{key} = ")), "{key}");
    }
}

#[test]
fn no_more_than_one_mebibyte_is_read() {
    use duo_login::config::file::{FileFault, SIZE_LIMIT, read_trusted};
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::NamedTempFile::new().unwrap();
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(file.path(), mode).unwrap();
    let limit = usize::try_from(SIZE_LIMIT).unwrap();
    std::fs::write(file.path(), "#".repeat(limit)).unwrap();
    assert_eq!(read_trusted(file.path()).unwrap().text.len(), limit);
    std::fs::write(file.path(), "#".repeat(limit + 1)).unwrap();
    let fault = read_trusted(file.path()).err();
    assert!(matches!(fault, Some(FileFault::TooLarge)), "{fault:?}");
    // A device without end.
    let fault = read_trusted(std::path::Path::new("/dev/zero")).err();
    assert!(matches!(fault, Some(FileFault::NotRegular)), "{fault:?}");
    // Bytes that are not UTF-8 spoil their own line and no other.
    std::fs::write(
        file.path(),
        b"ikey = \xff\nfailmode = secure\nskey = x # \xfe\n",
    )
    .unwrap();
    let reading = read(&read_trusted(file.path()).unwrap().text);
    assert_eq!(reading.failmode, Some(Failmode::Secure));
    assert!(matches!(
        reading.findings[..],
        [Finding::NotUnderstood { line: 1 }]
    ));
}

#[test]
fn long_values_are_read_whole() {
    let long = "x".repeat(10_000);
    let reading = read(&format!(
        "ikey = {long}\nskey = {long}\nhost = h\ngroups = {long}"
    ));
    let config = reading.config.unwrap();
    assert_eq!(config.application.keys.skey.expose(), long);
    assert!(config.groups.include(&[&long]));
}

/// A line that is right or nearly so.
fn any_line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "groups",
        "group",
        "failmode",
        "pushinfo",
        "http_proxy",
        "autopush",
        "verified_push",
        "prompts",
        "fallback_local_ip",
        "https_timeout",
        "cafile",
        "send_gecos",
        "gecos_delim",
        "gecos_username_pos",
        "signature",
        "menu",
        "login_timeout",
        "bypass",
        "status",
        "motd",
        "unknown",
        "noverify",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "yes",
            "no",
            "1",
            "2",
            "7",
            "safe",
            "secure",
            "v5",
            "v2-sha512",
            "server",
            "ignore",
            "live",
            "quiet",
            "/a b/c",
            "http://u:p@h:3128",
            ",",
            "/",
            "wheel",
            "!a,b* c\\ d,!e f",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,20}",
        "\\PC{0,10}",
    ];
    ("[ \t]?", key, " ?[=:] ?", value).prop_map(|(a, k, e, v)| format!("{a}{k}{e}{v}"))
}

proptest! {
    #[test]
    fn what_is_accepted_is_printed_back_to_the_same_meaning(
        lines in proptest::collection::vec(any_line(), 0..12),
        skey in "[!-:<-~]{1,60}",
    ) {
        prop_assume!(!skey.starts_with('#'));
        let text = format!("ikey = DI\nhost = h:8443\nskey = {skey}\n[x]\n{}", lines.join("\n"));
        let first = read(&text);
        if let Ok(config) = first.config {
            let printed = config.to_text(first.failmode);
            let second = read(&printed);
            prop_assert_eq!(&second.findings, &[], "{}", printed.as_str());
            prop_assert_eq!(first.failmode, second.failmode);
            let again = second.config.unwrap();
            prop_assert_eq!(format!("{config:?}"), format!("{again:?}"), "{}", printed.as_str());
            let secret = |c: &Config| (
                c.application.keys.skey.expose().to_owned(),
                c.http_proxy.as_ref().map(|p| p.expose().to_owned()),
            );
            prop_assert_eq!(secret(&config), secret(&again));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(?s).{0,400}") {
        let _ = read(&text);
    }

    #[test]
    fn no_lines_make_the_parser_panic(
        lines in proptest::collection::vec("[ \t]?[a-z_=:;#\\[\\]\" \\\\.]{0,24}", 0..30)
    ) {
        let _ = read(&lines.join("\n"));
    }

    #[test]
    fn a_skey_of_any_visible_signs_is_read_as_it_is(skey in "[!-:<-~]{1,60}") {
        prop_assume!(!skey.starts_with('#'));
        let text = format!("ikey = DI\nskey = {skey}\nhost = h\n");
        let config = read(&text).config.unwrap();
        prop_assert_eq!(config.application.keys.skey.expose(), skey);
    }
}

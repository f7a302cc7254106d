//! lint's verdict and real PAM's agree: with a second factor that fails one gets in exactly where
//! lint says so, and with one that approves exactly where lint does not call it impossible.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use duo_sim::{Options, Scenario, Simulator};
use login_sandbox::HostBuilder;

use crate::root::Root;
use crate::stacks::STACKS;

/// What a module that checks a password answers, in the words of `pam_debug.so`.
const ANSWERS: [&str; 4] = ["success", "auth_err", "user_unknown", "authinfo_unavail"];

/// The real module, failing in three ways and approving in one. The approval is that of an outage
/// with `failmode = safe`.
const FACTORS: [(&str, &str); 4] = [
    (
        "outage",
        "{module} conf=/etc/duo/outage.conf failmode=secure",
    ),
    ("faulty", "{module} conf=/etc/duo/faulty.conf"),
    ("denied", "{module} conf=/etc/duo/denied.conf"),
    (
        "approved",
        "{module} conf=/etc/duo/outage.conf failmode=safe",
    ),
];

/// A service with its files.
struct Case {
    name: String,
    lines: String,
    files: Vec<(String, String)>,
}

/// What lint says, or what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Verdict {
    skippable: bool,
    possible: bool,
}

fn table() -> Vec<Case> {
    let numbered = STACKS.iter().enumerate();
    numbered
        .map(|(number, stack)| Case {
            name: format!("stack{number}"),
            lines: stack.lines.to_owned(),
            files: stack
                .files
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        })
        .collect()
}

/// What lint says of each.
fn lints(cases: &[Case]) -> BTreeMap<String, Verdict> {
    let root = Root::empty();
    for case in cases {
        // Files that others include are services as well, and have names of such.
        let fill = |text: &str| {
            text.replace("{duo}", "pam_duo.so")
                .replace("{a}", "pam_unix.so")
                .replace("{b}", "pam_unix.so")
                .replace("{totp}", "pam_oath.so usersfile=/etc/users.oath")
                .replace("{x}", &format!("common-{}-", case.name))
        };
        root.write(&format!("/etc/pam.d/{}", case.name), &fill(&case.lines));
        for (name, text) in &case.files {
            let path = format!("/etc/pam.d/common-{}-{name}", case.name);
            root.write(&path, &fill(text));
        }
    }
    let report = root.lint();
    let services = report["services"].as_array().unwrap();
    let verdict = |service: &serde_json::Value| {
        let verdict = Verdict {
            skippable: service["skippable"].as_bool().unwrap(),
            possible: service["possible"].as_bool().unwrap(),
        };
        // A path is shown exactly where there is one.
        let path = service["path"].as_array().unwrap();
        assert_eq!(verdict.skippable, !path.is_empty(), "{service:#}");
        (service["name"].as_str().unwrap().to_owned(), verdict)
    };
    services.iter().map(verdict).collect()
}

/// What real PAM does with each.
fn happens(cases: &[Case]) -> BTreeMap<String, Verdict> {
    let scenario = Scenario::from_toml("[users.alice]\npreauth = \"deny\"").unwrap();
    let duo = Simulator::start(scenario, Options::default()).unwrap();
    let ca_file = duo.ca_file().to_str().unwrap();
    let denied = duo.config().replace(ca_file, "/etc/duo/ca.pem");
    let outage = "[duo]\nikey = DIXXXXXXXXXXXXXXXXXX\n\
        skey = deadbeefdeadbeefdeadbeefdeadbeefdeadbeef\nhost = 127.0.0.1:1\nhttps_timeout = 1\n";
    let mut host = HostBuilder::new()
        .user("alice")
        .file("/etc/duo/ca.pem", 0o644, duo.ca_pem())
        .file("/etc/duo/denied.conf", 0o600, &denied)
        .file("/etc/duo/outage.conf", 0o600, outage)
        .file("/etc/duo/faulty.conf", 0o600, "[duo]\n");
    for case in cases {
        for (factor, duo) in FACTORS {
            // The second factor fails where Duo cannot be asked. After a refusal of Duo's, a right
            // code must not help.
            let code = if factor == "outage" {
                "auth_err"
            } else {
                "success"
            };
            for (number, (a, b)) in answers(case).into_iter().enumerate() {
                let name = format!("{}.{factor}.{number}", case.name);
                let fill = |text: &str| {
                    text.replace("{duo}", duo)
                        .replace("{a}", &format!("pam_debug.so auth={a}"))
                        .replace("{b}", &format!("pam_debug.so auth={b}"))
                        .replace("{totp}", &format!("pam_debug.so auth={code}"))
                        .replace("{x}", &format!("inner.{name}."))
                };
                host = host.pam(&name, &(fill(&case.lines) + "\n"));
                for (file, text) in &case.files {
                    host = host.pam(&format!("inner.{name}.{file}"), &(fill(text) + "\n"));
                }
            }
        }
    }
    let host = host.start();
    let script = "cd /etc/pam.d && for service in stack*; do \
        pamtester \"$service\" alice authenticate </dev/null >/dev/null 2>&1 && echo \"$service\"; done; true";
    let output = host.inside(&["sh", "-c", script]).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let mut verdicts: BTreeMap<String, Verdict> = cases
        .iter()
        .map(|case| (case.name.clone(), Verdict::default()))
        .collect();
    for service in output.lines() {
        let mut parts = service.split('.');
        let verdict = verdicts.get_mut(parts.next().unwrap()).unwrap();
        match parts.next().unwrap() {
            "approved" => verdict.possible = true,
            _ => verdict.skippable = true,
        }
    }
    // The simulator was asked, so that this was not one outage more.
    assert!(
        duo.requests()
            .iter()
            .any(|request| request.path == "/auth/v2/preauth")
    );
    verdicts
}

/// The answers of `{a}` and `{b}` to try.
fn answers(case: &Case) -> Vec<(&'static str, &'static str)> {
    let all = case
        .files
        .iter()
        .map(|(_, text)| text.as_str())
        .chain([case.lines.as_str()]);
    let all: String = all.collect();
    let of = |name| {
        if all.contains(name) {
            &ANSWERS[..]
        } else {
            &ANSWERS[..1]
        }
    };
    let with_b = |a: &'static str| of("{b}").iter().map(move |b| (a, *b)).collect::<Vec<_>>();
    of("{a}").iter().flat_map(|a| with_b(a)).collect()
}

/// Names the cases on which two disagree.
fn compare(cases: &[Case], lint: &BTreeMap<String, Verdict>, real: &BTreeMap<String, Verdict>) {
    let mut wrong = String::new();
    for case in cases {
        if lint.get(&case.name) != real.get(&case.name) {
            let _ = writeln!(
                wrong,
                "{}: lint {:?}, real {:?}\n{}\n{:?}",
                case.name,
                lint.get(&case.name),
                real.get(&case.name),
                case.lines,
                case.files
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn lint_says_of_each_stack_what_the_table_says() {
    let lint = lints(&table());
    for (number, stack) in STACKS.iter().enumerate() {
        let verdict = lint
            .get(&format!("stack{number}"))
            .copied()
            .unwrap_or_default();
        let known = Verdict {
            skippable: stack.skippable,
            possible: stack.possible,
        };
        assert_eq!(verdict, known, "{}", stack.about);
    }
    let abouts: BTreeSet<&str> = STACKS.iter().map(|stack| stack.about).collect();
    assert_eq!(abouts.len(), STACKS.len());
    assert!(STACKS.len() >= 25);
}

#[test]
fn lint_and_real_pam_agree_on_every_stack_of_the_table() {
    let cases = table();
    compare(&cases, &lints(&cases), &happens(&cases));
}

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

fn random_control(numbers: &mut Numbers) -> String {
    const ACTIONS: [&str; 10] = [
        "ok", "ok", "done", "bad", "die", "ignore", "reset", "1", "2", "3",
    ];
    if numbers.below(2) == 0 {
        return numbers
            .of(&["required", "requisite", "sufficient", "optional"])
            .to_owned();
    }
    let mut pairs = vec![format!("success={}", numbers.of(&ACTIONS))];
    if numbers.below(3) == 0 {
        pairs.push(format!("authinfo_unavail={}", numbers.of(&ACTIONS)));
    }
    if numbers.below(3) == 0 {
        pairs.push(format!("ignore={}", numbers.of(&ACTIONS)));
    }
    if numbers.below(4) > 0 {
        pairs.push(format!("default={}", numbers.of(&ACTIONS)));
    }
    format!("[{}]", pairs.join(" "))
}

fn random_lines(
    numbers: &mut Numbers,
    count: usize,
    duo_at: Option<usize>,
    inner: Option<&str>,
) -> String {
    const CODES: [&str; 6] = [
        "success",
        "success",
        "success",
        "auth_err",
        "ignore",
        "authinfo_unavail",
    ];
    let inner_at = numbers.below(count);
    let mut lines = String::new();
    for line in 0..count {
        if let Some(inner) = inner.filter(|_| line == inner_at) {
            let word = numbers.of(&["include", "substack", "substack"]);
            let _ = writeln!(lines, "auth {word} {{x}}{inner}");
        }
        let control = random_control(numbers);
        if duo_at == Some(line) {
            let _ = writeln!(lines, "auth {control} {{duo}}");
        } else {
            let _ = writeln!(
                lines,
                "auth {control} pam_debug.so auth={}",
                numbers.of(&CODES)
            );
        }
    }
    lines
}

#[test]
fn lint_and_real_pam_agree_on_stacks_made_by_chance() {
    let mut numbers = Numbers(20_260_101);
    let cases: Vec<Case> = (0..150)
        .map(|number| {
            let count = 2 + numbers.below(4);
            let nested = numbers.below(3);
            let duo_inside = nested == 2;
            let duo_at = numbers.below(count);
            let inner = (nested > 0).then_some("inner");
            let outside = (!duo_inside).then_some(duo_at);
            let lines = random_lines(&mut numbers, count, outside, inner);
            let files = inner.map(|name| {
                let count = 1 + numbers.below(3);
                let duo_at = duo_inside.then(|| numbers.below(count));
                (
                    name.to_owned(),
                    random_lines(&mut numbers, count, duo_at, None),
                )
            });
            Case {
                name: format!("stack{number}"),
                lines,
                files: files.into_iter().collect(),
            }
        })
        .collect();
    let lint = lints(&cases);
    let count = |wanted: fn(&Verdict) -> bool| lint.values().filter(|v| wanted(v)).count();
    // Enough of each kind that agreement means something.
    assert!(count(|v| v.skippable) > 15, "{lint:?}");
    assert!(count(|v| !v.skippable && v.possible) > 15, "{lint:?}");
    assert!(count(|v| !v.possible) > 15, "{lint:?}");
    compare(&cases, &lint, &happens(&cases));
}

#[test]
fn debians_own_files_with_the_profile_agree_as_well() {
    // Root's own stack: the files of this package's tests as they are, pam_unix.so in them played.
    for release in [12, 13] {
        let root = Root::debian(release);
        root.enable_profile();
        let read =
            |name: &str| fs::read_to_string(root.path(&format!("/etc/pam.d/{name}"))).unwrap();
        let play = |text: &str| {
            text.replace("pam_duo.so", "{duo}")
                .replace("pam_unix.so nullok", "{a}")
                // Three seconds for each failure.
                .replace("delay=3000000", "delay=1")
                .replace("@include common-auth", "@include {x}common-auth")
                .lines()
                .filter(|line| line.starts_with("auth") || line.contains("{x}"))
                .map(|line| line.to_owned() + "\n")
                .collect::<String>()
        };
        let services = ["sshd", "sudo", "login", "su"];
        let cases: Vec<Case> = services
            .iter()
            .enumerate()
            .map(|(number, name)| Case {
                name: format!("stack{number}"),
                // pamtester runs as root, whom su lets pass.
                lines: play(&read(name)).replace("pam_rootok.so", "pam_debug.so auth=auth_err"),
                files: vec![("common-auth".to_owned(), play(&read("common-auth")))],
            })
            .collect();
        let reality = happens(&cases);
        compare(&cases, &lints(&cases), &reality);
        let sound = Verdict {
            skippable: false,
            possible: true,
        };
        assert!(
            reality.values().all(|verdict| *verdict == sound),
            "{reality:?}"
        );
    }
}

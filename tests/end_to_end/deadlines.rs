//! Every fault that the simulator and a bad network can make, in a program that root or a user has
//! started: who gets in, with which PAM code, and in what time. The table is `docs/faults.md`.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use duo_login::Starter;
use duo_sim::{Fault, FaultKind as K, Options, Scenario, Simulator};

use crate::proxy::{Manner, Proxy};
use crate::test_bed::{CONF, TestBed, config};

/// `https_timeout` and `login_timeout` of every login here, in seconds.
const HTTPS_TIMEOUT: u64 = 1;
const LOGIN_TIMEOUT: u64 = 4;
/// How many logins there are at a time: most of them wait.
const WORKERS: usize = 6;
/// What it may take to start the program in its namespace, which the bounds know nothing of.
const START: Duration = Duration::from_millis(500);
/// How often a login is measured that took too long: the machine may be busy, a hang is one every
/// time.
const MEASUREMENTS: usize = 3;

/// When a fault strikes, which decides who may get in and in what time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum When {
    /// Duo answers, but with nothing that is of use.
    Answer,
    /// The way to Duo fails.
    Way,
    /// Duo is asked too much.
    RateLimit,
    /// The configuration or the keys are wrong.
    Configuration,
    /// Duo says no.
    Refusal,
    /// The factor has been asked for.
    AfterPreauth,
}

impl When {
    fn title(self) -> &'static str {
        match self {
            Self::Answer => "Answers that are of no use, up to and including preauth",
            Self::Way => "The way to Duo, up to and including preauth",
            Self::RateLimit => "Too many requests",
            Self::Configuration => "Configuration faults",
            Self::Refusal => "Refusals",
            Self::AfterPreauth => "After preauth",
        }
    }

    /// In seconds.
    fn bound(self) -> u64 {
        match self {
            Self::AfterPreauth => LOGIN_TIMEOUT,
            _ => 2 * HTTPS_TIMEOUT + 1,
        }
    }

    /// The code that the contract names, if it names one.
    fn code(self, column: Column) -> Option<&'static str> {
        let safe = column.failmode == "safe";
        match self {
            Self::Answer | Self::Configuration if safe => Some("PAM_SUCCESS"),
            Self::Way if safe && column.starter == Starter::Root => Some("PAM_SUCCESS"),
            Self::Answer | Self::Way | Self::RateLimit => Some("PAM_AUTHINFO_UNAVAIL"),
            Self::Configuration => Some("PAM_SERVICE_ERR"),
            Self::Refusal => Some("PAM_PERM_DENIED"),
            Self::AfterPreauth => None,
        }
    }
}

/// Who started the application, and what the file says.
#[derive(Clone, Copy)]
struct Column {
    starter: Starter,
    failmode: &'static str,
    title: &'static str,
}

const COLUMNS: [Column; 3] = [
    Column {
        starter: Starter::Root,
        failmode: "safe",
        title: "root's own, `safe`",
    },
    Column {
        starter: Starter::User,
        failmode: "safe",
        title: "a user's, `safe`",
    },
    Column {
        starter: Starter::Root,
        failmode: "secure",
        title: "root's own, `secure`",
    },
];

/// How a fault is made.
enum Cause {
    Sim(Fault),
    Conf(&'static str),
    Proxy(Manner),
    /// An address that does not answer.
    Silent,
}

struct Row {
    what: String,
    when: When,
    cause: Cause,
}

fn row(what: &str, when: When, cause: Cause) -> Row {
    let what = what.to_owned();
    Row { what, when, cause }
}

fn sim(path: &str, kind: K) -> Cause {
    Cause::Sim(Fault::new(path, kind))
}

fn status(path: &str, code: u16) -> Cause {
    let mut fault = Fault::new(path, K::Status);
    fault.code = Some(code);
    Cause::Sim(fault)
}

const IN_THE_REPLY: [(&str, K); 22] = [
    ("no answer", K::StallRequest),
    ("half of the headers, then nothing", K::StallHeaders),
    ("half of the body, then nothing", K::StallBody),
    ("one byte at a time", K::Drip),
    ("half of the body, then the end", K::Truncate),
    ("the end instead of a reply", K::CloseBeforeReply),
    ("a reset instead of a reply", K::ResetBeforeReply),
    ("bytes that are not HTTP", K::GarbageHttp),
    ("a body that is not JSON", K::GarbageJson),
    ("no body", K::EmptyBody),
    ("JSON that is no object", K::NotObject),
    ("a `result` of the wrong type", K::WrongType),
    ("no `response`", K::MissingResponse),
    ("no `result`", K::MissingResult),
    ("no `stat`", K::NoStat),
    ("JSON nested too deep", K::DeepJson),
    ("a body without end", K::EndlessBody),
    ("headers without end", K::EndlessHeaders),
    ("one huge header", K::HugeHeader),
    ("a redirect", K::Redirect),
    ("HTTP 503", K::Status),
    ("HTTP 429 to the end", K::RateLimited),
];

/// Whether a reply at preauth is a whole one, which nobody on this machine can forge.
fn in_the_reply(kind: K) -> When {
    match kind {
        K::GarbageJson
        | K::EmptyBody
        | K::NotObject
        | K::WrongType
        | K::MissingResponse
        | K::MissingResult
        | K::NoStat
        | K::DeepJson
        | K::Redirect
        | K::Status => When::Answer,
        K::RateLimited => When::RateLimit,
        _ => When::Way,
    }
}

fn rows() -> Vec<Row> {
    use When::{AfterPreauth, Configuration, Refusal, Way};
    const PREAUTH: &str = "/auth/v2/preauth";
    const AUTH: &str = "/auth/v2/auth";
    const POLL: &str = "/auth/v2/auth_status";
    let mut rows = Vec::new();
    for (what, kind) in [
        ("DNS: never answered", K::DnsSilent),
        ("DNS: answered too late", K::DnsSlow),
        ("DNS: the resolver fails", K::DnsServfail),
        ("DNS: no such name", K::DnsNoName),
        ("DNS: garbage", K::DnsGarbage),
    ] {
        rows.push(row(what, Way, sim("dns", kind)));
    }
    rows.push(row("TCP: refused", Way, Cause::Conf("host = 127.0.0.1:1")));
    rows.push(row("TCP: no answer", Way, Cause::Silent));
    for (what, kind) in [
        ("TCP: accepted and closed", K::Refuse),
        ("TCP: accepted and reset", K::Reset),
        ("TLS: not a word", K::StallAccept),
        ("TLS: stops after the first message", K::StallTls),
        ("TLS: another protocol", K::TlsGarbage),
        ("TLS: plain HTTP", K::PlainHttp),
        ("TLS: no common version", K::OldTls),
        ("TLS: self-signed certificate", K::SelfSigned),
        ("TLS: unknown CA", K::UnknownCa),
        ("TLS: expired certificate", K::Expired),
        ("TLS: certificate for another name", K::WrongName),
    ] {
        rows.push(row(what, Way, sim("connection", kind)));
    }
    let refused = Cause::Conf("http_proxy = http://127.0.0.1:1");
    rows.push(row("proxy: not there", Way, refused));
    for (what, manner) in [
        ("proxy: wants other credentials", Manner::WantsCredentials),
        ("proxy: forbids", Manner::Forbids),
        ("proxy: HTTP 502", Manner::BadGateway),
        ("proxy: no answer", Manner::Stalls),
        ("proxy: closes", Manner::Closes),
        ("proxy: garbage", Manner::Garbage),
        ("proxy: headers without end", Manner::Endless),
        ("proxy: one byte at a time", Manner::Drips),
        ("proxy: nothing comes through", Manner::TunnelStalls),
        ("proxy: closes after it agreed", Manner::TunnelCloses),
    ] {
        rows.push(row(what, Way, Cause::Proxy(manner)));
    }
    for (what, kind) in IN_THE_REPLY {
        rows.push(row(
            &format!("preauth: {what}"),
            in_the_reply(kind),
            sim(PREAUTH, kind),
        ));
    }
    rows.push(row("preauth: HTTP 500", When::Answer, status(PREAUTH, 500)));
    for (what, extra) in [
        ("`cafile` is not there", "cafile = /etc/duo/none"),
        ("`noverify`", "noverify = yes"),
        ("no keys", "skey ="),
        ("`ikey` that Duo does not know", "ikey = DIOTHER"),
    ] {
        rows.push(row(what, Configuration, Cause::Conf(extra)));
    }
    let clock = sim(PREAUTH, K::Clock);
    rows.push(row("40105, whatever the date", Configuration, clock));
    rows.push(row("preauth: HTTP 400", Refusal, status(PREAUTH, 400)));
    rows.push(row("preauth: HTTP 403", Refusal, status(PREAUTH, 403)));
    for (path, name) in [(AUTH, "auth"), (POLL, "auth_status")] {
        for (what, kind) in IN_THE_REPLY {
            rows.push(row(
                &format!("{name}: {what}"),
                AfterPreauth,
                sim(path, kind),
            ));
        }
        rows.push(row(
            &format!("{name}: HTTP 400"),
            AfterPreauth,
            status(path, 400),
        ));
        rows.push(row(
            &format!("{name}: rejected keys"),
            AfterPreauth,
            sim(path, K::BadSignature),
        ));
    }
    rows
}

/// A simulator that can also answer look-ups, and a host that asks it.
fn start() -> TestBed {
    static NUMBER: AtomicU8 = AtomicU8::new(2);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // Each has an address of its own, since resolv.conf knows port 53 alone.
    let [_, _, third, fourth] = std::process::id().to_be_bytes();
    let resolver = IpAddr::V4(Ipv4Addr::new(127, number, third, fourth));
    let options = Options {
        dns: Some(SocketAddr::new(resolver, 53)),
        ..Options::default()
    };
    let duo = Simulator::start(Scenario::default(), options).unwrap();
    TestBed::over(duo, "", |host| {
        host.user("alice").file(
            "/etc/resolv.conf",
            0o644,
            &format!("nameserver {resolver}\n"),
        )
    })
}

/// An address that takes no connection and says nothing: a queue that is full.
pub struct SilentAddress {
    port: u16,
    _held: (TcpListener, Vec<TcpStream>),
}

impl SilentAddress {
    fn new() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// One at `address`.
    pub fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(1).unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let short = Duration::from_millis(200);
        let queued: Vec<TcpStream> = (0..8)
            .map_while(|_| TcpStream::connect_timeout(&address, short).ok())
            .collect();
        assert!(queued.len() < 8, "the queue is never full");
        Self {
            port: address.port(),
            _held: (listener, queued),
        }
    }
}

/// The PAM code that pamtester tells in libpam's words.
fn code(transcript: &str) -> &'static str {
    const WORDS: [(&str, &str); 6] = [
        ("successfully authenticated", "PAM_SUCCESS"),
        (
            "cannot retrieve authentication info",
            "PAM_AUTHINFO_UNAVAIL",
        ),
        ("Error in service module", "PAM_SERVICE_ERR"),
        ("Permission denied", "PAM_PERM_DENIED"),
        ("Authentication failure", "PAM_AUTH_ERR"),
        ("maximum number of retries", "PAM_MAXTRIES"),
    ];
    let found = WORDS.iter().find(|(words, _)| transcript.contains(words));
    found
        .unwrap_or_else(|| panic!("no code in: {transcript}"))
        .1
}

/// One login: its PAM code, and what it took at best.
fn measure(bed: &TestBed, row: &Row, column: Column) -> (&'static str, Duration) {
    let failmode = column.failmode;
    let mut host = None;
    let mut extra = String::new();
    let mut hold = None;
    bed.duo.clear_faults();
    match &row.cause {
        Cause::Sim(fault) => {
            if fault.path == "dns" {
                host = Some(format!("duo.test:{}", bed.duo.address().port()));
            }
            bed.duo.add_fault(fault.clone());
        }
        Cause::Conf(line) => extra.push_str(line),
        Cause::Proxy(manner) => {
            let proxy = Proxy::start(*manner);
            extra = format!("http_proxy = http://me:secret@127.0.0.1:{}", proxy.port);
        }
        Cause::Silent => {
            let silent = SilentAddress::new();
            host = Some(format!("127.0.0.1:{}", silent.port));
            hold = Some(silent);
        }
    }
    if let Some(host) = host {
        extra = format!("host = {host}");
    }
    let conf = format!(
        "{}https_timeout = {HTTPS_TIMEOUT}\nlogin_timeout = {LOGIN_TIMEOUT}\nautopush = yes\n\
         push_limit = no\n\
         {extra}\nfailmode = {failmode}\n",
        config(&bed.duo)
    );
    bed.host.write(CONF, 0o600, &conf);
    let mut best = Duration::MAX;
    for _ in 0..MEASUREMENTS {
        let started = Instant::now();
        let finished = bed.pamtester_of(column.starter, "duo", "alice", &[]);
        best = best.min(started.elapsed());
        let code = code(&finished.transcript);
        match row.when.code(column) {
            Some(expected) => assert_eq!(code, expected, "{} {}", row.what, column.title),
            None => assert_ne!(code, "PAM_SUCCESS", "{} {}", row.what, column.title),
        }
        if best < Duration::from_secs(row.when.bound()) + START {
            return (code, best);
        }
    }
    drop(hold);
    panic!("{}, {}: {best:?}, every time", row.what, column.title);
}

/// The table without its seconds, which are never the same twice.
fn without_seconds(table: &str) -> Vec<String> {
    let is_seconds = |cell: &str| cell.trim().parse::<f64>().is_ok();
    table
        .lines()
        .map(|line| {
            let cells = line
                .split('|')
                .map(str::trim)
                .filter(|cell| !is_seconds(cell));
            cells.collect::<Vec<_>>().join("|")
        })
        .collect()
}

#[test]
fn every_fault_ends_in_time_and_none_after_preauth_lets_in() {
    let mut rows = rows();
    rows.sort_by_key(|row| row.when);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let bed = start();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(row) = rows.get(index) else { break };
                    let cells = COLUMNS.map(|column| measure(&bed, row, column));
                    results.lock().unwrap().push((index, cells));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(index, _)| *index);
    assert_eq!(results.len(), rows.len());

    let mut table = include_str!("faults_head.md")
        .replace("HTTPS_TIMEOUT", &HTTPS_TIMEOUT.to_string())
        .replace("LOGIN_TIMEOUT", &LOGIN_TIMEOUT.to_string())
        .replace("FAULTS", &rows.len().to_string());
    let mut section = None;
    for (row, (_, cells)) in rows.iter().zip(&results) {
        if section != Some(row.when) {
            section = Some(row.when);
            let titles = COLUMNS.map(|column| format!("{} | s |", column.title));
            let _ = write!(
                table,
                "\n## {}\n\n| fault | {} bound, s |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
                row.when.title(),
                titles.join(" ")
            );
        }
        let _ = write!(table, "| {} |", row.what);
        for (code, took) in cells {
            let verdict = if *code == "PAM_SUCCESS" { "in" } else { "out" };
            let _ = write!(table, " {verdict}, {code} | {:.1} |", took.as_secs_f64());
        }
        let _ = writeln!(table, " {} |", row.when.bound());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::write(root.join("target/faults.md"), &table).unwrap();
    let documented = fs::read_to_string(root.join("docs/faults.md")).unwrap_or_default();
    assert_eq!(
        without_seconds(&documented),
        without_seconds(&table),
        "docs/faults.md is not what the module does: copy target/faults.md there if that is right"
    );
}

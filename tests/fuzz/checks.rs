//! What must hold for any bytes from outside. The fuzzers call these with what they make up; the
//! test `fuzz_corpus` calls them with what the fuzzers have kept, in every test run.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use duo_auth::clock::Clock;
use duo_auth::retry_after;
use duo_auth::sign::{Application, Keys, Signature, SignedRequest};
use duo_auth::{Capability, Device, Offer, Preauth, parse as api};
use duo_auth::{Cause, Client, Reply, Transport, TransportError};
use duo_auth::{Host, Secret};
use duo_login::config::{Gecos, MenuSource, read};
use duo_login::login::{
    self, Answer, Channel, Conversation, ConversationError, Journal, LoginContext, Ports,
    PushLimit, Rules,
};
use duo_login::menu::{Choice, Menu};
use duo_login::messages;
use duo_login::outcome::{Attempt, Outcome};
use duo_login::who::address;

mod stores;
pub(crate) use stores::{pem, roots};

#[path = "push_limit.rs"]
mod push_limit_file;
pub(crate) use push_limit_file::check as push_limit;

/// A check of any bytes: panics where something does not hold.
type Check = fn(&[u8]);

/// Every target and its check.
pub(crate) const TARGETS: [(&str, Check); 10] = [
    ("config", config),
    ("replies", replies),
    ("answers", answers),
    ("retry_after", retry_after),
    ("ssh_connection", ssh_connection),
    ("gecos", gecos),
    ("login", login),
    ("pem", pem),
    ("roots", roots),
    ("push_limit", push_limit),
];

/// A configuration: no finding shows the skey, and what is written back is read as the same.
pub(crate) fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let reading = read(&text);
    let described: Vec<String> = reading
        .findings
        .iter()
        .map(|finding| finding.describe(&"/etc/duo/pam_duo.conf"))
        .collect();
    for line in &described {
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.len() < 1024, "{line:?}");
    }
    let Ok(config) = reading.config else { return };
    let skey = config.application.keys.skey.expose();
    assert!(!skey.is_empty() && !config.application.keys.ikey.is_empty());
    let shown = format!("{config:?}");
    // A short one may be part of anything.
    if skey.len() >= 20 && text.matches(skey).count() == 1 {
        assert!(!shown.contains(skey), "{shown}");
        for line in &described {
            assert!(!line.contains(skey), "{line}");
        }
    }
    let written = config.to_text(reading.failmode);
    let again = read(&written);
    assert_eq!(again.failmode, reading.failmode, "{}", *written);
    let again = again.config.expect("what was written can be read");
    assert_eq!(format!("{again:?}"), shown, "{}", *written);
    assert_eq!(*again.to_text(reading.failmode), *written);
}

/// A reply's body, in every role.
pub(crate) fn replies(data: &[u8]) {
    if let Ok(Preauth::Auth(offer)) = api::read_preauth(data) {
        show(&offer);
    }
    let _ = api::read_auth(data);
    let _ = api::read_status(data);
    let _ = api::read_time(data);
    let _ = api::refusal(data);
    let shown = api::redacted(data);
    assert!(!shown.contains(char::is_control), "{shown:?}");
}

/// What a terminal gets: lines of text, and nothing that controls it.
fn printable(text: &str) {
    let bad = text.chars().find(|c| c.is_control() && *c != '\n');
    assert!(bad.is_none(), "{text:?}");
    // The protocol's own limit is larger by far.
    assert!(text.len() < 64 * 1024, "{} bytes", text.len());
}

fn show(offer: &Offer) {
    let menu = Menu::new(offer, false);
    let shown = menu.render("alice");
    printable(&shown);
    assert!(shown.lines().count() < 60, "{shown}");
    if let Some(prompt) = &offer.prompt {
        printable(&messages::server_menu(&prompt.text));
    }
    for number in 1..=menu.len() {
        assert!(matches!(
            menu.choose(&number.to_string()),
            Choice::Option(_)
        ));
    }
}

/// What a user types at a menu.
pub(crate) fn answers(data: &[u8]) {
    let device = |id: &str| Device {
        id: id.to_owned(),
        display_name: id.to_owned(),
        capabilities: vec![Capability::Push, Capability::Phone, Capability::Sms],
        sms_nextcode: None,
    };
    let offer = Offer {
        devices: vec![device("A"), device("B")],
        ..Offer::default()
    };
    let menu = Menu::new(&offer, false);
    let answer = String::from_utf8_lossy(data);
    match menu.choose(&answer) {
        Choice::Option(option) => assert!(option.device == "A" || option.device == "B"),
        Choice::Passcode(passcode) => {
            let passcode = passcode.expose();
            assert!(passcode.len() <= 44 && passcode.len() >= 4, "{passcode}");
            assert!(
                passcode.bytes().all(|b| b.is_ascii_alphanumeric()),
                "{passcode}"
            );
        }
        Choice::Neither => {}
    }
    printable(&duo_auth::clean(&answer).replace('\n', ""));
    if let Some(shown) = std::str::from_utf8(data).ok().map(duo_auth::clean) {
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
}

/// `Retry-After`.
pub(crate) fn retry_after(data: &[u8]) {
    let value = String::from_utf8_lossy(data);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    if let Some(wait) = retry_after::parse(&value, now) {
        // Whatever it says, adding it to a point in time must do no harm.
        let _ = Duration::MAX.saturating_add(wait);
        assert!(!value.trim().is_empty());
    }
}

/// `SSH_CONNECTION` and `PAM_RHOST`, on two lines.
pub(crate) fn ssh_connection(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (connection, rhost) = text.split_once('\n').unwrap_or((&text, ""));
    if let Some(found) = address::client(Some(connection), Some(rhost)) {
        let shown = found.to_string();
        assert_eq!(address::client(Some(&shown), None), Some(found));
    }
}

/// A GECOS field, behind a delimiter and a position.
pub(crate) fn gecos(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut characters = text.chars();
    let (Some(delimiter), Some(position)) = (characters.next(), characters.next()) else {
        return;
    };
    let field = characters.as_str();
    let position = match u32::from(position) {
        0 => None,
        position => Some(position % 9 + 1),
    };
    let gecos = Gecos {
        delimiter,
        position,
    };
    if let Ok(name) = gecos.name(field) {
        assert!(!name.is_empty() && name == name.trim() && field.contains(name));
        assert!(position.is_none() || !name.contains(delimiter), "{name}");
    }
}

/// A whole login: replies and answers as they come. Nobody gets in unless the last thing that Duo
/// said was `"result": "allow"`, and nothing goes on without end.
///
/// Records are separated by 0x1E. The first holds switches; one that begins with `A` is an answer;
/// any other a reply: one byte that stands for the status, and the body.
pub(crate) fn login(data: &[u8]) {
    let mut records = data.split(|byte| *byte == 0x1E);
    let switches = records.next().and_then(|first| first.first()).copied();
    let switches = switches.unwrap_or_default();
    let world = Scripted::default();
    for record in records {
        match record.split_first() {
            Some((b'A', answer)) => world.answers.borrow_mut().push_back(answer.to_vec()),
            Some((status, body)) => {
                let status = [200, 200, 200, 200, 400, 401, 429, 503][usize::from(status % 8)];
                let reply = (status, body.to_vec());
                world.replies.borrow_mut().push_back(reply);
            }
            None => {}
        }
    }
    let application = Application {
        host: Host::parse("api.example").expect("a host"),
        keys: Keys {
            ikey: "DIFUZZ".to_owned(),
            skey: Secret::from("fuzz"),
        },
        signature: Signature::V2Sha1,
    };
    let rules = Rules {
        prompts: switches % 3 + 1,
        autopush: switches & 8 != 0,
        verified_push: switches & 16 != 0,
        menu: match switches & 32 {
            0 => MenuSource::Devices,
            _ => MenuSource::Server,
        },
        channel: match switches >> 6 {
            0 => Channel::Held,
            1 => Channel::Live,
            2 => Channel::Prompt,
            _ => Channel::Quiet,
        },
        https_timeout: Duration::from_secs(10),
        login_timeout: Duration::from_secs(100),
    };
    let request = LoginContext {
        username: "alice".to_owned(),
        ..LoginContext::default()
    };
    let trace = |line: String| assert!(!line.contains(char::is_control), "{line:?}");
    let mut client = Client::new(&world, &world, &application, rules.https_timeout, &trace);
    let ended = login::run(
        &request,
        &rules,
        Ports {
            duo: &mut client,
            conversation: &mut &world,
            clock: &world,
            journal: &mut &world,
            limit: &mut &world,
        },
    );
    let said = world.last.borrow();
    match ended.result {
        Ok(Outcome::Approved(_) | Outcome::Skipped { .. }) => {
            assert!(
                allows(&said),
                "let in after {:?}",
                String::from_utf8_lossy(&said)
            );
        }
        Ok(Outcome::ApprovedBefore | Outcome::Bypassed { .. } | Outcome::Failsafe(_)) => {
            panic!("not for the login to say")
        }
        // `failmode` judges what comes before the factor is asked for, and that alone.
        Err(_) => assert!(!world.asked_auth.get(), "failmode after preauth"),
        Ok(_) => {}
    }
    assert!(
        world.now.get() <= Duration::from_secs(105),
        "{:?}",
        world.now
    );
    assert!(
        world.unprompted.get() < 32,
        "sshd ends a connection with 32"
    );
    assert!(world.sent.get() < 200, "{} requests", world.sent.get());
}

/// Whether a reply grants access, by a reader of its own.
fn allows(body: &[u8]) -> bool {
    let Ok(reply) = serde_json::from_str::<serde_json::Value>(&String::from_utf8_lossy(body))
    else {
        return false;
    };
    reply.get("stat").and_then(|stat| stat.as_str()) == Some("OK")
        && reply.pointer("/response/result").and_then(|r| r.as_str()) == Some("allow")
}

/// Duo, user and clock in one.
#[derive(Default)]
struct Scripted {
    replies: RefCell<VecDeque<(u16, Vec<u8>)>>,
    answers: RefCell<VecDeque<Vec<u8>>>,
    last: RefCell<Vec<u8>>,
    now: Cell<Duration>,
    sent: Cell<u32>,
    asked_auth: Cell<bool>,
    /// Pushes and calls.
    rung: Cell<u32>,
    /// Messages since the last question.
    unprompted: Cell<u32>,
}

impl Clock for Scripted {
    fn now(&self) -> Duration {
        self.now.get()
    }
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.now.get()
    }
    fn sleep(&self, time: Duration) {
        self.now.set(self.now.get().saturating_add(time));
    }
}

impl Transport for &Scripted {
    fn exchange(&mut self, r: &SignedRequest, _: Duration) -> Result<Reply, TransportError> {
        self.sent.set(self.sent.get() + 1);
        if r.path == "/auth/v2/auth" {
            self.asked_auth.set(true);
        }
        // A network takes its time.
        self.sleep(Duration::from_millis(20));
        let Some((status, body)) = self.replies.borrow_mut().pop_front() else {
            return Err(TransportError {
                detail: "connection reset".to_owned(),
                maybe_sent: true,
                cause: Cause::Network,
                retry_on_new_connection: false,
            });
        };
        body.clone_into(&mut self.last.borrow_mut());
        Ok(Reply {
            status,
            body,
            ..Reply::default()
        })
    }
}

impl Conversation for &Scripted {
    fn ask(&mut self, text: &str) -> Result<Answer, ConversationError> {
        printable(text);
        self.unprompted.set(0);
        match self.answers.borrow_mut().pop_front() {
            None => Err(ConversationError("gone".to_owned())),
            Some(answer) => Ok(match String::from_utf8(answer) {
                Ok(answer) => Answer::Text(Secret::new(answer)),
                Err(_) => Answer::Unusable,
            }),
        }
    }
    fn inform(&mut self, text: &str) {
        printable(text);
        self.unprompted.set(self.unprompted.get() + 1);
    }
}

/// Closes after a few, as a limit does.
impl PushLimit for &Scripted {
    fn is_closed(&mut self) -> bool {
        self.rung.get() >= 5
    }
    fn send(&mut self) -> bool {
        let may = !self.is_closed();
        if may {
            self.rung.set(self.rung.get() + 1);
        }
        may
    }
    fn withdraw(&mut self) {}
    fn denied(&mut self) {}
    fn approved(&mut self) {
        self.rung.set(0);
    }
    fn fraud(&mut self) {
        self.rung.set(5);
    }
}

impl Journal for &Scripted {
    fn sent(&mut self, _: &Attempt) {}
    fn failed(&mut self, _: &Attempt, _: &str) {}
}

//! A script of everything that happens in one login, in order. The fakes play it and object: to
//! what comes unexpectedly, and to what never comes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use duo_auth::Secret;
use duo_auth::clock::Clock;
use duo_auth::{
    AuthReply, AuthRequest, Capability, Device, Offer, Preauth, PreauthRequest, Progress, Verdict,
};
use duo_auth::{DuoApi, DuoError};
use duo_login::config::MenuSource;
use duo_login::login::{
    self, Answer, Channel, Conversation, ConversationError, Journal, LoginContext, Ports,
    PushLimit, Rules,
};
use duo_login::outcome::{Attempt, Fault, Outcome};

/// One thing that happens.
pub enum Step {
    /// Duo is asked at preauth and answers.
    Preauth(Result<Preauth, DuoError>),
    /// The user is asked; the question has these parts in this order.
    Ask(Vec<String>, Result<Answer, ConversationError>),
    /// The user is told something that has this part.
    Inform(String),
    /// Duo is asked for a factor with exactly these parameters, and answers.
    Auth(String, Result<AuthReply, DuoError>),
    /// Duo is asked how this transaction stands, and answers.
    Status(String, Result<Progress, DuoError>),
    /// The log is told of a failed attempt with this factor and reason.
    Failed(&'static str, String),
    /// This much time passes.
    Pass(Duration),
}

/// What is still to come, shared by the fakes.
#[derive(Clone, Default)]
struct Shared {
    steps: Rc<RefCell<VecDeque<Step>>>,
    now: Rc<Cell<Duration>>,
}

impl Shared {
    /// The next step, once time has passed where the script says so.
    fn next(&self, what: &str) -> Step {
        loop {
            match self.steps.borrow_mut().pop_front() {
                Some(Step::Pass(time)) => self.now.set(self.now.get() + time),
                Some(step) => return step,
                None => panic!("nothing more should happen, but: {what}"),
            }
        }
    }
}

impl Clock for Shared {
    fn now(&self) -> Duration {
        self.now.get()
    }
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.now.get()
    }
    fn sleep(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }
}

fn describe(step: &Step) -> String {
    match step {
        Step::Preauth(_) => "preauth".to_owned(),
        Step::Ask(parts, _) => format!("a question with {parts:?}"),
        Step::Inform(part) => format!("a message with {part:?}"),
        Step::Auth(parameters, _) => format!("auth {parameters}"),
        Step::Status(txid, _) => format!("auth_status {txid}"),
        Step::Failed(factor, why) => format!("a failed attempt {factor}: {why}"),
        Step::Pass(_) => unreachable!(),
    }
}

#[track_caller]
fn unexpected(came: &str, step: &Step) -> ! {
    panic!("came: {came}\nexpected: {}", describe(step))
}

impl DuoApi for Shared {
    fn preauth(&mut self, r: &PreauthRequest<'_>, _: Duration) -> Result<Preauth, DuoError> {
        match self.next("preauth") {
            Step::Preauth(reply) => reply,
            step => unexpected(&format!("preauth {}", *r.parameters().canonical()), &step),
        }
    }
    fn auth(&mut self, request: &AuthRequest<'_>, _: Duration) -> Result<AuthReply, DuoError> {
        let came = request.parameters().canonical().to_string();
        match self.next(&came) {
            Step::Auth(expected, reply) if expected == came => reply,
            step => unexpected(&format!("auth {came}"), &step),
        }
    }
    fn auth_status(&mut self, txid: &str, _: Duration) -> Result<Progress, DuoError> {
        match self.next("auth_status") {
            Step::Status(expected, reply) if expected == txid => reply,
            step => unexpected(&format!("auth_status {txid}"), &step),
        }
    }
}

impl Conversation for Shared {
    fn ask(&mut self, text: &str) -> Result<Answer, ConversationError> {
        match self.next(text) {
            Step::Ask(parts, answer) => {
                let mut rest = text;
                for part in &parts {
                    let Some((_, behind)) = rest.split_once(part.as_str()) else {
                        panic!("{part:?} is not in, or not in order in:\n{text}");
                    };
                    rest = behind;
                }
                answer
            }
            step => unexpected(&format!("the question\n{text}"), &step),
        }
    }
    fn inform(&mut self, text: &str) {
        match self.next(text) {
            Step::Inform(part) if text.contains(&part) => {}
            step => unexpected(&format!("the message\n{text}"), &step),
        }
    }
}

/// A limit that lets everything pass; `limit.rs` has the others.
impl PushLimit for Shared {
    fn is_closed(&mut self) -> bool {
        false
    }
    fn send(&mut self) -> bool {
        true
    }
    fn withdraw(&mut self) {}
    fn denied(&mut self) {}
    fn approved(&mut self) {}
    fn fraud(&mut self) {}
}

impl Journal for Shared {
    fn sent(&mut self, attempt: &Attempt) {
        assert!(attempt.txid.is_some(), "{attempt:?}");
    }
    fn failed(&mut self, attempt: &Attempt, why: &str) {
        match self.next(why) {
            Step::Failed(factor, reason) if factor == attempt.factor && why.contains(&reason) => {}
            step => unexpected(&format!("failed {}: {why}", attempt.factor), &step),
        }
    }
}

/// Rules as a configuration with keys alone gives them, for sshd.
pub fn rules() -> Rules {
    Rules {
        prompts: 3,
        autopush: false,
        verified_push: false,
        menu: MenuSource::Devices,
        channel: Channel::Held,
        https_timeout: Duration::from_secs(10),
        login_timeout: Duration::from_secs(100),
    }
}

/// How a login ended.
pub type Ended = Result<Outcome, Fault>;

/// Plays the script and gives how the login ended. Panics on anything that is not in the script.
#[track_caller]
pub fn play(rules: &Rules, steps: Vec<Step>) -> Ended {
    play_with(rules, &mut Shared::default(), steps)
}

/// The same with a push limit. alice's password is "4711 pw", and the application is sudo.
#[track_caller]
pub fn play_with(rules: &Rules, limit: &mut dyn PushLimit, steps: Vec<Step>) -> Ended {
    let shared = Shared::default();
    shared.steps.borrow_mut().extend(steps);
    let request = LoginContext {
        service: "sudo".to_owned(),
        pam_user: "alice".to_owned(),
        password: Some(Secret::from("4711 pw")),
        username: "alice".to_owned(),
        ipaddr: Some("203.0.113.5".to_owned()),
        ..LoginContext::default()
    };
    let ended = login::run(
        &request,
        rules,
        Ports {
            duo: &mut shared.clone(),
            conversation: &mut shared.clone(),
            clock: &shared,
            journal: &mut shared.clone(),
            limit,
        },
    );
    // As the module does, once it has logged how the login ended.
    for text in &ended.parting {
        shared.clone().inform(text);
    }
    let left = shared.steps.borrow();
    assert!(
        left.is_empty(),
        "never came: {:?}",
        left.iter().map(describe).collect::<Vec<_>>()
    );
    ended.result
}

/// A phone with everything.
pub fn phone(id: &str, name: &str) -> Device {
    Device {
        id: id.to_owned(),
        display_name: name.to_owned(),
        capabilities: vec![
            Capability::Auto,
            Capability::Push,
            Capability::Sms,
            Capability::Phone,
            Capability::MobileOtp,
        ],
        sms_nextcode: None,
    }
}

/// Preauth offers these devices.
pub fn offers(devices: Vec<Device>) -> Step {
    Step::Preauth(Ok(Preauth::Auth(Offer {
        devices,
        ..Offer::default()
    })))
}

/// The user is asked and types `answer`.
pub fn ask(parts: &[&str], answer: &str) -> Step {
    let parts = parts.iter().map(|&part| part.to_owned()).collect();
    Step::Ask(parts, Ok(Answer::Text(Secret::from(answer))))
}

/// The user is told something.
pub fn inform(part: &str) -> Step {
    Step::Inform(part.to_owned())
}

/// Duo is asked for a factor and opens a transaction.
pub fn auth_opens(parameters: &str, txid: &str) -> Step {
    Step::Auth(
        parameters.to_owned(),
        Ok(AuthReply::Transaction(txid.to_owned())),
    )
}

/// Duo is asked for a factor and decides at once.
pub fn auth_decides(parameters: &str, result: &str, status: &str, message: &str) -> Step {
    Step::Auth(
        parameters.to_owned(),
        Ok(AuthReply::Decided(progress(result, status, message))),
    )
}

/// Duo is asked how a transaction stands.
pub fn status(txid: &str, result: &str, status: &str, message: &str) -> Step {
    Step::Status(txid.to_owned(), Ok(progress(result, status, message)))
}

/// A failed attempt reaches the log.
pub fn failed(factor: &'static str, why: &str) -> Step {
    Step::Failed(factor, why.to_owned())
}

fn progress(result: &str, status: &str, message: &str) -> Progress {
    Progress {
        verdict: Verdict::from(result.to_owned()),
        status: status.to_owned().into(),
        message: message.to_owned(),
    }
}

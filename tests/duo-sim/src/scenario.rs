//! What the simulated Duo knows: users, devices, how they answer, and faults. Read from TOML.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::fault::Fault;

/// Everything that a simulator does.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Integration key that is accepted.
    pub ikey: String,
    /// Secret key that is accepted.
    pub skey: String,
    /// How far the simulator's clock is ahead of the machine's, in seconds.
    pub clock_offset_seconds: i64,
    /// What preauth says of users that are not listed: `enroll`, `deny` or `allow`.
    pub unknown_users: String,
    /// How long `auth_status` waits for a change before it answers 40002, in seconds.
    pub long_poll_s: u64,
    /// By Duo user name.
    pub users: BTreeMap<String, User>,
    /// What goes wrong, in order of precedence.
    pub faults: Vec<Fault>,
}

impl Default for Scenario {
    /// One user, `alice`, whose phone approves at once and whose passcode is 123456.
    fn default() -> Self {
        Self {
            ikey: "DISIMULATORSIMULATOR".to_owned(),
            skey: "simulatorsimulatorsimulatorsimulator1234".to_owned(),
            clock_offset_seconds: 0,
            unknown_users: "enroll".to_owned(),
            long_poll_s: 60,
            users: [("alice".to_owned(), User::default())].into(),
            faults: Vec::new(),
        }
    }
}

/// A scenario that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The text names line and column.
    #[error("the scenario cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A fault that could never strike.
    #[error("fault number {0}: {1}")]
    Fault(usize, &'static str),
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`ScenarioError`] with line and column for TOML that is wrong and for keys that are unknown,
    /// and for faults that could never strike where they are.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)?;
        for (index, fault) in scenario.faults.iter().enumerate() {
            fault
                .check()
                .map_err(|problem| ScenarioError::Fault(index + 1, problem))?;
        }
        Ok(scenario)
    }
}

/// One Duo user.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// `result` of preauth: `auth`, `allow`, `deny`, `enroll`; anything else is sent as it is.
    pub preauth: String,
    /// `status_msg` of preauth.
    pub status_msg: Option<String>,
    /// Where to enrol.
    pub enroll_portal_url: Option<String>,
    /// The user's devices.
    pub devices: Vec<Device>,
    /// How pushes go: one entry, or several in turn, of which the last one repeats.
    pub push: OneOrMore,
    /// How phone calls go.
    pub phone: OneOrMore,
    /// Passcodes that are right, as often as one likes.
    pub passcodes: Vec<String>,
    /// Passcodes that are right once.
    pub one_time_passcodes: Vec<String>,
    /// Passcodes that become right, once each, when SMS were asked for.
    pub sms_passcodes: Vec<String>,
    /// After this many failed attempts the user is locked out.
    pub lock_out_after: Option<u32>,
    /// Policy asks for verified pushes.
    pub verified_push: Option<VerifiedPush>,
    /// Sent with an approval.
    pub trusted_device_token: Option<String>,
}

impl Default for User {
    fn default() -> Self {
        Self {
            preauth: "auth".to_owned(),
            status_msg: None,
            enroll_portal_url: None,
            devices: vec![Device::default()],
            push: OneOrMore::default(),
            phone: OneOrMore::default(),
            passcodes: vec!["123456".to_owned()],
            one_time_passcodes: Vec::new(),
            sms_passcodes: Vec::new(),
            lock_out_after: None,
            verified_push: None,
            trusted_device_token: None,
        }
    }
}

/// One device, as in the reply of preauth.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    /// Id.
    pub device: String,
    /// `phone` or `token`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the user sees.
    pub display_name: Option<String>,
    /// What the user calls it.
    pub name: Option<String>,
    /// Masked number.
    pub number: Option<String>,
    /// `auto`, `push`, `sms`, `phone`, `mobile_otp`.
    pub capabilities: Vec<String>,
    /// First digit of the next SMS passcode.
    pub sms_nextcode: Option<String>,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            device: "DPSIMULATORIPHONE001".to_owned(),
            kind: "phone".to_owned(),
            display_name: Some("iPhone (XXX-XXX-1234)".to_owned()),
            name: Some("iPhone".to_owned()),
            number: Some("XXX-XXX-1234".to_owned()),
            capabilities: ["auto", "push", "sms", "phone", "mobile_otp"]
                .map(str::to_owned)
                .to_vec(),
            sms_nextcode: None,
        }
    }
}

/// One way to answer, or several in turn.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// Always the same.
    One(Step),
    /// In turn; the last one repeats.
    More(Vec<Step>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::One(Step::default())
    }
}

impl OneOrMore {
    /// The step for the attempt number `index`, from 0.
    pub(crate) fn step(&self, index: usize) -> Step {
        match self {
            Self::One(step) => step.clone(),
            Self::More(steps) => steps
                .get(index)
                .or(steps.last())
                .cloned()
                .unwrap_or_default(),
        }
    }
}

/// How a push or a call is answered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// What happens.
    pub answer: Answer,
    /// After how many milliseconds.
    pub after_ms: u64,
}

/// What becomes of a push or a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Answer {
    /// Approved.
    #[default]
    Approve,
    /// Denied.
    Deny,
    /// Reported as fraud.
    Fraud,
    /// Nobody answers; decided when a push's 60 s are over, or after `after_ms` if that is not 0.
    Timeout,
    /// Denied, and the user is locked out.
    LockedOut,
    /// The push cannot be delivered.
    PushFailed,
    /// Somebody decides later: [`crate::Simulator::decide`].
    Wait,
    /// A result that Duo does not document.
    Unknown(String),
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        match text.as_str() {
            "approve" => Self::Approve,
            "deny" => Self::Deny,
            "fraud" => Self::Fraud,
            "timeout" => Self::Timeout,
            "locked_out" => Self::LockedOut,
            "push_failed" => Self::PushFailed,
            "wait" => Self::Wait,
            _ => Self::Unknown(text),
        }
    }
}

/// Policy: a push has to be confirmed with a code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifiedPush {
    /// The code; with several preauths, the last digit counts up, so that each code is new.
    pub code: String,
    /// How long a code lives, in seconds.
    #[serde(default = "sixty")]
    pub expires_s: u64,
}

fn sixty() -> u64 {
    60
}

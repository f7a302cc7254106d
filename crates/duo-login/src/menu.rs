//! The user's devices → the menu; an answer → a factor.

use crate::messages;
use duo_auth::Secret;
use duo_auth::{Capability, Device, Offer};

/// Most options that are shown: the menu has to fit a screen.
const MOST_OPTIONS: usize = 30;
/// Longest answer that is looked at, in bytes.
pub const LONGEST_ANSWER: usize = 512;
/// Fewest digits of a passcode. Fewer are an option's number.
const SHORTEST_PASSCODE: usize = 4;
/// Most digits of a passcode.
const LONGEST_PASSCODE: usize = 32;
/// Characters of a `YubiKey`'s one-time password.
const YUBIKEY_LENGTH: usize = 44;
/// Letters that a `YubiKey` types (modhex).
const MODHEX: &str = "cbdefghijklnrtuv";

/// What an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Duo Push.
    Push,
    /// A phone call.
    Phone,
    /// New passcodes by SMS.
    Sms,
}

impl Kind {
    /// Duo's word for the factor.
    #[must_use]
    pub fn factor(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Phone => "phone",
            Self::Sms => "sms",
        }
    }
}

/// One line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuOption {
    /// What it does.
    pub kind: Kind,
    /// The device's id.
    pub device: String,
    /// What the user calls the device.
    pub device_name: String,
    label: String,
}

/// What a user may choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu {
    options: Vec<MenuOption>,
    code: Option<String>,
    /// Whether pushes and calls are closed.
    closed: bool,
}

/// What an answer stands for.
#[derive(Debug)]
#[must_use]
pub enum Choice<'a> {
    /// An option of the menu.
    Option(&'a MenuOption),
    /// A passcode.
    Passcode(Secret),
    /// Neither; nothing to trouble Duo with.
    Neither,
}

impl Menu {
    /// Every push, phone and SMS option of every device, in Duo's order of devices; no push and no
    /// call where those are `closed` by the push limit.
    #[must_use]
    pub fn new(offer: &Offer, closed: bool) -> Self {
        let options = offer.devices.iter().flat_map(options_of);
        let options = options.filter(|option| !closed || option.kind == Kind::Sms);
        Self {
            closed,
            options: options.take(MOST_OPTIONS).collect(),
            code: offer.verified_push.as_ref().map(|push| push.code.clone()),
        }
    }

    /// The whole prompt, question included.
    #[must_use]
    pub fn render(&self, user: &str) -> String {
        let mut lines = vec![messages::menu_title(user), String::new()];
        if self.closed {
            lines.extend([messages::PUSHES_CLOSED.to_owned(), String::new()]);
        }
        if self.options.is_empty() && self.closed {
            lines.pop();
        } else if self.options.is_empty() {
            lines.push(messages::PASSCODE_ONLY.to_owned());
        } else {
            lines.push(messages::CHOOSE.to_owned());
            lines.push(String::new());
            for (index, option) in self.options.iter().enumerate() {
                lines.push(format!(" {}. {}", index + 1, option.label));
            }
        }
        if let Some(code) = self.code.as_ref().filter(|_| self.first_push().is_some()) {
            lines.push(String::new());
            lines.push(messages::menu_code(code));
        }
        lines.push(String::new());
        lines.push(messages::question(self.options.len()));
        lines.join("\n")
    }

    /// How many options there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.options.len()
    }

    /// Whether there is no option, so that only a passcode helps.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// What `autopush` uses: the first push, or else the first phone call.
    #[must_use]
    pub fn automatic(&self) -> Option<&MenuOption> {
        self.first_push().or_else(|| {
            self.options
                .iter()
                .find(|option| option.kind == Kind::Phone)
        })
    }

    fn first_push(&self) -> Option<&MenuOption> {
        self.options.iter().find(|option| option.kind == Kind::Push)
    }

    /// What `answer` stands for: a number, `push`, `push2`, `phone`, `sms`, a passcode (digits,
    /// with or without blanks, or a `YubiKey`'s 44 characters), or nothing (the first option).
    pub fn choose(&self, answer: &str) -> Choice<'_> {
        let answer = answer.trim();
        if answer.len() > LONGEST_ANSWER {
            return Choice::Neither;
        }
        if answer.is_empty() {
            return self.options.first().map_or(Choice::Neither, Choice::Option);
        }
        if let Some(passcode) = passcode(answer) {
            return Choice::Passcode(passcode);
        }
        let option = match answer.parse::<usize>() {
            Ok(number) => number.checked_sub(1).and_then(|i| self.options.get(i)),
            Err(_) => self.named(answer),
        };
        option.map_or(Choice::Neither, Choice::Option)
    }

    /// `push`, `push1`, `push2`, …: the first, first, second, … option of that kind.
    fn named(&self, answer: &str) -> Option<&MenuOption> {
        let answer = answer.to_ascii_lowercase();
        [Kind::Push, Kind::Phone, Kind::Sms]
            .into_iter()
            .find_map(|kind| {
                let nth = match answer.strip_prefix(kind.factor())? {
                    "" => 1,
                    digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                        digits.parse::<usize>().ok()?
                    }
                    _ => return None,
                };
                self.options
                    .iter()
                    .filter(|option| option.kind == kind)
                    .nth(nth.checked_sub(1)?)
            })
    }
}

/// The options of one device.
fn options_of(device: &Device) -> impl Iterator<Item = MenuOption> + '_ {
    [
        (Capability::Push, Kind::Push),
        (Capability::Phone, Kind::Phone),
        (Capability::Sms, Kind::Sms),
    ]
    .into_iter()
    .filter(|(capability, _)| device.capabilities.contains(capability))
    .map(|(_, kind)| MenuOption {
        kind,
        device: device.id.clone(),
        device_name: device.display_name.clone(),
        label: match kind {
            Kind::Push => messages::push_option(&device.display_name),
            Kind::Phone => messages::phone_option(&device.display_name),
            Kind::Sms => messages::sms_option(&device.display_name, device.sms_nextcode.as_deref()),
        },
    })
}

/// The passcode in `answer`, as Duo wants it, if it can be one.
#[must_use]
pub fn passcode(answer: &str) -> Option<Secret> {
    let joined = Secret::new(answer.split_whitespace().collect());
    let characters = joined.expose();
    let digits = characters.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (SHORTEST_PASSCODE..=LONGEST_PASSCODE).contains(&characters.len()) {
        return Some(joined);
    }
    let lower = Secret::new(answer.trim().to_ascii_lowercase());
    let typed = lower.expose();
    let yubikey = typed.len() == YUBIKEY_LENGTH && typed.chars().all(|c| MODHEX.contains(c));
    yubikey.then_some(lower)
}

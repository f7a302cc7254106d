//! How progress reaches the user: at once, in the next prompt, or not at all.
//!
//! sshd before 10.3p1 holds messages back until the next prompt; where none follows, it shows them
//! on failure, and on success only after the login, when they are stale (OpenSSH, `auth-pam.c`).
//! What has to be seen therefore goes into a prompt, and nothing else is sent there.

use super::ports::{Answer, Conversation, ConversationError};
use crate::config::StatusMode;

/// What the application does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Shows each at once: sudo, su, login.
    Live,
    /// Holds them back until the next prompt: sshd.
    Held,
    /// The same, and the administrator wants progress in a prompt of its own.
    Prompt,
    /// None are wanted.
    Quiet,
}

impl Channel {
    /// What `status` means for a login that comes through sshd or not.
    #[must_use]
    pub fn new(status: StatusMode, through_sshd: bool) -> Self {
        match (status, through_sshd) {
            (StatusMode::Live, _) | (StatusMode::Auto, false) => Self::Live,
            (StatusMode::Auto, true) => Self::Held,
            (StatusMode::Prompt, _) => Self::Prompt,
            (StatusMode::Quiet, _) => Self::Quiet,
        }
    }
}

/// Most of what is shown between two answers, in bytes: whatever Duo sends, this is all that a user
/// gets.
const MOST_TEXT: usize = 8 * 1024;

/// Most messages between two questions. sshd ends a connection that has 32 waiting (OpenSSH,
/// `auth-pam.c`, `PAM_MAX_NUM_MSG`), and nobody reads as many.
const MOST_MESSAGES: u8 = 20;

/// The user's side of the conversation.
pub(super) struct Screen<'a> {
    conversation: &'a mut dyn Conversation,
    channel: Channel,
    /// What the next prompt has to say first.
    notices: Vec<String>,
    /// Messages since the last question.
    messages: u8,
    /// What is left of [`MOST_TEXT`] since the last answer.
    room: usize,
    /// What is to be told once the outcome has been logged.
    parting: Vec<String>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(conversation: &'a mut dyn Conversation, channel: Channel) -> Self {
        Self {
            conversation,
            channel,
            notices: Vec::new(),
            messages: 0,
            room: MOST_TEXT,
            parting: Vec::new(),
        }
    }

    /// Whether progress needs a prompt of its own to be seen.
    pub(super) fn wants_progress_prompt(&self) -> bool {
        self.channel == Channel::Prompt
    }

    /// Something that is good to know while it lasts: shown at once or not at all.
    pub(super) fn progress(&mut self, text: &str) {
        if self.channel == Channel::Live {
            self.inform(text);
        }
    }

    /// Says something, unless too much has been said already.
    fn inform(&mut self, text: &str) {
        if self.messages < MOST_MESSAGES {
            self.messages += 1;
            let text = bounded(text, &mut self.room);
            self.conversation.inform(text);
        }
    }

    /// Something that the user must know before the next answer.
    pub(super) fn notice(&mut self, text: &str) {
        if self.channel == Channel::Live {
            self.inform(text);
        } else {
            self.notices.push(text.to_owned());
        }
    }

    /// Why the login ends without success: told once that has been logged. sshd shows it then.
    pub(super) fn last_words(&mut self, text: &str) {
        if self.channel != Channel::Quiet {
            self.notices.push(text.to_owned());
            for text in self.notices.drain(..) {
                let shown = bounded(&text, &mut self.room);
                self.parting.push(shown.to_owned());
            }
        }
    }

    /// What is to be told once the outcome has been logged.
    pub(super) fn into_parting(self) -> Vec<String> {
        self.parting
    }

    /// Asks; what the user must know comes first.
    pub(super) fn ask(&mut self, question: &str) -> Result<Answer, ConversationError> {
        self.messages = 0;
        let mut text = String::new();
        for notice in self.notices.drain(..) {
            text.push_str(&notice);
            text.push_str("\n\n");
        }
        text.push_str(question);
        let answer = self.conversation.ask(bounded(&text, &mut self.room));
        self.room = MOST_TEXT;
        answer
    }
}

/// As much of `text` as there is room for, which it takes; whole characters only.
fn bounded<'a>(text: &'a str, room: &mut usize) -> &'a str {
    let mut end = text.len().min(*room);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    *room -= end;
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Channel, MOST_TEXT, Screen};
    use crate::login::{Answer, Conversation, ConversationError};

    /// What was shown, in bytes, until each answer.
    #[derive(Default)]
    struct Shown {
        before: Vec<usize>,
        now: usize,
    }

    impl Conversation for Shown {
        fn ask(&mut self, text: &str) -> Result<Answer, ConversationError> {
            self.inform(text);
            self.before.push(std::mem::take(&mut self.now));
            Ok(Answer::Unusable)
        }
        fn inform(&mut self, text: &str) {
            assert!(text.chars().all(|character| character == '例'));
            self.now += text.len();
        }
    }

    #[test]
    fn what_is_shown_until_an_answer_has_a_bound_in_all_and_is_cut_at_whole_characters() {
        let long = "例".repeat(MOST_TEXT / 9);
        let mut shown = Shown::default();
        let mut screen = Screen::new(&mut shown, Channel::Live);
        for _ in 0..2 {
            for _ in 0..5 {
                screen.notice(&long);
            }
            screen.ask(&long).unwrap();
        }
        screen.last_words(&long.repeat(4));
        screen.last_words(&long);
        let parting: usize = screen.into_parting().iter().map(String::len).sum();
        for total in [shown.before[0], shown.before[1], parting] {
            assert!((MOST_TEXT - 3..=MOST_TEXT).contains(&total), "{total}");
        }
    }
}

//! The conversation with the user, by way of the application.

use duo_auth::Secret;
use duo_login::login::{Answer, Conversation, ConversationError};
use duo_login::menu::LONGEST_ANSWER;
use pam::constants::{PAM_PROMPT_ECHO_ON, PAM_TEXT_INFO};
use pam::conv::Conv;

/// [`Conversation`] by way of the application.
pub(crate) struct PamConversation<'a> {
    conv: Option<Conv<'a>>,
    through_sshd: bool,
}

impl<'a> PamConversation<'a> {
    /// Speaks through `conv`, the application's conversation function, if it has one.
    pub(crate) fn new(conv: Option<Conv<'a>>, through_sshd: bool) -> Self {
        Self { conv, through_sshd }
    }

    fn failed(&self, what: &str) -> ConversationError {
        let mut text = what.to_owned();
        if self.through_sshd {
            // sshd's password method answers questions by itself, or refuses them.
            text.push_str(
                "; if the user saw no question, sshd used its password method, which cannot ask: \
                 set KbdInteractiveAuthentication yes and PasswordAuthentication no in sshd_config",
            );
        }
        ConversationError(text)
    }
}

impl Conversation for PamConversation<'_> {
    fn ask(&mut self, text: &str) -> Result<Answer, ConversationError> {
        let Some(conv) = &self.conv else {
            return Err(self
                .failed("conversation failed: the application provides no conversation function"));
        };
        let reply = conv
            .send(PAM_PROMPT_ECHO_ON, text)
            .map_err(|code| self.failed(&format!("conversation failed or cancelled ({code:?})")))?;
        let Some(reply) = reply else {
            return Err(self.failed("conversation failed: no answer"));
        };
        Ok(match reply.as_str() {
            Ok(text) if text.len() <= LONGEST_ANSWER => Answer::Text(Secret::from(text)),
            _ => Answer::Unusable,
        })
    }

    fn inform(&mut self, text: &str) {
        if let Some(conv) = &self.conv {
            // Nobody may see it; what has to be seen is in a question.
            let _ = conv.send(PAM_TEXT_INFO, text);
        }
    }
}

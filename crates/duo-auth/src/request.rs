//! Requests of Duo's Auth API v2 as types.

use super::sign::Parameters;
use crate::secret::Secret;

/// What is asked at preauth: may this user log in, and with what? (Duo's Auth API, "/preauth".)
#[derive(Clone, Copy, Debug)]
pub struct PreauthRequest<'a> {
    /// Duo user name.
    pub username: &'a str,
    /// Where the login comes from and to.
    pub place: Place<'a>,
    /// Says that a verification code can be shown (`client_supports_verified_push`). Without it, a
    /// policy that asks for verified pushes is not enforced.
    pub verified_push: bool,
    /// Asks for Duo's own menu text (`text_prompt`), which [`crate::Offer::prompt`] then holds.
    pub text_prompt: bool,
}

/// Where the login comes from and which server it is for. Duo's policies about networks have no
/// effect on a request without `ipaddr`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// The client's address, a literal IPv4 or IPv6 address.
    pub ipaddr: Option<&'a str>,
    /// This server's host name.
    pub hostname: Option<&'a str>,
}

impl PreauthRequest<'_> {
    /// The request's parameters, with Duo's names; what is `None` or `false` is left out.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        Parameters::default()
            .with("username", self.username)
            .with_some("ipaddr", self.place.ipaddr)
            .with_some("hostname", self.place.hostname)
            .with_some(
                "client_supports_verified_push",
                self.verified_push.then_some("1"),
            )
            .with_some("text_prompt", self.text_prompt.then_some("1"))
    }
}

/// The second factor that is asked for (Duo's Auth API, "/auth"). A device is named by its id,
/// [`crate::Device::id`].
#[derive(Clone, Copy, Debug)]
pub enum Factor<'a> {
    /// A push to one device.
    Push {
        /// The device's id.
        device: &'a str,
        /// The transaction that preauth opened for a verified push.
        txid: Option<&'a str>,
        /// The line above the push's details, such as `SSH login`.
        kind: Option<&'a str>,
        /// URL-encoded `key=value` pairs that the phone shows; under 20,000 bytes.
        pushinfo: Option<&'a str>,
    },
    /// A phone call to one device.
    Phone {
        /// The device's id.
        device: &'a str,
    },
    /// New passcodes by SMS to one device.
    Sms {
        /// The device's id.
        device: &'a str,
    },
    /// A passcode of any kind: Duo Mobile's, a token's, from an SMS, or a bypass code.
    Passcode(&'a Secret),
    /// An answer to Duo's own menu text.
    Prompt {
        /// A factor name of [`crate::ServerPrompt::factors`], or what the user typed.
        answer: &'a Secret,
        /// The transaction that preauth opened for a verified push.
        txid: Option<&'a str>,
        /// The line above the push's details.
        kind: Option<&'a str>,
        /// URL-encoded `key=value` pairs that the phone shows.
        pushinfo: Option<&'a str>,
    },
}

/// One attempt to log in with a factor (Duo's Auth API, "/auth").
#[derive(Clone, Copy, Debug)]
pub struct AuthRequest<'a> {
    /// Duo user name.
    pub username: &'a str,
    /// Where the login comes from and to.
    pub place: Place<'a>,
    /// Which factor.
    pub factor: Factor<'a>,
}

impl AuthRequest<'_> {
    /// The request's parameters. Push and phone are asked for asynchronously; a passcode or SMS
    /// plainly, since the answer comes at once.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        let parameters = Parameters::default()
            .with("username", self.username)
            .with_some("ipaddr", self.place.ipaddr)
            .with_some("hostname", self.place.hostname);
        match self.factor {
            Factor::Push {
                device,
                txid,
                kind,
                pushinfo,
            } => parameters
                .with("factor", "push")
                .with("device", device)
                .with("async", "1")
                .with_some("txid", txid)
                .with_some("type", kind)
                .with_some("pushinfo", pushinfo),
            Factor::Phone { device } => parameters
                .with("factor", "phone")
                .with("device", device)
                .with("async", "1"),
            Factor::Sms { device } => parameters.with("factor", "sms").with("device", device),
            Factor::Passcode(passcode) => parameters
                .with("factor", "passcode")
                .with("passcode", passcode.expose()),
            Factor::Prompt {
                answer,
                txid,
                kind,
                pushinfo,
            } => parameters
                .with("factor", "prompt")
                .with("prompt", answer.expose())
                .with("async", "1")
                .with_some("txid", txid)
                .with_some("type", kind)
                .with_some("pushinfo", pushinfo),
        }
    }
}

/// Parameters of `auth_status`.
#[must_use]
pub(crate) fn status_parameters(txid: &str) -> Parameters {
    Parameters::default().with("txid", txid)
}

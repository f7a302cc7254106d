//! One login with Duo from the command line: preauth, then a push or a passcode.
//!
//! ```text
//! cargo run -p duo-auth --example login -- --host api-xxxxxxxx.duosecurity.com \
//!     --ikey DIXXXXXXXXXXXXXXXXXX --skey-file skey --user alice [--passcode 123456] \
//!     [--cafile ca.pem]
//! ```
//!
//! The secret key comes from a file: whoever lists processes sees a command line. The exit status
//! is 0 where Duo lets the user in, 1 where it does not, and 2 where Duo could not be asked.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use duo_auth::clock::{Clock as _, SystemClock};
use duo_auth::net::{HttpsTransport, trust};
use duo_auth::sign::{Application, Keys, Signature};
use duo_auth::{
    AuthReply, AuthRequest, Capability, Client, DuoApi, Factor, Host, Offer, Place, Preauth,
    PreauthRequest, Progress, Secret, Verdict,
};

const USAGE: &str = "usage: login --host HOST --ikey IKEY --skey-file FILE --user NAME \
                     [--passcode CODE] [--cafile FILE]";

/// Longest time for one request, DNS and TLS included.
const REQUEST: Duration = Duration::from_secs(10);
/// Longest time for the whole login: a push lasts 60 s.
const LOGIN: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    match login(&mut io::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the login and says whether Duo lets the user in.
fn login(output: &mut dyn Write) -> Result<bool, Box<dyn Error>> {
    let arguments = Arguments::parse(env::args().skip(1))?;
    let application = arguments.application()?;

    // Opens no connection yet. None as the file means the system's trust store.
    let tls = trust::client_config(arguments.cafile.as_deref())?;
    let transport = HttpsTransport::new(&application.host, tls, None);
    let clock = SystemClock::start();
    let mut duo = Client::new(transport, &clock, &application, REQUEST, &|_| {});
    let deadline = clock.now() + LOGIN;

    let preauth = duo.preauth(
        &PreauthRequest {
            username: &arguments.user,
            place: Place::default(),
            verified_push: false,
            text_prompt: false,
        },
        deadline,
    )?;
    let offer = match preauth {
        Preauth::Auth(offer) => offer,
        Preauth::Allow { message } => {
            writeln!(output, "preauth: allow: {message}")?;
            return Ok(true);
        }
        Preauth::Deny { message } | Preauth::Enroll { message, .. } => {
            writeln!(output, "preauth: no login: {message}")?;
            return Ok(false);
        }
        // What this crate does not know never lets anyone in.
        Preauth::Unknown(result) => return Err(format!("unknown result '{result}'").into()),
    };
    writeln!(output, "preauth: auth")?;

    let factor = match &arguments.passcode {
        Some(passcode) => Factor::Passcode(passcode),
        None => push(&offer).ok_or("no device can take a push; use --passcode")?,
    };
    let request = AuthRequest {
        username: &arguments.user,
        place: Place::default(),
        factor,
    };
    let progress = match duo.auth(&request, deadline)? {
        AuthReply::Decided(progress) => progress,
        AuthReply::Transaction(txid) => {
            writeln!(output, "auth: a push is on its way")?;
            wait(&mut duo, &clock, &txid, deadline)?
        }
    };
    match progress.verdict {
        Verdict::Allow => {
            writeln!(output, "auth: allow: {}", progress.message)?;
            Ok(true)
        }
        Verdict::Deny => {
            writeln!(output, "auth: deny: {}", progress.message)?;
            Ok(false)
        }
        Verdict::Waiting => Err("nobody has decided in time".into()),
        Verdict::Unknown(result) => Err(format!("unknown result '{result}'").into()),
    }
}

/// A push to the first device that can take one.
fn push(offer: &Offer) -> Option<Factor<'_>> {
    let takes_pushes = |capabilities: &[Capability]| capabilities.contains(&Capability::Push);
    let mut devices = offer.devices.iter();
    let device = devices.find(|device| takes_pushes(&device.capabilities))?;
    Some(Factor::Push {
        device: &device.id,
        txid: None,
        kind: None,
        pushinfo: None,
    })
}

/// Polls until Duo has decided or `deadline` is over.
fn wait(
    duo: &mut impl DuoApi,
    clock: &SystemClock,
    txid: &str,
    deadline: Duration,
) -> Result<Progress, Box<dyn Error>> {
    loop {
        let progress = duo.auth_status(txid, deadline)?;
        if progress.verdict != Verdict::Waiting || clock.now() >= deadline {
            return Ok(progress);
        }
        // Duo answers when the status changes. Never ask faster than this all the same.
        clock.sleep(Duration::from_millis(500));
    }
}

/// What the command line says.
#[derive(Default)]
struct Arguments {
    host: String,
    ikey: String,
    skey_file: PathBuf,
    cafile: Option<PathBuf>,
    user: String,
    passcode: Option<Secret>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, &'static str> {
        let mut arguments = Self::default();
        while let Some(name) = words.next() {
            let value = words.next().ok_or(USAGE)?;
            match name.as_str() {
                "--host" => arguments.host = value,
                "--ikey" => arguments.ikey = value,
                "--skey-file" => arguments.skey_file = value.into(),
                "--cafile" => arguments.cafile = Some(value.into()),
                "--user" => arguments.user = value,
                "--passcode" => arguments.passcode = Some(Secret::new(value)),
                _ => return Err(USAGE),
            }
        }
        let skey_file = arguments.skey_file.to_string_lossy();
        let required = [&arguments.host, &arguments.ikey, &arguments.user];
        if skey_file.is_empty() || required.iter().any(|value| value.is_empty()) {
            return Err(USAGE);
        }
        Ok(arguments)
    }

    /// The application that signs, with the secret key read from its file.
    fn application(&self) -> Result<Application, Box<dyn Error>> {
        let host = Host::parse(&self.host).map_err(|error| format!("--host: it {error}"))?;
        let skey = fs::read_to_string(&self.skey_file)
            .map_err(|error| format!("{}: {error}", self.skey_file.display()))?;
        Ok(Application {
            host,
            keys: Keys {
                ikey: self.ikey.clone(),
                // A line end is not part of the key, and would be a reason for 40103.
                skey: Secret::from(skey.trim()),
            },
            signature: Signature::default(),
        })
    }
}

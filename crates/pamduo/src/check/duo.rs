//! The steps `clock`, `signature` and `signatures`: what Duo says.

use duo_auth::DuoError;
use duo_auth::clock::SystemClock;
use duo_auth::sign::Signature;
use duo_login::config::Config;
use duo_login::connect;

use super::logins::Obstacle;
use super::problem::Problem;
use super::step::Step;
use crate::date;

/// How far the clocks may differ without a finding, in seconds. Duo refuses a difference of 300 s;
/// the module then signs again with Duo's time.
const CLOCK: u64 = 60;

/// Runs the three steps.
pub(super) fn steps(config: &Config, done: &mut dyn FnMut(Step)) {
    done(clock(config));
    let (mut step, configured) = Step::timed("signature", |step| {
        let result = check(config, config.application.signature);
        if result.is_ok() {
            let word = config.application.signature.name();
            step.say(format!("Duo accepts ikey and skey, signed {word}"));
        }
        if let Err(error) = &result {
            step.stops_logins(Obstacle::from(error));
        }
        result
    });
    let fault = match configured {
        Ok(()) => None,
        // The keys may be right, and the signature one that this Duo does not accept.
        Err(DuoError::KeysRejected(refusal)) if refusal.code == Some(40103) => {
            Some(DuoError::KeysRejected(refusal))
        }
        Err(fault) => {
            blame(&mut step, &fault);
            done(step);
            done(Step::skipped("signatures", "signature"));
            return;
        }
    };
    let (mut all, accepted) =
        Step::timed("signatures", |step| try_all(step, config, fault.is_none()));
    match (&fault, accepted.last()) {
        (None, _) => {}
        (Some(fault), None) => {
            blame(&mut step, fault);
            all = Step::skipped("signatures", "signature");
        }
        (Some(_), Some(best)) => step.find(
            Problem::SignatureAlgorithm,
            format!(
                "Duo accepts the keys, but not the signature {}",
                config.application.signature.name()
            ),
            format!("set signature = {best}"),
        ),
    }
    done(step);
    done(all);
}

/// Tries the signatures that are not configured; returns all that are accepted, the strongest last.
fn try_all(step: &mut Step, config: &Config, configured: bool) -> Vec<&'static str> {
    let mut accepted = Vec::new();
    let mut refused = Vec::new();
    for signature in Signature::ALL {
        let name = signature.name();
        let result = if signature != config.application.signature {
            check(config, signature)
        } else if configured {
            Ok(())
        } else {
            refused.push(name);
            continue;
        };
        match result {
            Ok(()) => accepted.push(name),
            Err(DuoError::KeysRejected(_)) => refused.push(name),
            Err(error) => step.find(
                Problem::SignaturesNoAnswer,
                format!("{name} could not be tried: {error}"),
                "run pamduo check again",
            ),
        }
    }
    if !accepted.is_empty() {
        step.say(format!("accepted: {}", accepted.join(", ")));
    }
    if !refused.is_empty() {
        step.say(format!("not accepted: {}", refused.join(", ")));
    }
    if let Some(best) = accepted.last() {
        let current = config.application.signature.name();
        step.say(if *best == current {
            format!("{current} is configured, and the strongest of them")
        } else if configured {
            format!("{current} is configured and works; recommended: signature = {best}")
        } else {
            format!("{current} is configured; recommended: signature = {best}")
        });
    }
    accepted
}

/// Compares the clocks.
fn clock(config: &Config) -> Step {
    let (step, ()) = Step::timed("clock", |step| {
        match ask(config, config.application.signature, Question::Time) {
            Ok(theirs) => {
                let theirs = i64::try_from(theirs).unwrap_or(i64::MAX);
                let off = theirs.saturating_sub(date::now());
                let text = match off {
                    behind @ 2.. => format!("this machine's clock is {behind} s behind Duo's"),
                    ahead @ ..=-2 => format!(
                        "this machine's clock is {} s ahead of Duo's",
                        ahead.unsigned_abs()
                    ),
                    _ => "this machine's clock agrees with Duo's".to_owned(),
                };
                if off.unsigned_abs() > CLOCK {
                    step.find(
                        Problem::ClockOff,
                        text,
                        "set the clock, and keep it right: timedatectl set-ntp true",
                    );
                } else {
                    step.say(text);
                }
            }
            Err(error) => step.find(
                Problem::ClockNoAnswer,
                format!("Duo does not tell the time: {error}"),
                "check that host is Duo's; status.duo.com shows Duo's own state",
            ),
        }
    });
    step
}

/// Whether Duo accepts the keys and a signature.
fn check(config: &Config, signature: Signature) -> Result<(), DuoError> {
    ask(config, signature, Question::Check).map(|_| ())
}

/// What Duo is asked.
#[derive(Clone, Copy)]
enum Question {
    /// The time.
    Time,
    /// Whether it accepts the keys.
    Check,
}

/// Asks Duo once, as a login would.
fn ask(config: &Config, signature: Signature, question: Question) -> Result<u64, DuoError> {
    let clock = SystemClock::start();
    let mut config = config.clone();
    config.application.signature = signature;
    let mut client = connect::client(&config, &clock, &|_| {})
        .map_err(|error| DuoError::Bug(error.to_string()))?;
    match question {
        Question::Time => client.time(config.https_timeout),
        Question::Check => client.check(config.https_timeout),
    }
}

/// Adds the finding for Duo's answer.
fn blame(step: &mut Step, fault: &DuoError) {
    let (problem, fix) = match fault {
        DuoError::KeysRejected(refusal) if matches!(refusal.code, Some(40104 | 40105)) => {
            (Problem::SignatureKeys, "set this machine's clock")
        }
        DuoError::KeysRejected(_) => (
            Problem::SignatureKeys,
            "copy ikey, skey and host from one and the same application in Duo's Admin Panel",
        ),
        DuoError::Refused { .. } => (
            Problem::SignatureNoAnswer,
            "check that the application in Duo's Admin Panel is an \"Auth API\" or a \"UNIX \
             Application\"",
        ),
        _ => (
            Problem::SignatureNoAnswer,
            "try again; status.duo.com shows Duo's own state",
        ),
    };
    step.find(problem, fault.to_string(), fix);
}

//! The endpoints.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Reply, Request};
use crate::replies::{fail, ok};
use crate::scenario::{Answer, Device, Step, User};
use crate::signature::{self, SignatureKind};
use crate::simulator::Shared;
use crate::transaction::{PUSH_LIFE, Prepared, Standing, State, Transaction};

/// Longest `pushinfo`, in bytes.
const PUSHINFO_LIMIT: usize = 20_000;

/// Answers one request.
pub(crate) fn answer(shared: &Shared, request: &Request) -> (Reply, Option<SignatureKind>) {
    let known = [
        ("GET", "/auth/v2/ping"),
        ("GET", "/auth/v2/check"),
        ("POST", "/auth/v2/preauth"),
        ("POST", "/auth/v2/auth"),
        ("GET", "/auth/v2/auth_status"),
    ];
    if !known.iter().any(|(_, path)| *path == request.path) {
        return (fail(40401, "Resource not found", None), None);
    }
    if !known.contains(&(request.method.as_str(), request.path.as_str())) {
        return (fail(40501, "Method not allowed", None), None);
    }
    if request.path == "/auth/v2/ping" {
        return (ok(&json!({"time": shared.now()})), None);
    }
    let kind = request.header("content-type").unwrap_or_default();
    let form = kind.starts_with("application/x-www-form-urlencoded");
    if request.method == "POST" && !form && !request.is_json() {
        return (fail(40106, "Invalid content type", None), None);
    }
    let signature = match signature::verify(request, &shared.scenario, shared.now()) {
        Ok(signature) => signature,
        Err((code, message)) => return (fail(code, message, None), None),
    };
    let call = Call {
        shared,
        parameters: request.parameters(),
    };
    let reply = match request.path.as_str() {
        "/auth/v2/check" => Ok(ok(&json!({"time": shared.now()}))),
        "/auth/v2/preauth" => call.preauth(),
        "/auth/v2/auth" => call.auth(),
        _ => call.auth_status(),
    };
    (reply.unwrap_or_else(|failure| failure), Some(signature))
}

/// A signed request with its parameters.
struct Call<'a> {
    shared: &'a Shared,
    parameters: Vec<(String, String)>,
}

impl Call<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &str) -> Result<&str, Reply> {
        match self.parameter(name) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(fail(
                40001,
                "Missing required request parameters",
                Some(name),
            )),
        }
    }

    fn user(&self) -> Result<(&str, Option<&User>), Reply> {
        let name = self.required("username")?;
        Ok((name, self.shared.scenario.users.get(name)))
    }

    fn preauth(&self) -> Result<Reply, Reply> {
        let (name, user) = self.user()?;
        let Some(user) = user else {
            return Ok(unlisted(&self.shared.scenario.unknown_users));
        };
        let mut state = self.shared.state();
        if state.tried(name).locked {
            let message = "Your account has been locked out.";
            return Ok(ok(&json!({"result": "deny", "status_msg": message})));
        }
        let otherwise = match user.preauth.as_str() {
            "auth" => "Account is active",
            "allow" => "Logging you in...",
            "enroll" => "Enroll an authentication device to proceed",
            _ => "Access denied",
        };
        let mut response = json!({
            "result": user.preauth,
            "status_msg": user.status_msg.as_deref().unwrap_or(otherwise),
        });
        if user.preauth == "enroll" {
            response["enroll_portal_url"] = user
                .enroll_portal_url
                .as_deref()
                .unwrap_or("https://enroll.example/portal?code=0123456789abcdef&akey=DA0000000000")
                .into();
        }
        if user.preauth == "auth" {
            let supported = self.parameter("client_supports_verified_push") == Some("1");
            let verifies = user.verified_push.is_some();
            let devices: Vec<Value> = user
                .devices
                .iter()
                .map(|device| describe(device, !verifies || supported))
                .collect();
            response["devices"] = devices.into();
            if supported {
                self.prepare(&mut state, name, user, &mut response);
            }
            if self.parameter("text_prompt") == Some("1") {
                response["prompt"] = prompt(name, user);
            }
        }
        Ok(ok(&response))
    }

    /// Prepares a verified push. Each code is new: its last digit counts up.
    fn prepare(&self, state: &mut State, name: &str, user: &User, response: &mut Value) {
        let Some(verified) = &user.verified_push else {
            return;
        };
        let earlier = state.prepared.values().filter(|p| p.user == name).count();
        let code: String = verified
            .code
            .parse::<usize>()
            .map_or(verified.code.clone(), |number| {
                format!("{:0width$}", number + earlier, width = verified.code.len())
            });
        let txid = state.new_id();
        let life = Duration::from_secs(verified.expires_s);
        let expires = i64::try_from(verified.expires_s).unwrap_or(60);
        response["txid"] = txid.as_str().into();
        response["verification_code"] = code.into();
        response["expiration"] = (self.shared.now() + expires).into();
        state.prepared.insert(
            txid,
            Prepared {
                user: name.to_owned(),
                expires: Instant::now() + life,
            },
        );
    }

    fn auth(&self) -> Result<Reply, Reply> {
        let (name, user) = self.user()?;
        let mut factor = self.required("factor")?;
        let Some(user) = user else {
            return Err(fail(40002, "Invalid request parameters", Some("username")));
        };
        if self.parameter("pushinfo").unwrap_or_default().len() > PUSHINFO_LIMIT {
            return Err(fail(40002, "Invalid request parameters", Some("pushinfo")));
        }
        let mut typed = self.parameter("passcode").unwrap_or_default().to_owned();
        let mut device = self.parameter("device").unwrap_or_default().to_owned();
        if factor == "prompt" {
            let answer = self.required("prompt")?;
            if let Some((kind, id)) = server_factor(user, answer) {
                (factor, device) = (kind, id);
            } else {
                (factor, typed) = ("passcode", answer.to_owned());
            }
        }
        if factor == "auto" {
            factor = if has(user, "push") { "push" } else { "phone" };
        }
        if self.shared.state().tried(name).locked {
            return Ok(self.decided(name, &Standing::new("deny", "locked_out", LOCKED)));
        }
        match factor {
            "passcode" if typed.is_empty() => Err(fail(
                40001,
                "Missing required request parameters",
                Some("passcode"),
            )),
            "passcode" => Ok(self.passcode(name, user, &typed)),
            "sms" => {
                capable(user, &device, "sms")?;
                self.shared.state().tried(name).sms_sent = true;
                let sent = Standing::new("deny", "sent", "New SMS passcodes sent.");
                Ok(self.decided(name, &sent))
            }
            "push" | "phone" => {
                capable(user, &device, factor)?;
                self.start(name, user, factor == "phone")
            }
            _ => Err(fail(40002, "Invalid request parameters", Some("factor"))),
        }
    }

    /// Starts a push or a call.
    fn start(&self, name: &str, user: &User, is_call: bool) -> Result<Reply, Reply> {
        let mut state = self.shared.state();
        let given = self.parameter("txid");
        let txid = match (given, &user.verified_push) {
            _ if is_call => state.new_id(),
            (None, None) => state.new_id(),
            (Some(txid), _) => {
                let invalid = fail(40002, "Invalid request parameters", Some("txid"));
                match state.prepared.get(txid) {
                    Some(p) if p.user == name && p.expires > Instant::now() => txid.to_owned(),
                    _ => return Err(invalid),
                }
            }
            (None, Some(_)) => {
                return Err(fail(40002, "Invalid request parameters", Some("txid")));
            }
        };
        if state.transactions.contains_key(&txid) {
            return Err(fail(40002, "Invalid request parameters", Some("txid")));
        }
        let tried = state.tried(name);
        let step: Step = if is_call {
            tried.calls += 1;
            user.phone.step(tried.calls - 1)
        } else {
            tried.pushes += 1;
            user.push.step(tried.pushes - 1)
        };
        let waits = step.answer == Answer::Wait;
        let mut transaction = Transaction::new(name, is_call, step);
        if waits {
            if let Some(decision) = state.early.get_mut(name).and_then(VecDeque::pop_front) {
                transaction.decide(decision);
            }
        }
        state.transactions.insert(txid.clone(), transaction);
        drop(state);
        self.shared.changed.notify_all();
        if self.parameter("async") == Some("1") {
            return Ok(ok(&json!({"txid": txid})));
        }
        loop {
            let standing = self.wait_for_news(&txid, PUSH_LIFE * 2)?;
            if standing.status == "push_failed" {
                let failed = Standing::new("deny", "push_failed", standing.message);
                return Ok(self.decided(name, &failed));
            }
            if standing.result != "waiting" {
                return Ok(self.decided(name, &standing));
            }
        }
    }

    fn passcode(&self, name: &str, user: &User, typed: &str) -> Reply {
        let mut state = self.shared.state();
        let tried = state.tried(name);
        let once = user.one_time_passcodes.iter().any(|code| code == typed)
            || (tried.sms_sent && user.sms_passcodes.iter().any(|code| code == typed));
        let right = user.passcodes.iter().any(|code| code == typed)
            || (once && tried.used.insert(typed.to_owned()));
        drop(state);
        let standing = if right {
            Standing::new("allow", "allow", "Success. Logging you in...")
        } else {
            Standing::new("deny", "deny", "Incorrect passcode. Please try again.")
        };
        self.decided(name, &standing)
    }

    fn auth_status(&self) -> Result<Reply, Reply> {
        let txid = self.required("txid")?;
        let long_poll = Duration::from_secs(self.shared.scenario.long_poll_s);
        let standing = self.wait_for_news(txid, long_poll)?;
        let name = {
            let mut state = self.shared.state();
            let Some(transaction) = state.transactions.get_mut(txid) else {
                return Err(fail(40002, "Invalid request parameters", Some("txid")));
            };
            // A transaction may be asked for again; its end counts once.
            if standing.result == "waiting" || std::mem::replace(&mut transaction.counted, true) {
                return Ok(ok(&describe_standing(&standing)));
            }
            transaction.user.clone()
        };
        Ok(self.decided(&name, &standing))
    }

    /// Waits until there is something that the client has not been told.
    fn wait_for_news(&self, txid: &str, long_poll: Duration) -> Result<Standing, Reply> {
        let give_up = Instant::now() + long_poll;
        let mut state = self.shared.state();
        loop {
            let Some(transaction) = state.transactions.get_mut(txid) else {
                return Err(fail(40002, "Invalid request parameters", Some("txid")));
            };
            let standing = transaction.standing();
            if transaction.told.as_ref() != Some(&standing) || standing.result != "waiting" {
                transaction.told = Some(standing.clone());
                return Ok(standing);
            }
            let now = Instant::now();
            if now >= give_up || self.shared.is_stopping() {
                return Err(fail(
                    40002,
                    "Invalid request parameters",
                    Some("long poll timed out"),
                ));
            }
            let next = transaction
                .next_change()
                .map_or(give_up, |at| at.min(give_up));
            let pause = next
                .saturating_duration_since(now)
                .min(Duration::from_millis(200));
            state = self.shared.wait(state, pause.max(Duration::from_millis(1)));
        }
    }

    /// A decision, counted, with what goes with it.
    fn decided(&self, name: &str, standing: &Standing) -> Reply {
        let mut standing = standing.clone();
        let mut state = self.shared.state();
        let tried = state.tried(name);
        let user = self.shared.scenario.users.get(name);
        if standing.status == "locked_out" {
            tried.locked = true;
        } else if standing.result == "allow" {
            tried.failures = 0;
        } else if standing.result == "deny" && standing.status != "sent" {
            tried.failures += 1;
            let limit = user.and_then(|user| user.lock_out_after);
            if limit.is_some_and(|limit| tried.failures >= limit) {
                tried.locked = true;
                standing = Standing::new("deny", "locked_out", LOCKED);
            }
        }
        let mut response = describe_standing(&standing);
        let token = user.and_then(|user| user.trusted_device_token.as_deref());
        if let Some(token) = token.filter(|_| standing.result == "allow") {
            response["trusted_device_token"] = token.into();
        }
        ok(&response)
    }
}

const LOCKED: &str = "Your account has been locked out due to excessive authentication failures.";

fn describe_standing(standing: &Standing) -> Value {
    json!({
        "result": standing.result,
        "status": standing.status,
        "status_msg": standing.message,
    })
}

fn unlisted(result: &str) -> Reply {
    let mut response = json!({"result": result, "status_msg": "Unknown user"});
    if result == "enroll" {
        response["enroll_portal_url"] =
            "https://enroll.example/portal?code=0123456789abcdef&akey=DA0000000000".into();
    }
    ok(&response)
}

/// A device as preauth lists it; without push where a verified push would not be understood.
fn describe(device: &Device, push: bool) -> Value {
    let capabilities: Vec<&String> = device
        .capabilities
        .iter()
        .filter(|capability| push || !matches!(capability.as_str(), "push" | "auto"))
        .collect();
    let mut described = json!({
        "device": device.device,
        "type": device.kind,
        "capabilities": capabilities,
    });
    for (key, value) in [
        ("display_name", &device.display_name),
        ("name", &device.name),
        ("number", &device.number),
        ("sms_nextcode", &device.sms_nextcode),
    ] {
        if let Some(value) = value {
            described[key] = value.as_str().into();
        }
    }
    described
}

/// Factors that Duo's own menu offers: name, kind, device, label.
fn server_options(user: &User) -> Vec<(String, &'static str, String, String)> {
    let mut options = Vec::new();
    for (kind, label) in [
        ("push", "Duo Push to"),
        ("phone", "Phone call to"),
        ("sms", "SMS passcodes to"),
    ] {
        let able = user
            .devices
            .iter()
            .filter(|device| device.capabilities.iter().any(|c| c == kind));
        for (index, device) in able.enumerate() {
            let shown = device.number.clone().or(device.display_name.clone());
            options.push((
                format!("{kind}{}", index + 1),
                kind,
                device.device.clone(),
                format!("{label} {}", shown.unwrap_or_default()),
            ));
        }
    }
    options
}

fn prompt(name: &str, user: &User) -> Value {
    use std::fmt::Write as _;
    let options = server_options(user);
    let mut text = format!(
        "Duo two-factor login for {name}\n\nEnter a passcode or select one of the following options:\n\n"
    );
    let mut factors = serde_json::Map::new();
    for (index, (factor, _, _, label)) in options.iter().enumerate() {
        let _ = writeln!(text, " {}. {label}", index + 1);
        if index == 0 {
            factors.insert("default".to_owned(), factor.as_str().into());
        }
        factors.insert((index + 1).to_string(), factor.as_str().into());
    }
    let _ = write!(text, "\nPasscode or option (1-{}): ", options.len());
    json!({"text": text, "factors": factors})
}

/// What an answer to Duo's own menu stands for: `push1`, or `push` for the first.
fn server_factor(user: &User, answer: &str) -> Option<(&'static str, String)> {
    server_options(user)
        .into_iter()
        .find(|(factor, kind, _, _)| factor == answer || *kind == answer)
        .map(|(_, kind, device, _)| (kind, device))
}

fn has(user: &User, capability: &str) -> bool {
    let mut all = user.devices.iter().flat_map(|device| &device.capabilities);
    all.any(|c| c == capability)
}

/// Whether the user has this device and it can do this.
fn capable(user: &User, device: &str, capability: &str) -> Result<(), Reply> {
    if device.is_empty() {
        return Err(fail(
            40001,
            "Missing required request parameters",
            Some("device"),
        ));
    }
    let able = if device == "auto" {
        has(user, capability)
    } else {
        user.devices
            .iter()
            .any(|d| d.device == device && d.capabilities.iter().any(|c| c == capability))
    };
    if able {
        Ok(())
    } else {
        Err(fail(40002, "Invalid request parameters", Some("device")))
    }
}

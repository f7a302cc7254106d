//! Every value of docs/40103.md, computed by the code that signs; and what the page says of
//! mistakes, tried with the simulator.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, SystemTime};

use duo_auth::net::{HttpsTransport, trust};
use duo_auth::sign::{Keys, Method, Parameters, Signature, SignedRequest, Unsigned, encode, sign};
use duo_auth::{Host, Secret, Transport as _};
use duo_sim::{Options, Scenario, Simulator};

const PAGE: &str = include_str!("../../../docs/40103.md");

const DATE: &str = "Tue, 21 Aug 2012 17:29:18 GMT";

/// The page's blocks of text.
fn blocks() -> Vec<&'static str> {
    let blocks = PAGE.split("```").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.strip_prefix("text\n")?.strip_suffix('\n'))
        .collect()
}

#[track_caller]
fn assert_shown(text: &str) {
    assert!(blocks().contains(&text), "the page should show:\n{text}");
}

fn example() -> Parameters {
    Parameters::default()
        .with("username", "zoë")
        .with("factor", "passcode")
        .with("passcode", "123456")
        .with("ipaddr", "203.0.113.5")
}

fn keys() -> Keys {
    let block = blocks().into_iter().find(|b| b.starts_with("ikey"));
    let value = |name: &str| {
        let line = block?.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim().to_owned())
    };
    Keys {
        ikey: value("ikey").expect("ikey"),
        skey: Secret::new(value("skey").expect("skey")),
    }
}

fn header<'a>(request: &'a SignedRequest, name: &str) -> &'a str {
    let found = request.headers.iter().find(|(n, _)| *n == name);
    found.map(|(_, value)| value.as_str()).expect(name)
}

/// The signature in a request's credentials.
fn signature(request: &SignedRequest) -> String {
    use base64::Engine as _;
    let basic = header(request, "Authorization").strip_prefix("Basic ");
    let bytes = base64::prelude::BASE64_STANDARD.decode(basic.unwrap());
    let credentials = String::from_utf8(bytes.unwrap()).unwrap();
    credentials.rsplit_once(':').unwrap().1.to_owned()
}

#[test]
fn the_worked_example_is_what_the_code_signs_and_sends() {
    let parameters = example();
    let unsigned = Unsigned {
        method: Method::Post,
        host: "api-XXXXXXXX.duosecurity.com",
        path: "/auth/v2/auth",
        parameters: &parameters,
        date: DATE,
    };
    let canonical = unsigned.canonical(Signature::V2Sha1).unwrap();
    assert_eq!(canonical.lines().count(), 5);
    assert_shown(&canonical);
    let request = sign(Signature::V2Sha1, &keys(), &unsigned).unwrap();
    assert_shown(&signature(&request));
    let body = String::from_utf8(request.body.as_ref().unwrap().to_vec()).unwrap();
    assert_shown(&format!(
        "{} {} HTTP/1.1\nHost: api-xxxxxxxx.duosecurity.com\nDate: {}\nAuthorization: {}\n\
         Content-Type: {}\n\n{body}",
        request.method.as_str(),
        *request.target,
        header(&request, "Date"),
        header(&request, "Authorization"),
        header(&request, "Content-Type"),
    ));
}

/// The `auth` of a program that sorts nothing: `order` as it stands is signed and sent.
fn as_it_stands(keys: &Keys, host: &str, date: &str, order: &[(&str, &str)]) -> SignedRequest {
    let pairs: Vec<String> = order
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let body = pairs.join("&");
    let text = format!("{date}\nPOST\n{host}\n/auth/v2/auth\n{body}");
    let key = ring::hmac::Key::new(
        ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        keys.skey.expose().as_bytes(),
    );
    let mac = hex::encode(ring::hmac::sign(&key, text.as_bytes()));
    let parameters = Parameters::default();
    let unsigned = Unsigned {
        method: Method::Post,
        host,
        path: "/auth/v2/auth",
        parameters: &parameters,
        date,
    };
    let mut request = sign(Signature::V2Sha1, keys, &unsigned).unwrap();
    for (name, value) in &mut request.headers {
        if *name == "Authorization" {
            use base64::Engine as _;
            let credentials = format!("{}:{mac}", keys.ikey);
            let encoded = base64::prelude::BASE64_STANDARD.encode(credentials);
            *value = format!("Basic {encoded}").into();
        }
    }
    request.body = Some(body.into_bytes().into());
    request
}

const AS_THEY_COME: [(&str, &str); 4] = [
    ("username", "zoë"),
    ("factor", "passcode"),
    ("passcode", "123456"),
    ("ipaddr", "203.0.113.5"),
];

fn sorted() -> [(&'static str, &'static str); 4] {
    let mut parameters = AS_THEY_COME;
    parameters.sort_unstable();
    parameters
}

#[test]
fn the_signature_of_the_unsorted_parameters_is_the_pages_and_another_one() {
    let host = "api-xxxxxxxx.duosecurity.com";
    let request = as_it_stands(&keys(), host, DATE, &AS_THEY_COME);
    let body = String::from_utf8(request.body.as_ref().unwrap().to_vec()).unwrap();
    assert_shown(&body);
    assert_shown(&signature(&request));
    let sorted = as_it_stands(&keys(), host, DATE, &sorted());
    assert_ne!(signature(&sorted), signature(&request));
}

#[test]
fn one_parameter_needs_no_order_and_several_in_another_order_are_40103() {
    let scenario = "[users.\"zoë\"]\npasscodes = [\"123456\"]\n";
    let scenario = Scenario::from_toml(scenario).unwrap();
    let duo = Simulator::start(scenario, Options::default()).unwrap();
    let keys = Keys {
        ikey: duo.ikey().to_owned(),
        skey: Secret::from(duo.skey()),
    };
    let host = Host::parse(&duo.host()).unwrap();
    let tls = trust::client_config(Some(duo.ca_file())).unwrap();
    let mut transport = HttpsTransport::new(&host, tls, None);
    let date = httpdate::fmt_http_date(SystemTime::now());
    let mut code_of = |order: &[(&str, &str)]| {
        let request = as_it_stands(&keys, host.name(), &date, order);
        let reply = transport.exchange(&request, Duration::from_secs(10));
        let body = reply.unwrap().body;
        let reply: serde_json::Value = serde_json::from_slice(&body).unwrap();
        reply.get("code").and_then(serde_json::Value::as_u64)
    };
    // Not refused for its signature, but for what it lacks.
    assert_eq!(code_of(&[("username", "zoë")]), Some(40001));
    assert_eq!(code_of(&AS_THEY_COME), Some(40103));
    assert_eq!(code_of(&sorted()), None);
}

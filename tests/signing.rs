//! Every signature is the one that Duo's own client computes: from the recorded vectors, and live
//! from `duo_client` where the test run has installed it.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::disallowed_methods,
    unreachable_pub
)]

use std::process::Command;

use duo_auth::Secret;
use duo_auth::sign::{Keys, Method, Parameters, Signature, SignedRequest, Unsigned, sign};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

const SIGNATURES: [Signature; 3] = [Signature::V2Sha1, Signature::V2Sha512, Signature::V5];

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("vectors/signing.json")).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// Parameter names are `&'static str` in the module; a test may leak a few.
fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn parameters(vector: &Value) -> Parameters {
    vector["params"]
        .as_object()
        .unwrap()
        .iter()
        .fold(Parameters::default(), |parameters, (name, value)| {
            parameters.with(leak(name), value.as_str().unwrap())
        })
}

fn method(vector: &Value) -> Method {
    match vector["method"].as_str().unwrap() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => panic!("method {other}"),
    }
}

struct Signed {
    canonical: String,
    request: SignedRequest,
}

impl Signed {
    fn of(vector: &Value, signature: Signature) -> Self {
        let keys = Keys {
            ikey: vector["ikey"].as_str().unwrap().to_owned(),
            skey: Secret::from(vector["skey"].as_str().unwrap()),
        };
        let parameters = parameters(vector);
        let unsigned = Unsigned {
            method: method(vector),
            host: vector["host"].as_str().unwrap(),
            path: leak(vector["path"].as_str().unwrap()),
            parameters: &parameters,
            date: vector["date"].as_str().unwrap(),
        };
        Self {
            canonical: unsigned.canonical(signature).unwrap().to_string(),
            request: sign(signature, &keys, &unsigned).unwrap(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let header = self.request.headers.iter().find(|(n, _)| *n == name);
        header.map(|(_, value)| value.as_str())
    }

    fn body(&self) -> &str {
        let body = self.request.body.as_ref();
        body.map_or("", |body| std::str::from_utf8(body).unwrap())
    }

    fn query(&self) -> &str {
        let target = self.request.target.as_str();
        target.split_once('?').map_or("", |(_, query)| query)
    }
}

#[test]
fn every_vector_of_version_2_gives_the_canonical_string_and_both_signatures() {
    for vector in vectors() {
        let name = &vector["name"];
        for (signature, authorization) in [
            (Signature::V2Sha1, "v2_sha1_authorization"),
            (Signature::V2Sha512, "v2_sha512_authorization"),
        ] {
            let signed = Signed::of(&vector, signature);
            assert_eq!(signed.canonical, vector["v2_canonical"], "{name}");
            assert_eq!(
                signed.header("Authorization").unwrap(),
                vector[authorization],
                "{name}"
            );
            let (sent, other) = match method(&vector) {
                Method::Get => (signed.query(), signed.body()),
                Method::Post => (signed.body(), signed.query()),
            };
            assert_eq!(
                sent, vector["v2_query"],
                "what is sent is what is signed: {name}"
            );
            assert_eq!(other, "", "{name}");
        }
    }
}

#[test]
fn every_vector_of_version_5_gives_the_canonical_string_the_body_and_the_signature() {
    for vector in vectors() {
        let name = &vector["name"];
        let signed = Signed::of(&vector, Signature::V5);
        assert_eq!(signed.canonical, vector["v5_canonical"], "{name}");
        assert_eq!(
            signed.header("Authorization").unwrap(),
            vector["v5_authorization"],
            "{name}"
        );
        if method(&vector) == Method::Post {
            assert_eq!(signed.body(), vector["v5_body"], "{name}");
            assert_eq!(signed.header("Content-Type"), Some("application/json"));
        }
    }
}

#[test]
fn the_date_is_sent_exactly_as_it_is_signed() {
    for vector in vectors() {
        for signature in SIGNATURES {
            let signed = Signed::of(&vector, signature);
            assert_eq!(signed.header("Date").unwrap(), vector["date"]);
            // Version 5 signs every X-Duo-* header, so it sends none.
            let second = signed.header("X-Duo-Date");
            let expected = (signature != Signature::V5).then_some(&vector["date"]);
            assert_eq!(second, expected.and_then(Value::as_str));
        }
    }
}

#[test]
fn parameters_are_sorted_however_they_were_given() {
    let sorted = "a=1&b=2&c=%25";
    for order in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] {
        let value = |name: &str| match name {
            "a" => "1",
            "b" => "2",
            _ => "%",
        };
        let parameters = order.iter().fold(Parameters::default(), |p, name| {
            p.with(leak(name), value(name))
        });
        assert_eq!(*parameters.canonical(), sorted);
    }
}

/// Asks Duo's own client for canonical strings and signatures of requests with random parameters.
/// Skipped, counted and named where the test run was told to stay offline.
#[test]
#[ignore = "needs PyPI's duo_client: run by tests/run.sh, which installs it"]
fn signatures_agree_with_duos_own_client_on_random_parameters() {
    const ORACLE: &str = r"
import hashlib, json, sys
import duo_client.client as duo
out = []
for q in json.load(sys.stdin):
    params = {k: [v.encode()] for k, v in q['params'].items()}
    post = q['method'] == 'POST'
    def authorization(version, digest, params, body):
        return duo.sign(q['ikey'], q['skey'], q['method'], q['host'], q['path'], q['date'],
                        version, params, body=body, digestmod=digest)
    body = json.dumps(q['params'], sort_keys=True, separators=(',', ':')) if post else ''
    out.append({
        'canonical': duo.canon_params(params),
        'v2-sha1': authorization(2, hashlib.sha1, params, None),
        'v2-sha512': authorization(2, hashlib.sha512, params, None),
        'v5': authorization(5, hashlib.sha512, {} if post else params, body),
    })
json.dump(out, sys.stdout)
";
    let python = std::env::var("DUO_CLIENT_PYTHON")
        .expect("DUO_CLIENT_PYTHON names a Python that has duo_client; tests/run.sh sets it");
    let strategy = (
        proptest::collection::btree_map("[a-zA-Z_]{1,12}", "\\PC{0,24}|[ -~]{0,24}", 0..8),
        prop::bool::ANY,
    );
    let mut runner = TestRunner::new(Config::default());
    let requests: Vec<Value> = (0..300)
        .map(|_| {
            let (params, post) = strategy.new_tree(&mut runner).unwrap().current();
            serde_json::json!({
                "ikey": "DIWJ8X6AEYOR5OMC6TQ1",
                "skey": "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep",
                "date": "Tue, 21 Aug 2012 17:29:18 -0000",
                "method": if post { "POST" } else { "GET" },
                "host": "api-xxxxxxxx.duosecurity.com",
                "path": "/auth/v2/auth",
                "params": params,
            })
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("requests.json");
    std::fs::write(&input, serde_json::to_vec(&requests).unwrap()).unwrap();
    let output = Command::new(python)
        .args(["-c", ORACLE])
        .stdin(std::fs::File::open(&input).unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), requests.len());
    for (request, answer) in requests.iter().zip(&answers) {
        assert_eq!(
            *parameters(request).canonical(),
            answer["canonical"].as_str().unwrap(),
            "{request}"
        );
        for (signature, name) in SIGNATURES.iter().zip(["v2-sha1", "v2-sha512", "v5"]) {
            let signed = Signed::of(request, *signature);
            let expected = answer[name].as_str().unwrap();
            assert_eq!(signed.header("Authorization"), Some(expected), "{request}");
        }
    }
}

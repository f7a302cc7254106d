//! Duo's envelopes.

use serde_json::{Value, json};

use crate::http::Reply;

/// `{"stat":"OK","response":…}` with status 200.
pub(crate) fn ok(response: &Value) -> Reply {
    with_body(200, &json!({"stat": "OK", "response": response}))
}

/// `{"stat":"FAIL",…}`; the status is the first three digits of `code`.
pub(crate) fn fail(code: u32, message: &str, detail: Option<&str>) -> Reply {
    let mut body = json!({"stat": "FAIL", "code": code, "message": message});
    if let (Some(detail), Some(body)) = (detail, body.as_object_mut()) {
        body.insert("message_detail".to_owned(), detail.into());
    }
    with_body(u16::try_from(code / 100).unwrap_or(500), &body)
}

/// Any status with any JSON.
pub(crate) fn with_body(status: u16, body: &Value) -> Reply {
    raw(status, body.to_string().into_bytes())
}

/// Any status with any bytes.
pub(crate) fn raw(status: u16, body: Vec<u8>) -> Reply {
    Reply {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body,
    }
}

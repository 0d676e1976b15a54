//! Reading JSON without ever failing: a wrong type is the same as a missing field.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

static NULL: Value = Value::Null;

/// The value at a key; null if there is none or `value` is no mapping.
pub(crate) fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&NULL)
}

/// The value at a path of keys.
pub(crate) fn path<'a>(value: &'a Value, keys: &[&str]) -> &'a Value {
    keys.iter().fold(value, |value, key| at(value, key))
}

/// The text at a key; empty texts count as missing, as everywhere in the Kubernetes API.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    at(value, key).as_str().filter(|text| !text.is_empty())
}

pub(crate) fn shared(value: &Value, key: &str) -> Option<Arc<str>> {
    text(value, key).map(Arc::from)
}

pub(crate) fn flag(value: &Value, key: &str) -> bool {
    at(value, key).as_bool().unwrap_or(false)
}

pub(crate) fn integer(value: &Value, key: &str) -> Option<i64> {
    at(value, key).as_i64()
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    at(value, key).as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn time(value: &Value, key: &str) -> Option<Timestamp> {
    text(value, key)?.parse().ok()
}

pub(crate) fn duration(value: &Value, key: &str) -> Option<Duration> {
    parse_duration(text(value, key)?)
}

/// A duration as Go writes it: `1h30m`, `2.5s`, `500ms`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += number
            * match rest.get(..end)? {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" | "μs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = rest.get(end..)?;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(seconds).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("1h", Some(3600.0)),
            ("1h30m", Some(5400.0)),
            ("2.5s", Some(2.5)),
            ("500ms", Some(0.5)),
            ("10", None),
            ("", None),
            ("m", None),
            ("99999999999999999999999h", None),
            ("1d", None),
            ("-1s", None),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_secs_f64()), expected, "{text}");
        }
    }
}

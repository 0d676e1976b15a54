//! Values of texts and JSON, there and back.

use std::sync::Arc;

use manifests::Value;
use manifests::value::{Data, Member, Text};
use serde_json::Value as Json;

/// What a cluster says, as a value that no text holds.
pub(crate) fn from_json(json: &Json) -> Value {
    let text = |text: String, plain: bool| Data::Scalar(Text::new(text, plain));
    let data = match json {
        Json::Null => text(String::new(), true),
        Json::Bool(it) => text(it.to_string(), true),
        Json::Number(it) => text(it.to_string(), true),
        Json::String(it) => text(it.clone(), false),
        Json::Array(items) => Data::Sequence(items.iter().map(|it| Arc::new(from_json(it))).collect()),
        Json::Object(members) => Data::Mapping(
            members
                .iter()
                .map(|(key, value)| Member {
                    key: key.as_str().into(),
                    site: None,
                    value: Arc::new(from_json(value)),
                })
                .collect(),
        ),
    };
    Value { data, site: None }
}

/// A value as JSON, with YAML's types as far as a Flux spec needs them.
pub(crate) fn json(value: &Value, depth: u32) -> Json {
    let Some(depth) = depth.checked_sub(1) else { return Json::Null };
    match &value.data {
        Data::Mapping(members) => {
            Json::Object(members.iter().map(|it| (it.key.to_string(), json(&it.value, depth))).collect())
        }
        Data::Sequence(items) => Json::Array(items.iter().map(|it| json(it, depth)).collect()),
        Data::Scalar(text) if text.is_null() => Json::Null,
        Data::Scalar(text) if text.plain => match &*text.value {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            number => match number.parse::<i64>() {
                Ok(number) => Json::from(number),
                Err(_) => Json::String(number.to_owned()),
            },
        },
        Data::Scalar(text) => Json::String(text.value.to_string()),
    }
}

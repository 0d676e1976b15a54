//! Reading the objects of a Kubernetes `List`, as `kubectl get -o json` and our own `snapshot` write it.

use std::fmt;

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::{NotFlux, Object};

/// What was in a list.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The Flux objects.
    pub objects: Vec<Object>,
    /// The newest time inside them: when the list was recorded, at the earliest.
    pub newest: Option<Timestamp>,
    /// What was left out, and why. Secrets are dropped without being looked at.
    pub skipped: Vec<Skipped>,
}

/// Something in a list that is no Flux object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its place in the list, from 0.
    pub index: usize,
    /// Why it was left out.
    pub why: NotFlux,
}

/// Why a text is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It is not JSON.
    #[error("the file is not JSON ({0}); write it with `fluxcd-ls snapshot` or `kubectl get -o json`")]
    NotJson(#[from] serde_json::Error),
    /// It is JSON of another shape.
    #[error(
        "the file holds neither a Kubernetes List nor an object; write it with `fluxcd-ls snapshot` or `kubectl get -o json`"
    )]
    NotAList,
}

/// Reads a list, a bare object, or a mapping with `items` and nothing else. Each item is let go before the
/// next is read: parsed JSON takes twenty times the memory of an [`Object`].
pub fn read(text: &[u8]) -> Result<Listing, ListError> {
    // A file saved on Windows may begin with a byte order mark.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut listing = Listing::default();
    let mut parser = serde_json::Deserializer::from_slice(text);
    let shape = List(&mut listing).deserialize(&mut parser)?;
    parser.end()?;
    match shape {
        Shape::List => Ok(listing),
        Shape::Object(fields) if fields.contains_key("kind") => {
            listing.take(0, &Value::Object(fields));
            Ok(listing)
        }
        Shape::Object(_) | Shape::Other => Err(ListError::NotAList),
    }
}

impl Listing {
    fn take(&mut self, index: usize, item: &Value) {
        match Object::read(item) {
            Ok(object) => {
                self.newest = self.newest.max(object.meta.newest);
                self.objects.push(object);
            }
            Err(why) => self.skipped.push(Skipped { index, why }),
        }
    }
}

enum Shape {
    List,
    Object(Map<String, Value>),
    Other,
}

struct List<'a>(&'a mut Listing);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes List or an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut fields = Map::new();
        let mut is_list = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                is_list |= map.next_value_seed(Items(self.0))?;
            } else {
                fields.insert(key, map.next_value()?);
            }
        }
        Ok(if is_list { Shape::List } else { Shape::Object(fields) })
    }

    // Several `kubectl get -o json` put together with jq are a plain array.
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Shape, A::Error> {
        Items(self.0).visit_seq(seq)?;
        Ok(Shape::List)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Other)
    }
}

/// The items; whether there was a sequence (`items: null` is an empty one).
struct Items<'a>(&'a mut Listing);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut index = 0;
        while let Some(item) = seq.next_element::<Value>()? {
            self.0.take(index, &item);
            index += 1;
        }
        Ok(true)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expect: Expect) {
        let told = match read(text.as_bytes()) {
            Ok(listing) => {
                let mut told = format!("newest {:?}\n", listing.newest.map(|t| t.to_string()));
                for object in &listing.objects {
                    told += &format!("{}\n", object.id);
                }
                for skipped in &listing.skipped {
                    told += &format!("skipped {}: {}\n", skipped.index, skipped.why);
                }
                told
            }
            Err(error) => format!("error: {error}\n"),
        };
        expect.assert_eq(&told);
    }

    const APPS: &str = r#"{"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "flux-system", "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"time": "2026-01-03T00:00:00Z"}, {"time": 4}]},
        "status": {"conditions": [{"type": "Ready", "lastTransitionTime": "2026-01-02T00:00:00Z"}]}}"#;

    #[test]
    fn lists_and_objects() {
        let secret =
            r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "Yg=="}}"#;
        check(
            &format!(r#"{{"apiVersion": "v1", "items": [{APPS}, {secret}, 7], "kind": "List"}}"#),
            expect![[r#"
                newest Some("2026-01-03T00:00:00Z")
                Kustomization/flux-system/apps
                skipped 1: v1 Secret is not a kind of Flux
                skipped 2: it has no kind
            "#]],
        );
        check(
            &format!(r#"{{"items": [{APPS}]}}"#),
            expect![[r#"
            newest Some("2026-01-03T00:00:00Z")
            Kustomization/flux-system/apps
        "#]],
        );
        check(
            &format!("\u{feff}{APPS}"),
            expect![[r#"
            newest Some("2026-01-03T00:00:00Z")
            Kustomization/flux-system/apps
        "#]],
        );
        check(
            &format!("[{APPS}]"),
            expect![[r#"
            newest Some("2026-01-03T00:00:00Z")
            Kustomization/flux-system/apps
        "#]],
        );
        check(
            secret,
            expect![[r#"
            newest None
            skipped 0: v1 Secret is not a kind of Flux
        "#]],
        );
        check(
            r#"{"items": null}"#,
            expect![[r#"
            newest None
        "#]],
        );
        check(
            r#"{"kind": "List", "items": 3}"#,
            expect![[r#"
            error: the file is not JSON (invalid type: integer `3`, expected a list of objects at line 1 column 27); write it with `fluxcd-ls snapshot` or `kubectl get -o json`
        "#]],
        );
        check(
            "[1, null]",
            expect![[r#"
                newest None
                skipped 0: it has no kind
                skipped 1: it has no kind
            "#]],
        );
        check(
            "null",
            expect![[r#"
            error: the file holds neither a Kubernetes List nor an object; write it with `fluxcd-ls snapshot` or `kubectl get -o json`
        "#]],
        );
        check(
            r#""text""#,
            expect![[r#"
            error: the file holds neither a Kubernetes List nor an object; write it with `fluxcd-ls snapshot` or `kubectl get -o json`
        "#]],
        );
        check(
            "{}",
            expect![[r#"
            error: the file holds neither a Kubernetes List nor an object; write it with `fluxcd-ls snapshot` or `kubectl get -o json`
        "#]],
        );
        check(
            "",
            expect![[r#"
            error: the file is not JSON (EOF while parsing a value at line 1 column 0); write it with `fluxcd-ls snapshot` or `kubectl get -o json`
        "#]],
        );
        check(
            "apiVersion: v1",
            expect![[r#"
            error: the file is not JSON (expected value at line 1 column 1); write it with `fluxcd-ls snapshot` or `kubectl get -o json`
        "#]],
        );
        check(
            r#"{"items": []} trailing"#,
            expect![[r#"
            error: the file is not JSON (trailing characters at line 1 column 15); write it with `fluxcd-ls snapshot` or `kubectl get -o json`
        "#]],
        );
    }
}

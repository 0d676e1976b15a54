//! Objects that a kustomization.yaml generates.

use std::collections::HashSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use text_size::TextRange;

use super::build::{Level, Walk};
use super::object::{Behavior, Built, How, Origin};
use super::{Use, Why};
use crate::value::{Data, Made, Member, Text, Used};
use crate::{FieldPath, Value};

/// What a generator makes: the two kinds differ in little.
const GENERATORS: [(&str, &str); 2] = [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")];

/// The objects of the generators of one build file, in their order.
pub(super) fn generate(walk: &mut Walk<'_, '_>, level: &Level) -> Vec<Built> {
    let mut made = Vec::new();
    let Some(root) = &level.file else { return made };
    let options = root.get("generatorOptions").cloned();
    for (list, kind) in GENERATORS {
        for (index, entry) in
            root.get(list).and_then(|it| it.as_sequence()).unwrap_or_default().iter().enumerate()
        {
            let field = FieldPath::root().key(list).index(index);
            let Some(name) = entry.get("name") else { continue };
            let origin = Origin::Generated { path: level.path.clone(), field: field.clone() };
            let mut object = Built::new(Arc::new(Value::empty()), origin);
            let mut data = Vec::new();
            content(walk, level, entry, &field, &mut object, &mut data);
            // What all generators are told one cannot take back (`MergeGlobalOptionsIntoLocal`).
            let option = |key: &str| {
                let all = options.as_ref().and_then(|it| it.get(key));
                let own = entry.dig(&["options", key]).filter(|it| is_true(it));
                own.or_else(|| all.map(|it| &**it).filter(|it| is_true(it)))
            };
            object.needs_hash = option("disableNameSuffixHash").is_none();
            object.behavior = match entry.text(&["behavior"]) {
                Some("merge") => Behavior::Merge,
                Some("replace") => Behavior::Replace,
                _ => Behavior::Create,
            };
            let mut metadata = vec![member("name", Arc::clone(name))];
            metadata.extend(entry.get("namespace").map(|it| member("namespace", Arc::clone(it))));
            for key in ["labels", "annotations"] {
                let mut all = Value::empty();
                let own = entry.dig(&["options", key]);
                for from in [options.as_ref().and_then(|it| it.dig(&[key])), own].into_iter().flatten() {
                    for it in from.as_mapping().unwrap_or_default() {
                        all.set(&it.key, it.site.clone(), Some(Arc::clone(&it.value)));
                    }
                }
                if all.as_mapping().is_some_and(|it| !it.is_empty()) {
                    metadata.push(member(key, Arc::new(all)));
                }
            }
            let site = entry.site.clone();
            let mapping = |members| Arc::new(Value { data: Data::Mapping(members), site: site.clone() });
            let mut members = vec![
                member("apiVersion", Arc::new(Value::made("v1"))),
                member("kind", Arc::new(Value::made(kind))),
                member("metadata", mapping(metadata)),
            ];
            if kind == "Secret" {
                let type_ = entry.get("type").cloned().unwrap_or_else(|| Arc::new(Value::made("Opaque")));
                members.push(member("type", type_));
            }
            let mut seen = HashSet::new();
            data.retain(|it: &Member| {
                let is_first = seen.insert(Arc::clone(&it.key));
                if !is_first {
                    let of = name.as_str().unwrap_or_default();
                    let why = Why::Duplicate(format!("the key {} of {kind}/{of}", it.key));
                    walk.unknown(level, &field, it.site.as_ref(), why);
                }
                is_first
            });
            let (binary, data): (Vec<Member>, Vec<Member>) =
                data.into_iter().partition(|it| kind == "ConfigMap" && is_binary(&it.value));
            let binary = binary.into_iter().map(not_told).collect();
            for (key, members_of) in [("data", data), (BINARY, binary)] {
                if !members_of.is_empty() {
                    members.push(member(key, mapping(members_of)));
                }
            }
            if let Some(immutable) = option("immutable") {
                members.push(member("immutable", Arc::new(immutable.clone())));
            }
            object.value = mapping(members);
            made.push(object);
        }
    }
    made
}

/// Where a ConfigMap has what is no text.
const BINARY: &str = "binaryData";

/// Whether a file's content is no text: its bytes are not known here, only that U+FFFD stands for some of them.
fn is_binary(value: &Value) -> bool {
    value.as_text().is_some_and(|it| it.value.contains('\u{fffd}'))
}

/// The member with a value that nobody takes at its word.
fn not_told(mut member: Member) -> Member {
    if let Data::Scalar(text) = &mut Arc::make_mut(&mut member.value).data {
        let value = TextRange::up_to(crate::size(text.value.len()));
        let name = Arc::clone(&member.key);
        let used = Used { name, written: TextRange::default(), value, set_at: None, unsure: true };
        text.made = Some(Arc::new(Made { written: "".into(), uses: vec![used] }));
    }
    member
}

fn is_true(value: &Value) -> bool {
    value.as_str() == Some("true")
}

/// Makes a generated object one that merges with or replaces the one of its name, as `appendReplaceOrMerge` of kustomize
/// does: name and namespace are the old ones, labels and annotations are joined, and with `merge` the data too. The new
/// ones win.
pub(super) fn take_over(object: &mut Built, old: &Built, merge: bool) {
    let join = |new: Option<&Value>, old: Option<&Value>| {
        let mut all = Value { data: Data::Mapping(Vec::new()), site: new.or(old)?.site.clone() };
        for it in [old, new].into_iter().flatten().flat_map(|it| it.as_mapping().unwrap_or_default()) {
            all.set(&it.key, None, None);
            all.set(&it.key, it.site.clone(), Some(Arc::clone(&it.value)));
        }
        all.as_mapping().is_some_and(|it| !it.is_empty()).then(|| Arc::new(all))
    };
    for key in ["name", "namespace"] {
        if let Some(value) = old.value.dig(&["metadata", key]) {
            super::object::set_metadata(object, key, Arc::new(value.clone()));
        }
    }
    for key in ["labels", "annotations"] {
        let place = ["metadata", key];
        if let Some(all) = join(object.value.dig(&place), old.value.dig(&place)) {
            super::object::set_metadata(object, key, all);
        }
    }
    for key in ["data", BINARY] {
        if merge && let Some(all) = join(object.value.dig(&[key]), old.value.dig(&[key])) {
            let site = all.site.clone();
            Arc::make_mut(&mut object.value).set(key, site, Some(all));
        }
    }
}

fn member(key: &str, value: Arc<Value>) -> Member {
    Member { key: key.into(), site: value.site.clone(), value }
}

fn content(
    walk: &mut Walk<'_, '_>,
    level: &Level,
    entry: &Value,
    field: &FieldPath,
    object: &mut Built,
    data: &mut Vec<Member>,
) {
    let texts = |key: &str| -> Vec<(FieldPath, Arc<Value>)> {
        let items = entry.get(key).and_then(|it| it.as_sequence()).unwrap_or_default();
        items.iter().enumerate().map(|(at, it)| (field.key(key).index(at), Arc::clone(it))).collect()
    };
    let mut put = |key: &str, value: Arc<str>, at: &Value| {
        let value = Text { value, plain: false, made: None };
        let value = Value { data: Data::Scalar(value), site: at.site.clone() };
        data.push(Member { key: key.into(), site: at.site.clone(), value: Arc::new(value) });
    };
    let single = entry.get("env").map(|it| (field.key("env"), Arc::clone(it)));
    for (field, item) in texts("envs").into_iter().chain(single) {
        let Some((path, text)) = read(walk, level, &field, &item, item.as_str().unwrap_or_default()) else {
            continue;
        };
        object.shaped(None, &walk.files.tree().written_at(&path), How::GeneratorInput);
        for (key, value) in env_file(&text) {
            put(key, value.into(), &item);
        }
    }
    for (_, item) in texts("literals") {
        let Some((key, value)) = item.as_str().and_then(|it| it.split_once('=')) else { continue };
        // kustomize takes one pair of quotes away.
        let quoted = |quote: char| value.strip_prefix(quote).and_then(|it| it.strip_suffix(quote));
        let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
        put(key, value.into(), &item);
    }
    for (field, item) in texts("files") {
        let Some(text) = item.as_str() else { continue };
        let (key, file) = match text.split_once('=') {
            Some((key, file)) => (Some(key), file),
            None => (None, text),
        };
        let Some((path, text)) = read(walk, level, &field, &item, file) else { continue };
        object.shaped(None, &walk.files.tree().written_at(&path), How::GeneratorInput);
        put(key.unwrap_or(path.file_name()), text, &item);
    }
}

fn read(
    walk: &mut Walk<'_, '_>,
    level: &Level,
    field: &FieldPath,
    item: &Value,
    file: &str,
) -> Option<(crate::RepoPath, Arc<str>)> {
    let path = walk.file_at(level, field, item, file, Use::GeneratorInput)?;
    let text = walk.files.tree().read(&path)?;
    Some((path, text))
}

/// The keys and values of an env file (`kv.go`): what is behind the `=` is taken as it is. A key without one gets an empty
/// value.
fn env_file(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.split('\n').map(|it| it.strip_suffix('\r').unwrap_or(it).trim_start());
    lines.filter(|it| !it.is_empty() && !it.starts_with('#')).map(|it| it.split_once('=').unwrap_or((it, "")))
}

/// Gives generated objects their hash (`hasher.Hash` of kustomize): what it is made of is the final content.
pub(super) fn add_hash(object: &mut Built) {
    if !object.needs_hash {
        return;
    }
    let Some(id) = object.id() else { return };
    let suffix = match &*id.kind {
        "ConfigMap" if object.value.get(BINARY).is_none() => hash(&encode_config_map(&object.value)),
        // Flux decrypts what generates a Secret before it builds, so that its hash is not known here; nor is that of
        // bytes that are no text.
        _ => "*".to_owned(),
    };
    object.remember();
    let site = object.value.dig(&["metadata", "name"]).and_then(|it| it.site.clone());
    let name = Value { data: Data::Scalar(Text::new(format!("{}-{suffix}", id.name), false)), site };
    super::object::set_metadata(object, "name", Arc::new(name));
}

/// The JSON that kustomize hashes: kind, name and data. It looks the name up in a way that never finds it, so that the
/// name is always empty (`getNodeValues`, api v0.21.1; seen).
fn encode_config_map(value: &Value) -> String {
    let mut data: Vec<(&str, &str)> = value
        .get("data")
        .and_then(|it| it.as_mapping())
        .unwrap_or_default()
        .iter()
        .filter_map(|it| Some((&*it.key, &*it.value.as_text()?.value)))
        .collect();
    data.sort_unstable();
    let mut out = String::from("{\"data\":");
    if value.get("data").is_none() {
        out.push_str("\"\"");
    } else {
        out.push('{');
        for (at, (key, text)) in data.into_iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            go_string(key, &mut out);
            out.push(':');
            go_string(text, &mut out);
        }
        out.push('}');
    }
    out.push_str(",\"kind\":\"ConfigMap\",\"name\":\"\"}");
    out
}

fn go_string(text: &str, out: &mut String) {
    out.push('"');
    for it in text.chars() {
        match it {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(it))),
            it if u32::from(it) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(it))),
            it => out.push(it),
        }
    }
    out.push('"');
}

/// The first ten digits of the hash, with those that could spell words replaced.
fn hash(encoded: &str) -> String {
    let digits = Sha256::digest(encoded.as_bytes());
    let hex: String = digits.iter().take(5).map(|it| format!("{it:02x}")).collect();
    hex.chars()
        .map(|it| match it {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            it => it,
        })
        .collect()
}

//! Patches: strategic merge as kyaml does it, and JSON patches (RFC 6902).

use std::sync::Arc;

use crate::value::{Data, Member, Text};
use crate::{Site, Value, identity};

/// Applies a strategic merge patch. `None` if the patch deletes the object.
///
/// Lists of built-in kinds merge by their keys and put what is new first (`MergeOptionsListPrepend`); those of custom
/// resources are replaced, because no schema tells their keys.
pub(super) fn strategic(object: &Arc<Value>, patch: &Arc<Value>) -> Option<Arc<Value>> {
    let has_schema =
        object.text(&["apiVersion"]).is_some_and(|it| is_builtin(identity::split_api_version(it).0));
    merge(object, patch, "", has_schema)
}

/// The groups whose types kustomize has schemas of.
fn is_builtin(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

fn directive(value: &Value) -> Option<&str> {
    value.text(&["$patch"])
}

fn merge(dest: &Arc<Value>, patch: &Arc<Value>, field: &str, has_schema: bool) -> Option<Arc<Value>> {
    match &patch.data {
        Data::Scalar(text) if text.is_null() => None,
        Data::Scalar(_) => Some(Arc::clone(patch)),
        Data::Mapping(members) => {
            match directive(patch) {
                Some("delete") => return None,
                Some("replace") => return Some(strip(patch)),
                _ => {}
            }
            if dest.as_mapping().is_none() {
                return Some(strip(patch));
            }
            let mut merged = Arc::clone(dest);
            let into = Arc::make_mut(&mut merged);
            for member in members.iter().filter(|it| !it.key.starts_with('$')) {
                match into.get(&member.key).cloned() {
                    Some(old) => {
                        let new = merge(&old, &member.value, &member.key, has_schema);
                        let replaced = new
                            .as_ref()
                            .is_some_and(|new| !Arc::ptr_eq(new, &old) && new.as_mapping().is_none());
                        into.set(&member.key, None, new);
                        if replaced
                            && let Data::Mapping(all) = &mut into.data
                            && let Some(it) = all.iter_mut().find(|it| it.key == member.key)
                        {
                            // Who sets the value has set the field.
                            it.site.clone_from(&member.site);
                        }
                    }
                    None if member.value.is_null() || directive(&member.value) == Some("delete") => {}
                    None => into.set(&member.key, member.site.clone(), Some(strip(&member.value))),
                }
            }
            Some(merged)
        }
        Data::Sequence(items) => {
            let old = dest.as_sequence();
            let keys = old.filter(|_| has_schema).and_then(|old| merge_keys(field, old, items));
            match (old, keys) {
                (Some(old), Some(keys)) => merge_lists(dest, old, items, keys, has_schema),
                (Some(old), None) if has_schema && is_set(field) => Some(merge_sets(dest, old, items)),
                _ => Some(strip(patch)),
            }
        }
    }
}

/// The fields that tell the items of a list apart (`x-kubernetes-patch-merge-key` and list map keys of the built-in
/// types).
fn merge_keys(field: &str, old: &[Arc<Value>], new: &[Arc<Value>]) -> Option<&'static [&'static str]> {
    let mut items = old.iter().chain(new);
    Some(match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets"
        | "webhooks"
        | "variables"
        | "matchConditions"
        | "schedulingGates"
        | "resourceClaims"
        | "claims" => &["name"],
        "ports" if items.any(|it| it.get("containerPort").is_some()) => &["containerPort", "protocol"],
        "ports" => &["port", "protocol"],
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "hostAliases" => &["ip"],
        "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
        "ownerReferences" => &["uid"],
        "conditions" => &["type"],
        _ => return None,
    })
}

/// Lists of texts that are merged as sets.
fn is_set(field: &str) -> bool {
    field == "finalizers"
}

fn merge_sets(dest: &Value, old: &[Arc<Value>], new: &[Arc<Value>]) -> Arc<Value> {
    let mut items = new.to_vec();
    items.extend(old.iter().filter(|it| !new.iter().any(|new| new.as_str() == it.as_str())).cloned());
    Arc::new(Value { data: Data::Sequence(items), site: dest.site.clone() })
}

/// Merges lists whose items are told apart by keys, as kyaml does it (walk/associative_sequence.go), in its steps: only so
/// the order is right, and what gets lost on the way. With one key, what the patch names comes first and the rest stays
/// behind; with two that both count, new items come first and all old ones in their order; where one of two lists says the
/// second key and the other does not, the patch's item is lost. `None` if the patch deletes the list.
fn merge_lists(
    dest: &Value,
    old: &[Arc<Value>],
    new: &[Arc<Value>],
    keys: &[&str],
    has_schema: bool,
) -> Option<Arc<Value>> {
    let list =
        |items: Vec<Arc<Value>>| Arc::new(Value { data: Data::Sequence(items), site: dest.site.clone() });
    // What is said of the whole list: in an item of its own.
    let of_list =
        new.iter().find(|it| directive(it).is_some()).filter(|it| it.as_mapping().map(<[_]>::len) == Some(1));
    let of_list = of_list.and_then(|it| directive(it));
    let new: Vec<Arc<Value>> =
        new.iter().filter(|it| of_list.is_none() || directive(it) != of_list).cloned().collect();
    match of_list {
        Some("delete") => return None,
        Some("replace") => return Some(list(new.iter().map(strip).collect())),
        _ => {}
    }
    let told: Vec<Key> =
        distinct(new.iter().chain(old).map(|it| keys.iter().map(|key| text(it, key)).collect()));
    let told = distinct(if keys.len() > 1 { completed(told) } else { told }.into_iter());
    let counts = |nth: &usize| told.iter().any(|it| !it[*nth].is_empty());
    let counting: Vec<usize> = (0..keys.len()).filter(counts).collect();
    let counting = if counting.is_empty() { (0..keys.len()).collect() } else { counting };
    let keys_of = |nth: &[usize]| nth.iter().map(|it| keys[*it]).collect::<Vec<_>>();
    let valid = keys_of(&counting);

    let mut dest = old.to_vec();
    let mut added: Vec<Arc<Value>> = Vec::new();
    for values in &told {
        let of = |nth: &[usize]| nth.iter().map(|it| values[*it].as_str()).collect::<Vec<_>>();
        let said: Vec<usize> = (0..keys.len()).filter(|it| !values[*it].is_empty()).collect();
        let said = if said.is_empty() { counting.clone() } else { said };
        let (sought, wanted) = (keys_of(&said), of(&said));
        let is_it = |it: &Arc<Value>| {
            sought.iter().zip(&wanted).all(|(key, value)| it.get(key).is_some() && text(it, key) == **value)
        };
        let at = dest.iter().position(is_it);
        let merged = match (at, new.iter().find(|it| is_it(it))) {
            // The old item itself stays in the list, and overwrites what replaces it.
            (Some(_), Some(patch)) if directive(patch) == Some("replace") => Some(strip(patch)),
            (Some(at), Some(patch)) => {
                let merged = merge(&dest[at], patch, "", has_schema);
                if let Some(merged) = &merged {
                    dest[at] = Arc::clone(merged);
                }
                merged
            }
            (Some(at), None) => Some(Arc::clone(&dest[at])),
            (None, Some(patch)) => (directive(patch) != Some("delete")).then(|| strip(patch)),
            (None, None) => None,
        };
        match merged.filter(|it| !is_nothing(it)) {
            Some(merged) => set_item(&mut added, Some(&merged), &valid, &of(&counting)),
            None => set_item(&mut dest, None, &valid, &of(&counting)),
        }
    }
    for item in &dest {
        let mut values = Vec::new();
        for key in &valid {
            match item.get(key) {
                Some(_) => values.push(text(item, key)),
                None => added.push(Arc::clone(item)),
            }
        }
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        if valid.len() > 1 {
            set_item(&mut added, None, &valid, &values);
        }
        set_item(&mut added, Some(item), &valid, &values);
    }
    Some(list(added))
}

/// What tells an item apart: the values of the keys, empty where it has none.
type Key = Vec<String>;

fn text(item: &Value, key: &str) -> String {
    let text = item.get(key).and_then(|it| it.as_text()).filter(|it| !it.is_null());
    text.map_or_else(String::new, |it| it.value.to_string())
}

fn distinct(keys: impl Iterator<Item = Key>) -> Vec<Key> {
    let mut found: Vec<Key> = Vec::new();
    for key in keys {
        if !found.contains(&key) {
            found.push(key);
        }
    }
    found
}

/// Where two say the same as far as both say something, each says what either does (kyaml's `mergeValues`).
fn completed(mut all: Vec<Key>) -> Vec<Key> {
    for i in 0..all.len() {
        let one = all[i].clone();
        for j in 0..all.len() {
            let pairs = || one.iter().zip(&all[j]);
            let fits = pairs().all(|(a, b)| a == b || a.is_empty() || b.is_empty());
            if fits && pairs().any(|(a, b)| a == b) {
                let both: Key = pairs().map(|(a, b)| if a.is_empty() { b } else { a }.clone()).collect();
                all[i].clone_from(&both);
                all[j] = both;
            }
        }
    }
    all
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_mapping().is_some_and(<[_]>::is_empty)
}

/// Puts an item where the keys have these values, or at the end; without an item, takes away what is there. As kyaml's
/// `ElementSetter` does it: a key for which no value is told is there if the one before was.
fn set_item(items: &mut Vec<Arc<Value>>, item: Option<&Arc<Value>>, keys: &[&str], values: &[&str]) {
    let is_it = |it: &Arc<Value>| {
        let has = |nth: usize, value: &str| {
            let own = it.get(keys[nth]);
            if value.is_empty() { own.is_some() } else { own.is_some() && text(it, keys[nth]) == value }
        };
        !values.is_empty() && values.iter().take(keys.len()).enumerate().all(|(nth, value)| has(nth, value))
    };
    let mut found = false;
    let mut kept = Vec::with_capacity(items.len() + 1);
    for old in items.drain(..).filter(|it| !is_nothing(it)) {
        if is_it(&old) {
            found = true;
            kept.extend(item.cloned());
        } else if !values.is_empty() {
            kept.push(old);
        }
    }
    if !found {
        kept.extend(item.cloned());
    }
    *items = kept;
}

/// What a patch adds, without its directives.
fn strip(value: &Arc<Value>) -> Arc<Value> {
    fn has_directives(value: &Value) -> bool {
        match &value.data {
            Data::Mapping(members) => {
                members.iter().any(|it| it.key.starts_with('$') || has_directives(&it.value))
            }
            Data::Sequence(items) => items.iter().any(|it| has_directives(it)),
            Data::Scalar(_) => false,
        }
    }
    if !has_directives(value) {
        return Arc::clone(value);
    }
    let data = match &value.data {
        Data::Mapping(members) => Data::Mapping(
            members
                .iter()
                .filter(|it| !it.key.starts_with("$patch") && directive(&it.value) != Some("delete"))
                .map(|it| Member { value: strip(&it.value), ..it.clone() })
                .collect(),
        ),
        Data::Sequence(items) => {
            Data::Sequence(items.iter().filter(|it| directive(it) != Some("delete")).map(strip).collect())
        }
        Data::Scalar(text) => Data::Scalar(text.clone()),
    };
    Arc::new(Value { data, site: value.site.clone() })
}

/// Why a JSON patch cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// The operation's place in the patch.
    pub(super) operation: usize,
    pub(super) why: String,
}

/// Applies the operations of a JSON patch, in order.
pub(super) fn json_patch(object: &Arc<Value>, operations: &[Arc<Value>]) -> Result<Arc<Value>, Refused> {
    let mut object = Arc::clone(object);
    for (at, operation) in operations.iter().enumerate() {
        apply(&mut object, operation).map_err(|why| Refused { operation: at, why })?;
    }
    Ok(object)
}

fn apply(object: &mut Arc<Value>, operation: &Value) -> Result<(), String> {
    let pointer = |key: &str| {
        let text = operation.text(&[key]).ok_or_else(|| format!("the operation has no `{key}`"))?;
        tokens(text).ok_or_else(|| format!("`{text}` is no JSON pointer"))
    };
    let path = pointer("path")?;
    let key_site = operation.get("path").and_then(|it| it.site.clone());
    let null = || Arc::new(Value { data: Data::Scalar(Text::new("", true)), site: None });
    let value = || operation.get("value").cloned().unwrap_or_else(null);
    let found = match operation.text(&["op"]).unwrap_or_default() {
        "add" => edit(object, &path, &Edit::Add(value()), key_site.as_ref()),
        "replace" => edit(object, &path, &Edit::Replace(value()), key_site.as_ref()),
        "remove" => edit(object, &path, &Edit::Remove, None),
        "copy" | "move" => {
            let from = pointer("from")?;
            let found = find(object, &from)?.cloned().unwrap_or_else(null);
            if operation.text(&["op"]) == Some("move") {
                edit(object, &from, &Edit::Remove, None)?;
            }
            edit(object, &path, &Edit::Add(found), key_site.as_ref())
        }
        // What is not there is null.
        "test" => match find(object, &path)? {
            Some(found) if found.says_the_same(&value()) => Ok(()),
            None if value().is_null() => Ok(()),
            _ => Err("the test fails".to_owned()),
        },
        other => return Err(format!("there is no operation `{other}`")),
    };
    found.map_err(|why| format!("/{}: {why}", path.join("/")))
}

enum Edit {
    Add(Arc<Value>),
    Replace(Arc<Value>),
    Remove,
}

fn missing(path: &[String]) -> String {
    format!("`{}` does not exist", path.first().map_or("", String::as_str))
}

/// The steps of a JSON pointer. What is before its first slash does not count, as in json-patch.
pub(crate) fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let unescape = |it: &str| it.replace("~1", "/").replace("~0", "~");
    Some(pointer.split_once('/')?.1.split('/').map(unescape).collect())
}

/// What a pointer leads to: nothing for a key that a mapping does not have. All above it must exist.
fn find<'a>(value: &'a Arc<Value>, path: &[String]) -> Result<Option<&'a Arc<Value>>, String> {
    let Some((last, above)) = path.split_last() else { return Ok(Some(value)) };
    let mut value = value;
    for (nth, token) in above.iter().enumerate() {
        value = step(value, token).ok().flatten().ok_or_else(|| missing(&path[nth..]))?;
    }
    step(value, last).map_err(|()| missing(std::slice::from_ref(last)))
}

fn step<'a>(value: &'a Arc<Value>, token: &str) -> Result<Option<&'a Arc<Value>>, ()> {
    match &value.data {
        Data::Mapping(_) => Ok(value.get(token)),
        Data::Sequence(items) => index(token, items.len()).and_then(|at| items.get(at)).map(Some).ok_or(()),
        Data::Scalar(_) => Err(()),
    }
}

/// The place that an index means in a list of so many: what is below zero counts from the end.
fn index(token: &str, length: usize) -> Option<usize> {
    let at: isize = token.parse().ok()?;
    if at < 0 { length.checked_add_signed(at) } else { usize::try_from(at).ok() }
}

fn edit(value: &mut Arc<Value>, path: &[String], how: &Edit, site: Option<&Site>) -> Result<(), String> {
    let Some((token, rest)) = path.split_first() else {
        return match how {
            Edit::Replace(new) => {
                *value = Arc::clone(new);
                Ok(())
            }
            Edit::Add(_) | Edit::Remove => Err("the whole object can only be replaced".to_owned()),
        };
    };
    let gone = || missing(path);
    match &mut Arc::make_mut(value).data {
        Data::Mapping(members) => {
            let at = members.iter().position(|it| *it.key == **token);
            match (at, rest.is_empty(), how) {
                (Some(at), false, _) => edit(&mut members[at].value, rest, how, site),
                (Some(at), true, Edit::Remove) => {
                    members.remove(at);
                    Ok(())
                }
                (Some(at), true, Edit::Add(new) | Edit::Replace(new)) => {
                    members[at].value = Arc::clone(new);
                    members[at].site = site.cloned();
                    Ok(())
                }
                // A mapping takes what is to be replaced and is not there: json-patch does not ask.
                (None, true, Edit::Add(new) | Edit::Replace(new)) => {
                    members.push(Member {
                        key: token.as_str().into(),
                        site: site.cloned(),
                        value: Arc::clone(new),
                    });
                    Ok(())
                }
                (None, ..) => Err(gone()),
            }
        }
        Data::Sequence(items) => {
            let length = items.len();
            let at = match (token.as_str(), rest.is_empty(), how) {
                ("-", true, Edit::Add(_)) => Some(length),
                // One more place than there are items.
                (token, true, Edit::Add(_)) => index(token, length + 1),
                (token, ..) => index(token, length),
            };
            let Some(at) = at.filter(|at| *at <= length) else { return Err(gone()) };
            match (rest.is_empty(), how) {
                (true, Edit::Add(new)) => {
                    items.insert(at, Arc::clone(new));
                    Ok(())
                }
                _ if at == length => Err(gone()),
                (false, _) => edit(&mut items[at], rest, how, site),
                (true, Edit::Remove) => {
                    items.remove(at);
                    Ok(())
                }
                (true, Edit::Replace(new)) => {
                    items[at] = Arc::clone(new);
                    Ok(())
                }
            }
        }
        Data::Scalar(_) => Err(gone()),
    }
}

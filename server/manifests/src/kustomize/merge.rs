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
            let keys = if has_schema { merge_keys(field, items) } else { None };
            match (old, keys) {
                (Some(old), Some(keys)) => Some(merge_lists(dest, old, items, keys, has_schema)),
                (Some(old), None) if has_schema && is_set(field) => Some(merge_sets(dest, old, items)),
                _ => Some(strip(patch)),
            }
        }
    }
}

/// The fields that tell the items of a list apart (`x-kubernetes-patch-merge-key` and list map keys of the built-in
/// types).
fn merge_keys(field: &str, items: &[Arc<Value>]) -> Option<&'static [&'static str]> {
    Some(match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets"
        | "webhooks"
        | "validations"
        | "variables"
        | "matchConditions"
        | "schedulingGates"
        | "resourceClaims"
        | "claims" => &["name"],
        "ports" if items.iter().any(|it| it.get("containerPort").is_some()) => &["containerPort", "protocol"],
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

/// The items that the patch names come first, in its order, then the others.
fn merge_lists(
    dest: &Value,
    old: &[Arc<Value>],
    new: &[Arc<Value>],
    keys: &[&str],
    has_schema: bool,
) -> Arc<Value> {
    let is_replace = |it: &Arc<Value>| directive(it) == Some("replace");
    let wanted: Vec<&Arc<Value>> = new.iter().filter(|it| !is_replace(it)).collect();
    if wanted.len() < new.len() {
        let items = wanted.into_iter().map(strip).collect();
        return Arc::new(Value { data: Data::Sequence(items), site: dest.site.clone() });
    }
    let same = |one: &Value, two: &Value| {
        let key = |value: &Value, key: &str| value.text(&[key]).map(str::to_owned);
        let (first, rest) = match keys {
            [first, rest @ ..] => (first, rest),
            [] => return false,
        };
        key(one, first).is_some()
            && key(one, first) == key(two, first)
            && rest.iter().all(|it| match (key(one, it), key(two, it)) {
                (Some(one), Some(two)) => one == two,
                _ => true,
            })
    };
    let mut taken = vec![false; old.len()];
    let mut items = Vec::with_capacity(old.len() + wanted.len());
    for item in wanted {
        let at = old.iter().position(|it| same(it, item));
        match at {
            Some(at) => {
                taken[at] = true;
                items.extend(merge(&old[at], item, "", has_schema));
            }
            None if directive(item) == Some("delete") => {}
            None => items.push(strip(item)),
        }
    }
    items.extend(old.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(it, _)| Arc::clone(it)));
    Arc::new(Value { data: Data::Sequence(items), site: dest.site.clone() })
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
            let found = find(object, &from).cloned().ok_or_else(|| missing(&from))?;
            if operation.text(&["op"]) == Some("move") {
                edit(object, &from, &Edit::Remove, None)?;
            }
            edit(object, &path, &Edit::Add(found), key_site.as_ref())
        }
        "test" => match find(object, &path) {
            Some(found) if found.says_the_same(&value()) => Ok(()),
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

/// The steps of a JSON pointer.
pub(crate) fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let unescape = |it: &str| it.replace("~1", "/").replace("~0", "~");
    Some(pointer.strip_prefix('/')?.split('/').map(unescape).collect())
}

fn find<'a>(value: &'a Arc<Value>, path: &[String]) -> Option<&'a Arc<Value>> {
    path.iter().try_fold(value, |value, token| match &value.data {
        Data::Mapping(_) => value.get(token),
        Data::Sequence(items) => items.get(token.parse::<usize>().ok()?),
        Data::Scalar(_) => None,
    })
}

fn edit(value: &mut Arc<Value>, path: &[String], how: &Edit, site: Option<&Site>) -> Result<(), String> {
    let Some((token, rest)) = path.split_first() else {
        return match how {
            Edit::Add(new) | Edit::Replace(new) => {
                *value = Arc::clone(new);
                Ok(())
            }
            Edit::Remove => Err("the whole object cannot be removed".to_owned()),
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
                (None, true, Edit::Add(new)) => {
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
            let at = match token.as_str() {
                "-" => Some(length),
                token => token.parse::<usize>().ok(),
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

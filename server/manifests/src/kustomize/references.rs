//! Names in objects that follow the objects they name (kustomize's `nameref` filter): of those, the service accounts that
//! role bindings name.

use std::sync::Arc;

use super::object::{Built, How, Id, is_cluster_scoped};
use crate::value::Data;
use crate::{RepoPath, Value};

/// A ServiceAccount that was renamed or moved.
struct Account {
    now: Id,
    earlier: Vec<Id>,
    name: Arc<Value>,
    namespace: Option<Arc<Value>>,
}

/// Makes the subjects of role bindings name the service accounts of the build as they are called in the end.
pub(super) fn subjects(objects: &mut [Built], path: &RepoPath) {
    let accounts: Vec<Account> = objects.iter().filter_map(account).collect();
    if accounts.is_empty() {
        return;
    }
    for object in objects {
        let Some(id) = object.id() else { continue };
        let is_binding = matches!(&*id.kind, "RoleBinding" | "ClusterRoleBinding");
        if !is_binding || &*id.group != "rbac.authorization.k8s.io" {
            continue;
        }
        let Some(subjects) = object.value.get("subjects").and_then(|it| it.as_sequence()) else { continue };
        // A RoleBinding reaches the accounts of its own namespace and of those that it names.
        let named: Vec<&str> = subjects
            .iter()
            .filter(|it| it.text(&["kind"]) == Some("ServiceAccount"))
            .filter_map(|it| it.text(&["namespace"]))
            .collect();
        let reaches = |it: &Account| {
            is_cluster_scoped(&id.group, &id.kind)
                || it.now.effective_namespace() == id.effective_namespace()
                || it.now.namespace.as_deref().is_some_and(|it| named.contains(&it))
        };
        let reached: Vec<&Account> = accounts.iter().filter(|it| reaches(it)).collect();
        let new: Vec<Option<Arc<Value>>> = subjects.iter().map(|it| followed(it, &reached)).collect();
        let sites: Vec<_> = new.iter().flatten().map(|it| it.get("namespace")?.site.clone()).collect();
        if new.iter().all(Option::is_none) {
            continue;
        }
        Value::change(&mut object.value, &["subjects"], false, &mut |subjects| {
            let Data::Sequence(items) = &mut Arc::make_mut(subjects).data else { return };
            for (item, new) in items.iter_mut().zip(&new) {
                if let Some(new) = new {
                    *item = Arc::clone(new);
                }
            }
        });
        for site in sites.iter().flatten() {
            let is_told = object.shaped_by.iter().any(|it| it.site.as_ref() == Some(site));
            if !is_told {
                object.shaped(Some(site), path, How::Namespace);
            }
        }
    }
}

fn account(object: &Built) -> Option<Account> {
    let now = object.id()?;
    let is_one = &*now.kind == "ServiceAccount" && now.group.is_empty() && !object.earlier.is_empty();
    let metadata = object.value.get("metadata").filter(|_| is_one)?;
    Some(Account {
        now,
        earlier: object.earlier.clone(),
        name: Arc::clone(metadata.get("name")?),
        namespace: metadata
            .get("namespace")
            .filter(|it| it.as_str().is_some_and(|it| !it.is_empty()))
            .cloned(),
    })
}

/// The subject as the account that it names is called in the end; `None` if it stays.
fn followed(subject: &Arc<Value>, accounts: &[&Account]) -> Option<Arc<Value>> {
    let name = subject.text(&["name"])?;
    let first = |it: &Account| it.earlier.first().map(|it| it.effective_namespace().to_owned());
    let mut candidates: Vec<&Account> = match subject.text(&["namespace"]) {
        None => accounts.to_vec(),
        Some(namespace) => {
            let at_first = accounts.iter().filter(|it| first(it).as_deref() == Some(namespace));
            let mut found: Vec<&Account> = at_first.copied().collect();
            if found.is_empty() {
                let now = accounts.iter().filter(|it| it.now.effective_namespace() == namespace);
                found = now.copied().collect();
            }
            found
        }
    };
    candidates.retain(|it| it.earlier.iter().any(|it| *it.name == *name));
    let (one, others) = candidates.split_first()?;
    // Which of two is meant kustomize tells by prefixes; if those leave more than one it refuses.
    let is_sure = others.iter().all(|it| it.now == one.now);
    let is_new = subject.text(&["name"]) != one.name.as_str()
        || one.namespace.as_ref().is_some_and(|it| it.as_str() != subject.text(&["namespace"]));
    (is_sure && is_new).then(|| {
        let mut new = Arc::clone(subject);
        let into = Arc::make_mut(&mut new);
        if subject.text(&["name"]) != one.name.as_str() {
            let site = subject.get("name").and_then(|it| it.site.clone());
            let name = Value { data: one.name.data.clone(), site };
            into.set("name", None, Some(Arc::new(name)));
        }
        if let Some(it) = one.namespace.as_ref().filter(|it| it.as_str() != subject.text(&["namespace"])) {
            into.set("namespace", it.site.clone(), Some(Arc::clone(it)));
        }
        new
    })
}

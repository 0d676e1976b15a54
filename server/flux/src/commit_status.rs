//! Commit statuses as notification-controller posts them (flux-reference F.3).

use crate::{Kind, Object, ObjectId};

/// The context of a commit status that Flux posts by default: `kind/name/uid8`, in lower case
/// (`provider_commit_status.go`, `generateDefaultCommitStatus`). There is no namespace in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusContext {
    /// The kind of the object.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The first eight digits of the uid of the `Provider` that posted it: each cluster has its own.
    pub provider: String,
}

impl StatusContext {
    /// Reads a context; `None` for one of somebody else, or of a `spec.commitStatusExpr`.
    pub fn parse(context: &str) -> Option<StatusContext> {
        let mut parts = context.split('/');
        let (kind, name, provider) = (parts.next()?, parts.next()?, parts.next()?);
        let hex = provider.len() == 8 && provider.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        if parts.next().is_some() || name.is_empty() || !hex {
            return None;
        }
        let kind = Kind::ALL.iter().copied().find(|it| it.as_str().to_ascii_lowercase() == kind)?;
        Some(StatusContext { kind, name: name.to_owned(), provider: provider.to_owned() })
    }

    /// Whether an object has this kind and name.
    pub fn names(&self, kind: Kind, name: &str) -> bool {
        self.kind == kind && self.name == name.to_lowercase()
    }

    /// Whether this `Provider` posted it.
    pub fn is_by(&self, provider: &Object) -> bool {
        provider.kind == Kind::Provider
            && provider.meta.uid.as_ref().is_some_and(|uid| uid.to_lowercase().starts_with(&self.provider))
    }
}

/// The context that a `Provider` with a `spec.commitStatusExpr` (Flux 2.6) gives to what it posts about an object.
///
/// The expression is CEL, which is not evaluated here but for what such expressions are: names and texts put together
/// (`'staging/' + event.involvedObject.name + '/' + provider.metadata.uid.split('-')[0]`), in lower case or not. `None` for
/// every other expression: then the context is opaque, and only settings can tell whose it is.
pub fn custom_context(provider: &Object, object: &ObjectId) -> Option<String> {
    let spec = provider.raw_spec();
    let expression = spec.get("commitStatusExpr")?.as_str()?.trim();
    let mut rest = expression;
    let context = Scope { provider, object }.sum(&mut rest)?;
    rest.is_empty().then_some(context)
}

/// What the variables of an expression stand for.
struct Scope<'a> {
    provider: &'a Object,
    object: &'a ObjectId,
}

impl Scope<'_> {
    /// `term + term + …`, as far as `rest` goes.
    fn sum(&self, rest: &mut &str) -> Option<String> {
        let mut text = self.term(rest)?;
        while let Some(next) = rest.strip_prefix('+') {
            *rest = next;
            text.push_str(&self.term(rest)?);
        }
        Some(text)
    }

    /// A text, a name or a sum in parentheses; in lower case if that is called on it.
    fn term(&self, rest: &mut &str) -> Option<String> {
        *rest = rest.trim_start();
        let mut text = match rest.chars().next()? {
            quote @ ('\'' | '"') => {
                let (text, next) = rest.get(1..)?.split_once(quote)?;
                // Escapes are not undone here.
                if text.contains('\\') {
                    return None;
                }
                *rest = next;
                text.to_owned()
            }
            '(' => {
                *rest = rest.get(1..)?;
                let text = self.sum(rest)?;
                *rest = rest.strip_prefix(')')?;
                text
            }
            _ => {
                let (value, name) = self.named(rest)?;
                *rest = rest.get(name.len()..)?;
                value
            }
        };
        if let Some(next) = rest.strip_prefix(".lowerAscii()") {
            *rest = next;
            text = text.to_ascii_lowercase();
        }
        *rest = rest.trim_start();
        Some(text)
    }

    /// The variable that `rest` begins with: its value, and its name.
    fn named(&self, rest: &str) -> Option<(String, &'static str)> {
        let uid = self.provider.meta.uid.as_deref();
        let first = uid.and_then(|it| it.split('-').next());
        // Longer names before those that they begin with.
        let names = [
            ("event.involvedObject.kind", Some(&*self.object.kind)),
            ("event.involvedObject.namespace", Some(&*self.object.namespace)),
            ("event.involvedObject.name", Some(&*self.object.name)),
            ("provider.metadata.namespace", Some(&*self.provider.id.namespace)),
            ("provider.metadata.name", Some(&*self.provider.id.name)),
            ("provider.metadata.uid.split('-')[0]", first),
            ("provider.metadata.uid.split(\"-\")[0]", first),
            ("provider.metadata.uid", uid),
        ];
        let (name, value) = names.into_iter().find(|(name, _)| rest.starts_with(name))?;
        Some((value?.to_owned(), name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_context_of_flux_and_one_of_somebody_else() {
        let context = StatusContext::parse("kustomization/apps/0c9c2e41");
        let context = context.expect("Flux wrote it");
        assert!(context.names(Kind::Kustomization, "apps"));
        assert!(!context.names(Kind::HelmRelease, "apps") && !context.names(Kind::Kustomization, "app"));
        for other in [
            "ci/build",
            "Kustomization/apps/0c9c2e41",
            "kustomization/apps",
            "kustomization/apps/0c9c2e4",
            "kustomization/apps/0c9c2e41/x",
            "kustomization//0c9c2e41",
            "kustomization/apps/0C9C2E41",
            "deployment/apps/0c9c2e41",
            "flux-reconciliation",
            "",
        ] {
            assert_eq!(StatusContext::parse(other), None, "{other}");
        }
        assert!(context.is_by(&provider("", "0c9c2e41-1b1b-4c4c-8d8d-000000000000")));
        assert!(!context.is_by(&provider("", "1c9c2e41-1b1b-4c4c-8d8d-000000000000")));
    }

    fn provider(expression: &str, uid: &str) -> Object {
        let mut spec = json!({"type": "github"});
        if !expression.is_empty() {
            spec["commitStatusExpr"] = json!(expression);
        }
        Object::from_json(json!({
            "apiVersion": "notification.toolkit.fluxcd.io/v1beta3", "kind": "Provider",
            "metadata": {"name": "github", "namespace": "flux-system", "uid": uid}, "spec": spec,
        }))
        .expect("a Provider")
    }

    #[test]
    fn an_expression_that_puts_names_together() {
        let object = ObjectId::flux(Kind::Kustomization, "flux-system", "Apps");
        let check = |expression: &str, expect: Option<&str>| {
            let context = custom_context(&provider(expression, "0c9c2e41-1b1b-4c4c"), &object);
            assert_eq!(context.as_deref(), expect, "{expression}");
        };
        check("'staging/' + event.involvedObject.name", Some("staging/Apps"));
        check(
            "(event.involvedObject.kind + '/' + event.involvedObject.name).lowerAscii()",
            Some("kustomization/apps"),
        );
        check(
            "event.involvedObject.kind.lowerAscii() + \"+\" + event.involvedObject.name",
            Some("kustomization+Apps"),
        );
        check("'a/' + event.involvedObject.name.lowerAscii()", Some("a/apps"));
        check(
            "(event.involvedObject.namespace + '/' + provider.metadata.uid.split('-')[0] + '/' + provider.metadata.name)",
            Some("flux-system/0c9c2e41/github"),
        );
        // What is not understood is opaque, never half of it.
        check("event.metadata.summary + '/' + event.involvedObject.name", None);
        check("event.involvedObject.name == 'a' ? 'x' : 'y'", None);
        check("'a\\'b' + event.involvedObject.name", None);
        check("'open + event.involvedObject.name", None);
        check("'a' +", None);
        check("event.involvedObject.names", None);
        check("provider.metadata.uid.split('-')[1]", None);
        check("('a' + 'b'", None);
        check("", None);
    }
}

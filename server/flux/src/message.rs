//! Messages of Flux, made fit for comparing and for showing (flux-reference C.0).
//!
//! They are raw Go strings from the cluster: data, never markup. Escaping is up to who shows them.

use std::borrow::Cow;

use crate::{Kind, ObjectId};

/// Longest [`first_sentence`], in characters.
pub const SENTENCE: usize = 400;

/// The message without what only the controller knows: its temporary directories become paths relative
/// to the artifact's root, the log of changes of earlier stages and trailing white space go.
pub fn normalise(message: &str) -> Cow<'_, str> {
    let trimmed = cut_change_log(message);
    strip_temporary_directories(trimmed)
}

/// Cuts the trailing lines that tell what earlier stages applied (`Deployment/apps/web created`): they
/// are successes.
fn cut_change_log(message: &str) -> &str {
    let mut rest = message.trim_end();
    while let Some((before, line)) = rest.rsplit_once('\n') {
        let is_change = line.split_once(' ').is_some_and(|(object, what)| {
            object.contains('/') && matches!(what, "created" | "configured" | "deleted" | "unchanged")
        });
        if !is_change {
            break;
        }
        rest = before.trim_end();
    }
    rest
}

/// Replaces `/tmp/kustomization-123/apps` by `apps`, wherever the temporary directory is.
fn strip_temporary_directories(message: &str) -> Cow<'_, str> {
    const MARK: &str = "/kustomization-";
    if !message.contains(MARK) {
        return message.into();
    }
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(found) = rest.find(MARK) {
        let (before, after) = (&rest[..found], &rest[found + MARK.len()..]);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let tail = &after[digits..];
        let ends =
            tail.chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '-' && c != '.' && c != '_');
        if digits == 0 || !ends {
            out.push_str(&rest[..found + MARK.len()]);
            rest = after;
            continue;
        }
        // The directory starts at the first `/` after a quote, a blank or a colon.
        let word = before.rfind([' ', '\'', '"', '\n', '\t', '(', ':', '`', '[']).map_or(0, |i| i + 1);
        let start = before[word..].find('/').map_or(before.len(), |i| word + i);
        out.push_str(&before[..start]);
        let path = tail.strip_prefix('/').unwrap_or(tail);
        let is_root = !path.chars().next().is_some_and(|c| !c.is_whitespace() && !"'\":;,)`]".contains(c));
        if is_root {
            out.push('.');
        }
        rest = path;
    }
    out.push_str(rest);
    out.into()
}

/// The message with every duration masked, for telling whether two failures are the same.
pub fn masked(message: &str) -> String {
    let message = normalise(message);
    let mut out = String::with_capacity(message.len());
    let mut rest = message.as_ref();
    let mut in_word = false;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() && !in_word {
            let run = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'.').count();
            // "4m30.005s." ends a sentence: the full stop is not part of the duration.
            let word = rest[..run].trim_end_matches('.');
            if crate::json::parse_duration(word).is_some() {
                out.push('…');
            } else {
                out.push_str(word);
            }
            rest = &rest[word.len()..];
            in_word = false;
            continue;
        }
        in_word = c.is_alphanumeric() || c == '_' || c == '-';
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// The first sentence of a message in one line of at most [`SENTENCE`] characters: what a diagnostic
/// shows. Control characters become blanks.
pub fn first_sentence(message: &str) -> String {
    let message = normalise(message);
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut sentence = lines.next().unwrap_or_default().to_owned();
    // A line that ends in a colon says nothing yet, nor one that ends where in a template something happened.
    while (sentence.ends_with(':') || ends_in_place(&sentence)) && sentence.len() < SENTENCE {
        match lines.next() {
            Some(line) => {
                sentence.push(' ');
                sentence.push_str(line);
            }
            None => break,
        }
    }
    let mut out = String::new();
    let mut blank = false;
    for c in sentence.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if c == ' ' && blank {
            continue;
        }
        blank = c == ' ';
        out.push(c);
    }
    let out = out.trim().trim_end_matches(':').to_owned();
    match out.char_indices().nth(SENTENCE - 1) {
        Some((end, _)) if out.chars().count() > SENTENCE => format!("{}…", out[..end].trim_end()),
        _ => out,
    }
}

/// Whether a line ends in `web/templates/deployment.yaml:24:28`, as Helm 4 begins a frame.
fn ends_in_place(line: &str) -> bool {
    let mut parts = line.rsplitn(3, ':');
    let mut is_number =
        || parts.next().is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()));
    is_number() && is_number() && parts.next().is_some_and(|it| it.contains("/templates/"))
}

/// Matches a text against a pattern in which each `*` stands for any text, as short as the rest of the
/// pattern allows, and returns what the stars stood for.
pub(crate) fn capture<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split('*');
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut captured = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = match (piece.is_empty(), pieces.peek().is_none()) {
            (true, true) => rest.len(),
            (false, true) => rest.len().checked_sub(piece.len()).filter(|_| rest.ends_with(piece))?,
            _ => rest.find(piece)?,
        };
        captured.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(captured)
}

/// The text between `before` and the next `after`.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = text.split_once(before)?.1;
    rest.split_once(after).map(|(found, _)| found)
}

/// A Flux object in a text as `Kind/namespace/name`, and where it ends.
fn flux_object_at(text: &str) -> Option<(ObjectId, usize)> {
    let kind = Kind::ALL
        .iter()
        .copied()
        .find(|kind| text.strip_prefix(kind.as_str()).is_some_and(|rest| rest.starts_with('/')))?;
    let word = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-./".contains(c))).unwrap_or(text.len());
    // A full stop or a slash at the end belongs to the sentence.
    let word = text[..word].trim_end_matches(['.', '/']);
    let mut parts = word.split('/').skip(1);
    let (namespace, name) = (parts.next()?, parts.next()?);
    (parts.next().is_none() && !name.is_empty()).then(|| (ObjectId::flux(kind, namespace, name), word.len()))
}

fn flux_objects(message: &str) -> impl Iterator<Item = (ObjectId, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = message.get(from..)?;
            let start = from + rest.find(|c: char| c.is_ascii_uppercase())?;
            let in_word =
                message[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '-');
            if !in_word && let Some((id, len)) = flux_object_at(&message[start..]) {
                from = start + len;
                return Some((id, &message[start + len..]));
            }
            from = start + 1;
        }
    })
}

/// The Flux objects that a message names as `Kind/namespace/name`, each once.
pub fn named_objects(message: &str) -> Vec<ObjectId> {
    let mut found: Vec<ObjectId> = Vec::new();
    for (id, _) in flux_objects(message) {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// The Flux objects that a failed health check names, those that were ready left out:
/// `timeout waiting for: [HelmRelease/apps/web status: 'InProgress', …]`.
pub fn health_items(message: &str) -> Vec<ObjectId> {
    let mut found: Vec<ObjectId> = Vec::new();
    for (id, rest) in flux_objects(message) {
        let status = rest.strip_prefix(" status: '").and_then(|rest| rest.split('\'').next());
        if status.is_some_and(|status| status != "Current") && !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// Whether a failed health check names objects that are not Flux's: then something failed here, too.
pub(crate) fn names_workloads(message: &str) -> bool {
    let unready = message.match_indices(" status: '").filter(|(at, mark)| {
        message.get(at + mark.len()..).is_some_and(|rest| !rest.starts_with("Current'"))
    });
    unready.count() > health_items(message).len() || message.contains("can't determine status for ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_directories_go() {
        for (message, expected) in [
            ("stat /tmp/kustomization-146/invalid: no such file", "stat invalid: no such file"),
            ("open '/var/folders/x/T/kustomization-1/apps/a.yaml': x", "open 'apps/a.yaml': x"),
            ("path '/tmp/kustomization-42': x", "path '.': x"),
            ("from /tmp/kustomization-42/", "from ."),
            ("two /tmp/kustomization-1/a and /tmp/kustomization-2/b", "two a and b"),
            (
                "a/kustomization-file.yaml and /x/kustomization-9.yaml",
                "a/kustomization-file.yaml and /x/kustomization-9.yaml",
            ),
            ("boom\n", "boom"),
            ("boom\nNamespace/apps created\nDeployment/apps/web configured\n", "boom"),
            (
                "boom\nNamespace/apps exploded\nDeployment/apps/web configured",
                "boom\nNamespace/apps exploded",
            ),
            ("Deployment/apps/web configured", "Deployment/apps/web configured"),
        ] {
            assert_eq!(normalise(message), expected, "{message}");
        }
    }

    #[test]
    fn durations_do_not_count() {
        let first =
            masked("health check failed after 4m30.005s: timeout waiting for: [Job/a/b2m status: 'Failed']");
        assert_eq!(first, "health check failed after …: timeout waiting for: [Job/a/b2m status: 'Failed']");
        assert_eq!(masked("retrying in 30s."), masked("retrying in 1h2m."));
        assert_ne!(masked("replicas 3"), masked("replicas 4"));
        assert_ne!(masked("main@sha1:450796d"), masked("main@sha1:450796e"));
    }

    #[test]
    fn sentences_are_short() {
        assert_eq!(first_sentence("a\nb"), "a");
        assert_eq!(first_sentence("\n\n errors:\n  .spec.x: bad\n  .spec.y: bad"), "errors: .spec.x: bad");
        assert_eq!(first_sentence("ends with:"), "ends with");
        assert_eq!(
            first_sentence(
                "Helm upgrade failed: web/templates/a.yaml:7:18\n  executing \"web/templates/a.yaml\" at <.Values.a.b>:\n    nil pointer"
            ),
            "Helm upgrade failed: web/templates/a.yaml:7:18 executing \"web/templates/a.yaml\" at <.Values.a.b>: nil pointer"
        );
        assert_eq!(first_sentence("\u{1b}[31mred\t\ttext"), "[31mred text");
        assert_eq!(first_sentence(""), "");
        assert_eq!(first_sentence(&"x".repeat(32_768)).chars().count(), SENTENCE);
    }

    #[test]
    fn objects_in_messages() {
        let message = "timeout waiting for: [Kustomization/flux-system/apps status: 'InProgress', HelmRelease/apps/web status: 'Current', Deployment/x/y status: 'Failed'].";
        let names = |found: Vec<ObjectId>| found.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(health_items(message)), ["Kustomization/flux-system/apps"]);
        assert_eq!(names(named_objects(message)), ["Kustomization/flux-system/apps", "HelmRelease/apps/web"]);
        assert!(names_workloads(message));
        assert!(!names_workloads("[Kustomization/flux-system/apps status: 'InProgress']"));
        assert_eq!(
            names(named_objects("dependency fluxcd.controlplane.io/v1/ResourceSet/a/b not ready")),
            ["ResourceSet/a/b"]
        );
        assert_eq!(names(named_objects("HelmReleases/a/b, XHelmRelease/a/b, HelmRelease/a")), [""; 0]);
    }

    #[test]
    fn patterns() {
        assert_eq!(capture("a '*' b*", "a 'x' bc"), Some(vec!["x", "c"]));
        assert_eq!(capture("a", "ab"), None);
        assert_eq!(capture("*end", "the end"), Some(vec!["the "]));
        assert_eq!(capture("*a*", "bab"), Some(vec!["b", "b"]));
        assert_eq!(capture("ab*b", "ab"), None);
    }
}

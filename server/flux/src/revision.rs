//! Revision strings (flux-reference A.4).

use std::convert::Infallible;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// A revision as Flux writes it: of a Git commit, an OCI artifact, a digest or a chart.
///
/// Two revisions are equal when they name the same thing, whether written in today's form
/// (`main@sha1:…`) or in that of Flux before 2.0 (`main/…`).
#[derive(Clone)]
pub struct Revision(Arc<str>);

/// What a [`Revision`] is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevisionParts<'a> {
    /// A Git commit. The algorithm is `sha1`, or `unknown` for repositories with SHA-256 ids (Flux
    /// knows hashes by their length and does not know that one).
    Git {
        /// The branch, tag or reference; it may contain `/`.
        name: Option<&'a str>,
        /// `sha1` or `unknown`.
        algorithm: &'a str,
        /// The commit's full hash.
        hash: &'a str,
    },
    /// Something known by its digest: an OCI artifact (with its tag if it was found by one), the
    /// index of a bucket or of a Helm repository.
    Digest {
        /// The tag.
        tag: Option<&'a str>,
        /// `sha256` and so on.
        algorithm: &'a str,
        /// The digest's hexadecimal digits.
        hex: &'a str,
    },
    /// A chart's version.
    Chart {
        /// The version without its build metadata.
        version: &'a str,
        /// The build metadata, which Flux uses for a digest or a count.
        meta: Option<&'a str>,
    },
    /// Anything else.
    Other(&'a str),
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn parse(text: &str) -> RevisionParts<'_> {
    let (name, rest) = match text.rsplit_once('@') {
        Some((name, rest)) => (Some(name).filter(|n| !n.is_empty()), rest),
        None => (None, text),
    };
    if let Some((algorithm, hash)) = rest.split_once(':')
        && is_hex(hash)
        && !algorithm.is_empty()
        && algorithm.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return match algorithm {
            "sha1" | "unknown" => RevisionParts::Git { name, algorithm, hash },
            _ => RevisionParts::Digest { tag: name, algorithm, hex: hash },
        };
    }
    // Before Flux 2.0 a `/` stood where `@` is now, and there was no algorithm.
    let (name, hash) = match text.rsplit_once('/') {
        Some((name, hash)) => (Some(name).filter(|n| !n.is_empty()), hash),
        None => (None, text),
    };
    match hash.len() {
        40 if is_hex(hash) => return RevisionParts::Git { name, algorithm: "sha1", hash },
        64 if is_hex(hash) => return RevisionParts::Digest { tag: name, algorithm: "sha256", hex: hash },
        _ => {}
    }
    let (version, meta) = match text.split_once('+') {
        Some((version, meta)) => (version, Some(meta)),
        None => (text, None),
    };
    let digits = version.strip_prefix('v').unwrap_or(version);
    let is_version = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
        && digits.contains('.');
    if is_version { RevisionParts::Chart { version, meta } } else { RevisionParts::Other(text) }
}

impl Revision {
    /// Reads a revision. Every text is one; what is not understood is [`RevisionParts::Other`].
    pub fn new(text: &str) -> Revision {
        Revision(text.trim().into())
    }

    /// Like [`Revision::new`], but nothing for an empty text.
    pub fn non_empty(text: &str) -> Option<Revision> {
        let text = text.trim();
        (!text.is_empty()).then(|| Revision(text.into()))
    }

    /// The text as Flux wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is made of.
    pub fn parts(&self) -> RevisionParts<'_> {
        parse(&self.0)
    }

    /// The full hash, if it is a Git commit.
    pub fn commit(&self) -> Option<&str> {
        match self.parts() {
            RevisionParts::Git { hash, .. } => Some(hash),
            _ => None,
        }
    }

    /// The branch, tag or reference it was found by.
    pub fn name(&self) -> Option<&str> {
        match self.parts() {
            RevisionParts::Git { name, .. } => name,
            RevisionParts::Digest { tag, .. } => tag,
            _ => None,
        }
    }

    /// `sha256:…`, if it is known by a digest.
    pub fn digest(&self) -> Option<&str> {
        match self.parts() {
            RevisionParts::Digest { tag: Some(_), .. } => self.0.rsplit_once('@').map(|(_, digest)| digest),
            RevisionParts::Digest { .. } => Some(&self.0),
            _ => None,
        }
    }
}

impl FromStr for Revision {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Revision, Infallible> {
        Ok(Revision::new(text))
    }
}

impl PartialEq for Revision {
    fn eq(&self, other: &Revision) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.parts() == other.parts()
    }
}

impl Eq for Revision {}

impl Hash for Revision {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

fn short(hash: &str) -> &str {
    hash.get(..7).unwrap_or(hash)
}

/// As people read it: `main@1a2b3c4`, `v2.1.0@0cc9a84`, `sha256:0cc9a84`, `6.5.3+1`.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            RevisionParts::Git { name: Some(name), hash, .. } => write!(f, "{name}@{}", short(hash)),
            RevisionParts::Git { name: None, hash, .. } => f.write_str(short(hash)),
            RevisionParts::Digest { tag: Some(tag), hex, .. } => write!(f, "{tag}@{}", short(hex)),
            RevisionParts::Digest { tag: None, algorithm, hex } => write!(f, "{algorithm}:{}", short(hex)),
            RevisionParts::Chart { .. } | RevisionParts::Other(_) => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const SHA1: &str = "450796ddb2ab6724ee1cc32a4be56da032d1cca0";
    const SHA256: &str = "0cc9a8446c95009ef382f5eade883a67c257f77d50f84e78ecef2aac9428d1e5";

    fn check(text: &str, expect: Expect) {
        let text = text.replace("SHA1", SHA1).replace("SHA256", SHA256);
        let revision = Revision::new(&text);
        let parts = format!("{:?}", revision.parts()).replace(SHA1, "SHA1").replace(SHA256, "SHA256");
        expect.assert_eq(&format!("{revision} | {parts}"));
    }

    #[test]
    fn forms() {
        check(
            "main@sha1:SHA1",
            expect![[r#"main@450796d | Git { name: Some("main"), algorithm: "sha1", hash: "SHA1" }"#]],
        );
        check(
            "feature/x@sha1:SHA1",
            expect![[
                r#"feature/x@450796d | Git { name: Some("feature/x"), algorithm: "sha1", hash: "SHA1" }"#
            ]],
        );
        check(
            "refs/pull/1/head@sha1:SHA1",
            expect![[
                r#"refs/pull/1/head@450796d | Git { name: Some("refs/pull/1/head"), algorithm: "sha1", hash: "SHA1" }"#
            ]],
        );
        check(
            "a@b@sha1:SHA1",
            expect![[r#"a@b@450796d | Git { name: Some("a@b"), algorithm: "sha1", hash: "SHA1" }"#]],
        );
        check("sha1:SHA1", expect![[r#"450796d | Git { name: None, algorithm: "sha1", hash: "SHA1" }"#]]);
        check(
            "main@unknown:SHA256",
            expect![[r#"main@0cc9a84 | Git { name: Some("main"), algorithm: "unknown", hash: "SHA256" }"#]],
        );
        check(
            "v2.1.0@sha256:SHA256",
            expect![[
                r#"v2.1.0@0cc9a84 | Digest { tag: Some("v2.1.0"), algorithm: "sha256", hex: "SHA256" }"#
            ]],
        );
        check(
            "sha256:SHA256",
            expect![[r#"sha256:0cc9a84 | Digest { tag: None, algorithm: "sha256", hex: "SHA256" }"#]],
        );
        check(
            "main/SHA1",
            expect![[r#"main@450796d | Git { name: Some("main"), algorithm: "sha1", hash: "SHA1" }"#]],
        );
        check(
            "feature/x/SHA1",
            expect![[
                r#"feature/x@450796d | Git { name: Some("feature/x"), algorithm: "sha1", hash: "SHA1" }"#
            ]],
        );
        check("SHA1", expect![[r#"450796d | Git { name: None, algorithm: "sha1", hash: "SHA1" }"#]]);
        check(
            "latest/SHA256",
            expect![[
                r#"latest@0cc9a84 | Digest { tag: Some("latest"), algorithm: "sha256", hex: "SHA256" }"#
            ]],
        );
        check("6.5.3", expect![[r#"6.5.3 | Chart { version: "6.5.3", meta: None }"#]]);
        check("6.5.3+1", expect![[r#"6.5.3+1 | Chart { version: "6.5.3", meta: Some("1") }"#]]);
        check(
            "6.6.1-rc.1+0cc9a8446c95",
            expect![[
                r#"6.6.1-rc.1+0cc9a8446c95 | Chart { version: "6.6.1-rc.1", meta: Some("0cc9a8446c95") }"#
            ]],
        );
        check("v1.2.3", expect![[r#"v1.2.3 | Chart { version: "v1.2.3", meta: None }"#]]);
        check("", expect![[r#" | Other("")"#]]);
        check("@", expect![[r#"@ | Other("@")"#]]);
        check("main@sha1:", expect![[r#"main@sha1: | Other("main@sha1:")"#]]);
        check("whatever this is", expect![[r#"whatever this is | Other("whatever this is")"#]]);
    }

    #[test]
    fn old_and_new_forms_are_equal() {
        let new = Revision::new(&format!("main@sha1:{SHA1}"));
        assert_eq!(new, Revision::new(&format!("main/{SHA1}")));
        assert_ne!(new, Revision::new(&format!("dev@sha1:{SHA1}")));
        assert_eq!(new.commit(), Some(SHA1));
        assert_eq!(Revision::new(&format!("v1@sha256:{SHA256}")).commit(), None);
    }
}

//! Pages of commits at those who host repositories.

use crate::address::{Port, RemoteUrl};

/// What runs at a host, as far as the addresses of its pages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Website {
    /// GitHub.
    GitHub,
    /// GitLab.
    GitLab,
    /// Bitbucket Cloud; Bitbucket on own servers has other pages.
    Bitbucket,
    /// Azure DevOps.
    AzureDevOps,
    /// Gitea and Forgejo.
    Gitea,
}

impl Website {
    /// What runs at a host, if its name says so: the public ones, and `gitlab.example.com`, `my-gitea.example.com`.
    /// Nothing is guessed of GitHub on own servers: their names are anything.
    pub fn of_host(host: &str) -> Option<Self> {
        match host {
            "github.com" => return Some(Self::GitHub),
            "gitlab.com" => return Some(Self::GitLab),
            "bitbucket.org" => return Some(Self::Bitbucket),
            "dev.azure.com" => return Some(Self::AzureDevOps),
            "codeberg.org" => return Some(Self::Gitea),
            _ => {}
        }
        host.split(['.', '-']).find_map(|word| match word {
            "gitlab" => Some(Self::GitLab),
            "gitea" | "forgejo" => Some(Self::Gitea),
            _ => None,
        })
    }
}

/// The page that compares two commits.
pub(crate) fn compare(at: &RemoteUrl, from: &str, to: &str, known: Option<Website>) -> Option<String> {
    let (from, to) = (hash(from)?, hash(to)?);
    let (website, base) = page(at, known)?;
    Some(match website {
        Website::GitHub | Website::Gitea => format!("{base}/compare/{from}...{to}"),
        Website::GitLab => format!("{base}/-/compare/{from}...{to}"),
        // The newer one first.
        Website::Bitbucket => format!("{base}/branches/compare/{to}..{from}"),
        Website::AzureDevOps => format!("{base}/branchCompare?baseVersion=GC{from}&targetVersion=GC{to}"),
    })
}

/// The page of a commit.
pub(crate) fn of_commit(at: &RemoteUrl, id: &str, known: Option<Website>) -> Option<String> {
    let id = hash(id)?;
    let (website, base) = page(at, known)?;
    Some(match website {
        Website::GitHub | Website::Gitea | Website::AzureDevOps => format!("{base}/commit/{id}"),
        Website::GitLab => format!("{base}/-/commit/{id}"),
        Website::Bitbucket => format!("{base}/commits/{id}"),
    })
}

/// A hash as such is safe to be in a link; anything else is not let in.
fn hash(text: &str) -> Option<&str> {
    (matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(text)
}

/// The page of a repository.
fn page(at: &RemoteUrl, known: Option<Website>) -> Option<(Website, String)> {
    let website = known.or_else(|| Website::of_host(&at.host))?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-[:]".contains(byte);
    if at.host.is_empty() || !at.host.as_bytes().iter().all(plain) {
        return None;
    }
    let parts: Vec<String> = at.path.split('/').map(encode).collect();
    let path = match (website, parts.as_slice()) {
        (Website::AzureDevOps, [organisation, project, name]) => {
            format!("{organisation}/{project}/_git/{name}")
        }
        (Website::AzureDevOps, _) => return None,
        (Website::GitHub | Website::Bitbucket, [_, _]) => parts.join("/"),
        (Website::GitHub | Website::Bitbucket, _) => return None,
        // GitLab has groups in groups, Gitea may live in a folder of its host.
        (Website::GitLab | Website::Gitea, [_, _, ..]) => parts.join("/"),
        (Website::GitLab | Website::Gitea, _) => return None,
    };
    let scheme = if at.plain { "http" } else { "https" };
    let port = match at.port {
        Port::Other(port) => format!(":{port}"),
        Port::Default | Port::Untold => String::new(),
    };
    Some((website, format!("{scheme}://{}{port}/{path}", at.host)))
}

/// Percent-encoding of one part of a path.
fn encode(part: &str) -> String {
    let mut encoded = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

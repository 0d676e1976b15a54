//! Remotes, and when two addresses are the same repository.

use std::fmt;

/// One `[remote "name"]` of the clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The name, `origin` most often.
    pub name: String,
    /// The address as the configuration has it.
    pub url: String,
    /// The address that Git uses after `url.<base>.insteadOf`, where that differs.
    pub rewritten: Option<String>,
}

impl Remote {
    /// The address as it may be shown: without the password that some have in it.
    pub fn shown(&self) -> String {
        match self.url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('/')?))) {
            Some((scheme, (authority, path))) => {
                let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                format!("{scheme}://{host}/{path}")
            }
            None => self.url.clone(),
        }
    }

    /// Whether this remote and the address of a Flux source are one repository.
    pub fn is(&self, url: &RemoteUrl) -> bool {
        [Some(&self.url), self.rewritten.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|own| normalise_url(own))
            .any(|own| own.same_repository(url))
    }
}

/// An address reduced to what tells repositories apart: without scheme, user, password, `.git` and the case
/// of the host. Compare with [`RemoteUrl::same_repository`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    /// Lower case; empty for a path on this machine.
    host: String,
    port: Port,
    /// Without slashes at its ends and without `.git`.
    path: String,
}

/// What a port says of the server. An ssh port says nothing about the one that serves https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    Untold,
    Default,
    Other(u16),
}

impl RemoteUrl {
    /// Whether both lead to the same repository, as far as addresses can tell.
    pub fn same_repository(&self, other: &Self) -> bool {
        let ports = self.port == Port::Untold || other.port == Port::Untold || self.port == other.port;
        ports && self.host == other.host && self.path == other.path
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Port::Other(port) => write!(f, "{}:{port}/{}", self.host, self.path),
            _ => write!(f, "{}/{}", self.host, self.path),
        }
    }
}

/// Reads an address of a Git repository: `https://…`, `ssh://…`, `git@host:path`, `file://…`, a path.
/// `None` for what is no such address (`oci://…`, an empty text).
pub fn normalise_url(url: &str) -> Option<RemoteUrl> {
    let url = url.trim();
    let (host, port, path) = match url.split_once("://") {
        Some((scheme, rest)) => with_scheme(&scheme.to_ascii_lowercase(), rest)?,
        None => without_scheme(url)?,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let path = tidy(&path)?;
    Some(provider(host, port, path))
}

fn with_scheme(scheme: &str, rest: &str) -> Option<(String, Port, String)> {
    if scheme == "file" {
        return Some((String::new(), Port::Untold, decode(rest)));
    }
    let default = match scheme {
        "https" | "git+https" => Some(443),
        "http" | "git+http" => Some(80),
        "ssh" | "git+ssh" | "ssh+git" | "git" => None,
        _ => return None,
    };
    let (authority, path) = rest.split_once('/')?;
    // Queries and fragments are no part of a repository's name; some tools append `?ref=`.
    let path = path.split(['?', '#']).next().unwrap_or(path);
    // A password may hold an @ of its own: the host begins after the last one.
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.rsplit_once(':') {
        Some((name, digits)) if !digits.contains(']') => (name, digits.parse::<u16>().ok()),
        _ => (host, None),
    };
    if host.is_empty() {
        return None;
    }
    let port = match (default, port) {
        (None, _) => Port::Untold,
        (Some(_), None) => Port::Default,
        (Some(default), Some(port)) if default == port => Port::Default,
        (Some(_), Some(port)) => Port::Other(port),
    };
    Some((host.to_owned(), port, decode(path)))
}

/// `user@host:path`, unless what is before the colon cannot be a host: then it is a path.
fn without_scheme(url: &str) -> Option<(String, Port, String)> {
    if url.is_empty() {
        return None;
    }
    if let Some((authority, path)) = url.split_once(':') {
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        // One letter is a drive of Windows; a slash before the colon makes it a path (gitfaq, "scp-like").
        if host.len() > 1 && !authority.contains(['/', '\\']) && !path.is_empty() {
            return Some((host.to_owned(), Port::Untold, path.to_owned()));
        }
    }
    Some((String::new(), Port::Untold, url.replace('\\', "/")))
}

/// Percent-decoding; a wrong sequence stays as it is.
fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let value = (first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

fn tidy(path: &str) -> Option<String> {
    let mut path = path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    if path.to_ascii_lowercase().ends_with(".git") && path.len() > 4 {
        path.truncate(path.len() - 4);
        path = path.trim_end_matches('/').to_owned();
    }
    (!path.is_empty()).then_some(path)
}

/// What single providers do: other hosts for ssh over port 443, other paths for ssh, paths without case.
fn provider(host: String, port: Port, path: String) -> RemoteUrl {
    let host = match host.as_str() {
        "ssh.github.com" | "www.github.com" => "github.com".to_owned(),
        "altssh.gitlab.com" => "gitlab.com".to_owned(),
        "altssh.bitbucket.org" => "bitbucket.org".to_owned(),
        _ => host,
    };
    let (host, path) = azure(host, path);
    let without_case =
        matches!(host.as_str(), "github.com" | "gitlab.com" | "bitbucket.org" | "dev.azure.com");
    RemoteUrl { port, path: if without_case { path.to_lowercase() } else { path }, host }
}

/// Azure DevOps has three addresses for one repository; all become `dev.azure.com/ORG/PROJECT/REPO`.
fn azure(host: String, path: String) -> (String, String) {
    const HOST: &str = "dev.azure.com";
    if host == "ssh.dev.azure.com" || host == "vs-ssh.visualstudio.com" {
        let path = path.strip_prefix("v3/").unwrap_or(&path).to_owned();
        return (HOST.to_owned(), path);
    }
    if let Some(organisation) = host.strip_suffix(".visualstudio.com") {
        let path = path.strip_prefix("DefaultCollection/").unwrap_or(&path);
        return (HOST.to_owned(), format!("{organisation}/{}", path.replace("_git/", "")));
    }
    if host == HOST {
        let path = path.replace("/_git/", "/");
        return (host, path);
    }
    (host, path)
}

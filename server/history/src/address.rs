//! Addresses of repositories, and when two are the same one.

use std::fmt;
use std::net::Ipv6Addr;

/// An address reduced to what tells repositories apart: without scheme, user, password, `.git` and the case
/// of the host. Compare with [`RemoteUrl::same_repository`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    /// Lower case; empty for a path on this machine.
    pub(crate) host: String,
    pub(crate) port: Port,
    /// Without slashes at its ends and without `.git`.
    pub(crate) path: String,
    /// Whether the address is one of `http://`.
    pub(crate) plain: bool,
}

/// What a port says of the server. An ssh port says nothing about the one that serves https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    Untold,
    Default,
    Other(u16),
}

impl RemoteUrl {
    /// Whether both lead to the same repository, as far as addresses can tell.
    pub fn same_repository(&self, other: &Self) -> bool {
        let ports = self.port == Port::Untold || other.port == Port::Untold || self.port == other.port;
        let paths = || {
            if WITHOUT_CASE.contains(&self.host.as_str()) {
                self.path.to_lowercase() == other.path.to_lowercase()
            } else {
                self.path == other.path
            }
        };
        ports && self.host == other.host && paths()
    }
}

/// Hosts that take the names of repositories in any case.
const WITHOUT_CASE: [&str; 6] =
    ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitea.com", AZURE];

const AZURE: &str = "dev.azure.com";

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Port::Other(port) => write!(f, "{}:{port}/{}", self.host, self.path),
            _ => write!(f, "{}/{}", self.host, self.path),
        }
    }
}

/// Reads an address of a Git repository: `https://…`, `ssh://…`, `git@host:path`, `file://…`, a path.
/// `None` for what is no such address (`oci://…`, `ext::…`, an empty text).
pub fn normalise_url(url: &str) -> Option<RemoteUrl> {
    let url = url.trim();
    let (host, port, path, plain) = match url.split_once("://") {
        Some((scheme, rest)) => with_scheme(&scheme.to_ascii_lowercase(), rest)?,
        None => {
            let (host, path) = without_scheme(url)?;
            // Nobody decodes these paths but Azure DevOps.
            let path = if is_azure(&tidy_host(&host)) { decode(&path) } else { path };
            (host, Port::Untold, path, false)
        }
    };
    let host = tidy_host(&host);
    let path = tidy(&path)?;
    let (host, path) = provider(host, path);
    Some(RemoteUrl { host, port, path, plain })
}

fn with_scheme(scheme: &str, rest: &str) -> Option<(String, Port, String, bool)> {
    if scheme == "file" {
        let path = rest.strip_prefix("localhost/").unwrap_or(rest);
        return Some((String::new(), Port::Untold, decode(path), false));
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
    let (host, port) = split_port(without_user(authority))?;
    if host.is_empty() {
        return None;
    }
    let port = match (default, port) {
        (None, _) => Port::Untold,
        (Some(_), None) => Port::Default,
        (Some(default), Some(port)) if default == port => Port::Default,
        (Some(_), Some(port)) => Port::Other(port),
    };
    Some((host.to_owned(), port, decode(path), default == Some(80)))
}

/// A password may hold an @ of its own: the host begins after the last one.
fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Host and port. `None` for a port that is none: then what looks like a host is a piece of something else, of a password
/// with a slash in it for example.
fn split_port(host: &str) -> Option<(&str, Option<u16>)> {
    match host.rsplit_once(':') {
        Some((name, "")) => Some((name, None)),
        // The colons of IPv6 are within brackets.
        Some((name, digits)) if !digits.contains(']') => Some((name, Some(digits.parse().ok()?))),
        _ => Some((host, None)),
    }
}

/// `user@host:path`, unless what is before the colon cannot be a host: then it is a path.
fn without_scheme(url: &str) -> Option<(String, String)> {
    if url.is_empty() {
        return None;
    }
    // Brackets hold a host with colons in it, and may hold a port: `user@[::1]:path`, `[user@host:2222]:path`.
    if let Some((user, rest)) = url.split_once('[')
        && (user.is_empty() || user.ends_with('@'))
        && let Some((inside, path)) = rest.split_once("]:")
    {
        let host = without_user(inside);
        return Some(match host.matches(':').count() {
            0 => (host.to_owned(), path.to_owned()),
            1 => (split_port(host)?.0.to_owned(), path.to_owned()),
            _ => (format!("[{host}]"), path.to_owned()),
        });
    }
    if let Some((authority, path)) = url.split_once(':') {
        // `ext::sh -c …`: a program of its own fetches.
        if path.starts_with(':') {
            return None;
        }
        let host = without_user(authority);
        // One letter is a drive of Windows; a slash before the colon makes it a path (gitfaq, "scp-like").
        if host.len() > 1 && !authority.contains(['/', '\\']) && !path.is_empty() {
            return Some((host.to_owned(), path.to_owned()));
        }
    }
    Some((String::new(), url.replace('\\', "/")))
}

fn tidy_host(host: &str) -> String {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if let Some(address) = address.and_then(|address| address.parse::<Ipv6Addr>().ok()) {
        return format!("[{address}]");
    }
    host.trim_end_matches('.').to_ascii_lowercase()
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

/// What single providers do: other hosts for ssh over port 443, other paths for ssh than for https.
fn provider(host: String, path: String) -> (String, String) {
    let host = match host.as_str() {
        "ssh.github.com" | "www.github.com" => "github.com".to_owned(),
        "altssh.gitlab.com" => "gitlab.com".to_owned(),
        "altssh.bitbucket.org" => "bitbucket.org".to_owned(),
        _ => host,
    };
    // Bitbucket on own servers: `https://HOST/scm/PROJECT/REPO`, but `ssh://HOST:7999/PROJECT/REPO`.
    let path = match path.strip_prefix("scm/") {
        Some(inside) if inside.matches('/').count() == 1 => inside.to_owned(),
        _ => path,
    };
    azure(host, path)
}

fn is_azure(host: &str) -> bool {
    host == AZURE || host == "ssh.dev.azure.com" || host.ends_with(".visualstudio.com")
}

/// Azure DevOps has three addresses for one repository; all become `dev.azure.com/ORG/PROJECT/REPO`.
fn azure(host: String, path: String) -> (String, String) {
    if !is_azure(&host) {
        return (host, path);
    }
    let path = match host.strip_suffix(".visualstudio.com") {
        None | Some("vs-ssh") => path,
        Some(organisation) => format!("{organisation}/{path}"),
    };
    let mut parts: Vec<&str> = path.split('/').filter(|part| *part != "DefaultCollection").collect();
    if parts.first() == Some(&"v3") {
        parts.remove(0);
    }
    if let Some(at) = parts.iter().position(|part| matches!(*part, "_git" | "_ssh")) {
        parts.remove(at);
        parts.retain(|part| !matches!(*part, "_full" | "_optimized"));
        // The repository that has the project's own name: `ORG/_git/NAME`.
        if let [_, name] = parts.as_slice() {
            parts.push(name);
        }
    }
    (AZURE.to_owned(), parts.join("/"))
}

//! What a forge is asked with.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Service, Site};

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// This variable of the environment.
    Variable(&'static str),
    /// `git credential fill`: what the user's own Git would use.
    Git,
    /// The editor, where the user signed in.
    Editor,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::Git => f.write_str("git's credential helper"),
            Self::Editor => f.write_str("the editor's sign-in"),
        }
    }
}

/// A token for one host. It is held in memory only, and its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// `host` or `host:port`: nobody else is sent it.
    host: String,
    user: Option<String>,
    secret: String,
    origin: Origin,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("host", &self.host)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// A token for a site. `user` is for those that are a password.
    pub fn new(site: &Site, user: Option<String>, secret: String, origin: Origin) -> Self {
        Self { host: site.host.clone(), user, secret, origin }
    }

    /// The token that the environment has for a site, under the names that the forges' own tools read.
    ///
    /// A token without a host of its own belongs to the public service, as those tools have it; a self-hosted forge is named by
    /// the tool's variable (`GH_HOST`, `GITLAB_HOST`, `GITEA_SERVER_URL`), or by the user's own settings (`hosts`: what runs
    /// where) if they name one only. So no repository can bring a host that gets it.
    ///
    /// | service | token | host |
    /// |---|---|---|
    /// | GitHub | `GH_TOKEN`, `GITHUB_TOKEN` | github.com |
    /// | GitHub Enterprise | `GH_ENTERPRISE_TOKEN`, `GITHUB_ENTERPRISE_TOKEN` | `GH_HOST` |
    /// | GitLab | `GITLAB_TOKEN` | `GITLAB_HOST`, else gitlab.com |
    /// | Gitea, Forgejo | `GITEA_TOKEN`, `GITEA_SERVER_TOKEN` | `GITEA_SERVER_URL` |
    pub fn from_environment(
        site: &Site,
        hosts: &BTreeMap<String, Service>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Option<Self> {
        let get = |name: &str| {
            let text = environment(name)?.into_string().ok()?;
            let text = text.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let only = |services: &[Service]| {
            let mut named = hosts.iter().filter(|(_, service)| services.contains(service));
            match (named.next(), named.next()) {
                (Some((host, _)), None) => Some(host.clone()),
                _ => None,
            }
        };
        let (variables, home): (&[&'static str], Option<String>) = match site.service {
            Service::GitHub if site.host == "github.com" => {
                (&["GH_TOKEN", "GITHUB_TOKEN"], Some("github.com".to_owned()))
            }
            Service::GitHub => (
                &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
                get("GH_HOST").or_else(|| only(&[Service::GitHub])),
            ),
            Service::GitLab => (
                &["GITLAB_TOKEN"],
                get("GITLAB_HOST")
                    .or_else(|| only(&[Service::GitLab]))
                    .or_else(|| Some("gitlab.com".to_owned())),
            ),
            Service::Gitea | Service::Forgejo => (
                &["GITEA_TOKEN", "GITEA_SERVER_TOKEN"],
                get("GITEA_SERVER_URL").or_else(|| only(&[Service::Gitea, Service::Forgejo])),
            ),
            Service::Bitbucket | Service::AzureDevOps => return None,
        };
        let home = home?;
        let home = home.split_once("://").map_or(home.as_str(), |(_, rest)| rest);
        let home = home.split('/').next().unwrap_or(home);
        if !home.eq_ignore_ascii_case(&site.host) {
            return None;
        }
        let (name, secret) = variables.iter().find_map(|name| Some((*name, get(name)?)))?;
        Some(Self::new(site, None, secret, Origin::Variable(name)))
    }

    /// Where it came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The value of `Authorization` for a site; `None` for another host, and where others could read it on the way.
    pub(crate) fn authorization(&self, site: &Site) -> Option<reqwest::header::HeaderValue> {
        if self.host != site.host || !site.is_private() {
            return None;
        }
        let text = match (site.service, &self.user) {
            // GitLab knows no passwords there; what Git has for it is a token.
            (Service::GitLab, _) | (Service::GitHub, None) => format!("Bearer {}", self.secret),
            (Service::Gitea | Service::Forgejo, None) => format!("token {}", self.secret),
            (_, Some(user)) => format!("Basic {}", STANDARD.encode(format!("{user}:{}", self.secret))),
            (_, None) => return None,
        };
        let mut value = reqwest::header::HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Repository};

    fn site(host: &str, service: Service) -> Site {
        let address = Address {
            host: host.to_owned(),
            port: None,
            path: "o/r".to_owned(),
            plain: host.starts_with("10."),
        };
        Repository::at(&address, service).unwrap().site
    }

    #[track_caller]
    fn check(
        host: &str,
        service: Service,
        hosts: &[(&str, Service)],
        environment: &[(&str, &str)],
        expect: &str,
    ) {
        let hosts = hosts.iter().map(|(host, service)| ((*host).to_owned(), *service)).collect();
        let token = Token::from_environment(&site(host, service), &hosts, |name| {
            environment.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).into())
        });
        let told = token.map_or_else(String::new, |it| {
            let header = it.authorization(&site(host, service));
            format!("{}: {}", it.origin(), header.as_ref().map_or("not sent", |it| it.to_str().unwrap()))
        });
        assert_eq!(told, expect);
    }

    #[test]
    fn a_token_of_the_environment_goes_to_the_host_that_it_is_for() {
        use Service::{Forgejo, GitHub, GitLab, Gitea};
        let all = [
            ("GH_TOKEN", " hub\n"),
            ("GITHUB_TOKEN", "other"),
            ("GITLAB_TOKEN", "lab"),
            ("GITEA_TOKEN", "tea"),
            ("GH_ENTERPRISE_TOKEN", "work"),
        ];
        check("github.com", GitHub, &[], &all, "GH_TOKEN: Bearer hub");
        check("github.com", GitHub, &[], &all[1..], "GITHUB_TOKEN: Bearer other");
        check("github.com", GitHub, &[], &[("GH_TOKEN", "")], "");
        check("github.example.com", GitHub, &[], &all, "");
        check(
            "github.example.com",
            GitHub,
            &[("github.example.com", GitHub)],
            &all,
            "GH_ENTERPRISE_TOKEN: Bearer work",
        );
        check("gitlab.com", GitLab, &[], &all, "GITLAB_TOKEN: Bearer lab");
        check("gitlab.evil.example", GitLab, &[], &all, "");
        check(
            "gitlab.com",
            GitLab,
            &[],
            &[("GITLAB_TOKEN", "lab"), ("GITLAB_HOST", "https://gl.example.com")],
            "",
        );
        check(
            "gl.example.com",
            GitLab,
            &[],
            &[("GITLAB_TOKEN", "lab"), ("GITLAB_HOST", "https://gl.example.com/")],
            "GITLAB_TOKEN: Bearer lab",
        );
        check("git.example.com", Gitea, &[], &all, "");
        check("git.example.com", Gitea, &[("git.example.com", Forgejo)], &all, "GITEA_TOKEN: token tea");
        // Of two nobody knows which one it is for.
        check("git.example.com", Gitea, &[("git.example.com", Gitea), ("codeberg.org", Forgejo)], &all, "");
        // For it, and in the clear: not sent.
        check("10.0.0.7", Gitea, &[("10.0.0.7", Gitea)], &all, "GITEA_TOKEN: not sent");
    }

    #[test]
    fn a_token_is_sent_to_no_other_host_and_never_printed() {
        let token =
            Token::new(&site("github.com", Service::GitHub), Some("me".into()), "s3cret".into(), Origin::Git);
        assert_eq!(format!("{token:?}"), "Token { host: \"github.com\", origin: Git, .. }");
        assert!(token.authorization(&site("github.example.com", Service::GitHub)).is_none());
        let sent = token.authorization(&site("github.com", Service::GitHub)).unwrap();
        assert_eq!(
            (sent.to_str().unwrap(), format!("{sent:?}").as_str()),
            ("Basic bWU6czNjcmV0", "Sensitive")
        );
    }
}

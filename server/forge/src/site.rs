//! Where a repository is on the web.

use std::fmt;

use url::Url;

/// What runs at a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The names say it.
pub enum Service {
    GitHub,
    GitLab,
    Gitea,
    /// Speaks Gitea's API.
    Forgejo,
    /// Known by name only: its statuses cannot be read yet.
    Bitbucket,
    /// Known by name only: its statuses cannot be read yet.
    AzureDevOps,
}

impl Service {
    /// Those whose statuses can be read, as they are offered.
    pub const READABLE: [Service; 4] = [Service::GitHub, Service::GitLab, Service::Gitea, Service::Forgejo];

    /// The name that people know.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Gitea => "Gitea",
            Self::Forgejo => "Forgejo",
            Self::Bitbucket => "Bitbucket",
            Self::AzureDevOps => "Azure DevOps",
        }
    }

    /// The word in settings and files: the type that Flux's `Provider` has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
            Self::Forgejo => "forgejo",
            Self::Bitbucket => "bitbucket",
            Self::AzureDevOps => "azuredevops",
        }
    }

    /// The service that such a word names.
    pub fn from_word(word: &str) -> Option<Service> {
        let all =
            [Self::GitHub, Self::GitLab, Self::Gitea, Self::Forgejo, Self::Bitbucket, Self::AzureDevOps];
        all.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(word))
    }

    /// What runs at a host, as far as its name tells: the public ones, and those that carry the name of what they run
    /// (`gitlab.example.com`, `my-gitea.example.com`).
    pub fn of_host(host: &str) -> Option<Service> {
        let host = host.to_ascii_lowercase();
        let public = match host.as_str() {
            "github.com" => Some(Self::GitHub),
            "gitlab.com" => Some(Self::GitLab),
            "gitea.com" => Some(Self::Gitea),
            "codeberg.org" => Some(Self::Forgejo),
            "bitbucket.org" => Some(Self::Bitbucket),
            "dev.azure.com" => Some(Self::AzureDevOps),
            _ => None,
        };
        public.or_else(|| host.split(['.', '-']).find_map(Self::from_word))
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a remote of a clone leads, without user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The host, in lower case.
    pub host: String,
    /// The port of its web server, where the address tells one. That of an ssh address is another server's.
    pub port: Option<u16>,
    /// The path, without slashes at its ends and without `.git`.
    pub path: String,
    /// Whether the address says `http://`.
    pub plain: bool,
}

impl Address {
    /// `host` or `host:port`: what settings and questions name.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// A forge at a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Site {
    /// What runs there.
    pub service: Service,
    /// `host` or `host:port`, as people know it.
    pub host: String,
    /// Its web address; ends in a slash.
    pub(crate) web: Url,
}

impl Site {
    /// The address of its API; ends in a slash.
    pub(crate) fn api(&self) -> Option<Url> {
        let path = match self.service {
            Service::GitHub if self.host == "github.com" => {
                return Url::parse("https://api.github.com/").ok();
            }
            Service::GitHub => "api/v3/",
            Service::GitLab => "api/v4/",
            Service::Gitea | Service::Forgejo => "api/v1/",
            Service::Bitbucket | Service::AzureDevOps => return None,
        };
        self.web.join(path).ok()
    }

    /// `https` or `http`.
    pub(crate) fn scheme(&self) -> &str {
        self.web.scheme()
    }

    /// Whether what is sent there cannot be read on the way: it is encrypted, or stays on this machine.
    pub(crate) fn is_private(&self) -> bool {
        let loopback = match self.web.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        self.web.scheme() == "https" || loopback
    }
}

/// A repository at a forge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repository {
    /// The forge.
    pub site: Site,
    /// `owner/name`; at GitLab with all groups.
    pub path: String,
}

impl Repository {
    /// The repository at an address, at a host that runs `service`. `None` if the address is none on the web.
    pub fn at(address: &Address, service: Service) -> Option<Repository> {
        let scheme = if address.plain { "http" } else { "https" };
        let mut web = Url::parse(&format!("{scheme}://{}/", address.authority())).ok()?;
        let mut path = address.path.as_str();
        // Where a forge lives under a folder of its host, the repository is the last two parts. GitLab has groups
        // within groups there; a GitLab in a folder cannot be told from them.
        if service != Service::GitLab {
            let mut slashes = path.rmatch_indices('/').map(|(at, _)| at);
            let (_, before_owner) = (slashes.next()?, slashes.next());
            if let Some(at) = before_owner {
                let (folder, repository) = path.split_at(at);
                web = web.join(&format!("{folder}/")).ok()?;
                path = repository.trim_start_matches('/');
            }
        }
        (path.contains('/') && !path.chars().any(char::is_control)).then(|| Repository {
            site: Site { service, host: address.authority(), web },
            path: path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: &str, path: &str) -> Address {
        Address { host: host.to_owned(), port: None, path: path.to_owned(), plain: false }
    }

    fn api(address: &Address, service: Service) -> Option<(String, String)> {
        let repository = Repository::at(address, service)?;
        Some((repository.site.api()?.to_string(), repository.path))
    }

    #[test]
    fn each_service_has_its_api_somewhere_else() {
        let check = |host: &str, path: &str, service, expect: (&str, &str)| {
            assert_eq!(api(&address(host, path), service), Some((expect.0.to_owned(), expect.1.to_owned())));
        };
        check("github.com", "o/r", Service::GitHub, ("https://api.github.com/", "o/r"));
        check("ghe.example.com", "o/r", Service::GitHub, ("https://ghe.example.com/api/v3/", "o/r"));
        check("gitlab.com", "a/b/c/d", Service::GitLab, ("https://gitlab.com/api/v4/", "a/b/c/d"));
        check("codeberg.org", "o/r", Service::Forgejo, ("https://codeberg.org/api/v1/", "o/r"));
        check("example.com", "git/o/r", Service::Gitea, ("https://example.com/git/api/v1/", "o/r"));
        let plain = Address { port: Some(3000), plain: true, ..address("127.0.77.1", "flux/fleet") };
        assert_eq!(
            api(&plain, Service::Gitea),
            Some(("http://127.0.77.1:3000/api/v1/".to_owned(), "flux/fleet".to_owned()))
        );
        assert_eq!(api(&address("github.com", "r"), Service::GitHub), None);
        assert_eq!(api(&address("bitbucket.org", "o/r"), Service::Bitbucket), None);
        assert_eq!(api(&address("", "srv/git/fleet"), Service::Gitea), None);
    }

    #[test]
    fn a_host_may_carry_the_name_of_what_it_runs() {
        assert_eq!(Service::of_host("GitHub.com"), Some(Service::GitHub));
        assert_eq!(Service::of_host("gitlab.example.com"), Some(Service::GitLab));
        assert_eq!(Service::of_host("my-gitea.example.com"), Some(Service::Gitea));
        assert_eq!(Service::of_host("codeberg.org"), Some(Service::Forgejo));
        assert_eq!(Service::of_host("git.example.com"), None);
        assert_eq!(Service::of_host("127.0.77.1"), None);
    }

    #[test]
    fn nothing_is_private_in_the_clear_but_this_machine() {
        let site = |host: &str, plain| {
            let address = Address { plain, ..address(host, "o/r") };
            Repository::at(&address, Service::Gitea).unwrap().site.is_private()
        };
        assert!(site("git.example.com", false));
        assert!(site("127.0.77.1", true) && site("localhost", true));
        assert!(!site("git.example.com", true) && !site("10.0.0.1", true));
        assert!(!site("127.0.0.1.evil.example", true));
    }
}

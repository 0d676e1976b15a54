//! The forge of a repository: where it is, which commits are asked for, with which token, and what it told. Shared by the
//! server and the terminal; who may be asked is decided by [`consent`] and the settings.

pub(crate) mod consent;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use analysis::{Refs, Report, Reported, ReportedOn, Reporting};
use forge::{Address, Client, Outcome, Repository, Service, Site, Token};
use manifests::RepoPath;

use crate::settings::Settings;

/// Commits that are asked for at once; a forge is asked once for each.
const COMMITS: usize = 6;
/// Commits that touched a file, among them.
const TOUCHING: usize = 3;
/// How far back they are looked for.
const BACK: [&str; 3] = ["HEAD~50", "HEAD~10", "HEAD~1"];

/// Where a repository is on the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// At a forge.
    At(Repository),
    /// At a host of which nobody told what runs there.
    Unknown(Address),
}

impl Place {
    /// The host, with its port if it is not the usual one.
    pub(crate) fn host(&self) -> String {
        match self {
            Place::At(repository) => repository.site.host.clone(),
            Place::Unknown(address) => address.authority(),
        }
    }

    /// The name of what runs there.
    pub(crate) fn service(&self) -> &'static str {
        match self {
            Place::At(repository) => repository.site.service.name(),
            Place::Unknown(_) => "the Git forge",
        }
    }

    /// The same place, where `service` runs.
    pub(crate) fn running(self, service: Service) -> Place {
        match self {
            Place::Unknown(address) => match Repository::at(&address, service) {
                Some(repository) => Place::At(repository),
                None => Place::Unknown(address),
            },
            known => known,
        }
    }
}

/// The forge of a clone: that of the remote that the branch follows, else of `origin`, else of the first one that is on the
/// web. What runs at its host the user's settings tell first, then the host's name.
///
/// With the remote's name. Of the address only scheme, host, port and path count. A user and a password in it are the clone's: they are not used.
pub(crate) fn place(git: &history::Repository, hosts: &BTreeMap<String, Service>) -> Option<(String, Place)> {
    let follows = git.upstream().ok().flatten().map(|it| it.remote);
    let mut remotes = git.remotes();
    remotes.sort_by_key(|it| (Some(&it.name) != follows.as_ref(), it.name != "origin", it.name.clone()));
    // Whatever runs there, a repository has an owner: what has none is at no forge.
    let on_the_web = |it: &history::Remote| {
        let address = address(it.rewritten.as_ref().unwrap_or(&it.url))?;
        Repository::at(&address, Service::Gitea).is_some().then(|| (it.name.clone(), address))
    };
    let (remote, address) = remotes.iter().find_map(on_the_web)?;
    let authority = address.authority();
    let service = hosts.get(&authority).copied().or_else(|| Service::of_host(&address.host));
    let place = match service.and_then(|service| Repository::at(&address, service)) {
        Some(repository) => Place::At(repository),
        None => Place::Unknown(address),
    };
    Some((remote, place))
}

fn address(url: &str) -> Option<Address> {
    let told = history::normalise_url(url)?.to_string();
    let (authority, path) = told.split_once('/')?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (authority, None),
    };
    let plain = url.trim().get(..7).is_some_and(|it| it.eq_ignore_ascii_case("http://"));
    (!host.is_empty()).then(|| Address { host: host.to_owned(), port, path: path.to_owned(), plain })
}

/// The commits that a forge may have something to say about, the one in front of the user first: HEAD if it is pushed, the tip
/// of the branch that it follows, the tips of the remote's few other branches (a cluster follows one of them), and the
/// commits that last touched `files`. What is not pushed no forge knows; it is not asked for it.
pub(crate) fn commits(
    git: &history::Repository,
    remote: &str,
    refs: &Refs,
    files: &[RepoPath],
) -> Vec<String> {
    let head = refs.head.as_ref().map(|it| it.commit.clone());
    let none = BTreeMap::new();
    let pushed = refs.tracked.get(remote).unwrap_or(&none);
    let followed = refs.head.as_ref().and_then(|it| it.upstream.as_ref()).filter(|(it, _)| it == remote);
    let tip = followed.and_then(|(_, branch)| pushed.get(branch)).map(|it| it.commit.clone());
    let is_pushed = |commit: &String| {
        pushed.values().any(|it| it.commit == *commit)
            || tip.as_ref().is_some_and(|tip| git.is_ancestor(commit, tip).unwrap_or(false))
    };
    let mut commits: Vec<String> = Vec::new();
    let mut add = |commit: String| {
        if commits.len() < COMMITS && !commits.contains(&commit) {
            commits.push(commit);
        }
    };
    if let Some(head) = head.clone().filter(is_pushed) {
        add(head);
    }
    if let Some(tip) = &tip {
        add(tip.clone());
    }
    // Of many branches nobody knows which ones count; the usual names do.
    let usual =
        |name: &&String| pushed.len() <= 4 || matches!(name.as_str(), "main" | "master" | "production");
    pushed.keys().filter(usual).filter_map(|name| pushed.get(name)).for_each(|it| add(it.commit.clone()));
    if let Some(to) = tip.or(head)
        && !files.is_empty()
        && let Some(from) = BACK.iter().find_map(|it| git.resolve(it).ok())
        && let Ok(touching) = git.touching(&from.to_string(), &to, files, TOUCHING)
    {
        touching.commits.into_iter().for_each(|it| add(it.id.to_string()));
    }
    commits
}

/// Where tokens come from.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    /// The environment.
    pub environment: fn(&str) -> Option<OsString>,
    /// What runs where, by the user's own settings.
    pub hosts: BTreeMap<String, Service>,
    /// An empty folder of ours, where Git is asked.
    pub folder: PathBuf,
}

impl Tokens {
    /// Those of a user.
    pub(crate) fn new(
        settings: &Settings,
        environment: fn(&str) -> Option<OsString>,
        state: &std::path::Path,
    ) -> Tokens {
        Tokens { environment, hosts: settings.forge_hosts.clone(), folder: state.join("git") }
    }

    /// The token for a site: of the environment, else what the user's Git would use. None is no error.
    pub(crate) async fn find(&self, site: &Site) -> Option<Token> {
        if let Some(token) = Token::from_environment(site, &self.hosts, self.environment) {
            return Some(token);
        }
        if let Err(error) = std::fs::create_dir_all(&self.folder) {
            tracing::warn!(%error, "git is not asked for a token: there is no folder to ask in");
            return None;
        }
        match forge::ask_git(site, &self.folder).await {
            Ok(token) => token,
            Err(error) => {
                tracing::info!(%error, host = site.host, "no token");
                None
            }
        }
    }
}

/// What is reported as long as nothing was read: the offer to do so.
pub(crate) fn offer(place: &Place, wanted: bool, settings: &Settings) -> Reported {
    Reported {
        service: place.service().to_owned(),
        host: place.host(),
        wanted,
        contexts: settings.status_contexts.clone(),
        ..Reported::default()
    }
}

/// Reads the statuses of commits. After a trouble that concerns the host the rest is not asked for; a commit that the forge
/// does not have is no trouble, it may not be pushed.
pub(crate) async fn read(
    client: &Client,
    repository: &Repository,
    commits: &[String],
    token: Option<&Token>,
) -> (Vec<ReportedOn>, Option<forge::Error>) {
    let mut all = Vec::new();
    for commit in commits {
        match client.statuses(repository, commit, token).await {
            Ok(statuses) => all.push(ReportedOn {
                commit: commit.clone(),
                reports: statuses.statuses.into_iter().map(report).collect(),
            }),
            Err(forge::Error::UnknownCommit { .. }) => {
                tracing::debug!(%commit, host = repository.site.host, "the forge does not have it");
            }
            Err(error) => {
                tracing::info!(%error, "no commit statuses");
                return (all, Some(error));
            }
        }
    }
    (all, None)
}

fn report(status: forge::CommitStatus) -> Report {
    Report {
        context: status.context,
        outcome: match status.outcome {
            Outcome::Success => Reporting::Success,
            Outcome::Failure => Reporting::Failure,
            Outcome::Pending => Reporting::Pending,
            Outcome::Other => Reporting::Other,
        },
        description: status.description,
        at: status.at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_user_and_no_password() {
        let check = |url: &str, expect: Option<(&str, Option<u16>, &str, bool)>| {
            let told = address(url);
            let told = told.as_ref().map(|it| (it.host.as_str(), it.port, it.path.as_str(), it.plain));
            assert_eq!(told, expect, "{url}");
        };
        check("https://me:s3cret@github.com/O/r.git", Some(("github.com", None, "O/r", false)));
        check("git@git.example.com:O/r.git", Some(("git.example.com", None, "O/r", false)));
        check("ssh://git@git.example.com:2222/O/r", Some(("git.example.com", None, "O/r", false)));
        check("http://127.0.77.1:3000/flux/fleet.git", Some(("127.0.77.1", Some(3000), "flux/fleet", true)));
        check("https://git.example.com:8443/O/r", Some(("git.example.com", Some(8443), "O/r", false)));
        check("/srv/git/fleet.git", None);
        check("oci://ghcr.io/o/r", None);
    }
}

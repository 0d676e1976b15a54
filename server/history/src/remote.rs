//! Remotes of a clone, and where they are on the web.

use std::collections::BTreeMap;

use gix::bstr::ByteSlice;

use crate::Repository;
use crate::address::{RemoteUrl, normalise_url};
use crate::web::{Website, compare, of_commit};

/// One `[remote "name"]` of the clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The name, `origin` most often.
    pub name: String,
    /// The address as the configuration has it; the first, where it has several: Git only pushes to the others.
    pub url: String,
    /// The address that Git fetches from after `url.<base>.insteadOf`, where that differs. (`pushInsteadOf` says
    /// nothing about what is fetched.)
    pub rewritten: Option<String>,
}

impl Remote {
    /// The address as it may be shown: without the password that some have in it.
    pub fn shown(&self) -> String {
        let Some((scheme, rest)) = self.url.split_once("://") else {
            // A path, or `user@host:path`; an @ after the colon is none of these.
            return match self.url.split_once(':') {
                Some((user, rest)) if rest.contains('@') && !user.contains(['/', '@']) => "…".to_owned(),
                _ => self.url.clone(),
            };
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if rest.contains('@') && normalise_url(&self.url).is_none() {
            // A password with a slash in it, for example: who knows where it ends.
            return format!("{scheme}://…");
        }
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        // Tokens are put into queries too.
        let path = path.split(['?', '#']).next().unwrap_or(path);
        format!("{scheme}://{host}/{path}")
    }

    /// Whether this remote and the address of a Flux source are one repository.
    pub fn is(&self, url: &RemoteUrl) -> bool {
        self.addresses().any(|own| own.same_repository(url))
    }

    /// The page that shows what lies between two commits (full hashes). `None` unless it is known what runs at the
    /// host: by its name, or because the caller says so. Nothing of the address but host, port and path is in it.
    pub fn compare_url(&self, from: &str, to: &str, known: Option<Website>) -> Option<String> {
        self.addresses().find_map(|own| compare(&own, from, to, known))
    }

    /// The page of a commit (full hash), as [`Remote::compare_url`].
    pub fn commit_url(&self, hash: &str, known: Option<Website>) -> Option<String> {
        self.addresses().find_map(|own| of_commit(&own, hash, known))
    }

    fn addresses(&self) -> impl Iterator<Item = RemoteUrl> {
        [Some(&self.url), self.rewritten.as_ref()].into_iter().flatten().filter_map(|url| normalise_url(url))
    }
}

impl Repository {
    /// The remotes, by name.
    pub fn remotes(&self) -> Vec<Remote> {
        let repo = self.local();
        let config = repo.config_snapshot();
        let mut written: BTreeMap<String, Option<String>> = BTreeMap::new();
        for section in config.plumbing().sections_by_name("remote").into_iter().flatten() {
            let Some(name) = section.header().subsection_name() else { continue };
            let first = written.entry(name.to_str_lossy().into_owned()).or_default();
            for url in section.values("url") {
                if url.is_empty() {
                    // Takes back those before it (Git 2.46).
                    *first = None;
                } else if first.is_none() {
                    *first = Some(url.to_str_lossy().into_owned());
                }
            }
        }
        let remotes = written.into_iter().filter_map(|(name, url)| {
            let url = url?;
            // By address, not by name: in a clone that is somebody else's the library has no remotes, but the user's own
            // `insteadOf` counts there too.
            let rewritten = repo
                .remote_at(url.as_str())
                .ok()
                .and_then(|remote| Some(remote.url(gix::remote::Direction::Fetch)?.to_bstring()))
                .map(|url| url.to_str_lossy().into_owned())
                .filter(|rewritten| *rewritten != url);
            Some(Remote { name, url, rewritten })
        });
        remotes.collect()
    }
}

//! Which of a cluster's sources are this clone.

use std::path::Path;
use std::sync::Arc;

use cluster::Recorded;
use flux::{Facts, Kind};
use history::{Remote, normalise_url};

use super::page::Page;
use crate::cli::connect;
use crate::cli::scene::Scene;
use crate::settings::Settings;

/// So many names are written out.
const NAMED: usize = 12;

/// Compares the addresses of a cluster's sources with the clone's remotes. `complete`: all of it could be read.
pub(super) fn compare(page: &mut Page, root: &Path, recorded: Recorded, complete: bool, settings: &Settings) {
    let cluster = connect::of_recording(recorded, settings);
    let facts = Arc::clone(&cluster.facts);
    let Ok(scene) = Scene::open(root, vec![cluster], settings) else { return };
    let remotes = history::Repository::discover(root).map(|it| it.remotes()).unwrap_or_default();
    let delivered = scene.ask(analysis::delivered);
    let mut near = Vec::new();
    let mut others = 0;
    for source in sources(&facts) {
        match source.likeness(&remotes) {
            Likeness::Same(remote) => page.well(format!("{} is this clone (remote {remote})", source.says())),
            Likeness::Near(how) => near.push(format!("{} is not this clone, but {how}", source.says())),
            Likeness::Other => others += 1,
            Likeness::Untold => page.note(format!(
                "{} does not say which repository it was made from (`flux push artifact --source` writes it)",
                source.name
            )),
        }
    }
    if others > 0 {
        page.note(format!(
            "{others} other {} of other repositories",
            if others == 1 { "source is" } else { "sources are" }
        ));
    }
    if delivered.is_empty() {
        for line in near {
            page.trouble(line, "If it is the same repository, add its address: git remote add flux URL");
        }
        return match complete {
            true => page.trouble(
                "no Kustomization is applied from this clone",
                "Open the clone that the cluster follows, or add the address that it fetches from as a remote.",
            ),
            false => page.note("no Kustomization is known to be applied from this clone; not all may be read"),
        };
    }
    for line in near {
        page.note(line);
    }
    let names = delivered.iter().take(NAMED).map(|it| {
        format!(
            "{}/{} ({})",
            it.kustomization.namespace,
            it.kustomization.name,
            match it.folder.as_str() {
                "" => ".",
                folder => folder,
            }
        )
    });
    let mut names: Vec<String> = names.collect();
    if delivered.len() > NAMED {
        names.push(format!("and {} more", delivered.len() - NAMED));
    }
    let one = if delivered.len() == 1 { "Kustomization is" } else { "Kustomizations are" };
    page.well(format!("{} {one} applied from this clone: {}", delivered.len(), names.join(", ")));
}

/// A source with its address: of the repository itself, or of the one that it was made from.
struct Source {
    name: String,
    url: Option<String>,
}

/// What an address has in common with the clone's.
enum Likeness {
    Same(String),
    Near(String),
    Other,
    Untold,
}

/// Git repositories, and the OCI artifacts that Kustomizations are built from.
fn sources(facts: &Facts) -> Vec<Source> {
    let git = facts.of_kind(Kind::GitRepository).map(|it| Source {
        name: it.id.to_string(),
        url: Some(it.spec.url.as_deref().unwrap_or_default().to_owned()),
    });
    let mut found: Vec<Source> = git.collect();
    let built_from = facts.of_kind(Kind::Kustomization).filter_map(|it| facts.source_of(it));
    for source in built_from.filter(|it| it.kind == Kind::OCIRepository) {
        let artifact = source.status.artifact.as_ref();
        let url = artifact.and_then(|it| it.origin_source.as_deref()).map(str::to_owned);
        found.push(Source { name: source.id.to_string(), url });
    }
    found.sort_by(|one, two| one.name.cmp(&two.name));
    found.dedup_by(|one, two| one.name == two.name);
    found
}

impl Source {
    /// The name and the address, without what is secret in it.
    fn says(&self) -> String {
        let url = self.url.clone().unwrap_or_default();
        let shown = Remote { name: String::new(), url, rewritten: None }.shown();
        format!("{}: {}", self.name, shown.chars().filter(|it| !it.is_control()).collect::<String>())
    }

    fn likeness(&self, remotes: &[Remote]) -> Likeness {
        let Some(url) = &self.url else { return Likeness::Untold };
        let Some(theirs) = normalise_url(url) else { return Likeness::Other };
        if let Some(remote) = remotes.iter().find(|it| it.is(&theirs)) {
            return Likeness::Same(remote.name.clone());
        }
        let theirs = theirs.to_string();
        let near = remotes.iter().find_map(|remote| {
            let ours = normalise_url(&remote.url)?.to_string();
            Some(format!("{} {}", how_near(&theirs, &ours)?, remote.name))
        });
        near.map_or(Likeness::Other, Likeness::Near)
    }
}

/// What two different addresses (`host/path`) have in common, if that may be no accident.
fn how_near(theirs: &str, ours: &str) -> Option<&'static str> {
    let (their_host, their_path) = theirs.split_once('/')?;
    let (our_host, our_path) = ours.split_once('/')?;
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let bare = |host: &str| host.split(':').next().unwrap_or_default().to_owned();
    if their_path.eq_ignore_ascii_case(our_path) {
        return Some(match () {
            () if their_host == our_host => "differs only in upper and lower case from remote",
            () if bare(their_host) == bare(our_host) => "has the path and host, and another port than remote",
            () => "has the path, and another host than remote",
        });
    }
    (their_host == our_host && name(their_path) == name(our_path))
        .then_some("has the name, and another owner than remote")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_told_and_what_is_not_is_not() {
        let near = |theirs: &str| {
            let source = Source { name: "GitRepository/flux-system/fleet".into(), url: Some(theirs.into()) };
            let ours = "git@git.example:shop/fleet.git".to_owned();
            let remote = Remote { name: "origin".into(), url: ours, rewritten: None };
            match source.likeness(&[remote]) {
                Likeness::Same(remote) => format!("is {remote}"),
                Likeness::Near(how) => how,
                Likeness::Other => "other".to_owned(),
                Likeness::Untold => "untold".to_owned(),
            }
        };
        assert_eq!(near("https://git.example/shop/fleet"), "is origin");
        assert_eq!(
            near("https://mirror.example/shop/fleet"),
            "has the path, and another host than remote origin"
        );
        assert_eq!(
            near("https://git.example/fork/fleet"),
            "has the name, and another owner than remote origin"
        );
        assert_eq!(
            near("https://git.example/Shop/fleet"),
            "differs only in upper and lower case from remote origin"
        );
        assert_eq!(near("https://git.example/shop/charts"), "other");
        assert_eq!(near("https://mirror.example/fork/fleet"), "other");
        assert_eq!(near("oci://ghcr.io/shop/fleet"), "other");
    }
}

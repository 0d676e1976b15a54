//! What was reported about the Kustomizations that apply a document, for where no cluster tells: which those are, the files
//! say, by what they include and build.

use flux::Kind;
use manifests::{Document, ParsedFile, Placed, RepoPath, Role};

use crate::compare::same_document;
use crate::index::flux_object;
use crate::lenses::{Row, start_of};
use crate::navigation;
use crate::page::{Page, spans};
use crate::report::{Command, LensItem, LensRow};
use crate::state::Tone;
use crate::statuses::Heard;
use crate::versions::Version;
use crate::view::View;
use crate::words;

/// Of so many Kustomizations is told what was reported.
const TOLD: usize = 6;

/// A Kustomization that applies a file, as far as the files tell, and what was reported about it. Several documents can be
/// it: which of them a report is about nobody tells then.
struct Applier<'r> {
    kind: Kind,
    namespace: Option<String>,
    name: String,
    written: Vec<RepoPath>,
    heard: Vec<Heard<'r>>,
}

impl View<'_> {
    /// Whether reports are read, and so may be all that is known of a document.
    pub(crate) fn reads_reports(&self) -> bool {
        self.inputs.reported.is_some_and(|it| it.wanted)
    }

    /// What applies a file by what the files say, where something was reported about it. Not what a cluster tells of itself.
    fn reported_appliers(&self, path: &RepoPath, file: &ParsedFile) -> Vec<Applier<'_>> {
        if !self.reads_reports() {
            return Vec::new();
        }
        let mut live = Vec::new();
        for (cluster, derived) in self.derived.iter().enumerate() {
            let readers = derived.binding.known_to_read(path);
            live.extend(
                readers.filter_map(|it| Some(self.place_of(cluster, &it.kustomization.id, false)?.0)),
            );
        }
        let mut found: Vec<Applier<'_>> = Vec::new();
        for at in navigation::appliers(self.inputs, path, file) {
            let Some(placed) = self.inputs.repo.index.document(&at).filter(|_| !live.contains(&at)) else {
                continue;
            };
            let Some((kind, identity)) = flux_object(&placed.document) else { continue };
            let (namespace, name) = (identity.namespace.clone(), identity.name.to_string());
            let same =
                |it: &&mut Applier<'_>| (it.kind, &it.namespace, &it.name) == (kind, &namespace, &name);
            match found.iter_mut().find(same) {
                Some(known) => known.written.push(at.path),
                None => {
                    let heard = self.heard(kind, namespace.as_deref(), &name);
                    found.push(Applier { kind, namespace, name, written: vec![at.path], heard });
                }
            }
        }
        found.retain(|it| !it.heard.is_empty());
        found
    }

    /// What was reported about the Kustomizations that apply a document.
    pub(crate) fn say_reports_of_appliers(
        &self,
        page: &mut Page,
        path: &RepoPath,
        file: &ParsedFile,
        document: Option<&Document>,
    ) {
        let Some(reported) = self.inputs.reported else { return };
        for it in self.reported_appliers(path, file).iter().take(TOLD) {
            let name = match &it.namespace {
                Some(namespace) => format!("{}/{namespace}/{}", it.kind.as_str(), it.name),
                None => format!("{}/{}", it.kind.as_str(), it.name),
            };
            if document.is_some() {
                let mut line = spans![w "applied by ", d name];
                if let [one] = it.written.as_slice() {
                    line.extend(spans![w " in ", d one]);
                }
                line.extend(spans![w ", as far as the files tell"]);
                page.item(line);
            }
            for heard in &it.heard {
                let mut line = if document.is_some() { Vec::new() } else { spans![d name, w ": "] };
                line.extend(self.sentence_of(reported, heard, false));
                page.item(line);
                let then = Version::of(heard.commit);
                let then = document.and_then(|it| Some((self.counterpart(&then, path, it)?, it)));
                if let Some((then, now)) = then
                    && !then.is_some_and(|then| same_document(&then, now))
                {
                    let commit = crate::statuses::short(heard.commit);
                    page.item(spans![w "that is about another text: on ", d commit, w " this document is not as it is here"]);
                }
            }
            if it.written.len() > 1 {
                page.item(spans![
                    w words::count(it.written.len(), "document"), w " that apply it have this kind and name: which of them a report is about, ",
                    w reported.service_word(), w " does not tell"
                ]);
            }
        }
    }

    /// What is known of a document of which no cluster tells.
    pub(crate) fn page_of_reported(
        &self,
        path: &RepoPath,
        file: &ParsedFile,
        placed: &Placed,
    ) -> Option<Page> {
        let identity = placed.document.identity().filter(|_| is_applied(placed))?;
        let mut told = Page::default();
        self.say_reports_of_appliers(&mut told, path, file, Some(&placed.document));
        if told.is_empty() {
            return None;
        }
        let mut page = Page::default();
        page.heading(spans![d format!("{}/{}", identity.kind, identity.name)]);
        let words = self.of_nothing_at(path, None).unwrap_or_else(|| "Flux: not connected".to_owned());
        page.line(spans![d words]);
        page.extend(told);
        Some(page)
    }

    /// The row of a file of manifests that nothing but reports tells about: once, for all of them go one way.
    pub(crate) fn row_of_reported(&self, path: &RepoPath, file: &ParsedFile) -> Option<Row> {
        if !self.inputs.clusters.is_empty() {
            return None;
        }
        let placed = file.documents().iter().find(|it| it.document.identity().is_some() && is_applied(it))?;
        let heard = self.reported_appliers(path, file).into_iter().flat_map(|it| it.heard).collect();
        let title = format!("Flux: not connected · {}", self.words_of(heard)?);
        let command = Command::Details { cluster: None, object: None };
        let row = LensRow { range: start_of(placed), items: vec![LensItem { title, command }] };
        Some(Row { row, notable: false, tone: Tone::Unknown })
    }
}

fn is_applied(placed: &Placed) -> bool {
    flux_object(&placed.document).is_none()
        && matches!(placed.document.role(), Role::Object | Role::List | Role::Patch)
}

//! From an object or a file to whoever mentions it.

use manifests::{Identity, RepoPath, TextSize};

use super::mention::{self, Wanted, What};
use super::{Here, Navigator, Target, build_file, builds};
use crate::index::DocRef;

/// What is looked for.
enum Subject {
    /// An object, by the place of its name.
    Object { kind: String, name: String, own: Target },
    /// A file, or a folder by its build file.
    File(RepoPath),
}

impl Navigator<'_> {
    pub(super) fn references(&self, path: &RepoPath, offset: TextSize, declaration: bool) -> Vec<Target> {
        let mut found = Vec::new();
        for subject in self.subjects(path, offset) {
            match &subject {
                Subject::Object { kind, name, own } => {
                    if declaration {
                        found.push(own.clone());
                    }
                    self.naming(kind, name, own, &mut found);
                    self.shaping(own, &mut found);
                    // Includers and appliers of a file are those of the objects in it.
                    if !builds::is_build_file(&own.path) {
                        self.including(&own.path, &mut found);
                    }
                    self.applying(&own.path, &mut found);
                }
                Subject::File(file) => {
                    if declaration {
                        found.push(Target::top(file.clone()));
                    }
                    self.including(file, &mut found);
                }
            }
        }
        let mut all: Vec<Target> = Vec::new();
        for it in found {
            if !all.iter().any(|known| known.path == it.path && known.name_range == it.name_range) {
                all.push(it);
            }
        }
        all
    }

    /// What the words at an offset mean, to be looked for.
    fn subjects(&self, path: &RepoPath, offset: TextSize) -> Vec<Subject> {
        let Some(here) = self.here(path, offset) else { return Vec::new() };
        match here {
            Here::Mention(at, mention) => {
                let targets = self.resolve(&at, &mention);
                targets.into_iter().filter_map(|it| self.subject(it)).collect()
            }
            Here::Own(at, own) => {
                let Some(identity) = self.identity(&at, &own) else { return Vec::new() };
                vec![Subject::Object { kind: identity.kind, name: identity.name, own }]
            }
            Here::Made(object, own) => {
                vec![Subject::Object { kind: object.kind, name: object.name, own }]
            }
            Here::Build(at) => vec![Subject::File(at.path)],
        }
    }

    fn subject(&self, target: Target) -> Option<Subject> {
        if target.name_range.is_empty() {
            return Some(Subject::File(target.path));
        }
        let file = self.file(&target.path)?;
        let placed = file.document_at(target.name_range.start())?;
        let own = |(it, _): &(&Identity, _)| placed.in_file(it.name_range) == target.name_range;
        if let Some((identity, _)) = mention::objects(placed).into_iter().find(own) {
            let (kind, name) = (identity.kind.clone(), identity.name.clone());
            return Some(Subject::Object { kind, name, own: target });
        }
        let made = mention::makes(&target.path, &placed.document);
        let made = made.into_iter().find(|it| placed.in_file(it.words) == target.name_range)?;
        Some(Subject::Object { kind: made.object.kind, name: made.object.name, own: target })
    }

    /// Fields of other documents that name an object.
    fn naming(&self, kind: &str, name: &str, own: &Target, found: &mut Vec<Target>) {
        for at in self.catalog().naming(kind, name) {
            let Some(placed) = self.document(at) else { continue };
            for mention in mention::mentions(&at.path, &placed.document) {
                let What::Object(named) = &mention.what else { continue };
                if named.kind != kind || named.name != name {
                    continue;
                }
                if self.objects(at, named).contains(own) {
                    found.push(self.target(at, &placed, mention.span, mention.words));
                }
            }
        }
    }

    /// Patches of an object, in the builds that its file ends up in: written in place or in files of their own.
    fn shaping(&self, own: &Target, found: &mut Vec<Target>) {
        let above = self.above(&own.path);
        let mut documents: Vec<DocRef> = Vec::new();
        for build in above.builds.iter().chain(builds::is_build_file(&own.path).then_some(&own.path)) {
            let count = self.file(build).map_or(0, |it| it.documents().len());
            documents.extend((0..count).map(|index| DocRef { path: build.clone(), index }));
        }
        documents.extend(above.appliers.iter().cloned());
        // A component that is included beside the file shapes it too.
        let beside: Vec<DocRef> = above.builds.iter().flat_map(|it| self.components_of(it)).collect();
        documents.extend(beside);
        for at in documents {
            let Some(placed) = self.document(&at) else { continue };
            for mention in mention::targets(&at.path, &placed.document) {
                let What::Some(pattern) = &mention.what else { continue };
                if self.matching(&at, pattern).contains(own) {
                    found.push(self.target(&at, &placed, mention.span, mention.words));
                }
            }
            for patch in mention::patches(&at.path, &placed.document) {
                let Some(file) = patch.file else { continue };
                let Some(parsed) = self.file(&file) else { continue };
                for (index, placed) in parsed.documents().iter().enumerate() {
                    for (identity, range) in mention::objects(placed) {
                        let pattern = match &patch.target {
                            Some((pattern, ..)) => pattern.clone(),
                            None => mention::Pattern::of_patch(identity),
                        };
                        if self.matching(&at, &pattern).contains(own) {
                            let from = DocRef { path: file.clone(), index };
                            found.push(self.target(&from, placed, range, identity.name_range));
                        }
                    }
                }
            }
        }
    }

    /// The build files of the components that a build file includes.
    fn components_of(&self, build: &RepoPath) -> Vec<DocRef> {
        let (Some(file), Some(dir)) = (self.file(build), build.parent()) else { return Vec::new() };
        let roots = file.documents().iter().filter_map(|it| it.document.root.as_ref());
        let items = roots.flat_map(|root| build_file::items(root, "components"));
        let folders = items.filter_map(|it| dir.join(it.as_str()?));
        let files = folders.filter_map(|it| self.build_file(&it));
        files.map(|path| DocRef { path, index: 0 }).collect()
    }

    /// Entries of build files (and paths of Flux objects) that lead to a file.
    fn including(&self, file: &RepoPath, found: &mut Vec<Target>) {
        let folder = if builds::is_build_file(file) { file.parent() } else { None };
        let chart = if file.file_name() == "Chart.yaml" { file.parent() } else { None };
        let by_folder = folder.iter().chain(&chart).flat_map(|it| self.catalog().naming_path(it));
        let whole = Target::top(file.clone());
        let mut referrers: Vec<&DocRef> = self.catalog().naming_path(file).chain(by_folder).collect();
        let above = self.above(file);
        if folder.is_some() {
            // Whose artifact is copied together names the folder by another path.
            referrers.extend(&above.appliers);
        }
        for at in referrers {
            let Some(placed) = self.document(at) else { continue };
            for mention in mention::mentions(&at.path, &placed.document) {
                if !matches!(mention.what, What::File(_) | What::InSource(_)) {
                    continue;
                }
                if self.resolve(at, &mention).contains(&whole) {
                    found.push(self.place_of_mention(at, &placed, &mention));
                }
            }
        }
    }

    /// Flux Kustomizations whose build reads a file, at the path that leads there.
    fn applying(&self, file: &RepoPath, found: &mut Vec<Target>) {
        for at in &self.above(file).appliers {
            let Some(placed) = self.document(at) else { continue };
            let mentions = mention::mentions(&at.path, &placed.document);
            let path = mentions.iter().find(|it| match &it.what {
                What::InSource(it) => it.wanted == Wanted::Build,
                _ => false,
            });
            match path {
                Some(path) => found.push(self.place_of_mention(at, &placed, path)),
                None => {
                    let Some(identity) = placed.document.identity() else { continue };
                    found.push(self.target(at, &placed, identity.name_range, identity.name_range));
                }
            }
        }
    }

    /// The words of a mention; of one without (a root that nobody wrote down) the object's name.
    fn place_of_mention(
        &self,
        at: &DocRef,
        placed: &manifests::Placed,
        mention: &mention::Mention,
    ) -> Target {
        match placed.document.identity().filter(|_| mention.words.is_empty()) {
            Some(identity) => self.target(at, placed, identity.name_range, identity.name_range),
            None => self.target(at, placed, mention.span, mention.words),
        }
    }
}

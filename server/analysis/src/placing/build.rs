//! What goes wrong before there are objects: kustomization files, the files that they read, patches.

use flux::Kind;
use flux::failure::{Entry, Fault, FileName, From, LookFor, PatchIs, Problem};
use manifests::kustomize::{self, KUSTOMIZATION_NAMES, Use};
use manifests::value::Data;
use manifests::{Document, ParsedFile, Placed, RepoPath, Site, TextRange, TextSize, Tree, Value, value};
use std::sync::Arc;

use super::walk::{Point, field, own_mark, walk};
use super::{Part, Scene, Spot, look};
use crate::report::Related;

/// A patch as it is applied.
struct Patch {
    /// The entry that names it; for `patchesStrategicMerge` the path or the text itself.
    entry: Arc<Value>,
    /// What is to be applied: an object, or a list of operations.
    document: Arc<Value>,
}

impl Scene<'_> {
    /// In a kustomization file.
    pub(super) fn entry(&self, fault: &Fault, folder: Option<&str>, entry: &Entry) -> Option<Spot> {
        let content = self.content.as_ref()?;
        let dir = folder.map_or_else(|| content.dir.clone(), RepoPath::of_flux);
        match entry {
            Entry::LeadsTo(path) => self.leads_to(folder.map(|_| &dir), &RepoPath::of_flux(path)),
            Entry::Encrypted => self.encrypted(),
            Entry::Whole => self.whole(&dir),
            Entry::Syntax { .. } => self.syntax(&self.build_files(&dir).into_iter().next()?),
            Entry::Key { key, problem: Problem::NotFound } if key.last_key() == Some("replacements") => {
                let root = self.root(&self.build_files(&dir).into_iter().next()?)?;
                self.replacement(&root, fault)
            }
            Entry::Key { key, problem } => {
                let root = self.root(&self.build_files(&dir).into_iter().next()?)?;
                let trails = walk(&root, key);
                let found = field(&trails, key, None, problem)?;
                let mut spot = Spot::at(&found.site, found.exact)?;
                if let Problem::Unknown = problem
                    && let Some(key) = key.last_key().and_then(known_key)
                {
                    spot.fixes.push(key.to_owned());
                }
                Some(spot)
            }
            Entry::Text(text) => {
                let root = self.root(&self.build_files(&dir).into_iter().next()?)?;
                let found = look::in_value(&root, &LookFor::Text(text.clone()));
                let [points] = found.as_slice() else { return None };
                Spot::at(&own_mark(*points.last()?)?, true)
            }
        }
    }

    /// The source of a replacement that selects nothing, by its name: `nothing selected by ConfigMap.[noVer].[noGrp]/x.[noNs]`.
    fn replacement(&self, root: &Arc<Value>, fault: &Fault) -> Option<Spot> {
        let member = root.member("replacements")?;
        let name = fault.says.split_once("selected by ").and_then(|(_, it)| it.split_once('/'));
        let name = name.map(|(_, it)| it.split([':', ' ']).next().unwrap_or(it));
        let name = name.map(|it| it.rsplit_once('.').map_or(it, |(name, _)| name));
        let sources = member
            .value
            .as_sequence()
            .unwrap_or_default()
            .iter()
            .filter_map(|it| it.get("source")?.member("name"));
        let named: Vec<_> = sources.filter(|it| name.is_some() && it.value.as_str() == name).collect();
        let site = match named.as_slice() {
            [one] => own_mark(Point { value: &one.value, member: Some(one) }),
            _ => own_mark(Point { value: &member.value, member: Some(member) }),
        };
        Spot::at(&site?, true)
    }

    /// The kustomization files of a folder of the artifact, by their names in the repository.
    fn build_files(&self, dir: &RepoPath) -> Vec<RepoPath> {
        let Some(content) = &self.content else { return Vec::new() };
        let in_dir = |tree: &dyn Tree| -> Vec<RepoPath> {
            KUSTOMIZATION_NAMES
                .iter()
                .filter_map(|name| dir.join(name))
                .filter(|path| tree.kind(path) == Some(manifests::FileKind::File))
                .map(|path| tree.written_at(&path))
                .collect()
        };
        match &content.copies {
            None => in_dir(self.tree),
            Some(copies) => in_dir(&copies.artifact(self.tree)),
        }
    }

    fn root(&self, path: &RepoPath) -> Option<Arc<Value>> {
        self.files.values(path)?.values.iter().flatten().next().cloned()
    }

    /// A folder with more than one kustomization file: the one too many.
    fn whole(&self, dir: &RepoPath) -> Option<Spot> {
        let files = self.build_files(dir);
        let path = files.last()?;
        let file = self.files.values(path)?;
        first_key(path, file.file.documents().iter().enumerate().find(|(_, it)| it.document.root.is_some())?)
    }

    /// The entry that leads to a file or folder of the artifact.
    fn leads_to(&self, dir: Option<&RepoPath>, target: &RepoPath) -> Option<Spot> {
        let content = self.content.as_ref()?;
        let mut found: Vec<Site> = Vec::new();
        let mut look_in = |folder: &RepoPath, root: &Value| {
            for entry in entries(root) {
                let Some(text) = entry.as_str() else { continue };
                let file = text.split_once('=').map_or(text, |(_, file)| file);
                let leads = [text, file].iter().any(|it| folder.join(it).as_ref() == Some(target));
                if leads && let Some(site) = own_mark(Point { value: entry, member: None }) {
                    found.push(site);
                }
            }
        };
        let folders: Vec<RepoPath> = match dir {
            Some(dir) => vec![dir.clone()],
            None => self.folders(),
        };
        for folder in &folders {
            for path in self.build_files(folder) {
                if let Some(root) = self.root(&path) {
                    look_in(folder, &root);
                }
            }
        }
        let of_flux = Some(&content.spec).filter(|_| dir.is_none_or(|it| *it == content.dir));
        for entry in of_flux.and_then(|it| it.get("components")?.as_sequence()).unwrap_or_default() {
            if entry.as_str().is_some_and(|it| content.dir.join(it).as_ref() == Some(target))
                && let Some(site) = own_mark(Point { value: entry, member: None })
            {
                found.push(site);
            }
        }
        let [site] = found.as_slice() else { return None };
        Spot::at(site, true)
    }

    /// The entry of a kustomization file that leads to an encrypted file, if there is only one.
    fn encrypted(&self) -> Option<Spot> {
        // As kustomize-controller tells them apart from those that it leaves alone.
        const MARKS: [&str; 4] = ["\"mac\": \"ENC[", "sops_mac=ENC[", "[sops]", "mac: ENC["];
        let content = self.content.as_ref()?;
        let mut found = Vec::new();
        for folder in self.folders() {
            let roots = self.build_files(&folder).into_iter().filter_map(|it| self.root(&it));
            for root in roots.collect::<Vec<_>>() {
                for entry in decrypted_entries(&root) {
                    let name = entry.as_str().and_then(|it| it.rsplit('=').next());
                    let path = name.and_then(|it| folder.join(it));
                    let path = path.map(|it| content.in_repository(self.tree, &it));
                    let text = path.and_then(|it| self.tree.read(&it));
                    if text.is_some_and(|text| MARKS.iter().any(|it| text.contains(it))) {
                        found.extend(own_mark(Point { value: entry, member: None }));
                    }
                }
            }
        }
        dedup(&mut found);
        let [site] = found.as_slice() else { return None };
        Spot::at(site, true)
    }

    /// The folders of all kustomization files of the build, as the artifact has them.
    fn folders(&self) -> Vec<RepoPath> {
        let Some(content) = &self.content else { return Vec::new() };
        // What the build reads is told by its names in the repository; those of an artifact are looked for from its root.
        if content.copies.is_some() {
            return vec![content.dir.clone()];
        }
        let mut folders: Vec<RepoPath> = self.read_as(Use::BuildFile).filter_map(|it| it.parent()).collect();
        folders.push(content.dir.clone());
        folders.sort();
        folders.dedup();
        folders
    }

    fn read_as(&self, use_: Use) -> impl Iterator<Item = &RepoPath> {
        let files = self.content.iter().flat_map(|it| &it.build.files);
        files.filter(move |(_, uses)| uses.contains(&use_)).map(|(path, _)| path)
    }

    /// The place where a file stops being YAML.
    fn syntax(&self, path: &RepoPath) -> Option<Spot> {
        broken(path, &self.files.values(path)?.file)
    }

    /// The files that a message can mean.
    fn named(&self, name: Option<&FileName>) -> Vec<RepoPath> {
        let Some(content) = &self.content else { return Vec::new() };
        let Some(name) = name else {
            return content.build.files.keys().cloned().collect();
        };
        let found = match name.from {
            From::Root => RepoPath::new(&name.path),
            From::Build => content.dir.join(&name.path),
            From::Anywhere => {
                let is_it = |it: &&RepoPath| it.file_name() == name.path;
                let mut all = content.build.files.keys().filter(is_it);
                return all.next().filter(|_| all.next().is_none()).cloned().into_iter().collect();
            }
        };
        found.map(|it| content.in_repository(self.tree, &it)).into_iter().collect()
    }

    /// In a file that the build reads.
    pub(super) fn file(
        &self,
        fault: &Fault,
        name: Option<&FileName>,
        look: Option<&LookFor>,
    ) -> Option<Spot> {
        let named = self.named(name);
        let mut found = named.iter().filter_map(|path| self.in_file(fault, path, look));
        let first = match (found.next(), name.map(|it| it.from)) {
            (Some(first), _) => first,
            // What makes kustomize panic may be good YAML.
            (None, Some(From::Anywhere)) => return self.file_as_a_whole(named.first()?),
            (None, _) => return None,
        };
        // Of any file of the build: only if it is the only one.
        found.next().is_none().then_some(first)
    }

    /// The name of the first object of a file, else its first key.
    fn file_as_a_whole(&self, path: &RepoPath) -> Option<Spot> {
        let file = self.files.values(path)?;
        let mut names = file.values.iter().flatten().filter_map(|it| it.dig(&["metadata", "name"]));
        if let Some(site) = names.next().and_then(|it| it.site.as_ref()) {
            return Spot::at(site, true);
        }
        first_key(path, file.file.documents().iter().enumerate().find(|(_, it)| it.document.root.is_some())?)
    }

    fn in_file(&self, fault: &Fault, path: &RepoPath, look: Option<&LookFor>) -> Option<Spot> {
        let file = self.files.values(path)?;
        let documents = || file.file.documents().iter().enumerate();
        let text = |document: &Document, path: &str| document.scalar(path).map(str::to_owned);
        match look {
            Some(LookFor::Syntax) => self.syntax(path),
            Some(LookFor::DuplicateKey { key, .. }) => documents().find_map(|(index, placed)| {
                let (second, first) = look::duplicate_key(&placed.document, key)?;
                let mut spot = in_document(path, index, placed, second);
                spot.related.push(Related {
                    path: path.clone(),
                    range: placed.in_file(first),
                    message: "the first one".to_owned(),
                });
                Some(spot)
            }),
            Some(LookFor::NoObject) => {
                let lacks = |it: &Placed| {
                    let root = it.document.root.as_ref();
                    root.is_some_and(|root| root.get("kind").is_none() || root.get("metadata").is_none())
                };
                first_key(path, documents().find(|(_, it)| lacks(it))?)
            }
            Some(LookFor::Nameless { api_version, kind }) => {
                let is_it = |it: &Placed| {
                    text(&it.document, "kind").unwrap_or_default() == *kind
                        && text(&it.document, "apiVersion").unwrap_or_default() == *api_version
                        && text(&it.document, "metadata.name").is_none_or(|it| it.contains("{{"))
                };
                let (index, placed) = documents().find(|(_, it)| is_it(it))?;
                let root = placed.document.root.as_ref()?;
                match root.entry("metadata") {
                    Some(entry) => Some(in_document(path, index, placed, entry.key.range)),
                    None => first_key(path, (index, placed)),
                }
            }
            Some(look) => {
                let found: Vec<Spot> = file
                    .values
                    .iter()
                    .flatten()
                    .flat_map(|value| look::in_value(value, look))
                    .filter_map(|points| Spot::at(&own_mark(*points.last()?)?, true))
                    .collect();
                let [spot] = found.as_slice() else { return None };
                Some(spot.clone())
            }
            // The object of the file that is there twice: the later one.
            None => {
                let object = fault.object.as_ref()?;
                let is_it = |it: &&Arc<Value>| {
                    it.text(&["kind"]) == Some(&object.kind)
                        && it.text(&["metadata", "name"]) == Some(&object.name)
                };
                let name = |it: &Arc<Value>| it.dig(&["metadata", "name"]).and_then(|it| it.site.clone());
                let value = file.values.iter().flatten().rfind(is_it)?;
                let mut spot = Spot::at(&name(value)?, true)?;
                let others = self.content.iter().flat_map(|it| &it.build.objects);
                for other in others.filter(|it| is_it(&&it.value)) {
                    if let Some((path, range)) = name(&other.value).and_then(|it| it.in_file())
                        && (&path, range) != (&spot.path, spot.range)
                    {
                        let message = "the first one of this name".to_owned();
                        spot.related.push(Related { path, range, message });
                    }
                }
                Some(spot)
            }
        }
    }

    /// At a patch.
    pub(super) fn patch(&self, is: &PatchIs) -> Option<Spot> {
        let patches = self.patches();
        let mut found: Vec<Site> = Vec::new();
        let mut exact = true;
        for patch in &patches {
            match is {
                PatchIs::Of(named) => {
                    let text = |keys: &[&str]| patch.document.text(keys);
                    let namespace = text(&["metadata", "namespace"]);
                    let fits = text(&["kind"]) == Some(&named.kind)
                        && text(&["metadata", "name"]) == Some(&named.name)
                        && (namespace.is_none()
                            || named.namespace.is_none()
                            || namespace == named.namespace.as_deref());
                    if fits && patch.entry.get("target").is_none() {
                        found
                            .extend(patch.document.dig(&["metadata", "name"]).and_then(|it| it.site.clone()));
                    }
                }
                PatchIs::Operation { op, pointer } => {
                    for operation in patch.document.as_sequence().unwrap_or_default() {
                        let path = operation.get("path");
                        let is_it = operation.text(&["op"]) == Some(op)
                            && pointer.as_deref().is_none_or(|it| operation.text(&["path"]) == Some(it));
                        if is_it && let Some(site) = path.and_then(|it| it.site.clone()) {
                            found.push(site);
                        }
                    }
                }
                PatchIs::Text(text) => {
                    let same = |value: &Value| {
                        value.as_text().is_some_and(|it| it.value.trim_end() == text.trim_end())
                    };
                    let member = patch.entry.member("patch").filter(|it| same(&it.value));
                    if let Some(member) = member {
                        found.extend(own_mark(Point { value: &member.value, member: Some(member) }));
                    } else if same(&patch.entry) {
                        found.extend(own_mark(Point { value: &patch.entry, member: None }));
                    }
                }
            }
        }
        if let PatchIs::Text(text) = is
            && found.is_empty()
        {
            found.extend(self.patch_file_of(text));
        }
        dedup(&mut found);
        if found.len() > 1 {
            // Those that our own evaluation could not apply either.
            found.retain(|it| self.is_refused(it));
            exact = false;
        }
        let [site] = found.as_slice() else { return None };
        Spot::at(site, exact || self.is_refused(site))
    }

    /// The path of the patch file with this text.
    fn patch_file_of(&self, text: &str) -> Option<Site> {
        let mut found = Vec::new();
        for (root, dir) in self.patched_roots() {
            for list in LISTS_OF_PATCHES {
                for entry in root.get(list).and_then(|it| it.as_sequence()).unwrap_or_default() {
                    let path = entry.get("path").unwrap_or(entry);
                    let file = path.as_str().and_then(|it| dir.as_ref()?.join(it));
                    if file
                        .and_then(|it| self.tree.read(&it))
                        .is_some_and(|it| it.trim_end() == text.trim_end())
                    {
                        found.extend(path.site.clone());
                    }
                }
            }
        }
        found.into_iter().next()
    }

    /// Whether our own evaluation stumbles there.
    fn is_refused(&self, site: &Site) -> bool {
        let Some((path, range)) = site.in_file() else { return false };
        let unknown = self.content.iter().flat_map(|it| &it.build.unknown);
        unknown
            .filter(|it| it.at == path && it.range.contains_range(range))
            .any(|it| matches!(it.why, kustomize::Why::NoTarget(_) | kustomize::Why::BadPatch(_)))
    }

    /// What holds lists of patches, with the folder that their paths start from.
    fn patched_roots(&self) -> Vec<(Arc<Value>, Option<RepoPath>)> {
        let mut roots = Vec::new();
        if self.kind == Kind::Kustomization {
            for path in self.read_as(Use::BuildFile) {
                roots.extend(self.root(path).map(|root| (root, path.parent())));
            }
            let of_flux = self.content.as_ref().map(|it| Arc::clone(&it.spec));
            roots.extend(of_flux.map(|it| (it, None)));
            return roots;
        }
        let Some(spec) = self.reporter.as_ref().and_then(|it| it.value.get("spec").cloned()) else {
            return roots;
        };
        let renderers = spec.get("postRenderers").and_then(|it| it.as_sequence()).unwrap_or_default();
        roots.extend(renderers.iter().filter_map(|it| Some((it.get("kustomize")?.clone(), None))));
        roots.extend(spec.get("kustomize").map(|it| (Arc::clone(it), None)));
        roots
    }

    fn patches(&self) -> Vec<Patch> {
        let mut found = Vec::new();
        for (root, dir) in self.patched_roots() {
            for list in LISTS_OF_PATCHES {
                for entry in root.get(list).and_then(|it| it.as_sequence()).unwrap_or_default() {
                    let inline = entry.get("patch").unwrap_or(entry);
                    let path = entry.get("path").unwrap_or(entry).as_str();
                    let file = path.filter(|it| !it.contains('\n')).and_then(|it| dir.as_ref()?.join(it));
                    let documents: Vec<Arc<Value>> =
                        match (&inline.data, file.and_then(|it| self.files.values(&it))) {
                            (_, Some(file)) if entry.get("patch").is_none() => {
                                file.values.iter().flatten().cloned().collect()
                            }
                            (Data::Scalar(_), _) => value::nested(inline).unwrap_or_default(),
                            // A Flux object may hold the operations, or the patch, themselves.
                            _ => vec![Arc::clone(inline)],
                        };
                    let entry = Arc::clone(entry);
                    found.extend(
                        documents.into_iter().map(|document| Patch { entry: Arc::clone(&entry), document }),
                    );
                }
            }
        }
        found
    }
}

const LISTS_OF_PATCHES: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];

fn dedup(sites: &mut Vec<Site>) {
    let mut seen = Vec::new();
    sites.retain(|it| {
        let place = it.in_file();
        let new = !seen.contains(&place);
        seen.push(place);
        new
    });
}

/// The place where a text stops being YAML.
pub(super) fn broken(path: &RepoPath, file: &ParsedFile) -> Option<Spot> {
    let (index, placed, error) = file
        .documents()
        .iter()
        .enumerate()
        .find_map(|(index, placed)| Some((index, placed, placed.document.error()?)))?;
    let text = placed.document.text();
    let mut at = usize::from(error.offset).min(text.len());
    // At the end of a line there is nothing to see: what stands before it.
    if text.get(at..).is_none_or(|it| it.starts_with(['\n', '\r']) || it.is_empty()) {
        at = text.get(..at).map_or(0, |it| it.trim_end().char_indices().next_back().map_or(0, |(at, _)| at));
    }
    let length = text.get(at..).and_then(|it| it.chars().next()).map_or(0, char::len_utf8);
    let range = TextRange::at(TextSize::try_from(at).ok()?, TextSize::try_from(length).ok()?);
    Some(in_document(path, index, placed, range))
}

pub(super) fn in_document(path: &RepoPath, index: usize, placed: &Placed, range: TextRange) -> Spot {
    let range = placed.in_file(range);
    let part = Part { path: path.clone(), index, offset: range.start() };
    Spot {
        path: path.clone(),
        range,
        exact: true,
        related: Vec::new(),
        fixes: Vec::new(),
        shaped_by: vec![part],
    }
}

/// The first key of a document, where it is the document that is wrong.
pub(super) fn first_key(path: &RepoPath, (index, placed): (usize, &Placed)) -> Option<Spot> {
    let root = placed.document.root.as_ref()?;
    let range = match root.as_mapping().and_then(|it| it.first()) {
        Some(entry) => entry.key.range,
        None => {
            let line = placed.document.slice(root.range).lines().next()?;
            TextRange::at(root.range.start(), TextSize::of(line))
        }
    };
    Some(in_document(path, index, placed, range))
}

/// The entries of a kustomization file that lead to files or folders.
pub(super) fn entries(root: &Value) -> Vec<&Arc<Value>> {
    let mut found: Vec<&Arc<Value>> = Vec::new();
    for key in [
        "resources",
        "bases",
        "components",
        "crds",
        "configurations",
        "patchesStrategicMerge",
        "generators",
        "transformers",
        "validators",
    ] {
        found.extend(root.get(key).and_then(|it| it.as_sequence()).unwrap_or_default());
    }
    for key in ["patches", "patchesJson6902", "replacements"] {
        let items = root.get(key).and_then(|it| it.as_sequence()).unwrap_or_default();
        found.extend(items.iter().filter_map(|it| it.get("path")));
    }
    for key in ["configMapGenerator", "secretGenerator"] {
        for item in root.get(key).and_then(|it| it.as_sequence()).unwrap_or_default() {
            for list in ["files", "envs"] {
                found.extend(item.get(list).and_then(|it| it.as_sequence()).unwrap_or_default());
            }
            found.extend(item.get("env"));
        }
    }
    found.extend(root.get("openapi").and_then(|it| it.get("path")));
    found
}

/// The entries whose files kustomize-controller decrypts before it builds: others are taken as they are.
fn decrypted_entries(root: &Value) -> Vec<&Arc<Value>> {
    let mut found: Vec<&Arc<Value>> = Vec::new();
    for item in root.get("secretGenerator").and_then(|it| it.as_sequence()).unwrap_or_default() {
        for list in ["files", "envs"] {
            found.extend(item.get(list).and_then(|it| it.as_sequence()).unwrap_or_default());
        }
        found.extend(item.get("env"));
    }
    let patches = root.get("patches").and_then(|it| it.as_sequence()).unwrap_or_default();
    found.extend(patches.iter().filter_map(|it| it.get("path")));
    found
}

/// The key of a kustomization file that a misspelt one means.
fn known_key(key: &str) -> Option<&'static str> {
    near(key, manifests::kustomize::BUILD_FILE_KEYS)
}

/// The one of some keys that a misspelt one means.
pub(crate) fn near(key: &str, keys: &[&'static str]) -> Option<&'static str> {
    let mut near = keys.iter().filter(|it| super::walk::typos(key, it).is_some());
    near.next().filter(|_| near.next().is_none()).copied()
}

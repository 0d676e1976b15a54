//! Where in the texts of a repository a fault stands (design 2.4).
//!
//! A [`Fault`] is what a message says: an object, a path, a file, a variable. Here it meets what is built from the texts
//! in front of the user, in which every value knows the place that set it: a field that a patch sets is marked in the
//! patch, one that a variable made at the `${…}`. Where nothing is certain the place is a wider one that is: the object's
//! name, and in the end nothing at all, which leaves the fault to the Flux object's own document. It is never another
//! document than one that has to do with it.

pub(crate) mod build;
mod gone;
mod look;
mod since;
mod templates;
mod values;
mod walk;

use flux::Named;
use flux::failure::{Fault, LookFor, Path, Place, Problem, Variable};
use manifests::kustomize::{Build, Built, Files, How, Id, Origin};
use manifests::value::{Data, Used};
use manifests::{RepoPath, Site, TextRange, TextSize, Tree, Value};
use std::sync::Arc;

use crate::content::{Content, Written};
use crate::index::DocRef;
use crate::report::Related;
use since::Change;
pub(crate) use walk::value_at;
use walk::{Point, Trail, field, mark, own_mark, walk};

/// What a fault is placed in.
pub(crate) struct Scene<'a> {
    /// The repository as it is in front of the user.
    pub(crate) tree: &'a dyn Tree,
    /// Its files as values.
    pub(crate) files: &'a Files<'a>,
    /// The object that reports.
    pub(crate) kind: flux::Kind,
    /// What it builds, if it is a Kustomization of this repository.
    pub(crate) content: Option<Arc<Content>>,
    /// The object itself, in the texts.
    pub(crate) reporter: Option<Written>,
    /// The folder of the chart that it releases, if that is in this repository.
    pub(crate) chart: Option<RepoPath>,
    /// The ConfigMap of the repository that has this name, if one is the likeliest.
    pub(crate) config_map: &'a dyn Fn(&str) -> Option<Arc<Value>>,
    /// What it built of what it applied last, if that is in this clone.
    pub(crate) applied: &'a dyn Fn() -> Option<Applied<'a>>,
}

/// What a Kustomization built of what it applied last.
pub(crate) struct Applied<'a> {
    pub(crate) content: Arc<Content>,
    /// The repository as it was then.
    pub(crate) tree: &'a dyn Tree,
}

/// Where a fault stands.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    /// The file.
    pub(crate) path: RepoPath,
    /// In bytes of the file.
    pub(crate) range: TextRange,
    /// It is the node that has to be changed; else the object, or what is near.
    pub(crate) exact: bool,
    /// What else is to be looked at.
    pub(crate) related: Vec<Related>,
    /// What would mend it, if the message tells.
    pub(crate) fixes: Vec<String>,
    /// The texts that made what failed: if they say something else at the revision that failed, this is another text.
    pub(crate) shaped_by: Vec<Part>,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) path: RepoPath,
    /// The document.
    pub(crate) index: usize,
    /// Where in the file. Of a kustomization.yaml only the key counts that this is below.
    pub(crate) offset: TextSize,
}

impl Spot {
    pub(crate) fn at(site: &Site, exact: bool) -> Option<Spot> {
        let (path, range) = site.in_file()?;
        let part = Part { path: path.clone(), index: site.document_index(), offset: range.start() };
        Some(Spot { path, range, exact, related: Vec::new(), fixes: Vec::new(), shaped_by: vec![part] })
    }

    fn also(&mut self, site: &Site, message: &str) {
        let Some((path, range)) = site.in_file() else { return };
        self.shaped_by.push(Part { path: path.clone(), index: site.document_index(), offset: range.start() });
        if (&path, range) != (&self.path, self.range) {
            self.related.push(Related { path, range, message: message.to_owned() });
        }
    }
}

/// The object of a build that is named, if exactly one is the likeliest.
pub(crate) fn find_object(build: &Build, named: &Named) -> Option<usize> {
    let rank = |id: &Id, built: &Built| {
        if named.group.as_ref().is_some_and(|it| **it != *id.group) {
            return None;
        }
        let exact = *id.name == *named.name || built.written_name().is_some_and(|it| **it == *named.name);
        let namespace = match (&id.namespace, &named.namespace) {
            (Some(own), Some(told)) if own.contains("${") => u32::from(!own.is_empty() && told.is_empty()),
            (Some(own), Some(told)) if **own == **told => 2,
            // Cluster-scoped objects may be written with a namespace, and objects of the default one without.
            (Some(_), Some(told)) => return told.is_empty().then_some((exact, 0)),
            (Some(_), None) => 1,
            (None, _) => 1,
        };
        Some((exact, namespace))
    };
    let mut best: Option<((bool, u32), usize)> = None;
    let mut several = false;
    for (at, id, built) in build.named(&named.kind, &named.name) {
        let Some(rank) = rank(id, built) else { continue };
        match best {
            Some((known, _)) if known > rank => {}
            Some((known, _)) if known == rank => several = true,
            _ => {
                best = Some((rank, at));
                several = false;
            }
        }
    }
    best.map(|(_, at)| at).filter(|_| !several)
}

/// Where a fault stands; `None` if only the Flux object's own document is left.
///
/// `own` is the field of the Flux object itself on which the fault falls back, if it has one.
pub(crate) fn place(scene: &Scene<'_>, fault: &Fault, own: Option<&str>) -> Option<Spot> {
    let mut spot = match &fault.place {
        Place::Own if own.is_some() => None,
        Place::Own | Place::Object => None.or_else(|| scene.object_name(fault)),
        Place::Field { value: Some(value), .. } if scene.kind == flux::Kind::HelmRelease => {
            scene.quoted(value)
        }
        Place::Field { path, value, problem } => scene.field(fault, path, value.as_deref(), problem),
        Place::Somewhere(look) => scene.somewhere(fault, look),
        Place::Variable(variable) => scene.variable(fault, variable),
        Place::Build { folder, entry } => scene.entry(fault, folder.as_deref(), entry),
        Place::File { file, look, .. } => scene.file(fault, file.as_ref(), look.as_ref()),
        Place::Patch(is) => scene.patch(is),
        Place::Values { path, problem } => scene.value(path, problem),
        Place::Template => scene.template(fault),
        Place::Rendered => scene.rendered(fault),
    };
    // What reads a value that nobody sets says more than the name of the chart.
    if spot.is_none() && own.is_none_or(|it| it.starts_with("spec.chart")) {
        spot = scene.template(fault);
    }
    if let Some(spot) = &mut spot {
        let frames = scene.frames(fault);
        let itself = (spot.path.clone(), spot.range);
        spot.related.extend(frames.into_iter().filter(|it| (&it.path, it.range) != (&itself.0, itself.1)));
    }
    spot
}

/// Whether something stood in the document that holds it still.
fn is_beside(was: &Site, holder: Point<'_>) -> bool {
    let key = holder.member.and_then(|it| it.site.as_ref()).or(holder.value.site.as_ref());
    key.is_some_and(|it| it.path() == was.path() && it.document_index() == was.document_index())
}

impl Scene<'_> {
    fn built(&self, named: &Named) -> Option<&Built> {
        let build = &self.content.as_ref()?.build;
        build.objects.get(find_object(build, named)?)
    }

    /// The name of the object that is named.
    fn object_name(&self, fault: &Fault) -> Option<Spot> {
        let built = self.built(fault.object.as_ref()?)?;
        let mut spot = Spot::at(&self.name(built)?, matches!(fault.place, Place::Object | Place::Own))?;
        shaped(&mut spot, built);
        Some(spot)
    }

    /// Where an object's name is written: in the document that it starts from, or at the generator's `name`.
    fn name(&self, built: &Built) -> Option<Site> {
        let written = built.value.dig(&["metadata", "name"]).and_then(|it| it.site.clone());
        match &built.origin {
            Origin::Document { path, index } => {
                let is_own =
                    |it: &Site| it.path() == path && it.document_index() == *index && !it.is_nested();
                if let Some(site) = written.clone().filter(is_own) {
                    return Some(site);
                }
                let file = self.files.values(path)?;
                let value = file.values.get(*index)?.as_ref()?;
                value.dig(&["metadata", "name"]).and_then(|it| it.site.clone()).or(written)
            }
            Origin::Generated { path, field } => {
                let file = self.files.values(path)?;
                let root = file.values.iter().flatten().next()?;
                root.at(field)?.get("name")?.site.clone().or(written)
            }
        }
    }

    fn field(&self, fault: &Fault, path: &Path, value: Option<&str>, problem: &Problem) -> Option<Spot> {
        let built = self.built(fault.object.as_ref()?)?;
        let degraded = || self.object_name(fault).map(|it| Spot { exact: path.is_root(), ..it });
        if path.is_root() {
            return degraded();
        }
        if path.to_string() == "metadata.name"
            && let Some(site) = affix(built)
        {
            let mut spot = Spot::at(&site, true)?;
            self.patched(&mut spot, built);
            shaped(&mut spot, built);
            return Some(spot);
        }
        let trails = walk(&built.value, path);
        // What nobody wrote was set by the API server or is gone: only a key below the object's own parts tells more than
        // the object's name.
        let is_told =
            |it: &Trail<'_>| it.is_whole(path) || (it.points.len() > 2 && it.last().member.is_some());
        if !matches!(problem, Problem::Required) && !trails.iter().any(is_told) {
            return degraded();
        }
        let Some(found) = field(&trails, path, value, problem) else { return degraded() };
        let inner = found.point.and_then(|it| self.inner(fault, built, it, path, problem));
        let spot = inner.or_else(|| {
            let mut spot = Spot::at(&found.site, found.exact)?;
            if let Some(point) = found.point {
                made_by(&mut spot, point.value);
            }
            Some(spot)
        });
        let Some(mut spot) = spot else { return degraded() };
        if let Some(key) = found.misspelt {
            spot.fixes.push(key);
        } else if let (Problem::NotSupported { allowed }, Some(point)) = (problem, found.point)
            && point.value.as_text().is_some_and(|it| it.made.is_none())
        {
            spot.fixes = allowed_values(&found.site, allowed);
        }
        self.patched(&mut spot, built);
        shaped(&mut spot, built);
        Some(spot)
    }

    /// What within a value that a message names as a whole is its trouble, where that can be told.
    fn inner(
        &self,
        fault: &Fault,
        built: &Built,
        point: Point<'_>,
        path: &Path,
        problem: &Problem,
    ) -> Option<Spot> {
        if matches!(point.value.data, Data::Scalar(_)) {
            return None;
        }
        let at = |point: Point<'_>| {
            let mut spot = Spot::at(&own_mark(point)?, true)?;
            made_by(&mut spot, point.value);
            Some(spot)
        };
        match problem {
            // What must not change, and did.
            Problem::Immutable { but } => {
                let applied = (self.applied)()?;
                let build = &applied.content.build;
                let then = build.objects.get(find_object(build, fault.object.as_ref()?)?)?;
                let changes = since::changed(point, &value_at(&then.value, path)?, but);
                let mut spots = changes.into_iter().filter_map(|it| match it {
                    Change::Is(point) => at(point),
                    Change::Gone { from, was } => {
                        let elsewhere = was.filter(|was| !is_beside(was, from));
                        elsewhere.and_then(|it| self.left_of(&it, &applied)).or_else(|| at(from))
                    }
                });
                let mut spot = spots.next()?;
                for other in
                    spots.filter(|it| (&it.path, it.range) != (&spot.path, spot.range)).collect::<Vec<_>>()
                {
                    let message = "changed, too".to_owned();
                    spot.related.push(Related { path: other.path, range: other.range, message });
                    spot.shaped_by.extend(other.shaped_by);
                }
                Some(spot)
            }
            Problem::NotSelected => {
                let wrong = since::not_selected(&built.value, point);
                let mut spot = at(wrong.first()?.0)?;
                for (_, by) in wrong {
                    if let Some(site) = own_mark(Point { value: &by.value, member: Some(by) }) {
                        spot.also(&site, "the selector asks for this");
                    }
                }
                Some(spot)
            }
            // A patch that says all of it.
            Problem::Invalid | Problem::Forbidden | Problem::Size | Problem::Denied => {
                at(*since::set_elsewhere(point).first()?)
            }
            _ => None,
        }
    }

    /// Tells of the document that a patch has changed.
    fn patched(&self, spot: &mut Spot, built: &Built) {
        let Some(name) = self.name(built) else { return };
        let Some(first) = spot.shaped_by.first() else { return };
        let same = match &built.origin {
            Origin::Document { path, index } => first.path == *path && first.index == *index,
            Origin::Generated { path, .. } => first.path == *path,
        };
        if !same && let Some((path, range)) = name.in_file() {
            let message = format!("the object that {} changes", spot.path);
            spot.related.push(Related { path, range, message });
        }
    }

    fn somewhere(&self, fault: &Fault, look: &LookFor) -> Option<Spot> {
        let built = self.built(fault.object.as_ref()?)?;
        let found = match look {
            LookFor::Unencrypted => look::unencrypted(&built.value),
            _ => look::in_value(&built.value, look),
        };
        let [points] = found.as_slice() else {
            let block = matches!(look, LookFor::Unencrypted).then(|| Path::of(&["sops"]));
            return match block {
                Some(path) => self.field(fault, &path, None, &Problem::Invalid),
                None => self.object_name(fault).map(near),
            };
        };
        let site = mark(points)?;
        let mut spot = Spot::at(&site, true)?;
        if let Some(point) = points.last() {
            made_by(&mut spot, point.value);
        }
        self.patched(&mut spot, built);
        shaped(&mut spot, built);
        Some(spot)
    }

    fn variable(&self, fault: &Fault, variable: &Variable) -> Option<Spot> {
        let built = self.built(fault.object.as_ref()?)?;
        let mut found = look::variables(&built.value, variable);
        if matches!(variable, Variable::Any) && found.len() != 1 {
            found.retain(|it| it.is_awkward);
            if found.len() != 1 {
                return self.object_name(fault).map(near);
            }
        }
        found.sort_by_key(|it| it.site.in_file().map(|(path, range)| (path, range.start())));
        let mut found = found.into_iter();
        let Some(first) = found.next() else { return self.object_name(fault).map(near) };
        let mut spot = Spot::at(&first.site, true)?;
        if let Some(set_at) = &first.set_at {
            spot.also(set_at, "its value");
        }
        for other in found {
            if let Some((path, range)) = other.site.in_file() {
                spot.related.push(Related { path, range, message: "used here, too".to_owned() });
            }
        }
        shaped(&mut spot, built);
        Some(spot)
    }
}

/// The allowed values as they are to be written in place of the marked one.
fn allowed_values(site: &Site, allowed: &[String]) -> Vec<String> {
    let written = site.text();
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.' | b'/'))
            && !matches!(
                text.to_ascii_lowercase().as_str(),
                "true" | "false" | "null" | "yes" | "no" | "on" | "off"
            )
    };
    let quote = |text: &String| match written.chars().next() {
        Some(quote @ ('"' | '\'')) => format!("{quote}{text}{quote}"),
        _ if plain(text) => text.clone(),
        _ => format!("{text:?}"),
    };
    let known = |it: &&String| !it.contains(['"', '\'', '\\', '\n']);
    allowed.iter().filter(known).map(quote).filter(|it| it != written).collect()
}

/// The prefix or suffix that makes a name what no name may be, where what is written is one.
fn affix(built: &Built) -> Option<Site> {
    let well = |text: &str| {
        text.bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'-' | b'.' | b':'))
    };
    let affixes = built.shaped_by.iter().filter(|it| it.how == How::Name).filter_map(|it| it.site.as_ref());
    let mut bad = affixes.filter(|it| !well(it.text().trim_matches(['"', '\''])));
    bad.next().filter(|_| bad.next().is_none()).cloned()
}

fn near(spot: Spot) -> Spot {
    Spot { exact: false, ..spot }
}

/// Leads to where the variables in a value get theirs.
fn made_by(spot: &mut Spot, value: &Value) {
    let Some(made) = value.as_text().and_then(|it| it.made.as_ref()) else { return };
    for Used { name, set_at, .. } in &made.uses {
        if let Some(site) = set_at {
            spot.also(site, &format!("{name} is set here"));
        }
    }
}

/// Notes which texts made an object. What includes it does not count: it includes others besides.
fn shaped(spot: &mut Spot, built: &Built) {
    if let Origin::Document { path, index } = &built.origin {
        spot.shaped_by.push(Part { path: path.clone(), index: *index, offset: TextSize::default() });
    }
    for shaper in built.shaped_by.iter().filter(|it| it.how != How::Included) {
        if let Some(site) = &shaper.site
            && let Some((path, range)) = site.in_file()
        {
            spot.shaped_by.push(Part { path, index: site.document_index(), offset: range.start() });
        }
    }
    spot.shaped_by.sort();
    spot.shaped_by.dedup();
}

/// Where a field of the Flux object itself is set, if that is in another document than its own: a patch of what applies
/// it, a variable.
pub(crate) fn own_elsewhere(
    written: &Written,
    document: Option<&DocRef>,
    path: &manifests::FieldPath,
) -> Option<Spot> {
    let value = path.segments().iter().try_fold(&written.value, |value, step| value.step(step))?;
    let point = Point { value, member: written.value.member_at(path) };
    let site = own_mark(point)?;
    let is_own = document
        .is_some_and(|it| it.path == *site.path() && it.index == site.document_index() && !site.is_nested());
    if is_own {
        return None;
    }
    let mut spot = Spot::at(&site, true)?;
    made_by(&mut spot, value);
    if let Some(built) = written.built() {
        shaped(&mut spot, built);
    }
    Some(spot)
}

//! How far a text has come on its way to a cluster (design 2.3).
//!
//! edited → saved → committed → pushed → fetched → applied → healthy, found by content: at each of these there is a version
//! of the repository, in it the Kustomization is built as its own spec there says, and what becomes of the object is
//! compared. So every file counts that shapes the object, and none that does not; comments, order of keys and what history
//! did to the commits (squash, rebase, cherry-pick) make no difference.

use flux::{ObjectId, Revision, State, Verdict};
use jiff::Timestamp;
use manifests::kustomize::{Id, Origin, is_kustomization_name};
use manifests::{Placed, RepoPath, Value};
use std::sync::Arc;

use crate::charts::ChartUse;
use crate::compare::{Compared, compare};
use crate::content::Content;
use crate::past::Answer;
use crate::specs::Specs;
use crate::versions::Version;
use crate::view::View;
use crate::way::{Follows, Way};

/// How far a text has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// In an editor only.
    Edited,
    Saved,
    Committed,
    /// In the reference that the source follows, as of the last fetch of this clone.
    Pushed,
    /// In the source.
    Fetched,
    /// A chart: in what source-controller packages for releases.
    Packaged,
    Applied,
    /// And everything is well, as far as Flux looks.
    Healthy,
}

/// The journey of one object into one cluster.
#[derive(Debug, Clone)]
pub(crate) struct Journey {
    pub(crate) reach: Reach,
    /// How far the text has come before the cluster.
    pub(crate) here: Stage,
    /// It may have come further: with what comes next it cannot be compared.
    pub(crate) at_least: bool,
    /// The file that makes the difference to the first version that has another text.
    pub(crate) differs: Option<RepoPath>,
    /// The branch of a remote that has the text although the source does not follow it.
    pub(crate) elsewhere: Option<String>,
    /// The text is applied, and here is another one: of somebody else, or one that was reverted in the editor.
    pub(crate) newer: Option<Stage>,
    /// What is applied.
    pub(crate) applied: Option<Revision>,
    /// A newer tag than the one that a pinned source has.
    pub(crate) tag: Option<NewerTag>,
    /// A chart: the version that is packaged.
    pub(crate) packaged: Option<Revision>,
    /// A chart that Flux passes over.
    pub(crate) untaken: Option<Untaken>,
    pub(crate) way: Arc<Way>,
}

impl Journey {
    /// One that has not begun.
    pub(crate) fn new(way: &Arc<Way>, applied: Option<Revision>) -> Journey {
        Journey {
            reach: Reach::Unknown(Why::NoRoot),
            here: Stage::Edited,
            at_least: false,
            differs: None,
            elsewhere: None,
            newer: None,
            applied,
            tag: None,
            packaged: None,
            untaken: None,
            way: Arc::clone(way),
        }
    }
}

/// A chart whose text differs from the one that was taken under the version that it still has.
#[derive(Debug, Clone)]
pub(crate) struct Untaken {
    /// As `Chart.yaml` has it.
    pub(crate) version: String,
    /// The file that makes the difference.
    pub(crate) differs: Option<RepoPath>,
}

/// The newest tag of this clone, where the source has an older one.
#[derive(Debug, Clone)]
pub(crate) struct NewerTag {
    pub(crate) name: String,
    /// Whether it has the text, as far as can be told.
    pub(crate) has_it: Option<bool>,
}

/// What a build makes of a text.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) id: Id,
    pub(crate) origin: Origin,
}

/// How far a text has come, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    At(Stage),
    /// Somebody else's newer text is there; this one is what it was before.
    Older(Stage),
    Unknown(Why),
}

/// Why it cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// What is applied is in a commit that is not in this clone. With what would bring it.
    NotInThisClone(Revision, Option<Arc<str>>),
    /// What is applied is known by a digest or a version, not by a commit.
    NoCommit(Revision),
    /// No revision is told to be applied.
    NotTold,
    /// Where the root of the artifact is in this repository, nobody wrote down.
    NoRoot,
    /// Its content holds what is not known here: a variable, a remote base.
    NotComparable,
    /// History was not asked yet.
    Pending,
}

/// An object in a version.
#[derive(Debug, Clone)]
enum There {
    /// With the spec that it was built with.
    Built(Arc<Value>, Arc<Content>),
    Absent,
    Unknown,
}

/// A version, and the version of the Kustomization's own spec that goes with it: what is applied may come from another
/// revision than the spec it was applied with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) files: Version,
    pub(crate) spec: Version,
}

impl Point {
    pub(crate) fn of(version: Version) -> Point {
        Point { files: version.clone(), spec: version }
    }

    /// What is applied of a version, with the spec of another one if that is known.
    pub(crate) fn applied(files: Version, spec: Option<&Version>) -> Point {
        Point { spec: spec.unwrap_or(&files).clone(), files }
    }
}

/// What a cluster is told to have.
pub(crate) struct Told {
    pub(crate) stage: Stage,
    pub(crate) revision: Revision,
    /// The versions that this may be.
    pub(crate) points: Result<Points, Why>,
}

/// The versions that something may be of: one, where that is written down.
#[derive(Debug, Clone)]
pub(crate) struct Points {
    pub(crate) all: Vec<Point>,
    /// Those of them that were committed before, if clocks can be trusted. Never none.
    pub(crate) likely: Vec<Point>,
}

impl Points {
    pub(crate) fn one(point: Point) -> Points {
        Points { all: vec![point.clone()], likely: vec![point] }
    }
}

/// What is followed on its way.
pub(crate) enum Followed<'s> {
    Object(Subject<'s>),
    Chart(&'s ChartUse),
}

/// The object that is followed.
pub(crate) struct Subject<'s> {
    pub(crate) cluster: usize,
    pub(crate) kustomization: &'s ObjectId,
    pub(crate) id: &'s Id,
    pub(crate) origin: &'s Origin,
    /// The version whose texts the live spec is from.
    pub(crate) applied_spec: Option<Version>,
    /// Stages often are at the same commit: it is compared once.
    pub(crate) compared: std::cell::RefCell<Vec<(Point, Point, Compared)>>,
}

impl View<'_> {
    /// How far what a Kustomization makes of the texts has come. `None` if the Kustomization is not of this repository.
    pub(crate) fn journey(
        &self,
        cluster: usize,
        kustomization: &ObjectId,
        made: &Made,
    ) -> Option<Arc<Journey>> {
        let key = (cluster, kustomization.clone(), made.id.clone());
        if let Some(known) = self.journeys.borrow().get(&key) {
            return known.clone();
        }
        let journey = self.journey_anew(cluster, kustomization, made).map(Arc::new);
        self.journeys.borrow_mut().insert(key, journey.clone());
        journey
    }

    fn journey_anew(&self, cluster: usize, kustomization: &ObjectId, made: &Made) -> Option<Journey> {
        let (_, delivery) = self.derived[cluster].binding.deliveries.of(kustomization)?;
        let way = self.way(cluster, kustomization)?;
        let verdict = self.verdict(cluster, kustomization)?;
        let applied = verdict.applied.clone();
        if !delivery.from.is_certain() {
            return Some(Journey::new(&way, applied));
        }
        let spec = self.applied_spec(cluster, kustomization);
        let fetched = way.hops.first().and_then(|it| it.revision.clone());
        let points = [(Stage::Applied, applied.clone()), (Stage::Fetched, fetched)];
        let told = points.into_iter().filter_map(|(stage, revision)| {
            let revision = revision?;
            let points = self.point(&revision).map(|version| match stage {
                Stage::Applied => Points::one(Point::applied(version, spec.as_ref())),
                _ => Points::one(Point::of(version)),
            });
            Some(Told { stage, revision, points })
        });
        let told: Vec<Told> = told.collect();
        let is_well = applied.as_ref().is_some_and(|it| is_well(&verdict, it));
        let followed = Followed::Object(Subject {
            cluster,
            kustomization,
            id: &made.id,
            origin: &made.origin,
            applied_spec: spec.clone(),
            compared: Default::default(),
        });
        Some(self.travel(&followed, &way, &told, applied, is_well))
    }

    /// How far what is followed has come, of what a cluster has at its stages, the furthest first.
    pub(crate) fn travel(
        &self,
        followed: &Followed<'_>,
        way: &Arc<Way>,
        told: &[Told],
        applied: Option<Revision>,
        is_well: bool,
    ) -> Journey {
        let mut journey = Journey::new(way, applied.clone());
        let now = Point::of(Version::Buffer);
        self.local(followed, &now, &mut journey);
        journey.tag = self.newer_tag(followed, &now, way);
        let mut lacks: Option<RepoPath> = None;
        let mut why = applied.is_none().then_some(Why::NotTold);
        let mut is_known = false;
        for Told { stage, revision, points } in told {
            let points = match points {
                Ok(points) => points,
                Err(reason) => {
                    why.get_or_insert_with(|| reason.clone());
                    continue;
                }
            };
            match self.same_at_all(followed, &now, &points.likely) {
                // What is applied instead is not known: it may be this text.
                Compared::Same if *stage < Stage::Applied && !is_known && applied.is_some() => {
                    journey.reach = Reach::Unknown(why.unwrap_or(Why::NotTold));
                    return journey;
                }
                Compared::Same => {
                    let is_certain = self.same_at_all(followed, &now, &points.all) == Compared::Same;
                    let stage = match *stage {
                        Stage::Applied if is_well && is_certain => Stage::Healthy,
                        stage => stage,
                    };
                    journey.reach = Reach::At(stage);
                    journey.newer = self.newer(followed, &now, way);
                    return journey;
                }
                Compared::Different(path) => {
                    is_known |= *stage == Stage::Applied;
                    lacks = path.or(lacks);
                    if points.likely.iter().all(|it| self.is_older(followed, &now, it)) {
                        journey.reach = Reach::Older(*stage);
                        return journey;
                    }
                }
                Compared::Unknown => {
                    why.get_or_insert(if points.likely.iter().any(|it| self.is_incomplete(&it.files)) {
                        Why::NotInThisClone(revision.clone(), None)
                    } else if points.likely.len() > 1 {
                        Why::NoCommit(revision.clone())
                    } else {
                        Why::NotComparable
                    });
                }
            }
        }
        journey.differs = journey.differs.take().or(lacks);
        // What is fetched may be in no clone although what is applied is: then it may have this text.
        journey.reach = match why {
            Some(Why::NotTold) | None => Reach::At(journey.here),
            Some(_) if is_known && journey.here < Stage::Pushed => Reach::At(journey.here),
            Some(why) => Reach::Unknown(why),
        };
        if journey.here < Stage::Pushed
            && let Some((_, tip)) = &way.tip
            && self.is_older(followed, &now, &Point::of(Version::of(&tip.commit)))
        {
            journey.reach = Reach::Older(Stage::Pushed);
        }
        journey
    }

    /// Compares with versions of which any may be meant: known where all say the same.
    pub(crate) fn same_at_all(&self, followed: &Followed<'_>, now: &Point, points: &[Point]) -> Compared {
        let mut all = points.iter().map(|it| self.compared_as(followed, now, it));
        let first = all.next().unwrap_or(Compared::Unknown);
        let is_like_first = |it: Compared| match (&first, &it) {
            (Compared::Different(_), Compared::Different(_)) => true,
            (first, it) => *first == *it,
        };
        if all.all(is_like_first) { first } else { Compared::Unknown }
    }

    /// Compares what is followed at two points.
    pub(crate) fn compared_as(&self, followed: &Followed<'_>, a: &Point, b: &Point) -> Compared {
        match followed {
            Followed::Object(subject) => self.compared(subject, a, b),
            Followed::Chart(chart) => self.compared_charts(chart, &a.files, &b.files),
        }
    }

    /// Where another text is than the one that is applied.
    fn newer(&self, followed: &Followed<'_>, now: &Point, way: &Way) -> Option<Stage> {
        let fetched = way.hops.first().and_then(|it| self.point(it.revision.as_ref()?).ok());
        let pushed = way.tip.as_ref().map(|(_, tip)| Version::of(&tip.commit));
        let points = [(Stage::Fetched, fetched), (Stage::Pushed, pushed)];
        points.into_iter().find_map(|(stage, version)| {
            let there = self.compared_as(followed, now, &Point::of(version?));
            matches!(there, Compared::Different(_)).then_some(stage)
        })
    }

    /// How far the text has come before any cluster.
    fn local(&self, followed: &Followed<'_>, now: &Point, journey: &mut Journey) {
        let refs = self.inputs.repo.refs;
        let mut points = Vec::new();
        if let Some((_, tip)) = &journey.way.tip {
            points.push((Stage::Pushed, Version::of(&tip.commit)));
        }
        points.extend(refs.head.iter().map(|it| (Stage::Committed, Version::of(&it.commit))));
        points.push((Stage::Saved, Version::Saved));
        for (stage, version) in points {
            match self.compared_as(followed, now, &Point::of(version)) {
                Compared::Same => {
                    journey.here = stage;
                    break;
                }
                // The last one is the first that lacks the text.
                Compared::Different(path) => {
                    journey.differs = path.or(journey.differs.take());
                    journey.at_least = false;
                }
                Compared::Unknown => journey.at_least = true,
            }
        }
        if journey.here != Stage::Committed {
            return;
        }
        // A text of a feature branch may be pushed all the same.
        let upstream = refs.head.as_ref().and_then(|it| it.upstream.as_ref());
        if let Some((remote, branch)) = upstream
            && Some(branch.as_str()) != journey.way.follows.branch()
            && let Some((_, tip)) = refs.tip(std::slice::from_ref(remote), branch)
            && matches!(self.compared_as(followed, now, &Point::of(Version::of(&tip.commit))), Compared::Same)
        {
            journey.elsewhere = Some(branch.clone());
        }
    }

    /// Of a source that takes one tag, or those of a range: the newest tag of this clone, if that is newer.
    fn newer_tag(&self, followed: &Followed<'_>, now: &Point, way: &Way) -> Option<NewerTag> {
        if !matches!(way.follows, Follows::Tag(_) | Follows::Range(_)) {
            return None;
        }
        let version = |tag: &str| semver::Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok();
        let has = version(way.hops.first()?.revision.as_ref()?.name()?)?;
        let tags = &self.inputs.repo.refs.tags;
        let versions = tags.iter().filter_map(|(name, commit)| Some((version(name)?, name, commit)));
        let (newest, name, commit) = versions.max_by(|one, two| one.0.cmp_precedence(&two.0))?;
        if newest.cmp_precedence(&has).is_le() {
            return None;
        }
        // Asks for the commit, if nobody did.
        let point = self.point(&Revision::new(commit)).ok();
        let has_it = point.and_then(|it| match self.compared_as(followed, now, &Point::of(it)) {
            Compared::Same => Some(true),
            Compared::Different(_) => Some(false),
            Compared::Unknown => None,
        });
        Some(NewerTag { name: name.clone(), has_it })
    }

    /// The files of a revision.
    pub(crate) fn point(&self, revision: &Revision) -> Result<Version, Why> {
        let Some(commit) = revision.commit() else { return Err(Why::NoCommit(revision.clone())) };
        match self.commit(commit) {
            Some(Answer::Known(_)) => Ok(Version::of(commit)),
            Some(Answer::NotInThisClone(bring)) => Err(Why::NotInThisClone(revision.clone(), bring.clone())),
            None => Err(Why::Pending),
        }
    }

    /// Whether the text is what it was before somebody else changed it: it is the same in the newest commit that HEAD and
    /// the other version have in common, and it is not in the other.
    fn is_older(&self, followed: &Followed<'_>, now: &Point, other: &Point) -> bool {
        let (Some(head), Some(other)) = (&self.inputs.repo.refs.head, other.files.commit()) else {
            return false;
        };
        if head.commit == other {
            return false;
        }
        let of = (head.commit.clone(), other.to_owned());
        let base = match self.inputs.past.base(&of) {
            None => {
                self.lack(|lacks| lacks.bases.insert(of));
                return false;
            }
            Some(answer) => answer.known().cloned().flatten(),
        };
        base.is_some_and(|base| {
            base != other
                && matches!(self.compared_as(followed, now, &Point::of(Version::of(&base))), Compared::Same)
        })
    }

    /// Compares what becomes of the object at two points.
    pub(crate) fn compared(&self, subject: &Subject<'_>, a: &Point, b: &Point) -> Compared {
        if a == b || (self.are_one(&a.files, &b.files) && self.are_one(&a.spec, &b.spec)) {
            return Compared::Same;
        }
        let known =
            subject.compared.borrow().iter().find(|it| (&it.0, &it.1) == (a, b)).map(|it| it.2.clone());
        known.unwrap_or_else(|| {
            let compared = self.compared_anew(subject, a, b);
            subject.compared.borrow_mut().push((a.clone(), b.clone(), compared.clone()));
            compared
        })
    }

    fn compared_anew(&self, subject: &Subject<'_>, a: &Point, b: &Point) -> Compared {
        let specs = self.specs(subject.cluster, subject.kustomization, &a.spec, &b.spec);
        let (one, two) = match specs {
            Specs::Both(one, two) => (Some((&a.spec, one)), Some((&b.spec, two))),
            Specs::First(_) | Specs::Second(_) if subject.applied_spec.is_some() => {
                let incomplete = [&a.spec, &b.spec].iter().any(|it| self.is_incomplete(it));
                return if incomplete { Compared::Unknown } else { Compared::Different(None) };
            }
            Specs::Live | Specs::First(_) | Specs::Second(_) => (None, None),
        };
        match (self.there(subject, &a.files, one), self.there(subject, &b.files, two)) {
            (There::Built(one, here), There::Built(two, there)) => match compare(&one, &two) {
                Compared::Different(Some(path)) => {
                    Compared::Different(self.file_that_differs(subject, (a, b), path, &[here, there]))
                }
                compared => compared,
            },
            (There::Built(one, here), There::Absent) => {
                let path = one.site.as_ref().map(|it| it.path().clone());
                Compared::Different(
                    path.and_then(|path| self.file_that_differs(subject, (a, b), path, &[here])),
                )
            }
            (There::Absent, There::Built(..)) => Compared::Different(None),
            (There::Absent, There::Absent) => Compared::Same,
            _ => Compared::Unknown,
        }
    }

    /// The file to name for a difference that this file wrote in one of two versions. What it wrote may be there as before,
    /// and not be taken any more, or only now: then it is the file that brings it into the build.
    fn file_that_differs(
        &self,
        subject: &Subject<'_>,
        (a, b): (&Point, &Point),
        path: RepoPath,
        contents: &[Arc<Content>],
    ) -> Option<RepoPath> {
        let (Some(one), Some(two)) = (self.tree_in(&a.files), self.tree_in(&b.files)) else {
            return Some(path);
        };
        let is_changed = |path: &RepoPath| one.read(path) != two.read(path);
        // In the artifact it may have another name.
        if is_changed(&path) {
            return Some(path);
        }
        let built = contents.iter().filter_map(|it| it.build.find(subject.id, subject.origin));
        let shapers: Vec<&RepoPath> =
            built.flat_map(|it| it.shaped_by.iter().map(|it| &it.path).chain([it.origin.path()])).collect();
        let (builds, others): (Vec<&RepoPath>, Vec<&RepoPath>) =
            shapers.into_iter().partition(|it| is_kustomization_name(it.file_name()));
        let own = self.place_of(subject.cluster, subject.kustomization, false).map(|(at, _)| at.path);
        builds.into_iter().chain(others).chain(&own).find(|it| is_changed(it)).cloned()
    }

    /// The object as a version makes it, with this spec or the live one.
    fn there(&self, subject: &Subject<'_>, version: &Version, spec: Option<(&Version, Arc<Value>)>) -> There {
        let (cluster, id) = (subject.cluster, subject.kustomization);
        let Some(tree) = self.tree_in(version) else { return There::Unknown };
        let Some((at, delivery)) = self.derived[cluster].binding.deliveries.of(id) else {
            return There::Unknown;
        };
        let is_asked =
            |it: &&BuiltAt| it.files == *version && it.spec.as_ref() == spec.as_ref().map(|it| it.0);
        let known = self.there.borrow().get(&(cluster, at)).and_then(|it| it.iter().find(is_asked)).cloned();
        let content = known.map(|it| it.content).unwrap_or_else(|| {
            let own = spec.as_ref().map(|it| it.0.clone());
            let spec = spec.map_or_else(|| self.live_spec(cluster, id), |it| it.1);
            let content = Arc::new(self.build_with(version, tree, delivery.from.key(), spec));
            let built = BuiltAt { files: version.clone(), spec: own, content: Arc::clone(&content) };
            self.there.borrow_mut().entry((cluster, at)).or_default().push(built);
            content
        });
        match content.build.find(subject.id, subject.origin) {
            _ if self.is_incomplete(version) => There::Unknown,
            Some(built) => There::Built(Arc::clone(&built.value), Arc::clone(&content)),
            // It may be made by what we cannot read.
            None if content.build.unknown.iter().any(|it| it.why.hides() && !it.why.refuses()) => {
                There::Unknown
            }
            None => There::Absent,
        }
    }

    /// Whether a document differs from what it was at a revision in nothing that counts, and yet differs.
    pub(crate) fn only_comments(
        &self,
        revision: &Revision,
        path: &RepoPath,
        (nth, placed): (usize, &Placed),
    ) -> bool {
        let Some(commit) = revision.commit() else { return false };
        // Nearly always it is the very text, at the same place.
        let there = self.file_at(commit, path).flatten();
        if there.is_some_and(|it| {
            it.documents().get(nth).is_some_and(|it| it.document.text() == placed.document.text())
        }) {
            return false;
        }
        let then = self.counterpart(&Version::of(commit), path, &placed.document);
        then.flatten().is_some_and(|it| it.text().trim_end() != placed.document.text().trim_end())
    }

    /// When the next poll of the first source is, at the latest: an interval behind the moment when the branch moved.
    pub(crate) fn next_poll(&self, way: &Way) -> Option<Timestamp> {
        let interval = way.hops.first()?.source.spec.interval?;
        let moved = way.tip.as_ref()?.1.moved?;
        moved.checked_add(interval).ok()
    }
}

/// Whether what is applied is also well: then the text is live.
pub(crate) fn is_well(verdict: &Verdict, applied: &Revision) -> bool {
    verdict.applied.as_ref() == Some(applied)
        && matches!(
            verdict.state.last(),
            State::Ready | State::ReadyBehind { .. } | State::ReadySourceStale { .. }
        )
}

/// What was found, each once.
pub(crate) type Journeys =
    std::cell::RefCell<std::collections::HashMap<(usize, ObjectId, Id), Option<Arc<Journey>>>>;

/// What [`View::journey`] built of a version, with the live spec or with the one that a version has.
#[derive(Clone)]
pub(crate) struct BuiltAt {
    files: Version,
    spec: Option<Version>,
    content: Arc<Content>,
}

/// By cluster and delivery: a handful of versions each.
pub(crate) type Builds = std::cell::RefCell<std::collections::HashMap<(usize, usize), Vec<BuiltAt>>>;

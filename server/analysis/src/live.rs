//! The live objects of plain manifests: what is wanted of them, what was read, and what that says.
//!
//! Analysis never asks. It says in [`crate::FileReport::live`] which objects an answer is about; the caller reads them while
//! the file is open and puts what it read into [`LiveObjects`]. A Secret is never among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use flux::{Counted, Health, How, Kind, Live, ObjectId, Verdict};
use jiff::Timestamp;
use manifests::{Placed, RepoPath, Role, Value, value};

use crate::held::{Gap, Lack, gaps_of_object};
use crate::inputs::Proof;
use crate::journey::Made;
use crate::page::{Page, spans};
use crate::state::{Said, Sign, Tone, verdict_word};
use crate::view::{Absent, MadeOf, Standing, View};
use crate::words;

/// How many differences between a text and its live object are named.
const DIFFERENCES: usize = 3;

/// Live objects of one cluster, as they were read. Replaced as a whole: what was derived of one is not of another.
#[derive(Debug, Clone, Default)]
pub struct LiveObjects(BTreeMap<ObjectId, Reading>);

/// One object as it was read, or why it was not.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it was read for: [`Wanted::ground`].
    pub ground: String,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub answer: LiveAnswer,
}

/// What reading an object came to.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveAnswer {
    /// Here it is.
    Found(Arc<Live>),
    /// There is none of this name.
    Gone,
    /// Not allowed.
    Forbidden {
        /// `get`.
        verb: String,
        /// As roles name it: `deployments.apps`.
        resource: String,
    },
    /// The cluster does not know the kind.
    NotServed,
    /// No answer; a sentence for people.
    Failed(String),
}

/// A live object that an answer is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The cluster's key.
    pub cluster: String,
    /// The object; never a Secret.
    pub object: ObjectId,
    /// The API version that it is applied in, without the group: `v1`.
    pub version: String,
    /// What makes a reading worth another: what its applier applied, and how that went. To be compared only.
    pub ground: String,
}

impl LiveObjects {
    /// Notes what was read.
    pub fn note(&mut self, object: ObjectId, reading: Reading) {
        self.0.insert(object, reading);
    }

    /// What was read of an object.
    pub fn get(&self, object: &ObjectId) -> Option<&Reading> {
        self.0.get(object)
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets the others.
    pub fn retain(&mut self, keep: impl Fn(&ObjectId) -> bool) {
        self.0.retain(|id, _| keep(id));
    }
}

impl LiveAnswer {
    /// The object.
    pub(crate) fn found(&self) -> Option<&Arc<Live>> {
        match self {
            Self::Found(live) => Some(live),
            _ => None,
        }
    }
}

/// The live object of a document.
pub(crate) struct Own<'a> {
    id: ObjectId,
    reading: Option<&'a Reading>,
    /// It was read after its applier did what it says now.
    current: bool,
    /// An object that goes away by itself when it is done.
    passing: bool,
}

impl Own<'_> {
    /// The Kustomization that the live object's labels name: who applied it last.
    pub(crate) fn owner(&self) -> Option<&ObjectId> {
        self.reading.filter(|_| self.current)?.answer.found()?.owner.as_ref()
    }
}

fn is_secret(id: &ObjectId) -> bool {
    id.group.is_empty() && id.kind.eq_ignore_ascii_case("secret")
}

/// What a reading of an object is good for: as long as its applier says the same.
pub(crate) fn ground(verdict: &Verdict) -> String {
    let applied = verdict.applied.as_ref().map(ToString::to_string).unwrap_or_default();
    let since = verdict.since.map(|it| it.to_string()).unwrap_or_default();
    format!("{applied} {} {since}", verdict_word(&verdict.state))
}

impl<'a> View<'a> {
    /// The live object that a Kustomization's build makes of a document, which its inventory holds.
    pub(crate) fn own_object(
        &self,
        cluster: usize,
        (made, listed): (&MadeOf<'_>, &[ObjectId]),
        ground: &str,
    ) -> Option<Own<'a>> {
        let applier = &made.delivery.kustomization;
        let [id] = listed else { return None };
        if applier.spec.remote || id.flux_kind().is_some() {
            return None;
        }
        let inventory = applier.status.inventory.as_ref()?;
        let version = inventory.get(id)?.version.to_owned();
        self.want(cluster, id, version, ground);
        let reading = self.cluster(cluster).live.get(id);
        let current = reading.is_some_and(|it| it.ground == ground);
        let passing = *id.kind == *"Job" && *id.group == *"batch";
        Some(Own { id: id.clone(), reading, current, passing })
    }

    /// Notes that an answer is about a live object. Only what is live can be read.
    fn want(&self, cluster: usize, id: &ObjectId, version: String, ground: &str) {
        if is_secret(id) || self.proof(cluster) != Proof::Live {
            return;
        }
        let cluster = self.cluster(cluster).key.to_owned();
        let wanted = Wanted { cluster, object: id.clone(), version, ground: ground.to_owned() };
        self.wanted.borrow_mut().insert(wanted);
    }

    /// The object as the texts in front of the user make it.
    fn built(&self, cluster: usize, applier: &ObjectId, made: &Made) -> Option<Arc<Value>> {
        let content = self.content(cluster, applier)?;
        content.build.find(&made.id, &made.origin).map(|it| Arc::clone(&it.value))
    }

    /// The fields of an object that is no Flux object which its live object does not hold: read since its applier is as it is,
    /// in the version that the text is written in. A key is told to be dropped only of kinds where that is nobody's error.
    pub(crate) fn gaps_of_plain(&self, cluster: usize, made: &MadeOf<'_>) -> Vec<Gap> {
        let applier = &made.delivery.kustomization;
        if self.cluster(cluster).live.is_empty() {
            return Vec::new();
        }
        let ids = made.listed().unwrap_or_default();
        let ([id], Some(verdict)) = (ids.as_slice(), self.verdict(cluster, &applier.id)) else {
            return Vec::new();
        };
        let reading = self.cluster(cluster).live.get(id).filter(|it| it.ground == ground(&verdict));
        let Some(live) = reading.and_then(|it| it.answer.found()) else { return Vec::new() };
        // What another one took away was not dropped on the way.
        let is_alone = self.rivals(cluster, &applier.id, id).is_empty();
        if !is_alone || is_left_alone(live) {
            return Vec::new();
        }
        let Some(built) = self.built(cluster, &applier.id, &made.outline.made()) else { return Vec::new() };
        if crate::silent::is_left_alone(&built) || built.text(&["apiVersion"]) != Some(&*live.api_version) {
            return Vec::new();
        }
        let mut gaps = gaps_of_object(&built, &live.json);
        gaps.retain(|it| it.lack != Lack::Dropped || is_round_tripped(id));
        gaps
    }

    /// Joins an object's own state to what is said of its applier: only where it is not well, which also takes the ✓.
    pub(crate) fn join_own(&self, own: Option<&Own<'_>>, said: &mut Said, named: &mut String) {
        let Some(words) = own.and_then(|it| self.not_well(it)) else { return };
        for phrase in [&mut said.phrase, named] {
            // "Live" is more than applied: well, too.
            if let Some(rest) = phrase.strip_prefix("live ") {
                *phrase = format!("applied {rest}");
            }
            phrase.push_str(" · ");
            phrase.push_str(&words);
        }
        said.sign = said.sign.filter(|it| *it != Sign::Good);
        said.tone = said.tone.max(Tone::Unwell);
    }

    /// A few words where the object itself is not well; nothing where that is not known.
    fn not_well(&self, own: &Own<'_>) -> Option<String> {
        let reading = own.reading.filter(|_| own.current)?;
        match &reading.answer {
            LiveAnswer::Found(live) if live.health.is_well() => None,
            LiveAnswer::Found(live) => Some(short(&live.health)),
            LiveAnswer::Gone if own.passing => None,
            LiveAnswer::Gone => Some("gone from the cluster".to_owned()),
            LiveAnswer::Forbidden { .. } | LiveAnswer::NotServed | LiveAnswer::Failed(_) => None,
        }
    }

    /// The state of the object itself, and how it compares with the text.
    pub(crate) fn say_own(&self, page: &mut Page, by: &Standing, own: &Own<'_>) {
        let built = || self.built(by.cluster, &by.object, by.made.as_ref()?);
        self.say_read(page, by.cluster, own, built);
    }

    fn say_read(
        &self,
        page: &mut Page,
        cluster: usize,
        own: &Own<'_>,
        built: impl FnOnce() -> Option<Arc<Value>>,
    ) {
        if is_secret(&own.id) {
            page.item(spans![w "the object itself is not read: Secrets never are"]);
            return;
        }
        let Some(reading) = own.reading else { return };
        let read = self.time(reading.at);
        let mut line = spans![w "the object itself: "];
        match &reading.answer {
            LiveAnswer::Found(live) => {
                line.extend(spans![d short(&live.health)]);
                if let Some(says) = &live.health.says
                    && !says.message.is_empty()
                {
                    line.extend(
                        spans![w ", ", d flux::message::first_sentence(&crate::page::clean(&says.message))],
                    );
                }
                line.extend(spans![w ", read ", w read]);
                page.item(line);
                if let Some(built) = built() {
                    self.say_compared(page, &built, live);
                }
            }
            LiveAnswer::Gone if own.passing => {
                page.item(spans![w "the object itself: not in the cluster, as a Job is that is done and has a time to live; read ", w read]);
            }
            LiveAnswer::Gone => {
                page.item(spans![w "the object itself: gone from the cluster, though the inventory lists it; read ", w read]);
            }
            LiveAnswer::NotServed => {
                page.item(spans![w "the object itself: the cluster does not serve this kind"])
            }
            LiveAnswer::Failed(why) => page.item(spans![w "the object itself cannot be read: ", d why]),
            LiveAnswer::Forbidden { verb, resource } => {
                self.say_forbidden(page, cluster, verb, resource, &own.id.namespace);
            }
        }
    }

    /// Said once in an answer, however many documents have it.
    fn say_forbidden(&self, page: &mut Page, cluster: usize, verb: &str, resource: &str, namespace: &str) {
        let key = (cluster, format!("{verb} {resource} {namespace}"));
        if !self.forbidden.borrow_mut().insert(key) {
            return;
        }
        let mut line =
            spans![w "the object itself is not known: no permission to ", d verb, w " ", d resource];
        if !namespace.is_empty() {
            line.extend(spans![w " in ", d namespace]);
        }
        page.item(line);
    }

    fn say_compared(&self, page: &mut Page, built: &Value, live: &Live) {
        let is_version = built.text(&["apiVersion"]) == Some(&*live.api_version);
        if !is_version {
            page.item(spans![w "not compared with this text: the cluster serves it as ", d live.api_version]);
            return;
        }
        let mut gaps = gaps_of_object(built, &live.json);
        if gaps.is_empty() {
            page.item(spans![w "it matches this text"]);
            return;
        }
        // What autoscalers and people change all the time is the least of it.
        gaps.sort_by_key(|it| it.at.to_string() == "spec.replicas");
        let mut line = spans![w "it differs from this text: "];
        for (nth, gap) in gaps.iter().take(DIFFERENCES).enumerate() {
            line.extend(spans![w if nth == 0 { "" } else { "; " }, d gap.at]);
            line.extend(match &gap.lack {
                Lack::Dropped | Lack::Gone => spans![w " is not in it"],
                Lack::Other(None) => spans![w " is another"],
                Lack::Other(Some(there)) => spans![w " is ", d there, w " there"],
            });
        }
        if let Some(more) = gaps.len().checked_sub(DIFFERENCES).filter(|it| *it > 0) {
            line.extend(spans![w "; and ", w more, w " more"]);
        }
        page.item(line);
    }
}

/// A document whose applier may not be read: only the object of its name can be looked at (design 3.3).
pub(crate) struct Unowned {
    pub(crate) cluster: usize,
    pub(crate) object: ObjectId,
    pub(crate) said: Said,
    owner: ObjectId,
    live: Arc<Live>,
    at: Timestamp,
    value: Arc<Value>,
}

impl View<'_> {
    /// Whether Kustomizations may be there that cannot be read.
    pub(crate) fn hides_appliers(&self, cluster: usize) -> bool {
        use flux::Coverage;
        matches!(
            self.facts(cluster).coverage(Kind::Kustomization),
            Coverage::Forbidden { .. } | Coverage::Partly(_)
        )
    }

    /// The objects that a document is by its name, where their labels name an applier that may not be read.
    pub(crate) fn unowned(&self, path: &RepoPath, nth: usize, placed: &Placed) -> Vec<Unowned> {
        let mut found = Vec::new();
        let Some(identity) = placed.document.identity() else { return found };
        // Which namespace an overlay would give it, nobody tells here.
        let Some(namespace) = identity.namespace.as_deref().filter(|_| !identity.has_variables()) else {
            return found;
        };
        if placed.document.role_in(path) != Role::Object
            || crate::index::flux_object(&placed.document).is_some()
        {
            return found;
        }
        let object = ObjectId::new(&identity.group, &identity.kind, namespace, &identity.name);
        for cluster in 0..self.inputs.clusters.len() {
            if !self.inputs.settings.maps(path, self.cluster(cluster))
                || !self.hides_appliers(cluster)
                || is_secret(&object)
                || crate::navigation::is_input(self.inputs, path)
            {
                continue;
            }
            self.want(cluster, &object, identity.version.clone(), "");
            let Some(reading) = self.cluster(cluster).live.get(&object) else { continue };
            let Some(live) = reading.answer.found() else { continue };
            let Some(owner) = live.owner.clone().filter(|it| it.flux_kind() == Some(Kind::Kustomization))
            else {
                continue;
            };
            let is_hidden = self.facts(cluster).get(&owner).is_none()
                && matches!(self.absent(cluster, &owner), Absent::Forbidden { .. } | Absent::OtherNamespace);
            let Some(value) = value::of_document(path, nth, placed).filter(|_| is_hidden) else { continue };
            let matches = gaps_of_object(&value, &live.json).is_empty();
            let mut phrase = if matches { "matches this text" } else { "differs from this text" }.to_owned();
            if !live.health.is_well() {
                phrase.push_str(" · ");
                phrase.push_str(&short(&live.health));
            }
            let name = format!("{}/{}", owner.namespace, owner.name);
            phrase.push_str(&format!("; {}: no permission", words::data(&name)));
            let said = Said {
                sign: None,
                phrase,
                tone: Tone::Unknown,
                freshness: self.freshness(self.proof(cluster)),
                differs: !matches,
            };
            let (live, at) = (Arc::clone(live), reading.at);
            found.push(Unowned { cluster, object: object.clone(), said, owner, live, at, value });
        }
        found
    }

    /// The same as a page.
    pub(crate) fn page_of_unowned(&self, unowned: &Unowned) -> Page {
        let mut page = Page::default();
        let name = words::data(self.cluster(unowned.cluster).name);
        page.heading(spans![d unowned.object, w " in ", d name]);
        page.line(spans![d unowned.said.phrase]);
        let reading = Reading {
            ground: String::new(),
            at: unowned.at,
            answer: LiveAnswer::Found(Arc::clone(&unowned.live)),
        };
        let id = unowned.object.clone();
        let own = Own { id, reading: Some(&reading), current: true, passing: false };
        self.say_read(&mut page, unowned.cluster, &own, || Some(Arc::clone(&unowned.value)));
        page.item(spans![w "only a guess: an object of this kind and name; its labels name ", d unowned.owner, w " as what applies it, which cannot be read"]);
        self.say_contact(&mut page, unowned.cluster);
        page
    }
}

/// How an object stands by its own words, in a few of them.
fn short(health: &Health) -> String {
    let mut words = match (health.how, health.count, &health.phase) {
        (How::Deleting, ..) => "being deleted".to_owned(),
        (How::Exists, ..) => "exists".to_owned(),
        (How::Coming, Some(count), _) if count.done >= count.wanted && count.what == Counted::Ready => {
            format!("{} ready, old ones are not gone yet", count.wanted)
        }
        (_, Some(count), _) => {
            let what = match count.what {
                Counted::Updated => "updated",
                Counted::Ready => "ready",
                Counted::Available => "available",
                Counted::Done => "done",
            };
            format!("{} of {} {what}", count.done, count.wanted)
        }
        (_, None, Some(phase)) => words::data(phase),
        (How::Well, None, None) => "ready".to_owned(),
        (How::Coming | How::Failed, None, None) => "not ready".to_owned(),
    };
    if let Some(says) = health.says.as_ref().filter(|it| !it.reason.is_empty()) {
        words.push_str(&format!(" ({})", words::data(&says.reason)));
    }
    words
}

/// Whether Flux is told at the live object to leave it as it is: also there it looks (flux-reference E.6).
fn is_left_alone(live: &Live) -> bool {
    live.says("kustomize.toolkit.fluxcd.io/reconcile", "disabled")
        || ["Ignore", "IfNotPresent", "Merge"]
            .iter()
            .any(|it| live.says("kustomize.toolkit.fluxcd.io/ssa", it))
}

/// Kinds of Kubernetes itself: kustomize-controller turns them into its own types and back before it applies them, which
/// drops the keys that those do not know. Of all other kinds, and of Roles, such a key is an error (flux-reference H 1).
fn is_round_tripped(id: &ObjectId) -> bool {
    const GROUPS: &[&str] = &[
        "",
        "apps",
        "batch",
        "autoscaling",
        "policy",
        "networking.k8s.io",
        "storage.k8s.io",
        "scheduling.k8s.io",
        "coordination.k8s.io",
        "node.k8s.io",
        "discovery.k8s.io",
        "admissionregistration.k8s.io",
        "certificates.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "events.k8s.io",
        "resource.k8s.io",
        "rbac.authorization.k8s.io",
    ];
    GROUPS.contains(&&*id.group)
        && !(*id.group == *"rbac.authorization.k8s.io" && matches!(&*id.kind, "Role" | "ClusterRole"))
}

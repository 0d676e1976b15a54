//! What Flux reported to a Git forge: a witness beside the cluster, and the only one without it.
//!
//! A report is weaker than the cluster. It says what notification-controller posted about a commit when a `Provider` and an
//! `Alert` told it to (flux-reference F.3): not which namespace, not what happened since, and nothing at all when an
//! event was lost. So it is always shown as what it is, with who told and when; it is never a ✓ and never a mark.

use flux::{Coverage, Kind, ObjectId, StatusContext};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

use crate::findings::Stand;
use crate::inputs::Proof;
use crate::page::{Page, Span, spans};
use crate::past::Answer;
use crate::report::{Action, Command, LensItem, LensRow};
use crate::view::View;
use crate::words;

/// The forge of a repository, and what it told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reported {
    /// The name that people know: `Gitea`.
    pub service: String,
    /// Where it is: `git.example.com`.
    pub host: String,
    /// Whether the user wants its statuses read; otherwise that is offered.
    pub wanted: bool,
    /// Commits that were asked for, the one in front of the user first.
    pub commits: Vec<ReportedOn>,
    /// Why not all could be read, in a sentence.
    pub trouble: Option<String>,
    /// Contexts that are no default of Flux, by the user's settings: context → `Kustomization/flux-system/apps`, or without
    /// the namespace.
    pub contexts: BTreeMap<String, String>,
}

/// What was reported on one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedOn {
    /// The full hash.
    pub commit: String,
    /// The newest report of each context.
    pub reports: Vec<Report>,
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Who reports about what: `kustomization/apps/0c9c2e41`.
    pub context: String,
    /// How it came out.
    pub outcome: Reporting,
    /// The reason in words: `health check failed`. Never Flux's message.
    pub description: String,
    /// When it was posted.
    pub at: Option<Timestamp>,
}

/// How what was reported came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporting {
    /// Well.
    Success,
    /// Not well.
    Failure,
    /// Not yet.
    Pending,
    /// None of these.
    Other,
}

/// A report that is about an object.
pub(crate) struct Heard<'a> {
    pub(crate) commit: &'a str,
    report: &'a Report,
    /// The cluster whose Provider posted it, where one is known to have.
    cluster: Option<usize>,
}

impl Reporting {
    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Pending => "pending",
            Self::Other => "neither success nor failure",
        }
    }
}

impl View<'_> {
    /// Reports about an object, of each context the newest; of two without times that on the first commit. `namespace` where
    /// it is known.
    pub(crate) fn heard(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Vec<Heard<'_>> {
        let Some(reported) = self.inputs.reported else { return Vec::new() };
        let mut heard: Vec<Heard<'_>> = Vec::new();
        for on in &reported.commits {
            for report in &on.reports {
                let Some(cluster) = self.about(reported, &report.context, kind, namespace, name) else {
                    continue;
                };
                let new = Heard { commit: &on.commit, report, cluster };
                match heard.iter_mut().find(|it| it.report.context == report.context) {
                    Some(known) if new.report.at > known.report.at => *known = new,
                    Some(_) => {}
                    None => heard.push(new),
                }
            }
        }
        heard
    }

    /// Whether a context is about an object: by the settings, by Flux's own form, or by the expression of a Provider of a
    /// cluster that can be read. With the cluster whose Provider it is, where that can be told.
    fn about(
        &self,
        reported: &Reported,
        context: &str,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
    ) -> Option<Option<usize>> {
        if let Some(object) = reported.contexts.get(context) {
            let parts: Vec<&str> = object.split('/').collect();
            return match parts.as_slice() {
                [its_kind, its_name] => (*its_kind == kind.as_str() && *its_name == name).then_some(None),
                [its_kind, its_namespace, its_name] => (*its_kind == kind.as_str()
                    && *its_name == name
                    && namespace.is_none_or(|it| it == *its_namespace))
                .then_some(None),
                _ => None,
            };
        }
        let providers = |cluster: usize| self.facts(cluster).of_kind(Kind::Provider);
        let clusters = 0..self.inputs.clusters.len();
        if let Some(own) = StatusContext::parse(context) {
            let mut by = clusters.filter(|it| providers(*it).any(|provider| own.is_by(provider)));
            return own.names(kind, name).then(|| by.next());
        }
        let object = ObjectId::flux(kind, namespace.unwrap_or_default(), name);
        let mut by = clusters.filter(|it| {
            let mut contexts = providers(*it).filter_map(|it| flux::custom_context(it, &object));
            contexts.any(|it| it == context)
        });
        by.next().map(Some)
    }

    fn heard_of(&self, stand: &Stand<'_>) -> Vec<Heard<'_>> {
        let Some((kind, identity)) = crate::index::flux_object(&stand.placed.document) else {
            return Vec::new();
        };
        match stand.standings.first() {
            Some((standing, _)) => {
                let object = &standing.object;
                self.heard(kind, Some(&*object.namespace), &object.name)
            }
            None => self.heard(kind, identity.namespace.as_deref(), &identity.name.to_string()),
        }
    }

    /// Everything that was reported about a document.
    pub(crate) fn say_reports(&self, page: &mut Page, stand: &Stand<'_>) {
        let Some((kind, identity)) = crate::index::flux_object(&stand.placed.document) else { return };
        let Some(reported) = self.inputs.reported.filter(|it| it.wanted) else { return };
        let connected = stand.standings.iter().any(|(standing, _)| standing.live.is_some());
        let heard = self.heard_of(stand);
        let objects: Vec<_> =
            stand.standings.iter().map(|(standing, _)| (standing.cluster, &standing.object)).collect();
        self.say_heard(page, reported, &heard, connected, &objects);
        let alike = self.inputs.repo.index.named(kind, &identity.name.to_string()).count();
        if alike > 1 && heard.iter().any(|it| it.cluster.is_none()) {
            page.item(spans![
                w words::count(alike, "document"), w " of this repository have this kind and name: which of them a report is about, ",
                w reported.service_word(), w " does not tell"
            ]);
        }
        if !connected && let Some(file) = self.any_file(stand.path) {
            self.say_reports_of_appliers(page, stand.path, &file, Some(&stand.placed.document));
        }
        if let Some(trouble) = &reported.trouble {
            page.item(spans![w "commit statuses could not be read: ", d trouble]);
        } else if heard.is_empty()
            && kind == Kind::Kustomization
            && let Some(on) = reported.commits.first()
        {
            page.item(spans![
                w "nothing is reported about it to ", d reported.service, w " on ", d short(&on.commit),
                w ": Flux does so where a Provider and an Alert tell it to"
            ]);
        }
    }

    /// What was reported about an object of a cluster that no document is looked at for.
    pub(crate) fn say_reports_about(&self, page: &mut Page, cluster: usize, object: &ObjectId) {
        let (Some(kind), Some(reported)) = (object.flux_kind(), self.inputs.reported) else { return };
        if reported.wanted {
            let mut heard = self.heard(kind, Some(&*object.namespace), &object.name);
            // Of the other clusters it is not the place to speak.
            heard.retain(|it| it.cluster.map_or(!self.knows_providers(cluster), |it| it == cluster));
            self.say_heard(page, reported, &heard, true, &[(cluster, object)]);
        }
    }

    fn say_heard(
        &self,
        page: &mut Page,
        reported: &Reported,
        heard: &[Heard<'_>],
        connected: bool,
        objects: &[(usize, &ObjectId)],
    ) {
        for it in heard {
            page.item(self.sentence_of(reported, it, connected));
            for (cluster, object) in objects.iter().filter(|(cluster, _)| it.cluster == Some(*cluster)) {
                if let Some(line) = self.contradiction(reported, it, *cluster, object) {
                    page.item(line);
                }
            }
        }
    }

    /// `reported to Gitea by flux (no cluster access): reconciliation failed 3 minutes ago (2026-11-22 05:57 UTC), on 1a2b3c4`.
    pub(crate) fn sentence_of(&self, reported: &Reported, heard: &Heard<'_>, connected: bool) -> Vec<Span> {
        let mut line = spans![w "reported to ", w reported.service_word()];
        match (heard.cluster, StatusContext::parse(&heard.report.context)) {
            (Some(cluster), _) => line.extend(spans![w " by flux in ", d self.cluster(cluster).name]),
            (None, Some(_)) => {
                let mut clusters = 0..self.inputs.clusters.len();
                let elsewhere = !clusters.is_empty() && clusters.all(|it| self.knows_providers(it));
                line.extend(spans![w " by flux", w if elsewhere { " in a cluster that is not connected" } else { "" }]);
            }
            (None, None) => line.extend(spans![w " as ", d heard.report.context]),
        }
        if !connected {
            line.extend(spans![w " (no cluster access)"]);
        }
        line.extend(spans![w ": "]);
        line.push(reason(heard.report));
        if let Some(at) = heard.report.at {
            let full = words::full(at, self.inputs.zone);
            line.extend(match ago(at, self.inputs.now) {
                Some(ago) => spans![w " ", w ago, w " (", w full, w ")"],
                None => spans![w " ", w full],
            });
        }
        line.extend(spans![w ", on ", d short(heard.commit)]);
        if let Some(Answer::Known(commit)) = self.commit(heard.commit) {
            line.extend(spans![w " ", d commit.subject]);
        }
        line
    }

    /// Whether all Providers of a cluster were read: what none of them posted comes from another one.
    fn knows_providers(&self, cluster: usize) -> bool {
        self.proof(cluster) == Proof::Live && self.facts(cluster).coverage(Kind::Provider) == Coverage::Listed
    }

    /// `Gitea says success, staging says failed since 12:03`: of the same commit, in the cluster that posted.
    fn contradiction(
        &self,
        reported: &Reported,
        heard: &Heard<'_>,
        cluster: usize,
        object: &ObjectId,
    ) -> Option<Vec<Span>> {
        if !matches!(self.proof(cluster), Proof::Live | Proof::Recorded { .. }) {
            return None;
        }
        let verdict = self.verdict(cluster, object)?;
        let failed = verdict.state.is_failure();
        let revision = if failed { verdict.failed_at.as_ref() } else { verdict.applied.as_ref() };
        let same = revision.and_then(|it| it.commit()).is_some_and(|it| it == heard.commit);
        let other = match heard.report.outcome {
            Reporting::Success => failed,
            Reporting::Failure => verdict.state.is_ready(),
            Reporting::Pending | Reporting::Other => false,
        };
        if !same || !other {
            return None;
        }
        let says = if failed { "failed" } else { crate::state::done(object.flux_kind()) };
        let mut line = spans![
            w reported.service_word(), w " says ", w heard.report.outcome.as_str(), w ", ",
            d self.cluster(cluster).name, w " says ", w says
        ];
        if let Some(since) = verdict.since {
            line.extend(spans![w " since ", w words::full(since, self.inputs.zone)]);
        }
        Some(line)
    }

    /// For a lens, behind the words that nothing else is known: `Gitea: reconciliation failed on 1a2b3c4, Sun 05:57`.
    pub(crate) fn words_of_reports(&self, stand: &Stand<'_>) -> Option<String> {
        self.words_of(self.heard_of(stand))
    }

    /// The same of what was reported about any objects.
    pub(crate) fn words_of(&self, mut heard: Vec<Heard<'_>>) -> Option<String> {
        let reported = self.inputs.reported.filter(|it| it.wanted)?;
        // The worst is told; of the others how many there are.
        heard.sort_by_key(|it| match it.report.outcome {
            Reporting::Failure => 0,
            Reporting::Pending => 1,
            Reporting::Other => 2,
            Reporting::Success => 3,
        });
        let worst = heard.first()?;
        // Asked for here, because a hover cannot wait.
        self.commit(worst.commit);
        let reason = match reason(worst.report) {
            Span::Word(text) => text,
            Span::Data(text) | Span::Page(text) => words::data(&text),
        };
        let day =
            worst.report.at.map(|at| format!(", {}", words::day(at, self.inputs.now, self.inputs.zone)));
        let alike = heard.iter().filter(|it| it.report.outcome == worst.report.outcome).count();
        let of = match heard.len() {
            1 => String::new(),
            all if alike == all => format!(" ({all} reports)"),
            all => format!(" ({alike} of {all} reports)"),
        };
        let (service, commit, day) = (reported.service_word(), short(worst.commit), day.unwrap_or_default());
        Some(format!("{service}: {reason} on {commit}{day}{of}"))
    }

    /// The row of a document that nothing but reports tells about.
    pub(crate) fn row_of_reports(&self, stand: &Stand<'_>) -> Option<LensRow> {
        if !self.inputs.clusters.is_empty() || !stand.standings.is_empty() {
            return None;
        }
        let title = format!("Flux: not connected · {}", self.words_of_reports(stand)?);
        let command = Command::Details { cluster: None, object: None };
        Some(LensRow {
            range: crate::lenses::start_of(stand.placed),
            items: vec![LensItem { title, command }],
        })
    }

    /// The offer to read what was reported.
    pub(crate) fn offer_of_reports(&self, stand: &Stand<'_>) -> Option<Action> {
        let reported = self.inputs.reported.filter(|it| !it.wanted)?;
        let title = format!(
            "Flux: Show commit status from {} ({})",
            reported.service_word(),
            words::data(&reported.host)
        );
        Some(Action { range: stand.placed.range(), title, command: Command::CommitStatus })
    }
}

impl Reported {
    /// The service's name; one of ours, but who knows.
    pub(crate) fn service_word(&self) -> String {
        if is_words(&self.service) { self.service.clone() } else { "the forge".to_owned() }
    }
}

/// The reason as Flux words it, else what came out and the text as data.
fn reason(report: &Report) -> Span {
    let text = report.description.trim();
    let outcome = report.outcome.as_str();
    // Flux's own reasons end like this, and most say how it came out.
    let says = match report.outcome {
        Reporting::Success => text.ends_with("succeeded"),
        Reporting::Failure => text.ends_with("failed"),
        Reporting::Pending | Reporting::Other => false,
    };
    match (text.is_empty(), is_words(text), says) {
        (true, ..) => Span::Word(outcome.to_owned()),
        (_, true, true) => Span::Word(text.to_owned()),
        (_, true, false) => Span::Word(format!("{outcome}, {text}")),
        (_, false, _) => Span::Data(format!("{outcome}: {text}")),
    }
}

/// Letters and spaces: nothing in it can be markup.
fn is_words(text: &str) -> bool {
    text.len() <= 60 && !text.is_empty() && text.bytes().all(|it| it.is_ascii_alphabetic() || it == b' ')
}

pub(crate) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// `3 minutes ago`; `None` beyond a day, and for a clock that is behind the forge's.
fn ago(at: Timestamp, now: Timestamp) -> Option<String> {
    let age = now.duration_since(at);
    let whole = |number: i64, one: &str| {
        usize::try_from(number).ok().map(|it| format!("{} ago", words::count(it, one)))
    };
    if age < SignedDuration::ZERO {
        None
    } else if age < SignedDuration::from_mins(1) {
        Some("less than a minute ago".to_owned())
    } else if age < SignedDuration::from_hours(1) {
        whole(age.as_mins(), "minute")
    } else if age < SignedDuration::from_hours(24) {
        whole(age.as_hours(), "hour")
    } else {
        None
    }
}

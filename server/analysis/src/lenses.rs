//! One row a document: the state first, then verbs (design 6); and the same as actions, for clients without lenses.

use flux::{Object, State};
use manifests::{Placed, RepoPath, TextRange};

use crate::findings::Stand;
use crate::inputs::{Contact, Proof, Right};
use crate::report::{Action, Command, LensItem, LensRow};
use crate::state::{Said, Sign, Tone};
use crate::view::{Standing, Strength, View};
use crate::words;

/// How a line begins that says which clusters do not apply a document.
const NOT_APPLIED: &str = "Flux: not applied by ";

/// A row before the limits of a file are applied.
pub(crate) struct Row {
    pub(crate) row: LensRow,
    /// Worth showing beyond the limit.
    pub(crate) notable: bool,
    pub(crate) tone: Tone,
}

impl View<'_> {
    /// The rows of a file.
    pub(crate) fn lenses(&self, stands: &[Stand<'_>], manifests: Vec<Row>) -> Vec<LensRow> {
        let settings = self.inputs.settings;
        if !settings.lens {
            return Vec::new();
        }
        let mut rows: Vec<Row> = Vec::new();
        for stand in stands {
            let Some(row) = self.row(stand) else { continue };
            // A row that offers nothing and says what the row above said is said once: "no permission" is.
            let above = rows.last().map(|it| &it.row.items);
            let says_nothing_new = row.row.items.len() == 1
                && above.is_some_and(|above| {
                    above.len() == 1
                        && above.first().map(|it| &it.title) == row.row.items.first().map(|it| &it.title)
                });
            if !says_nothing_new || row.tone != Tone::Unknown {
                rows.push(row);
            }
        }
        if settings.lens_on_manifests {
            rows.extend(manifests);
            rows.sort_by_key(|it| it.row.range.start());
        }
        if rows.is_empty() && stands.iter().all(|stand| stand.standings.is_empty()) {
            rows.extend(stands.first().and_then(|stand| self.row_of_nothing(stand)));
            let reported = stands.iter().skip(rows.len()).filter_map(|stand| self.row_of_reports(stand));
            rows.extend(reported.map(|row| Row { row, notable: false, tone: Tone::Unknown }));
        }
        let mut shown: Vec<LensRow> = if rows.len() > settings.lens_max {
            let summary = self.summary_row(&rows);
            let notable = rows.into_iter().filter(|it| it.notable).map(|it| it.row);
            summary.into_iter().chain(notable).collect()
        } else {
            rows.into_iter().map(|it| it.row).collect()
        };
        for item in shown.iter_mut().flat_map(|row| &mut row.items) {
            if settings.ascii {
                item.title = words::ascii(&item.title);
            }
        }
        shown
    }

    fn row(&self, stand: &Stand<'_>) -> Option<Row> {
        let said: Vec<(&Standing, Said)> = stand
            .standings
            .iter()
            .filter_map(|(standing, text)| Some((standing, self.said(standing, *text)?)))
            .collect();
        let range = start_of(stand.placed);
        let tone = said.iter().map(|(_, said)| said.tone).max()?;
        let notable = tone >= Tone::Waiting || said.iter().any(|(_, said)| said.differs);
        let items = match said.as_slice() {
            [(standing, said)] => self.items_of_one(stand, standing, said),
            many => self.items_of_many(many),
        };
        Some(Row { row: LensRow { range, items }, notable, tone })
    }

    pub(crate) fn items_of_one(&self, stand: &Stand<'_>, standing: &Standing, said: &Said) -> Vec<LensItem> {
        let details = Command::Details {
            cluster: Some(self.cluster(standing.cluster).key.to_owned()),
            object: Some(standing.object.clone()),
        };
        let mut items = vec![LensItem { title: self.title(standing, said), command: details }];
        let verbs = self.verbs(stand, standing);
        items.extend(verbs.into_iter().take(self.inputs.settings.lens_verbs));
        items
    }

    /// `✗ prod: failed main@9f8e7d6, running main@1a2b3c4`.
    fn title(&self, standing: &Standing, said: &Said) -> String {
        let name = self.name(standing);
        let sign = said.sign.map(|it| format!("{} ", it.as_str())).unwrap_or_default();
        match (self.proof(standing.cluster), &said.freshness) {
            // What was is told by when it was; that it had failed is worth a word.
            (Proof::Was { .. }, Some(seen)) => match said.tone {
                Tone::Failed | Tone::Waiting => format!("{name}: {seen}, {}", said.phrase),
                _ => format!("{name}: {seen}"),
            },
            (Proof::None, _) => format!("{name}: {}", self.contact_phrase(standing.cluster)),
            (_, Some(freshness)) => format!("{sign}{name}: {}, {freshness}", said.phrase),
            (_, None) => format!("{sign}{name}: {}", said.phrase),
        }
    }

    /// The cluster; with where its objects go, if that is another one.
    pub(crate) fn name(&self, standing: &Standing) -> String {
        let name = words::data(self.cluster(standing.cluster).name);
        match &standing.remote {
            Some(target) => format!("{name} → {}", words::data(target)),
            None => name,
        }
    }

    /// Verbs in the order of their use for this state; the caller takes the first ones.
    fn verbs(&self, stand: &Stand<'_>, standing: &Standing) -> Vec<LensItem> {
        let key = self.cluster(standing.cluster).key.to_owned();
        let object = standing.object.clone();
        let item = |title: &str, command: Command| LensItem { title: title.to_owned(), command };
        if let Contact::NeedsSignIn { .. } = self.cluster(standing.cluster).contact {
            return vec![item("Sign in", Command::SignIn { cluster: key })];
        }
        let (Some(live), Some(verdict)) = (&standing.live, self.verdict(standing.cluster, &standing.object))
        else {
            return Vec::new();
        };
        let mut verbs = Vec::new();
        let may = self.may_act(standing, live);
        let to_cause =
            || item("Go to cause", Command::GoToCause { cluster: key.clone(), object: object.clone() });
        match &verdict.state {
            State::Suspended { .. } if may => {
                verbs.push(item("Resume…", Command::Resume { cluster: key.clone(), object: object.clone() }));
            }
            State::Suspended { .. } | State::Static | State::Terminating => {}
            State::Waiting { .. } => verbs.push(to_cause()),
            state => {
                if may && live.can_reconcile() {
                    // Who presses this has pushed something: without its source the object would be tried again
                    // with what it has.
                    let command = Command::Reconcile {
                        cluster: key.clone(),
                        object: object.clone(),
                        with_source: self.may_fetch(standing, live),
                    };
                    verbs.push(item("Reconcile now", command));
                }
                let failed = matches!(state, State::Failed { .. } | State::Unhealthy);
                if (failed && self.leads_anywhere(stand, standing))
                    || matches!(state, State::ReadySourceStale { .. })
                {
                    verbs.push(to_cause());
                }
            }
        }
        verbs
    }

    /// Whether the object's source can be asked to fetch first.
    fn may_fetch(&self, standing: &Standing, live: &Object) -> bool {
        let source = self.facts(standing.cluster).source_of(live);
        source.is_some_and(|it| {
            it.can_reconcile() && !it.spec.suspend && self.right(standing.cluster, &it.id) == Right::Allowed
        })
    }

    /// Whether an action may be offered: allowed by the settings, in a live cluster, by the user's rights there.
    pub(crate) fn may_act(&self, standing: &Standing, live: &Object) -> bool {
        self.inputs.settings.actions
            && standing.strength > Strength::Guess
            && self.proof(standing.cluster) == Proof::Live
            && !live.is_static()
            && self.right(standing.cluster, &standing.object) == Right::Allowed
    }

    /// Whether `Go to cause` has somewhere to go from a failed object.
    fn leads_anywhere(&self, stand: &Stand<'_>, standing: &Standing) -> bool {
        let Some((_, identity)) = crate::index::flux_object(&stand.placed.document) else { return true };
        !self.is_own_trouble(standing.cluster, &standing.object)
            || stand.placed.in_file(identity.name_range)
                != self.failure_range(standing.cluster, &standing.object, stand.placed)
            || self.first_spot(standing.cluster, &standing.object).is_some()
    }

    /// `✗ 1 of 6 failed: prod-eu · 4 live, 1 behind`.
    pub(crate) fn items_of_many(&self, many: &[(&Standing, Said)]) -> Vec<LensItem> {
        let clusters = LensItem { title: "Clusters…".to_owned(), command: Command::Clusters };
        let state =
            |title: String| LensItem { title, command: Command::Details { cluster: None, object: None } };
        let names = |wanted: &dyn Fn(&Said) -> bool| -> Vec<String> {
            let mut names: Vec<String> = many
                .iter()
                .filter(|(_, said)| wanted(said))
                .map(|(standing, _)| self.name(standing))
                .collect();
            names.dedup();
            names
        };
        let is_recorded = |text: &str| text.starts_with("as recorded");
        let freshness: Vec<&str> = {
            let mut all: Vec<&str> = many.iter().filter_map(|(_, said)| said.freshness.as_deref()).collect();
            all.sort_unstable();
            // Of several recordings the oldest tells how much to make of it.
            all.dedup_by(|later, first| later == first || (is_recorded(later) && is_recorded(first)));
            all
        };
        // All the same: said once, with all names.
        let alike = many.windows(2).all(|pair| match pair {
            [(_, a), (_, b)] => a.phrase == b.phrase && a.freshness == b.freshness && a.sign == b.sign,
            _ => true,
        });
        if alike && let Some((_, said)) = many.first() {
            let sign = said.sign.map(|it| format!("{} ", it.as_str())).unwrap_or_default();
            let behind = said.freshness.as_ref().map(|it| format!(", {it}")).unwrap_or_default();
            let title = format!("{sign}{}: {}{behind}", words::list(&names(&|_| true)), said.phrase);
            return vec![state(title), clusters];
        }
        let bad = many.iter().any(|(_, said)| said.sign == Some(Sign::Bad));
        let good = many.iter().all(|(_, said)| said.sign == Some(Sign::Good));
        let mut tones: Vec<Tone> = many.iter().map(|(_, said)| said.tone).collect();
        tones.sort_unstable();
        tones.dedup();
        let count = |tone: Tone| many.iter().filter(|(_, said)| said.tone == tone).count();
        // Applied is one thing, proved to be this very text and well another.
        let counted = |tone: Tone| {
            let all_good = many.iter().filter(|(_, said)| said.tone == tone).all(|(_, said)| said.is_live());
            if tone == Tone::Ready && all_good { "live" } else { tone.counted() }
        };
        // What is worst is named, the rest is counted.
        let worst = *tones.last().unwrap_or(&Tone::Unknown);
        let mut title = if bad {
            "✗ ".to_owned()
        } else if good {
            "✓ ".to_owned()
        } else {
            String::new()
        };
        let of = many.len();
        if worst == Tone::Ready {
            title.push_str(&format!("{of} of {of} {}", counted(worst)));
        } else {
            let names = words::list(&names(&|said| said.tone == worst));
            title.push_str(&format!("{} of {of} {}: {names}", count(worst), counted(worst)));
            let rest: Vec<String> = tones
                .iter()
                .filter(|it| **it != worst)
                .map(|it| format!("{} {}", count(*it), counted(*it)))
                .collect();
            if !rest.is_empty() {
                title.push_str(" · ");
                title.push_str(&rest.join(", "));
            }
        }
        if !freshness.is_empty() {
            title.push_str(", ");
            title.push_str(&freshness.join(", "));
        }
        vec![state(title), clusters]
    }

    /// The first Flux object of a file that no cluster is known to apply: says so, and offers to connect.
    fn row_of_nothing(&self, stand: &Stand<'_>) -> Option<Row> {
        let offer = &self.inputs.offer;
        let details = Command::Details { cluster: None, object: None };
        let choose = LensItem { title: "Choose cluster…".to_owned(), command: Command::ChooseCluster };
        let mut items = Vec::new();
        if let Some(words) = self.of_nothing(stand) {
            let reported = self.words_of_reports(stand).map(|it| format!(" · {it}")).unwrap_or_default();
            items.push(LensItem { title: words + &reported, command: details });
        } else {
            return None;
        }
        let sign_in = (0..self.inputs.clusters.len())
            .filter(|it| self.inputs.settings.maps(stand.path, self.cluster(*it)))
            .find(|it| matches!(self.cluster(*it).contact, Contact::NeedsSignIn { .. }));
        if let Some(cluster) = sign_in {
            let command = Command::SignIn { cluster: self.cluster(cluster).key.to_owned() };
            items.push(LensItem { title: "Sign in".to_owned(), command });
        } else if offer.choose && (self.inputs.clusters.is_empty() || !offer.not_connected.is_empty()) {
            items.push(choose);
        }
        Some(Row {
            row: LensRow { range: start_of(stand.placed), items },
            notable: false,
            tone: Tone::Unknown,
        })
    }

    /// Why nothing is known of a document. `None`: there is nothing to say, because nobody wants clusters here.
    pub(crate) fn of_nothing(&self, stand: &Stand<'_>) -> Option<String> {
        let kind = crate::index::flux_object(&stand.placed.document).map(|(kind, _)| kind);
        let words = self.of_nothing_at(stand.path, kind)?;
        // What comes from where nobody wrote down (a bucket) may be this.
        let is_told = self.derived.iter().all(|it| it.binding.deliveries.untold.is_empty());
        let is_sure = is_told || !words.starts_with(NOT_APPLIED);
        Some(if is_sure { words } else { format!("{words}, as far as can be told") })
    }

    /// The same for a document of this kind of Flux, or of none.
    pub(crate) fn of_nothing_at(&self, path: &RepoPath, kind: Option<flux::Kind>) -> Option<String> {
        let offer = &self.inputs.offer;
        if self.inputs.clusters.is_empty() {
            return offer.choose.then(|| "Flux: not connected".to_owned());
        }
        let mut unknown = Vec::new();
        let mut not_applied = Vec::new();
        for index in 0..self.inputs.clusters.len() {
            let cluster = self.cluster(index);
            if !self.inputs.settings.maps(path, cluster) {
                continue;
            }
            let name = words::data(cluster.name);
            match self.proof(index) {
                Proof::None => unknown.push(format!("{name}: {}", self.contact_phrase(index))),
                Proof::Was { at } => {
                    let seen = words::day(at, self.inputs.now, self.inputs.zone);
                    unknown.push(format!("{name}: last seen {seen}"));
                }
                Proof::Checking { .. } => unknown.push(format!("{name}: checking…")),
                Proof::Live | Proof::Recorded { .. } => match self.unread(index, kind) {
                    Some(why) => unknown.push(format!("{name}: {why}")),
                    None => not_applied.push(name),
                },
            }
        }
        let missing = match offer.not_connected {
            [] => String::new(),
            names => {
                let names: Vec<String> = names.iter().map(|it| words::data(it)).collect();
                format!(" ({} not connected)", words::list(&names))
            }
        };
        if !unknown.is_empty() {
            return Some(unknown.join(" · "));
        }
        if not_applied.is_empty() {
            return offer.choose.then(|| "Flux: not connected".to_owned());
        }
        Some(format!("{NOT_APPLIED}{}{missing}", words::list(&not_applied)))
    }

    fn summary_row(&self, rows: &[Row]) -> Option<LensRow> {
        let mut tones: Vec<Tone> = rows.iter().map(|it| it.tone).collect();
        tones.sort_unstable_by(|a, b| b.cmp(a));
        tones.dedup();
        let counts: Vec<String> = tones
            .iter()
            .map(|tone| format!("{} {}", rows.iter().filter(|it| it.tone == *tone).count(), tone.counted()))
            .collect();
        let title = format!("{}: {}", words::count(rows.len(), "Flux object"), counts.join(", "));
        let range = rows.first()?.row.range;
        let command = Command::Details { cluster: None, object: None };
        Some(LensRow { range, items: vec![LensItem { title, command }] })
    }

    /// What can be done at a document, with the cluster in every title.
    pub(crate) fn actions(&self, stand: &Stand<'_>, first: bool) -> Vec<Action> {
        let range = stand.placed.range();
        let mut actions = Vec::new();
        let mut add = |title: String, command: Command| {
            let title = if self.inputs.settings.ascii { words::ascii(&title) } else { title };
            actions.push(Action { range, title, command });
        };
        for (standing, _) in &stand.standings {
            let name = self.name(standing);
            let key = self.cluster(standing.cluster).key.to_owned();
            let object = &standing.object;
            for verb in self.verbs(stand, standing) {
                add(format!("{name}: {}", verb.title), verb.command);
            }
            if let Some(live) = &standing.live
                && self.may_act(standing, live)
                && !live.meta.deleting
            {
                if !live.spec.suspend && live.can_reconcile() && self.may_fetch(standing, live) {
                    let command = Command::Reconcile {
                        cluster: key.clone(),
                        object: object.clone(),
                        with_source: false,
                    };
                    add(format!("{name}: Reconcile without its source"), command);
                }
                if !live.spec.suspend && live.kind.suspension() != flux::Suspension::Never {
                    add(
                        format!("{name}: Suspend…"),
                        Command::Suspend { cluster: key.clone(), object: object.clone() },
                    );
                }
            }
            let details = Command::Details { cluster: Some(key), object: Some(object.clone()) };
            add(format!("{name}: Details of {}", words::data(&object.to_string())), details);
        }
        if stand.standings.len() > 1 {
            add("Flux: Clusters…".to_owned(), Command::Clusters);
        }
        let offer = &self.inputs.offer;
        if first && stand.standings.is_empty() && offer.choose {
            add("Flux: Choose cluster…".to_owned(), Command::ChooseCluster);
        }
        actions.extend(self.offer_of_reports(stand).filter(|_| first));
        actions
    }
}

/// Where a document's content begins.
pub(crate) fn start_of(placed: &Placed) -> TextRange {
    let start = placed.document.root.as_ref().map(|root| root.range.start()).unwrap_or_default();
    placed.in_file(TextRange::empty(start))
}

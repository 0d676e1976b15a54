mod objects;

use std::sync::atomic::{AtomicI64, Ordering};

use flux::{Coverage, Facts, ObjectId};
use serde_json::{Value, json};
use tokio::time::Instant as Tick;

use super::*;
use crate::client::Occasion;
use crate::event::{ConnectError, Rights, SignInReason, What};
use crate::fake::{Answer, Fake};
use crate::objects::{Read, Wanted};

const KUSTOMIZATIONS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations";
const IN_FLUX_SYSTEM: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
const APPS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps";

fn kustomization(message: &str) -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": { "namespace": "flux-system", "managedFields": [{ "manager": "x" }] },
        "spec": { "path": "./apps" },
        "status": { "conditions": [{ "type": "Ready", "status": "True", "reason": "R", "message": message }] },
    })
}

/// A session with the fake cluster, and an owner that folds what it hears.
struct Owner {
    fake: Fake,
    session: Session,
    events: mpsc::Receiver<Event>,
    facts: Facts,
    batches: usize,
    statuses: Vec<SessionStatus>,
    rights: Option<Rights>,
    read: Vec<Read>,
    slept: Arc<AtomicI64>,
    began: Tick,
}

const EPOCH: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(EPOCH + seconds).unwrap()
}

fn own(fake: &Fake) -> Owner {
    own_with(fake, |_| {})
}

fn own_with(fake: &Fake, change: impl FnOnce(&mut SessionOptions)) -> Owner {
    let (slept, began) = (Arc::new(AtomicI64::new(0)), Tick::now());
    let offset = slept.clone();
    let clock = Clock::new(move || {
        let running = i64::try_from(began.elapsed().as_millis()).unwrap();
        Timestamp::from_millisecond((EPOCH + offset.load(Ordering::SeqCst)) * 1000 + running).unwrap()
    });
    let mut options = SessionOptions::new(StateDir::at("/nowhere"));
    options.clock = clock;
    options.generation = 7;
    change(&mut options);
    let key = ContextKey::new(vec!["/config".into()], "fake");
    let print = Fingerprint {
        kubeconfig: vec!["/config".into()],
        context: "fake".into(),
        server: "https://fake".into(),
        ca: None,
        exec: None,
        proxy: None,
    };
    let (sender, events) = mpsc::channel(64);
    let session = Session::start_with(Arc::new(fake.clone()), key, print, options, sender);
    Owner {
        fake: fake.clone(),
        session,
        events,
        facts: Facts::new("fake".into()),
        batches: 0,
        statuses: Vec::new(),
        rights: None,
        read: Vec::new(),
        slept,
        began,
    }
}

impl Owner {
    /// Takes events in until something is so. Time passes by itself while everybody waits.
    async fn until(&mut self, what: &str, so: impl Fn(&Owner) -> bool) {
        let patience = Tick::now() + Duration::from_secs(3600);
        while !so(self) {
            match tokio::time::timeout_at(patience, self.events.recv()).await {
                Ok(Some(event)) => self.take(event),
                other => panic!("never: {what}; {other:?}; {:?}; {:#?}", self.statuses, self.fake.requests()),
            }
        }
    }

    fn take(&mut self, event: Event) {
        assert_eq!((event.generation, &*event.context.name), (7, "fake"));
        match event.what {
            What::Changes(changes) => {
                self.batches += 1;
                self.facts = self.facts.apply(changes, at(0)).0;
            }
            What::Status(status) => self.statuses.push(status),
            What::Contact(_) => {}
            What::Rights(rights) => self.rights = Some(rights),
            What::Object(read) => self.read.push(*read),
        }
    }

    async fn until_status(&mut self, status: SessionStatus) {
        self.until(&format!("{status:?}"), |o| o.statuses.last() == Some(&status)).await;
    }

    async fn live(&mut self) {
        self.until_status(SessionStatus::Live).await;
    }

    /// Takes events in for so long.
    async fn pass(&mut self, time: Duration) {
        let end = Tick::now() + time;
        while let Ok(Some(event)) = tokio::time::timeout_at(end, self.events.recv()).await {
            self.take(event);
        }
    }

    fn message(&self) -> Option<String> {
        let apps = self.facts.get(&ObjectId::flux(Kind::Kustomization, "flux-system", "apps"))?;
        Some(apps.ready()?.message.to_string())
    }

    fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let secrets: Vec<_> =
                self.fake.requests().into_iter().filter(|r| r.contains("secrets")).collect();
            assert!(secrets.is_empty(), "{secrets:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lists_watches_and_follows() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    let mut owner = own(&fake);
    owner.live().await;
    assert_eq!(owner.statuses, [SessionStatus::Connecting, SessionStatus::Live]);
    assert_eq!(owner.message().as_deref(), Some("one"));
    assert_eq!(owner.facts.coverage(Kind::Kustomization), Coverage::Listed);
    assert_eq!(owner.facts.coverage(Kind::HelmRelease), Coverage::Listed);
    assert_eq!(owner.facts.coverage(Kind::ImagePolicy), Coverage::NotServed);
    assert_eq!(owner.facts.served_version(Kind::HelmRelease).as_deref(), Some("v2"));
    owner.pass(Duration::from_secs(1)).await;
    let before = Tick::now();
    fake.put(APPS, kustomization("two"));
    owner.until("two", |o| o.message().as_deref() == Some("two")).await;
    // A change after a pause goes out at once.
    assert_eq!(before.elapsed(), Duration::ZERO);
    fake.delete(APPS, false);
    owner.until("gone", |o| o.facts.is_empty()).await;
    assert!(owner.session.access().is_some());
    owner.session.cancel();
    owner.until_status(SessionStatus::Ended { error: None }).await;
}

#[tokio::test(start_paused = true)]
async fn many_changes_come_in_few_batches() {
    let fake = Fake::flux();
    let mut owner = own(&fake);
    owner.live().await;
    let before = owner.batches;
    for n in 0..500 {
        fake.put(&format!("{IN_FLUX_SYSTEM}/k{n}"), kustomization("x"));
    }
    owner.until("all", |o| o.facts.len() == 500).await;
    assert!(owner.batches - before <= 4, "{}", owner.batches - before);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_too_old_is_listed_again() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    let mut owner = own(&fake);
    owner.live().await;
    let before = fake.log(&format!("LIST {KUSTOMIZATIONS} ")).len();
    fake.delete(APPS, true);
    fake.put(&format!("{IN_FLUX_SYSTEM}/infra"), kustomization("new"));
    let gone = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "too old", "reason": "Expired", "code": 410 });
    fake.send(KUSTOMIZATIONS, &json!({ "type": "ERROR", "object": gone }));
    owner.until("swapped", |o| o.facts.len() == 1 && o.message().is_none()).await;
    assert_eq!(fake.log(&format!("LIST {KUSTOMIZATIONS} ")).len(), before + 1);
    assert_eq!(owner.statuses.last(), Some(&SessionStatus::Live));
}

#[tokio::test(start_paused = true)]
async fn forbidden_everywhere_looks_where_it_may() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    fake.always("LIST /apis/helm", Answer::Status(403));
    fake.next(&format!("LIST {KUSTOMIZATIONS}"), Answer::Status(403));
    fake.always("LIST /apis/kustomize.toolkit.fluxcd.io/v1/namespaces/own/", Answer::Status(403));
    let mut owner = own(&fake);
    owner.live().await;
    assert_eq!(owner.message().as_deref(), Some("one"));
    assert_eq!(owner.facts.coverage(Kind::Kustomization), Coverage::Partly(vec!["flux-system".into()]));
    let forbidden = |resource: &str| Coverage::Forbidden { verb: "list".into(), resource: resource.into() };
    let helm = forbidden("helmreleases.helm.toolkit.fluxcd.io");
    assert_eq!(owner.facts.coverage(Kind::HelmRelease), helm);
    assert_eq!(owner.facts.coverage_in(Kind::HelmRelease, "flux-system"), helm);
    let own = owner.facts.coverage_in(Kind::Kustomization, "own");
    assert_eq!(own, forbidden("kustomizations.kustomize.toolkit.fluxcd.io"));
    // What open manifests name is looked at, too; what was refused is not asked for again.
    owner.session.rehint(vec!["team-a".into(), "own".into()]);
    let both = Coverage::Partly(vec!["flux-system".into(), "team-a".into()]);
    owner.until("team-a", |o| o.facts.coverage(Kind::Kustomization) == both).await;
    assert_eq!(fake.log("LIST /apis/kustomize.toolkit.fluxcd.io/v1/namespaces/own/").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn overload_is_waited_out() {
    let fake = Fake::flux();
    let list = format!("LIST {KUSTOMIZATIONS}");
    fake.next(&list, Answer::Header(429, "retry-after", "7"));
    fake.next(&list, Answer::Status(503));
    let mut owner = own(&fake);
    owner.until("listed", |o| o.facts.coverage(Kind::Kustomization) == Coverage::Listed).await;
    let asked = fake.log(&format!("{list} "));
    assert_eq!(asked.len(), 3);
    assert!(asked[1] - asked[0] >= Duration::from_secs(7), "{:?}", asked[1] - asked[0]);
    assert!(asked[2] - asked[1] <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_is_made_anew_once() {
    let fake = Fake::flux();
    fake.next(&format!("LIST {KUSTOMIZATIONS}"), Answer::Status(401));
    let mut owner = own(&fake);
    owner.live().await;
    let anew = (Occasion::Renewal { typed: None }, true);
    assert_eq!(fake.connects(), [(Occasion::Reopened, false), anew]);
    // It may expire again later, and is then made anew again.
    fake.next(&format!("WATCH {KUSTOMIZATIONS}"), Answer::Status(401));
    fake.cut();
    owner.until("again", |o| o.fake.connects().len() == 3).await;
    owner.pass(Duration::from_secs(5)).await;
    assert_eq!(owner.statuses.last(), Some(&SessionStatus::Live));
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_stays_refused_is_for_people() {
    let fake = Fake::flux();
    fake.always("LIST", Answer::Status(401));
    let mut owner = own(&fake);
    let needs = SessionStatus::NeedsSignIn { reason: SignInReason::Rejected, command: None };
    owner.until_status(needs.clone()).await;
    assert_eq!(fake.connects().len(), 2);
    assert!(owner.session.access().is_none());
    // Nothing is tried by itself, however long it takes.
    owner.pass(Duration::from_secs(600)).await;
    assert_eq!(fake.connects().len(), 2);
    fake.usual_again();
    owner.session.sign_in();
    owner.live().await;
    assert_eq!(fake.connects()[2].0, Occasion::SignIn);
}

#[tokio::test(start_paused = true)]
async fn garbage_costs_nothing_but_time() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    fake.next(&format!("LIST {KUSTOMIZATIONS}"), Answer::Text("<html>proxy</html>"));
    fake.next(&format!("LIST {KUSTOMIZATIONS}"), Answer::Text("{\"items\":"));
    let mut owner = own(&fake);
    owner.live().await;
    fake.send(KUSTOMIZATIONS, &json!("nonsense"));
    fake.send(KUSTOMIZATIONS, &json!({ "type": "MODIFIED", "object": { "metadata": { "name": "x", "resourceVersion": "9" }, "spec": [] } }));
    fake.put(APPS, kustomization("two"));
    owner.until("two", |o| o.message().as_deref() == Some("two")).await;
    assert_eq!(owner.facts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_hangs_holds_up_no_other() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    fake.always("LIST /apis/helm", Answer::Hang);
    let mut owner = own(&fake);
    owner.live().await;
    assert!(owner.seconds() <= 20, "{}", owner.seconds());
    assert_eq!(owner.message().as_deref(), Some("one"));
    assert_eq!(owner.facts.coverage(Kind::HelmRelease), Coverage::NotYet);
    fake.usual_again();
    owner.until("listed", |o| o.facts.coverage(Kind::HelmRelease) == Coverage::Listed).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_told() {
    let fake = Fake::flux();
    fake.always("GET /version", Answer::Hang);
    let mut owner = own(&fake);
    let error = ConnectError::TimedOut { server: "https://fake".into(), seconds: 10 };
    owner.until_status(SessionStatus::Unreachable { error }).await;
    fake.usual_again();
    owner.live().await;
}

#[tokio::test(start_paused = true)]
async fn unreachable_at_first_then_there() {
    let fake = Fake::flux();
    fake.always("GET /version", Answer::Refuse);
    let mut owner = own(&fake);
    let error = ConnectError::Unreachable { server: "https://fake".into(), why: "connection refused".into() };
    owner.until_status(SessionStatus::Unreachable { error }).await;
    owner.pass(Duration::from_secs(120)).await;
    let tries = fake.log("GET /version").len();
    assert!((10..=30).contains(&tries), "{tries}");
    fake.usual_again();
    owner.live().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_kubernetes_is_told() {
    let fake = Fake::flux();
    fake.always("GET /version", Answer::Text("<html>login</html>"));
    let mut owner = own(&fake);
    owner
        .until("told", |o| {
            matches!(
                o.statuses.last(),
                Some(SessionStatus::Unreachable { error: ConnectError::NotKubernetes { .. } })
            )
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn cut_watches_start_again_and_never_spin() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    let mut owner = own(&fake);
    owner.live().await;
    fake.cut();
    owner.until("watching again", |o| o.fake.watching(KUSTOMIZATIONS)).await;
    fake.put(APPS, kustomization("two"));
    owner.until("two", |o| o.message().as_deref() == Some("two")).await;
    assert_eq!(owner.statuses.last(), Some(&SessionStatus::Live));
    // A proxy that cuts every watch at once.
    fake.always("WATCH", Answer::Lines(vec![]));
    fake.cut();
    let before = fake.log(&format!("WATCH {KUSTOMIZATIONS} ")).len();
    owner.pass(Duration::from_secs(120)).await;
    let tries = fake.log(&format!("WATCH {KUSTOMIZATIONS} ")).len() - before;
    assert!((10..=40).contains(&tries), "{tries}");
}

#[tokio::test(start_paused = true)]
async fn bookmarks_are_contact() {
    let fake = Fake::flux();
    let mut owner = own(&fake);
    owner.live().await;
    let probes = fake.log("GET /version").len();
    for _ in 0..12 {
        owner.pass(Duration::from_secs(30)).await;
        fake.bookmark(KUSTOMIZATIONS);
    }
    assert_eq!(fake.log("GET /version").len(), probes);
    assert_eq!(owner.statuses, [SessionStatus::Connecting, SessionStatus::Live]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_cluster_is_probed() {
    let fake = Fake::flux();
    let mut owner = own(&fake);
    owner.live().await;
    owner.pass(Duration::from_secs(40)).await;
    let before = fake.log("GET /version").len();
    owner.pass(Duration::from_secs(600)).await;
    assert!(fake.log("GET /version").len() > before);
    assert_eq!(owner.statuses, [SessionStatus::Connecting, SessionStatus::Live]);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_goes_away_is_never_green() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    let mut owner = own(&fake);
    owner.live().await;
    fake.always("", Answer::Refuse);
    fake.cut();
    let gone = Tick::now();
    owner.until("checking", |o| matches!(o.statuses.last(), Some(SessionStatus::Checking { .. }))).await;
    // The watches were cut, and the first try after that is refused.
    assert!(gone.elapsed() <= Duration::from_secs(3), "{:?}", gone.elapsed());
    owner.until("last seen", |o| matches!(o.statuses.last(), Some(SessionStatus::LastSeen(_)))).await;
    assert!(gone.elapsed() <= Duration::from_secs(14), "{:?}", gone.elapsed());
    let Some(SessionStatus::LastSeen(seen)) = owner.statuses.last().cloned() else { panic!() };
    assert!(seen <= at(2), "{seen}");
    owner.pass(Duration::from_secs(600)).await;
    assert_eq!(owner.statuses.last(), Some(&SessionStatus::LastSeen(seen)));
    // What changed meanwhile is there before it is green again.
    fake.delete(APPS, true);
    fake.put(&format!("{IN_FLUX_SYSTEM}/infra"), kustomization("new"));
    fake.usual_again();
    owner.live().await;
    assert!(owner.message().is_none() && owner.facts.len() == 1);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_has_just_started_is_waited_for() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    let mut owner = own(&fake);
    owner.live().await;
    fake.always("", Answer::Refuse);
    fake.cut();
    owner.until("checking", |o| matches!(o.statuses.last(), Some(SessionStatus::Checking { .. }))).await;
    // It answers, and does not know of CRDs yet.
    let served = fake.serve(Vec::new());
    fake.usual_again();
    owner.pass(Duration::from_secs(20)).await;
    assert!(!owner.statuses.contains(&SessionStatus::NotFlux), "{:?}", owner.statuses);
    assert_eq!(owner.message().as_deref(), Some("one"));
    fake.serve(served);
    owner.live().await;
    // One from which Flux was removed says so in the end.
    fake.serve(Vec::new());
    owner.session.poke();
    owner.until_status(SessionStatus::NotFlux).await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_that_heals_at_once_is_not_seen() {
    let fake = Fake::flux();
    let mut owner = own(&fake);
    owner.live().await;
    for _ in 0..3 {
        owner.pass(Duration::from_secs(20)).await;
        fake.cut();
    }
    // A connection that is refused proves nothing while others are answered.
    fake.next(&format!("WATCH {KUSTOMIZATIONS}"), Answer::Refuse);
    fake.cut();
    owner.pass(Duration::from_secs(120)).await;
    assert!(fake.watching(KUSTOMIZATIONS));
    assert_eq!(owner.statuses, [SessionStatus::Connecting, SessionStatus::Live]);
    assert_eq!(fake.connects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_falls_silent_is_not_green_for_long() {
    let fake = Fake::flux();
    let mut owner = own(&fake);
    owner.live().await;
    // Its connections stand, and nothing comes.
    fake.always("", Answer::Hang);
    let silent = Tick::now();
    owner.until("checking", |o| matches!(o.statuses.last(), Some(SessionStatus::Checking { .. }))).await;
    assert!(silent.elapsed() <= Duration::from_secs(62), "{:?}", silent.elapsed());
    owner.until("last seen", |o| matches!(o.statuses.last(), Some(SessionStatus::LastSeen(_)))).await;
    assert!(silent.elapsed() <= Duration::from_secs(73), "{:?}", silent.elapsed());
    fake.usual_again();
    owner.live().await;
}

#[tokio::test(start_paused = true)]
async fn one_watch_that_fails_takes_the_green() {
    let fake = Fake::flux();
    let mut owner = own(&fake);
    owner.live().await;
    fake.always(&format!("WATCH {KUSTOMIZATIONS}"), Answer::Status(500));
    fake.always(&format!("LIST {KUSTOMIZATIONS}"), Answer::Status(500));
    fake.cut();
    owner.until("last seen", |o| matches!(o.statuses.last(), Some(SessionStatus::LastSeen(_)))).await;
    fake.usual_again();
    owner.live().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_weekends_sleep_nothing_is_green_before_it_was_listed() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    let mut owner = own(&fake);
    owner.live().await;
    owner.pass(Duration::from_secs(10)).await;
    fake.always("LIST", Answer::Hang);
    fake.delete(APPS, true);
    owner.slept.store(60 * 3600, Ordering::SeqCst);
    owner.until("checking", |o| matches!(o.statuses.last(), Some(SessionStatus::Checking { .. }))).await;
    assert!(owner.seconds() <= 13, "{}", owner.seconds());
    owner.until("last seen", |o| matches!(o.statuses.last(), Some(SessionStatus::LastSeen(_)))).await;
    assert!(owner.seconds() <= 24, "{}", owner.seconds());
    fake.usual_again();
    owner.live().await;
    assert!(owner.facts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_poke_connects_anew() {
    let fake = Fake::flux();
    let mut owner = own(&fake);
    owner.live().await;
    owner.session.poke();
    owner.until("checking", |o| matches!(o.statuses.last(), Some(SessionStatus::Checking { .. }))).await;
    owner.live().await;
    assert_eq!(fake.connects().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn half_the_kinds_in_old_versions() {
    let old: &[(&str, &[&str])] = &[
        ("kustomize.toolkit.fluxcd.io/v1beta2", &["kustomizations"]),
        ("helm.toolkit.fluxcd.io/v2beta1", &["helmreleases"]),
        ("helm.toolkit.fluxcd.io/v2beta2", &["helmreleases"]),
        ("apps/v1", &["deployments"]),
    ];
    for fake in [Fake::serving(old), Fake::serving(old).aggregated()] {
        let path = "/apis/kustomize.toolkit.fluxcd.io/v1beta2/namespaces/flux-system/kustomizations/apps";
        let mut apps = kustomization("old");
        apps["apiVersion"] = "kustomize.toolkit.fluxcd.io/v1beta2".into();
        fake.put(path, apps);
        let mut owner = own(&fake);
        owner.live().await;
        assert_eq!(owner.message().as_deref(), Some("old"));
        assert_eq!(owner.facts.served_version(Kind::HelmRelease).as_deref(), Some("v2beta2"));
        assert_eq!(owner.facts.coverage(Kind::GitRepository), Coverage::NotServed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_flux_says_so_until_it_has_one() {
    let fake = Fake::serving(&[("apps/v1", &["deployments"])]);
    let mut owner = own_with(&fake, |o| o.idle_after = None);
    owner.until_status(SessionStatus::NotFlux).await;
    fake.serve_also("kustomize.toolkit.fluxcd.io/v1", "kustomizations");
    fake.put(APPS, kustomization("one"));
    owner.live().await;
    owner.until("listed", |o| o.message().is_some()).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_vanishes_is_asked_for_again() {
    let fake = Fake::flux();
    fake.put(APPS, kustomization("one"));
    let mut owner = own(&fake);
    owner.live().await;
    fake.next(&format!("WATCH {KUSTOMIZATIONS}"), Answer::Status(404));
    fake.cut();
    owner.until("not served", |o| o.facts.coverage(Kind::Kustomization) == Coverage::NotServed).await;
    assert!(owner.facts.is_empty());
    owner.until("served again", |o| o.message().is_some()).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_needs_it() {
    let fake = Fake::flux();
    let mut owner = own_with(&fake, |o| o.idle_after = Some(Duration::from_secs(1800)));
    owner.live().await;
    owner.pass(Duration::from_secs(1700)).await;
    owner.session.used();
    owner.pass(Duration::from_secs(1700)).await;
    assert_eq!(owner.statuses.last(), Some(&SessionStatus::Live));
    owner.until_status(SessionStatus::Idle).await;
    let before = fake.requests().len();
    owner.pass(Duration::from_secs(600)).await;
    assert_eq!(fake.requests().len(), before);
    assert!(owner.session.access().is_none());
}

#[tokio::test(start_paused = true)]
async fn rights_are_asked_once() {
    let fake = Fake::flux();
    fake.deny_patch("helmreleases");
    let mut owner = own(&fake);
    owner.live().await;
    let of = vec![(Kind::Kustomization, "flux-system".into()), (Kind::HelmRelease, "apps".into())];
    owner.session.ask_rights(of.clone());
    owner.until("rights", |o| o.rights.is_some()).await;
    let rights = owner.rights.take().unwrap();
    assert_eq!(rights.may_patch(Kind::Kustomization, "flux-system"), Some(true));
    assert_eq!(rights.may_patch(Kind::HelmRelease, "apps"), Some(false));
    assert_eq!(rights.may_patch(Kind::HelmRelease, "other"), None);
    owner.session.ask_rights(of.clone());
    owner.until("rights", |o| o.rights.is_some()).await;
    assert_eq!(fake.log("POST").len(), 2);
    owner.pass(Duration::from_secs(301)).await;
    owner.rights = None;
    owner.session.ask_rights(of);
    owner.until("rights", |o| o.rights.is_some()).await;
    assert_eq!(fake.log("POST").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_handle_ends_everything() {
    let fake = Fake::flux();
    let mut owner = own(&fake);
    owner.live().await;
    let Owner { session, .. } = &mut owner;
    session.cancel();
    owner.until_status(SessionStatus::Ended { error: None }).await;
    owner.pass(Duration::from_secs(1)).await;
    assert!(!fake.watching(KUSTOMIZATIONS));
}

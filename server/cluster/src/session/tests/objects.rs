//! Objects that are read one by one.

use super::*;
use crate::access::AccessError;

const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

/// Flux, Deployments and what is in the core group.
fn shop() -> Fake {
    let fake = Fake::flux();
    fake.serve_also("apps/v1", "deployments Deployment");
    fake.serve_also("v1", "configmaps ConfigMap");
    fake.serve_also("v1", "secrets Secret");
    fake.put(WEB, json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "replicas": 1 } }));
    fake
}

fn wanted(group: &str, version: &str, kind: &str, name: &str) -> Wanted {
    Wanted { id: ObjectId::new(group, kind, "shop", name), version: version.into() }
}

fn web() -> Wanted {
    wanted("apps", "v1", "Deployment", "web")
}

impl Owner {
    /// Reads objects and gives the answers in the order in which they came.
    async fn read(&mut self, objects: Vec<Wanted>) -> Vec<Read> {
        let count = self.read.len() + objects.len();
        self.session.read(objects);
        self.until("every answer", |owner| owner.read.len() >= count).await;
        std::mem::take(&mut self.read)
    }

    async fn read_one(&mut self, object: Wanted) -> Result<Arc<flux::Live>, AccessError> {
        self.read(vec![object]).await.remove(0).answer
    }
}

#[tokio::test(start_paused = true)]
async fn one_request_an_object() {
    let fake = shop();
    fake.put(
        "/api/v1/namespaces/shop/configmaps/settings",
        json!({ "apiVersion": "v1", "kind": "ConfigMap" }),
    );
    let mut owner = own(&fake);
    owner.live().await;
    let many = vec![web(), wanted("", "v1", "ConfigMap", "settings"), web()];
    let read = owner.read(many).await;
    assert!(read.iter().all(|it| it.answer.is_ok()), "{read:?}");
    let live = owner.read_one(web()).await.unwrap();
    assert_eq!(live.json["spec"]["replicas"], 1);
    assert_eq!(fake.log(&format!("GET {WEB}")).len(), 3);
    assert_eq!(fake.log("GET /apis/apps/v1 ").len(), 1, "{:#?}", fake.requests());
    assert_eq!(fake.log("GET /api/v1 ").len(), 1);
    // The group is asked only for a version that is not there.
    assert_eq!(fake.log("GET /apis/apps ").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn another_version_is_better_than_none() {
    let fake = shop();
    fake.next("GET /apis/apps", Answer::Text(r#"{"preferredVersion": {"version": "v1"}, "versions": []}"#));
    let mut owner = own(&fake);
    owner.live().await;
    let live = owner.read_one(wanted("apps", "v1beta2", "Deployment", "web")).await.unwrap();
    assert_eq!(&*live.api_version, "apps/v1");
    let gone = owner.read_one(wanted("example.org", "v1", "Thing", "web")).await;
    assert_eq!(gone, Err(AccessError::NotServed { group: "example.org".into(), kind: "Thing".into() }));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_another_answer_than_what_is_forbidden() {
    let fake = shop();
    let mut owner = own(&fake);
    owner.live().await;
    let other = wanted("apps", "v1", "Deployment", "other");
    assert_eq!(owner.read_one(other.clone()).await, Err(AccessError::NotFound(other.id.clone())));

    fake.always("GET /apis/apps/v1/namespaces/shop/deployments/", Answer::Status(403));
    let refused = owner.read_one(web()).await.unwrap_err();
    assert_eq!(refused.to_string(), "no permission to get deployments.apps in shop");
    // It is said of the others without asking again, for some minutes.
    let asked = fake.log("GET /apis/apps/v1/namespaces/shop/deployments/").len();
    assert_eq!(owner.read_one(other.clone()).await, Err(refused));
    assert_eq!(fake.log("GET /apis/apps/v1/namespaces/shop/deployments/").len(), asked);
    fake.usual_again();
    owner.pass(Duration::from_secs(301)).await;
    assert!(owner.read_one(web()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_busy_api_server_is_waited_for() {
    let fake = shop();
    let mut owner = own(&fake);
    owner.live().await;
    fake.next(&format!("GET {WEB}"), Answer::Header(429, "retry-after", "7"));
    fake.next(&format!("GET {WEB}"), Answer::Status(503));
    let before = Tick::now();
    assert!(owner.read_one(web()).await.is_ok());
    assert!(before.elapsed() >= Duration::from_secs(7), "{:?}", before.elapsed());
    // But not for ever.
    fake.always(&format!("GET {WEB}"), Answer::Status(500));
    let asked = fake.log(&format!("GET {WEB}")).len();
    let error = owner.read_one(web()).await.unwrap_err();
    assert!(matches!(&error, AccessError::Unreachable(why) if why.contains("500")), "{error}");
    assert_eq!(fake.log(&format!("GET {WEB}")).len(), asked + 4);
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_never_asked_for() {
    let fake = shop();
    // A kind that the server calls otherwise, and a group that says it is the core group: `Drop` looks at the requests.
    fake.serve_also("v1", "secrets Sesame");
    let mut owner = own(&fake);
    owner.live().await;
    for kind in ["Secret", "secret", "SECRET"] {
        assert_eq!(owner.read_one(wanted("", "v1", kind, "login")).await, Err(AccessError::Secret));
    }
    let sesame = owner.read_one(wanted("", "v1", "Sesame", "login")).await;
    assert!(matches!(sesame, Err(AccessError::NotServed { .. })), "{sesame:?}");
    let access = owner.session.access().unwrap();
    assert_eq!(access.get(&ObjectId::new("", "Secret", "shop", "login")).await, Err(AccessError::Secret));
    // A version that is a path.
    let astray = owner.read_one(wanted("", "v1/namespaces/shop/secrets", "ConfigMap", "login")).await;
    assert!(matches!(astray, Err(AccessError::NotFound(_))), "{astray:?}");
    // Nor is a name.
    let astray = owner.read_one(wanted("", "v1", "ConfigMap", "../secrets/login")).await;
    assert!(matches!(astray, Err(AccessError::NotFound(_))), "{astray:?}");
}

#[tokio::test(start_paused = true)]
async fn few_at_a_time_and_none_that_keeps_the_session() {
    let fake = shop();
    fake.always("GET /apis/apps/v1/namespaces/shop/deployments/", Answer::Hang);
    let mut owner = own_with(&fake, |options| options.idle_after = Some(Duration::from_secs(60)));
    owner.live().await;
    let names: Vec<String> = (0..20).map(|nth| format!("web-{nth}")).collect();
    owner.session.read(names.iter().map(|it| wanted("apps", "v1", "Deployment", it)).collect());
    owner.pass(Duration::from_secs(20)).await;
    assert_eq!(fake.log("GET /apis/apps/v1/namespaces/shop/deployments/").len(), 4);
    owner.session.read(vec![web()]);
    owner.until_status(SessionStatus::Idle).await;
    assert!(owner.seconds() <= 62, "{}", owner.seconds());
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_ends_the_round() {
    let fake = shop();
    let mut owner = own(&fake);
    owner.live().await;
    fake.next(&format!("GET {WEB}"), Answer::Status(401));
    owner.session.read(vec![web()]);
    let fake = &fake;
    owner.until("a new connection", |_| fake.connects().len() == 2).await;
    assert!(owner.read.is_empty());
}

//! Forges at the HTTP edge: a small server on loopback that answers as the forges do, and as they should not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::{Expect, expect};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::{Address, Client, Error, Options, Origin, Proxies, Repository, Service, Statuses, Token};

const COMMIT: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

/// Answers requests one after the other and remembers them.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

/// What is written, and whether the connection stays open (and silent) behind it.
#[derive(Clone)]
struct Answer {
    bytes: String,
    hangs: bool,
}

fn reply(status: &str, headers: &[&str], body: &str) -> Answer {
    let headers: String = headers.iter().map(|it| format!("{it}\r\n")).collect();
    let bytes = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    );
    Answer { bytes, hangs: false }
}

fn json(body: &str) -> Answer {
    reply("200 OK", &["content-type: application/json"], body)
}

fn combined(statuses: &[(&str, &str)], total: usize) -> String {
    let statuses: Vec<String> = statuses
        .iter()
        .map(|(context, state)| {
            format!(r#"{{"context": "{context}", "status": "{state}", "description": "d", "updated_at": "2026-11-22T12:03:00Z"}}"#)
        })
        .collect();
    format!(r#"{{"sha": "{COMMIT}", "statuses": [{}], "total_count": {total}}}"#, statuses.join(","))
}

impl Server {
    async fn start(answers: impl IntoIterator<Item = Answer>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let (log, script) = (Arc::clone(&asked), Arc::clone(&answers));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    log.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                    let Some(answer) = script.lock().unwrap().pop_front() else { return };
                    let _ = stream.write_all(answer.bytes.as_bytes()).await;
                    let _ = stream.flush().await;
                    if answer.hangs {
                        let _ = stream.read_u8().await;
                    }
                });
            }
        });
        Server { port, asked, answers }
    }

    fn repository(&self, service: Service) -> Repository {
        let address = Address {
            host: "127.0.0.1".into(),
            port: Some(self.port),
            path: if service == Service::GitLab { "group/sub/fleet".into() } else { "flux/fleet".into() },
            plain: true,
        };
        Repository::at(&address, service).unwrap()
    }

    fn then(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// The requests: their first lines and the headers that matter.
    fn asked(&self) -> String {
        let mut told = String::new();
        for head in self.asked.lock().unwrap().drain(..) {
            let mut lines = head.lines();
            told.push_str(lines.next().unwrap_or_default());
            for wanted in ["accept", "authorization", "if-none-match", "user-agent", "x-github-api-version"] {
                let found =
                    head.lines().find(|it| it.to_ascii_lowercase().starts_with(&format!("{wanted}:")));
                if let Some(line) = found {
                    told.push_str(&format!(" | {line}"));
                }
            }
            told.push('\n');
        }
        told
    }

    fn masked(&self, text: &str) -> String {
        text.replace(&format!("127.0.0.1:{}", self.port), "HOST")
    }
}

fn client() -> Client {
    client_with(|_| {})
}

fn client_with(change: impl FnOnce(&mut Options)) -> Client {
    let mut options = Options {
        proxies: Proxies::None,
        now: || "2026-11-22T12:00:00Z".parse().unwrap(),
        ..Options::default()
    };
    change(&mut options);
    Client::new(options).unwrap()
}

fn told(answer: &Result<Statuses, Error>) -> String {
    match answer {
        Ok(statuses) => {
            let lines: Vec<String> =
                statuses.statuses.iter().map(|it| format!("{} {:?}", it.context, it.outcome)).collect();
            format!("{}{}", lines.join(", "), if statuses.complete { "" } else { " (and more)" })
        }
        Err(error) => error.to_string(),
    }
}

/// One question of a service, one answer.
async fn check(service: Service, answered: Answer, expected: Expect) {
    let server = Server::start([answered]).await;
    let client = client_with(|it| it.timeout = Duration::from_millis(1500));
    let answer = client.statuses(&server.repository(service), COMMIT, None).await;
    expected.assert_eq(&server.masked(&told(&answer)));
}

#[tokio::test]
async fn what_each_service_is_asked() {
    for (service, body) in [
        (Service::GitHub, combined(&[("kustomization/apps/0c9c2e41", "success")], 1)),
        (Service::GitLab, r#"[{"name": "kustomization/apps/0c9c2e41", "status": "success"}]"#.to_owned()),
        (Service::Gitea, combined(&[("kustomization/apps/0c9c2e41", "success")], 1)),
    ] {
        let server = Server::start([json(&body)]).await;
        let repository = server.repository(service);
        let token = Token::new(&repository.site, None, "t0ken".into(), Origin::Editor);
        let answer = client().statuses(&repository, COMMIT, Some(&token)).await;
        assert_eq!(told(&answer), "kustomization/apps/0c9c2e41 Success");
        let expected = match service {
            Service::GitHub => expect![[r#"
                GET /api/v3/repos/flux/fleet/commits/6dcb09b5b57875f334f61aebed695e2e4193db5e/status?per_page=100&page=1 HTTP/1.1 | accept: application/vnd.github+json | authorization: Bearer t0ken | user-agent: fluxcd-ls/0.1.0 | x-github-api-version: 2022-11-28
            "#]],
            Service::GitLab => expect![[r#"
                GET /api/v4/projects/group%2Fsub%2Ffleet/repository/commits/6dcb09b5b57875f334f61aebed695e2e4193db5e/statuses?per_page=100&page=1 HTTP/1.1 | accept: application/json | authorization: Bearer t0ken | user-agent: fluxcd-ls/0.1.0
            "#]],
            _ => expect![[r#"
                GET /api/v1/repos/flux/fleet/commits/6dcb09b5b57875f334f61aebed695e2e4193db5e/status?limit=100&page=1 HTTP/1.1 | accept: application/json | authorization: token t0ken | user-agent: fluxcd-ls/0.1.0
            "#]],
        };
        expected.assert_eq(&server.asked());
    }
}

#[tokio::test]
async fn answers_that_are_none() {
    use Service::{GitHub, GitLab, Gitea};
    check(Gitea, json(&combined(&[], 0)), expect![""]).await;
    check(Gitea, json(r#"{"sha": "6dcb", "statuses": null, "total_count": 0}"#), expect![""]).await;
    check(Gitea, json(""), expect!["HOST answered nothing"]).await;
    check(
        GitLab,
        reply("200 OK", &["content-type: text/html; charset=utf-8"], "<!DOCTYPE html><title>Sign in</title>"),
        expect!["HOST answered with a web page instead of data: is it really GitLab, or is a login page or a proxy before it?"],
    )
    .await;
    check(
        GitHub,
        reply("200 OK", &["content-type: text/plain"], "ok"),
        expect!["HOST answered with text/plain instead of data: is it really GitHub, or is a login page or a proxy before it?"],
    )
    .await;
    check(
        GitHub,
        json("[]"),
        expect!["HOST answered something else than commit statuses: is it really GitHub? (invalid length 0, expected struct Combined with 3 elements at line 1 column 2)"],
    )
    .await;
    check(
        GitHub,
        reply(
            "401 Unauthorized",
            &[],
            r#"{"message": "Bad credentials", "documentation_url": "https://docs.github.com"}"#,
        ),
        expect!["HOST tells nothing without a token, and none was found for it: Bad credentials"],
    )
    .await;
    check(
        GitHub,
        reply("403 Forbidden", &["x-ratelimit-remaining: 57"], r#"{"message": "Resource not accessible by integration"}"#),
        expect!["HOST does not let somebody without a token read commit statuses: Resource not accessible by integration"],
    )
    .await;
    // A private repository is not there for those who may not read it.
    check(
        GitHub,
        reply("404 Not Found", &[], r#"{"message": "Not Found"}"#),
        expect![
            "HOST knows no repository flux/fleet, or does not show it to somebody without a token: Not Found"
        ],
    )
    .await;
    check(
        GitLab,
        reply("404 Not Found", &[], r#"{"message": "404 Project Not Found"}"#),
        expect!["HOST knows no repository group/sub/fleet, or does not show it to somebody without a token: 404 Project Not Found"],
    )
    .await;
    check(
        GitLab,
        reply("404 Not Found", &[], r#"{"message": "404 Commit Not Found"}"#),
        expect!["HOST does not have commit 6dcb09b; it may not be pushed"],
    )
    .await;
    check(
        GitHub,
        reply("422 Unprocessable Entity", &[], r#"{"message": "No commit found for SHA: 6dcb09b"}"#),
        expect!["HOST does not have commit 6dcb09b; it may not be pushed"],
    )
    .await;
    check(GitHub, reply("410 Gone", &[], "<html>"), expect!["HOST answered 410, which means nothing here"])
        .await;
    // Text of a forge is data: one line, bounded.
    check(
        Gitea,
        reply("401 Unauthorized", &[], &format!("{{\"message\": \"no\\n\\u001b[31m{}\"}}", "x".repeat(1000))),
        expect!["HOST tells nothing without a token, and none was found for it: no [31mxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"],
    )
    .await;
}

#[tokio::test]
async fn connections_that_break() {
    use Service::Gitea;
    let mut cut = json(&combined(&[("a", "success")], 1));
    cut.bytes.truncate(cut.bytes.len() - 20);
    check(
        Gitea,
        cut.clone(),
        expect!["the answer of HOST ended in its middle (end of file before message length reached)"],
    )
    .await;
    cut.bytes = cut
        .bytes
        .split("\r\n")
        .filter(|it| !it.starts_with("content-length"))
        .collect::<Vec<_>>()
        .join("\r\n");
    check(Gitea, cut, expect!["the answer of HOST ended in its middle (half of a document)"]).await;
    check(
        Gitea,
        Answer { bytes: String::new(), hangs: false },
        expect!["the answer of HOST ended in its middle (connection closed before message completed)"],
    )
    .await;
    check(
        Gitea,
        Answer { bytes: "SSH-2.0-OpenSSH_9.2\r\n".into(), hangs: false },
        expect!["the answer of HOST ended in its middle (invalid HTTP version parsed)"],
    )
    .await;
    // Silent, and slow in the middle.
    let silent = Answer { bytes: String::new(), hangs: true };
    check(Gitea, silent, expect!["HOST did not answer within 1 s; it is asked again at 12:01 UTC"]).await;
    let slow = Answer { bytes: "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".into(), hangs: true };
    check(Gitea, slow, expect!["HOST did not answer within 1 s; it is asked again at 12:01 UTC"]).await;

    let server = Server::start([]).await;
    let gone = server.repository(Gitea);
    let server = Server::start([json(&combined(&[("a", "success")], 1))]).await;
    let small = client_with(|it| it.limit = 20);
    let answer = small.statuses(&server.repository(Gitea), COMMIT, None).await;
    assert_eq!(server.masked(&told(&answer)), "the answer of HOST is longer than 20 bytes and was not read");

    // Nobody listens: a port that was just given back.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let refused = Server { port: free, asked: Arc::default(), answers: Arc::default() };
    let answer = client().statuses(&refused.repository(Gitea), COMMIT, None).await;
    expect!["HOST cannot be reached: Connection refused (os error 111)"]
        .assert_eq(&refused.masked(&told(&answer)));
    drop(gone);
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_the_end_is_near() {
    let link = r#"link: <https://evil.example/steal?page=2>; rel="next""#;
    let page = |context: &str, total, link: Option<&str>| {
        let headers: Vec<&str> = link.into_iter().collect();
        reply("200 OK", &headers, &combined(&[(context, "success")], total))
    };
    // GitHub links; addresses in answers are not followed, pages are counted.
    let server = Server::start([page("a", 2, Some(link)), page("b", 2, None)]).await;
    let answer = client().statuses(&server.repository(Service::GitHub), COMMIT, None).await;
    assert_eq!(told(&answer), "a Success, b Success");
    assert_eq!(server.asked().matches("&page=2 ").count(), 1);
    // Gitea counts.
    let server = Server::start([page("a", 3, None), page("b", 3, None), page("c", 3, None)]).await;
    let answer = client().statuses(&server.repository(Service::Gitea), COMMIT, None).await;
    assert_eq!(told(&answer), "a Success, b Success, c Success");
    // GitLab has a header of its own.
    let lab = |name: &str, next: &str| {
        reply(
            "200 OK",
            &[&format!("x-next-page: {next}")],
            &format!(r#"[{{"name": "{name}", "status": "failed"}}]"#),
        )
    };
    let server = Server::start([lab("a", "2"), lab("b", "")]).await;
    let answer = client().statuses(&server.repository(Service::GitLab), COMMIT, None).await;
    assert_eq!(told(&answer), "a Failure, b Failure");
    // A forge that always has one more, and one that counts what it does not give.
    let server = Server::start((0..9).map(|nth| lab(&nth.to_string(), "7"))).await;
    let answer = client().statuses(&server.repository(Service::GitLab), COMMIT, None).await;
    assert_eq!(told(&answer), "0 Failure, 1 Failure, 2 Failure, 3 Failure, 4 Failure (and more)");
    let server = Server::start([page("a", 9, None), json(&combined(&[], 9))]).await;
    let answer = client().statuses(&server.repository(Service::Gitea), COMMIT, None).await;
    assert_eq!(told(&answer), "a Success");
}

#[tokio::test]
async fn what_is_known_is_asked_for_with_its_etag() {
    let server = Server::start([reply("200 OK", &["etag: \"v1\""], &combined(&[("a", "pending")], 1))]).await;
    let (client, repository) = (client(), server.repository(Service::GitHub));
    assert_eq!(told(&client.statuses(&repository, COMMIT, None).await), "a Pending");
    server.then(reply("304 Not Modified", &["etag: \"v1\""], ""));
    assert_eq!(told(&client.statuses(&repository, COMMIT, None).await), "a Pending");
    server.then(reply("200 OK", &["etag: \"v2\""], &combined(&[("a", "failure")], 1)));
    assert_eq!(told(&client.statuses(&repository, COMMIT, None).await), "a Failure");
    // Of another commit nothing is known.
    server.then(json(&combined(&[], 0)));
    assert_eq!(told(&client.statuses(&repository, &COMMIT.replace('6', "7"), None).await), "");
    client.forget(&repository.site.host);
    server.then(json(&combined(&[], 0)));
    assert_eq!(told(&client.statuses(&repository, COMMIT, None).await), "");
    let sent: Vec<bool> = server.asked().lines().map(|it| it.contains("if-none-match")).collect();
    assert_eq!(sent, [false, true, true, false, false]);
}

#[tokio::test]
async fn a_forge_that_wants_to_be_left_alone_is() {
    let check = async |answered: Answer, expected: Expect| {
        let server = Server::start([answered]).await;
        let (client, repository) = (client(), server.repository(Service::GitHub));
        let first = told(&client.statuses(&repository, COMMIT, None).await);
        // The same answer, and no request.
        assert_eq!(told(&client.statuses(&repository, COMMIT, None).await), first);
        assert_eq!(server.asked().lines().count(), 1);
        expected.assert_eq(&server.masked(&first));
    };
    check(
        reply("429 Too Many Requests", &["retry-after: 120"], r#"{"message": "slow down"}"#),
        expect!["HOST wants fewer requests; it is asked again at 12:02 UTC: slow down"],
    )
    .await;
    check(
        reply("429 Too Many Requests", &["retry-after: Sun, 22 Nov 2026 12:05:00 GMT"], ""),
        expect!["HOST wants fewer requests; it is asked again at 12:05 UTC"],
    )
    .await;
    check(
        reply("429 Too Many Requests", &[], ""),
        expect!["HOST wants fewer requests; it is asked again at 12:01 UTC"],
    )
    .await;
    // GitHub's primary limit is a 403, with the time at which it ends (here 12:10).
    check(
        reply(
            "403 Forbidden",
            &["x-ratelimit-remaining: 0", "x-ratelimit-reset: 1795349400"],
            r#"{"message": "API rate limit exceeded for 192.0.2.1."}"#,
        ),
        expect![
            "HOST wants fewer requests; it is asked again at 12:10 UTC: API rate limit exceeded for 192.0.2.1"
        ],
    )
    .await;
    // Its secondary one names no time at all, or one in the past when clocks differ.
    check(
        reply("403 Forbidden", &["retry-after: -5"], r#"{"message": "You have exceeded a secondary rate limit"}"#),
        expect!["HOST wants fewer requests; it is asked again at 12:00 UTC: You have exceeded a secondary rate limit"],
    )
    .await;
    check(
        reply("503 Service Unavailable", &["retry-after: 999999"], "<html>maintenance"),
        expect!["HOST has trouble of its own (503); it is asked again at 13:00 UTC"],
    )
    .await;
}

#[tokio::test]
async fn trouble_without_a_time_is_waited_for_longer_each_time() {
    use std::sync::atomic::{AtomicI64, Ordering};
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    let now = || Timestamp::from_second(CLOCK.load(Ordering::SeqCst)).unwrap();
    let server = Server::start(std::iter::repeat_n(reply("502 Bad Gateway", &[], ""), 8)).await;
    let client = client_with(|it| it.now = now);
    let repository = server.repository(Service::Gitea);
    let mut rests = Vec::new();
    for _ in 0..8 {
        let until =
            client.statuses(&repository, COMMIT, None).await.unwrap_err().until().unwrap().as_second();
        rests.push(until - CLOCK.load(Ordering::SeqCst));
        CLOCK.store(until, Ordering::SeqCst);
    }
    assert_eq!(rests, [60, 120, 240, 480, 960, 1800, 1800, 1800]);
    assert_eq!(server.asked().lines().count(), 8);
    // What answers is in no trouble any more.
    server.then(json(&combined(&[], 0)));
    assert_eq!(told(&client.statuses(&repository, COMMIT, None).await), "");
    server.then(reply("502 Bad Gateway", &[], ""));
    let until = client.statuses(&repository, COMMIT, None).await.unwrap_err().until().unwrap().as_second();
    assert_eq!(until - CLOCK.load(Ordering::SeqCst), 60);
}

#[tokio::test]
async fn a_token_follows_no_redirect_to_another_host() {
    let other = Server::start([json(&combined(&[("stolen", "success")], 1))]).await;
    let moved = |to: String| reply("302 Found", &[&format!("location: {to}")], "");
    let server = Server::start([moved(format!("http://127.0.0.1:{}/x", other.port))]).await;
    let repository = server.repository(Service::Gitea);
    let token = Token::new(&repository.site, None, "t0ken".into(), Origin::Git);
    let answer = client().statuses(&repository, COMMIT, Some(&token)).await;
    expect!["HOST sends us on to 127.0.0.1, where we do not follow. If it has moved, correct the remote's address: git remote set-url"]
        .assert_eq(&server.masked(&told(&answer)));
    assert_eq!(other.asked(), "");
    // Within the host a renamed repository is followed, with the token; but not in circles.
    let server = Server::start([
        moved("/api/v1/repositories/7/status".into()),
        json(&combined(&[("a", "success")], 1)),
    ])
    .await;
    let repository = server.repository(Service::Gitea);
    let token = Token::new(&repository.site, None, "t0ken".into(), Origin::Git);
    assert_eq!(told(&client().statuses(&repository, COMMIT, Some(&token)).await), "a Success");
    assert_eq!(server.asked().matches("authorization: token t0ken").count(), 2);
    let server = Server::start((0..9).map(|_| moved("/again".into()))).await;
    let answer = client().statuses(&server.repository(Service::Gitea), COMMIT, None).await;
    assert!(matches!(answer, Err(Error::Elsewhere { .. })), "{answer:?}");
}

#[tokio::test]
async fn one_request_at_a_time_and_none_for_who_no_longer_waits() {
    let silent = Answer { bytes: String::new(), hangs: true };
    let server = Server::start([silent, json(&combined(&[("a", "success")], 1))]).await;
    let (client, repository) = (client(), server.repository(Service::Gitea));
    let first = {
        let (client, repository) = (client.clone(), repository.clone());
        tokio::spawn(async move { client.statuses(&repository, COMMIT, None).await.is_ok() })
    };
    while server.asked.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = client.statuses(&repository, COMMIT, None);
    tokio::pin!(second);
    assert!(futures_pending(&mut second).await);
    first.abort();
    assert_eq!(told(&second.await), "a Success");
    assert_eq!(server.asked().lines().count(), 2);
}

/// Whether a future has nothing to say after the runtime had its turn.
async fn futures_pending<F: Future + Unpin>(future: &mut F) -> bool {
    for _ in 0..20 {
        let ready = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_ready())
        });
        if ready.await {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

#[tokio::test]
async fn what_cannot_be_read_yet_is_not_asked() {
    let server = Server::start([]).await;
    let answer = client().statuses(&server.repository(Service::Bitbucket), COMMIT, None).await;
    assert_eq!(told(&answer), "commit statuses at Bitbucket cannot be read yet");
    assert_eq!(server.asked(), "");
}

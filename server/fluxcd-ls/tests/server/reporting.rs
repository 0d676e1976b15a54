//! Commit statuses of a forge: offered, read after a yes, shown, and read again when Git moves.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::fleet::{APPS, FILES};
use crate::git;
use crate::harness::{Editor, PATIENCE, Setup};

/// A forge on loopback that says the same of every commit.
struct Forge {
    port: u16,
    /// The outcome and the description that it tells.
    says: Arc<Mutex<(&'static str, &'static str)>>,
    /// The heads of the requests.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Forge {
    async fn start() -> Forge {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let forge = Forge {
            port: listener.local_addr().unwrap().port(),
            says: Arc::new(Mutex::new(("failure", "health check failed"))),
            asked: Arc::default(),
        };
        let (says, asked) = (Arc::clone(&forge.says), Arc::clone(&forge.asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (says, asked) = (Arc::clone(&says), Arc::clone(&asked));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    asked.lock().unwrap().push(String::from_utf8(head).unwrap());
                    let (outcome, description) = *says.lock().unwrap();
                    let status = json!({
                        "context": "kustomization/apps/0c9c2e41", "status": outcome, "description": description,
                        "updated_at": "2026-11-22T12:03:00Z",
                    });
                    let body = json!({"sha": "x", "statuses": [status], "total_count": 1}).to_string();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        forge
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Makes the folder a clone of a repository at a host; its one commit is pushed.
fn clone_of(repo: &Path, host: &str) {
    git::init(repo, &format!("http://me:s3cret@{host}/flux/fleet.git"));
    commit(repo, "Open");
}

fn commit(repo: &Path, subject: &str) {
    git::commit(repo, subject);
    git::push(repo);
}

/// Picks by label, in this order.
fn picks(labels: &'static [&'static str]) -> impl FnMut(&str, &Value) -> Value + Send {
    let mut labels = labels.iter();
    move |method: &str, params: &Value| {
        assert_eq!(method, "fluxcd/pick", "{params}");
        let label = labels.next().unwrap_or_else(|| panic!("nobody expected {params}"));
        let items = params["items"].as_array().unwrap();
        let item = items.iter().find(|it| it["label"] == json!(label));
        item.unwrap_or_else(|| panic!("no {label} in {params}"))["id"].clone()
    }
}

async fn offers(editor: &mut Editor) -> Vec<String> {
    let params = json!({
        "textDocument": {"uri": editor.uri(APPS)}, "context": {"diagnostics": []},
        "range": {"start": {"line": 3, "character": 8}, "end": {"line": 3, "character": 8}},
    });
    let actions = editor.request("textDocument/codeAction", params).await;
    let titles = actions.as_array().into_iter().flatten().filter_map(|it| it["title"].as_str());
    titles.filter(|it| it.contains("commit status")).map(str::to_owned).collect()
}

/// Asks for the actions until these are offered.
async fn wait_offers(editor: &mut Editor, expected: &[&str]) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = offers(editor).await;
        if found == expected {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "offered: {found:?}, not {expected:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_is_offered_read_after_a_yes_and_shown_until_git_moves() {
    let forge = Forge::start().await;
    let setup = Setup::new(FILES)
        .kubeconfig()
        .config(&format!("[commitStatus]\nhosts = {{ \"{}\" = \"gitea\" }}", forge.host()))
        .answers(picks(&["This repository"]));
    clone_of(&setup.repo(), &forge.host());
    let mut editor = setup.hello().await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "Flux: not connected").await;
    let offer = format!("Flux: Show commit status from Gitea ({})", forge.host());
    wait_offers(&mut editor, &[&offer]).await;
    assert_eq!(forge.asked(), 0, "nobody is asked unasked");

    let uri = editor.uri(APPS);
    editor.command("fluxcd.commitStatus", json!({"uri": uri})).await;
    let first = git::head(&editor.repo);
    let rows = editor.wait_lens(APPS, "Gitea: health check failed").await;
    assert!(
        rows[0]
            .starts_with(&format!("0: Flux: not connected · Gitea: health check failed on {}", &first[..7])),
        "{rows:?}"
    );
    let hover = editor.hover(APPS, 3, 9).await.unwrap();
    assert!(hover.contains("reported to Gitea by flux (no cluster access): health check failed"), "{hover}");
    assert_eq!(offers(&mut editor).await, [] as [&str; 0]);
    let asked = forge.asked.lock().unwrap().clone();
    assert!(
        asked[0].starts_with(&format!("GET /api/v1/repos/flux/fleet/commits/{first}/status?")),
        "{asked:?}"
    );
    // What stands in the remote's address is the clone's: it is not sent.
    assert!(asked.iter().all(|it| !it.to_ascii_lowercase().contains("authorization")), "{asked:?}");

    // Another commit, another answer: without reopening the file.
    *forge.says.lock().unwrap() = ("success", "reconciliation succeeded");
    commit(&editor.repo, "Mend");
    let second = git::head(&editor.repo);
    editor.wait_lens(APPS, &format!("Gitea: reconciliation succeeded on {}", &second[..7])).await;
    editor.goodbye().await;
}

#[tokio::test]
async fn who_was_not_asked_what_runs_there_is_asked_and_a_no_is_kept() {
    let forge = Forge::start().await;
    let setup = Setup::new(FILES).kubeconfig().answers(picks(&["Gitea", "Never here"]));
    clone_of(&setup.repo(), &forge.host());
    let mut editor = setup.hello().await;
    editor.open(APPS).await;
    let offer = format!("Flux: Show commit status from the Git forge ({})", forge.host());
    wait_offers(&mut editor, &[&offer]).await;
    let uri = editor.uri(APPS);
    editor.command("fluxcd.commitStatus", json!({"uri": uri})).await;
    wait_offers(&mut editor, &[]).await;
    assert_eq!(forge.asked(), 0);
    editor.goodbye().await;
}

#[tokio::test]
async fn switched_off_it_is_not_offered_and_nobody_is_asked() {
    let forge = Forge::start().await;
    let setup = Setup::new(FILES)
        .config(&format!("[commitStatus]\nhosts = {{ \"{}\" = \"gitea\" }}\nshow = \"off\"", forge.host()));
    clone_of(&setup.repo(), &forge.host());
    let mut editor = setup.hello().await;
    editor.open(APPS).await;
    let uri = editor.uri(APPS);
    editor.command("fluxcd.commitStatus", json!({"uri": uri})).await;
    let said = editor.heard("window/showMessage").await;
    assert!(said["message"].as_str().unwrap().contains("switched off"), "{said}");
    editor.wait_idle().await;
    assert_eq!(offers(&mut editor).await, [] as [&str; 0]);
    assert_eq!(forge.asked(), 0);
    editor.goodbye().await;
}

#[tokio::test]
async fn before_the_workspace_is_trusted_nobody_is_asked() {
    let forge = Forge::start().await;
    let setup = Setup::new(FILES)
        .config(&format!("[commitStatus]\nhosts = {{ \"{}\" = \"gitea\" }}\nshow = \"on\"", forge.host()))
        .initialization(|it| it["trusted"] = json!(false));
    clone_of(&setup.repo(), &forge.host());
    let mut editor = setup.hello().await;
    editor.open(APPS).await;
    let uri = editor.uri(APPS);
    editor.command("fluxcd.commitStatus", json!({"uri": uri})).await;
    let said = editor.heard("window/showMessage").await;
    assert!(said["message"].as_str().unwrap().contains("not trusted"), "{said}");
    // Long enough for what must not happen: a commit is seen, and the forge would be asked about it.
    commit(&editor.repo, "Mend");
    for _ in 0..10 {
        editor.wait_idle().await;
    }
    assert_eq!(forge.asked(), 0);
    editor.notify("fluxcd/trusted", json!({})).await;
    editor.wait_lens(APPS, "Gitea: health check failed").await;
    editor.goodbye().await;
}

#[tokio::test]
async fn by_setting_it_is_read_without_a_question() {
    let forge = Forge::start().await;
    let setup = Setup::new(FILES)
        .config(&format!("[commitStatus]\nhosts = {{ \"{}\" = \"gitea\" }}\nshow = \"on\"", forge.host()));
    clone_of(&setup.repo(), &forge.host());
    let mut editor = setup.hello().await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "Gitea: health check failed").await;
    editor.goodbye().await;
}

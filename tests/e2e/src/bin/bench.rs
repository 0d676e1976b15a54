//! `tests/run bench` (`bench [PART]` beside `bare` in the release folder): how fast, each figure beside a peer in the same run.
//!
//! Nothing is asserted: machines are noisy, ratios tell. A peer that is not on this machine is named and left out.
//! With an argument (`start`, `open`, `event`, `memory`) only that is measured.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use e2e::binary::{self, Home};
use e2e::lsp::{Client, Options, PATIENCE};
use e2e::shop::Shop;
use serde_json::{Value, json};
use testbed::{Auth, Flux, Role, Testbed};

/// Where the clone that is measured comes from.
const ORIGIN: &str = "https://git.invalid/fleet.git";
/// All figures together take about a minute; who waits longer waits for what does not come.
const GIVE_UP: Duration = Duration::from_secs(300);

fn main() {
    std::thread::spawn(|| {
        std::thread::sleep(GIVE_UP);
        eprintln!("gave up after {GIVE_UP:?}: an answer that was waited for did not come");
        std::process::exit(1);
    });
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    println!("figures are medians (smallest … largest) of runs made in turn with the peer's\n");
    for (name, measure) in [("start", start as fn()), ("open", open), ("event", event), ("memory", memory)] {
        if wanted(name) {
            measure();
        }
    }
}

/// Process start → answer to `initialize`.
fn start() {
    let bare = std::env::current_exe().unwrap().with_file_name("bare");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..21 {
        let home = Home::new();
        let mut command = home.command::<_, &str>([]);
        ours.push(first_answer(&mut command));
        theirs.push(first_answer(&mut Command::new(&bare)));
    }
    println!("start → initialize answered");
    println!("  fluxcd-ls           {}", figure(&mut ours));
    println!("  bare tokio program  {}", figure(&mut theirs));
    println!("  difference of medians {:.1} ms\n", millis(median(&ours)) - millis(median(&theirs)));
}

fn first_answer(command: &mut Command) -> Duration {
    let began = Instant::now();
    let mut peer = Peer::spawn(command);
    peer.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"processId": null, "capabilities": {}, "rootUri": null}}));
    peer.receive(|message| message["id"] == 1);
    began.elapsed()
}

/// `didOpen` of 10,000 lines → `publishDiagnostics`, beside yaml-language-server.
fn open() {
    println!("didOpen of 10,000 lines → diagnostics");
    let folder = tempfile::tempdir().unwrap();
    let (manifest, list) = ten_thousand_lines();
    let file = folder.path().join("many.yaml");
    std::fs::write(&file, &manifest).unwrap();
    clone(folder.path());
    let recorded = folder.path().join("cluster.json");
    std::fs::write(&recorded, list.to_string()).unwrap();
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let yaml_language_server = yaml_language_server();
    for _ in 0..7 {
        let home = Home::new();
        let mut command = home.command(["--snapshot".as_ref(), recorded.as_os_str()]);
        ours.push(open_to_diagnostics(&mut command, folder.path(), &file, &manifest));
        if let Some((node, script)) = &yaml_language_server {
            let mut command = Command::new(node);
            command.arg(script).arg("--stdio");
            theirs.push(open_to_diagnostics(
                &mut command,
                folder.path(),
                &file,
                &(manifest.clone() + "\n- : [\n"),
            ));
        }
    }
    println!("  fluxcd-ls             {}", figure(&mut ours));
    if theirs.is_empty() {
        println!("  yaml-language-server  not on this machine: left out\n");
    } else {
        println!(
            "  yaml-language-server  {} (some 200 ms of it is a delay of its own making)",
            figure(&mut theirs)
        );
        println!("  ratio of medians {:.0}\n", millis(median(&theirs)) / millis(median(&ours)));
    }
}

/// Makes a folder a clone of what the recorded cluster follows: of another repository nothing would be said.
fn clone(folder: &Path) {
    for arguments in [&["init", "--quiet"][..], &["remote", "add", "origin", ORIGIN]] {
        assert!(Command::new("git").arg("-C").arg(folder).args(arguments).status().unwrap().success());
    }
}

fn open_to_diagnostics(command: &mut Command, folder: &Path, file: &Path, text: &str) -> Duration {
    let mut peer = Peer::spawn(command);
    peer.hello(folder);
    // The workspace itself is indexed when it is opened; what is measured is a further file.
    let began = Instant::now();
    peer.open(file, text);
    let uri = e2e::lsp::uri(file);
    peer.receive(|message| {
        message["method"] == "textDocument/publishDiagnostics"
            && message["params"]["uri"] == uri.as_str()
            && message["params"]["diagnostics"].as_array().is_some_and(|list| !list.is_empty())
    });
    began.elapsed()
}

/// 588 Kustomizations of 17 lines, and what a cluster says of them: the last one failed.
fn ten_thousand_lines() -> (String, Value) {
    let mut text = String::new();
    let mut items = Vec::new();
    for number in 0..588 {
        let name = format!("app-{number:03}");
        text.push_str(&format!(
            "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
             spec:\n  interval: 10m\n  path: ./apps/{name}\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: fleet\n  \
             targetNamespace: apps\n  timeout: 3m\n  wait: true\n  suspend: false\n"
        ));
        let failed = number == 587;
        items.push(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name, "namespace": "flux-system", "generation": 1, "uid": name, "resourceVersion": "1"},
            "spec": {"interval": "10m", "path": format!("./apps/{name}"), "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}, "targetNamespace": "apps", "timeout": "3m", "wait": true, "suspend": false},
            "status": {
                "observedGeneration": 1,
                "lastAttemptedRevision": "main@sha1:1111111111111111111111111111111111111111",
                "conditions": [{
                    "type": "Ready", "observedGeneration": 1, "lastTransitionTime": "2026-11-22T05:00:00Z",
                    "status": if failed { "False" } else { "True" },
                    "reason": if failed { "BuildFailed" } else { "ReconciliationSucceeded" },
                    "message": if failed { "kustomize build failed: accumulating resources: nothing there" } else { "Applied revision: main@sha1:1111111111111111111111111111111111111111" },
                }],
            },
        }));
    }
    items.extend(source_and_root((0..588).map(|number| format!("app-{number:03}"))));
    (text, json!({"apiVersion": "v1", "kind": "List", "items": items}))
}

/// The source that is cloned, and a Kustomization that applies all of it: Kustomizations of these names.
fn source_and_root(names: impl Iterator<Item = String>) -> [Value; 2] {
    let entry = |name| json!({"id": format!("flux-system_{name}_kustomize.toolkit.fluxcd.io_Kustomization"), "v": "v1"});
    let entries: Vec<Value> = names.map(entry).collect();
    [
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": "fleet", "namespace": "flux-system", "generation": 1, "uid": "fleet", "resourceVersion": "1"},
            "spec": {"interval": "10m", "url": ORIGIN, "ref": {"branch": "main"}},
            "status": {"observedGeneration": 1, "conditions": []},
        }),
        json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "root", "namespace": "flux-system", "generation": 1, "uid": "root", "resourceVersion": "1"},
            "spec": {"interval": "10m", "path": "./", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
            "status": {"observedGeneration": 1, "inventory": {"entries": entries}, "conditions": []},
        }),
    ]
}

/// Resident memory with 2,000 Kustomizations of 200 inventory entries each.
fn memory() {
    println!("memory with 2,000 Kustomizations of 200 inventory entries");
    let folder = tempfile::tempdir().unwrap();
    clone(folder.path());
    let mut items: Vec<Value> = (0..2000)
        .map(|number| {
            let entries: Vec<Value> = (0..200)
                .map(|entry| json!({"id": format!("apps-{number}_web-{entry}_apps_Deployment"), "v": "v1"}))
                .collect();
            json!({
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
                "metadata": {"name": format!("app-{number}"), "namespace": "flux-system", "generation": 1, "uid": format!("{number}"), "resourceVersion": "1"},
                "spec": {"interval": "10m", "path": format!("./apps/{number}"), "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
                "status": {"observedGeneration": 1, "inventory": {"entries": entries}, "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "", "lastTransitionTime": "2026-11-22T05:00:00Z"}]},
            })
        })
        .collect();
    items.extend(source_and_root((0..2000).map(|number| format!("app-{number}"))));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let recorded = folder.path().join("cluster.json");
    std::fs::write(&recorded, &list).unwrap();
    drop((list, items));
    let file = folder.path().join("app.yaml");
    let text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: app-7\n  namespace: flux-system\nspec:\n  path: ./apps/7\n";
    std::fs::write(&file, text).unwrap();
    let resident = |recorded: Option<&Path>| {
        let home = Home::new();
        let mut command = match recorded {
            Some(recorded) => home.command(["--snapshot".as_ref(), recorded.as_os_str()]),
            None => home.command::<_, &str>([]),
        };
        let mut peer = Peer::spawn(&mut command);
        peer.hello(folder.path());
        peer.open(&file, text);
        // The lens says that the list has been read.
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            peer.send(&json!({"jsonrpc": "2.0", "id": 7, "method": "textDocument/codeLens", "params": {"textDocument": {"uri": e2e::lsp::uri(&file)}}}));
            let answer = peer.receive(|message| message["id"] == 7);
            if recorded.is_none() || answer.to_string().contains("as recorded") {
                break;
            }
            assert!(Instant::now() < until, "the list was not read: {answer}");
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", peer.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    };
    let (with, without) = (resident(Some(&recorded)), resident(None));
    println!("  resident {with:.1} MB; the same server without a cluster {without:.1} MB\n");
}

/// An event of the API server → `publishDiagnostics`, beside `kubectl get -w` on the same cluster.
///
/// A cluster without controllers: each change is one write by us. Both clocks start when the write is sent, so the
/// API server's own work is in both figures and only the difference counts.
fn event() {
    println!("event at the API server → publishDiagnostics");
    if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        println!("  kubectl is not on this machine: left out\n");
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let testbed = match Testbed::start(testbed::Options::bare(Flux::CrdsOnly)).await {
            Ok(testbed) => testbed,
            Err(error) => return println!("  the testbed does not start, left out: {error}\n"),
        };
        for (name, others) in [("bench", 0), ("crowd", 78)] {
            event_in(testbed.cluster(), name, others).await;
        }
    });
}

/// The same in a file with so many other Kustomizations.
async fn event_in(cluster: &testbed::Cluster, name: &str, others: usize) {
    let shop = Shop::draw_crowded(cluster, name, others).await.unwrap();
    let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Token).await.unwrap();

    let home = Home::new();
    let mut editor = Client::start(&home, Options::new(shop.folder()).kubeconfig(kubeconfig.path()));
    editor.answer(|method, params| (method == "fluxcd/pick").then(|| params["items"][0]["id"].clone()));
    let file = shop.flux_file();
    editor.open(&file);
    editor.wait_lens(&file, "not connected");
    editor.press(&file, "Choose cluster");
    // Of many a summary says how they are.
    editor.wait_lens(&file, if others == 0 { "✓ testbed" } else { "applied" });
    let (told, published) = channel();
    let marked = e2e::lsp::uri(&file);
    editor.on_message(move |message| {
        if message["method"] == "textDocument/publishDiagnostics"
            && message["params"]["uri"] == marked.as_str()
        {
            // Told to nobody once all is measured.
            let _ = told.send((Instant::now(), message["params"]["diagnostics"].to_string()));
        }
    });

    let mut kubectl = Command::new("kubectl")
        .env("KUBECONFIG", kubeconfig.path())
        .args(["get", "kustomizations.kustomize.toolkit.fluxcd.io", "-A", "-w", "-o"])
        .arg("jsonpath={.metadata.name} {.status.conditions[0].message}{'\\n'}")
        .stdout(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    let output = BufReader::new(kubectl.stdout.take().unwrap());
    let (told, printed) = channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = told.send((Instant::now(), line));
        }
    });
    printed.recv_timeout(PATIENCE).expect("kubectl prints what there is");

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..20 {
        // Changes that follow each other within 50 ms are taken together by design; these are to be single ones.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let text = format!("change number {number} of the benchmark");
        let began = Instant::now();
        shop.play(cluster, Some(&text)).await.unwrap();
        for (heard, times) in [(&published, &mut ours), (&printed, &mut theirs)] {
            let at = loop {
                let (at, said) = heard.recv_timeout(PATIENCE).expect("the change is seen");
                if said.contains(&text) {
                    break at;
                }
            };
            times.push(at - began);
        }
    }
    let _ = kubectl.kill();
    let _ = kubectl.wait();
    let difference = millis(median(&ours)) - millis(median(&theirs));
    println!("  with {} Kustomizations in the open file", others + 2);
    println!("    fluxcd-ls       {}", figure(&mut ours));
    println!("    kubectl get -w  {}", figure(&mut theirs));
    println!("    difference of medians {difference:.1} ms\n");
    editor.stop();
}

fn yaml_language_server() -> Option<(PathBuf, PathBuf)> {
    let tools = std::env::var("FLUXCD_LS_EDITORS").ok().or_else(|| {
        let said = Command::new(binary::root().join("tests/e2e/editors/install.sh")).output().ok()?;
        String::from_utf8(said.stdout).ok()
    })?;
    let tools: Value = serde_json::from_str(tools.lines().last()?).ok()?;
    let path = |name: &str| tools[name].as_str().map(PathBuf::from).filter(|path| path.exists());
    Some((path("node")?, path("yamlLanguageServer")?))
}

struct Peer {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Peer {
    fn spawn(command: &mut Command) -> Peer {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let output = BufReader::new(child.stdout.take().unwrap());
        Peer { child, output }
    }

    fn hello(&mut self, folder: &Path) {
        let uri = e2e::lsp::uri(folder);
        self.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "processId": null, "rootUri": uri, "workspaceFolders": [{"uri": uri, "name": "bench"}],
            "initializationOptions": {"trusted": true},
            "capabilities": {"textDocument": {"publishDiagnostics": {"versionSupport": true, "relatedInformation": true}}}}}));
        self.receive(|message| message["id"] == 1);
        self.send(&json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
    }

    fn open(&mut self, file: &Path, text: &str) {
        self.send(&json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {
            "uri": e2e::lsp::uri(file), "languageId": "yaml", "version": 1, "text": text}}}));
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let input = self.child.stdin.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        input.flush().unwrap();
    }

    fn receive(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                assert!(self.output.read_line(&mut line).unwrap() > 0, "the program ended");
                match line.trim_end() {
                    "" => break,
                    line => {
                        if let Some(value) = line.strip_prefix("Content-Length: ") {
                            length = value.parse().unwrap();
                        }
                    }
                }
            }
            let mut body = vec![0; length];
            self.output.read_exact(&mut body).unwrap();
            let message: Value = serde_json::from_slice(&body).unwrap();
            // Requests of the server are answered with nothing, so that it does not wait. Their ids are its own: one may be
            // the same as that of an answer which is waited for.
            if let (Some(_), Some(id)) = (message.get("method"), message.get("id")) {
                let answer = json!({"jsonrpc": "2.0", "id": id, "result": null});
                self.send(&answer);
            } else if wanted(&message) {
                return message;
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

fn figure(times: &mut [Duration]) -> String {
    times.sort();
    format!(
        "{:8.1} ms ({:.1} … {:.1})",
        millis(median(times)),
        millis(times[0]),
        millis(times[times.len() - 1])
    )
}

//! What a server must live through: texts, files, kubeconfigs, clients and clusters that are not as they should be.
//! Each gets an answer that says what is wrong, and nothing else is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use e2e::binary::{Home, run};
use e2e::lsp::{Client, Options, PATIENCE, uri};
use fleet::Cluster;
use serde_json::{Value, json};
use tempfile::TempDir;

const CATALOG: &str = "clusters/staging/apps/catalog.yaml";
/// The manifest that [`CATALOG`] fails for: the mark stands in it.
const INGRESS: &str = "apps/staging/catalog/ingress.yaml";

/// The fleet as a clone, with the recording of staging beside it.
struct Fleet {
    folder: TempDir,
    home: Home,
}

impl Fleet {
    fn lay_out() -> Fleet {
        let folder = TempDir::new().unwrap();
        fleet::lay_out(&folder.path().join("fleet")).unwrap();
        std::fs::write(folder.path().join("staging.json"), fleet::recorded(Cluster::Staging)).unwrap();
        Fleet { folder, home: Home::new() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("fleet").join(name)
    }

    fn recording(&self) -> PathBuf {
        self.folder.path().join("staging.json")
    }

    fn options(&self) -> Options {
        Options::new(&self.folder.path().join("fleet"))
    }

    fn recorded(&self) -> Client {
        Client::start(&self.home, self.options().snapshot(&self.recording()))
    }

    fn kubeconfig(&self, text: &str) -> PathBuf {
        let file = self.folder.path().join("kubeconfig");
        std::fs::write(&file, text).unwrap();
        file
    }
}

/// A server that still does its work: the mark of another file comes, and its hover names the failure.
fn still_works(client: &mut Client, fleet: &Fleet) {
    let search = fleet.file("clusters/staging/apps/search.yaml");
    client.open(&search);
    client.wait_lens(&search, "failed main@21d6388");
    client.wait_diagnostics(&fleet.file("apps/staging/search/small.yaml"), "the mark of search", |marks| {
        marks.iter().any(|it| it["code"] == "BuildFailed")
    });
    assert!(client.hover(&search, 3, 9).contains("BuildFailed"));
}

#[test]
fn texts_that_are_not_yaml_yet_or_never() {
    let fleet = Fleet::lay_out();
    let file = fleet.file(INGRESS);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut client = fleet.recorded();
    client.open(&file);
    let marked = |marks: &[Value]| marks.iter().any(|it| it["code"] == "ReconciliationFailed");
    client.wait_diagnostics(&file, "the mark", marked);
    // Half typed, below the mark: nothing is lost, and the text is known to be another one.
    client.change(&file, &format!("{text}  patches:\n    - target: {{kind: \"Depl"));
    client.wait_lens(&file, "staging: not live · unsaved");
    client.wait_diagnostics(&file, "the mark beside what is being typed", marked);
    // No YAML at all, and what is worse.
    for worse in [
        "%!@\u{0}\u{1b}[2J: [}{",
        "\u{feff}\u{202e}- - - ? : |\n\t\t*a &b",
        "---\n---\n--- !!binary |\n  x\n...\n",
    ] {
        client.change(&file, worse);
        assert_eq!(client.lenses(&file), Vec::<String>::new(), "{worse:?}");
    }
    client.change(&file, &text);
    client.wait_lens(&file, "failed main@21d6388");
    client.wait_diagnostics(&file, "the mark again", marked);
    client.stop();
}

#[test]
fn files_that_cannot_be_read_as_text() {
    let fleet = Fleet::lay_out();
    let folder = fleet.file("clusters/staging/odd");
    std::fs::create_dir_all(folder.join("folder.yaml")).unwrap();
    std::fs::write(folder.join("wrong.yaml"), b"apiVersion: v1\nkind: \xff\xfe\xc3(\n").unwrap();
    std::fs::write(
        folder.join("big.yaml"),
        "a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(1_000_000),
    )
    .unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("loop.yaml", folder.join("loop.yaml")).unwrap();
        std::os::unix::fs::symlink("..", folder.join("circle")).unwrap();
        // Nobody ever writes to it: whoever reads waits for ever.
        assert!(Command::new("mkfifo").arg(folder.join("pipe.yaml")).status().unwrap().success());
    }
    let mut client = fleet.recorded();
    still_works(&mut client, &fleet);
    // The editor shows what it could make of it.
    client.open_text(&folder.join("wrong.yaml"), "apiVersion: v1\nkind: \u{fffd}\u{fffd}\u{fffd}(\n");
    assert_eq!(client.lenses(&folder.join("wrong.yaml")), Vec::<String>::new());
    client.stop();
    let checked =
        run(fleet.home.command(["check", "--snapshot"]).arg(fleet.recording()).current_dir(fleet.file("")));
    assert_eq!((checked.code, checked.stderr.as_str()), (1, ""), "{}", checked.stdout);
    assert!(checked.stdout.contains("apps/staging/catalog/ingress.yaml:13:23"), "{}", checked.stdout);
}

/// Half written, emptied, removed, replaced by another file: whoever reads meanwhile sees any of that, and in the end what is
/// there.
#[test]
fn files_that_change_while_they_are_read() {
    let fleet = Fleet::lay_out();
    let (marked, source) = (fleet.file(INGRESS), fleet.file(CATALOG));
    let whole = |file: &Path| (file.to_owned(), std::fs::read_to_string(file).unwrap());
    let files =
        [whole(&marked), whole(&source), whole(&fleet.file("apps/staging/catalog/kustomization.yaml"))];
    let inventory = || run(fleet.home.command(["inventory"]).current_dir(fleet.file("")));
    let before = inventory();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) {
                for (file, text) in &files {
                    let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |it| it.0);
                    std::fs::write(file, &text[..half]).unwrap();
                    std::fs::write(file, "").unwrap();
                    std::fs::remove_file(file).unwrap();
                    let aside = file.with_extension("aside");
                    std::fs::write(&aside, text).unwrap();
                    std::fs::rename(aside, file).unwrap();
                }
                rounds += 1;
            }
            rounds
        });
        for _ in 0..5 {
            let during = inventory();
            assert!(during.code == before.code && !during.stderr.contains("panicked"), "{}", during.stderr);
        }
        let mut client = fleet.recorded();
        still_works(&mut client, &fleet);
        stop.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 0);
        let has_mark = |marks: &[Value]| marks.iter().any(|it| it["code"] == "ReconciliationFailed");
        client.wait_diagnostics(&marked, "the mark, when the texts are as they were", has_mark);
        let (_, text) = &files[0];
        std::fs::write(&marked, &text[..20]).unwrap();
        client.wait_diagnostics(&marked, "no mark in what is left", |marks| !has_mark(marks));
        std::fs::write(&marked, text).unwrap();
        client.wait_diagnostics(&marked, "the mark again", has_mark);
        client.open(&source);
        client.wait_lens(&source, "failed main@21d6388");
        client.stop();
    });
    assert_eq!(inventory().stdout, before.stdout);
}

#[test]
fn a_folder_that_vanishes_while_it_is_open() {
    let fleet = Fleet::lay_out();
    let file = fleet.file(CATALOG);
    let mut client = fleet.recorded();
    client.open(&file);
    client.wait_lens(&file, "failed main@21d6388");
    std::fs::remove_dir_all(fleet.file("")).unwrap();
    client.wait_for("an answer", |client| (!client.hover(&file, 3, 9).is_empty()).then_some(()));
    client.change(&file, "a: b\n");
    assert_eq!(client.lenses(&file), Vec::<String>::new());
    client.stop();
}

#[test]
fn messages_that_are_no_messages() {
    let fleet = Fleet::lay_out();
    let mut client = Client::spawn(&fleet.home, &fleet.options().snapshot(&fleet.recording()));
    let early = client.ask(
        "textDocument/hover",
        json!({"textDocument": {"uri": "file:///a"}, "position": {"line": 0, "character": 0}}),
    );
    assert_eq!(client.reply(early)["error"]["code"], -32002, "not initialized");
    for nonsense in [
        &b"Content-Length: 5\r\n\r\n{oops"[..],
        b"Content-Length: nineteen\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"\0\xff\r\n\r\n",
        // Shorter than what follows: the rest is no header.
        b"Content-Length: 10\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}\r\n\r\n",
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 4\r\n\r\nnull",
    ] {
        client.send_raw(nonsense);
    }
    let hello = client
        .ask("initialize", json!({"processId": null, "rootUri": uri(&fleet.file("")), "capabilities": {}}));
    assert!(client.reply(hello)["result"]["capabilities"].is_object());
    client.notify("initialized", json!({}));
    client.open(&fleet.file(CATALOG));
    client.wait_lens(&fleet.file(CATALOG), "failed main@21d6388");
    let range = json!({"start": {"line": 4_000_000_000_u32, "character": 7}, "end": {"line": 3, "character": 4_000_000_000_u32}});
    client.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri(&fleet.file(CATALOG)), "version": 2}, "contentChanges": [{"range": range, "text": "# x"}]}),
    );
    still_works(&mut client, &fleet);
    client.stop();

    // More than any memory is announced, and nothing comes.
    let mut client = fleet.recorded();
    client.send_raw(b"Content-Length: 999999999999999999\r\n\r\n{");
    assert_eq!(client.vanish(), Some(1), "it ends by itself, and says that nobody said goodbye");
}

/// Answers the lists: the context, then that it holds for this repository.
fn picks(context: &'static str) -> impl FnMut(&str, &Value) -> Option<Value> + Send {
    move |method, params| {
        let items = params["items"].as_array().filter(|_| method == "fluxcd/pick")?;
        let wanted =
            |text: &str| items.iter().find(|item| item["label"].as_str().is_some_and(|it| it.contains(text)));
        wanted(context).or_else(|| wanted("This repository")).map(|item| item["id"].clone())
    }
}

/// Chooses `context` in an editor with this kubeconfig.
fn choose(fleet: &Fleet, kubeconfig: &Path, context: &'static str) -> Client {
    let mut client = Client::start(&fleet.home, fleet.options().kubeconfig(kubeconfig));
    client.answer(picks(context));
    let file = fleet.file(CATALOG);
    client.open(&file);
    client.wait_lens(&file, "Flux: not connected");
    client.press(&file, "Choose cluster");
    client
}

fn kubeconfig(server: &str, user: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "staging",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "staging", "context": {"cluster": "c", "user": "u"}}],
    })
    .to_string()
}

/// A login program: a shell script.
fn script(fleet: &Fleet, text: &str) -> Value {
    let file = fleet.folder.path().join("login.sh");
    std::fs::write(&file, text).unwrap();
    json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": [file],
        "interactiveMode": "IfAvailable",
    }})
}

#[test]
fn kubeconfigs_that_are_missing_broken_or_lead_nowhere() {
    let fleet = Fleet::lay_out();
    let missing = fleet.folder.path().join("no such file");
    let client = &mut choose(&fleet, &missing, "staging");
    client.wait_sentence(&["no kubeconfig", "no such file", "Set KUBECONFIG"]);
    client.wait_lens(&fleet.file(CATALOG), "Flux: not connected");

    let client = &mut choose(&fleet, &fleet.kubeconfig("contexts: [{{"), "staging");
    client.wait_sentence(&["kubeconfig", "malformed at line 1"]);
    client.wait_lens(&fleet.file(CATALOG), "Flux: not connected");

    let dead = kubeconfig("https://127.0.0.1:1", &json!({"token": "t"}));
    let client = &mut choose(&fleet, &fleet.kubeconfig(&dead), "staging");
    client.wait_lens(&fleet.file(CATALOG), "staging: unreachable");

    let fails = script(&fleet, "echo 'your password has expired' >&2\nexit 3\n");
    let fails = kubeconfig("https://127.0.0.1:1", &fails);
    let client = &mut choose(&fleet, &fleet.kubeconfig(&fails), "staging");
    client.wait_lens(&fleet.file(CATALOG), "Sign in");
}

fn alive(pid: &str) -> bool {
    // A zombie is nobody's any more: it has ended.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_vanishes_and_a_server_that_is_killed_take_a_hanging_login_with_them() {
    let fleet = Fleet::lay_out();
    let pids = fleet.folder.path().join("pids");
    let hangs = format!("sleep 1000 &\necho $$ $! > '{}'\nwait\n", pids.display());
    let text = kubeconfig("https://127.0.0.1:1", &script(&fleet, &hangs));
    for killed in [false, true] {
        let mut client = choose(&fleet, &fleet.kubeconfig(&text), "staging");
        let started = client.wait_for("the login program", |_| {
            std::fs::read_to_string(&pids).ok().filter(|text| text.ends_with('\n'))
        });
        if killed {
            let server = client.pid().to_string();
            assert!(Command::new("kill").args(["-s", "KILL", &server]).status().unwrap().success());
        }
        let ended = client.vanish();
        assert_eq!(ended, (!killed).then_some(1), "nobody said goodbye");
        all_end(&started);
        std::fs::remove_file(&pids).unwrap();
    }
}

/// Waits until none of these processes runs.
#[cfg(target_os = "linux")]
fn all_end(pids: &str) {
    let until = Instant::now() + PATIENCE;
    for pid in pids.split_whitespace() {
        while alive(pid) {
            assert!(Instant::now() < until, "process {pid} of {pids} was left behind");
            std::thread::yield_now();
        }
    }
}

/// A login program that chatters and asks: neither reaches the protocol, which stays readable to the last byte. The
/// client waits for no answer, not even that to `initialize`, and never pauses.
#[test]
fn standard_output_carries_nothing_but_the_protocol() {
    let fleet = Fleet::lay_out();
    let heard = fleet.folder.path().join("heard");
    let chatters = format!(
        "echo 'Content-Length: 3'\necho\necho 'Password:'\necho noise >&2\ncat > '{0}.part'\nmv '{0}.part' '{0}'\necho '{{}}'\n",
        heard.display()
    );
    let text = kubeconfig("https://127.0.0.1:1", &script(&fleet, &chatters));
    let mut command = fleet.home.command::<_, &str>([]);
    command.env("KUBECONFIG", fleet.kubeconfig(&text)).env("RUST_LOG", "trace").current_dir(fleet.file(""));
    let mut server =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = server.stdin.take().unwrap();
    let mut send = move |message: Value| {
        let text = message.to_string();
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
    };
    let open = json!({"uri": uri(&fleet.file(CATALOG)), "languageId": "yaml", "version": 1, "text": std::fs::read_to_string(fleet.file(CATALOG)).unwrap()});
    let options = json!({"trusted": true, "client": {"pick": true}});
    send(
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"processId": null, "rootUri": uri(&fleet.file("")), "capabilities": {}, "initializationOptions": options}}),
    );
    send(json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
    send(json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": open}}));
    let choose =
        json!({"command": "fluxcd.chooseCluster", "arguments": [{"uri": uri(&fleet.file(CATALOG))}]});
    let lenses = json!({"jsonrpc": "2.0", "id": 4, "method": "textDocument/codeLens", "params": {"textDocument": {"uri": uri(&fleet.file(CATALOG))}}});
    send(lenses.clone());
    let mut output = BufReader::new(server.stdout.take().unwrap());
    let mut pick = picks("staging");
    let mut chosen = false;
    let until = Instant::now() + PATIENCE;
    // Strictly: one header, its bytes, the next header. Anything else fails.
    loop {
        let mut header = String::new();
        if output.read_line(&mut header).unwrap() == 0 {
            break;
        }
        let length = header.strip_prefix("Content-Length: ").and_then(|it| it.strip_suffix("\r\n"));
        let length: usize =
            length.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("no header: {header:?}"));
        let mut rest = vec![0; length + 2];
        output.read_exact(&mut rest).unwrap();
        let message: Value = serde_json::from_slice(rest.strip_prefix(b"\r\n").unwrap()).unwrap();
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        if let (Some(method), Some(id)) = (message["method"].as_str(), message.get("id")) {
            let result = pick(method, &message["params"]);
            send(json!({"jsonrpc": "2.0", "id": id, "result": result}));
        }
        // Once the file is known a cluster is chosen; then the server is kept busy until the login has ended.
        if message["id"] == 4 && !chosen {
            chosen = true;
            send(json!({"jsonrpc": "2.0", "id": 2, "method": "workspace/executeCommand", "params": choose}));
        }
        if message["id"] == 4 && !heard.exists() {
            assert!(Instant::now() < until, "no login within {PATIENCE:?}");
            send(lenses.clone());
        } else if message["id"] == 4 {
            send(json!({"jsonrpc": "2.0", "id": 3, "method": "shutdown"}));
        }
        if message["id"] == 3 {
            send(json!({"jsonrpc": "2.0", "method": "exit"}));
        }
    }
    assert!(server.wait().unwrap().success());
    assert_eq!(
        std::fs::read_to_string(&heard).unwrap(),
        "",
        "the program had no part of the protocol to read"
    );
    let mut stderr = String::new();
    server.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(stderr, "", "Neovim shows each line of it as an error");
}

#[test]
fn a_workspace_names_no_kubeconfig_no_recording_and_no_server() {
    let fleet = Fleet::lay_out();
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let ran = fleet.folder.path().join("ran");
    let login = script(&fleet, &format!("touch '{}'\n", ran.display()));
    let evil = fleet.kubeconfig(&kubeconfig(&format!("https://{}", trap.local_addr().unwrap()), &login));
    let settings = json!({
        "kubeconfig": evil, "snapshot": [fleet.recording()], "server": {"path": fleet.folder.path().join("login.sh")},
        "clusters": "ask", "actions": "on",
    });
    let mut options = fleet.options();
    options.initialization = json!({"trusted": true, "settings": settings, "client": {"pick": true}});
    let mut client = Client::start(&fleet.home, options);
    client.answer(picks("staging"));
    let file = fleet.file(CATALOG);
    client.open(&file);
    for name in ["fluxcd.kubeconfig", "fluxcd.snapshot", "fluxcd.server.path", "fluxcd.actions"] {
        client.wait_sentence(&[name, "It is ignored", "workspace settings belong to"]);
    }
    client.notify("workspace/didChangeConfiguration", json!({"settings": {"fluxcd": settings}}));
    client.wait_lens(&file, "Flux: not connected");
    client.press(&file, "Choose cluster");
    client.wait_sentence(&["no kubeconfig", "no-kubeconfig"]);
    assert_eq!(client.diagnostics(&file), &[] as &[Value], "nothing of the recording is shown");
    client.stop();
    assert!(trap.accept().is_err(), "somebody was contacted");
    assert!(!ran.exists(), "something ran");
}

#[test]
fn messages_of_a_cluster_are_data_in_a_hover() {
    let fleet = Fleet::lay_out();
    let mut list: Value = serde_json::from_str(fleet::recorded(Cluster::Staging)).unwrap();
    let evil = format!(
        "\u{1b}]8;;http://evil.example\u{7}a\u{1b}[31m\r\n\n# Fixed [click](command:evil) <img src=x> `a` ``` ~~~\n\u{202e}![x](http://evil.example) https://evil.example {}",
        "```` ".repeat(6_600)
    );
    for object in list["items"].as_array_mut().unwrap() {
        for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
            if condition["status"] == "False" {
                condition["message"] = json!(evil);
            }
        }
    }
    std::fs::write(fleet.recording(), list.to_string()).unwrap();
    let mut client = fleet.recorded();
    let file = fleet.file(CATALOG);
    client.open(&file);
    let rows = client.wait_lens(&file, "failed main@21d6388");
    let marks = client.wait_diagnostics(&file, "a mark", |marks| !marks.is_empty()).clone();
    let hover = client.hover(&file, 3, 9);
    assert!(hover.contains("Fixed"), "{hover}");
    let shown = format!("{rows:?}{hover}{}", marks[0]["message"].as_str().unwrap());
    let odd = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert_eq!(shown.chars().filter(odd).collect::<Vec<_>>(), Vec::<char>::new(), "{shown}");
    assert!(hover.len() < 20_000, "{} bytes are no hover", hover.len());
    // Whatever it holds stands inside one fence that it cannot close.
    let fences: Vec<&str> = hover.lines().filter(|line| line.trim_start().starts_with("```")).collect();
    let (open, close) = (fences.first().unwrap().trim(), fences.last().unwrap().trim());
    let fence: String = open.chars().take_while(|c| *c == '`').collect();
    assert_eq!(close, fence, "{fences:?}");
    let inside = hover.split_once(open).unwrap().1.rsplit_once(close).unwrap().0;
    let outside = hover.replace(inside, "");
    for markup in ["[click]", "<img", "# Fixed", "](http", "https://evil"] {
        assert!(!outside.contains(markup), "{markup} is outside of the fence in {hover}");
    }
    assert!(!inside.contains(&fence), "the fence is closed inside");
    assert!(marks[0]["message"].as_str().unwrap().len() < 2_000, "a mark is a sentence");
    client.stop();
}

#[test]
fn recordings_side_by_side() {
    let fleet = Fleet::lay_out();
    let production = fleet.folder.path().join("production.json");
    std::fs::write(&production, fleet::recorded(Cluster::Production)).unwrap();
    let mut options = fleet.options().snapshot(&fleet.recording());
    options.arguments.extend(["--snapshot".into(), production.display().to_string()]);
    let mut client = Client::start(&fleet.home, options);
    client.open(&fleet.file(CATALOG));
    client.wait_lens(&fleet.file(CATALOG), "staging: failed main@21d6388");
    let payments = fleet.file("clusters/production/apps/payments.yaml");
    client.open(&payments);
    client.wait_lens(&payments, "production: failed production@181874b");
    client.stop();

    // One that is broken costs nobody the other.
    fleet.home.config(&format!("snapshot = [\"{}\", \"/nowhere.json\"]\n", fleet.recording().display()));
    let mut client = Client::start(&fleet.home, fleet.options());
    client.open(&fleet.file(CATALOG));
    client.wait_lens(&fleet.file(CATALOG), "staging: failed main@21d6388");
    client.wait_sentence(&["/nowhere.json", "cannot read the snapshot"]);
    client.stop();
}

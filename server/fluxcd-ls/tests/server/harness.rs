//! An editor without a screen, in this process, over the real transport.
//!
//! Everything that the server says is either awaited by a test or refused at its end: a message nobody expected is
//! as wrong as one that is missing.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster::{Action, Context, Event, Outcome, SessionOptions, Wanted, What};
use flux::{Kind, ObjectId};
use fluxcd_ls::paths::Paths;
use fluxcd_ls::server::{Acting, Clusters, Options, SessionHandle, Watcher};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long something may take before a test fails and says what was there instead.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Answers a request of the server.
type Answers = Arc<Mutex<dyn FnMut(&str, &Value) -> Value + Send>>;

/// A repository and a home folder, for one test.
pub struct Setup {
    folder: tempfile::TempDir,
    initialization: Value,
    capabilities: Value,
    options: Options,
    pub clusters: Fake,
    answers: Answers,
}

impl Setup {
    /// A repository whose only remote is `https://git.example.com/fleet.git`, with these files (`//- path` headers).
    pub fn new(files: &str) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let repo = folder.path().join("repo");
        for (name, text) in [
            (".git/HEAD", "ref: refs/heads/main\n"),
            (
                ".git/config",
                "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote \"origin\"]\n\turl = https://git.example.com/fleet.git\n",
            ),
            (".git/objects/.keep", ""),
            (".git/refs/.keep", ""),
        ] {
            write(&repo.join(name), text);
        }
        let mut current: Option<(PathBuf, String)> = None;
        for line in files.split_inclusive('\n') {
            if let Some(path) = line.strip_prefix("//- ") {
                if let Some((path, text)) = current.take() {
                    write(&path, &text);
                }
                current = Some((repo.join(path.trim()), String::new()));
            } else if let Some((_, text)) = &mut current {
                text.push_str(line);
            }
        }
        if let Some((path, text)) = current {
            write(&path, &text);
        }
        let home = folder.path().join("home");
        let paths = Paths { config: home.join("config"), state: home.join("state") };
        let clusters = Fake::default();
        let mut options = Options::new(paths);
        options.clusters = Arc::new(clusters.clone());
        // No test looks at the kubeconfig of whoever runs it.
        options.environment = |_| None;
        Setup {
            folder,
            initialization: json!({"trusted": true, "client": {"pick": true, "details": true, "status": false}}),
            capabilities: json!({
                "workspace": {"codeLens": {"refreshSupport": true}, "configuration": false},
                "window": {"workDoneProgress": true, "showDocument": {"support": true}},
            }),
            options,
            clusters,
            answers: Arc::new(Mutex::new(|method: &str, _: &Value| {
                panic!("the server asks {method}, unexpected")
            })),
        }
    }

    /// The repository's folder.
    pub fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// With a recording in place of clusters.
    pub fn recording(mut self, list: &Value) -> Setup {
        let file = self.folder.path().join("staging.json");
        write(&file, &list.to_string());
        self.options.snapshots.push(file);
        self
    }

    /// With a kubeconfig of two contexts, `staging` and `prod`.
    pub fn kubeconfig(mut self) -> Setup {
        let file = self.folder.path().join("kubeconfig");
        write(&file, KUBECONFIG);
        self.options.kubeconfig = Some(file.display().to_string());
        self
    }

    /// With a text in the user's own `config.toml`.
    pub fn config(self, text: &str) -> Setup {
        write(&self.options.paths.config_file(), text);
        self
    }

    /// With other `initializationOptions`.
    pub fn initialization(mut self, change: impl FnOnce(&mut Value)) -> Setup {
        change(&mut self.initialization);
        self
    }

    /// With other capabilities of the editor.
    pub fn capabilities(mut self, change: impl FnOnce(&mut Value)) -> Setup {
        change(&mut self.capabilities);
        self
    }

    /// With an answer to everything that the server asks.
    pub fn answers(mut self, answers: impl FnMut(&str, &Value) -> Value + Send + 'static) -> Setup {
        self.answers = Arc::new(Mutex::new(answers));
        self
    }

    /// Starts the server, and says nothing.
    pub fn start(self) -> Editor {
        let Setup { folder, initialization, capabilities, options, clusters, answers } = self;
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (reader, writer) = tokio::io::split(theirs);
        let server = tokio::spawn(fluxcd_ls::server::serve(reader, writer, options));
        let (reader, writer) = tokio::io::split(ours);
        let (sender, messages) = mpsc::unbounded_channel();
        tokio::spawn(read(BufReader::new(reader), sender));
        Editor {
            repo: folder.path().join("repo"),
            _folder: folder,
            initialization,
            capabilities,
            clusters,
            answers,
            server: Some(server),
            writer: Some(writer),
            messages,
            kept: VecDeque::new(),
            next: 0,
        }
    }

    /// Starts the server and introduces the editor.
    pub async fn hello(self) -> Editor {
        let mut editor = self.start();
        editor.hello().await;
        editor
    }
}

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: prod
clusters:
- {name: staging, cluster: {server: 'https://staging.example.com:6443'}}
- {name: prod, cluster: {server: 'https://prod.example.com:6443'}}
users:
- {name: me, user: {token: abc}}
- name: login
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: kubelogin, args: [get-token], interactiveMode: IfAvailable}
contexts:
- {name: staging, context: {cluster: staging, user: me}}
- {name: prod, context: {cluster: prod, user: login}}
";

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

async fn read(mut reader: BufReader<ReadHalf<DuplexStream>>, messages: mpsc::UnboundedSender<Value>) {
    loop {
        let mut length = None;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            match line.trim() {
                "" => break,
                line => length = line.strip_prefix("Content-Length: ").map(|it| it.parse::<usize>().unwrap()),
            }
        }
        let mut body = vec![0; length.expect("a message has a length")];
        reader.read_exact(&mut body).await.unwrap();
        if messages.send(serde_json::from_slice(&body).unwrap()).is_err() {
            return;
        }
    }
}

/// The editor.
pub struct Editor {
    pub repo: PathBuf,
    _folder: tempfile::TempDir,
    initialization: Value,
    capabilities: Value,
    pub clusters: Fake,
    answers: Answers,
    server: Option<JoinHandle<bool>>,
    writer: Option<WriteHalf<DuplexStream>>,
    messages: mpsc::UnboundedReceiver<Value>,
    /// What was heard and not awaited yet.
    kept: VecDeque<Value>,
    next: i64,
}

impl Editor {
    /// `initialize` and `initialized`; gives the capabilities.
    pub async fn hello(&mut self) -> Value {
        let folder = uri(&self.repo);
        let hello = json!({
            "processId": null,
            "rootUri": folder,
            "workspaceFolders": [{"uri": folder, "name": "repo"}],
            "initializationOptions": self.initialization,
            "capabilities": self.capabilities,
        });
        let answer = self.request("initialize", hello).await;
        self.notify("initialized", json!({})).await;
        answer["capabilities"].clone()
    }

    pub async fn send(&mut self, message: Value) {
        let body = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }

    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.writer.as_mut().expect("the stream is open").write_all(bytes).await.unwrap();
    }

    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    pub async fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        let id = self.next;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        id
    }

    /// The whole answer to a request, error or not.
    pub async fn answer(&mut self, id: i64) -> Value {
        self.wait(&format!("the answer to {id}"), |it| it.get("method").is_none() && it["id"] == json!(id))
            .await
    }

    /// The result of a request.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params).await;
        let answer = self.answer(id).await;
        assert!(answer.get("error").is_none(), "{method} failed: {answer}");
        answer["result"].clone()
    }

    /// Waits for the next notification of a kind.
    pub async fn heard(&mut self, method: &str) -> Value {
        self.wait(method, |it| it["method"] == json!(method)).await["params"].clone()
    }

    /// Waits for the marks of a file.
    pub async fn marks(&mut self, file: &str) -> Vec<String> {
        let uri = self.uri(file);
        let what = format!("marks in {file}");
        let method = "textDocument/publishDiagnostics";
        let said =
            self.wait(&what, |it| it["method"] == json!(method) && it["params"]["uri"] == json!(uri)).await;
        let marks = said["params"]["diagnostics"].as_array().unwrap().iter().map(|mark| {
            let start = &mark["range"]["start"];
            let severity =
                ["", "error", "warning", "information", "hint"][mark["severity"].as_u64().unwrap() as usize];
            format!(
                "{}:{} {severity} {} {}",
                start["line"],
                start["character"],
                mark["code"].as_str().unwrap(),
                mark["message"].as_str().unwrap()
            )
        });
        marks.collect()
    }

    /// The rows of lenses of a file, as `line: title | title`.
    pub async fn lenses(&mut self, file: &str) -> Vec<String> {
        let uri = self.uri(file);
        let lenses = self.request("textDocument/codeLens", json!({"textDocument": {"uri": uri}})).await;
        let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
        for lens in lenses.as_array().into_iter().flatten() {
            let line = lens["range"]["start"]["line"].as_u64().unwrap();
            let title = lens["command"]["title"].as_str().unwrap().to_owned();
            match rows.last_mut() {
                Some((last, titles)) if *last == line => titles.push(title),
                _ => rows.push((line, vec![title])),
            }
        }
        rows.into_iter().map(|(line, titles)| format!("{line}: {}", titles.join(" | "))).collect()
    }

    /// Asks for the lenses, again whenever the server says so, until one of them contains a text.
    pub async fn wait_lens(&mut self, file: &str, text: &str) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let rows = self.lenses(file).await;
            if rows.iter().any(|row| row.contains(text)) {
                return rows;
            }
            assert!(tokio::time::Instant::now() < deadline, "no lens with {text:?}, but {rows:?}");
            let refresh = |it: &Value| it["method"] == json!("workspace/codeLens/refresh");
            if tokio::time::timeout(Duration::from_secs(2), self.find(refresh)).await.is_err() {
                // Nothing came: the answer may have been on its way before the change.
            }
        }
    }

    pub async fn open(&mut self, file: &str) {
        let text = std::fs::read_to_string(self.repo.join(file)).unwrap();
        self.open_text(file, &text).await;
    }

    pub async fn open_text(&mut self, file: &str, text: &str) {
        let item = json!({"uri": self.uri(file), "languageId": "yaml", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": item})).await;
    }

    pub async fn change(&mut self, file: &str, version: i32, changes: Value) {
        let document = json!({"uri": self.uri(file), "version": version});
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}))
            .await;
    }

    pub async fn close(&mut self, file: &str) {
        let document = json!({"uri": self.uri(file)});
        self.notify("textDocument/didClose", json!({"textDocument": document})).await;
    }

    /// What a hover says, or nothing.
    pub async fn hover(&mut self, file: &str, line: u32, character: u32) -> Option<String> {
        let params = json!({
            "textDocument": {"uri": self.uri(file)}, "position": {"line": line, "character": character},
        });
        let hover = self.request("textDocument/hover", params).await;
        hover["contents"]["value"].as_str().map(str::to_owned)
    }

    pub async fn command(&mut self, command: &str, argument: Value) -> Value {
        self.request("workspace/executeCommand", json!({"command": command, "arguments": [argument]})).await
    }

    pub fn uri(&self, file: &str) -> String {
        uri(&self.repo.join(file))
    }

    /// Waits for a message, and answers what the server asks meanwhile.
    pub async fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        match tokio::time::timeout(PATIENCE, self.find(wanted)).await {
            Ok(Some(found)) => found,
            Ok(None) => panic!("the server ended before {what}"),
            Err(_) => panic!("no {what}; there is: {:#?}", self.kept),
        }
    }

    async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return self.kept.remove(at);
        }
        loop {
            let message = self.messages.recv().await?;
            let message = self.respond(message).await;
            if let Some(message) = message {
                if wanted(&message) {
                    return Some(message);
                }
                self.kept.push_back(message);
            }
        }
    }

    /// Answers a request of the server; everything else is handed on. Refreshes are answered and handed on.
    async fn respond(&mut self, message: Value) -> Option<Value> {
        let (Some(method), Some(id)) = (message["method"].as_str(), message.get("id")) else {
            return Some(message);
        };
        let refresh = method == "workspace/codeLens/refresh";
        let result = match method {
            "workspace/codeLens/refresh" | "window/workDoneProgress/create" => Value::Null,
            method => (self.answers.lock().unwrap())(method, &message["params"]),
        };
        self.send(json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
        // Tests that care wait for it.
        refresh.then_some(message)
    }

    /// Waits until the server has asked what it wanted to ask, and got its answers.
    pub async fn wait_idle(&mut self) {
        for _ in 0..20 {
            self.lenses("nowhere.yaml").await;
            tokio::task::yield_now().await;
        }
    }

    /// Whatever was said until now and not awaited, but for refreshes of lenses.
    pub async fn leftovers(&mut self) -> Vec<Value> {
        // An answer comes after all that was sent before it.
        self.lenses("nowhere.yaml").await;
        self.kept.drain(..).filter(|it| it["method"] != json!("workspace/codeLens/refresh")).collect()
    }

    /// Says goodbye; refuses messages that nobody awaited.
    pub async fn goodbye(mut self) {
        let left = self.leftovers().await;
        assert!(left.is_empty(), "nobody expected {left:#?}");
        self.request("shutdown", Value::Null).await;
        self.send(json!({"jsonrpc": "2.0", "method": "exit"})).await;
        assert!(self.ended().await, "the server was told goodbye");
    }

    /// Closes the stream without a word.
    pub async fn die(&mut self) {
        let mut writer = self.writer.take().unwrap();
        writer.shutdown().await.unwrap();
    }

    /// The user's own `config.toml`.
    pub fn config_file(&self) -> PathBuf {
        let home = self.repo.with_file_name("home");
        Paths { config: home.join("config"), state: home.join("state") }.config_file()
    }

    /// Waits until it is written down which cluster a file belongs to.
    pub async fn remembers(&mut self, file: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let book = self.repo.with_file_name("home").join("state/consents.json");
        while !std::fs::read_to_string(&book).unwrap_or_default().contains(file) {
            assert!(tokio::time::Instant::now() < deadline, "{file} is forgotten");
            self.lenses("nowhere.yaml").await;
        }
    }

    /// Waits until clusters were contacted so many times; answers what the server asks meanwhile.
    pub async fn contacts(&mut self, times: usize) -> Vec<String> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let contacted = self.clusters.contacted();
            if contacted.len() >= times {
                return contacted;
            }
            assert!(tokio::time::Instant::now() < deadline, "contacted: {contacted:?}");
            self.lenses("nowhere.yaml").await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the server has ended.
    pub async fn ended(&mut self) -> bool {
        let server = self.server.take().unwrap();
        tokio::time::timeout(Duration::from_secs(20), server).await.expect("the server ends").unwrap()
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// Clusters that do what a test says.
#[derive(Clone, Default)]
pub struct Fake {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    sessions: Vec<Started>,
    outcomes: VecDeque<Outcome>,
    acted: Vec<String>,
    read: Vec<Wanted>,
}

struct Started {
    context: Context,
    generation: u64,
    chosen: bool,
    events: mpsc::Sender<Event>,
    ended: CancellationToken,
    signed_in: Arc<Mutex<usize>>,
}

struct Handle {
    fake: Fake,
    context: String,
    ended: CancellationToken,
    signed_in: Arc<Mutex<usize>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

impl Clusters for Fake {
    fn start(
        &self,
        context: Context,
        options: SessionOptions,
        events: mpsc::Sender<Event>,
    ) -> Box<dyn SessionHandle> {
        let ended = CancellationToken::new();
        let signed_in = Arc::new(Mutex::new(0));
        let name = context.name().to_owned();
        self.state.lock().unwrap().sessions.push(Started {
            context,
            generation: options.generation,
            chosen: options.chosen,
            events,
            ended: ended.clone(),
            signed_in: Arc::clone(&signed_in),
        });
        Box::new(Handle { fake: self.clone(), context: name, ended, signed_in })
    }
}

impl SessionHandle for Handle {
    fn used(&self) {}
    fn typed(&self) {}
    fn poke(&self) {}
    fn sign_in(&self) {
        *self.signed_in.lock().unwrap() += 1;
    }
    fn cancel_sign_in(&self) {}
    fn ask_rights(&self, rights: Vec<(Kind, Arc<str>)>) {
        // Everything is allowed here.
        let state = self.fake.state.lock().unwrap();
        let Some(session) = state.sessions.iter().rev().find(|it| it.context.name() == self.context) else {
            return;
        };
        let patch = rights.into_iter().map(|right| (right, true)).collect();
        let what = What::Rights(cluster::Rights { patch });
        let event = Event { context: session.context.key.clone(), generation: session.generation, what };
        session.events.try_send(event).unwrap();
    }
    fn read(&self, objects: Vec<Wanted>) {
        self.fake.state.lock().unwrap().read.extend(objects);
    }
    fn act(&self, action: Action, object: ObjectId, _: Watcher, cancel: CancellationToken) -> Option<Acting> {
        let fake = self.fake.clone();
        let context = self.context.clone();
        Some(Box::pin(async move {
            let outcome = {
                let mut state = fake.state.lock().unwrap();
                state.acted.push(format!("{action:?} {object} in {context}"));
                state.outcomes.pop_front()
            };
            match outcome {
                Some(outcome) => outcome,
                None => {
                    cancel.cancelled().await;
                    Outcome::Cancelled
                }
            }
        }))
    }
}

impl Fake {
    /// Contexts in the order in which they were contacted; `(chosen)` where the user just picked them.
    pub fn contacted(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let names = state.sessions.iter().map(|it| {
            let chosen = if it.chosen { " (chosen)" } else { "" };
            format!("{}{chosen}", it.context.name())
        });
        names.collect()
    }

    /// The newest session of a context says something.
    pub async fn say(&self, context: &str, what: What) {
        let (event, events) = {
            let state = self.state.lock().unwrap();
            let session = state.sessions.iter().rev().find(|it| it.context.name() == context).unwrap();
            (
                Event { context: session.context.key.clone(), generation: session.generation, what },
                session.events.clone(),
            )
        };
        events.send(event).await.unwrap();
    }

    /// How often somebody signed in to the newest session.
    pub fn signed_in(&self) -> usize {
        self.state.lock().unwrap().sessions.last().map_or(0, |it| *it.signed_in.lock().unwrap())
    }

    /// Whether all sessions have ended.
    pub fn all_ended(&self) -> bool {
        self.state.lock().unwrap().sessions.iter().all(|it| it.ended.is_cancelled())
    }

    /// How the next action ends; without one it goes on until it is cancelled.
    pub fn outcome(&self, outcome: Outcome) {
        self.state.lock().unwrap().outcomes.push_back(outcome);
    }

    /// The objects that were to be read since this was last asked.
    pub fn read(&self) -> Vec<Wanted> {
        std::mem::take(&mut self.state.lock().unwrap().read)
    }

    /// What was done.
    pub fn acted(&self) -> Vec<String> {
        self.state.lock().unwrap().acted.clone()
    }
}

//! A small client of the language server protocol: enough to be an editor without a screen.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::binary::Home;

/// How long a condition may take to come true before the test fails and says what was there instead.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Answers a request of the server: method and parameters in, result out; `None` answers with null.
pub type Answers = Box<dyn FnMut(&str, &Value) -> Option<Value> + Send>;

/// Sees every message of the server at the moment it arrives.
type Witness = Arc<Mutex<Option<Box<dyn FnMut(&Value) + Send>>>>;

/// A running server, its documents, and all that it told so far.
pub struct Client {
    server: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    witness: Witness,
    next_id: i64,
    replies: HashMap<i64, Value>,
    diagnostics: HashMap<String, Vec<Value>>,
    answers: Answers,
    versions: HashMap<String, (i32, String)>,
    /// Every notification and every request of the server, oldest first.
    pub heard: Vec<Value>,
    /// How long each wait may take, [`PATIENCE`] unless a story needs more.
    pub patience: Duration,
}

/// How a client introduces itself.
pub struct Options {
    /// The folder that is opened.
    pub folder: PathBuf,
    /// Further arguments of the program (`--snapshot FILE`…).
    pub arguments: Vec<String>,
    /// Further environment (`KUBECONFIG`…).
    pub environment: Vec<(String, String)>,
    /// `initializationOptions`.
    pub initialization: Value,
}

impl Options {
    /// An editor with a picker, details and a status bar, in a trusted folder.
    pub fn new(folder: &Path) -> Options {
        Options {
            folder: folder.to_path_buf(),
            arguments: Vec::new(),
            environment: Vec::new(),
            initialization: json!({"trusted": true, "client": {"pick": true, "details": true, "status": true}}),
        }
    }

    /// With a recorded cluster.
    pub fn snapshot(mut self, file: &Path) -> Options {
        self.arguments = vec!["--snapshot".into(), file.display().to_string()];
        self
    }

    /// With a kubeconfig.
    pub fn kubeconfig(mut self, file: &Path) -> Options {
        self.environment.push(("KUBECONFIG".into(), file.display().to_string()));
        self
    }
}

impl Client {
    /// Starts the server and says hello.
    pub fn start(home: &Home, options: Options) -> Client {
        let mut client = Client::spawn(home, &options);
        let folder = uri(&options.folder);
        let hello = json!({
            "processId": std::process::id(),
            "rootUri": folder,
            "workspaceFolders": [{"uri": folder, "name": "workspace"}],
            "initializationOptions": options.initialization,
            "capabilities": {
                "workspace": {
                    "workspaceEdit": {"documentChanges": true},
                    "codeLens": {"refreshSupport": true},
                    "configuration": false,
                    "workspaceFolders": true,
                },
                "window": {"workDoneProgress": true, "showDocument": {"support": true}, "showMessage": {}},
                "textDocument": {
                    "publishDiagnostics": {"relatedInformation": true, "versionSupport": true, "codeDescriptionSupport": true},
                    "hover": {"contentFormat": ["markdown"]},
                    "codeLens": {},
                    "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor"]}}},
                },
            },
        });
        client.request("initialize", hello);
        client.notify("initialized", json!({}));
        client
    }

    /// Starts the server and says nothing yet.
    pub fn spawn(home: &Home, options: &Options) -> Client {
        let mut command = home.command(&options.arguments);
        command.envs(options.environment.iter().cloned()).current_dir(&options.folder);
        let mut server = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let output = server.stdout.take().expect("its output is a pipe");
        let (sender, messages) = channel();
        let witness = Witness::default();
        let seen = Arc::clone(&witness);
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read_message(&mut output) {
                if let Ok(mut witness) = seen.lock()
                    && let Some(witness) = witness.as_mut()
                {
                    witness(&message);
                }
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Client {
            input: server.stdin.take(),
            server,
            messages,
            witness,
            next_id: 1,
            replies: HashMap::new(),
            diagnostics: HashMap::new(),
            answers: Box::new(|_, _| None),
            versions: HashMap::new(),
            heard: Vec::new(),
            patience: PATIENCE,
        }
    }

    /// How requests of the server (`fluxcd/pick`, `window/showMessageRequest`…) are answered from now on.
    pub fn answer(&mut self, answers: impl FnMut(&str, &Value) -> Option<Value> + Send + 'static) {
        self.answers = Box::new(answers);
    }

    /// Sends bytes that need not be a message.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(bytes).and_then(|()| input.flush());
        }
    }

    /// Calls `witness` for every message of the server from now on, at the moment it arrives: for stopwatches.
    pub fn on_message(&mut self, witness: impl FnMut(&Value) + Send + 'static) {
        *self.witness.lock().expect("no witness panics") = Some(Box::new(witness));
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request and gives its number, without waiting.
    pub fn ask(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Waits for the whole answer to an earlier `ask`: with `result` or `error`.
    pub fn reply(&mut self, id: i64) -> Value {
        self.wait_for(&format!("the answer to request {id}"), |client| client.replies.remove(&id))
    }

    /// Sends a request and waits for its result; an error fails the test.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        let reply = self.reply(id);
        assert!(reply.get("error").is_none(), "{method} failed: {reply}");
        reply["result"].clone()
    }

    /// Opens a file as it is on the disk.
    pub fn open(&mut self, file: &Path) {
        let text = std::fs::read_to_string(file).expect("the file is there");
        self.open_text(file, &text);
    }

    /// Opens a file with this text.
    pub fn open_text(&mut self, file: &Path, text: &str) {
        let uri = uri(file);
        self.versions.insert(uri.clone(), (1, text.to_owned()));
        self.notify(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}}),
        );
    }

    /// Replaces the whole text of an open file.
    pub fn change(&mut self, file: &Path, text: &str) {
        let uri = uri(file);
        let (version, current) = self.versions.get_mut(&uri).expect("the file is open");
        *version += 1;
        text.clone_into(current);
        let version = *version;
        self.notify(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]}),
        );
    }

    /// The titles of the lenses of a file, top to bottom, as `line: title | title`.
    pub fn lenses(&mut self, file: &Path) -> Vec<String> {
        let lenses = self.code_lenses(file);
        let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
        for lens in lenses {
            let line = lens["range"]["start"]["line"].as_u64().expect("a lens has a line");
            let title = lens["command"]["title"].as_str().unwrap_or("(no command)").to_owned();
            match rows.last_mut() {
                Some((last, titles)) if *last == line => titles.push(title),
                _ => rows.push((line, vec![title])),
            }
        }
        rows.into_iter().map(|(line, titles)| format!("{}: {}", line + 1, titles.join(" | "))).collect()
    }

    /// The lenses of a file as the protocol gives them.
    pub fn code_lenses(&mut self, file: &Path) -> Vec<Value> {
        let answer = self.request("textDocument/codeLens", json!({"textDocument": {"uri": uri(file)}}));
        answer.as_array().cloned().unwrap_or_default()
    }

    /// Waits until some lens of the file contains `text`, and gives all rows.
    pub fn wait_lens(&mut self, file: &Path, text: &str) -> Vec<String> {
        let until = Instant::now() + self.patience;
        loop {
            let rows = self.lenses(file);
            if rows.iter().any(|row| row.contains(text)) {
                return rows;
            }
            assert!(
                Instant::now() < until,
                "no lens with {text:?} in {}; there are: {rows:#?}",
                file.display()
            );
            self.listen(Duration::from_millis(200));
        }
    }

    /// Waits until some lens of the file contains `text`, and gives that row; all rows if none did in time.
    pub fn look_for_lens(&mut self, file: &Path, text: &str, time: Duration) -> Result<String, Vec<String>> {
        let until = Instant::now() + time;
        loop {
            let rows = self.lenses(file);
            if let Some(row) = rows.iter().find(|row| row.contains(text)) {
                return Ok(row.clone());
            }
            if Instant::now() > until {
                return Err(rows);
            }
            self.listen(Duration::from_millis(200));
        }
    }

    /// Presses the first lens of the file whose title contains `text`.
    pub fn press(&mut self, file: &Path, text: &str) -> Value {
        let lenses = self.code_lenses(file);
        let lens = lenses
            .iter()
            .find(|lens| lens["command"]["title"].as_str().is_some_and(|title| title.contains(text)))
            .unwrap_or_else(|| panic!("no lens {text:?} among {lenses:#?}"));
        let command = lens["command"].clone();
        self.request(
            "workspace/executeCommand",
            json!({"command": command["command"], "arguments": command["arguments"]}),
        )
    }

    /// Runs a command of the server, as a client without lenses does.
    pub fn execute(&mut self, command: &str, argument: Value) -> Value {
        self.request("workspace/executeCommand", json!({"command": command, "arguments": [argument]}))
    }

    /// The sentences that the server has shown so far, questions included, oldest first.
    pub fn sentences(&self) -> Vec<&str> {
        let shown =
            |it: &&Value| it["method"] == "window/showMessage" || it["method"] == "window/showMessageRequest";
        self.heard.iter().filter(shown).filter_map(|it| it["params"]["message"].as_str()).collect()
    }

    /// Waits until the server has shown a sentence with all of `parts`.
    pub fn wait_sentence(&mut self, parts: &[&str]) -> String {
        self.wait_for(&format!("a sentence with {parts:?}"), |client| {
            let said = |it: &&&str| parts.iter().all(|part| it.contains(part));
            client.sentences().iter().find(said).map(|it| (*it).to_owned())
        })
    }

    /// Waits until the hover at the first occurrence of `place` in the open file contains `text`.
    pub fn wait_hover(&mut self, file: &Path, place: &str, text: &str) -> String {
        let (_, content) = self.versions.get(&uri(file)).expect("the file is open");
        let at = content.find(place).unwrap_or_else(|| panic!("no {place:?} in {content}"));
        let before = content.get(..at).unwrap_or_default();
        let line = before.matches('\n').count();
        // The places of the stories are ASCII.
        let character = at - before.rfind('\n').map_or(0, |it| it + 1);
        let position = |it: usize| u32::try_from(it).expect("a small file");
        let mut last = String::new();
        let until = Instant::now() + self.patience;
        while Instant::now() < until {
            last = self.hover(file, position(line), position(character));
            if last.contains(text) {
                return last;
            }
            self.listen(Duration::from_millis(200));
        }
        panic!("no hover with {text:?} at {place:?}; it says: {last}");
    }

    /// The diagnostics of a file as they stand now.
    pub fn diagnostics(&self, file: &Path) -> &[Value] {
        self.diagnostics.get(&uri(file)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Waits until the diagnostics of a file fulfil `condition`.
    pub fn wait_diagnostics(
        &mut self,
        file: &Path,
        what: &str,
        condition: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let uri = uri(file);
        self.wait_for(&format!("{what} in {}", file.display()), |client| {
            let found = client.diagnostics.get(&uri).cloned().unwrap_or_default();
            condition(&found).then_some(found)
        })
    }

    /// The Markdown of the hover at a position (from 0), or nothing.
    pub fn hover(&mut self, file: &Path, line: u32, character: u32) -> String {
        let answer = self.request(
            "textDocument/hover",
            json!({"textDocument": {"uri": uri(file)}, "position": {"line": line, "character": character}}),
        );
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for a notification or request of the server that fulfils `condition`, among all heard so far too.
    pub fn wait_heard(&mut self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        self.wait_for(what, |client| client.heard.iter().find(|message| condition(message)).cloned())
    }

    /// Waits until `condition` gives a value, listening meanwhile.
    pub fn wait_for<T>(&mut self, what: &str, mut condition: impl FnMut(&mut Client) -> Option<T>) -> T {
        let until = Instant::now() + self.patience;
        loop {
            if let Some(found) = condition(self) {
                return found;
            }
            let last = self.heard.iter().rev().take(8).collect::<Vec<_>>();
            assert!(
                Instant::now() < until,
                "waited {:?} in vain for {what}; diagnostics: {:#?}; last heard: {last:#?}",
                self.patience,
                self.diagnostics
            );
            self.listen(Duration::from_millis(200));
        }
    }

    /// Takes in what the server sends, for at most `time` or until one message came.
    pub fn listen(&mut self, time: Duration) {
        match self.messages.recv_timeout(time) {
            Ok(message) => self.take(message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(10)),
        }
        while let Ok(message) = self.messages.try_recv() {
            self.take(message);
        }
    }

    /// Says goodbye and waits for the server's end.
    pub fn stop(mut self) {
        let id = self.ask("shutdown", Value::Null);
        self.reply(id);
        self.notify("exit", Value::Null);
        let code = self.wait_exit();
        assert_eq!(code, Some(0), "after shutdown and exit the server ends well");
    }

    /// Closes the server's input without a word, as an editor does that is killed.
    pub fn vanish(mut self) -> Option<i32> {
        self.input = None;
        self.wait_exit()
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    fn wait_exit(&mut self) -> Option<i32> {
        let until = Instant::now() + self.patience;
        loop {
            if let Some(status) = self.server.try_wait().expect("the server can be waited for") {
                return status.code();
            }
            assert!(Instant::now() < until, "the server does not end");
            self.listen(Duration::from_millis(20));
        }
    }

    fn take(&mut self, message: Value) {
        match (message.get("method").and_then(Value::as_str), message.get("id")) {
            (Some(method), Some(id)) => {
                let result = (self.answers)(method, &message["params"]).unwrap_or(match method {
                    "window/showDocument" => json!({"success": true}),
                    _ => Value::Null,
                });
                let id = id.clone();
                self.heard.push(message);
                self.send(json!({"jsonrpc": "2.0", "id": id, "result": result}));
            }
            (Some(method), None) => {
                if method == "textDocument/publishDiagnostics" {
                    let uri =
                        message["params"]["uri"].as_str().expect("diagnostics are of a file").to_owned();
                    let list = message["params"]["diagnostics"].as_array().cloned().unwrap_or_default();
                    self.diagnostics.insert(uri, list);
                }
                self.heard.push(message);
            }
            (None, Some(id)) => {
                if let Some(id) = id.as_i64() {
                    self.replies.insert(id, message);
                }
            }
            (None, None) => panic!("neither request nor answer: {message}"),
        }
    }

    fn send(&mut self, message: Value) {
        let text = message.to_string();
        let Some(input) = &mut self.input else { return };
        // A server that has ended is seen by what is waited for, not here.
        let _ = write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).and_then(|()| input.flush());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A file's address.
pub fn uri(file: &Path) -> String {
    format!("file://{}", file.display())
}

fn read_message(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.parse().ok()?;
        } else {
            assert!(
                line.starts_with("Content-Type:"),
                "something else than the protocol is on standard output: {line:?}"
            );
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("the server sends JSON"))
}

use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect;

use super::*;
use crate::kubeconfig::{AuthKind, Kubeconfig};

const TOKEN: &str = r#"echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t1"}}'"#;

/// A context whose login command is this shell script.
struct Plugin {
    dir: tempfile::TempDir,
    context: Context,
    plugin: ExecPlugin,
    state: StateDir,
}

fn plugin(script: &str) -> Plugin {
    plugin_with(script, "")
}

fn plugin_with(script: &str, more: &str) -> Plugin {
    let dir = tempfile::tempdir().unwrap();
    let (context, plugin) = context(dir.path(), script, more);
    let state = StateDir::at(dir.path().join("state"));
    Plugin { dir, context, plugin, state }
}

fn context(dir: &Path, script: &str, more: &str) -> (Context, ExecPlugin) {
    let script = serde_json::to_string(script).unwrap();
    let here = serde_json::to_string(&dir.to_string_lossy()).unwrap();
    let config = format!(
        r#"{{"clusters":[{{"name":"c","cluster":{{"server":"https://c.example.com","certificate-authority-data":"Q0E="}}}}],
            "contexts":[{{"name":"c","context":{{"cluster":"c","user":"u"}}}}],
            "users":[{{"name":"u","user":{{"exec":{{"apiVersion":"client.authentication.k8s.io/v1",
              "command":"sh","args":["-c",{script}],"env":[{{"name":"DIR","value":{here}}}],
              "interactiveMode":"IfAvailable"{more}}}}}}}]}}"#
    );
    std::fs::write(dir.join("config"), config).unwrap();
    load(dir)
}

fn load(dir: &Path) -> (Context, ExecPlugin) {
    let context = Kubeconfig::load(&[dir.join("config")]).unwrap().context("c").unwrap();
    let AuthKind::Exec(plugin) = context.auth.clone() else { panic!("{:?}", context.auth) };
    (context, plugin)
}

impl Plugin {
    async fn run(&self, limit: Duration) -> Result<Credential, ExecError> {
        self.run_until(limit, &CancellationToken::new()).await
    }

    async fn run_until(&self, limit: Duration, cancel: &CancellationToken) -> Result<Credential, ExecError> {
        run(&self.context, &self.plugin, &self.state, limit, true, cancel).await
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// The error of a script, without the script.
    async fn error(&self, limit: Duration) -> String {
        let error = self.run(limit).await.unwrap_err().to_string();
        error.replace(&self.plugin.command_line(), "CMD").replace(&*self.dir.path().to_string_lossy(), "DIR")
    }
}

const LONG: Duration = Duration::from_secs(60);

/// Waits until something is so.
async fn eventually(what: &str, so: impl Fn() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(30), async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(patience.await.is_ok(), "never: {what}");
}

/// Whether a process runs. One that has ended and that nobody has asked about yet (a zombie) does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

#[tokio::test]
async fn it_runs_once_without_input_and_knows_the_cluster() {
    let script = format!(
        r#"cat > "$DIR/input"; echo run >> "$DIR/runs"; printf %s "$KUBERNETES_EXEC_INFO" > "$DIR/info"
           echo noise >&2; {TOKEN}"#
    );
    let plugin = plugin_with(&script, r#","provideClusterInfo":true"#);
    let credential = plugin.run(LONG).await.unwrap();
    assert_eq!(credential.token.as_deref(), Some("t1"));
    assert_eq!(credential.expires, None);
    // `cat` came to an end: the input is at its end, and empty.
    assert_eq!(plugin.text("input"), "");
    assert_eq!(plugin.text("runs"), "run\n");
    let info: serde_json::Value = serde_json::from_str(&plugin.text("info")).unwrap();
    let info = serde_json::to_string_pretty(&info).unwrap();
    expect![[r#"
        {
          "apiVersion": "client.authentication.k8s.io/v1",
          "kind": "ExecCredential",
          "spec": {
            "cluster": {
              "certificate-authority-data": "Q0EK",
              "server": "https://c.example.com"
            },
            "interactive": false
          }
        }"#]]
    .assert_eq(&info);
    assert_eq!(Memory::read(&plugin.state, &plugin.context.fingerprint()).quick(), Some(true));
}

#[tokio::test]
async fn the_debug_form_shows_no_token() {
    let credential = plugin(TOKEN).run(LONG).await.unwrap();
    assert_eq!(format!("{credential:?}"), "Credential { expires: None, .. }");
}

#[tokio::test]
async fn a_hanging_one_is_ended_with_all_it_started() {
    let plugin = plugin(r#"sleep 600 & echo $! > "$DIR/pid"; echo waiting >&2; wait"#);
    let cancel = CancellationToken::new();
    let (result, ()) = tokio::join!(plugin.run_until(LONG, &cancel), async {
        eventually("the helper starts", || plugin.text("pid").ends_with('\n')).await;
        assert!(runs(&plugin.text("pid")));
        cancel.cancel();
    });
    assert_eq!(result.unwrap_err(), ExecError::Cancelled);
    eventually("the helper is ended", || !runs(&plugin.text("pid"))).await;
    // Giving up is no failure: the next unattended run is allowed.
    assert_eq!(Memory::read(&plugin.state, &plugin.context.fingerprint()), Memory::default());
}

#[tokio::test]
async fn dropping_the_future_ends_it_too() {
    let plugin = plugin(r#"sleep 600 & echo $! > "$DIR/pid"; wait"#);
    tokio::select! {
        _ = plugin.run(LONG) => panic!("it hangs"),
        () = eventually("the helper starts", || plugin.text("pid").ends_with('\n')) => {}
    }
    eventually("the helper is ended", || !runs(&plugin.text("pid"))).await;
}

#[tokio::test]
async fn a_slow_one_is_ended_in_time() {
    let plugin = plugin(r#"echo "Open https://id.example.com" >&2; sleep 600 & echo $! > "$DIR/pid"; wait"#);
    let error = plugin.error(Duration::from_secs(1)).await;
    expect!["the login command `CMD` did not finish within 1 s: Open https://id.example.com"]
        .assert_eq(&error);
    assert!(!runs(&plugin.text("pid")));
    let memory = Memory::read(&plugin.state, &plugin.context.fingerprint());
    assert!(memory.failure.is_some() && memory.quick().is_none(), "{memory:?}");
}

#[tokio::test]
async fn errors_are_sentences() {
    let error = async |script: &str| plugin(script).error(LONG).await;
    expect!["the login command `CMD` failed (exit code 3): no such tenant"]
        .assert_eq(&error(r#"printf 'one\n\033[31mno such tenant\033[0m\n' >&2; exit 3"#).await);
    expect!["the login command `CMD` failed (signal: 9 (SIGKILL))."].assert_eq(&error("kill -9 $$").await);
    expect!["the login command `CMD` printed no credential: the output is not JSON"]
        .assert_eq(&error("echo hello").await);
    expect!["the login command `CMD` printed no credential: no output"].assert_eq(&error("true").await);
    expect!["the login command `CMD` printed no credential: the output is not an ExecCredential"]
        .assert_eq(&error(r#"echo '{"kind":"Pod"}'"#).await);
    expect!["the login command `CMD` printed no credential: it speaks another version of the protocol than the kubeconfig says"].assert_eq(&error(&TOKEN.replace("/v1", "/v1beta1")).await);
    expect!["the login command `CMD` printed no credential: neither a token nor a certificate"]
        .assert_eq(&error(&TOKEN.replace(r#""token":"t1""#, r#""token":"""#)).await);
    expect!["the login command `CMD` printed no credential: a certificate without its key, or a key without its certificate"].assert_eq(&error(&TOKEN.replace(r#""token":"t1""#, r#""clientCertificateData":"C""#)).await);
    let expired = TOKEN.replace(r#""t1""#, r#""t1","expirationTimestamp":"2020-01-01T00:00:00Z""#);
    expect!["the login command `CMD` printed a credential that expired at 2020-01-01T00:00:00Z. Sign in again with the tool itself."].assert_eq(&error(&expired).await);
    expect!["the login command `CMD` printed no credential: more than 1 MiB of output"]
        .assert_eq(&error("head -c 2000000 /dev/zero").await);
}

#[tokio::test]
async fn a_missing_program_tells_what_its_author_says() {
    let mut plugin = plugin_with("", r#","installHint":"Install kubelogin with brew.""#);
    plugin.plugin.command = "no-such-program-here".into();
    let error = plugin.error(LONG).await;
    expect![[r#"cannot run the login command `CMD`: there is no program "no-such-program-here". Install kubelogin with brew."#]].assert_eq(&error);
}

#[tokio::test]
async fn one_that_needs_a_terminal_is_shown() {
    let mut plugin = plugin(r#"echo run > "$DIR/runs""#);
    plugin.plugin.needs_terminal = true;
    expect!["the login command needs a terminal. Run `CMD` there, then sign in again."]
        .assert_eq(&plugin.error(LONG).await);
    assert_eq!(plugin.text("runs"), "");
}

#[tokio::test]
async fn certificates_and_expiry() {
    let status = r#""clientCertificateData":"CERT","clientKeyData":"KEY","expirationTimestamp":"2999-01-01T00:00:00Z""#;
    let credential = plugin(&TOKEN.replace(r#""token":"t1""#, status)).run(LONG).await.unwrap();
    assert_eq!(credential.certificate, Some(("CERT".into(), "KEY".into())));
    assert_eq!(credential.expires, Some("2999-01-01T00:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn what_it_leaves_running_does_not_hold_us_up() {
    // An agent that keeps the output open, as some caches do.
    let plugin = plugin(&format!(r#"sleep 600 & echo $! > "$DIR/pid"; {TOKEN}"#));
    assert!(plugin.run(LONG).await.is_ok());
    let agent = plugin.text("pid");
    assert!(runs(&agent));
    let agent = rustix::process::Pid::from_raw(agent.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(agent, rustix::process::Signal::KILL).unwrap();
}

/// Logs when it starts and ends, and ends when `go` exists.
fn logged() -> String {
    format!(
        r#"echo start >> "$DIR/log"; while [ ! -e "$DIR/go" ]; do sleep 0.01; done; echo end >> "$DIR/log"; {TOKEN}"#
    )
}

#[tokio::test]
async fn two_runs_never_overlap() {
    let plugin = plugin(&logged());
    let (a, b, ()) = tokio::join!(plugin.run(LONG), plugin.run(LONG), async {
        eventually("one starts", || plugin.text("log").contains("start")).await;
        std::fs::write(plugin.file("go"), "").unwrap();
    });
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(plugin.text("log"), "start\nend\nstart\nend\n");
}

#[tokio::test]
async fn a_failure_in_another_window_is_not_repeated() {
    let script =
        r#"echo start >> "$DIR/log"; while [ ! -e "$DIR/go" ]; do sleep 0.01; done; echo denied >&2; exit 1"#;
    let plugin = plugin(script);
    let (a, b, ()) = tokio::join!(plugin.run(LONG), plugin.run(LONG), async {
        eventually("one starts", || plugin.text("log").contains("start")).await;
        std::fs::write(plugin.file("go"), "").unwrap();
    });
    assert!(a.is_err() && b.is_err());
    assert_eq!(plugin.text("log"), "start\n");
}

#[tokio::test]
async fn waiting_for_another_window_ends_in_time() {
    let plugin = plugin(&logged());
    let cancel = CancellationToken::new();
    let (_, ()) = tokio::join!(plugin.run_until(LONG, &cancel), async {
        eventually("one starts", || plugin.text("log").contains("start")).await;
        let error = plugin.error(Duration::from_millis(200)).await;
        expect!["another window or command is running the login command `CMD`. Try again when it is done."]
            .assert_eq(&error);
        cancel.cancel();
    });
    assert_eq!(plugin.text("log"), "start\n");
}

/// Not a test of its own: the other window of `two_processes_never_overlap`.
#[tokio::test]
#[ignore = "run by two_processes_never_overlap"]
async fn another_window() {
    let dir = PathBuf::from(std::env::var("CLUSTER_TEST_DIR").unwrap());
    let (context, plugin) = load(&dir);
    let state = StateDir::at(dir.join("state"));
    run(&context, &plugin, &state, LONG, true, &CancellationToken::new()).await.unwrap();
}

#[tokio::test]
async fn two_processes_never_overlap() {
    let plugin = plugin(&logged());
    let window = || {
        tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["exec::tests::another_window", "--exact", "--ignored"])
            .env("CLUSTER_TEST_DIR", plugin.dir.path())
            .stdout(Stdio::null())
            .status()
    };
    let (a, b, ()) = tokio::join!(window(), window(), async {
        eventually("one starts", || plugin.text("log").contains("start")).await;
        std::fs::write(plugin.file("go"), "").unwrap();
    });
    assert!(a.unwrap().success() && b.unwrap().success());
    assert_eq!(plugin.text("log"), "start\nend\nstart\nend\n");
}

/// Not a test of its own: a server whose standard input is the editor's protocol.
#[tokio::test]
#[ignore = "run by the_editors_protocol_is_not_its_input"]
async fn a_server() {
    let dir = PathBuf::from(std::env::var("CLUSTER_TEST_DIR").unwrap());
    let (context, plugin) = load(&dir);
    let state = StateDir::at(dir.join("state"));
    run(&context, &plugin, &state, LONG, true, &CancellationToken::new()).await.unwrap();
}

#[tokio::test]
async fn the_editors_protocol_is_not_its_input() {
    use tokio::io::AsyncWriteExt as _;
    let plugin = plugin(&format!(r#"cat > "$DIR/input"; echo noise >&2; {TOKEN}"#));
    let mut server = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["exec::tests::a_server", "--exact", "--ignored", "--nocapture"])
        .env("CLUSTER_TEST_DIR", plugin.dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    server.stdin.take().unwrap().write_all(b"Content-Length: 2").await.unwrap();
    let ended = server.wait_with_output().await.unwrap();
    assert!(ended.status.success());
    assert_eq!(plugin.text("input"), "");
    assert!(!String::from_utf8_lossy(&ended.stderr).contains("noise"));
}

//! Gitea: Git server, OCI registry and commit-status provider of all clusters.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use crate::cluster::{Shared, locked};
use crate::error::{Error, Result};
use crate::http::{Response, send};
use crate::repository::Repository;
use crate::supervisor::{Process, Spec, tail};

/// The only user, and the owner of every repository.
pub const USER: &str = "flux";
/// That user's password, for the web pages and for Git.
pub const PASSWORD: &str = "flux-testbed";
const PORT: u16 = 3000;

/// Where Gitea is with [`crate::Address::Fixed`].
pub const FIXED_GITEA_URL: &str = "http://127.0.77.1:3000";

/// The Gitea of a [`crate::Testbed`].
#[derive(Debug)]
pub struct Gitea {
    url: String,
    token: String,
    process: Mutex<Process>,
    pub(crate) shared: Arc<Shared>,
}

impl Gitea {
    pub(crate) async fn start(shared: Arc<Shared>) -> Result<Self> {
        let folder = shared.folder.join("gitea");
        for sub in ["data", "home", "tmp"] {
            let path = folder.join(sub);
            fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
        }
        let url = format!("http://{}:{PORT}", shared.ip);
        let config = folder.join("app.ini");
        let text = app_ini(&url, &shared.ip.to_string(), &folder, &shared.components.gitea_static());
        fs::write(&config, text).map_err(Error::file("write", &config))?;
        let program = shared.components.program("gitea");
        let env: [(&str, OsString); 4] = [
            ("HOME", folder.join("home").into()),
            ("TMPDIR", folder.join("tmp").into()),
            ("GITEA_WORK_DIR", folder.clone().into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ];
        let process = shared.supervisor.spawn(Spec {
            name: "gitea".to_owned(),
            program: program.clone(),
            args: vec!["web".into(), "--config".into(), config.clone().into()],
            env: env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            log: shared.folder.join("log").join("gitea.log"),
        })?;
        let mut gitea = Self { url, token: String::new(), process: Mutex::new(process), shared };
        gitea.wait_up(Duration::from_secs(60)).await?;
        let output = tokio::process::Command::new(&program)
            .args(["admin", "user", "create", "--config"])
            .arg(&config)
            .args(["--username", USER, "--password", PASSWORD, "--email", "flux@testbed.example", "--admin"])
            .args(["--must-change-password=false", "--access-token", "--access-token-name", "testbed"])
            .args(["--access-token-scopes", "all"])
            .envs(env)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|source| Error::Spawn { program: program.display().to_string(), source })?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // "Access token was successfully created... 0123…": forty hexadecimal digits, wherever the words change.
        let is_token = |word: &&str| word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit());
        match text.split_whitespace().find(is_token) {
            Some(token) if output.status.success() => gitea.token = token.to_owned(),
            _ => {
                return Err(Error::Command {
                    command: "gitea admin user create".to_owned(),
                    status: output.status.to_string(),
                    output: text + &String::from_utf8_lossy(&output.stderr),
                });
            }
        }
        Ok(gitea)
    }

    /// `http://ADDRESS:3000`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port, as registries are named: `ADDRESS:3000`.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// An access token of the user `flux` with all scopes; also good as the password of Git and of the registry.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Makes an empty repository `flux/<name>` that everybody may read.
    pub async fn create_repository(&self, name: &str) -> Result<Repository<'_>> {
        self.create(name, false).await
    }

    /// Makes an empty repository that only the user `flux` may read; see [`Gitea::git_secret`].
    pub async fn create_private_repository(&self, name: &str) -> Result<Repository<'_>> {
        self.create(name, true).await
    }

    async fn create(&self, name: &str, private: bool) -> Result<Repository<'_>> {
        let body = json!({ "name": name, "private": private, "default_branch": "main", "auto_init": false });
        self.api(Method::POST, "/user/repos", Some(body)).await?;
        Repository::open(self, name).await
    }

    /// A repository that was made before.
    pub async fn repository(&self, name: &str) -> Result<Repository<'_>> {
        self.api(Method::GET, &format!("/repos/{USER}/{name}"), None).await?;
        Repository::open(self, name).await
    }

    /// Makes a repository private or public.
    pub async fn set_private(&self, name: &str, private: bool) -> Result<()> {
        self.api(Method::PATCH, &format!("/repos/{USER}/{name}"), Some(json!({ "private": private })))
            .await
            .map(drop)
    }

    /// Deletes a repository, so that sources that read it fail.
    pub async fn delete_repository(&self, name: &str) -> Result<()> {
        self.api(Method::DELETE, &format!("/repos/{USER}/{name}"), None).await.map(drop)
    }

    /// The commit statuses that Flux (a `Provider` of type `gitea`) has posted, newest first.
    pub async fn statuses(&self, repository: &str, commit: &str) -> Result<Vec<Value>> {
        match self
            .api(Method::GET, &format!("/repos/{USER}/{repository}/commits/{commit}/statuses"), None)
            .await?
        {
            Value::Array(statuses) => Ok(statuses),
            _ => Ok(vec![]),
        }
    }

    /// Opens a pull request from one branch of a repository to another and answers its number N: Gitea makes
    /// `refs/pull/N/head` of it, and moves that with the branch.
    pub async fn open_pull_request(&self, repository: &str, head: &str, base: &str) -> Result<u64> {
        let body = json!({ "title": head, "head": head, "base": base });
        let opened = self.api(Method::POST, &format!("/repos/{USER}/{repository}/pulls"), Some(body)).await?;
        Ok(opened["number"].as_u64().unwrap_or_default())
    }

    /// A Secret for `spec.secretRef` of a GitRepository.
    pub fn git_secret(&self, namespace: &str, name: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace },
            "stringData": { "username": USER, "password": self.token }
        })
    }

    /// A Secret for `spec.secretRef` of an OCIRepository.
    pub fn registry_secret(&self, namespace: &str, name: &str) -> Value {
        let auth = STANDARD.encode(format!("{USER}:{}", self.token));
        let config =
            json!({ "auths": { self.host(): { "username": USER, "password": self.token, "auth": auth } } });
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace },
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": { ".dockerconfigjson": config.to_string() }
        })
    }

    /// A Secret for `spec.secretRef` of a notification `Provider` of type `gitea`.
    pub fn token_secret(&self, namespace: &str, name: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace },
            "stringData": { "token": self.token }
        })
    }

    /// A request to Gitea's API; `path` comes after `/api/v1`. An empty answer is `null`.
    pub async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("{}/api/v1{path}", self.url);
        let authorization = format!("token {}", self.token);
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let response = send(method.clone(), &url, &headers, body).await?.success(&method, &url)?;
        Ok(serde_json::from_slice(&response.body).unwrap_or_default())
    }

    /// A request with the user's basic authentication, of whatever answer; for the registry.
    pub(crate) async fn raw(
        &self,
        method: Method,
        url: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Response> {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{USER}:{}", self.token)));
        send(method, url, &[("authorization", &authorization), ("content-type", content_type)], body).await
    }

    /// Makes Gitea hang (SIGSTOP).
    pub fn pause(&self) {
        locked(&self.process).signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        locked(&self.process).signal(rustix::process::Signal::CONT);
    }

    /// Kills it: connections are refused.
    pub fn stop(&self) {
        locked(&self.process).stop();
    }

    /// Starts it again with the same data.
    pub async fn start_again(&self) -> Result<()> {
        let spec = locked(&self.process).spec.clone();
        let process = self.shared.supervisor.spawn(spec)?;
        *locked(&self.process) = process;
        self.wait_up(Duration::from_secs(60)).await
    }

    async fn wait_up(&self, timeout: Duration) -> Result<()> {
        let started = Instant::now();
        let url = format!("{}/api/healthz", self.url);
        let mut last = String::new();
        while started.elapsed() < timeout {
            locked(&self.process).check()?;
            match send(Method::GET, &url, &[], vec![]).await.and_then(|r| r.success(&Method::GET, &url)) {
                Ok(_) => return Ok(()),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = self.shared.folder.join("log").join("gitea.log");
        Err(Error::NotUp {
            process: "gitea".to_owned(),
            waited: started.elapsed(),
            last,
            tail: tail(&log, 30),
        })
    }
}

fn app_ini(url: &str, ip: &str, folder: &std::path::Path, static_root: &std::path::Path) -> String {
    let data: PathBuf = folder.join("data");
    let (folder, data, static_root) = (folder.display(), data.display(), static_root.display());
    format!(
        "APP_NAME = testbed
RUN_MODE = prod
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = {folder}
[server]
PROTOCOL = http
HTTP_ADDR = {ip}
HTTP_PORT = {PORT}
DOMAIN = {ip}
ROOT_URL = {url}/
LOCAL_ROOT_URL = {url}/
STATIC_ROOT_PATH = {static_root}
APP_DATA_PATH = {data}
OFFLINE_MODE = true
DISABLE_SSH = true
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = {data}/gitea.db
SQLITE_JOURNAL_MODE = WAL
[security]
INSTALL_LOCK = true
SECRET_KEY = testbed
PASSWORD_HASH_ALGO = pbkdf2$1000$50
[service]
DISABLE_REGISTRATION = true
[repository]
ROOT = {data}/repositories
DEFAULT_BRANCH = main
[indexer]
ISSUE_INDEXER_TYPE = db
[session]
PROVIDER = memory
[queue]
TYPE = channel
[cron]
ENABLED = false
[actions]
ENABLED = false
[mailer]
ENABLED = false
[webhook]
ALLOWED_HOST_LIST = *
[log]
MODE = console
LEVEL = Warn
"
    )
}

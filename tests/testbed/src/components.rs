//! The programs of the testbed: built once from pinned Go modules, kept in the user's cache.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// One Go module of `modules/`: its pins, the programs built from it, and the files beside them that are needed at run time.
struct Component {
    name: &'static str,
    go_mod: &'static str,
    go_sum: &'static str,
    tools: &'static str,
    /// The module that holds the programs and `files`.
    module: &'static str,
    /// Binary and package.
    programs: &'static [(&'static str, &'static str)],
    tags: &'static str,
    ldflags: &'static str,
    /// Folders of the module to copy: (path inside the module, name in the cache).
    files: &'static [(&'static str, &'static str)],
}

macro_rules! component {
    ($name:literal, $module:literal, [$($program:literal = $package:literal),+], files: [$($from:literal = $to:literal),*] $(, tags: $tags:literal, ldflags: $ldflags:literal)?) => {
        Component {
            name: $name,
            go_mod: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/modules/", $name, "/go.mod")),
            go_sum: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/modules/", $name, "/go.sum")),
            tools: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/modules/", $name, "/tools.go")),
            module: $module,
            programs: &[$(($program, $package)),+],
            tags: concat!("", $($tags)?),
            ldflags: concat!("-s -w", $(" ", $ldflags)?),
            files: &[$(($from, $to)),*],
        }
    };
}

const COMPONENTS: &[Component] = &[
    component!("etcd", "go.etcd.io/etcd/server/v3", ["etcd" = "go.etcd.io/etcd/server/v3"], files: []),
    component!("kubernetes", "k8s.io/kubernetes",
        ["kube-apiserver" = "k8s.io/kubernetes/cmd/kube-apiserver",
         "kube-controller-manager" = "k8s.io/kubernetes/cmd/kube-controller-manager",
         "kube-scheduler" = "k8s.io/kubernetes/cmd/kube-scheduler"], files: []),
    component!("kwok", "sigs.k8s.io/kwok", ["kwok" = "sigs.k8s.io/kwok/cmd/kwok"],
        files: ["kustomize/stage/pod/fast" = "stages/pod", "kustomize/stage/node/fast" = "stages/node",
                "kustomize/stage/node/heartbeat-with-lease" = "stages/heartbeat"]),
    component!("source", "github.com/fluxcd/source-controller",
        ["source-controller" = "github.com/fluxcd/source-controller"], files: ["config/crd/bases" = "crds"]),
    component!("kustomize", "github.com/fluxcd/kustomize-controller",
        ["kustomize-controller" = "github.com/fluxcd/kustomize-controller"], files: ["config/crd/bases" = "crds"]),
    component!("helm", "github.com/fluxcd/helm-controller",
        ["helm-controller" = "github.com/fluxcd/helm-controller"], files: ["config/crd/bases" = "crds"]),
    component!("notification", "github.com/fluxcd/notification-controller",
        ["notification-controller" = "github.com/fluxcd/notification-controller"], files: ["config/crd/bases" = "crds"]),
    component!("watcher", "github.com/fluxcd/source-watcher/v2",
        ["source-watcher" = "github.com/fluxcd/source-watcher/v2/cmd"], files: ["config/crd/bases" = "crds"]),
    // notification-controller refuses a Gitea whose version is "development".
    component!("gitea", "code.gitea.io/gitea", ["gitea" = "code.gitea.io/gitea"],
        files: ["options" = "static/options", "templates" = "static/templates", "public" = "static/public"],
        tags: "sqlite sqlite_unlock_notify", ldflags: "-X main.Version=1.26.1"),
];

/// The built programs and the files they need.
#[derive(Clone, Debug)]
pub(crate) struct Components {
    root: PathBuf,
}

impl Components {
    fn folder(&self, component: &str) -> PathBuf {
        match COMPONENTS.iter().find(|c| c.name == component) {
            Some(component) => self.root.join(component.key()),
            None => self.root.join(component),
        }
    }

    /// The path of a program by its name, e.g. `kube-apiserver`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let component = COMPONENTS.iter().find(|c| c.programs.iter().any(|(program, _)| *program == name));
        self.folder(component.map_or(name, |c| c.name)).join(name)
    }

    /// Every CustomResourceDefinition file of the Flux controllers.
    pub(crate) fn crds(&self) -> Result<Vec<PathBuf>> {
        let mut all = Vec::new();
        for component in COMPONENTS.iter().filter(|c| c.files.iter().any(|(_, to)| *to == "crds")) {
            all.extend(yaml_files(&self.folder(component.name).join("crds"))?);
        }
        Ok(all)
    }

    /// kwok's own stage files of `group`: `pod`, `node` or `heartbeat`.
    pub(crate) fn stages(&self, group: &str) -> Result<Vec<PathBuf>> {
        yaml_files(&self.folder("kwok").join("stages").join(group))
    }

    /// Gitea's static root.
    pub(crate) fn gitea_static(&self) -> PathBuf {
        self.folder("gitea").join("static")
    }
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::file("list", folder))? {
        let path = entry.map_err(Error::file("list", folder))?.path();
        if path.extension().is_some_and(|e| e == "yaml")
            && path.file_name().is_some_and(|n| n != "kustomization.yaml")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The folder that holds everything the testbed keeps between runs: `$XDG_CACHE_HOME/fluxcd-ls/testbed`.
pub(crate) fn cache_root() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let cache = match cache {
        Some(cache) => cache,
        None => std::env::home_dir()
            .ok_or_else(|| {
                Error::Usage("The testbed keeps what it builds in ~/.cache, but there is no home directory: set XDG_CACHE_HOME.".to_owned())
            })?
            .join(".cache"),
    };
    Ok(cache.join("fluxcd-ls").join("testbed"))
}

/// Builds what is not yet in the cache, telling the progress on standard error, and answers where everything is.
///
/// The first build takes 15 to 25 minutes on two cores, downloads Go modules, and needs Go, git and a C compiler (for Gitea's
/// SQLite). Later calls only look whether the folders are there.
pub(crate) fn ensure() -> Result<Components> {
    let root = cache_root()?;
    let components = Components { root: root.clone() };
    let missing = |c: &&Component| !root.join(c.key()).is_dir();
    if !COMPONENTS.iter().any(|c| missing(&c)) {
        return Ok(components);
    }
    fs::create_dir_all(&root).map_err(Error::file("create", &root))?;
    let _lock = lock(&root.join("build.lock"), "another process builds the testbed's components")?;
    // Looked at again: the other builder may have done the work.
    let todo: Vec<&Component> = COMPONENTS.iter().filter(missing).collect();
    let count: usize = todo.iter().map(|c| c.programs.len()).sum();
    if count > 0 {
        tell(&format!(
            "{count} programs are to be built from source, once; this takes up to 25 minutes on two cores"
        ));
    }
    let mut number = 0;
    for component in todo {
        component.build(&root, &mut number, count)?;
    }
    Ok(components)
}

/// Takes a lock on a file, saying so when it has to wait. Held until the file is closed.
pub(crate) fn lock(path: &Path, holder: &str) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(Error::file("open", path))?;
    if file.try_lock().is_err() {
        tell(&format!("{holder}; waiting for it to end ({})", path.display()));
        file.lock().map_err(Error::file("lock", path))?;
    }
    Ok(file)
}

/// Progress for people. Not `eprintln!`: the test harness would hide it, and minutes of silence look like a hang.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "testbed: {line}");
}

impl Component {
    /// Name of its folder in the cache: everything that the result depends on, but for the Go toolchain, which the pins name.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.go_mod, self.go_sum, self.tools, self.tags, self.ldflags] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        for (a, b) in self.programs.iter().chain(self.files) {
            hash.update(format!("{a}={b}\n"));
        }
        let hex: String = hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
        format!("{}-{hex}", self.name)
    }

    fn build(&self, root: &Path, number: &mut usize, count: usize) -> Result<()> {
        let work = root.join(format!(".building-{}", self.name));
        let module = work.join("module");
        let out = work.join("out");
        // Left behind by a builder that was killed; nobody else has the lock.
        if work.exists() {
            fs::remove_dir_all(&work).map_err(Error::file("remove", &work))?;
        }
        for folder in [&module, &out] {
            fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        }
        for (name, text) in [("go.mod", self.go_mod), ("go.sum", self.go_sum), ("tools.go", self.tools)] {
            let path = module.join(name);
            fs::write(&path, text).map_err(Error::file("write", &path))?;
        }
        for (program, package) in self.programs {
            *number += 1;
            let started = Instant::now();
            tell(&format!("[{number}/{count}] building {program} …"));
            let mut args = vec!["build", "-ldflags", self.ldflags];
            if !self.tags.is_empty() {
                args.extend(["-tags", self.tags]);
            }
            let target = out.join(program);
            let target = target.to_string_lossy();
            args.extend(["-o", &target, package]);
            go(&module, program, &args)?;
            tell(&format!("[{number}/{count}] {program} built in {} s", started.elapsed().as_secs()));
        }
        if !self.files.is_empty() {
            let folder = go(&module, self.name, &["list", "-m", "-f", "{{.Dir}}", self.module])?;
            for (from, to) in self.files {
                copy_tree(&Path::new(folder.trim()).join(from), &out.join(to))?;
            }
        }
        let target = root.join(self.key());
        fs::rename(&out, &target).map_err(Error::file("move the built programs to", &target))?;
        fs::remove_dir_all(&work).map_err(Error::file("remove", &work))
    }
}

/// Runs the Go tool, with a sign of life every half minute. Answers its standard output.
fn go(folder: &Path, what: &str, args: &[&str]) -> Result<String> {
    let mut child = Command::new("go")
        .args(args)
        .current_dir(folder)
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::NoGo,
            _ => Error::Spawn { program: "go".to_owned(), source },
        })?;
    let (sender, lines) = mpsc::channel();
    let mut readers = Vec::new();
    let streams: [(bool, Option<Box<dyn std::io::Read + Send>>); 2] = [
        (false, child.stdout.take().map(|s| Box::new(s) as _)),
        (true, child.stderr.take().map(|s| Box::new(s) as _)),
    ];
    for (is_error, stream) in streams {
        let Some(stream) = stream else { continue };
        let sender = sender.clone();
        readers.push(std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(|l| l.ok()) {
                if sender.send((is_error, line)).is_err() {
                    break;
                }
            }
        }));
    }
    drop(sender);
    let started = Instant::now();
    let (mut output, mut errors) = (String::new(), Vec::new());
    loop {
        match lines.recv_timeout(Duration::from_secs(30)) {
            Ok((false, line)) => {
                output.push_str(&line);
                output.push('\n');
            }
            Ok((true, line)) => errors.push(line),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let doing = errors.last().map_or("", |line| line.as_str());
                tell(&format!("  {what}: {} s so far  {doing}", started.elapsed().as_secs()));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    for reader in readers {
        let _ = reader.join();
    }
    let status = child.wait().map_err(|source| Error::Spawn { program: "go".to_owned(), source })?;
    if !status.success() {
        let tail = errors[errors.len().saturating_sub(20)..].join("\n");
        return Err(Error::Build { component: what.to_owned(), tail });
    }
    Ok(output)
}

/// Copies a folder of the module cache, which is read-only, into a writable one.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::file("create", to))?;
    for entry in fs::read_dir(from).map_err(Error::file("list", from))? {
        let entry = entry.map_err(Error::file("list", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(Error::file("read", &source))?;
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_file() {
            let bytes = fs::read(&source).map_err(Error::file("read", &source))?;
            fs::write(&target, bytes).map_err(Error::file("write", &target))?;
        }
    }
    Ok(())
}

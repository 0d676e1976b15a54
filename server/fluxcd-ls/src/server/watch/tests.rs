use super::*;

/// A work tree that the system watches, or that is polled.
struct Tree {
    folder: tempfile::TempDir,
    watch: Watch,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Tree {
    fn new(native: bool) -> Tree {
        let folder = tempfile::tempdir().unwrap();
        for file in ["apps/a.yaml", "apps/deep/b.yaml", ".git/HEAD", ".git/refs/heads/main"] {
            let file = folder.path().join("repo").join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "1").unwrap();
        }
        let (sender, events) = mpsc::unbounded_channel();
        let root = folder.path().join("repo");
        let mut watch = Watch::start_with(RepoId(0), &root, sender, native, Duration::from_millis(10));
        let folders = folders(&root);
        assert_eq!(watch.follow(&folders), Followed { inside: true, git: true });
        assert_eq!(watch.follow(&folders), Followed::default(), "what is watched is not watched anew");
        Tree { folder, watch, events }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join("repo").join(path)
    }

    /// Waits until a path is told, or Git.
    async fn told(&mut self, path: &str) {
        let wanted = self.at(path);
        loop {
            let next = tokio::time::timeout(Duration::from_secs(30), self.events.recv()).await;
            let Ok(Some(Event::Repository(_, change))) = next else { panic!("{path} is not told") };
            if if path == ".git" { change.git } else { change.paths.contains(&wanted) } {
                return;
            }
        }
    }
}

fn folders(root: &Path) -> Folders {
    Folders {
        root: root.to_owned(),
        inside: ["", "apps", "apps/deep"].map(|it| root.join(it)).to_vec(),
        git: vec![root.join(".git")],
    }
}

#[tokio::test]
async fn changes_are_told_whoever_watches() {
    for native in [true, false] {
        let mut tree = Tree::new(native);
        // As long as before, and within the same second.
        std::fs::write(tree.at("apps/a.yaml"), "2").unwrap();
        tree.told("apps/a.yaml").await;
        std::fs::write(tree.at("apps/deep/new.yaml"), "1").unwrap();
        tree.told("apps/deep/new.yaml").await;
        std::fs::remove_file(tree.at("apps/deep/b.yaml")).unwrap();
        tree.told("apps/deep/b.yaml").await;
        std::fs::write(tree.at(".git/refs/heads/main"), "2").unwrap();
        tree.told(".git").await;
        // An older file in the place of a younger one.
        std::fs::write(tree.at("old"), "3").unwrap();
        let old = std::fs::File::options().write(true).open(tree.at("old")).unwrap();
        old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        std::fs::rename(tree.at("old"), tree.at("apps/a.yaml")).unwrap();
        tree.told("apps/a.yaml").await;
    }
}

#[tokio::test]
async fn folders_that_come_back_are_watched_anew() {
    for native in [true, false] {
        for gone in ["apps", ""] {
            let mut tree = Tree::new(native);
            let root = tree.at("");
            std::fs::remove_dir_all(tree.at(gone)).unwrap();
            tree.told(gone).await;
            tree.watch.follow(&Folders { root: root.clone(), inside: Vec::new(), git: Vec::new() });
            std::fs::create_dir_all(tree.at("apps/deep")).unwrap();
            tree.told(gone).await;
            assert!(tree.watch.follow(&folders(&root)).inside);
            std::fs::write(tree.at("apps/deep/b.yaml"), "1").unwrap();
            tree.told("apps/deep/b.yaml").await;
        }
    }
}

#[test]
fn what_of_git_tells_of_commits() {
    for path in ["", "HEAD", "packed-refs", "FETCH_HEAD", "config", "refs/heads/main", "objects"] {
        assert!(tells_of_commits(Path::new(path)), "{path}");
    }
    for path in ["index", "HEAD.lock", "refs/heads/main.lock", "objects/ab", "logs/HEAD", "COMMIT_EDITMSG"] {
        assert!(!tells_of_commits(Path::new(path)), "{path}");
    }
}

//! `doctor` and `snapshot`.

use std::path::Path;
use std::process::Command;

use e2e::binary::{Home, Ran, run};
use expect_test::{Expect, expect};
use tempfile::TempDir;

/// A cluster that nobody answers for.
pub(crate) const DEAD: &str = "\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: not-shown}}]
contexts: [{name: dead, context: {cluster: c, user: u}}]
current-context: dead
";

/// A home, and a folder in it that is no repository.
struct Place {
    home: Home,
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { home: Home::new(), folder: TempDir::new().unwrap() }
    }

    fn kubeconfig(&self, text: &str) -> String {
        let file = self.folder.path().join("kubeconfig");
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Ran {
        run(self.home.command(arguments).current_dir(folder))
    }

    fn masked(&self, text: &str) -> String {
        let folder = self.folder.path().canonicalize().unwrap();
        text.replace(folder.to_str().unwrap(), "…")
            .replace(self.folder.path().to_str().unwrap(), "…")
            .replace(self.home.path().to_str().unwrap(), "~")
            .replace(env!("CARGO_PKG_VERSION"), "<version>")
    }

    fn doctor(&self, folder: &Path, arguments: &[&str], code: i32, expected: Expect) {
        let ran = self.run(folder, &[&["doctor"], arguments].concat());
        expected.assert_eq(&self.masked(&ran.stdout));
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""));
        super::assert_plain(&ran.stdout);
        assert!(!ran.stdout.contains("not-shown"), "a token is never shown");
    }
}

#[test]
fn no_repository_and_no_kubeconfig() {
    let place = Place::new();
    place.doctor(place.folder.path(), &[], 1, expect![[r#"
        fluxcd-ls <version>
          note  no configuration of your own (~/config/fluxcd-ls/config.toml): the defaults hold
          note  logs are in ~/state/fluxcd-ls/log

        repository
          WRONG … is not in a Git work tree; open a clone of the repository that Flux follows
                Without Git no cluster can be recognised by the source it follows.
          note  no Flux object in any file: there is nothing to show here

        kubeconfig
          WRONG no kubeconfig: ~/no-kubeconfig does not exist. Set KUBECONFIG, or `kubeconfig` in the configuration file of fluxcd-ls.
                Name another with --kubeconfig, or set `kubeconfig` in your own configuration file.
    "#]]);
}

#[test]
fn no_remote_and_a_kubeconfig_that_is_none() {
    let place = Place::new();
    let repository = place.folder.path().join("repository");
    let made =
        Command::new("git").args(["init", "--quiet", "--initial-branch=main"]).arg(&repository).output();
    if made.is_err() {
        println!("SKIPPED: git is not on this machine");
        return;
    }
    place.home.config("lens = \"everywhere\"\n");
    let kubeconfig = place.kubeconfig("apiVersion: v1\nkind: Config\ncontexts: [{{\n");
    place.doctor(&repository, &["--kubeconfig", &kubeconfig], 1, expect![[r#"
        fluxcd-ls <version>
          ok    your configuration is ~/config/fluxcd-ls/config.toml
          WRONG `lens` in ~/config/fluxcd-ls/config.toml is not understood (unknown variant `everywhere`, expected one of `off`, `flux`, `all`): it is ignored
                Correct it there; the README has the table of settings.
          note  logs are in ~/state/fluxcd-ls/log

        repository
          ok    …/repository
          ok    on main, which has no commit yet
          WRONG no remote: no Flux source can be recognised as this repository
                Add the address that your clusters fetch from: git remote add origin URL
          note  no Flux object in any file: there is nothing to show here

        kubeconfig
          WRONG the kubeconfig …/kubeconfig is malformed at line 3. `kubectl config view` shows what is wrong.
                Name another with --kubeconfig, or set `kubeconfig` in your own configuration file.
    "#]]);
}

#[test]
fn a_dead_context_beside_the_fleet() {
    let place = Place::new();
    let fleet = place.folder.path().join("fleet");
    fleet::lay_out(&fleet).unwrap();
    let kubeconfig = place.kubeconfig(DEAD);
    place.doctor(
        &fleet,
        &["--kubeconfig", &kubeconfig],
        0,
        expect![[r#"
            fluxcd-ls <version>
              note  no configuration of your own (~/config/fluxcd-ls/config.toml): the defaults hold
              note  logs are in ~/state/fluxcd-ls/log

            repository
              ok    …/fleet
              ok    on main at 21d6388
              ok    remote origin is http://127.0.77.1:3000/flux/fleet.git
              ok    33 files hold Flux objects

            kubeconfig
              ok    …/kubeconfig
              ok    context dead: https://127.0.0.1:1, token; not chosen here yet
              note  no cluster was contacted; `doctor --context NAME` looks at one
        "#]],
    );
    place.doctor(
        &fleet,
        &["--kubeconfig", &kubeconfig, "--context", "dead"],
        1,
        expect![[r#"
            fluxcd-ls <version>
              note  no configuration of your own (~/config/fluxcd-ls/config.toml): the defaults hold
              note  logs are in ~/state/fluxcd-ls/log

            repository
              ok    …/fleet
              ok    on main at 21d6388
              ok    remote origin is http://127.0.77.1:3000/flux/fleet.git
              ok    33 files hold Flux objects

            kubeconfig
              ok    …/kubeconfig
              ok    context dead: https://127.0.0.1:1, token; not chosen here yet

            cluster dead
              WRONG cannot reach https://127.0.0.1:1: Connection refused (os error 111)
                    Until then editors show what was seen last, with its time.
        "#]],
    );
    place.doctor(
        &fleet,
        &["--kubeconfig", &kubeconfig, "--context", "alive"],
        1,
        expect![[r#"
            fluxcd-ls <version>
              note  no configuration of your own (~/config/fluxcd-ls/config.toml): the defaults hold
              note  logs are in ~/state/fluxcd-ls/log

            repository
              ok    …/fleet
              ok    on main at 21d6388
              ok    remote origin is http://127.0.77.1:3000/flux/fleet.git
              ok    33 files hold Flux objects

            kubeconfig
              ok    …/kubeconfig
              ok    context dead: https://127.0.0.1:1, token; not chosen here yet

            cluster alive
              WRONG there is no context "alive" in …/kubeconfig. `kubectl config get-contexts` lists them.
                    The contexts are listed above.
        "#]],
    );
    place.doctor(
        &fleet,
        &["nowhere", "--kubeconfig", &kubeconfig],
        1,
        expect![[r#"
            fluxcd-ls <version>
              note  no configuration of your own (~/config/fluxcd-ls/config.toml): the defaults hold
              note  logs are in ~/state/fluxcd-ls/log

            repository
              WRONG …/fleet/nowhere: No such file or directory (os error 2)
                    Run it in a folder of your GitOps repository, or name one.

            kubeconfig
              ok    …/kubeconfig
              ok    context dead: https://127.0.0.1:1, token
              note  no cluster was contacted; `doctor --context NAME` looks at one
        "#]],
    );
}

/// The recordings of the settings are looked at: whose sources are this clone, and which only look so.
#[test]
fn recordings_and_whose_sources_are_this_clone() {
    let place = Place::new();
    let clone = place.folder.path().join("fleet");
    fleet::lay_out(&clone).unwrap();
    let recording = place.folder.path().join("staging.json");
    std::fs::write(&recording, fleet::recorded(fleet::Cluster::Staging)).unwrap();
    let missing = place.folder.path().join("gone.json");
    place.home.config(&format!("snapshot = [{:?}, {:?}]\n", recording.display(), missing.display()));
    let kubeconfig = place.kubeconfig(DEAD);
    let doctor = |code: i32, expected: Expect| {
        let ran = place.run(&clone, &["doctor", "--kubeconfig", &kubeconfig]);
        let text = place.masked(&ran.stdout);
        let at = text.find("recording ").unwrap_or_else(|| panic!("no recording in {text}"));
        expected.assert_eq(&super::masked(&text[at..]));
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""));
    };
    doctor(
        1,
        expect![[r#"
        recording staging
          ok    …/staging.json, the newest time in it is <time> UTC
          ok    GitRepository/flux-system/flux-system: http://127.0.77.1:3000/flux/fleet.git is this clone (remote origin)
          ok    GitRepository/flux-system/preview: http://127.0.77.1:3000/flux/fleet.git is this clone (remote origin)
          ok    OCIRepository/flux-system/pricing: http://127.0.77.1:3000/flux/fleet.git is this clone (remote origin)
          ok    17 Kustomizations are applied from this clone: flux-system/assistant (apps/staging/assistant), flux-system/catalog (apps/staging/catalog), flux-system/checkout (apps/staging/checkout), flux-system/flux-system (clusters/staging), flux-system/infra-configs (infrastructure/configs), flux-system/infra-controllers (infrastructure/controllers), flux-system/landing (staging/landing), flux-system/orders (apps/staging/orders), flux-system/payments (apps/staging/payments), flux-system/preview (apps/staging/storefront), flux-system/pricing (.), flux-system/recommender (apps/staging/recommender), and 5 more

        recording gone
          WRONG cannot read the snapshot …/gone.json: No such file or directory (os error 2)
                Record it again with `fluxcd-ls snapshot`, or correct `snapshot` in your configuration file.
    "#]],
    );

    std::fs::remove_file(&missing).ok();
    place.home.config(&format!("snapshot = {:?}\n", recording.display()));
    let remote = |url: &str| {
        let done =
            Command::new("git").current_dir(&clone).args(["remote", "set-url", "origin", url]).status();
        done.is_ok_and(|it| it.success())
    };
    if !remote("https://mirror.example/flux/fleet.git") {
        println!("SKIPPED: git is not on this machine");
        return;
    }
    doctor(
        1,
        expect![[r#"
        recording staging
          ok    …/staging.json, the newest time in it is <time> UTC
          WRONG GitRepository/flux-system/flux-system: http://127.0.77.1:3000/flux/fleet.git is not this clone, but has the path, and another host than remote origin
                If it is the same repository, add its address: git remote add flux URL
          WRONG GitRepository/flux-system/preview: http://127.0.77.1:3000/flux/fleet.git is not this clone, but has the path, and another host than remote origin
                If it is the same repository, add its address: git remote add flux URL
          WRONG OCIRepository/flux-system/pricing: http://127.0.77.1:3000/flux/fleet.git is not this clone, but has the path, and another host than remote origin
                If it is the same repository, add its address: git remote add flux URL
          WRONG no Kustomization is applied from this clone
                Open the clone that the cluster follows, or add the address that it fetches from as a remote.
    "#]],
    );
    assert!(remote("https://git.example/other.git"));
    doctor(
        1,
        expect![[r#"
        recording staging
          ok    …/staging.json, the newest time in it is <time> UTC
          note  3 other sources are of other repositories
          WRONG no Kustomization is applied from this clone
                Open the clone that the cluster follows, or add the address that it fetches from as a remote.
    "#]],
    );
}

#[test]
fn a_snapshot_of_what_does_not_answer() {
    let place = Place::new();
    let kubeconfig = place.kubeconfig(DEAD);
    let says = |arguments: &[&str], expected: Expect| {
        let ran = place.run(place.folder.path(), &[&["snapshot"], arguments].concat());
        expected.assert_eq(&place.masked(&ran.stderr));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    };
    says(
        &["--kubeconfig", &kubeconfig, "--context", "dead"],
        expect![[r#"
        fluxcd-ls: cannot reach https://127.0.0.1:1: Connection refused (os error 111)
    "#]],
    );
    says(
        &["--kubeconfig", &kubeconfig, "--context", "dead", "--output", "out.json"],
        expect![[r#"
        fluxcd-ls: cannot reach https://127.0.0.1:1: Connection refused (os error 111)
    "#]],
    );
    assert!(!place.folder.path().join("out.json").exists());
    says(
        &["--kubeconfig", &kubeconfig, "--context", "alive"],
        expect![[r#"
        fluxcd-ls: there is no context "alive" in …/kubeconfig. `kubectl config get-contexts` lists them.
    "#]],
    );
    says(
        &["--context", "dead"],
        expect![[r#"
        fluxcd-ls: no kubeconfig: ~/no-kubeconfig does not exist. Set KUBECONFIG, or `kubeconfig` in the configuration file of fluxcd-ls.
    "#]],
    );
    says(
        &["--kubeconfig", &place.folder.path().join("none").display().to_string(), "--context", "dead"],
        expect![[r#"
        fluxcd-ls: no kubeconfig: …/none does not exist. Set KUBECONFIG, or `kubeconfig` in the configuration file of fluxcd-ls.
    "#]],
    );
}

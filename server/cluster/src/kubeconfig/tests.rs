use std::collections::HashMap;
use std::path::Path;

use expect_test::{Expect, expect};

use super::*;

const ONE: &str = r#"
apiVersion: v1
kind: Config
current-context: staging
clusters:
- name: s
  cluster: {server: "https://staging.example.com:6443", certificate-authority-data: Q0E=, proxy-url: "socks5://127.0.0.1:1080"}
- name: p
  cluster: {server: "https://prod.example.com"}
users:
- name: anna
  user: {token: very-secret}
- name: login
  user:
    as: deployer
    as-groups: [ops, dev]
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./bin/kubelogin
      args: [get-token, "--oidc-issuer-url=https://id.example.com", "a b"]
      env: [{name: HOME_TENANT, value: hidden}]
      interactiveMode: IfAvailable
contexts:
- name: prod
  context: {cluster: p, user: login, namespace: apps}
- name: staging
  context: {cluster: s, user: anna}
- name: dead-cluster
  context: {cluster: gone, user: anna}
- name: dead-user
  context: {cluster: s, user: gone}
- name: nobody
  context: {cluster: s}
"#;

const TWO: &str = r#"
current-context: other
clusters:
- name: p
  cluster: {server: "https://not-this.example.com"}
- name: x
  cluster: {server: "not a url"}
users:
- {name: cert, user: {client-certificate-data: Qw==, client-key-data: Sw==}}
- {name: gcp, user: {auth-provider: {name: gcp, config: {cmd-path: /bin/true}}}}
- {name: oidc, user: {auth-provider: {name: oidc, config: {id-token: secret}}}}
- {name: old, user: {exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}}
contexts:
- {name: other, context: {cluster: p, user: cert}}
- {name: broken, context: {cluster: x, user: cert}}
- {name: gcp, context: {cluster: p, user: gcp}}
- {name: oidc, context: {cluster: p, user: oidc}}
- {name: old, context: {cluster: p, user: old}}
"#;

fn write(dir: &Path, files: &[(&str, &str)]) -> Vec<PathBuf> {
    let write = |(name, text): &(&str, &str)| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    files.iter().map(write).collect()
}

/// One line for each context: name, server, how it proves who it is, or why it cannot be used.
fn check(files: &[(&str, &str)], expected: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), files);
    let text = match Kubeconfig::load(&paths) {
        Ok(config) => {
            let line = |(key, context): (ContextKey, Result<Context, KubeconfigError>)| match context {
                Ok(c) => format!("{key}: {} {:?} {:?}\n", c.server, c.auth, c.namespace),
                Err(e) => format!("{key}: {e}\n"),
            };
            config.contexts().into_iter().map(line).collect()
        }
        Err(e) => e.to_string(),
    };
    expected.assert_eq(&text.replace(&*dir.path().to_string_lossy(), "DIR"));
}

#[test]
fn the_first_file_wins() {
    check(
        &[("one", ONE), ("two", TWO)],
        expect![[r#"
        staging: https://staging.example.com:6443 Token None
        prod: https://prod.example.com Exec(DIR/./bin/kubelogin get-token --oidc-issuer-url=https://id.example.com 'a b') Some("apps")
        dead-cluster: the context "dead-cluster" is dead: its cluster "gone" is in no kubeconfig file. Add it, or remove the context.
        dead-user: the context "dead-user" is dead: its user "gone" is in no kubeconfig file. Add it, or remove the context.
        nobody: https://staging.example.com:6443 Anonymous None
        other: https://prod.example.com Certificate None
        broken: the context "broken" cannot be used: the `server` of its cluster is not a URL like https://host:port.
        gcp: the context "gcp" cannot be used: its auth-provider "gcp" was removed from Kubernetes 1.26. Use an exec plugin instead.
        oidc: https://prod.example.com Provider(oidc) None
        old: the context "old" cannot be used: its exec plugin speaks "client.authentication.k8s.io/v1alpha1"; supported are client.authentication.k8s.io/v1 and client.authentication.k8s.io/v1beta1. Update the plugin and the kubeconfig.
    "#]],
    );
}

#[test]
fn malformed_files_do_not_show_their_content() {
    check(
        &[("one", "clusters:\n- name: a\n  token: [very-secret\nusers: {\n")],
        expect!["the kubeconfig DIR/one is malformed at line 4. `kubectl config view` shows what is wrong."],
    );
    check(
        &[("one", "just text")],
        expect!["the kubeconfig DIR/one is malformed at line 1. `kubectl config view` shows what is wrong."],
    );
    check(&[("one", "")], expect![[""]]);
}

#[test]
fn missing_files() {
    let dir = tempfile::tempdir().unwrap();
    let one = write(dir.path(), &[("one", ONE)]).remove(0);
    let none = dir.path().join("none");
    // One of a list may be missing, all may not.
    assert!(Kubeconfig::load(&[none.clone(), one]).is_ok());
    let error = Kubeconfig::load(std::slice::from_ref(&none)).unwrap_err();
    assert_eq!(error, KubeconfigError::Missing(vec![none]));
    let error = Kubeconfig::load(&[dir.path().to_owned()]).unwrap_err();
    assert!(matches!(error, KubeconfigError::Unreadable { .. }), "{error}");
}

#[test]
fn where_to_look() {
    let check = |explicit: Option<&str>, env: &[(&str, &str)], expected: &[&str]| {
        let env: HashMap<_, _> = env.iter().copied().collect();
        let found = locate(explicit, |name| env.get(name).map(|v| (*v).into()));
        assert_eq!(found.unwrap_or_default(), expected.iter().map(PathBuf::from).collect::<Vec<_>>());
    };
    let home = ("HOME", "/home/a");
    check(None, &[home], &["/home/a/.kube/config"]);
    check(None, &[home, ("KUBECONFIG", "")], &["/home/a/.kube/config"]);
    check(None, &[home, ("KUBECONFIG", "/x::~/y")], &["/x", "/home/a/y"]);
    check(Some("/own"), &[home, ("KUBECONFIG", "/x")], &["/own"]);
    check(None, &[], &[]);
}

#[test]
fn the_current_context_only_orders() {
    let dir = tempfile::tempdir().unwrap();
    let config = Kubeconfig::load(&write(dir.path(), &[("one", ONE)])).unwrap();
    assert_eq!(config.current(), Some("staging"));
    assert_eq!(config.names(), ["staging", "prod", "dead-cluster", "dead-user", "nobody"]);
}

#[test]
fn what_a_context_says() {
    let dir = tempfile::tempdir().unwrap();
    let config = Kubeconfig::load(&write(dir.path(), &[("one", ONE)])).unwrap();
    let prod = config.context("prod").unwrap();
    assert_eq!(prod.impersonates(), Some(("deployer", &["ops".to_owned(), "dev".to_owned()][..])));
    assert_eq!(prod.auth.describe(), "runs kubelogin, may open a browser");
    let AuthKind::Exec(plugin) = &prod.auth else { panic!("{:?}", prod.auth) };
    assert_eq!(plugin.command, dir.path().join("./bin/kubelogin").to_string_lossy());
    assert!(plugin.command_line().ends_with("get-token --oidc-issuer-url=https://id.example.com 'a b'"));
    let staging = config.context("staging").unwrap();
    assert_eq!(staging.proxy_url(), Some("socks5://127.0.0.1:1080"));
    let shown = format!("{prod:?} {staging:?} {config:?}");
    assert!(!shown.contains("secret") && !shown.contains("hidden"), "{shown}");
}

#[test]
fn a_fingerprint_changes_with_what_matters() {
    let dir = tempfile::tempdir().unwrap();
    let print = |text: &str, name: &str| {
        let config = Kubeconfig::load(&write(dir.path(), &[("one", text)])).unwrap();
        config.context(name).unwrap().fingerprint()
    };
    let check = |name: &str, from: &str, to: &str, same: bool| {
        assert!(ONE.contains(from), "{from}");
        assert_eq!(print(ONE, name) == print(&ONE.replace(from, to), name), same, "{from} -> {to}");
    };
    check("staging", "staging.example.com:6443", "evil.example.com", false);
    check("staging", "Q0E=", "RVZJTA==", false);
    check("staging", "socks5://127.0.0.1:1080", "http://evil", false);
    check("prod", "./bin/kubelogin", "./bin/other", false);
    check("prod", "get-token", "do-evil", false);
    check("prod", "value: hidden", "value: other", false);
    check("staging", "certificate-authority-data: Q0E=", "insecure-skip-tls-verify: true", false);
    // A rotated token is still the same place.
    check("staging", "very-secret", "another", true);
    check("prod", "namespace: apps", "namespace: other", true);
    let text = serde_json::to_string(&print(ONE, "prod")).unwrap();
    assert!(!text.contains("hidden"), "{text}");
}

#[test]
fn changed_files_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &[("one", ONE)]);
    let config = Kubeconfig::load(&paths).unwrap();
    assert_eq!(*config.state(), file_state(&paths));
    write(dir.path(), &[("one", TWO)]);
    assert_ne!(*config.state(), file_state(&paths));
}

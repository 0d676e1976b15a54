//! `explain --commit-status`: proxies as curl has them, and where a token does not go.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use e2e::binary::{Home, Ran, run};

const APPS: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n  \
                    namespace: flux-system\nspec:\n  interval: 1h\n  path: ./apps\n";

/// Answers whatever is asked, as a Gitea does; gives its port and the heads of the requests.
fn server() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            let body = "{\"sha\": \"x\", \"total_count\": 1, \"statuses\": [{\"context\": \"kustomization/apps/0c9c2e41\", \
                        \"status\": \"failure\", \"description\": \"build failed\", \"updated_at\": \"2026-11-22T12:03:00Z\"}]}";
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
            if sender.send(String::from_utf8(head).unwrap()).is_err() {
                return;
            }
        }
    });
    (port, heads)
}

/// Explains a file of a clone whose remote is a Gitea at `gitea.invalid`, in the clear.
fn explain(environment: &[(&str, &str)]) -> Ran {
    let home = Home::new();
    home.config("[commitStatus]\nhosts = { \"gitea.invalid\" = \"gitea\" }\n");
    let folder = home.path().join("fleet");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("apps.yaml"), APPS).unwrap();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Ada", "-c", "user.email=ada@shop.invalid"]).args(arguments);
        let ended = git.current_dir(&folder).envs(home.environment()).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["remote", "add", "origin", "http://me:s3cret@gitea.invalid/flux/fleet.git"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "Open"]);
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let mut command = home.command(["explain", "--commit-status"]);
    command.arg(folder.join("apps.yaml")).env("GITEA_TOKEN", "t0ken");
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ] {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
    run(&mut command)
}

#[test]
fn a_forge_is_reached_through_the_proxy_and_sees_no_token_in_the_clear() {
    let (port, heads) = server();
    let proxy = format!("http://127.0.0.1:{port}");
    let told = explain(&[("http_proxy", &proxy)]);
    assert!(told.stdout.contains("reported to Gitea by flux (no cluster access): build failed"), "{told:#?}");
    assert_eq!(told.code, 0);
    let head = heads.recv().unwrap();
    assert!(head.starts_with("GET http://gitea.invalid/api/v1/repos/flux/fleet/commits/"), "{head}");
    assert!(!head.to_lowercase().contains("authorization"), "{head}");

    let around = explain(&[("http_proxy", &proxy), ("no_proxy", "gitea.invalid")]);
    assert!(around.stdout.contains("gitea.invalid cannot be reached"), "{around:#?}");
    assert_eq!((around.code, heads.try_recv().is_err()), (2, true));
}

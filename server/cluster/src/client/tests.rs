use std::collections::HashMap;

use super::*;

#[test]
fn when_login_commands_run() {
    use LoginPolicy::{Ask, Never, Quiet};
    let now = Instant::now();
    let just = now;
    let long_ago = now.checked_sub(Duration::from_secs(600));
    let quick = Memory { took_ms: Some(400), failure: None };
    let slow = Memory { took_ms: Some(3000), failure: None };
    let failed = Memory { took_ms: Some(400), failure: Some("no".into()) };
    let new = Memory::default();
    let typing = Occasion::Renewal { typed: Some(just) };
    let check = |policy, occasion, memory: &Memory, expected: Result<Duration, &str>| {
        let found = may_run(policy, occasion, memory, now);
        let found = found.as_ref().map_err(|reason| format!("{reason:?}"));
        let same = match (&found, expected) {
            (Ok(limit), Ok(expected)) => **limit == expected,
            (Err(reason), Err(expected)) => reason.starts_with(expected),
            _ => false,
        };
        assert!(same, "{policy:?} {occasion:?} {memory:?}: {found:?}, not {expected:?}");
    };
    check(Quiet, Occasion::Chosen, &new, Ok(exec::UNATTENDED));
    check(Quiet, Occasion::Chosen, &slow, Ok(exec::UNATTENDED));
    check(Quiet, Occasion::Chosen, &failed, Ok(exec::UNATTENDED));
    check(Quiet, Occasion::Reopened, &new, Ok(exec::UNATTENDED));
    check(Quiet, Occasion::Reopened, &quick, Ok(exec::UNATTENDED));
    check(Quiet, Occasion::Reopened, &slow, Err("MayDisturb"));
    check(Quiet, Occasion::Reopened, &failed, Err("FailedBefore"));
    check(Quiet, typing, &quick, Ok(exec::UNATTENDED));
    check(Quiet, typing, &slow, Err("MayDisturb"));
    check(Quiet, typing, &new, Err("MayDisturb"));
    check(Quiet, typing, &failed, Err("FailedBefore"));
    check(Quiet, Occasion::Renewal { typed: None }, &quick, Err("Away"));
    check(Quiet, Occasion::Renewal { typed: long_ago }, &quick, Err("Away"));
    check(Quiet, Occasion::SignIn, &failed, Ok(exec::SIGN_IN));
    check(Ask, Occasion::Chosen, &quick, Err("Policy"));
    check(Ask, typing, &quick, Err("Policy"));
    check(Ask, Occasion::SignIn, &slow, Ok(exec::SIGN_IN));
    check(Never, Occasion::SignIn, &quick, Err("Policy"));
}

#[test]
fn proxies() {
    let check = |server: &str, own: Option<&str>, env: &[(&str, &str)], expected: Option<&str>| {
        let env: HashMap<_, _> = env.iter().copied().collect();
        let found = proxy_for(server, own, |name| env.get(name).map(|v| (*v).to_owned()));
        assert_eq!(found.as_deref(), expected, "{server} {own:?} {env:?}");
    };
    let proxy = ("HTTPS_PROXY", "http://proxy:3128");
    let a = "https://a.example.com:6443";
    check(a, None, &[], None);
    check(a, None, &[proxy], Some("http://proxy:3128"));
    check(a, None, &[("https_proxy", "proxy:3128")], Some("http://proxy:3128"));
    check("http://a.example.com", None, &[proxy], None);
    check(a, Some("socks5://own:1080"), &[proxy, ("NO_PROXY", "*")], Some("socks5://own:1080"));
    check("https://127.0.0.1:6443", None, &[proxy], None);
    check("https://[::1]:6443", None, &[proxy], None);
    check("https://localhost", None, &[proxy], None);
    for list in ["*", "example.com", ".example.com", "*.example.com", "x, a.example.com:6443"] {
        check(a, None, &[proxy, ("NO_PROXY", list)], None);
    }
    for list in ["ample.com", "a.example.com:443", "b.example.com", ""] {
        check(a, None, &[proxy, ("no_proxy", list)], Some("http://proxy:3128"));
    }
    check("https://10.1.2.3:6443", None, &[proxy, ("NO_PROXY", "10.0.0.0/8")], None);
    check("https://11.1.2.3:6443", None, &[proxy, ("NO_PROXY", "10.0.0.0/8")], Some("http://proxy:3128"));
}

mod over_http {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::kubeconfig::Kubeconfig;
    use crate::wire::Clock;

    /// Answers one request on a real socket, and says what its head was.
    async fn serve(listener: tokio::net::TcpListener) -> String {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        let body = r#"{"gitVersion":"v1.36.3"}"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(head).unwrap()
    }

    /// The head of the first request that a user of a kubeconfig sends.
    async fn head(user: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let config = format!(
            r#"{{"clusters":[{{"name":"c","cluster":{{"server":"{server}"}}}}],
                "contexts":[{{"name":"c","context":{{"cluster":"c","user":"u","namespace":"apps"}}}}],
                "users":[{{"name":"u","user":{user}}}]}}"#
        );
        let file = dir.path().join("config");
        std::fs::write(&file, config).unwrap();
        let context = Kubeconfig::load(&[file]).unwrap().context("c").unwrap();
        let state = StateDir::at(dir.path().join("state"));
        let connector = KubeconfigConnector::new(&context, context.fingerprint(), LoginPolicy::Quiet, state);
        let wire = Wire::new(Clock::default());
        let served = tokio::spawn(serve(listener));
        let cancel = CancellationToken::new();
        let connection = connector.connect(Occasion::Chosen, false, &wire, &cancel).await.unwrap();
        assert_eq!(connection.namespace.as_deref(), Some("apps"));
        crate::access::probe(&connection.client, &connection.server).await.unwrap();
        assert!(wire.last().is_some());
        served.await.unwrap().to_lowercase()
    }

    #[tokio::test]
    async fn tokens_and_impersonation_are_sent() {
        let head = head(r#"{"token":"abc","as":"deployer","as-groups":["ops"]}"#).await;
        assert!(head.contains("authorization: bearer abc"), "{head}");
        assert!(head.contains("impersonate-user: deployer"), "{head}");
        assert!(head.contains("impersonate-group: ops"), "{head}");
    }

    #[tokio::test]
    async fn a_login_commands_token_is_sent() {
        let head = head(
            r#"{"token":"not-this","exec":{"apiVersion":"client.authentication.k8s.io/v1","command":"sh","args":["-c",
            "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"from-plugin\"}}'"]}}"#,
        )
        .await;
        assert!(head.contains("authorization: bearer from-plugin"), "{head}");
    }
}

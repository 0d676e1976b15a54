//! `check --commit REV --wait`: the gate between a push and what comes after it, on a real cluster.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::binary::Home;
use e2e::shop::Shop;
use serde_json::Value;
use testbed::{Cluster, Kubeconfig};

use crate::{SHOPS, admin, story};

/// A gate at work, and what it says as it waits.
struct Gate {
    child: std::process::Child,
    said: std::thread::JoinHandle<Vec<String>>,
}

/// How a gate ended.
struct Ended {
    code: i32,
    at: Instant,
    stdout: String,
    said: Vec<String>,
}

impl Gate {
    fn at(home: &Home, shop: &Shop, kubeconfig: &Kubeconfig, more: &[&str]) -> Gate {
        let mut command = home.command(["check", "--commit", "HEAD", "--wait", "2m", "--context", "staging"]);
        command.args(more).arg("--kubeconfig").arg(kubeconfig.path()).current_dir(shop.folder());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let said = std::thread::spawn(move || stderr.lines().map_while(Result::ok).collect());
        Gate { child, said }
    }

    fn end(mut self) -> Ended {
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        Ended { code, at: Instant::now(), stdout, said: self.said.join().unwrap() }
    }
}

/// When a Kustomization was seen to have come to an end with a commit.
async fn ended(cluster: &Cluster, object: &str, commit: &str, ready: &str) -> testbed::Result<Instant> {
    let is_it = |it: &Value| {
        let conditions = it["status"]["conditions"].as_array().into_iter().flatten();
        let mut ready = conditions.filter(|it| it["type"] == "Ready" && it["status"] == ready);
        let tried = it["status"]["lastAttemptedRevision"].as_str().unwrap_or_default();
        tried.contains(commit) && ready.next().is_some()
    };
    cluster
        .wait_for(object, &format!("{object} to end with {commit}"), Duration::from_secs(90), is_it)
        .await?;
    Ok(Instant::now())
}

/// How long behind the object's own change the gate ended. It may hear of it a little before we do.
#[allow(clippy::print_stdout)]
fn measured(what: &str, gate: &Ended, object: Instant) {
    let (after, before) =
        (gate.at.saturating_duration_since(object), object.saturating_duration_since(gate.at));
    println!(
        "{what}: the gate ended {after:?} behind the object's own change (or {before:?} before we saw it)"
    );
}

#[test]
fn a_gate_opens_when_the_commit_is_live_and_shuts_when_it_fails() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "gated").await?;
        let (home, kubeconfig) = (Home::new(), admin(testbed).await);

        let fixed = shop.push_fixed();
        let gate = Gate::at(&home, &shop, &kubeconfig, &[]);
        // The source polls once an hour: somebody has to ask.
        cluster.reconcile(&shop.source()).await?;
        let live = ended(cluster, &shop.object(), &fixed, "True").await?;
        let gate = tokio::task::spawn_blocking(|| gate.end()).await.unwrap();
        measured("live", &gate, live);
        assert_eq!(gate.code, 0, "{}\n{:#?}", gate.stdout, gate.said);
        assert!(gate.stdout.ends_with(&format!("{fixed} (Pull images always) is live\n")), "{}", gate.stdout);
        assert!(gate.stdout.contains("Deployment/gated/web: live main@"), "{}", gate.stdout);
        // Once it is live nobody waits.
        let again = Gate::at(&home, &shop, &kubeconfig, &["--format", "json"]).end();
        assert_eq!((again.code, again.said.len()), (0, 0), "{:#?}", again.said);
        let told: Value = serde_json::from_str(&again.stdout).unwrap();
        assert_eq!(told["outcome"], "live", "{told:#}");

        let broken = shop.push_broken();
        let gate = Gate::at(&home, &shop, &kubeconfig, &["--format", "json"]);
        cluster.reconcile(&shop.source()).await?;
        let failed = ended(cluster, &shop.object(), &broken, "False").await?;
        let gate = tokio::task::spawn_blocking(|| gate.end()).await.unwrap();
        measured("failed", &gate, failed);
        let told: Value = serde_json::from_str(&gate.stdout).unwrap();
        assert_eq!(gate.code, 1, "{told:#}\n{:#?}", gate.said);
        assert_eq!(told["outcome"], "failed", "{told:#}");
        let finding = &told["findings"][0];
        assert_eq!(finding["file"], "apps/web.yaml", "{told:#}");
        assert!(finding["message"].as_str().unwrap().contains("imagePullPolicy"), "{told:#}");
        println!("while it waited: {:#?}", gate.said);
        Ok(())
    });
}

//! The fleet on a real testbed: its two clusters brought, phase by phase, into the states that it shows.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use fleet::{Cluster, Expectation, LaidOut, Phase};
use serde_json::Value;
use testbed::{Artifact, Options, Testbed, condition};

/// How long one expectation may take; the longest needs a health check of half a minute and two turns of waiting.
const PATIENCE: Duration = Duration::from_secs(150);

/// A testbed with both clusters, at the address that the fleet's URLs name.
pub async fn start() -> testbed::Result<Testbed> {
    let names = Cluster::ALL.map(Cluster::name);
    let testbed = Testbed::start(Options::clusters(&names).fixed_address()).await?;
    testbed.gitea().create_repository(fleet::REPOSITORY).await?;
    Ok(testbed)
}

/// Plays one phase of the scenario and waits for all that it expects.
pub async fn play(testbed: &Testbed, laid_out: &LaidOut, phase: &Phase) -> testbed::Result<()> {
    println!("{}", phase.name);
    let id = |key: &str| laid_out.id(key).expect("the scenario names commits of the fleet").to_string();
    for (cluster, object) in &phase.suspends {
        let suspend = serde_json::json!({ "spec": { "suspend": true } });
        testbed.cluster_named(cluster.name())?.patch(object, suspend).await?;
    }
    let repository = testbed.gitea().repository(fleet::REPOSITORY).await?;
    for push in &phase.pushes {
        let refspec = format!("+{}:refs/heads/{}", id(push.commit), push.branch);
        repository.push_existing(&laid_out.dir, &[&refspec]).await?;
        println!("  pushed {} to {}", push.commit, push.branch);
    }
    for artifact in &phase.artifacts {
        let commit = commit(laid_out, artifact.commit);
        let folder = tempfile::tempdir().expect("a temporary folder");
        unpack(commit, artifact.folder, folder.path());
        let content = Artifact {
            folder: folder.path().to_owned(),
            source: fleet::ORIGIN.to_owned(),
            revision: format!("main@sha1:{}", id(artifact.commit)),
            created: commit.date.timestamp().to_string(),
        };
        for tag in artifact.tags {
            testbed.gitea().push_artifact(artifact.name, tag, &content).await?;
            println!("  pushed {} as {}:{tag}", artifact.folder, artifact.name);
        }
    }
    for applied in &phase.applies {
        let text = commit(laid_out, applied.commit)
            .file(applied.path)
            .expect("the scenario names files of the fleet");
        testbed.cluster_named(applied.cluster.name())?.apply(&String::from_utf8_lossy(text)).await?;
    }
    for (cluster, object) in &phase.reconciles {
        testbed.cluster_named(cluster.name())?.reconcile(object).await?;
    }
    for expected in &phase.expects {
        let cluster = testbed.cluster_named(expected.cluster.name())?;
        let what =
            format!("{} on {} to be {} {}", expected.object, cluster.name(), expected.ready, expected.reason);
        cluster.wait_for(expected.object, &what, PATIENCE, |object| met(expected, object, &id)).await?;
        println!("  {:<10} {:<46} {} {}", cluster.name(), expected.object, expected.ready, expected.reason);
    }
    Ok(())
}

/// Whether an object says what the scenario expects of it, about the commit that is meant.
fn met(expected: &Expectation, object: &Value, id: &impl Fn(&str) -> String) -> bool {
    let Some(ready) = condition(object, "Ready") else { return false };
    if ready["status"] != expected.ready || ready["reason"] != expected.reason {
        return false;
    }
    if ready["observedGeneration"] != object["metadata"]["generation"] {
        // kustomize-controller does not look at the new spec of what is suspended.
        return object["spec"]["suspend"] == true;
    }
    if expected.stalled && condition(object, "Stalled").is_none_or(|stalled| stalled["status"] != "True") {
        return false;
    }
    let Some(commit) = expected.at.map(id) else { return true };
    let status = &object["status"];
    let revisions = match expected.ready {
        "True" => [
            &status["lastAppliedRevision"],
            &status["lastAppliedOriginRevision"],
            &status["artifact"]["revision"],
        ],
        _ => [&status["lastAttemptedRevision"], &status["artifact"]["revision"], &Value::Null],
    };
    revisions.iter().any(|revision| revision.as_str().is_some_and(|revision| revision.ends_with(&commit)))
}

fn commit<'a>(laid_out: &'a LaidOut, key: &str) -> &'a fleet::Commit {
    let known: HashMap<&str, &fleet::Commit> =
        laid_out.commits.iter().map(|(_, it)| (it.key.as_str(), it)).collect();
    known.get(key).copied().expect("the scenario names commits of the fleet")
}

/// Writes what a commit has below a folder, as the root of another folder.
fn unpack(commit: &fleet::Commit, folder: &str, into: &Path) {
    for path in commit.paths() {
        let Some(inside) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let file = into.join(inside);
        std::fs::create_dir_all(file.parent().expect("a file is in a folder")).expect("the folder is made");
        std::fs::write(file, commit.file(path).expect("it names its own files"))
            .expect("the file is written");
    }
}

//! `check`.

use std::path::Path;

use e2e::binary::{Home, Ran, run};
use e2e::shared;
use expect_test::{Expect, expect};
use fleet::Cluster;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Fleet, assert_plain, masked};

fn check(clusters: &[Cluster], code: i32, expected: Expect) {
    let ran = Fleet::lay_out().run(&["check"], clusters);
    expected.assert_eq(&masked(&ran.stdout));
    assert_eq!((ran.code, ran.stderr.as_str()), (code, ""));
    assert_plain(&ran.stdout);
}

#[test]
fn the_causes_in_staging() {
    check(
        &[Cluster::Staging],
        1,
        expect![[r#"
            error[HealthCheckFailed]: as recorded <time>, staging: applied main@21d6388, unhealthy: Deployment/shop/payments did not become ready in time
             --> apps/base/payments/deployment.yaml:4:9
              |
            4 |   name: payments
              |         ^^^^^^^^ Kustomization/flux-system/payments at main@21d6388
              |
            note: Kustomization/flux-system/payments: applied main@21d6388, unhealthy
             --> clusters/staging/apps/payments.yaml:4:9
              |
            4 |   name: payments
              |         --------

            error[ReconciliationFailed]: as recorded <time>, staging: spec.rules[0].http.paths[0].pathType: Unsupported value: "prefix": supported values: "Exact", "ImplementationSpecific", "Prefix"
              --> apps/staging/catalog/ingress.yaml:13:23
               |
            13 |             pathType: prefix
               |                       ^^^^^^ Kustomization/flux-system/catalog at main@21d6388
               |
            note: Kustomization/flux-system/catalog: failed main@21d6388, running main@524dbed
              --> clusters/staging/apps/catalog.yaml:4:9
               |
             4 |   name: catalog
               |         -------

            error[ReconciliationFailed]: as recorded <time>, staging: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Allways": supported values: "Always", "IfNotPresent", "Never"
              --> apps/staging/checkout/staging.yaml:12:28
               |
            12 |           imagePullPolicy: Allways
               |                            ^^^^^^^ Kustomization/flux-system/checkout at main@21d6388
               |
            note: the object that apps/staging/checkout/staging.yaml changes
              --> apps/base/checkout/deployment.yaml:4:9
               |
             4 |   name: checkout
               |         --------
            note: Kustomization/flux-system/checkout: failed main@21d6388, running main@524dbed
              --> clusters/staging/apps/checkout.yaml:4:9
               |
             4 |   name: checkout
               |         --------

            error[UpgradeFailed]: as recorded <time>, staging: spec.ports[0].port: Invalid value: 80800: must be between 1 and 65535, inclusive
              --> apps/staging/recommender/values.yaml:11:13
               |
            11 |       port: 80800
               |             ^^^^^ HelmRelease/shop/recommender at 1.2.0
               |
            note: HelmRelease/shop/recommender: failed 1.2.0
              --> apps/base/recommender/release.yaml:4:9
               |
             4 |   name: recommender
               |         -----------
            note: Kustomization/flux-system/recommender waits for this
              --> clusters/staging/apps/recommender.yaml:4:9
               |
             4 |   name: recommender
               |         -----------

            error[BuildFailed]: as recorded <time>, staging: there is no single Deployment/search for this patch
              --> apps/staging/search/small.yaml:5:9
               |
             5 |   name: search
               |         ^^^^^^ Kustomization/flux-system/search at main@21d6388
               |
            note: Kustomization/flux-system/search: failed main@21d6388, running main@524dbed
              --> clusters/staging/apps/search.yaml:4:9
               |
             4 |   name: search
               |         ------
            note: Kustomization/flux-system/assistant waits for this
              --> clusters/staging/apps/search.yaml:40:9
               |
            40 |   name: assistant
               |         ---------
            note: Kustomization/flux-system/suggest waits for this
              --> clusters/staging/apps/search.yaml:26:13
               |
            26 |     - name: search
               |             ------

            error[GitOperationFailed]: as recorded <time>, staging: failed to checkout and determine revision: unable to clone 'http://127.0.77.1:3000/flux/fleet.git': couldn't find remote ref "refs/heads/preview/giftcards"
              --> clusters/staging/apps/preview.yaml:10:13
               |
            10 |     branch: preview/giftcards
               |             ^^^^^^^^^^^^^^^^^ GitRepository/flux-system/preview
            ...
            33 |     name: preview
               |           ------- Kustomization/flux-system/preview waits for this

            could not be told: clusters/staging/apps/orders.yaml: staging: Kustomization/flux-system/orders: applied main@21d6388, checking health
            6 failures, 1 could not be told (as recorded <time> UTC)
        "#]],
    );
}

#[test]
fn the_causes_in_production() {
    check(
        &[Cluster::Production],
        1,
        expect![[r#"
            error[ReadOperationFailed]: as recorded <time>, production: failed to determine the artifact tag for 'oci://charts.scoring-vendor.invalid/charts/fraud-scoring': Get "https://charts.scoring-vendor.invalid/v2/": dial tcp: lookup charts.scoring-vendor.invalid on <name server>: no such host
             --> apps/production/fraud-scoring/source.yaml:4:9
              |
            4 |   name: fraud-scoring
              |         ^^^^^^^^^^^^^ OCIRepository/shop/fraud-scoring
              |
            note: HelmRelease/shop/fraud-scoring waits for this
             --> apps/production/fraud-scoring/release.yaml:9:11
              |
            9 |     name: fraud-scoring
              |           -------------
            note: Kustomization/flux-system/fraud-scoring waits for this
             --> clusters/production/apps/fraud-scoring.yaml:4:9
              |
            4 |   name: fraud-scoring
              |         -------------

            warning[ReconciliationFailed]: as recorded <time>, production: failed at production@181874b; changed since, not pushed: spec.maxReplicas: Invalid value: 4: must be greater than or equal to `minReplicas`
             --> apps/production/payments/autoscaler.yaml:7:16
              |
            7 |   maxReplicas: 12
              |                ^^ Kustomization/flux-system/payments at production@181874b
              |
            note: the object that apps/production/payments/autoscaler.yaml changes
             --> apps/base/payments/autoscaler.yaml:4:9
              |
            4 |   name: payments
              |         --------
            note: Kustomization/flux-system/payments: failed production@181874b, running production@524dbed
             --> clusters/production/apps/payments.yaml:4:9
              |
            4 |   name: payments
              |         --------

            error[ReconciliationFailed]: as recorded <time>, production: PriorityClass/loyalty dry-run failed (Forbidden): priorityclasses.scheduling.k8s.io "loyalty" is forbidden: User "system:serviceaccount:team-blue:reconciler" cannot patch resource "priorityclasses" in API group "scheduling.k8s.io" at the cluster scope
              --> tenants/production/loyalty.yaml:11:23
               |
             4 |   name: loyalty
               |         ------- Kustomization/team-blue/loyalty: failed production@181874b, running production@524dbed
            ...
            11 |   serviceAccountName: reconciler
               |                       ^^^^^^^^^^ Kustomization/team-blue/loyalty at production@181874b

            2 failures, 1 warning (as recorded <time> UTC)
        "#]],
    );
}

#[test]
fn a_part_of_the_repository() {
    let fleet = Fleet::lay_out();
    let well = fleet.run(&["check", "clusters/staging/infrastructure.yaml"], &[Cluster::Staging]);
    expect![[r#"
        nothing failed (as recorded <time> UTC)
    "#]]
    .assert_eq(&masked(&well.stdout));
    assert_eq!(well.code, 0, "nothing failed there");
    let under_way = fleet.run(&["check", "clusters/staging/apps/orders.yaml"], &[Cluster::Staging]);
    expect![[r#"
        could not be told: clusters/staging/apps/orders.yaml: staging: Kustomization/flux-system/orders: applied main@21d6388, checking health
        nothing failed, 1 could not be told (as recorded <time> UTC)
    "#]].assert_eq(&masked(&under_way.stdout));
    assert_eq!(under_way.code, 2, "an attempt is in progress");
    let both = ["check", "clusters/staging/apps/orders.yaml", "clusters/staging/apps/catalog.yaml"];
    assert_eq!(fleet.run(&both, &[Cluster::Staging]).code, 1, "a failure outweighs what could not be told");
    let never = fleet.run(&["check", "apps/production/fraud-scoring"], &[Cluster::Production]);
    assert_eq!(never.code, 1, "a source that never worked has failed: {}", never.stdout);
    // What waits has no mark of its own, and what other clusters apply was not looked at: neither is "nothing failed".
    let waits = fleet.run(&["check", "clusters/staging/apps/recommender.yaml"], &[Cluster::Staging]);
    assert!(waits.stdout.contains("error[UpgradeFailed]"), "{}", waits.stdout);
    assert_eq!(waits.code, 1);
    let elsewhere = fleet.run(&["check", "clusters/production/apps"], &[Cluster::Staging]);
    assert!(
        elsewhere.stdout.contains("catalog.yaml: none of the clusters asked applies it"),
        "{}",
        elsewhere.stdout
    );
    assert_eq!(elsewhere.code, 2);
}

#[test]
fn what_it_cannot_begin_with() {
    let fleet = Fleet::lay_out();
    let says = |arguments: &[&str], clusters: &[Cluster], expected: Expect| {
        let ran = fleet.run(arguments, clusters);
        let root = fleet.folder.path().display().to_string();
        expected.assert_eq(&ran.stderr.replace(&root, "…"));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    };
    says(
        &["check"],
        &[],
        expect![[r#"
        fluxcd-ls: no cluster is named, and none is asked unasked: add --context CONTEXT or --snapshot FILE
    "#]],
    );
    says(
        &["check", "nowhere.yaml"],
        &[Cluster::Staging],
        expect![[r#"
        fluxcd-ls: …/fleet/nowhere.yaml: No such file or directory (os error 2)
    "#]],
    );
    says(
        &["check", "--snapshot", "nowhere.json"],
        &[],
        expect![[r#"
        fluxcd-ls: cannot read the snapshot nowhere.json: No such file or directory (os error 2)
    "#]],
    );
    says(
        &["check", "--snapshot", "README.md"],
        &[],
        expect![[r#"
        fluxcd-ls: the snapshot README.md cannot be used: the file is not JSON (expected value at line 1 column 1); write it with `fluxcd-ls snapshot` or `kubectl get -o json`
    "#]],
    );
    says(
        &["check", "--snapshot", "."],
        &[],
        expect![[r#"
        fluxcd-ls: cannot read the snapshot .: Is a directory (os error 21)
    "#]],
    );
}

#[test]
fn contexts_that_cannot_be_asked_are_named_and_the_others_told() {
    let fleet = Fleet::lay_out();
    let kubeconfig = fleet.folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, super::looking::DEAD).unwrap();
    let kubeconfig = kubeconfig.to_str().unwrap();
    let arguments = ["check", "clusters/staging/infrastructure.yaml", "--kubeconfig", kubeconfig];
    let ran = fleet.run(
        &[&arguments[..], &["--context", "dead", "--context", "unheard-of"]].concat(),
        &[Cluster::Staging],
    );
    let ran = Ran { stdout: ran.stdout.replace(kubeconfig, "kubeconfig"), ..ran };
    expect![[r#"
        could not be told: dead: cannot reach https://127.0.0.1:1: Connection refused (os error 111)
        could not be told: unheard-of: there is no context "unheard-of" in kubeconfig. `kubectl config get-contexts` lists them.
        nothing failed, 2 could not be told (as recorded <time> UTC)
    "#]].assert_eq(&masked(&ran.stdout));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

/// Silence is no good news where nothing was looked at.
#[test]
fn nothing_to_look_at_is_no_success() {
    let fleet = Fleet::lay_out();
    let says = |arguments: &[&str], expected: Expect| {
        let ran = fleet.run(arguments, &[Cluster::Staging]);
        expected.assert_eq(&masked(&ran.stdout));
        assert_eq!((ran.code, ran.stderr.as_str()), (2, ""));
    };
    says(
        &["check", "README.md"],
        expect![[r#"
        could not be told: no Flux object here: there was nothing to look at
        nothing failed, 1 could not be told (as recorded <time> UTC)
    "#]],
    );
    says(
        &["check", "/proc"],
        expect![[r#"
        could not be told: no Flux object here: there was nothing to look at
        could not be told: staging: none of its sources is this repository (this folder is not a clone of any)
        nothing failed, 2 could not be told (as recorded <time> UTC)
    "#]],
    );
    let config = fleet.clone().join(".git/config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(fleet::ORIGIN, "https://git.example/other.git")).unwrap();
    says(
        &["check"],
        expect![[r#"
        could not be told: staging: none of its sources is this repository (origin is https://git.example/other.git)
        nothing failed, 1 could not be told (as recorded <time> UTC)
    "#]],
    );
}

/// A range of the JSON, as text of the file that it names.
fn text_at(repository: &Path, place: &Value) -> String {
    let text = std::fs::read_to_string(repository.join(place["file"].as_str().unwrap())).unwrap();
    let number =
        |end: &str, what: &str| usize::try_from(place["range"][end][what].as_u64().unwrap()).unwrap();
    assert_eq!(number("start", "line"), number("end", "line"), "marks of the fleet stand in one line");
    let line: Vec<u16> = text.lines().nth(number("start", "line")).unwrap().encode_utf16().collect();
    String::from_utf16(&line[number("start", "character")..number("end", "character")]).unwrap()
}

#[test]
fn json_is_what_the_readme_says() {
    let fleet = Fleet::lay_out();
    let ran = fleet.run(&["check", "--format", "json"], &Cluster::ALL);
    assert_eq!(ran.code, 1);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&report), "findings recordedAt unknown version");
    assert_eq!(report["version"], 1);
    let time = report["recordedAt"].as_str().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert!(report["unknown"].as_array().unwrap().iter().all(Value::is_string));
    let mut seen = String::new();
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(
            keys(finding),
            "applier cluster code file message object range related revision severity shortRevision verdict"
        );
        assert!(["error", "warning", "information", "hint"].contains(&finding["severity"].as_str().unwrap()));
        // As the cluster wrote it, and for people: a commit of a branch is not told by seven letters.
        match (finding["revision"].as_str(), finding["shortRevision"].as_str()) {
            (Some(full), Some(short)) => {
                assert!(full.len() > short.len() || !full.contains('@'), "{full} {short}")
            }
            (full, short) => assert_eq!((full, short), (None, None)),
        }
        assert!(finding["applier"].is_null() || finding["applier"].is_string());
        let text = |name: &str| finding[name].as_str().unwrap();
        seen.push_str(&format!(
            "{}: {} {} at `{}` of {} ({})\n",
            text("cluster"),
            text("verdict"),
            text("object"),
            text_at(&fleet.clone(), finding),
            text("file"),
            text("code"),
        ));
        for related in finding["related"].as_array().unwrap() {
            assert_eq!(keys(related), "file message range");
            seen.push_str(&format!(
                "  `{}`: {}\n",
                text_at(&fleet.clone(), related),
                related["message"].as_str().unwrap()
            ));
        }
    }
    expect![[r#"
        staging: unhealthy Kustomization/flux-system/payments at `payments` of apps/base/payments/deployment.yaml (HealthCheckFailed)
          `payments`: Kustomization/flux-system/payments: applied main@21d6388, unhealthy
        production: failed OCIRepository/shop/fraud-scoring at `fraud-scoring` of apps/production/fraud-scoring/source.yaml (ReadOperationFailed)
          `fraud-scoring`: HelmRelease/shop/fraud-scoring waits for this
          `fraud-scoring`: Kustomization/flux-system/fraud-scoring waits for this
        production: failed Kustomization/flux-system/payments at `12` of apps/production/payments/autoscaler.yaml (ReconciliationFailed)
          `payments`: the object that apps/production/payments/autoscaler.yaml changes
          `payments`: Kustomization/flux-system/payments: failed production@181874b, running production@524dbed
        staging: failed Kustomization/flux-system/catalog at `prefix` of apps/staging/catalog/ingress.yaml (ReconciliationFailed)
          `catalog`: Kustomization/flux-system/catalog: failed main@21d6388, running main@524dbed
        staging: failed Kustomization/flux-system/checkout at `Allways` of apps/staging/checkout/staging.yaml (ReconciliationFailed)
          `checkout`: the object that apps/staging/checkout/staging.yaml changes
          `checkout`: Kustomization/flux-system/checkout: failed main@21d6388, running main@524dbed
        staging: stalled HelmRelease/shop/recommender at `80800` of apps/staging/recommender/values.yaml (UpgradeFailed)
          `recommender`: HelmRelease/shop/recommender: failed 1.2.0
          `recommender`: Kustomization/flux-system/recommender waits for this
        staging: failed Kustomization/flux-system/search at `search` of apps/staging/search/small.yaml (BuildFailed)
          `search`: Kustomization/flux-system/search: failed main@21d6388, running main@524dbed
          `assistant`: Kustomization/flux-system/assistant waits for this
          `search`: Kustomization/flux-system/suggest waits for this
        staging: failed GitRepository/flux-system/preview at `preview/giftcards` of clusters/staging/apps/preview.yaml (GitOperationFailed)
          `preview`: Kustomization/flux-system/preview waits for this
        production: failed Kustomization/team-blue/loyalty at `reconciler` of tenants/production/loyalty.yaml (ReconciliationFailed)
          `loyalty`: Kustomization/team-blue/loyalty: failed production@181874b, running production@524dbed
    "#]].assert_eq(&seen);
}

#[test]
fn sarif_counts_from_one_and_names_its_rules() {
    let fleet = Fleet::lay_out();
    let ran = fleet.run(&["check", "--format", "sarif"], &Cluster::ALL);
    let log: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
    let run = &log["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    let mut prints = Vec::new();
    for result in results {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()), "{result}");
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        prints.push(result["partialFingerprints"]["object/v1"].as_str().unwrap());
        let related = result["relatedLocations"].as_array().unwrap();
        for location in result["locations"].as_array().unwrap().iter().chain(related) {
            let place = &location["physicalLocation"];
            let region = &place["region"];
            assert!(region["startLine"].as_u64().unwrap() > 0 && region["startColumn"].as_u64().unwrap() > 0);
            assert!(fleet.clone().join(place["artifactLocation"]["uri"].as_str().unwrap()).is_file());
        }
    }
    prints.sort_unstable();
    let all = prints.len();
    prints.dedup();
    assert_eq!(prints.len(), all, "two results would be taken for one");
    let catalog = results.iter().find(|it| {
        it["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            == "apps/staging/catalog/ingress.yaml"
    });
    assert_eq!(
        catalog.unwrap()["locations"][0]["physicalLocation"]["region"],
        json!({"startLine": 13, "startColumn": 23, "endLine": 13, "endColumn": 29})
    );
}

#[test]
fn github_takes_one_line_for_each() {
    let ran = Fleet::lay_out().run(&["check", "--format", "github"], &Cluster::ALL);
    let shown: Vec<String> = masked(&ran.stdout)
        .lines()
        .map(|line| line.rsplit_once("::").map(|(command, _)| command.to_owned()).unwrap())
        .collect();
    expect![[r#"
        ::error file=apps/base/payments/deployment.yaml,line=4,endLine=4,col=9,endColumn=17,title=HealthCheckFailed Kustomization/flux-system/payments
        ::error file=apps/production/fraud-scoring/source.yaml,line=4,endLine=4,col=9,endColumn=22,title=ReadOperationFailed OCIRepository/shop/fraud-scoring
        ::warning file=apps/production/payments/autoscaler.yaml,line=7,endLine=7,col=16,endColumn=18,title=ReconciliationFailed Kustomization/flux-system/payments
        ::error file=apps/staging/catalog/ingress.yaml,line=13,endLine=13,col=23,endColumn=29,title=ReconciliationFailed Kustomization/flux-system/catalog
        ::error file=apps/staging/checkout/staging.yaml,line=12,endLine=12,col=28,endColumn=35,title=ReconciliationFailed Kustomization/flux-system/checkout
        ::error file=apps/staging/recommender/values.yaml,line=11,endLine=11,col=13,endColumn=18,title=UpgradeFailed HelmRelease/shop/recommender
        ::error file=apps/staging/search/small.yaml,line=5,endLine=5,col=9,endColumn=15,title=BuildFailed Kustomization/flux-system/search
        ::error file=clusters/staging/apps/preview.yaml,line=10,endLine=10,col=13,endColumn=30,title=GitOperationFailed GitRepository/flux-system/preview
        ::error file=tenants/production/loyalty.yaml,line=11,endLine=11,col=23,endColumn=33,title=ReconciliationFailed Kustomization/team-blue/loyalty
        ::warning title=fluxcd-ls"#]].assert_eq(&shown.join("\n"));
    assert_eq!(ran.code, 1);
}

#[test]
fn the_example_of_flux_waits_for_two_sources_that_cannot_be_reached() {
    let names =
        ["repos/flux2-kustomize-helm-example.bundle", "repos/flux2-kustomize-helm-example.cluster.json"];
    let [Some(bundle), Some(recording)] = names.map(shared::file) else { return };
    let folder = TempDir::new().unwrap();
    let clone = folder.path().join("example");
    shared::clone_bundle(&bundle, &clone, "http://127.0.0.1:13000/flux/example.git");
    let home = Home::new();
    let arguments = ["check", "--format", "json", "--snapshot"];
    let ran = run(home.command(arguments).arg(&recording).current_dir(&clone));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let causes: Vec<(&str, Vec<&str>)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let related = it["related"].as_array().unwrap();
            (
                it["object"].as_str().unwrap(),
                related.iter().map(|it| it["message"].as_str().unwrap()).collect(),
            )
        })
        .collect();
    let objects: Vec<&str> = causes.iter().map(|(object, _)| *object).collect();
    assert_eq!(
        objects,
        ["OCIRepository/cert-manager/cert-manager", "OCIRepository/envoy-gateway-system/gateway-helm"]
    );
    for (object, waiting) in causes {
        assert!(waiting.contains(&"Kustomization/flux-system/apps waits for this"), "{object}: {waiting:?}");
    }
    let apps = run(home
        .command(["explain", "clusters/staging/apps.yaml", "--snapshot"])
        .arg(&recording)
        .current_dir(&clone));
    for source in objects {
        assert!(apps.stdout.contains(&format!("because of {source}")), "{}", apps.stdout);
    }
}

/// What a cluster says is data: it moves no cursor, colours nothing, starts no workflow command and links to nothing.
#[test]
fn messages_of_a_cluster_are_data() {
    let fleet = Fleet::lay_out();
    let mut list: Value = serde_json::from_str(fleet::recorded(Cluster::Staging)).unwrap();
    let evil = format!(
        "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}click\u{1b}]8;;\u{7}\r\n::error::gotcha\u{202e}[here](http://evil.example) <b>`x` {}",
        "long ".repeat(6_600)
    );
    let mut poisoned = 0;
    for object in list["items"].as_array_mut().unwrap() {
        for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
            if condition["status"] == "False" {
                condition["message"] = json!(evil);
                condition["reason"] = json!("Bad\u{1b}[31mReason\u{7}");
                poisoned += 1;
            }
        }
    }
    assert!(poisoned > 5);
    let recording = fleet.folder.path().join("evil\u{1b}[2J.json");
    std::fs::write(&recording, list.to_string()).unwrap();
    let recording = recording.to_str().unwrap();
    for format in ["text", "json", "sarif", "github"] {
        let ran = fleet.run(&["check", "--format", format, "--snapshot", recording], &[]);
        assert_eq!(ran.code, 1, "{format}: {}", ran.stderr);
        assert_plain(&ran.stdout);
        assert!(!ran.stdout.contains('\u{202e}'), "{format} turns text around");
        assert!(
            !ran.stdout.lines().any(|line| line.starts_with("::error::")),
            "{format} starts a command of its own"
        );
    }
    let ran = fleet.run(&["explain", "clusters/staging/apps/catalog.yaml", "--snapshot", recording], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("gotcha"));
    assert_plain(&ran.stdout);
    assert!(!ran.stdout.contains('\u{202e}'));
}

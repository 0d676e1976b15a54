//! How long an answer takes; printed, not judged. `cargo test --release -p analysis speed -- --nocapture`.

use std::fmt::Write;
use std::time::Instant;

use super::fixture::World;
use crate::{analyse, head_status, hover, summary};

#[test]
fn speed() {
    let mut text = String::from("//- all/all.yaml\n");
    let mut live = String::from(
        "//- cluster staging\n{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}\n",
    );
    let mut holds = Vec::new();
    for nth in 0..588 {
        let _ = write!(
            text,
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: k{nth}\n  namespace: flux-system\nspec:\n  interval: 1h\n  path: ./k{nth}\n  sourceRef:\n    kind: GitRepository\n    name: fleet\n  dependsOn:\n    - name: k{}\n---\n",
            (nth + 1) % 588
        );
        if nth < 80 {
            let state = if nth % 2 == 0 {
                "failed: [DependencyNotReady, \"dependency 'flux-system/kX' is not ready\"], dependsOn: [kX]"
                    .replace("kX", &format!("k{}", nth + 1))
            } else {
                "failed: [BuildFailed, broken, main@1a2b3c4]".to_owned()
            };
            let _ = writeln!(
                live,
                "{{kind: Kustomization, name: k{nth}, source: GitRepository/fleet, path: ./k{nth}, interval: 1h, at: main@1a2b3c4, {state}}}"
            );
            holds.push(format!("Kustomization/flux-system/k{nth}"));
        }
    }
    let _ = writeln!(
        live,
        "{{kind: Kustomization, name: root, source: GitRepository/fleet, path: all, at: main@1a2b3c4, holds: [{}]}}",
        holds.join(", ")
    );
    let body = text.replacen("//- all/all.yaml\n", "", 1);
    let before = format!("//- then 0000001 all/all.yaml\n{}", body.replacen("./k0", "./k", 1));
    let refs = "//- settings\nhead=main@1a2b3c4 pushed=1a2b3c4";
    let mut world = World::new(&format!("{text}//- commits\n1a2b3c4 x\n{before}{live}{refs}"));
    let path = world.files[0].0.clone();
    let report = world.ask(|inputs| analyse(inputs, &path));
    let time = |what: &str, mut work: Box<dyn FnMut() + '_>| {
        let start = Instant::now();
        for _ in 0..10 {
            work();
        }
        println!("{what}: {:.2} ms", start.elapsed().as_secs_f64() * 100.0);
    };
    println!("{} findings, {} lenses", report.findings.len(), report.lenses.len());
    let head = world.refs.head.clone().expect("HEAD");
    while let (_, lacks, _) = world.with(|inputs| head_status(inputs, &head))
        && lacks.wants_history()
    {
        world.look_up(lacks);
    }
    world.with(|inputs| {
        time("how HEAD stands", Box::new(|| drop(head_status(inputs, &head))));
        println!("{}", head_status(inputs, &head).0.tooltip);
        time("588 documents, 80 Kustomizations", Box::new(|| drop(analyse(inputs, &path))));
        time("hover", Box::new(|| drop(hover(inputs, &path, 60.into()))));
        time("summary", Box::new(|| drop(summary(inputs))));
    });
}

//! Definitions, references and links: who leads where, from a small fleet of two clusters.

mod corners;

use expect_test::{Expect, expect};
use manifests::{ParsedFile, RepoPath, TextSize};
use std::fmt::Write;

use super::drawing::{draw, line};
use super::fixture::World;
use crate::{Target, definition, links, references};

const FLEET: &str = r#"
//- clusters/staging/flux-system/gotk-sync.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: https://git.example/fleet, secretRef: {name: deploy-key}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 1m
  path: ./clusters/staging
  sourceRef: {kind: GitRepository, name: flux-system}
//- clusters/staging/flux-system/kustomization.yaml
resources: [gotk-sync.yaml]
//- clusters/staging/infra.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: infra, namespace: flux-system}
spec:
  interval: 1m
  path: ./infra
  sourceRef: {kind: GitRepository, name: flux-system}
//- clusters/staging/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1m
  path: "./apps/staging"
  sourceRef:
    kind: GitRepository
    name: flux-system
  dependsOn:
    - name: infra
  postBuild:
    substituteFrom:
      - kind: ConfigMap
        name: cluster
  healthChecks:
    - {apiVersion: apps/v1, kind: Deployment, name: web, namespace: web}
  patches:
    - patch: |
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
      target: {kind: Deployment}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cluster, namespace: flux-system}
//- clusters/production/flux-system/gotk-sync.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: https://git.example/fleet}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 1m
  path: ./clusters/production
  sourceRef: {kind: GitRepository, name: flux-system}
//- clusters/production/flux-system/kustomization.yaml
resources: [gotk-sync.yaml]
//- clusters/production/infra.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: infra, namespace: flux-system}
spec:
  interval: 1m
  path: ./infra
  sourceRef: {kind: GitRepository, name: flux-system}
//- clusters/production/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1m
  path: ./apps/production
  sourceRef: {kind: GitRepository, name: flux-system}
  dependsOn: [{name: infra}]
//- infra/kustomization.yaml
namespace: flux-system
resources: [charts.yaml, nowhere.yaml]
//- infra/charts.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts}
spec: {interval: 1h, url: https://charts.example}
//- apps/base/kustomization.yaml
resources:
  - deploy.yaml
  - release.yaml
configMapGenerator:
  - name: web-values
    files: [values.yaml=values.yaml]
//- apps/base/values.yaml
replicas: 2
//- apps/base/deploy.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
//- apps/base/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
spec:
  interval: 1h
  chart:
    spec:
      chart: web
      sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}
  valuesFrom:
    - kind: ConfigMap
      name: web-values
//- apps/staging/kustomization.yaml
namespace: web
resources:
  - ../base
  - https://git.example/remote//apps
components: [../../components/ha]
patches:
  - path: size.yaml
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        replicas: 3
  - patch: |-
      - {op: remove, path: /spec/replicas}
    target:
      kind: Deployment
      name: w.*
//- apps/staging/size.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
//- apps/production/kustomization.yaml
resources: [../base]
//- components/ha/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
  - target: {kind: Deployment, name: web}
    path: spread.yaml
//- components/ha/spread.yaml
- {op: add, path: /spec/paused, value: true}
"#;

fn world(more: &str) -> World {
    World::new(&format!("{}{more}", FLEET.trim_start()))
}

/// The file, its tree, and where `|` stands in a piece of its text.
fn find(world: &World, path: &str, at: &str) -> (RepoPath, ParsedFile, TextSize) {
    let path = RepoPath::new(path).expect("a path");
    let text = &world.files.iter().find(|(it, _)| *it == path).expect("the file").1;
    let needle = at.replacen('|', "", 1);
    let start = text.find(&needle).unwrap_or_else(|| panic!("no {needle:?} in {path}"));
    let offset = start + at.find('|').expect("a cursor");
    let file = ParsedFile::parse(text);
    (path, file, TextSize::try_from(offset).expect("a small file"))
}

fn list(world: &World, targets: &[Target]) -> String {
    let mut out = String::new();
    for target in targets {
        let text = &world.files.iter().find(|(it, _)| *it == target.path).expect("the file").1;
        let at = line(text, target.name_range) + 1;
        assert!(target.range.contains_range(target.name_range), "{target:?}");
        let name = text.get(usize::from(target.name_range.start())..usize::from(target.name_range.end()));
        let _ = writeln!(out, "{}:{at} {}", target.path, name.expect("inside the file"));
    }
    out
}

fn goes(world: &World, path: &str, at: &str) -> String {
    let (path, file, offset) = find(world, path, at);
    let text = &world.files.iter().find(|(it, _)| *it == path).expect("the file").1;
    match world.with(|inputs| definition(inputs, &path, &file, offset)) {
        Some(found) => {
            let mut out = String::new();
            draw(&mut out, &path, text, found.origin);
            format!("{out}\n{}", list(world, &found.targets))
        }
        None => "nowhere\n".to_owned(),
    }
}

fn check_goes(path: &str, at: &str, expected: Expect) {
    expected.assert_eq(&goes(&world(""), path, at));
}

fn check_from(path: &str, at: &str, expected: Expect) {
    let world = world("");
    let (path, file, offset) = find(&world, path, at);
    let found = world.with(|inputs| references(inputs, &path, &file, offset, false));
    expected.assert_eq(&list(&world, &found));
}

fn check_links(world: &World, path: &str, expected: Expect) {
    let path = RepoPath::new(path).expect("a path");
    let text = &world.files.iter().find(|(it, _)| *it == path).expect("the file").1;
    let found = world.with(|inputs| links(inputs, &path, &ParsedFile::parse(text)));
    let mut out = String::new();
    for link in found {
        draw(&mut out, &path, text, link.range);
        let _ = writeln!(out, " {} ({})", link.target, link.tooltip);
    }
    expected.assert_eq(&out);
}

#[test]
fn a_source_is_the_one_of_the_same_cluster() {
    check_goes(
        "clusters/staging/apps.yaml",
        "name: flux-sys|tem\n  dependsOn",
        expect![[r#"
        clusters/staging/apps.yaml:9
              name: flux-system
                    ^^^^^^^^^^^
        clusters/staging/flux-system/gotk-sync.yaml:3 flux-system
    "#]],
    );
    check_goes(
        "clusters/production/apps.yaml",
        "{kind: GitRepo|sitory",
        expect![[r#"
        clusters/production/apps.yaml:7
            sourceRef: {kind: GitRepository, name: flux-system}
                                                   ^^^^^^^^^^^
        clusters/production/flux-system/gotk-sync.yaml:3 flux-system
    "#]],
    );
}

#[test]
fn fields_of_flux_objects() {
    let apps = "clusters/staging/apps.yaml";
    check_goes(
        apps,
        "- name: in|fra",
        expect![[r#"
        clusters/staging/apps.yaml:11
              - name: infra
                      ^^^^^
        clusters/staging/infra.yaml:3 infra
    "#]],
    );
    check_goes(
        apps,
        "./apps/|staging",
        expect![[r#"
        clusters/staging/apps.yaml:6
            path: "./apps/staging"
                   ^^^^^^^^^^^^^^
        apps/staging/kustomization.yaml:1 
    "#]],
    );
    check_goes(
        apps,
        "name: clus|ter\n  health",
        expect![[r#"
        clusters/staging/apps.yaml:15
                  name: cluster
                        ^^^^^^^
        clusters/staging/apps.yaml:28 cluster
    "#]],
    );
    check_goes(
        apps,
        "name: we|b, namespace",
        expect![[r#"
        clusters/staging/apps.yaml:17
              - {apiVersion: apps/v1, kind: Deployment, name: web, namespace: web}
                                                              ^^^
        apps/base/deploy.yaml:4 web
    "#]],
    );
    check_goes(
        apps,
        "target: {kind: Depl|oyment}",
        expect![[r#"
        clusters/staging/apps.yaml:24
                target: {kind: Deployment}
                               ^^^^^^^^^^
        apps/base/deploy.yaml:4 web
    "#]],
    );
    check_goes(
        apps,
        "          name: w|eb",
        expect![[r#"
        clusters/staging/apps.yaml:23
                    name: web
                          ^^^
        apps/base/deploy.yaml:4 web
    "#]],
    );
    check_goes(
        apps,
        "inter|val",
        expect![[r#"
        nowhere
    "#]],
    );
    check_goes(
        "apps/base/release.yaml",
        "name: char|ts",
        expect![[r#"
        apps/base/release.yaml:10
                sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}
                                                        ^^^^^^
        infra/charts.yaml:3 charts
    "#]],
    );
    check_goes(
        "apps/base/release.yaml",
        "name: web-|values",
        expect![[r#"
        apps/base/release.yaml:13
                name: web-values
                      ^^^^^^^^^^
        apps/base/kustomization.yaml:5 web-values
    "#]],
    );
    check_goes(
        "clusters/staging/flux-system/gotk-sync.yaml",
        "name: deploy|-key",
        expect![[r#"
        nowhere
    "#]],
    );
    // A folder without kustomization.yaml is all files that are read below it.
    check_goes(
        "clusters/staging/flux-system/gotk-sync.yaml",
        "./clusters/stag|ing",
        expect![[r#"
        clusters/staging/flux-system/gotk-sync.yaml:11
            path: ./clusters/staging
                  ^^^^^^^^^^^^^^^^^^
        clusters/staging/apps.yaml:1 
        clusters/staging/flux-system/gotk-sync.yaml:1 
        clusters/staging/infra.yaml:1 
    "#]],
    );
}

#[test]
fn entries_of_build_files() {
    let staging = "apps/staging/kustomization.yaml";
    check_goes(
        staging,
        "../b|ase",
        expect![[r#"
        apps/staging/kustomization.yaml:3
            - ../base
              ^^^^^^^
        apps/base/kustomization.yaml:1 
    "#]],
    );
    check_goes(
        staging,
        "https://git|.example",
        expect![[r#"
        nowhere
    "#]],
    );
    check_goes(
        staging,
        "components: [..|",
        expect![[r#"
        apps/staging/kustomization.yaml:5
          components: [../../components/ha]
                       ^^^^^^^^^^^^^^^^^^^
        components/ha/kustomization.yaml:1 
    "#]],
    );
    check_goes(
        staging,
        "path: si|ze.yaml",
        expect![[r#"
        apps/staging/kustomization.yaml:7
            - path: size.yaml
                    ^^^^^^^^^
        apps/staging/size.yaml:1 
    "#]],
    );
    check_goes(
        staging,
        "        name: w|eb",
        expect![[r#"
        apps/staging/kustomization.yaml:12
                  name: web
                        ^^^
        apps/base/deploy.yaml:4 web
    "#]],
    );
    check_goes(
        staging,
        "name: w.|*",
        expect![[r#"
        apps/staging/kustomization.yaml:19
                name: w.*
                      ^^^
        apps/base/deploy.yaml:4 web
    "#]],
    );
    check_goes(
        "apps/base/kustomization.yaml",
        "=val|ues.yaml",
        expect![[r#"
        apps/base/kustomization.yaml:6
              files: [values.yaml=values.yaml]
                                  ^^^^^^^^^^^
        apps/base/values.yaml:1 
    "#]],
    );
    check_goes(
        "infra/kustomization.yaml",
        "nowh|ere.yaml",
        expect![[r#"
        nowhere
    "#]],
    );
    check_goes(
        "components/ha/kustomization.yaml",
        "name: w|eb",
        expect![[r#"
        components/ha/kustomization.yaml:4
            - target: {kind: Deployment, name: web}
                                               ^^^
        apps/base/deploy.yaml:4 web
    "#]],
    );
}

#[test]
fn a_patch_leads_to_what_it_changes_and_an_object_to_itself() {
    check_goes(
        "apps/staging/size.yaml",
        "name: w|eb",
        expect![[r#"
        apps/staging/size.yaml:4
            name: web
                  ^^^
        apps/base/deploy.yaml:4 web
    "#]],
    );
    check_goes(
        "apps/base/deploy.yaml",
        "name: w|eb",
        expect![[r#"
        apps/base/deploy.yaml:4
            name: web
                  ^^^
        apps/base/deploy.yaml:4 web
    "#]],
    );
}

#[test]
fn who_mentions_a_manifest() {
    check_from(
        "apps/base/deploy.yaml",
        "name: w|eb",
        expect![[r#"
        clusters/staging/apps.yaml:17 web
        apps/staging/kustomization.yaml:12 web
        apps/staging/kustomization.yaml:19 w.*
        apps/staging/size.yaml:4 web
        clusters/staging/apps.yaml:24 Deployment
        clusters/staging/apps.yaml:23 web
        components/ha/kustomization.yaml:4 web
        apps/base/kustomization.yaml:2 deploy.yaml
        clusters/production/apps.yaml:6 ./apps/production
        clusters/staging/apps.yaml:6 ./apps/staging
    "#]],
    );
    check_from("apps/base/deploy.yaml", "repl|icas", expect![[""]]);
}

#[test]
fn who_mentions_flux_objects() {
    check_from(
        "clusters/staging/infra.yaml",
        "name: in|fra",
        expect![[r#"
        clusters/staging/apps.yaml:11 infra
        clusters/staging/flux-system/gotk-sync.yaml:11 ./clusters/staging
    "#]],
    );
    check_from(
        "clusters/staging/flux-system/gotk-sync.yaml",
        "kind: Git|Repository",
        expect![[r#"
        clusters/staging/apps.yaml:9 flux-system
        clusters/staging/flux-system/gotk-sync.yaml:12 flux-system
        clusters/staging/infra.yaml:7 flux-system
        clusters/staging/flux-system/kustomization.yaml:1 gotk-sync.yaml
        clusters/staging/flux-system/gotk-sync.yaml:11 ./clusters/staging
    "#]],
    );
    check_from(
        "infra/charts.yaml",
        "name: char|ts",
        expect![[r#"
        apps/base/release.yaml:10 charts
        infra/kustomization.yaml:2 charts.yaml
        clusters/production/infra.yaml:6 ./infra
        clusters/staging/infra.yaml:6 ./infra
    "#]],
    );
    // From a mention: who else mentions it.
    check_from(
        "apps/base/release.yaml",
        "name: char|ts",
        expect![[r#"
        apps/base/release.yaml:10 charts
        infra/kustomization.yaml:2 charts.yaml
        clusters/production/infra.yaml:6 ./infra
        clusters/staging/infra.yaml:6 ./infra
    "#]],
    );
}

#[test]
fn who_builds_a_kustomization_file() {
    check_from(
        "apps/base/kustomization.yaml",
        "resou|rces",
        expect![[r#"
        apps/production/kustomization.yaml:1 ../base
        apps/staging/kustomization.yaml:3 ../base
    "#]],
    );
    check_from(
        "apps/staging/kustomization.yaml",
        "namesp|ace",
        expect![[r#"
        clusters/staging/apps.yaml:6 ./apps/staging
    "#]],
    );
    check_from(
        "apps/base/kustomization.yaml",
        "name: web-|values",
        expect![[r#"
        apps/base/release.yaml:13 web-values
        clusters/production/apps.yaml:6 ./apps/production
        clusters/staging/apps.yaml:6 ./apps/staging
    "#]],
    );
    check_from(
        "apps/staging/kustomization.yaml",
        "path: si|ze.yaml",
        expect![[r#"
        apps/staging/kustomization.yaml:7 size.yaml
    "#]],
    );
    check_from(
        "components/ha/kustomization.yaml",
        "kin|d: Comp",
        expect![[r#"
        apps/staging/kustomization.yaml:5 ../../components/ha
    "#]],
    );
}

#[test]
fn links_of_files() {
    let world = world("");
    check_links(
        &world,
        "clusters/staging/apps.yaml",
        expect![[r#"
        clusters/staging/apps.yaml:6
            path: "./apps/staging"
                   ^^^^^^^^^^^^^^ apps/staging/kustomization.yaml (Open apps/staging/kustomization.yaml)
    "#]],
    );
    check_links(
        &world,
        "apps/staging/kustomization.yaml",
        expect![[r#"
        apps/staging/kustomization.yaml:3
            - ../base
              ^^^^^^^ apps/base/kustomization.yaml (Open apps/base/kustomization.yaml)
        apps/staging/kustomization.yaml:5
          components: [../../components/ha]
                       ^^^^^^^^^^^^^^^^^^^ components/ha/kustomization.yaml (Open components/ha/kustomization.yaml)
        apps/staging/kustomization.yaml:7
            - path: size.yaml
                    ^^^^^^^^^ apps/staging/size.yaml (Open apps/staging/size.yaml)
    "#]],
    );
    check_links(
        &world,
        "apps/base/kustomization.yaml",
        expect![[r#"
        apps/base/kustomization.yaml:2
            - deploy.yaml
              ^^^^^^^^^^^ apps/base/deploy.yaml (Open apps/base/deploy.yaml)
        apps/base/kustomization.yaml:3
            - release.yaml
              ^^^^^^^^^^^^ apps/base/release.yaml (Open apps/base/release.yaml)
        apps/base/kustomization.yaml:6
              files: [values.yaml=values.yaml]
                                  ^^^^^^^^^^^ apps/base/values.yaml (Open apps/base/values.yaml)
    "#]],
    );
    check_links(&world, "clusters/staging/flux-system/gotk-sync.yaml", expect![[""]]);
}

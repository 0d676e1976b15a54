//! Artifacts, things that are made, namespaces that parents set, circles, and a large repository.

use expect_test::{Expect, expect};
use manifests::RepoPath;
use std::fmt::Write;

use super::{check_links, find, goes, list};
use crate::references;
use crate::tests::fixture::World;

/// What is checked in a repository of its own: `file|text with a cursor`.
fn check_in(repository: &str, places: &[(&str, &str)], expected: Expect) {
    let world = World::new(repository.trim_start());
    let said: String = places.iter().map(|(path, at)| goes(&world, path, at)).collect();
    expected.assert_eq(&said);
}

#[test]
fn a_path_is_one_of_what_its_source_holds() {
    let repository = r#"
//- clusters/ks.yaml
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: bundles}
spec:
  sources:
    - {alias: repo, kind: GitRepository, name: fleet}
  artifacts:
    - name: shop
      copy:
        - {from: "@repo/apps/shop/**", to: "@artifact/deploy/"}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop}
spec:
  path: ./deploy
  sourceRef: {kind: ExternalArtifact, name: shop}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: pushed}
spec:
  path: ./
  sourceRef: {kind: OCIRepository, name: pushed}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: theirs}
spec:
  path: ./apps/shop
  sourceRef: {kind: GitRepository, name: theirs}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet}
spec: {url: https://git.example/fleet}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: theirs}
spec: {url: https://git.example/theirs}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: chart}
spec:
  chart:
    spec:
      chart: ./charts/web
      valuesFiles: [charts/web/prod.yaml]
      sourceRef: {kind: GitRepository, name: fleet}
//- apps/shop/kustomization.yaml
resources: [web.yaml]
//- apps/shop/web.yaml
apiVersion: v1
kind: Service
metadata: {name: web}
//- charts/web/Chart.yaml
name: web
//- charts/web/prod.yaml
replicas: 3
"#;
    let ks = "clusters/ks.yaml";
    check_in(
        repository,
        &[
            (ks, "path: ./dep|loy"),
            (ks, "name: s|hop}\n---"),
            (ks, "@repo/apps/sh|op"),
            (ks, "path: .|/\n"),
            (ks, "path: ./apps/sh|op"),
            (ks, "./charts/w|eb"),
            (ks, "charts/web/pro|d.yaml"),
        ],
        expect![[r#"
            clusters/ks.yaml:16
                path: ./deploy
                      ^^^^^^^^
            apps/shop/kustomization.yaml:1 
            clusters/ks.yaml:17
                sourceRef: {kind: ExternalArtifact, name: shop}
                                                          ^^^^
            clusters/ks.yaml:8 shop
            clusters/ks.yaml:10
                      - {from: "@repo/apps/shop/**", to: "@artifact/deploy/"}
                                ^^^^^^^^^^^^^^^^^^
            apps/shop/kustomization.yaml:1 
            nowhere
            nowhere
            clusters/ks.yaml:49
                    chart: ./charts/web
                           ^^^^^^^^^^^^
            charts/web/Chart.yaml:1 
            clusters/ks.yaml:50
                    valuesFiles: [charts/web/prod.yaml]
                                  ^^^^^^^^^^^^^^^^^^^^
            charts/web/prod.yaml:1 
        "#]],
    );
    let world = World::new(repository.trim_start());
    let (path, file, offset) = find(&world, "apps/shop/web.yaml", "name: we|b");
    let found = world.with(|inputs| references(inputs, &path, &file, offset, false));
    expect![[r#"
        apps/shop/kustomization.yaml:1 web.yaml
        clusters/ks.yaml:16 ./deploy
    "#]]
    .assert_eq(&list(&world, &found));
    check_links(
        &world,
        ks,
        expect![[r#"
        clusters/ks.yaml:10
                  - {from: "@repo/apps/shop/**", to: "@artifact/deploy/"}
                            ^^^^^^^^^^^^^^^^^^ apps/shop/kustomization.yaml (Open apps/shop/kustomization.yaml)
        clusters/ks.yaml:16
            path: ./deploy
                  ^^^^^^^^ apps/shop/kustomization.yaml (Open apps/shop/kustomization.yaml)
        clusters/ks.yaml:49
                chart: ./charts/web
                       ^^^^^^^^^^^^ charts/web/Chart.yaml (Open charts/web/Chart.yaml)
        clusters/ks.yaml:50
                valuesFiles: [charts/web/prod.yaml]
                              ^^^^^^^^^^^^^^^^^^^^ charts/web/prod.yaml (Open charts/web/prod.yaml)
    "#]],
    );
}

#[test]
fn what_is_made_has_the_place_of_its_maker() {
    check_in(
        r#"
//- flux.yaml
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync: {kind: GitRepository, url: https://git.example/fleet, path: clusters/one}
//- clusters/one/all.yaml
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: all, namespace: flux-system}
spec:
  providerRef: {name: chat}
  eventSources:
    - {kind: GitRepository, name: flux-system}
    - {kind: Kustomization, name: "*"}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: chat, namespace: flux-system}
spec: {secretRef: {name: token}, type: slack}
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Secret
    metadata: {name: token, namespace: flux-system}
  - apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata: {name: listed, namespace: flux-system}
"#,
        &[
            ("flux.yaml", "clusters/o|ne"),
            ("clusters/one/all.yaml", "providerRef: {name: ch|at}"),
            ("clusters/one/all.yaml", "name: flux|-system}\n    - {kind: Kust"),
            ("clusters/one/all.yaml", "name: \"|*\""),
            ("clusters/one/all.yaml", "name: tok|en}, type"),
        ],
        expect![[r#"
            flux.yaml:5
                sync: {kind: GitRepository, url: https://git.example/fleet, path: clusters/one}
                                                                                  ^^^^^^^^^^^^
            clusters/one/all.yaml:1 
            clusters/one/all.yaml:5
                providerRef: {name: chat}
                                    ^^^^
            clusters/one/all.yaml:12 chat
            clusters/one/all.yaml:7
                  - {kind: GitRepository, name: flux-system}
                                                ^^^^^^^^^^^
            flux.yaml:5 sync
            clusters/one/all.yaml:8
                  - {kind: Kustomization, name: "*"}
                                                 ^
            clusters/one/all.yaml:23 listed
            clusters/one/all.yaml:13
              spec: {secretRef: {name: token}, type: slack}
                                       ^^^^^
            clusters/one/all.yaml:20 token
        "#]],
    );
}

#[test]
fn a_namespace_that_a_parent_sets_is_not_the_written_one() {
    let objects = |namespace: &str| {
        format!(
            r#"
//- apps/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web, namespace: one}}
spec:
  chartRef: {{kind: OCIRepository, name: web}}
//- apps/chart.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: web, namespace: two}}
//- apps/kustomization.yaml
{namespace}
resources: [release.yaml, chart.yaml]
"#
        )
    };
    let place = [("apps/release.yaml", "OCIRepository, name: w|eb")];
    check_in(
        &objects("# nothing set"),
        &place,
        expect![[r#"
        nowhere
    "#]],
    );
    check_in(
        &objects("namespace: three"),
        &place,
        expect![[r#"
        apps/release.yaml:5
            chartRef: {kind: OCIRepository, name: web}
                                                  ^^^
        apps/chart.yaml:3 web
    "#]],
    );
}

#[test]
fn what_nothing_tells_apart_is_all_given_the_nearest_first() {
    let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: charts}\n";
    check_in(
        &format!(
            r#"
//- a/charts.yaml
{source}//- b/charts.yaml
{source}//- b/patch.yaml
{source}spec: {{timeout: 1m}}
//- b/kustomization.yaml
resources: [charts.yaml, release.yaml]
patches: [{{path: patch.yaml}}]
//- b/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web}}
spec: {{chart: {{spec: {{chart: web, sourceRef: {{kind: HelmRepository, name: charts}}}}}}}}
//- b/c/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web}}
spec: {{chart: {{spec: {{chart: web, sourceRef: {{kind: HelmRepository, name: charts}}}}}}}}
//- c/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web}}
spec: {{chart: {{spec: {{chart: web, sourceRef: {{kind: HelmRepository, name: charts}}}}}}}}
"#
        ),
        &[
            ("b/release.yaml", "name: ch|arts"),
            ("c/release.yaml", "name: ch|arts"),
            ("b/c/release.yaml", "name: ch|arts"),
            ("b/patch.yaml", "name: ch|arts"),
        ],
        expect![[r#"
            b/release.yaml:4
              spec: {chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts}}}}
                                                                                        ^^^^^^
            b/charts.yaml:3 charts
            c/release.yaml:4
              spec: {chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts}}}}
                                                                                        ^^^^^^
            a/charts.yaml:3 charts
            b/charts.yaml:3 charts
            b/c/release.yaml:4
              spec: {chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts}}}}
                                                                                        ^^^^^^
            b/charts.yaml:3 charts
            a/charts.yaml:3 charts
            b/patch.yaml:3
              metadata: {name: charts}
                               ^^^^^^
            b/charts.yaml:3 charts
        "#]],
    );
}

#[test]
fn a_live_cluster_chooses() {
    // Two folders, nothing in the files says which is whose: the live Kustomizations do.
    let object = |name: &str, rest: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: {{sourceRef: {{kind: GitRepository, name: fleet}}{rest}}}\n"
        )
    };
    let files = format!(
        "//- one/web.yaml\n{}//- one/db.yaml\n{}//- two/web.yaml\n{}//- two/db.yaml\n{}",
        object("web", ", path: ./w, dependsOn: [{name: db}]"),
        object("db", ", path: ./d"),
        object("web", ", path: ./w, dependsOn: [{name: db}]"),
        object("db", ", path: ./d"),
    );
    let cluster = "//- cluster prod\n{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}\n{kind: Kustomization, name: root, source: GitRepository/fleet, path: ./two, at: main@1a2b3c4, holds: [Kustomization/flux-system/web, Kustomization/flux-system/db]}\n{kind: Kustomization, name: web, source: GitRepository/fleet, path: ./w, at: main@1a2b3c4}\n{kind: Kustomization, name: db, source: GitRepository/fleet, path: ./d, at: main@1a2b3c4}\n";
    check_in(
        &files,
        &[("two/web.yaml", "name: d|b")],
        expect![[r#"
            two/web.yaml:4
              spec: {sourceRef: {kind: GitRepository, name: fleet}, path: ./w, dependsOn: [{name: db}]}
                                                                                                  ^^
            two/db.yaml:3 db
            one/db.yaml:3 db
        "#]],
    );
    check_in(
        &format!("{files}{cluster}"),
        &[("two/web.yaml", "name: d|b")],
        expect![[r#"
        two/web.yaml:4
          spec: {sourceRef: {kind: GitRepository, name: fleet}, path: ./w, dependsOn: [{name: db}]}
                                                                                              ^^
        two/db.yaml:3 db
    "#]],
    );
}

#[test]
fn circles_end() {
    let repository = r#"
//- a/kustomization.yaml
resources: [../b, ., web.yaml]
//- b/kustomization.yaml
resources: [../a]
//- a/web.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web}
spec:
  path: ./a
  sourceRef: {kind: ExternalArtifact, name: web}
  dependsOn: [{name: web}]
---
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: web}
spec:
  sources: [{alias: own, kind: ExternalArtifact, name: web}]
  artifacts: [{name: web, copy: [{from: "@own/a", to: "@artifact/"}]}]
"#;
    check_in(
        repository,
        &[("a/web.yaml", "dependsOn: [{name: w|eb"), ("a/web.yaml", "path: ./|a")],
        expect![[r#"
            a/web.yaml:7
                dependsOn: [{name: web}]
                                   ^^^
            a/web.yaml:3 web
            nowhere
        "#]],
    );
}

/// A large repository is answered from its index: one question reads the documents it leads to, and no others.
#[test]
fn a_large_repository() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counted<'a>(&'a manifests::MemoryTree, AtomicUsize);
    impl manifests::Tree for Counted<'_> {
        fn read(&self, path: &RepoPath) -> Option<std::sync::Arc<str>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.read(path)
        }
        fn list(&self, directory: &RepoPath) -> Vec<(String, manifests::FileKind)> {
            // Listing a tree in memory looks at all of it; no question may need many.
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.list(directory)
        }
    }
    let mut files = String::from(
        "//- ks.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: all}\nspec: {path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}\n",
    );
    for app in 0..1000 {
        let _ = write!(files, "//- apps/a{app}/kustomization.yaml\nresources: [deploy.yaml, service.yaml]\n");
        for kind in ["Deployment", "Service"] {
            let file = if kind == "Service" { "service" } else { "deploy" };
            let _ = write!(
                files,
                "//- apps/a{app}/{file}.yaml\nkind: {kind}\napiVersion: v1\nmetadata: {{name: a{app}}}\n"
            );
        }
    }
    let world = World::new(&files);
    let (path, file, offset) = find(&world, "apps/a500/deploy.yaml", "name: a5|00");
    let tree = Counted(&world.tree, AtomicUsize::new(0));
    let found = world.with(|inputs| {
        let mut repo = inputs.repo;
        repo.tree = &tree;
        let inputs = crate::Inputs {
            repo,
            clusters: inputs.clusters,
            offer: inputs.offer,
            past: inputs.past,
            reported: inputs.reported,
            settings: inputs.settings,
            memo: inputs.memo,
            now: inputs.now,
            zone: inputs.zone,
        };
        references(&inputs, &path, &file, offset, false)
    });
    expect![[r#"
        apps/a500/kustomization.yaml:1 deploy.yaml
        ks.yaml:4 ./apps
    "#]]
    .assert_eq(&list(&world, &found));
    let asked = tree.1.load(Ordering::Relaxed);
    assert!(asked < 20, "{asked} files and folders were looked at");
}

//! What a source leaves out of its artifact: of what is copied or pulled, and where only the files tell.

use expect_test::{Expect, expect};

use super::drawing::{check_lenses, hover_lines};
use super::fixture::World;

/// Three ConfigMaps; the middle one is a draft.
const APPS: &str = "\
//- apps/web.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
//- apps/draft.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: dr$0aft, namespace: shop}
//- apps/zoo.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: zoo, namespace: shop}
";

const ON: &str = "//- settings\nnot-applied\n";

/// A cluster that applies `apps` of an artifact that was copied together from the repository.
fn copied(ignore: &str) -> String {
    format!(
        "\
//- cluster staging
{{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4, spec: {{ignore: \"{ignore}\"}}}}
{{kind: ArtifactGenerator, name: gen, spec: {{sources: [{{alias: repo, kind: GitRepository, name: fleet}}], artifacts: [{{name: bundle, originRevision: '@repo', copy: [{{from: '@repo/apps/**', to: '@artifact/x/'}}]}}]}}}}
{{kind: ExternalArtifact, name: bundle, at: main@1a2b3c4, spec: {{sourceRef: {{apiVersion: source.extensions.fluxcd.io/v1beta1, kind: ArtifactGenerator, name: gen}}}}}}
{{kind: Kustomization, name: apps, source: ExternalArtifact/bundle, path: ./x, at: main@1a2b3c4, holds: [ConfigMap/shop/web, ConfigMap/shop/zoo]}}
//- commits
1a2b3c4 Add apps
"
    )
}

/// A cluster that applies `apps` of an artifact that was pushed from the repository.
fn pulled(spec: &str) -> String {
    format!(
        "\
//- cluster staging
{{kind: OCIRepository, name: fleet, at: main@1a2b3c4, metadata: {{org.opencontainers.image.source: 'https://git.example/fleet', org.opencontainers.image.revision: 'main@sha1:1a2b3c4000000000000000000000000000000000'}}, spec: {{{spec}}}}}
{{kind: Kustomization, name: apps, source: OCIRepository/fleet, path: ./apps, at: main@1a2b3c4, holds: [ConfigMap/shop/web, ConfigMap/shop/zoo]}}
//- commits
1a2b3c4 Add apps
"
    )
}

fn why(fixture: &str) -> String {
    hover_lines(fixture, |it| it.contains("left out") || it.contains("applie"))
}

#[test]
fn what_a_source_leaves_out_is_not_copied() {
    let ignored = format!("{APPS}//- .sourceignore\n# drafts\ndraft.yaml\n");
    let by_file = "- not in the artifact that `staging` fetches: left out by `.sourceignore`:2\n";
    let by_spec = "- not in the artifact that `staging` fetches: left out by `spec.ignore` of the source\n";
    assert_eq!(why(&format!("{ignored}{}", copied(""))), by_file);
    assert_eq!(why(&format!("{APPS}{}", copied("/apps/draft.yaml"))), by_spec);
    check_lenses(
        &format!("{ignored}{}{ON}", copied("")),
        expect![[r#"
        apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        apps/draft.yaml:1 [Flux: left out of what is fetched by .sourceignore:2]
        apps/zoo.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
    "#]],
    );
    // No rule copies it: nothing leaves it out.
    let elsewhere = ignored.replace("apps/draft.yaml", "other/draft.yaml");
    assert_eq!(
        why(&format!("{elsewhere}{}{ON}", copied(""))),
        "Nothing applies this file. `Flux: not applied by staging`\n"
    );
}

#[test]
fn what_an_oci_repository_leaves_out() {
    let ignored = format!("{APPS}//- .sourceignore\n# drafts\ndraft.yaml\n");
    let by_file = "- not in the artifact that `staging` fetches: left out by `.sourceignore`:2\n";
    let by_spec = "- not in the artifact that `staging` fetches: left out by `spec.ignore` of the source\n";
    assert_eq!(why(&format!("{ignored}{}", pulled(""))), by_file);
    assert_eq!(why(&format!("{APPS}{}", pulled("ignore: draft.yaml"))), by_spec);
    check_lenses(
        &format!("{ignored}{}{ON}", pulled("")),
        expect![[r#"
        apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        apps/draft.yaml:1 [Flux: left out of what is fetched by .sourceignore:2]
        apps/zoo.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
    "#]],
    );
    // A layer that is copied as it is keeps all its files.
    let copy = "ignore: draft.yaml, layerSelector: {operation: copy}";
    check_lenses(
        &format!("{ignored}{}{ON}", pulled(copy)),
        expect![[r#"
        apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        apps/draft.yaml:1 [staging: not applied yet] [Reconcile now]
        apps/zoo.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
    "#]],
    );
    // Pushed from which of two folders nobody knows: what is left out of it neither.
    let two = format!(
        "{ignored}//- other/apps/web.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web, namespace: shop}}\n"
    );
    let two = two
        + "//- other/apps/zoo.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: zoo, namespace: shop}\n";
    assert_eq!(why(&format!("{two}{}", pulled(""))), "");
}

#[test]
fn what_is_left_out_now_and_was_applied_is_still_there() {
    let ignored = format!("{APPS}//- .sourceignore\ndraft.yaml\n{}{ON}", copied(""));
    let held = ignored.replace("ConfigMap/shop/web,", "ConfigMap/shop/web, ConfigMap/shop/draft,");
    assert_eq!(
        why(&held),
        "`staging: still applied main@1a2b3c4 by apps; taken out here, will be left behind when that is applied`\n\
         - not in the artifact that `staging` fetches: left out by `.sourceignore`:1\n"
    );
}

/// What the files alone tell.
fn check_inventory(fixture: &str, expected: Expect) {
    let mut world = World::new(fixture);
    let mut out = String::new();
    for it in world.ask(|inputs| crate::inventory(&inputs.repo)).applications {
        let objects = it.build.objects.iter();
        let names: Vec<String> = objects.filter_map(|it| Some(it.id()?.name.to_string())).collect();
        let untold = it.untold.as_ref().map(|it| format!(", not known: {it}")).unwrap_or_default();
        out.push_str(&format!("{}: {}{untold}\n", it.title(), names.join(" ")));
    }
    expected.assert_eq(&out);
}

/// A source and a Kustomization of `apps`, in a cluster's folder.
fn delivered(folder: &str, kind: &str, spec: &str) -> String {
    format!(
        "\
//- {folder}/source.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: {kind}
metadata: {{name: fleet, namespace: flux-system}}
spec: {{url: 'https://git.example/fleet', {spec}}}
//- {folder}/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: flux-system}}
spec: {{path: ./apps, sourceRef: {{kind: {kind}, name: fleet}}}}
"
    )
}

#[test]
fn what_the_files_say_is_left_out() {
    let apps = APPS.replace("$0", "");
    let git = |spec: &str| format!("{apps}{}", delivered("clusters/a", "GitRepository", spec));
    check_inventory(
        &git(""),
        expect![[r#"
        flux-system/apps: draft web zoo
    "#]],
    );
    check_inventory(
        &git("ignore: /apps/draft.yaml"),
        expect![[r#"
        flux-system/apps: web zoo
    "#]],
    );
    let ignored = "//- .sourceignore\ndraft.yaml\n";
    check_inventory(
        &format!("{}{ignored}", git("")),
        expect![[r#"
        flux-system/apps: web zoo
    "#]],
    );
    // Each cluster has its own.
    let two = format!("{}{}", git("ignore: zoo.yaml"), delivered("clusters/b", "GitRepository", ""));
    check_inventory(
        &two,
        expect![[r#"
        flux-system/apps: draft web
        flux-system/apps: draft web zoo
    "#]],
    );
    // Which of two it is nobody knows; where it makes no difference that does not matter.
    let unsure = |one: &str, other: &str| {
        let rival = delivered("clusters/a/x", "GitRepository", other);
        git(one) + rival.split("//- clusters/a/x/apps.yaml").next().unwrap_or_default()
    };
    check_inventory(
        &unsure("ignore: zoo.yaml", "ignore: draft.yaml"),
        expect![[r#"
        flux-system/apps: , not known: which `spec.ignore` GitRepository/fleet has is not known, and it makes a difference
    "#]],
    );
    check_inventory(
        &unsure("ignore: other.yaml", "ignore: more.yaml"),
        expect![[r#"
        flux-system/apps: draft web zoo
    "#]],
    );
    // The folder that an artifact was pushed from is not written down.
    let oci = |spec: &str| format!("{apps}{}", delivered("clusters/a", "OCIRepository", spec));
    check_inventory(
        &oci(""),
        expect![[r#"
        flux-system/apps: draft web zoo
    "#]],
    );
    check_inventory(
        &oci("ignore: draft.yaml"),
        expect![[r#"
        flux-system/apps: , not known: OCIRepository/fleet leaves files out, and which folder it was pushed from is not known
    "#]],
    );
    let copy = "ignore: draft.yaml, layerSelector: {operation: copy}";
    check_inventory(
        &format!("{}{ignored}", oci(copy)),
        expect![[r#"
        flux-system/apps: draft web zoo
    "#]],
    );
}

#[test]
fn a_source_is_what_its_parent_makes_of_it() {
    let root = "\
//- clusters/a/kustomization.yaml
resources: [source.yaml, apps.yaml, root.yaml]
patches:
  - target: {kind: GitRepository}
    patch: '[{op: add, path: /spec/ignore, value: draft.yaml}]'
//- clusters/a/root.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: root, namespace: flux-system}
spec: {path: ./clusters/a, sourceRef: {kind: GitRepository, name: fleet}}
";
    let apps = APPS.replace("$0", "");
    check_inventory(
        &format!("{apps}{}{root}", delivered("clusters/a", "GitRepository", "")),
        expect![[r#"
        flux-system/root: fleet apps root
        flux-system/apps: web zoo
    "#]],
    );
}

#[test]
fn what_is_copied_by_what_the_files_say() {
    let flux = delivered("clusters/a", "GitRepository", "ignore: draft.yaml").replace(
        "sourceRef: {kind: GitRepository, name: fleet}",
        "sourceRef: {kind: ExternalArtifact, name: bundle}",
    );
    let generator = "\
//- clusters/a/generator.yaml
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: gen, namespace: flux-system}
spec:
  sources: [{alias: repo, kind: GitRepository, name: fleet}]
  artifacts: [{name: bundle, copy: [{from: '@repo/apps', to: '@artifact/'}]}]
";
    let apps = APPS.replace("$0", "");
    check_inventory(
        &format!("{apps}{flux}{generator}"),
        expect![[r#"
        flux-system/apps: web zoo
    "#]],
    );
}

#[test]
fn a_report_is_not_about_what_is_left_out() {
    let reports = "//- reported\n1a2b3c4 kustomization/apps/0c9c2e41 success 2026-11-22T05:57:00Z reconciliation succeeded\n";
    let files = |ignore: &str| {
        format!("{APPS}{}{reports}", delivered("clusters/a", "GitRepository", &format!("ignore: {ignore}")))
    };
    let applied =
        "- applied by `Kustomization/flux-system/apps` in `clusters/a/apps.yaml`, as far as the files tell\n";
    assert_eq!(why(&files("zoo.yaml")), applied);
    assert_eq!(why(&files("draft.yaml")), "");
}

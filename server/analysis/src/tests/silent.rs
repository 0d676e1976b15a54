//! What Flux passes over in silence, each with its proof, and what is no proof.

use expect_test::{Expect, expect};

use super::drawing::check_marks;

const CLUSTER: &str = "\
//- commits
1a2b3c4 Add the apps
//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
";

/// The marks of a repository whose Kustomization builds `apps` and is as `apps` says.
fn check(files: &str, apps: &str, expected: Expect) {
    let apps =
        format!("{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: apps, {apps}}}\n");
    check_marks(&format!("{files}{CLUSTER}{apps}"), expected);
}

const READY: &str = "at: main@1a2b3c4";

const MISSPELT: &str = "\
//- apps/kustomization.yaml
resource:
  - settings.yaml
x-anchors: {}
patches:
  - targets: {kind: Deployment}
    patch: '[]'
Namespace: shop
//- apps/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
";

#[test]
fn a_key_that_no_kustomization_has() {
    check(
        MISSPELT,
        &format!("{READY}, holds: []"),
        expect![[r#"
        apps/kustomization.yaml:1
          resource:
          ^^^^^^^^ warning UnknownKey: staging: `resource` is no key of a kustomization here, and was dropped without a word: Kustomization/flux-system/apps is Ready and applies nothing
        apps/kustomization.yaml:5
            - targets: {kind: Deployment}
              ^^^^^^^ warning UnknownKey: staging: `targets` is no key of a kustomization here, and was dropped without a word: Kustomization/flux-system/apps is Ready and applies nothing
    "#]],
    );
}

#[test]
fn nothing_is_said_of_what_failed_runs_or_was_another_text() {
    let failed = "failed: [BuildFailed, broken, main@1a2b3c4], holds: []";
    check(MISSPELT, failed, expect![""]);
    check(MISSPELT, "pending: true", expect![""]);
    let then = format!("{MISSPELT}//- then 1a2b3c4 apps/kustomization.yaml\nresources: [settings.yaml]\n");
    check(&then, &format!("{READY}, holds: []"), expect![""]);
    let off = format!("{MISSPELT}//- settings\nsilent=off\n");
    check(&off, &format!("{READY}, holds: []"), expect![""]);
}

#[test]
fn a_build_of_nothing() {
    let empty = "//- apps/kustomization.yaml\nkind: Kustomization\n#resources: [a.yaml]\n";
    check(
        empty,
        &format!("{READY}, holds: []"),
        expect![[r#"
        apps/kustomization.yaml:1
          kind: Kustomization
          ^^^^ warning NothingBuilt: staging: this builds nothing: Kustomization/flux-system/apps is Ready and applies no object
    "#]],
    );
    // Its inventory is not known, it is not empty, or the author says so.
    check(empty, READY, expect![""]);
    check(empty, &format!("{READY}, holds: [ConfigMap/shop/a]"), expect![""]);
    check("//- apps/kustomization.yaml\nresources: []\n", &format!("{READY}, holds: []"), expect![""]);
}

const SEALED: &str = "\
//- apps/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data:
  password: ENC[AES256_GCM,data:p673w==,iv:YY=,tag:CQ==,type:str]
sops:
  mac: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]
  version: 3.9.0
";

#[test]
fn ciphertext_that_nothing_decrypts() {
    let holds = "holds: [ConfigMap/shop/settings]";
    check(
        SEALED,
        &format!("{READY}, {holds}"),
        expect![[r#"
        apps/settings.yaml:6
          sops:
          ^^^^ warning NotDecrypted: staging: encrypted, and Kustomization/flux-system/apps has no `spec.decryption`: the ciphertext is applied as it is
    "#]],
    );
    // Decrypted; not applied; left alone on purpose.
    check(SEALED, &format!("{READY}, {holds}, spec: {{decryption: {{provider: sops}}}}"), expect![""]);
    check(SEALED, &format!("{READY}, holds: [ConfigMap/shop/other]"), expect![""]);
    let ignored = SEALED.replace(
        "namespace: shop}",
        "namespace: shop, annotations: {kustomize.toolkit.fluxcd.io/ssa: ignore}}",
    );
    check(&ignored, &format!("{READY}, {holds}"), expect![""]);
}

#[test]
fn ciphertext_in_what_is_generated() {
    let files = "\
//- apps/kustomization.yaml
generatorOptions: {disableNameSuffixHash: true}
configMapGenerator:
  - {name: settings, namespace: shop, files: [settings.json]}
secretGenerator:
  - {name: login, namespace: shop, files: [login.json]}
//- apps/settings.json
{\"password\": \"ENC[AES256_GCM,data:p673w==,type:str]\", \"sops\": {}}
//- apps/login.json
{\"password\": \"ENC[AES256_GCM,data:p673w==,type:str]\", \"sops\": {}}
";
    let holds = "holds: [ConfigMap/shop/settings, Secret/shop/login]";
    check(
        files,
        &format!("{READY}, {holds}"),
        expect![[r#"
        apps/kustomization.yaml:3
            - {name: settings, namespace: shop, files: [settings.json]}
                                                        ^^^^^^^^^^^^^ warning NotDecrypted: staging: encrypted, and Kustomization/flux-system/apps has no `spec.decryption`: the ciphertext is applied as it is
        apps/kustomization.yaml:5
            - {name: login, namespace: shop, files: [login.json]}
                                                     ^^^^^^^^^^ warning NotDecrypted: staging: encrypted, and Kustomization/flux-system/apps has no `spec.decryption`: the ciphertext is applied as it is
    "#]],
    );
    check(
        files,
        &format!("{READY}, {holds}, spec: {{decryption: {{provider: sops}}}}"),
        expect![[r#"
        apps/kustomization.yaml:3
            - {name: settings, namespace: shop, files: [settings.json]}
                                                        ^^^^^^^^^^^^^ warning NotDecrypted: staging: encrypted, and what a configMapGenerator reads is never decrypted: the ciphertext is applied as it is
    "#]],
    );
}

const CHILD: &str = "\
//- apps/child.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: child, namespace: flux-system}
spec:
  path: ./child
  prune: false
  wait: true
  sourceRef: {kind: GitRepository, name: fleet}
";

#[test]
fn a_field_that_the_live_object_lacks() {
    let child = |spec: &str| {
        format!(
            "{READY}, holds: [Kustomization/flux-system/child]}}\n{{kind: Kustomization, name: child, source: GitRepository/fleet, path: ./child, {spec}, at: main@1a2b3c4"
        )
    };
    check(
        CHILD,
        &child("spec: {}"),
        expect![[r#"
        apps/child.yaml:7
            wait: true
            ^^^^ warning DroppedField: staging: `spec.wait` is not in the live object, although Kustomization/flux-system/apps is Ready: dropped on the way, or taken away there
    "#]],
    );
    check(CHILD, &child("spec: {wait: true}"), expect![""]);
    // Written by Flux only once, or into what others wrote.
    for ssa in ["IfNotPresent", "Merge", "Ignore"] {
        let text = CHILD.replace(
            "namespace: flux-system}",
            &format!("namespace: flux-system, annotations: {{kustomize.toolkit.fluxcd.io/ssa: {ssa}}}}}"),
        );
        check(&text, &child("spec: {}"), expect![""]);
    }
}

//! What is in an artifact of a repository.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use crate::kustomize::{self, Files, Overlay};
use crate::{RepoPath, SourceTree, fixture};

/// What of the repository is left out, and by what.
fn check(files: &str, ignore: Option<&str>, expected: Expect) {
    let fixture = fixture::parse(files);
    let tree = fixture.tree();
    let artifact = SourceTree::new(&tree, ignore);
    let mut out = String::new();
    for (path, _) in &fixture.files {
        if let Some(why) = artifact.left_out(path) {
            let _ = writeln!(out, "{path}: {why:?}");
        }
    }
    expected.assert_eq(&out);
}

const REPOSITORY: &str = "\
//- .github/workflows/ci.yaml
//- .gitignore
//- .sops.yaml
//- apps/.sops.yaml
//- apps/web/deploy.yaml
//- apps/web/logo.png
//- docs/apps/web.yaml
//- docs/keep.yaml
";

#[test]
fn what_is_left_out_where_nothing_is_said() {
    check(
        REPOSITORY,
        None,
        expect![[r#"
        .github/workflows/ci.yaml: Default
        .gitignore: Default
        .sops.yaml: Default
        apps/.sops.yaml: Default
        apps/web/logo.png: Default
    "#]],
    );
}

#[test]
fn any_pattern_replaces_the_defaults() {
    check(
        REPOSITORY,
        Some("# a comment\n\n/docs/\n!/docs/keep.yaml\n"),
        expect![[r#"
        .gitignore: Default
        docs/apps/web.yaml: Spec
    "#]],
    );
    check(
        &format!("{REPOSITORY}//- .sourceignore\n# all\n/*\n!/apps\n"),
        None,
        expect![[r#"
        .github/workflows/ci.yaml: File(RepoPath(".sourceignore"), 2)
        .gitignore: File(RepoPath(".sourceignore"), 2)
        .sops.yaml: File(RepoPath(".sourceignore"), 2)
        docs/apps/web.yaml: File(RepoPath(".sourceignore"), 2)
        docs/keep.yaml: File(RepoPath(".sourceignore"), 2)
        .sourceignore: File(RepoPath(".sourceignore"), 2)
    "#]],
    );
    check(
        &format!("{REPOSITORY}//- docs/.sourceignore\n/apps\n"),
        Some("*.png"),
        expect![[r#"
        .gitignore: Default
        apps/web/logo.png: Spec
        docs/apps/web.yaml: File(RepoPath("docs/.sourceignore"), 1)
    "#]],
    );
    // The last pattern that is about a file counts, also one about a folder above.
    check(
        REPOSITORY,
        Some("*.yaml\n!docs/"),
        expect![[r#"
        .github/workflows/ci.yaml: Spec
        .gitignore: Default
        .sops.yaml: Spec
        apps/.sops.yaml: Spec
        apps/web/deploy.yaml: Spec
    "#]],
    );
    // No pattern at all.
    check(
        REPOSITORY,
        Some("# nothing\n"),
        expect![[r#"
        .github/workflows/ci.yaml: Default
        .gitignore: Default
        .sops.yaml: Default
        apps/.sops.yaml: Default
        apps/web/logo.png: Default
    "#]],
    );
    check(
        REPOSITORY,
        Some("["),
        expect![[r#"
        .gitignore: Default
    "#]],
    );
}

#[test]
fn a_build_does_not_see_what_is_left_out() {
    let files = "\
//- .github/workflows/ci.yaml
on: push
//- web.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
//- drafts/kustomization.yaml
resources: [gone.yaml]
";
    let tree = fixture::parse(files).tree();
    let build = |ignore: Option<&str>| {
        let artifact = SourceTree::new(&tree, ignore);
        let build = kustomize::build(&Files::new(&artifact), &RepoPath::root(), &Overlay::default());
        let unknown: Vec<String> = build.unknown.iter().map(|it| it.why.to_string()).collect();
        (build.objects.len(), unknown)
    };
    assert_eq!(build(None), (1, vec!["drafts/gone.yaml does not exist".to_owned()]));
    assert_eq!(build(Some("/drafts/\n.github\n")), (1, Vec::new()));
    assert_eq!(
        build(Some("/drafts/\n")).1,
        [".github/workflows/ci.yaml holds a document that is no Kubernetes object"]
    );
}

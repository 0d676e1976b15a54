//! A chart that Flux passes over is marked at the version that is still the same.

use expect_test::{Expect, expect};

use super::{REPO, Says, VALUES, WELL, git, lens_of, then};
use crate::tests::drawing::draw_marks;
use crate::tests::fixture::World;

/// The source has 9f8e7d6, what was packaged and runs is older, and of the same version.
const FETCHED: Says = Says { fetched: "9f8e7d6", stored: "2026-11-21T22:01:00Z", ..WELL };

fn marks(text: &str) -> String {
    draw_marks(&mut World::new(text))
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&marks(&format!("{REPO}{text}")));
}

#[test]
fn a_chart_that_is_not_taken_is_marked_at_its_version() {
    let pushed = git("9f8e7d6", "9f8e7d6");
    let before = then(&["1a2b3c4"]);
    check(
        &(before.clone() + &FETCHED.text() + &pushed),
        expect![[r#"
        charts/web/Chart.yaml:3
          version: 1.2.0
                   ^^^^^ warning ChartNotTaken: staging: charts/web/values.yaml is not what was packaged as 1.2.0, and HelmRelease/flux-system/web does not take it under the same version (reconcileStrategy ChartVersion): raise `version`
          see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: applied 1.2.0
    "#]],
    );
    // Before it is there.
    check(
        &(before.clone() + &WELL.text() + &pushed),
        expect![[r#"
        charts/web/Chart.yaml:3
          version: 1.2.0
                   ^^^^^ warning ChartNotTaken: staging: charts/web/values.yaml is not what was packaged as 1.2.0, and HelmRelease/flux-system/web will not take it under the same version (reconcileStrategy ChartVersion): raise `version`
          see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: applied 1.2.0
    "#]],
    );
    check(
        &(before.clone() + &WELL.text() + &git("1a2b3c4", "1a2b3c4")),
        expect![[r#"
        charts/web/Chart.yaml:3
          version: 1.2.0
                   ^^^^^ warning ChartNotTaken: staging: charts/web/values.yaml is not what was packaged as 1.2.0, and HelmRelease/flux-system/web will not take it under the same version (reconcileStrategy ChartVersion): raise `version`
          see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: applied 1.2.0
    "#]],
    );
    // Not while somebody types.
    check(&(before.clone() + &then(&["saved"]) + &WELL.text() + &git("1a2b3c4", "1a2b3c4")), expect![[""]]);
    // Who does not want to be told.
    let off = pushed.replace("settings\n", "settings\nnot-silent ");
    check(&(before.clone() + &FETCHED.text() + &off), expect![[""]]);
}

#[test]
fn no_mark_where_the_chart_is_taken_or_nobody_knows() {
    let pushed = git("9f8e7d6", "9f8e7d6");
    let before = then(&["1a2b3c4"]);
    let none = |text: String| check(&text, expect![[""]]);
    // The very text that runs.
    none(WELL.text() + &git("1a2b3c4", "1a2b3c4"));
    // Each revision is another version.
    none(
        before.clone()
            + &Says {
                packaged: "1.2.0+1a2b3c400000",
                running: "1.2.0+1a2b3c400000",
                spec: ", reconcileStrategy: Revision",
                ..FETCHED
            }
            .text()
            + &pushed,
    );
    // Raised.
    let raised = "//- then 1a2b3c4 charts/web/Chart.yaml\nname: web\nversion: 1.1.9\n";
    let old = Says { packaged: "1.1.9", running: "1.1.9", ..FETCHED };
    none(before.clone() + raised + &old.text() + &pushed);
    // Of two texts of one version, either may have been packaged.
    let later = Says { packaged_at: "2026-11-21T22:01:00Z", deployed_at: "2026-11-21T22:01:02Z", ..FETCHED };
    none(before.clone() + &later.text() + &pushed);
    // On purpose.
    none(before.clone() + &Says { release: ", suspend: true", ..FETCHED }.text() + &pushed);
}

#[test]
fn what_the_release_does_not_use_makes_no_difference() {
    let pushed = git("9f8e7d6", "9f8e7d6");
    let all = FETCHED.text() + &pushed;
    let beside = |path: &str| format!("//- {path}\nnew: text\n//- then 1a2b3c4 {path}\nold: text\n{all}");
    let live = "1 [✓ staging: live 1.2.0] [Reconcile now]";
    for path in [
        "charts/web/README.md",
        "charts/web/values-dev.yaml",
        "charts/web/LICENSE",
        "charts/web/templates/NOTES.txt",
    ] {
        check(&beside(path), expect![[""]]);
        assert_eq!(lens_of(VALUES, &beside(path)), live, "{path}");
    }
    // A values file is not what is packaged unless it is listed.
    assert_eq!(lens_of("charts/web/values-dev.yaml", &beside("charts/web/values-dev.yaml")), "nothing");
    // Out of the package by the chart's own rules.
    let kept_out = format!("//- charts/web/.helmignore\n/ci/\n{}", beside("charts/web/ci/test.yaml"));
    check(&kept_out, expect![[""]]);
    // A template may read any file.
    let reads = "//- charts/web/templates/more.yaml\ndata: {{ .Files.Get \"LICENSE\" }}\n";
    check(
        &format!("{reads}{}", beside("charts/web/LICENSE")),
        expect![[r#"
        charts/web/Chart.yaml:3
          version: 1.2.0
                   ^^^^^ warning ChartNotTaken: staging: charts/web/LICENSE is not what was packaged as 1.2.0, and HelmRelease/flux-system/web does not take it under the same version (reconcileStrategy ChartVersion): raise `version`
          see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: applied 1.2.0
    "#]],
    );
    // What a chart tells of itself is not what it makes, unless a template tells it too.
    let described = format!(
        "//- then 1a2b3c4 charts/web/Chart.yaml\napiVersion: v2\nname: web\nversion: 1.2.0\ndescription: Old\nmaintainers: [{{name: Ada}}]\n{all}"
    );
    check(&described, expect![[""]]);
    let told = "//- charts/web/templates/more.yaml\ndata: {{ .Chart.Description }}\n";
    check(
        &format!("{told}{described}"),
        expect![[r#"
        charts/web/Chart.yaml:3
          version: 1.2.0
                   ^^^^^ warning ChartNotTaken: staging: charts/web/Chart.yaml is not what was packaged as 1.2.0, and HelmRelease/flux-system/web does not take it under the same version (reconcileStrategy ChartVersion): raise `version`
          see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: applied 1.2.0
    "#]],
    );
    // The application's own version is in nearly every label.
    check(
        &described.replace("description: Old", "appVersion: 2.0.0"),
        expect![[r#"
        charts/web/Chart.yaml:3
          version: 1.2.0
                   ^^^^^ warning ChartNotTaken: staging: charts/web/Chart.yaml is not what was packaged as 1.2.0, and HelmRelease/flux-system/web does not take it under the same version (reconcileStrategy ChartVersion): raise `version`
          see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: applied 1.2.0
    "#]],
    );
}

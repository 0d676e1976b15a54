//! A commit that changed a chart.

use expect_test::{Expect, expect};

use super::super::gate::{ask_of, drawn};
use super::{REPO, Says, VALUES, WELL, git, then};

/// The commit changed the values.
fn check_gate(text: &str, expected: Expect) {
    let text = format!("{REPO}{}{text}", then(&["1a2b3c4", "0000001"]));
    expected.assert_eq(&drawn(&ask_of(&text, &[VALUES])));
}

#[test]
fn a_commit_is_waited_for() {
    let pushed = git("9f8e7d6", "9f8e7d6");
    check_gate(
        &(WELL.text() + &git("9f8e7d6", "1a2b3c4")),
        expect![[r#"
            waiting
            staging: chart charts/web of HelmRelease/flux-system/web [elsewhere]: not in origin/main, which is followed
        "#]],
    );
    check_gate(
        &(WELL.text() + &pushed),
        expect![[r#"
        waiting
        staging: chart charts/web of HelmRelease/flux-system/web [pushed]: pushed, next poll by 06:08
    "#]],
    );
    // With the version that it had, it will never be.
    let fetched = Says { fetched: "9f8e7d6", stored: "2026-11-21T22:01:00Z", ..WELL };
    check_gate(
        &(fetched.text() + &pushed),
        expect![[r#"
        untold
        staging: chart charts/web of HelmRelease/flux-system/web [not taken]: not taken: Chart.yaml is still 1.2.0 (ChartVersion)
    "#]],
    );
    // With the source's revision in its version.
    let old = Says {
        packaged: "1.2.0+1a2b3c400000",
        running: "1.2.0+1a2b3c400000",
        spec: ", reconcileStrategy: Revision",
        ..fetched
    };
    check_gate(
        &(old.text() + &pushed),
        expect![[r#"
        waiting
        staging: chart charts/web of HelmRelease/flux-system/web [fetched]: fetched main@9f8e7d6, not applied yet
    "#]],
    );
    let packaged = Says { packaged: "1.2.0+9f8e7d600000", ..old };
    check_gate(
        &(packaged.text() + &pushed),
        expect![[r#"
        waiting
        staging: chart charts/web of HelmRelease/flux-system/web [packaged]: packaged 1.2.0+9f8e7d600000, not applied yet
    "#]],
    );
    let failed = Says {
        release: ", failed: [UpgradeFailed, 'Helm upgrade failed for release web/web with chart web@1.2.0+9f8e7d600000: no', 1.2.0+9f8e7d600000]",
        ..packaged
    };
    check_gate(
        &(failed.text() + &pushed),
        expect![[r#"
        failed
        staging: chart charts/web of HelmRelease/flux-system/web [failed]: web failed 1.2.0+9f8e7d600000: Helm upgrade failed for release web/web with chart web@1.2.0+9f8e7d600000: no
    "#]],
    );
    let live = Says { running: "1.2.0+9f8e7d600000", ..packaged };
    check_gate(
        &(live.text() + &pushed),
        expect![[r#"
        live
        staging: chart charts/web of HelmRelease/flux-system/web [live]: live 1.2.0+9f8e7d600000
    "#]],
    );
    // Which text it is that runs is written down nowhere.
    let unknown = Says {
        stored: "2026-11-21T22:01:00Z",
        packaged_at: "2026-11-21T22:01:00Z",
        deployed_at: "2026-11-21T22:01:02Z",
        ..fetched
    };
    check_gate(
        &(unknown.text() + &pushed),
        expect![[r#"
        untold
        staging: chart charts/web of HelmRelease/flux-system/web [unknown]: which commit 1.2.0 was made from is not written down
    "#]],
    );
    // Only clocks tell that a newer text of the same version was not there yet.
    let clocks = Says {
        fetched: "c0ffee0",
        stored: "2026-11-21T22:31:00Z",
        packaged_at: "2026-11-21T22:10:00Z",
        deployed_at: "2026-11-21T22:10:01Z",
        ..WELL
    };
    let newer = format!(
        "//- commits\nc0ffee0@2026-11-21T22:30:00Z More\n//- then c0ffee0 {VALUES}\nreplicas: 3\n\
         //- then 1a2b3c4 charts/web/Chart.yaml\nname: web\nversion: 1.1.0\n"
    );
    check_gate(
        &(newer + &clocks.text() + &git("c0ffee0", "c0ffee0")),
        expect![[r#"
        untold
        staging: chart charts/web of HelmRelease/flux-system/web [unknown]: which commit 1.2.0 was made from is not written down
    "#]],
    );
    // A chart that was packaged before it was committed.
    let package = Says { spec: "-1.2.0.tgz", ..fetched }.text();
    let text = format!("{REPO}//- charts/web-1.2.0.tgz\nPK\n{package}{pushed}");
    expect![[r#"
        untold
        unknown: staging: chart charts/web-1.2.0.tgz of HelmRelease/flux-system/web is a package, whose text is not read
    "#]].assert_eq(&drawn(&ask_of(&text, &["charts/web-1.2.0.tgz"])));
    // Only comments.
    let comments = format!("//- then 1a2b3c4 {VALUES}\nreplicas: 2 # two\n");
    expect![[r#"
        nothing
    "#]]
    .assert_eq(&drawn(&ask_of(&format!("{REPO}{comments}{}", WELL.text() + &pushed), &[VALUES])));
}

//! Helm charts that lie in the repository: how far their texts have come, and those that Flux does not take.

mod gated;
mod untaken;

use expect_test::{Expect, expect};

use super::drawing::{check_hover, check_marks, draw_lenses};
use super::fixture::{World, full};

/// A chart at version 1.2.0. Commits: 0000001 has 1.1.0, 1a2b3c4 made it 1.2.0, 9f8e7d6 is newer than what is packaged.
const REPO: &str = "\
//- clusters/staging/web.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: flux-system
spec:
  interval: 1h
  chart:
    spec:
      chart: ./charts/web
      sourceRef: {kind: GitRepository, name: fleet}
//- charts/web/Chart.yaml
apiVersion: v2
name: web
version: 1.2.0
//- charts/web/values.yaml
# How many.
replicas: 2
//- charts/web/templates/web.yaml
{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {{- include \"web.labels\" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
{{- end }}
//- charts/web/templates/_helpers.tpl
{{- define \"web.labels\" }}
app: web
{{- end }}
//- charts/other/Chart.yaml
name: other
version: 1.0.0
//- commits
0000001@2026-11-21T10:00:00Z Begin
1a2b3c4@2026-11-21T12:00:00Z Release 1.2.0
9f8e7d6@2026-11-21T22:00:00Z Change the template
//- then 0000001 charts/web/Chart.yaml
apiVersion: v2
name: web
version: 1.1.0
";

const VALUES: &str = "charts/web/values.yaml";
/// What the values were.
const ONE: &str = "replicas: 1\n";

/// What a cluster says.
struct Says {
    /// What the source has, and since when.
    fetched: &'static str,
    stored: &'static str,
    packaged: &'static str,
    packaged_at: &'static str,
    running: &'static str,
    deployed_at: &'static str,
    /// More of the chart's spec, and of the release.
    spec: &'static str,
    release: &'static str,
}

/// Version 1.2.0 of 1a2b3c4 runs, and nothing is newer.
const WELL: Says = Says {
    fetched: "1a2b3c4",
    stored: "2026-11-21T19:00:00Z",
    packaged: "1.2.0",
    packaged_at: "2026-11-21T20:00:00Z",
    running: "1.2.0",
    deployed_at: "2026-11-21T20:00:01Z",
    spec: "",
    release: "",
};

impl Says {
    fn text(&self) -> String {
        let Says { stored, packaged, packaged_at, running, deployed_at, spec, release, .. } = self;
        let revision = format!("main@sha1:{}", full(self.fetched));
        format!(
            "//- cluster staging
{{kind: GitRepository, name: fleet, url: https://git.example/fleet, interval: 10m, at: '{revision}', spec: {{ref: {{branch: main}}}}, status: {{artifact: {{revision: '{revision}', lastUpdateTime: '{stored}'}}}}}}
{{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/staging, at: '{revision}', holds: [HelmRelease/flux-system/web]}}
{{kind: HelmChart, name: flux-system-web, source: GitRepository/fleet, at: '{packaged}', spec: {{chart: ./charts/web{spec}}}, status: {{observedSourceArtifactRevision: '{revision}', artifact: {{revision: '{packaged}', lastUpdateTime: '{packaged_at}'}}}}}}
{{kind: HelmRelease, name: web, at: '{running}', spec: {{interval: 1h, chart: {{spec: {{chart: ./charts/web, sourceRef: {{kind: GitRepository, name: fleet}}}}}}}}, status: {{helmChart: flux-system/flux-system-web, history: [{{version: 3, status: deployed, chartVersion: '{running}', lastDeployed: '{deployed_at}'}}]}}{release}}}
"
        )
    }
}

/// HEAD, and what is pushed as of the last fetch.
fn git(head: &str, pushed: &str) -> String {
    format!("//- settings\nhead=main@{head} pushed=main@{pushed}@05:58\n")
}

/// The values were others at these commits, or as saved.
fn then(places: &[&str]) -> String {
    places
        .iter()
        .map(|place| match *place {
            "saved" => format!("//- saved {VALUES}\n{ONE}"),
            commit => format!("//- then {commit} {VALUES}\n{ONE}"),
        })
        .collect()
}

fn lens_of(path: &str, text: &str) -> String {
    let rows = draw_lenses(&mut World::new(&format!("{REPO}{text}")));
    let mut found = rows.lines().filter_map(|row| row.strip_prefix(&format!("{path}:")));
    found.next().unwrap_or("nothing").to_owned()
}

/// The lens of the values.
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&lens_of(VALUES, text));
}

#[test]
fn live_is_what_was_packaged_and_runs() {
    let all = WELL.text() + &git("1a2b3c4", "1a2b3c4");
    check(&all, expect!["1 [✓ staging: live 1.2.0] [Reconcile now]"]);
    for path in
        ["charts/web/Chart.yaml", "charts/web/templates/web.yaml", "charts/web/templates/_helpers.tpl"]
    {
        assert_eq!(lens_of(path, &all), lens_of(VALUES, &all), "{path}");
    }
    expect!["nothing"].assert_eq(&lens_of("charts/other/Chart.yaml", &all));
    // Comments in values say nothing.
    check(
        &format!("{all}//- then 1a2b3c4 {VALUES}\nreplicas: 2\n"),
        expect!["1 [✓ staging: live 1.2.0] [Reconcile now]"],
    );
}

#[test]
fn every_stage_of_a_version_that_was_raised() {
    let before = |places: &[&str]| {
        let mut text = then(places);
        for place in places {
            let what = if *place == "saved" { "saved".to_owned() } else { format!("then {place}") };
            text += &format!("//- {what} charts/web/Chart.yaml\nname: web\nversion: 1.1.0\n");
        }
        text
    };
    let old = Says { packaged: "1.1.0", running: "1.1.0", ..WELL };
    let at = |places: &[&str], says: &Says, head: &str, pushed: &str| {
        before(places) + &says.text() + &git(head, pushed)
    };
    check(
        &at(&["saved", "1a2b3c4"], &old, "1a2b3c4", "1a2b3c4"),
        expect!["1 [staging: not live · unsaved] [Reconcile now]"],
    );
    check(
        &at(&["1a2b3c4"], &old, "1a2b3c4", "1a2b3c4"),
        expect!["1 [staging: not live · saved, not committed] [Reconcile now]"],
    );
    check(
        &at(&["1a2b3c4"], &old, "9f8e7d6", "1a2b3c4"),
        expect!["1 [staging: not live · committed, not pushed] [Reconcile now]"],
    );
    check(
        &at(&["1a2b3c4"], &old, "9f8e7d6", "9f8e7d6"),
        expect!["1 [staging: pushed, next poll by 06:08] [Reconcile now]"],
    );
    let fetched = Says { fetched: "9f8e7d6", stored: "2026-11-21T22:01:00Z", ..old };
    check(
        &at(&["1a2b3c4"], &fetched, "9f8e7d6", "9f8e7d6"),
        expect!["1 [staging: fetched main@9f8e7d6, not applied yet] [Reconcile now]"],
    );
    let packaged = Says { packaged: "1.2.0", packaged_at: "2026-11-21T22:01:01Z", ..fetched };
    check(
        &at(&["1a2b3c4"], &packaged, "9f8e7d6", "9f8e7d6"),
        expect!["1 [staging: packaged 1.2.0, not applied yet] [Reconcile now]"],
    );
    let live = Says { running: "1.2.0", deployed_at: "2026-11-21T22:01:02Z", ..packaged };
    check(
        &at(&["1a2b3c4"], &live, "9f8e7d6", "9f8e7d6"),
        expect!["1 [✓ staging: live 1.2.0] [Reconcile now]"],
    );
}

#[test]
fn a_version_that_is_still_the_same_is_not_taken() {
    let before = then(&["1a2b3c4"]);
    let fetched = Says { fetched: "9f8e7d6", stored: "2026-11-21T22:01:00Z", ..WELL };
    let all = before.clone() + &fetched.text() + &git("9f8e7d6", "9f8e7d6");
    check(&all, expect!["1 [staging: not taken · Chart.yaml is still 1.2.0 (ChartVersion)] [Reconcile now]"]);
    // The release says so too, and is no ✓.
    expect!["1 [staging: applied 1.2.0; chart not taken · Chart.yaml is still 1.2.0 (ChartVersion)] [Reconcile now]"].assert_eq(&lens_of("clusters/staging/web.yaml", &all));
    // Before it is there.
    check(
        &(before.clone() + &then(&["saved"]) + &WELL.text() + &git("1a2b3c4", "1a2b3c4")),
        expect!["1 [staging: not live · unsaved; Chart.yaml is still 1.2.0 (ChartVersion)] [Reconcile now]"],
    );
    check(
        &(before.clone() + &WELL.text() + &git("1a2b3c4", "1a2b3c4")),
        expect![
            "1 [staging: not live · saved, not committed; Chart.yaml is still 1.2.0 (ChartVersion)] [Reconcile now]"
        ],
    );
    check(
        &(before.clone() + &WELL.text() + &git("9f8e7d6", "9f8e7d6")),
        expect![
            "1 [staging: pushed, next poll by 06:08; Chart.yaml is still 1.2.0 (ChartVersion)] [Reconcile now]"
        ],
    );
    // Somebody reverts it: that text runs, as far as clocks tell.
    check(
        &format!("{}//- then 9f8e7d6 {VALUES}\nreplicas: 3\n", fetched.text() + &git("9f8e7d6", "9f8e7d6")),
        expect!["1 [staging: applied 1.2.0; another text is fetched] [Reconcile now]"],
    );
}

#[test]
fn a_failure_is_of_the_chart_that_was_tried() {
    let failed = Says { release: ", failed: [UpgradeFailed, 'Helm upgrade failed: no', '1.2.0']", ..WELL };
    let marks =
        |text: &str| super::drawing::draw_marks(&mut World::new(&format!("{REPO}{text}{}", failed.text())));
    let same = marks(&git("1a2b3c4", "1a2b3c4"));
    assert!(same.contains(" error UpgradeFailed: staging: Helm upgrade failed: no"), "{same}");
    // Mended in the chart: the release's own text is what it was.
    let mended = marks(&(then(&["1a2b3c4"]) + &git("1a2b3c4", "1a2b3c4")));
    assert!(
        mended.contains(" warning UpgradeFailed: staging: failed at 1.2.0; changed since, not pushed: Helm"),
        "{mended}"
    );
}

#[test]
fn a_template_is_marked_where_it_is_to_be_mended() {
    let failed = Says {
        release: ", failed: [UpgradeFailed, 'Helm upgrade failed for release flux-system/web with chart web@1.2.0: parse error at (web/templates/web.yaml:6): function \"include\" not defined', '1.2.0']",
        ..WELL
    };
    let git = git("1a2b3c4", "1a2b3c4");
    check_marks(
        &format!("{REPO}{}{git}", failed.text()),
        expect![[r#"
        charts/web/templates/web.yaml:6
            labels: {{- include "web.labels" . | nindent 4 }}
                        ^^^^^^^ error UpgradeFailed: staging: function "include" not defined
          see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: failed 1.2.0
    "#]],
    );
    // It was another text that failed, and the place may have gone.
    let before = "//- then 1a2b3c4 charts/web/templates/web.yaml\nmetadata:\n  labels: {{ include }}\n";
    check_marks(
        &format!("{REPO}{before}{}{git}", failed.text()),
        expect![[r#"
            charts/web/Chart.yaml:3
              version: 1.2.0
                       ^^^^^ warning ChartNotTaken: staging: charts/web/templates/web.yaml is not what was packaged as 1.2.0, and HelmRelease/flux-system/web will not take it under the same version (reconcileStrategy ChartVersion): raise `version`
              see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: failed 1.2.0
            charts/web/templates/web.yaml:6
                labels: {{- include "web.labels" . | nindent 4 }}
                            ^^^^^^^ warning UpgradeFailed: staging: failed at 1.2.0; changed since, not pushed: function "include" not defined
              see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: failed 1.2.0
        "#]],
    );
    let mended = REPO.replace("include \"web.labels\" . | nindent 4", "toYaml .Values.labels");
    check_marks(
        &format!("{mended}{before}{}{git}", failed.text()),
        expect![[r#"
            charts/web/Chart.yaml:3
              version: 1.2.0
                       ^^^^^ warning ChartNotTaken: staging: charts/web/templates/web.yaml is not what was packaged as 1.2.0, and HelmRelease/flux-system/web will not take it under the same version (reconcileStrategy ChartVersion): raise `version`
              see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: failed 1.2.0
            charts/web/templates/web.yaml:6
                labels: {{- toYaml .Values.labels }}
                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning UpgradeFailed: staging: failed at 1.2.0; changed since, not pushed: function "include" not defined
              see clusters/staging/web.yaml:4 HelmRelease/flux-system/web: failed 1.2.0
        "#]],
    );
}

#[test]
fn what_was_packaged_is_not_guessed() {
    let git = git("9f8e7d6", "9f8e7d6");
    let later = Says {
        fetched: "9f8e7d6",
        stored: "2026-11-21T22:01:00Z",
        packaged_at: "2026-11-21T22:01:00Z",
        deployed_at: "2026-11-21T22:01:02Z",
        ..WELL
    };
    // Both commits have 1.2.0, and either may be it.
    check(
        &(then(&["1a2b3c4"]) + &later.text() + &git),
        expect!["1 [staging: applied 1.2.0, of which text cannot be told] [Reconcile now]"],
    );
    // Packaged before the source had what it has now, whatever the clock of whoever committed that.
    let before = Says { packaged_at: "2026-11-21T22:00:30Z", deployed_at: "2026-11-21T22:00:31Z", ..later };
    check(
        &(then(&["1a2b3c4"]) + &before.text() + &git),
        expect!["1 [staging: not taken · Chart.yaml is still 1.2.0 (ChartVersion)] [Reconcile now]"],
    );
    // A history that was written anew: the only commit with this version is younger than the package.
    let anew = "//- then 1a2b3c4 charts/web/Chart.yaml\nname: web\nversion: 1.1.0\n";
    let amended = Says {
        packaged_at: "2026-11-21T21:55:00Z",
        deployed_at: "2026-11-21T21:55:01Z",
        stored: "2026-11-21T21:54:00Z",
        ..later
    };
    check(
        &(anew.to_owned() + &Says { fetched: "1a2b3c4", ..amended }.text() + &git),
        expect!["1 [staging: applied 1.2.0, of which text cannot be told] [Reconcile now]"],
    );
    let pushed = Says { stored: "2026-11-21T22:01:00Z", ..amended };
    check(
        &(anew.to_owned() + &pushed.text() + &git),
        expect!["1 [staging: applied 1.2.0, of which text cannot be told] [Reconcile now]"],
    );
    let later_on = Says { fetched: "c0ffee0", stored: "2026-11-21T22:31:00Z", ..amended };
    let more = "//- commits\nc0ffee0@2026-11-21T22:30:00Z More\n";
    check(
        &format!("{more}{anew}{}{}", later_on.text(), super::charts::git("c0ffee0", "c0ffee0")),
        expect!["1 [staging: applied 1.2.0, of which text cannot be told] [Reconcile now]"],
    );
    // A clock that is a little fast is none.
    let fast = Says {
        packaged_at: "2026-11-21T21:59:30Z",
        deployed_at: "2026-11-21T21:59:31Z",
        stored: "2026-11-21T21:59:30Z",
        ..later
    };
    check(&(anew.to_owned() + &fast.text() + &git), expect!["1 [✓ staging: live 1.2.0] [Reconcile now]"]);
    // Packaged after the source had what it has now: it is that.
    let told = Says { packaged_at: "2026-11-21T22:01:01Z", ..later };
    check(&(then(&["1a2b3c4"]) + &told.text() + &git), expect!["1 [staging: applied 1.2.0] [Reconcile now]"]);
    // Packaged again, but what runs was deployed before that.
    let again = Says { deployed_at: "2026-11-21T20:00:00Z", ..told };
    check(
        &(then(&["1a2b3c4"]) + &again.text() + &git),
        expect!["1 [staging: not taken · Chart.yaml is still 1.2.0 (ChartVersion)] [Reconcile now]"],
    );
    // A rollback deploys what was packaged for an earlier release.
    let rolled_back = "[{version: 5, status: deployed, action: rollback, chartVersion: '1.2.0', lastDeployed: '2026-11-21T22:05:00Z'}, \
                       {version: 4, status: failed, chartVersion: '1.2.0', lastDeployed: '2026-11-21T22:04:00Z'}, {";
    check(
        &(then(&["1a2b3c4"])
            + &again
                .text()
                .replace("history: [{", &format!("history: {rolled_back}"))
                .replace("version: 3, status: deployed", "version: 3, status: superseded")
            + &git),
        expect!["1 [staging: not taken · Chart.yaml is still 1.2.0 (ChartVersion)] [Reconcile now]"],
    );
    // A history that ends before the version began: what was it there?
    let same_second = Says { stored: WELL.packaged_at, ..WELL };
    let always = "//- then 0000001 charts/web/Chart.yaml\napiVersion: v2\nname: web\nversion: 1.2.0\n";
    let all = same_second.text() + always + &git;
    check(&all, expect!["1 [✓ staging: live 1.2.0] [Reconcile now]"]);
    check(
        &all.replace("settings\n", "settings\nshallow "),
        expect!["1 [staging: applied 1.2.0, of which text cannot be told] [Reconcile now]"],
    );
}

#[test]
fn a_revision_in_the_version_tells_the_commit() {
    let by_revision = Says {
        packaged: "1.2.0+1a2b3c400000",
        running: "1.2.0+1a2b3c400000",
        spec: ", reconcileStrategy: Revision",
        ..WELL
    };
    check(
        &(by_revision.text() + &git("1a2b3c4", "1a2b3c4")),
        expect!["1 [✓ staging: live 1.2.0+1a2b3c400000] [Reconcile now]"],
    );
    let before = then(&["1a2b3c4"]);
    check(
        &(before.clone() + &by_revision.text() + &git("9f8e7d6", "9f8e7d6")),
        expect!["1 [staging: pushed, next poll by 06:08] [Reconcile now]"],
    );
    let fetched = Says { fetched: "9f8e7d6", ..by_revision };
    check(
        &(before.clone() + &fetched.text() + &git("9f8e7d6", "9f8e7d6")),
        expect!["1 [staging: fetched main@9f8e7d6, not applied yet] [Reconcile now]"],
    );
    let packaged = Says { packaged: "1.2.0+9f8e7d600000", ..fetched };
    check(
        &(before.clone() + &packaged.text() + &git("9f8e7d6", "9f8e7d6")),
        expect!["1 [staging: packaged 1.2.0+9f8e7d600000, not applied yet] [Reconcile now]"],
    );
    // Another commit that this clone does not have.
    let unknown = Says { running: "1.2.0+abcabcabcabc", ..by_revision };
    check(
        &(unknown.text() + &git("1a2b3c4", "1a2b3c4")),
        expect!["1 [staging: applied 1.2.0+abcabcabcabc, not in this clone] [Reconcile now]"],
    );
    // With values files the generation stands behind it.
    let values = Says {
        packaged: "1.2.0+1a2b3c400000.2",
        running: "1.2.0+1a2b3c400000.2",
        spec: ", reconcileStrategy: Revision, valuesFiles: [charts/web/values.yaml, clusters/staging/values.yaml]",
        ..WELL
    };
    let all = values.text() + &git("1a2b3c4", "1a2b3c4") + "//- clusters/staging/values.yaml\nreplicas: 5\n";
    expect!["1 [✓ staging: live 1.2.0+1a2b3c400000.2] [Reconcile now]"]
        .assert_eq(&lens_of("clusters/staging/values.yaml", &all));
}

#[test]
fn several_releases_are_summed_up() {
    let git = git("9f8e7d6", "9f8e7d6");
    let well = WELL.text();
    // By its own HelmChart, and by the one that somebody wrote.
    let shared = well.replace(
        "{kind: HelmRelease, name: web",
        "{kind: HelmRelease, name: other, at: '1.1.0', spec: {chartRef: {kind: HelmChart, name: flux-system-web}}}\n{kind: HelmRelease, name: web",
    );
    check(&(shared + &git), expect!["1 [1 of 2 behind: staging · 1 live] [Clusters…]"]);
    // In two clusters, one of which is behind.
    let behind = Says {
        packaged: "1.1.0",
        packaged_at: "2026-11-21T11:00:00Z",
        running: "1.1.0",
        deployed_at: "2026-11-21T11:00:01Z",
        ..WELL
    };
    let production = behind.text().replace("cluster staging", "cluster production");
    check(&format!("{well}{production}{git}"), expect!["1 [1 of 2 behind: production · 1 live] [Clusters…]"]);
    check(
        &format!("{well}{}{git}", well.replace("cluster staging", "cluster production")),
        expect!["1 [✓ staging and production: live 1.2.0] [Clusters…]"],
    );
}

#[test]
fn what_a_chart_is_made_of() {
    let all = WELL.text() + &git("1a2b3c4", "1a2b3c4");
    // A library beside it.
    let library = "//- charts/web/Chart.yaml
name: web
version: 1.2.0
dependencies:
  - {name: lib, repository: 'file://../lib'}
  - {name: redis, repository: 'https://charts.example'}
//- charts/lib/Chart.yaml
name: lib
version: 0.1.0
//- then 0000001 charts/web/Chart.yaml
name: web
version: 1.1.0
";
    expect!["1 [✓ staging: live 1.2.0] [Reconcile now]"]
        .assert_eq(&lens_of("charts/lib/Chart.yaml", &format!("{library}{all}")));
    // What the source leaves out is in no chart.
    let ignored = "//- .sourceignore\n/charts/web/values.yaml\n";
    check(&format!("{ignored}{all}"), expect!["nothing"]);
    // Nor what the chart keeps out of its package.
    let kept_out =
        format!("//- charts/web/.helmignore\n# notes\nNOTES\n/ci/\n//- charts/web/ci/test.yaml\na: 1\n{all}");
    expect!["nothing"].assert_eq(&lens_of("charts/web/ci/test.yaml", &kept_out));
    // Values that others replace.
    let replaced = Says { spec: ", valuesFiles: [clusters/staging/values.yaml]", ..WELL };
    check(&(replaced.text() + &git("1a2b3c4", "1a2b3c4")), expect!["nothing"]);
    // Nothing is marked in templates.
    check_marks(&format!("{REPO}{all}"), expect![[""]]);
}

#[test]
fn hovers() {
    let fetched = Says { fetched: "9f8e7d6", stored: "2026-11-21T22:01:00Z", ..WELL };
    let all = then(&["1a2b3c4"]) + &fetched.text() + &git("9f8e7d6", "9f8e7d6");
    let repo = |from: &str, to: &str| format!("{}{all}", REPO.replacen(from, to, 1));
    check_hover(
        &repo("version: 1.2.0", "ver$0sion: 1.2.0"),
        expect![[r#"
            charts/web/Chart.yaml:3
              version: 1.2.0
              ^^^^^^^^^^^^^^
            **`HelmRelease/flux-system/web`** in `staging`

            `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`

            - chart `./charts/web`: runs `1.2.0`, packaged `1.2.0` 2026-11-21 20:00 UTC
            - this text: `saved → committed on main → pushed 2026-11-22 05:58 UTC → in fleet main@9f8e7d6 2026-11-21 22:01 UTC`; `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`
            - not taken: version `1.2.0` is unchanged though `charts/web/values.yaml` is not what was packaged under it (reconcileStrategy ChartVersion); raise `version` in `charts/web/Chart.yaml`
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    check_hover(
        &repo("kind: Deployment", "kind: Deplo$0yment"),
        expect![[r#"
            charts/web/templates/web.yaml:3
              kind: Deployment
                    ^^^^^^^^^^
            **`HelmRelease/flux-system/web`** in `staging`

            `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`

            - chart `./charts/web`: runs `1.2.0`, packaged `1.2.0` 2026-11-21 20:00 UTC
            - this text: `saved → committed on main → pushed 2026-11-22 05:58 UTC → in fleet main@9f8e7d6 2026-11-21 22:01 UTC`; `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`
            - not taken: version `1.2.0` is unchanged though `charts/web/values.yaml` is not what was packaged under it (reconcileStrategy ChartVersion); raise `version` in `charts/web/Chart.yaml`
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    check_hover(
        &repo("replicas: 2", "repl$0icas: 2"),
        expect![[r#"
            charts/web/values.yaml:2
              replicas: 2
              ^^^^^^^^
            **`HelmRelease/flux-system/web`** in `staging`

            `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`

            - chart `./charts/web`: runs `1.2.0`, packaged `1.2.0` 2026-11-21 20:00 UTC
            - this text: `saved → committed on main → pushed 2026-11-22 05:58 UTC → in fleet main@9f8e7d6 2026-11-21 22:01 UTC`; `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`
            - not taken: version `1.2.0` is unchanged though `charts/web/values.yaml` is not what was packaged under it (reconcileStrategy ChartVersion); raise `version` in `charts/web/Chart.yaml`
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    check_hover(
        &repo("{{- define", "{{- de$0fine"),
        expect![[r#"
            charts/web/templates/_helpers.tpl:1
              {{- define "web.labels" }}
              ^^^^^^^^^^^^^^^^^^^^^^^^^^
            **`HelmRelease/flux-system/web`** in `staging`

            `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`

            - chart `./charts/web`: runs `1.2.0`, packaged `1.2.0` 2026-11-21 20:00 UTC
            - this text: `saved → committed on main → pushed 2026-11-22 05:58 UTC → in fleet main@9f8e7d6 2026-11-21 22:01 UTC`; `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`
            - not taken: version `1.2.0` is unchanged though `charts/web/values.yaml` is not what was packaged under it (reconcileStrategy ChartVersion); raise `version` in `charts/web/Chart.yaml`
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    // Somebody reverts it.
    let reverted =
        fetched.text() + &git("9f8e7d6", "9f8e7d6") + &format!("//- then 9f8e7d6 {VALUES}\nreplicas: 3\n");
    check_hover(
        &format!("{}{reverted}", REPO.replacen("name: web\nversion", "na$0me: web\nversion", 1)),
        expect![[r#"
            charts/web/Chart.yaml:2
              name: web
              ^^^^^^^^^
            **`HelmRelease/flux-system/web`** in `staging`

            `applied 1.2.0; another text is fetched`

            - chart `./charts/web`: runs `1.2.0`, packaged `1.2.0` 2026-11-21 20:00 UTC
            - this text: `saved → committed on main → pushed → in fleet main@9f8e7d6 2026-11-21 22:01 UTC → packaged 1.2.0 → applied 1.2.0 2026-11-21 20:00 UTC`
            - another text is fetched
            - that this text runs is told by clocks alone: another one has the same version
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    // What was packaged under the version may be either.
    let either = Says { packaged_at: "2026-11-21T22:01:00Z", deployed_at: "2026-11-21T22:01:02Z", ..fetched };
    let either = then(&["1a2b3c4"]) + &either.text() + &git("9f8e7d6", "9f8e7d6");
    check_hover(
        &format!("{}{either}", REPO.replacen("name: web\nversion", "na$0me: web\nversion", 1)),
        expect![[r#"
            charts/web/Chart.yaml:2
              name: web
              ^^^^^^^^^
            **`HelmRelease/flux-system/web`** in `staging`

            `applied 1.2.0, of which text cannot be told`

            - chart `./charts/web`: runs `1.2.0`, packaged `1.2.0` 2026-11-21 22:01 UTC
            - this text: `saved → committed on main → pushed 2026-11-22 05:58 UTC`
            - how far it has come in the cluster cannot be told: which commit `1.2.0` was made from is not written down
            - which of the texts of this version was packaged is written down nowhere (reconcileStrategy ChartVersion); another `version` in `charts/web/Chart.yaml` is taken for certain
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    check_hover(
        &repo("kind: HelmRelease", "kind: Helm$0Release"),
        expect![[r#"
            clusters/staging/web.yaml:2
              kind: HelmRelease
                    ^^^^^^^^^^^
            **`HelmRelease/flux-system/web`** in `staging`: applied

            - running `1.2.0`
            - so since 2026-11-21 20:00 UTC
            - this text: `saved → committed on main → pushed 2026-11-22 05:58 UTC → in fleet main@9f8e7d6 2026-11-21 22:01 UTC → applied main@9f8e7d6 → health not checked`
            - chart `./charts/web`: runs `1.2.0`, packaged `1.2.0` 2026-11-21 20:00 UTC
            - its chart here: `saved → committed on main → pushed 2026-11-22 05:58 UTC → in fleet main@9f8e7d6 2026-11-21 22:01 UTC`; `not taken · Chart.yaml is still 1.2.0 (ChartVersion)`
            - not taken: version `1.2.0` is unchanged though `charts/web/values.yaml` is not what was packaged under it (reconcileStrategy ChartVersion); raise `version` in `charts/web/Chart.yaml`
            - source `HelmChart/flux-system/flux-system-web`: fetched `1.2.0`
            - source `GitRepository/flux-system/fleet`: fetched `main@9f8e7d6`
            - release `v3` `deployed`, chart `1.2.0` 2026-11-21 20:00 UTC
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

#[test]
fn charts_from_elsewhere() {
    let release = "//- clusters/staging/redis.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: re$0dis
  namespace: flux-system
spec:
  interval: 1h
  chart: {spec: {chart: redis, version: VERSION, sourceRef: {kind: HelmRepository, name: charts}}}
";
    let cluster = "//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/staging, at: main@1a2b3c4, holds: [HelmRelease/flux-system/redis]}
{kind: HelmRepository, name: charts, url: https://charts.example, at: 'sha256:abc'}
{kind: HelmChart, name: flux-system-redis, source: HelmRepository/charts, at: '6.6.0', spec: {chart: redis, version: VERSION}}
{kind: HelmRelease, name: redis, at: '6.5.3', spec: {chart: {spec: {chart: redis, version: VERSION, sourceRef: {kind: HelmRepository, name: charts}}}}, status: {helmChart: flux-system/flux-system-redis}}
//- commits
1a2b3c4 Begin
//- settings
head=main@1a2b3c4 pushed=1a2b3c4
";
    check_hover(
        &format!("{release}{cluster}").replace("VERSION", "6.x"),
        expect![[r#"
            clusters/staging/redis.yaml:4
                name: redis
                      ^^^^^
            **`HelmRelease/flux-system/redis`** in `staging`: applied, a newer revision is fetched

            - running `6.5.3`
            - next `6.6.0`
            - so since 2026-11-21 20:00 UTC
            - this text: `saved → committed on main → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - chart `redis`, written `6.x`: runs `6.5.3`, packaged `6.6.0` 2026-11-21 20:00 UTC
            - source `HelmChart/flux-system/flux-system-redis`: fetched `6.6.0`
            - source `HelmRepository/flux-system/charts`: fetched `sha256:abc`
            - release `v1` `deployed`, chart `6.5.3` 2026-11-21 20:00 UTC
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    check_hover(
        &format!("{release}{cluster}").replace("VERSION", "6.6.0"),
        expect![[r#"
            clusters/staging/redis.yaml:4
                name: redis
                      ^^^^^
            **`HelmRelease/flux-system/redis`** in `staging`: applied, a newer revision is fetched

            - running `6.5.3`
            - next `6.6.0`
            - so since 2026-11-21 20:00 UTC
            - this text: `saved → committed on main → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - chart `redis`, written `6.6.0` (no other is taken before somebody writes it): runs `6.5.3`, packaged `6.6.0` 2026-11-21 20:00 UTC
            - source `HelmChart/flux-system/flux-system-redis`: fetched `6.6.0`
            - source `HelmRepository/flux-system/charts`: fetched `sha256:abc`
            - release `v1` `deployed`, chart `6.5.3` 2026-11-21 20:00 UTC
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

#[test]
fn a_chart_that_is_an_artifact() {
    let all = "//- clusters/staging/podinfo.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: pod$0info
  namespace: flux-system
spec:
  interval: 1h
  chartRef: {kind: OCIRepository, name: podinfo}
//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/staging, at: main@1a2b3c4, holds: [HelmRelease/flux-system/podinfo]}
{kind: OCIRepository, name: podinfo, url: 'oci://charts.example/podinfo', at: '6.6.1@sha256:0cc9a8446c95009ef382f5eade883a67c257f77d50f84e78ecef2aac9428d1e5', spec: {ref: {semver: 6.x}}}
{kind: HelmRelease, name: podinfo, at: '6.6.0+aaaaaaaaaaaa', spec: {chartRef: {kind: OCIRepository, name: podinfo}}}
//- commits
1a2b3c4 Begin
//- settings
head=main@1a2b3c4 pushed=1a2b3c4
";
    check_hover(
        all,
        expect![[r#"
        clusters/staging/podinfo.yaml:4
            name: podinfo
                  ^^^^^^^
        ✓ **`HelmRelease/flux-system/podinfo`** in `staging`: applied

        - running `6.6.0+aaaaaaaaaaaa`
        - so since 2026-11-21 20:00 UTC
        - this text: `saved → committed on main → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - chart by `artifact 6.x`: runs `6.6.0+aaaaaaaaaaaa`, fetched `6.6.1@0cc9a84` 2026-11-21 20:00 UTC
        - source `OCIRepository/flux-system/podinfo`: fetched `6.6.1@0cc9a84`
        - release `v1` `deployed`, chart `6.6.0+aaaaaaaaaaaa` 2026-11-21 20:00 UTC
        - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
        - cluster `staging`, read 2026-11-22 06:00 UTC, live
    "#]],
    );
}

use serde_json::json;

use super::*;

fn check(own: &str, editor: Value, expect: &str) -> Settings {
    let file = UserFile::parse(Path::new("/home/me/.config/fluxcd-ls/config.toml"), own);
    let (settings, problems) = file.tightened_by(&editor);
    let told: Vec<_> = file.problems.iter().chain(&problems).map(ToString::to_string).collect();
    assert_eq!(told.join("\n"), expect);
    settings
}

#[test]
fn the_users_file_holds_and_the_editor_decides_what_is_only_shown() {
    let settings = check(
        "actions = \"on\"\nkubeconfig = \"/home/me/work\"\n[lens]\nshow = \"flux\"\nsymbols = \"ascii\"\n",
        json!({"lens": {"max": 5}, "diagnostics.scope": "openFiles", "kubeconfig": "", "snapshot": null}),
        "",
    );
    assert_eq!(settings.actions, Actions::On);
    assert_eq!(settings.kubeconfig.as_deref(), Some("/home/me/work"));
    assert_eq!((settings.lens, settings.lens_max, settings.symbols), (Lens::Flux, 5, Symbols::Ascii));
    assert_eq!(settings.scope, Scope::OpenFiles);
}

#[test]
fn the_command_line_is_the_users_own_word() {
    let words =
        ["actions=on", "log.level=debug", r#"contextAliases={"a.b": "c"}"#, r#"protectedContexts=["mine"]"#];
    let spoken = CommandLine::parse(&words.map(str::to_owned)).unwrap();
    let file = UserFile::parse(Path::new("/home/me/config.toml"), "actions = \"off\"\n").with(&spoken);
    assert_eq!(file.problems, []);
    let (settings, problems) = file.tightened_by(&json!({"actions": "ask"}));
    assert_eq!(problems, []);
    assert_eq!((settings.actions, settings.log_level), (Actions::Ask, LogLevel::Debug));
    assert_eq!(settings.alias("a.b"), "c");
    assert_eq!(settings.protected_contexts, ["*prod*", "*prd*", "*live*", "mine"]);

    let unknown = CommandLine::parse(&["actoins=on".to_owned()]).unwrap();
    let problems = UserFile::parse(Path::new("/home/me/config.toml"), "").with(&unknown).problems;
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["fluxcd-ls knows no setting `actoins` (in the command line): it is ignored"]);
    let wrong = CommandLine::parse(&["actions".to_owned()]).unwrap_err();
    assert_eq!(wrong, "`actions` is no setting: KEY=VALUE is expected");
}

#[test]
fn a_workspace_cannot_name_kubeconfig_snapshot_or_server() {
    let settings = check(
        "",
        json!({"kubeconfig": "/repo/evil", "snapshot": "green.json", "server": {"path": "./run-me"}}),
        "The editor's settings name `fluxcd.kubeconfig`. It is ignored, because workspace settings belong to the \
         repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml\n\
         The editor's settings name `fluxcd.snapshot`. It is ignored, because workspace settings belong to the \
         repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml\n\
         The editor's settings name `fluxcd.server.path`. It is ignored, because workspace settings belong to the \
         repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml",
    );
    assert_eq!(settings, Settings::default());
}

#[test]
fn a_workspace_can_only_be_stricter() {
    let settings = check(
        "clusters = \"off\"\nlogin = \"ask\"",
        json!({"clusters": "ask", "actions": "off", "login": "quiet", "protectedContexts": ["*eu*"]}),
        "The editor's settings want `fluxcd.clusters` looser than your own file says. It is ignored, because \
         workspace settings belong to the repository; they can only be stricter. To loosen it, change \
         /home/me/.config/fluxcd-ls/config.toml\n\
         The editor's settings want `fluxcd.login` looser than your own file says. It is ignored, because \
         workspace settings belong to the repository; they can only be stricter. To loosen it, change \
         /home/me/.config/fluxcd-ls/config.toml",
    );
    assert_eq!(
        (settings.clusters, settings.actions, settings.login),
        (Clusters::Off, Actions::Off, Login::Ask)
    );
    assert!(settings.is_protected("team-EU-1") && settings.is_protected("my-prod"));
}

#[test]
fn forges_are_asked_as_the_user_says_and_no_repository_brings_a_host() {
    let settings = check(
        "[commitStatus]\nshow = \"on\"\nhosts = { \"git.example.com:3000\" = \"gitea\" }",
        json!({
            "commitStatus": {"hosts": {"evil.example": "gitea"}, "contexts": {"eu/apps": "Kustomization/apps"}}
        }),
        "The editor's settings name `fluxcd.commitStatus.hosts`. It is ignored, because workspace settings belong \
         to the repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml",
    );
    assert_eq!(settings.commit_status, CommitStatus::On);
    assert_eq!(settings.forge_hosts, [("git.example.com:3000".to_owned(), forge::Service::Gitea)].into());
    assert_eq!(settings.status_contexts["eu/apps"], "Kustomization/apps");
    let settings = check(
        "",
        json!({"commitStatus": "on"}),
        "The editor's settings want `fluxcd.commitStatus` looser than your own file says. It is ignored, because \
         workspace settings belong to the repository; they can only be stricter. To loosen it, change \
         /home/me/.config/fluxcd-ls/config.toml",
    );
    assert_eq!(settings.commit_status, CommitStatus::Ask);
    assert_eq!(check("", json!({"commitStatus": "off"}), "").commit_status, CommitStatus::Off);
}

#[test]
fn recordings_are_one_path_or_several() {
    let recordings = |own: &str| check(own, json!({"snapshot": ["", ""]}), "").snapshots;
    assert_eq!(recordings("snapshot = \"/a.json\""), [PathBuf::from("/a.json")]);
    assert_eq!(
        recordings("snapshot = [\"/a.json\", \"/b.json\"]"),
        [PathBuf::from("/a.json"), PathBuf::from("/b.json")]
    );
    assert_eq!(recordings("snapshot = []"), Vec::<PathBuf>::new());
    check(
        "snapshot = [\"/a.json\", 7]",
        json!({"snapshot": ["green.json"]}),
        "`snapshot` in /home/me/.config/fluxcd-ls/config.toml is not understood (expected a path or a list of \
         paths): it is ignored\n\
         The editor's settings name `fluxcd.snapshot`. It is ignored, because workspace settings belong to the \
         repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml",
    );
}

#[test]
fn mistakes_are_told_and_the_rest_holds() {
    let settings = check(
        "hovr = false\nactions = 7\nhover = false\n[contextAliases]\n\"a.b\" = \"c\"",
        json!({"lens": "everything"}),
        "`actions` in /home/me/.config/fluxcd-ls/config.toml is not understood (invalid type: integer `7`, \
         expected string or map): it is ignored\n\
         fluxcd-ls knows no setting `hovr` (in /home/me/.config/fluxcd-ls/config.toml): it is ignored\n\
         `lens` in the editor's settings is not understood (unknown variant `everything`, expected one of `off`, \
         `flux`, `all`): it is ignored",
    );
    assert!(!settings.hover);
    assert_eq!(settings.alias("a.b"), "c");
    // What a file forbade that cannot be read is not known: nothing is contacted or changed.
    let settings = check(
        "clusters = \"off\"\n= broken",
        Value::Null,
        "/home/me/.config/fluxcd-ls/config.toml could not be read (unquoted keys cannot be empty, expected letters, \
         numbers, `-`, `_`): until it can, no cluster is contacted",
    );
    assert_eq!((settings.clusters, settings.actions), (Clusters::Off, Actions::Off));
}

use super::*;

fn print(server: &str) -> Fingerprint {
    Fingerprint {
        kubeconfig: vec!["/home/a/.kube/config".into()],
        context: "staging".into(),
        server: server.into(),
        ca: None,
        exec: None,
        proxy: None,
    }
}

fn open() -> (tempfile::TempDir, Consents) {
    let dir = tempfile::tempdir().unwrap();
    let consents = Consents::open(StateDir::at(dir.path().join("fluxcd-ls")));
    (dir, consents)
}

const HERE: &str = "/home/ada/fleet";
const THERE: &str = "/home/ada/other";

#[test]
fn answers() {
    let (_dir, consents) = open();
    let (a, here, there) = (print("https://a"), Path::new(HERE), Path::new(THERE));
    let check =
        |repository: &Path, expected: Decision| assert_eq!(consents.decision(&a, repository), expected);
    check(here, Decision::Ask { changed: false });
    consents.answer(&a, here, Answer::ThisRepository).unwrap();
    check(here, Decision::Allowed);
    check(there, Decision::Ask { changed: false });
    consents.answer(&a, there, Answer::NeverHere).unwrap();
    check(there, Decision::Never);
    consents.answer(&a, here, Answer::Everywhere).unwrap();
    check(here, Decision::Allowed);
    check(Path::new("/home/ada/third"), Decision::Allowed);
    // "Never here" is stronger than "everywhere".
    check(there, Decision::Never);
    consents.forget(&a.key()).unwrap();
    check(here, Decision::Ask { changed: false });
    check(there, Decision::Ask { changed: false });
}

#[test]
fn a_changed_fingerprint_asks_again() {
    let (_dir, consents) = open();
    let (a, b, here) = (print("https://a"), print("https://b"), Path::new(HERE));
    consents.answer(&a, here, Answer::ThisRepository).unwrap();
    consents.confirm_actions(&a).unwrap();
    assert_eq!(consents.decision(&b, here), Decision::Ask { changed: true });
    assert!(!consents.acted(&b));
    // Answering for the new one voids the old one: going back asks, too.
    consents.answer(&b, here, Answer::ThisRepository).unwrap();
    assert_eq!(consents.decision(&b, here), Decision::Allowed);
    assert_eq!(consents.decision(&a, here), Decision::Ask { changed: true });
}

#[test]
fn opening_staging_wakes_nothing_else() {
    let (_dir, consents) = open();
    let staging = print("https://a");
    let prod = Fingerprint { context: "prod".into(), ..print("https://p") };
    let here = Path::new(HERE);
    for (context, file) in [(&staging, "clusters/staging/apps.yaml"), (&prod, "clusters/prod/apps.yaml")] {
        consents.answer(context, here, Answer::ThisRepository).unwrap();
        consents.saw(context, here, &[file]).unwrap();
    }
    consents.saw(&prod, here, &["base/app.yaml"]).unwrap();
    consents.saw(&staging, here, &["base/app.yaml"]).unwrap();
    assert_eq!(consents.contexts_of(here, "clusters/staging/apps.yaml"), std::slice::from_ref(&staging));
    assert_eq!(consents.contexts_of(here, "base/app.yaml"), [staging, prod]);
    assert_eq!(consents.contexts_of(here, "new.yaml"), []);
    assert_eq!(consents.contexts_of(Path::new(THERE), "base/app.yaml"), []);
}

#[test]
fn the_first_action_is_remembered() {
    let (_dir, consents) = open();
    let a = print("https://a");
    assert!(!consents.acted(&a));
    consents.confirm_actions(&a).unwrap();
    assert!(consents.acted(&a));
    // Confirming an action is no consent to contact.
    assert_eq!(consents.decision(&a, Path::new(HERE)), Decision::Ask { changed: false });
}

#[test]
fn many_windows_lose_no_answer() {
    let (_dir, consents) = open();
    let windows: Vec<_> = (0..8)
        .map(|n| {
            let consents = consents.clone();
            std::thread::spawn(move || {
                for m in 0..5 {
                    let repository = PathBuf::from(format!("/home/ada/{n}-{m}"));
                    consents.answer(&print("https://a"), &repository, Answer::ThisRepository).unwrap();
                }
            })
        })
        .collect();
    windows.into_iter().for_each(|w| w.join().unwrap());
    for n in 0..8 {
        for m in 0..5 {
            let repository = PathBuf::from(format!("/home/ada/{n}-{m}"));
            assert_eq!(consents.decision(&print("https://a"), &repository), Decision::Allowed, "{n}-{m}");
        }
    }
}

#[test]
fn broken_and_newer_files_allow_nothing() {
    let (dir, consents) = open();
    let (a, here) = (print("https://a"), Path::new(HERE));
    let file = dir.path().join("fluxcd-ls").join("consents.json");
    consents.answer(&a, here, Answer::Everywhere).unwrap();
    for broken in ["", "{", "[]", "{\"version\":\"x\"}"] {
        std::fs::write(&file, broken).unwrap();
        assert_eq!(consents.decision(&a, here), Decision::Ask { changed: false }, "{broken}");
        consents.answer(&a, here, Answer::ThisRepository).unwrap();
        assert_eq!(consents.decision(&a, here), Decision::Allowed, "{broken}");
    }
    // What a newer version wrote is neither believed nor overwritten.
    let newer = r#"{"version":2,"entries":[]}"#;
    std::fs::write(&file, newer).unwrap();
    assert_eq!(consents.decision(&a, here), Decision::Ask { changed: false });
    assert!(consents.answer(&a, here, Answer::ThisRepository).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), newer);
}

#[test]
#[cfg(unix)]
fn only_the_user_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, consents) = open();
    consents.answer(&print("https://a"), Path::new(HERE), Answer::Everywhere).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let state = dir.path().join("fluxcd-ls");
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(&state.join("consents.json")), 0o600);
    assert_eq!(mode(&state.join("consents.lock")), 0o600);
    let left: Vec<_> = std::fs::read_dir(&state).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

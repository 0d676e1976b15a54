//! Addresses in every dress, and the pages they lead to.

use std::fmt::Write as _;

use expect_test::expect;

use super::lab::Lab;
use crate::{Remote, Website, normalise_url};

/// Each group is one repository, in the dresses that people give it.
const DRESSES: &[&[&str]] = &[
    &[
        "https://github.com/Acme/Fleet",
        "https://GitHub.com/acme/fleet.git",
        "HTTPS://github.com/acme/fleet.git",
        "https://github.com/acme/fleet/",
        "https://github.com/acme/fleet.git/",
        "https://github.com:443/acme/fleet",
        "https://github.com:/acme/fleet",
        "https://github.com./acme/fleet",
        "https://www.github.com/acme/fleet",
        "https://user:p@ss@github.com/acme/fleet.git/",
        "https://x-access-token:ghp_0123@github.com/acme/fleet",
        "https://user%40corp@github.com/acme/fleet",
        "https://github.com//acme//fleet.git?ref=main",
        "https://github.com/acme/fleet.git#main",
        "https://github.com/acme/%66leet",
        "ssh://git@github.com/acme/fleet.git",
        "ssh://git@github.com:22/acme/fleet.git",
        "ssh://git@ssh.github.com:443/acme/fleet.git",
        "git+ssh://git@github.com/acme/fleet",
        "ssh+git://git@github.com/acme/fleet",
        "git+https://github.com/acme/fleet",
        "git://github.com/acme/fleet",
        "git@github.com:acme/fleet.git",
        "git@github.com:acme/fleet",
        "git@github.com:/acme/fleet/",
        "git@GITHUB.com:acme/fleet.GIT",
        "github.com:acme/fleet",
        "[git@ssh.github.com:443]:acme/fleet.git",
        "org-1234@github.com:acme/fleet.git",
        "  https://github.com/acme/fleet\n",
    ],
    &["https://github.com/acme/fleet2", "git@github.com:acme/fleet2.git"],
    &["https://github.com/acme/fleet.github.io", "git@github.com:acme/fleet.github.io.git"],
    &[
        "https://gitlab.com/acme/platform/fleet",
        "git@gitlab.com:Acme/platform/fleet.git",
        "ssh://git@altssh.gitlab.com:443/acme/platform/fleet.git",
    ],
    &[
        "https://acme@bitbucket.org/acme/fleet.git",
        "git@bitbucket.org:acme/fleet.git",
        "ssh://git@altssh.bitbucket.org:443/acme/fleet.git",
    ],
    &["https://codeberg.org/Acme/fleet", "ssh://git@codeberg.org/acme/fleet.git"],
    // Names have a case wherever nobody says otherwise.
    &[
        "https://git.example.org./Team/Repo.git",
        "ssh://git@git.example.org:2222/Team/Repo",
        "Git.example.org:Team/Repo",
    ],
    &["https://git.example.org/team/repo.git"],
    // Of one host, the usual ports are one server, others are others.
    &["https://git.example.net/team/repo", "http://git.example.net:80/team/repo"],
    &["https://git.example.net:8443/team/repo"],
    // Bitbucket on own servers.
    &[
        "https://bitbucket.example.org/scm/PROJ/fleet.git",
        "ssh://git@bitbucket.example.org:7999/PROJ/fleet.git",
    ],
    // Azure DevOps.
    &[
        "https://dev.azure.com/acme/My%20Project/_git/fleet",
        "https://acme@dev.azure.com/Acme/my%20project/_git/fleet",
        "https://dev.azure.com/acme/My%20Project/_git/_full/fleet",
        "https://dev.azure.com/acme/My%20Project/_git/fleet?version=GBmain",
        "https://acme.visualstudio.com/My%20Project/_git/fleet",
        "https://acme.visualstudio.com/DefaultCollection/My%20Project/_git/fleet",
        "git@ssh.dev.azure.com:v3/acme/My%20Project/fleet",
        "git@ssh.dev.azure.com:v3/acme/My Project/fleet",
        "ssh://git@ssh.dev.azure.com/v3/acme/My%20Project/fleet",
        "acme@vs-ssh.visualstudio.com:v3/acme/My%20Project/fleet",
    ],
    &[
        "https://dev.azure.com/acme/_git/fleet",
        "https://acme.visualstudio.com/_git/fleet",
        "https://dev.azure.com/acme/fleet/_git/fleet",
        "git@ssh.dev.azure.com:v3/acme/fleet/fleet",
    ],
    &["https://acme:secret@dev.azure.com/acme/Other/_git/fleet"],
    // IPv6.
    &[
        "https://[2001:db8::1]/team/repo",
        "https://[2001:DB8:0:0::1]:443/team/repo",
        "ssh://git@[2001:db8::1]:2222/team/repo.git",
        "ssh://git@[2001:db8::1]/team/repo.git",
        "git@[2001:db8::1]:team/repo.git",
        "[git@2001:db8::1]:team/repo.git",
    ],
    &["https://[2001:db8::2]/team/repo"],
    // Paths on this machine.
    &["/srv/git/fleet.git", "file:///srv/git/fleet.git", "file://localhost/srv/git/fleet", "/srv/git/fleet/"],
    &["C:\\git\\fleet", "C:/git/fleet", "file:///C:/git/fleet.git"],
    &["\\\\server\\share\\fleet", "file://server/share/fleet"],
    &["./odd:name/fleet"],
];

#[test]
fn addresses_in_every_dress() {
    for (number, group) in DRESSES.iter().enumerate() {
        let first = normalise_url(group[0]).unwrap();
        for url in *group {
            let other = normalise_url(url).unwrap_or_else(|| panic!("{url}"));
            assert!(other.same_repository(&first), "{url}: {other} is not {first}");
            assert!(first.same_repository(&other), "{url}");
        }
        for other in DRESSES.iter().skip(number + 1).flat_map(|group| group.iter()) {
            let not = normalise_url(other).unwrap();
            assert!(!not.same_repository(&first), "{other} is not {}", group[0]);
        }
    }
}

#[test]
fn addresses_reduced() {
    let mut text = String::new();
    for url in [
        "http://127.0.77.1:3000/flux/fleet.git",
        "ssh://git@127.0.77.1:2222/flux/fleet.git",
        "https://git.Example.org./Team/Repo.git",
        "https://[::1]:8443/team/repo",
        "git@work:team/repo",
        "https://acme@dev.azure.com/acme/My%20Project/_git/fleet",
        "git@ssh.dev.azure.com:v3/acme/My Project/fleet",
        "https://acme.visualstudio.com/My%20Project/_git/fleet",
        "file:///srv/git/fleet.git",
        "C:\\git\\fleet",
        "../fleet",
        "https://host/100%/x",
        "oci://ghcr.io/acme/fleet",
        "https://host",
        "https://host/",
        "https:///x",
        "https://user:pa/ss@github.com/acme/fleet",
        "https://host:99999/x",
        "codecommit::eu-west-1://fleet",
        "ext::sh -c fetch% %s",
        "s3://bucket/fleet",
        "",
        ":",
    ] {
        let reduced = normalise_url(url).map_or("none".to_owned(), |url| url.to_string());
        writeln!(text, "{url}  {reduced}").unwrap();
    }
    expect![[r#"
        http://127.0.77.1:3000/flux/fleet.git  127.0.77.1:3000/flux/fleet
        ssh://git@127.0.77.1:2222/flux/fleet.git  127.0.77.1/flux/fleet
        https://git.Example.org./Team/Repo.git  git.example.org/Team/Repo
        https://[::1]:8443/team/repo  [::1]:8443/team/repo
        git@work:team/repo  work/team/repo
        https://acme@dev.azure.com/acme/My%20Project/_git/fleet  dev.azure.com/acme/My Project/fleet
        git@ssh.dev.azure.com:v3/acme/My Project/fleet  dev.azure.com/acme/My Project/fleet
        https://acme.visualstudio.com/My%20Project/_git/fleet  dev.azure.com/acme/My Project/fleet
        file:///srv/git/fleet.git  /srv/git/fleet
        C:\git\fleet  /C:/git/fleet
        ../fleet  /../fleet
        https://host/100%/x  host/100%/x
        oci://ghcr.io/acme/fleet  none
        https://host  none
        https://host/  none
        https:///x  none
        https://user:pa/ss@github.com/acme/fleet  none
        https://host:99999/x  none
        codecommit::eu-west-1://fleet  none
        ext::sh -c fetch% %s  none
        s3://bucket/fleet  none
          none
        :  /:
    "#]]
    .assert_eq(&text);
    let http = normalise_url("http://127.0.77.1:3000/flux/fleet.git").unwrap();
    let ssh = normalise_url("ssh://git@127.0.77.1:2222/flux/fleet.git").unwrap();
    let other = normalise_url("http://127.0.77.1:4000/flux/fleet.git").unwrap();
    assert!(http.same_repository(&ssh), "an ssh port says nothing about the one of http");
    assert!(!http.same_repository(&other));
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let shown = |url: &str| Remote { name: "origin".into(), url: url.into(), rewritten: None }.shown();
    let mut text = String::new();
    for url in [
        "https://ada:s3cr@t@git.example/fleet.git",
        "https://s3cret@git.example:8443/fleet.git",
        "https://git.example/fleet.git?private_token=s3cret#s3cret",
        "https://ada:s3c/ret@git.example/fleet.git",
        "https://ada:s3cret@git.example",
        "ada:s3cret@git.example:fleet.git",
        "ssh://git:s3cret@git.example/fleet.git",
        "git@git.example:fleet.git",
        "git@git.example:team/@scope/fleet.git",
        "/srv/git/fleet@old.git",
        "file:///srv/git/fleet@old.git",
        "oci://ghcr.io/acme/fleet",
    ] {
        let shown = shown(url);
        assert!(!shown.contains("cret") && !shown.contains("s3c"), "{shown}");
        writeln!(text, "{shown}").unwrap();
    }
    expect![[r#"
        https://git.example/fleet.git
        https://git.example:8443/fleet.git
        https://git.example/fleet.git
        https://…
        https://…
        …
        ssh://git.example/fleet.git
        git@git.example:fleet.git
        git@git.example:team/@scope/fleet.git
        /srv/git/fleet@old.git
        file:///srv/git/fleet@old.git
        oci://ghcr.io/acme/fleet
    "#]]
    .assert_eq(&text);
}

#[test]
fn pages_of_commits() {
    let (a, b) = ("a".repeat(40), "b".repeat(40));
    let mut text = String::new();
    let mut tell = |url: &str, known: Option<Website>| {
        let remote = Remote { name: "origin".into(), url: url.into(), rewritten: None };
        let shorter = |link: String| link.replace(&a, "AAA").replace(&b, "BBB");
        let compare = remote.compare_url(&a, &b, known).map_or("none".to_owned(), shorter);
        let commit = remote.commit_url(&b, known).map_or("none".to_owned(), shorter);
        writeln!(
            text,
            "{url} {}\n  {compare}\n  {commit}",
            known.map_or(String::new(), |it| format!("{it:?}"))
        )
        .unwrap();
    };
    for url in [
        "https://ada:s3cret@github.com/Acme/Fleet.git?token=s3cret",
        "ssh://git@ssh.github.com:443/acme/fleet.git",
        "git@gitlab.com:acme/platform/fleet.git",
        "https://gitlab.example.org:8443/acme/fleet",
        "git@bitbucket.org:acme/fleet.git",
        "git@ssh.dev.azure.com:v3/acme/My%20Project/fleet",
        "https://acme.visualstudio.com/_git/fleet",
        "https://codeberg.org/acme/fleet",
        "ssh://git@my-gitea.example.org:2222/acme/fleet.git",
        "https://forgejo.example.org/in/folder/acme/fleet",
        "https://github.com/acme/fle%20et%23%3f%0a",
        // Unknown, or none of the web.
        "https://github.example.org/acme/fleet",
        "https://git.example.org/acme/fleet",
        "https://notgitlab.example.org/acme/fleet",
        "https://github.com.evil.example/acme/fleet",
        "https://github.com/fleet",
        "https://user:pa/ss@github.com/acme/fleet",
        "https://ex<script>ample-gitlab.org/acme/fleet",
        "/srv/github.com/acme/fleet",
    ] {
        tell(url, None);
    }
    tell("https://github.example.org/acme/fleet", Some(Website::GitHub));
    tell("http://127.0.77.1:3000/flux/fleet.git", Some(Website::Gitea));
    tell("/srv/acme/fleet", Some(Website::Gitea));
    expect![[r#"
        https://ada:s3cret@github.com/Acme/Fleet.git?token=s3cret 
          https://github.com/Acme/Fleet/compare/AAA...BBB
          https://github.com/Acme/Fleet/commit/BBB
        ssh://git@ssh.github.com:443/acme/fleet.git 
          https://github.com/acme/fleet/compare/AAA...BBB
          https://github.com/acme/fleet/commit/BBB
        git@gitlab.com:acme/platform/fleet.git 
          https://gitlab.com/acme/platform/fleet/-/compare/AAA...BBB
          https://gitlab.com/acme/platform/fleet/-/commit/BBB
        https://gitlab.example.org:8443/acme/fleet 
          https://gitlab.example.org:8443/acme/fleet/-/compare/AAA...BBB
          https://gitlab.example.org:8443/acme/fleet/-/commit/BBB
        git@bitbucket.org:acme/fleet.git 
          https://bitbucket.org/acme/fleet/branches/compare/BBB..AAA
          https://bitbucket.org/acme/fleet/commits/BBB
        git@ssh.dev.azure.com:v3/acme/My%20Project/fleet 
          https://dev.azure.com/acme/My%20Project/_git/fleet/branchCompare?baseVersion=GCAAA&targetVersion=GCBBB
          https://dev.azure.com/acme/My%20Project/_git/fleet/commit/BBB
        https://acme.visualstudio.com/_git/fleet 
          https://dev.azure.com/acme/fleet/_git/fleet/branchCompare?baseVersion=GCAAA&targetVersion=GCBBB
          https://dev.azure.com/acme/fleet/_git/fleet/commit/BBB
        https://codeberg.org/acme/fleet 
          https://codeberg.org/acme/fleet/compare/AAA...BBB
          https://codeberg.org/acme/fleet/commit/BBB
        ssh://git@my-gitea.example.org:2222/acme/fleet.git 
          https://my-gitea.example.org/acme/fleet/compare/AAA...BBB
          https://my-gitea.example.org/acme/fleet/commit/BBB
        https://forgejo.example.org/in/folder/acme/fleet 
          https://forgejo.example.org/in/folder/acme/fleet/compare/AAA...BBB
          https://forgejo.example.org/in/folder/acme/fleet/commit/BBB
        https://github.com/acme/fle%20et%23%3f%0a 
          https://github.com/acme/fle%20et%23%3F%0A/compare/AAA...BBB
          https://github.com/acme/fle%20et%23%3F%0A/commit/BBB
        https://github.example.org/acme/fleet 
          none
          none
        https://git.example.org/acme/fleet 
          none
          none
        https://notgitlab.example.org/acme/fleet 
          none
          none
        https://github.com.evil.example/acme/fleet 
          none
          none
        https://github.com/fleet 
          none
          none
        https://user:pa/ss@github.com/acme/fleet 
          none
          none
        https://ex<script>ample-gitlab.org/acme/fleet 
          none
          none
        /srv/github.com/acme/fleet 
          none
          none
        https://github.example.org/acme/fleet GitHub
          https://github.example.org/acme/fleet/compare/AAA...BBB
          https://github.example.org/acme/fleet/commit/BBB
        http://127.0.77.1:3000/flux/fleet.git Gitea
          http://127.0.77.1:3000/flux/fleet/compare/AAA...BBB
          http://127.0.77.1:3000/flux/fleet/commit/BBB
        /srv/acme/fleet Gitea
          none
          none
    "#]]
    .assert_eq(&text);
    let remote = |url: &str| Remote { name: "origin".into(), url: url.into(), rewritten: None };
    let github = remote("https://github.com/acme/fleet");
    for hash in ["", "main", "abc1234", &"g".repeat(40), &format!("{}?x=", &a[..37]), &format!("{a}/")] {
        assert_eq!(github.commit_url(hash, None), None, "{hash}");
        assert_eq!(github.compare_url(&a, hash, None), None, "{hash}");
        assert_eq!(github.compare_url(hash, &a, None), None, "{hash}");
    }
    let short = Remote { rewritten: Some("git@github.com:acme/fleet".into()), ..remote("gh:acme/fleet") };
    assert_eq!(short.commit_url(&a, None), Some(format!("https://github.com/acme/fleet/commit/{a}")));
}

/// What Git itself says that it fetches from.
#[test]
fn remotes_as_git_reads_them() {
    let lab = Lab::new(
        r#"
git init -q clone && cd clone
git remote add origin gh:acme/fleet && git remote set-url --add origin ssh://mirror.example/fleet.git
git remote set-url --push origin ssh://pushed.example/fleet.git
git remote add second gh:acme/gitops/x && git remote add pushed https://git.example.org/team/repo
git config url.git@github.com:.insteadOf gh: && git config url.https://gitlab.com/.insteadOf gh:acme/gitops
git config url.ssh://git@other.example/.pushInsteadOf https://git.example.org/
git config remote.prune-only.prune true
printf '[remote "origin"]\n\turl = https://later.example/fleet\n' >> .git/config
"#,
    );
    let mut text = String::new();
    for remote in lab.open("clone").remotes() {
        let git = lab.sh(&format!("git -C clone remote get-url {}", remote.name));
        assert_eq!(remote.rewritten.clone().unwrap_or(remote.url.clone()), git);
        writeln!(text, "{} {} {:?}", remote.name, remote.url, remote.rewritten).unwrap();
    }
    expect![[r#"
        origin gh:acme/fleet Some("git@github.com:acme/fleet")
        pushed https://git.example.org/team/repo None
        second gh:acme/gitops/x Some("https://gitlab.com//x")
    "#]]
    .assert_eq(&text);
    let remotes = lab.open("clone").remotes();
    let is = |url: &str| remotes.iter().any(|remote| remote.is(&normalise_url(url).unwrap()));
    assert!(is("https://github.com/acme/fleet") && is("ssh://git@git.example.org/team/repo"));
    assert!(!is("ssh://git@other.example/team/repo"), "what is pushed to is not what is fetched");
    assert!(!is("ssh://mirror.example/fleet") && !is("ssh://pushed.example/fleet"));
}

//! `demo`.

use std::path::Path;
use std::process::Command;

use e2e::binary::{Home, Ran, run};
use expect_test::expect;
use tempfile::TempDir;

/// Runs `demo` where no other program is to be found, Git least of all.
fn demo(home: &Home, folder: &Path) -> Ran {
    run(home.command(["demo"]).arg(folder).env("PATH", ""))
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let home = Home::new();
    let Ok(ran) = Command::new("git").arg("-C").arg(folder).args(arguments).envs(home.environment()).output()
    else {
        println!("SKIPPED: git is not on this machine");
        return None;
    };
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap())
}

#[test]
fn a_bare_binary_lays_out_a_clean_clone_and_says_how_to_go_on() {
    let (home, folder) = (Home::new(), TempDir::new().unwrap());
    let place = folder.path().join("a demo's folder");
    let ran = demo(&home, &place);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let (_, how) = ran.stdout.split_once("could not be told (as recorded").unwrap();
    let (_, how) = how.split_once('\n').unwrap();
    let program = e2e::binary::path();
    let how = how
        .replace(program.canonicalize().unwrap().to_str().unwrap(), "fluxcd-ls")
        .replace(program.to_str().unwrap(), "fluxcd-ls")
        .replace(folder.path().to_str().unwrap(), "…");
    expect![[r#"

        The fleet is in …/a demo's folder/fleet: a clean Git work tree with its history (18 commits), and beside it what two real
        clusters said of it. Nothing is contacted: everything is "as recorded".

        In Neovim 0.11 or later:

          XDG_CONFIG_HOME='…/a demo'\''s folder/config' nvim '…/a demo'\''s folder/fleet/apps/base/payments/deployment.yaml'

        In VS Code, once the extension is installed (editors/vscode), with a profile of its own:

          XDG_CONFIG_HOME='…/a demo'\''s folder/config' code --user-data-dir '…/a demo'\''s folder/vscode' --extensions-dir ~/.vscode/extensions '…/a demo'\''s folder/fleet'

        In the terminal:

          fluxcd-ls explain '…/a demo'\''s folder/fleet/apps/base/payments/deployment.yaml' --snapshot '…/a demo'\''s folder/staging.json' --snapshot '…/a demo'\''s folder/production.json'
    "#]].assert_eq(&how);

    let fleet = place.join("fleet");
    if let Some(status) = git(&fleet, &["status", "--porcelain", "--branch"]) {
        assert_eq!(status, "## main...origin/main\n", "the work tree is clean");
        assert_eq!(git(&fleet, &["rev-list", "--count", "HEAD"]).unwrap(), "18\n");
        git(&fleet, &["fsck", "--strict"]);
    }
    // The last command is one that can be pasted.
    let explain = how.lines().last().unwrap().replace("fluxcd-ls", program.to_str().unwrap());
    let explain = explain.replace('…', folder.path().to_str().unwrap());
    let explained = run(Command::new("sh").args(["-c", explain.trim()]).envs(home.environment()));
    assert_eq!(explained.code, 0, "{}", explained.stderr);
    assert!(explained.stdout.contains("in staging") && explained.stdout.contains("in production"));
}

#[test]
fn a_second_demo_replaces_the_first_and_nothing_else() {
    let (home, folder) = (Home::new(), TempDir::new().unwrap());
    let first = demo(&home, folder.path());
    assert_eq!(first.code, 0, "{}", first.stderr);
    std::fs::write(folder.path().join("fleet/scratch.yaml"), "a: b\n").unwrap();
    let second = demo(&home, folder.path());
    assert_eq!((second.code, second.stdout), (0, first.stdout));
    assert!(!folder.path().join("fleet/scratch.yaml").exists());

    let other = TempDir::new().unwrap();
    std::fs::write(other.path().join("thesis.txt"), "ten years").unwrap();
    let refused = demo(&home, other.path());
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    expect![[r#"
        fluxcd-ls: … is not empty and was not made by `demo`: name another folder
    "#]]
    .assert_eq(&refused.stderr.replace(other.path().to_str().unwrap(), "…"));
    assert_eq!(std::fs::read_to_string(other.path().join("thesis.txt")).unwrap(), "ten years");

    let refused = demo(&home, &other.path().join("thesis.txt"));
    assert_eq!(refused.code, 2);
    expect![[r#"
        fluxcd-ls: …/thesis.txt: Not a directory (os error 20)
    "#]]
    .assert_eq(&refused.stderr.replace(other.path().to_str().unwrap(), "…"));
}

/// The command that `demo` prints for Neovim, with the Neovim that `tests/run` installs.
#[test]
fn the_command_for_neovim_shows_both_recordings() {
    let tools = std::env::var("FLUXCD_LS_EDITORS").unwrap_or_default();
    let tools = tools.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let Some(root) =
        tools.and_then(|it| it["nvim"].as_str().map(std::path::PathBuf::from)).filter(|it| it.exists())
    else {
        println!("SKIPPED: Neovim: `tests/run editors` has not installed it");
        return;
    };
    let (home, folder) = (Home::new(), TempDir::new().unwrap());
    let ran = demo(&home, &folder.path().join("a demo"));
    let command = ran.stdout.lines().find(|line| line.contains(" nvim ")).unwrap();
    // Nobody sits there: instead of waiting for keys it says what it shows, and ends.
    let look = "local seen = vim.wait(30000, function()
            local lenses = vim.lsp.codelens.get(vim.lsp.codelens.enable and { bufnr = 0 } or 0)
            for _, entry in ipairs(lenses) do
              local title = (entry.lens or entry).command.title
              if #vim.diagnostic.get(0) > 0 and title:find('2 of 2 failed: production and staging', 1, true) then
                io.stdout:write(title, '\\n', vim.diagnostic.get(0)[1].code, '\\n')
                return true
              end
            end
          end, 50)
          if not seen then io.stdout:write(vim.inspect(vim.diagnostic.get(0)), vim.inspect(vim.lsp.get_clients())) end
          vim.cmd('qall!')";
    let script = folder.path().join("look.lua");
    std::fs::write(&script, look).unwrap();
    let pasted = command.replace(" nvim ", " \"$NVIM\" --headless -i NONE -c \"luafile $LOOK\" ");
    let mut shell = Command::new("sh");
    shell.args(["-c", &pasted]).envs(home.environment()).env("LOOK", &script);
    shell.env("NVIM", root.join("usr/bin/nvim")).env("VIMRUNTIME", root.join("usr/share/nvim/runtime"));
    let ran = run(&mut shell);
    assert!(
        ran.stdout.contains("2 of 2 failed: production and staging")
            && ran.stdout.contains("HealthCheckFailed"),
        "{ran:#?}"
    );
}

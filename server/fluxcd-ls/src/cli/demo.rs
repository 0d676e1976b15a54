//! `fluxcd-ls demo`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::connect;
use super::format::Format;
use super::{CliError, check, colour, print};
use crate::settings::Settings;

/// What `demo` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where to lay it out: a folder that is empty, not there yet, or an earlier demo; by default in the folder for temporary files.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Says that a folder is an earlier demo, which may be replaced.
const MARK: &str = ".fluxcd-ls-demo";

/// Lays the fleet out and shows what an editor would show of it.
pub fn run(arguments: &Arguments) -> Result<u8, CliError> {
    let folder = match &arguments.folder {
        Some(folder) => std::path::absolute(folder).map_err(CliError::told)?,
        None => std::env::temp_dir().join("fluxcd-ls-demo"),
    };
    clear(&folder)?;
    let write = |file: &Path, text: &str| -> Result<(), CliError> {
        let told = |error| CliError::told(format!("{} cannot be written: {error}", file.display()));
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(told)?;
        }
        std::fs::write(file, text).map_err(told)
    };
    write(&folder.join(MARK), "Made by `fluxcd-ls demo`, which replaces this folder.\n")?;
    let work_tree = folder.join("fleet");
    let laid_out = fleet::lay_out(&work_tree).map_err(CliError::told)?;
    let mut clusters = Vec::new();
    let mut recordings = Vec::new();
    let settings = Settings::default();
    for cluster in fleet::Cluster::ALL {
        let file = folder.join(format!("{}.json", cluster.name()));
        write(&file, fleet::recorded(cluster))?;
        clusters.push(connect::recorded(&file, cluster.name(), &settings)?);
        recordings.push(file);
    }
    let config = folder.join("config");
    write(&config.join("fluxcd-ls/config.toml"), &configuration(&recordings))?;
    write(&config.join("nvim/init.lua"), &init_lua()?)?;

    let report = check::report(std::slice::from_ref(&work_tree), clusters, Vec::new(), &settings)?;
    let mut out = Format::Text.print(&report, colour());
    let first =
        report.entries.first().map_or_else(|| work_tree.clone(), |entry| work_tree.join(&entry.place.file));
    let program = std::env::current_exe().map_err(CliError::told)?;
    let mut terminal = format!("{} explain {}", in_a_shell(&program), in_a_shell(&first));
    for file in &recordings {
        let _ = write!(terminal, " --snapshot {}", in_a_shell(file));
    }
    let _ = write!(
        out,
        "\n\
         The fleet is in {}: a clean Git work tree with its history ({} commits), and beside it what two real\n\
         clusters said of it. Nothing is contacted: everything is \"as recorded\".\n\n\
         In Neovim 0.11 or later:\n\n  XDG_CONFIG_HOME={config} nvim {}\n\n\
         In VS Code, once the extension is installed (editors/vscode), with a profile of its own:\n\n  \
         XDG_CONFIG_HOME={config} code --user-data-dir {} --extensions-dir ~/.vscode/extensions {}\n\n\
         In the terminal:\n\n  {terminal}\n",
        work_tree.display(),
        laid_out.commits.len(),
        in_a_shell(&first),
        in_a_shell(&folder.join("vscode")),
        in_a_shell(&work_tree),
        config = in_a_shell(&config),
    );
    print(&out);
    Ok(0)
}

/// Makes room for the demo. A folder with anything else in it is left alone.
fn clear(folder: &Path) -> Result<(), CliError> {
    let told = |error: std::io::Error| CliError::told(format!("{}: {error}", folder.display()));
    if folder.join(MARK).is_file() {
        return std::fs::remove_dir_all(folder).map_err(told);
    }
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(CliError::told(format!(
                "{} is not empty and was not made by `demo`: name another folder",
                folder.display()
            ))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(told(error)),
    }
}

fn configuration(recordings: &[PathBuf]) -> String {
    let files: Vec<String> = recordings.iter().map(|file| quoted(&file.display().to_string())).collect();
    format!(
        "# The demo's own configuration: recordings in place of clusters.\nsnapshot = [{}]\n",
        files.join(", ")
    )
}

/// A Neovim configuration that needs nothing but this program.
fn init_lua() -> Result<String, CliError> {
    let program = std::env::current_exe().map_err(CliError::told)?;
    Ok(format!(
        "-- Made by `fluxcd-ls demo`.\n\
         vim.lsp.config('fluxcd_ls', {{ cmd = {{ {} }}, filetypes = {{ 'yaml' }}, root_markers = {{ '.git' }} }})\n\
         vim.lsp.enable('fluxcd_ls')\n\
         vim.diagnostic.config({{ virtual_text = true }})\n\
         vim.api.nvim_create_autocmd('LspAttach', {{ callback = function(a)\n  \
         if vim.lsp.codelens.enable then vim.lsp.codelens.enable(true, {{ bufnr = a.buf }}) else vim.lsp.codelens.refresh({{ bufnr = a.buf }}) end\n\
         end }})\n",
        quoted(&program.display().to_string())
    ))
}

/// A path as a shell takes it.
fn in_a_shell(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@,".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A text as TOML and Lua both quote it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

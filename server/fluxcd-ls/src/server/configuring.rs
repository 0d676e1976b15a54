//! Hello, settings, trust, folders.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::timers::Timer;
use super::world::{Capabilities, Done, World};
use super::{repository, to_lsp};
use crate::lsp::convert;
use crate::lsp::types as lsp;
use crate::settings::{Problem, Scope, UserFile};

/// How often the user's own files are looked at.
const LOOK: Duration = Duration::from_secs(3);

/// The user's own files at a look.
pub(crate) struct OwnFiles {
    state: OwnFilesState,
    /// The configuration, if its file is not what it was.
    file: Option<UserFile>,
}

/// What tells whether files were changed.
#[derive(Clone)]
pub(crate) struct OwnFilesState {
    config: cluster::FileState,
    recordings: cluster::FileState,
}

impl World {
    pub(super) fn initialize(&mut self, params: lsp::InitializeParams) -> lsp::InitializeResult {
        let options = params.initialization_options.unwrap_or_default();
        self.client = capabilities(&params.capabilities, &options, params.client_info.as_ref());
        self.trusted = options.get("trusted").and_then(Value::as_bool);
        self.editor_settings = options.get("settings").cloned().unwrap_or_default();
        self.parent = params.process_id;
        let folders = match params.workspace_folders_initialize_params.workspace_folders {
            Some(lsp::WorkspaceFolders::WorkspaceFolderList(folders)) => {
                folders.into_iter().map(|it| it.uri).collect()
            }
            _ => {
                // Older clients know one folder only.
                #[allow(deprecated)]
                let root = params.root_uri;
                root.into_iter().collect::<Vec<_>>()
            }
        };
        self.folders = folders.iter().filter_map(convert::path_of).collect();
        self.apply_settings();
        lsp::InitializeResult {
            server_info: Some(lsp::ServerInfo {
                name: "fluxcd-ls".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            capabilities: lsp::ServerCapabilities {
                position_encoding: Some(lsp::PositionEncodingKind::UTF16),
                text_document_sync: Some(lsp::TextDocumentSync::Options(lsp::TextDocumentSyncOptions {
                    open_close: Some(true),
                    change: Some(lsp::TextDocumentSyncKind::Incremental),
                    save: Some(lsp::Save::Bool(true)),
                    ..Default::default()
                })),
                hover_provider: Some(lsp::HoverProvider::Bool(true)),
                code_lens_provider: Some(lsp::CodeLensOptions {
                    resolve_provider: Some(false),
                    ..Default::default()
                }),
                definition_provider: Some(lsp::DefinitionProvider::Bool(true)),
                references_provider: Some(lsp::ReferencesProvider::Bool(true)),
                document_link_provider: Some(lsp::DocumentLinkOptions {
                    resolve_provider: Some(false),
                    ..Default::default()
                }),
                code_action_provider: Some(lsp::CodeActionProvider::Bool(true)),
                execute_command_provider: Some(lsp::ExecuteCommandOptions {
                    commands: to_lsp::COMMANDS.map(str::to_owned).to_vec(),
                    ..Default::default()
                }),
                workspace: Some(lsp::WorkspaceOptions {
                    workspace_folders: Some(lsp::WorkspaceFoldersServerCapabilities {
                        supported: Some(true),
                        change_notifications: Some(lsp::ChangeNotifications::Bool(true)),
                    }),
                    ..Default::default()
                }),
                ..Default::default()
            },
        }
    }

    pub(super) fn initialized(&mut self) {
        self.initialized = true;
        if self.client.configuration_registration {
            let registration = lsp::Registration {
                id: "fluxcd-settings".to_owned(),
                method: "workspace/didChangeConfiguration".to_owned(),
                register_options: Some(serde_json::json!({"section": "fluxcd"})),
            };
            self.outbox.ask::<lsp::RegistrationRequest>(lsp::RegistrationParams {
                registrations: vec![registration],
            });
        }
        if self.editor_settings.is_null() {
            self.ask_for_settings();
        }
        // Before this nothing may be shown.
        self.tell_problems();
        self.look_at_own_files();
        self.read_recordings();
        self.look_at_folders();
        self.watch_parent();
        self.status_dirty = true;
    }

    /// Finds the repositories of the folders that are open, for marks in files that are not.
    fn look_at_folders(&mut self) {
        for folder in self.folders.clone() {
            let Some(uri) = convert::uri_of(&folder) else { continue };
            let folders = self.folders.clone();
            self.background(move || Done::Found(uri, Box::new(repository::find(&folder, &folders))), || None);
        }
    }

    pub(super) fn folders_changed(&mut self, change: lsp::WorkspaceFoldersChangeEvent) {
        let gone: Vec<_> = change.removed.iter().filter_map(|it| convert::path_of(&it.uri)).collect();
        self.folders.retain(|folder| !gone.contains(folder));
        self.folders.extend(change.added.iter().filter_map(|it| convert::path_of(&it.uri)));
        // What belongs to no folder and no open file any more is let go.
        let kept: Vec<_> = self.documents.values().filter_map(|it| Some(it.home.as_ref()?.0)).collect();
        let left: Vec<_> = self
            .repos
            .values()
            .filter(|repo| {
                let root = repo.disk.root();
                !kept.contains(&repo.id) && gone.iter().any(|it| root.starts_with(it) || it.starts_with(root))
            })
            .map(|repo| repo.id)
            .collect();
        for id in left {
            for path in self.published.files(id) {
                self.published.clear_file(id, &path, &self.outbox);
            }
            self.repos.remove(&id);
            self.lanes.remove(&id);
        }
        self.send_status();
        self.look_at_folders();
    }

    pub(super) fn now_trusted(&mut self) {
        if self.trusted == Some(true) {
            return;
        }
        self.trusted = Some(true);
        let open: Vec<_> = self.documents.values().filter_map(|document| document.home.clone()).collect();
        for (repo, path) in open {
            self.file_opened(repo, &path);
        }
        for id in self.repos.keys().copied().collect::<Vec<_>>() {
            self.look_for_offers(id);
        }
        self.look_for_forges();
        self.everything_changed();
    }

    /// The editor said that settings changed. Some editors say which, some want to be asked.
    pub(super) fn configured(&mut self, settings: Value) {
        match settings.get("fluxcd") {
            Some(settings) => self.editor_settings_are(settings.clone()),
            None if self.client.configuration => self.ask_for_settings(),
            None => {}
        }
    }

    fn ask_for_settings(&self) {
        if !self.client.configuration {
            return;
        }
        let (outbox, events) = (self.outbox.clone(), self.events.clone());
        tokio::spawn(async move {
            let item = lsp::ConfigurationItem { scope_uri: None, section: Some("fluxcd".to_owned()) };
            let params = lsp::ConfigurationParams { items: vec![item] };
            if let Ok(mut answers) = outbox.request::<lsp::ConfigurationRequest>(params).await
                && let Some(settings) = answers.pop()
            {
                let _ = events.send(super::Event::Done(Box::new(Done::Configured(settings))));
            }
        });
    }

    pub(super) fn editor_settings_are(&mut self, settings: Value) {
        if self.editor_settings == settings {
            return;
        }
        self.editor_settings = settings;
        self.settings_changed();
    }

    /// Looks whether the user's own configuration or a recording was changed.
    pub(super) fn look_at_own_files(&mut self) {
        let (config, recordings) = (self.options.paths.config_file(), self.recordings().to_vec());
        let before = self.own_files.clone();
        let spoken = self.options.spoken.clone();
        self.background(
            move || {
                let state = OwnFilesState {
                    config: cluster::file_state(std::slice::from_ref(&config)),
                    recordings: cluster::file_state(&recordings),
                };
                let same = before.is_some_and(|before| before.config == state.config);
                let file = (!same).then(|| UserFile::read(&config).with(&spoken));
                Done::OwnFiles(Some(Box::new(OwnFiles { state, file })))
            },
            || Some(Done::OwnFiles(None)),
        );
    }

    /// What became stricter holds at once; what became looser is offered, and nothing begins by itself.
    pub(super) fn own_files_seen(&mut self, seen: Option<Box<OwnFiles>>) {
        self.timers.set(Timer::OwnFiles, LOOK);
        let Some(seen) = seen else { return };
        let OwnFiles { state, file } = *seen;
        let before = self.own_files.replace(state.clone());
        if let Some(file) = file.filter(|file| *file != self.user_file) {
            let recordings = self.recordings().to_vec();
            self.user_file = file;
            self.settings_changed();
            if self.recordings() != recordings {
                let named: Vec<_> =
                    cluster::recording_names(self.recordings()).into_iter().map(|(_, name)| name).collect();
                self.clusters
                    .all
                    .retain(|key, it| it.live.is_some() || named.iter().any(|name| **name == **key));
                // Their state is of other files.
                self.own_files = None;
                self.read_recordings();
                self.everything_changed();
            }
        } else if before.is_some_and(|before| before.recordings != state.recordings) {
            self.read_recordings();
        }
    }

    fn settings_changed(&mut self) {
        let could = self.may_contact();
        let before = self.settings.clone();
        self.apply_settings();
        if self.initialized {
            self.tell_problems();
        }
        self.forget_closed();
        if !self.may_contact() {
            self.clusters.release();
        }
        if !could && self.may_contact() {
            for id in self.repos.keys().copied().collect::<Vec<_>>() {
                self.look_for_offers(id);
            }
        }
        if before != self.settings {
            self.look_for_forges();
            self.refresh_lenses = true;
            self.everything_changed();
        }
    }

    /// Marks of files that are not open go when only open files are to have some.
    fn forget_closed(&mut self) {
        if self.settings.scope == Scope::Workspace && self.settings.enable {
            return;
        }
        for id in self.repos.keys().copied().collect::<Vec<_>>() {
            for path in self.published.files(id) {
                if self.document_at(id, &path).is_none() {
                    self.published.clear_file(id, &path, &self.outbox);
                }
            }
        }
    }

    fn apply_settings(&mut self) {
        let (settings, problems) = self.user_file.tightened_by(&self.editor_settings);
        self.problems = self.user_file.problems.iter().cloned().chain(problems).collect();
        if let Some(log) = &self.options.log {
            log.set_level(settings.log_level);
        }
        self.analysis_settings = Arc::new(settings.for_analysis(self.client.lens_verbs));
        self.settings = settings;
        self.generation += 1;
    }

    fn tell_problems(&mut self) {
        for problem in std::mem::take(&mut self.problems) {
            match problem {
                Problem::Unknown { .. } => tracing::warn!("{problem}"),
                problem => self.tell_once(lsp::MessageType::Warning, problem.to_string()),
            }
        }
    }
}

fn capabilities(
    client: &lsp::ClientCapabilities,
    options: &Value,
    info: Option<&lsp::ClientInfo>,
) -> Capabilities {
    let neovim = info.is_some_and(|info| info.name.eq_ignore_ascii_case("neovim"));
    let workspace = client.workspace.as_ref();
    let window = client.window.as_ref();
    let ours =
        |name: &str| options.pointer(&format!("/client/{name}")).and_then(Value::as_bool).unwrap_or(false);
    let configuration = workspace.and_then(|it| it.configuration).unwrap_or(false);
    Capabilities {
        lens_refresh: workspace.and_then(|it| it.code_lens.as_ref()?.refresh_support).unwrap_or(false),
        configuration,
        configuration_registration: configuration
            && workspace
                .and_then(|it| it.did_change_configuration.as_ref()?.dynamic_registration)
                .unwrap_or(false),
        progress: window.and_then(|it| it.work_done_progress).unwrap_or(false),
        show_document: window.and_then(|it| Some(it.show_document.as_ref()?.support)).unwrap_or(false),
        pick: ours("pick"),
        details: ours("details"),
        status: ours("status"),
        outcome: ours("outcome"),
        message_buttons: window.is_some_and(|it| it.show_message.is_some()),
        token: ours("token"),
        definition_links: client
            .text_document
            .as_ref()
            .and_then(|it| it.definition.as_ref()?.link_support)
            .unwrap_or(false),
        // Neovim draws lenses on a line of their own: the state and one verb fit, the rest are code actions.
        lens_verbs: if neovim { 1 } else { 2 },
        // What it draws above the first line of a file is above its window too: nobody would see it.
        first_lens_line: u32::from(neovim),
    }
}

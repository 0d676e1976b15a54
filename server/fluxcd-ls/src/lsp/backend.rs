//! Handlers: each puts what it got into the owner's channel. Requests carry the way back of their answer.

use tokio::sync::{mpsc, oneshot};
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::{Client, ClientSocket, LanguageServer, LspService};

use super::types::*;
use crate::server::Event;

/// Where the answer of a request goes.
pub type Reply<T> = oneshot::Sender<Result<T>>;

/// Everything that an editor can say.
pub enum ClientMessage {
    /// The first request.
    Initialize(Box<InitializeParams>, Reply<InitializeResult>),
    /// The editor has our capabilities.
    Initialized,
    /// The editor is about to end us.
    Shutdown(Reply<()>),
    /// A document was opened.
    Opened(TextDocumentItem),
    /// A document was edited.
    Changed(DidChangeTextDocumentParams),
    /// A document was written to the disk.
    Saved(Uri),
    /// A document was closed.
    Closed(Uri),
    /// Settings changed; some editors put them into the message, some want to be asked.
    Configured(serde_json::Value),
    /// Folders of the workspace came or went.
    Folders(WorkspaceFoldersChangeEvent),
    /// The user trusts the workspace now.
    Trusted,
    /// What to show at a position.
    Hover(TextDocumentPositionParams, Reply<Option<Hover>>),
    /// The lenses of a document.
    CodeLens(Uri, Reply<Option<Vec<CodeLens>>>),
    /// What can be done at a range.
    CodeAction(Box<CodeActionParams>, Reply<Option<Vec<CodeActionResponse>>>),
    /// Where what is named at a position is.
    Definition(TextDocumentPositionParams, Reply<Option<DefinitionResponse>>),
    /// Who mentions what is at a position.
    References(Box<ReferenceParams>, Reply<Option<Vec<Location>>>),
    /// The paths of a document.
    Links(Uri, Reply<Option<Vec<DocumentLink>>>),
    /// A lens or an action was pressed.
    Command(ExecuteCommandParams, Reply<Option<serde_json::Value>>),
    /// The user gave up a running task.
    CancelProgress(ProgressToken),
}

impl ClientMessage {
    /// For the log.
    pub fn name(&self) -> &'static str {
        match self {
            ClientMessage::Initialize(..) => "initialize",
            ClientMessage::Initialized => "initialized",
            ClientMessage::Shutdown(_) => "shutdown",
            ClientMessage::Opened(_) => "didOpen",
            ClientMessage::Changed(_) => "didChange",
            ClientMessage::Saved(_) => "didSave",
            ClientMessage::Closed(_) => "didClose",
            ClientMessage::Configured(_) => "didChangeConfiguration",
            ClientMessage::Folders(_) => "didChangeWorkspaceFolders",
            ClientMessage::Trusted => "trusted",
            ClientMessage::Hover(..) => "hover",
            ClientMessage::CodeLens(..) => "codeLens",
            ClientMessage::CodeAction(..) => "codeAction",
            ClientMessage::Definition(..) => "definition",
            ClientMessage::References(..) => "references",
            ClientMessage::Links(..) => "documentLink",
            ClientMessage::Command(..) => "executeCommand",
            ClientMessage::CancelProgress(_) => "workDoneProgress/cancel",
        }
    }
}

/// The language server as the framework sees it.
pub struct Backend {
    events: mpsc::UnboundedSender<Event>,
    client: Client,
}

/// The methods we know, and the way to the editor. Only these are registered: the framework's full set costs
/// start-up time and would answer for what we do not do.
pub(crate) fn service(events: mpsc::UnboundedSender<Event>) -> (LspService<Backend>, ClientSocket, Client) {
    let (service, socket) = LspService::build_with_lifecycle_methods(|client| Backend { events, client })
        .custom_method("textDocument/didOpen", Backend::did_open)
        .custom_method("textDocument/didChange", Backend::did_change)
        .custom_method("textDocument/didSave", Backend::did_save)
        .custom_method("textDocument/didClose", Backend::did_close)
        .custom_method("textDocument/hover", Backend::hover)
        .custom_method("textDocument/codeLens", Backend::code_lens)
        .custom_method("textDocument/codeAction", Backend::code_action)
        .custom_method("textDocument/definition", Backend::definition)
        .custom_method("textDocument/references", Backend::references)
        .custom_method("textDocument/documentLink", Backend::document_link)
        .custom_method("workspace/executeCommand", Backend::execute_command)
        .custom_method("workspace/didChangeConfiguration", Backend::did_change_configuration)
        .custom_method("workspace/didChangeWorkspaceFolders", Backend::did_change_workspace_folders)
        .custom_method("window/workDoneProgress/cancel", Backend::cancel_progress)
        .custom_method("fluxcd/trusted", Backend::trusted)
        .finish();
    let client = service.inner().client.clone();
    (service, socket, client)
}

impl Backend {
    fn tell(&self, message: ClientMessage) {
        // The owner outlives us, but for the last milliseconds of the process.
        let _ = self.events.send(Event::Client(Box::new(message)));
    }

    async fn ask<T>(&self, message: impl FnOnce(Reply<T>) -> ClientMessage) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        self.tell(message(sender));
        receiver.await.unwrap_or_else(|_| Err(given_up()))
    }
}

/// The answer to a request that was dropped: the server ends, or its handler panicked.
fn given_up() -> Error {
    Error {
        code: ErrorCode::InternalError,
        message: "fluxcd-ls gave up on this request; its log says why".into(),
        data: None,
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        self.ask(|reply| ClientMessage::Initialize(Box::new(params), reply)).await
    }

    async fn initialized(&self, _: InitializedParams) {
        self.tell(ClientMessage::Initialized);
    }

    async fn shutdown(&self) -> Result<()> {
        self.ask(ClientMessage::Shutdown).await
    }
}

impl Backend {
    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.tell(ClientMessage::Opened(params.text_document));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.tell(ClientMessage::Changed(params));
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.tell(ClientMessage::Saved(params.text_document.uri));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tell(ClientMessage::Closed(params.text_document.uri));
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.ask(|reply| ClientMessage::Hover(params.text_document_position_params, reply)).await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.ask(|reply| ClientMessage::CodeLens(params.text_document.uri, reply)).await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<Vec<CodeActionResponse>>> {
        self.ask(|reply| ClientMessage::CodeAction(Box::new(params), reply)).await
    }

    async fn definition(&self, params: DefinitionParams) -> Result<Option<DefinitionResponse>> {
        self.ask(|reply| ClientMessage::Definition(params.text_document_position_params, reply)).await
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        self.ask(|reply| ClientMessage::References(Box::new(params), reply)).await
    }

    async fn document_link(&self, params: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>> {
        self.ask(|reply| ClientMessage::Links(params.text_document.uri, reply)).await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<serde_json::Value>> {
        self.ask(|reply| ClientMessage::Command(params, reply)).await
    }

    async fn did_change_configuration(&self, params: serde_json::Value) {
        let settings = match params {
            serde_json::Value::Object(mut params) => params.remove("settings").unwrap_or_default(),
            _ => serde_json::Value::Null,
        };
        self.tell(ClientMessage::Configured(settings));
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.tell(ClientMessage::Folders(params.event));
    }

    async fn cancel_progress(&self, params: WorkDoneProgressCancelParams) {
        self.tell(ClientMessage::CancelProgress(params.token));
    }

    async fn trusted(&self) {
        self.tell(ClientMessage::Trusted);
    }
}

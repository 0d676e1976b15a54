//! What we say to editors beyond the protocol, and hear from them.

use serde::{Deserialize, Serialize};

use super::types::{LspNotificationMethod, LspRequestMethod, MessageDirection, Notification, Request};

/// `fluxcd/pick`: asks the user to choose one of a list. Only sent to clients that said they can (`client.pick`).
#[derive(Debug)]
pub enum PickRequest {}

impl Request for PickRequest {
    type Params = PickParams;
    /// The id of the chosen item; null when the list was closed.
    type Result = Option<String>;
    const METHOD: LspRequestMethod<'static> = LspRequestMethod::new("fluxcd/pick");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

/// A list to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickParams {
    /// The question.
    pub title: String,
    /// What there is to choose; nothing is preselected.
    pub items: Vec<PickItem>,
}

/// One row of a list to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickItem {
    /// Comes back when this row is chosen.
    pub id: String,
    /// The row.
    pub label: String,
    /// Beside the label, dimmer.
    #[serde(default)]
    pub description: String,
    /// Under the label.
    #[serde(default)]
    pub detail: String,
}

/// `fluxcd/details`: text to show in a document or a window of its own. Only with `client.details`.
#[derive(Debug)]
pub enum DetailsNotification {}

impl Notification for DetailsNotification {
    type Params = DetailsParams;
    const METHOD: LspNotificationMethod<'static> = LspNotificationMethod::new("fluxcd/details");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

/// Text to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailsParams {
    /// Of the window.
    pub title: String,
    /// Already escaped where it holds data of a cluster.
    pub markdown: String,
}

/// `fluxcd/token`: asks the editor for the token of the account that the user signed in with there; only within the command
/// that shows commit statuses, and only with `client.token`.
#[derive(Debug)]
pub enum TokenRequest {}

impl Request for TokenRequest {
    type Params = TokenParams;
    /// The token; null when the user did not sign in.
    type Result = Option<String>;
    const METHOD: LspRequestMethod<'static> = LspRequestMethod::new("fluxcd/token");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

/// Whose token is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenParams {
    /// The only host that it will be sent to.
    pub host: String,
}

/// `fluxcd/status`: what a status bar shows. Only with `client.status`, and only when it changed.
#[derive(Debug)]
pub enum StatusNotification {}

impl Notification for StatusNotification {
    type Params = StatusParams;
    const METHOD: LspNotificationMethod<'static> = LspNotificationMethod::new("fluxcd/status");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

/// What a status bar shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusParams {
    /// The text itself, short.
    pub text: String,
    /// More of it.
    pub tooltip: String,
    /// Its colour: `none`, `ok`, `warning` or `error`.
    pub severity: StatusSeverity,
    /// Every cluster this server has something to do with.
    pub clusters: Vec<ClusterStatus>,
    /// Flux objects that fail, in all clusters.
    pub failed: usize,
    /// Flux objects that wait for others, in all clusters.
    pub waiting: usize,
    /// How the commit stands that is checked out, repository by repository. An editor shows the one of the file in front of
    /// the user before `text`.
    pub heads: Vec<HeadParams>,
}

/// How the commit stands that is checked out in a repository, over the clusters that the user allowed for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadParams {
    /// The URI of the repository's folder.
    pub root: String,
    /// The folder's name.
    pub name: String,
    /// The full hash.
    pub commit: String,
    /// The first line of its message; null if it cannot be read.
    pub subject: Option<String>,
    /// Its branch; null when HEAD is detached.
    pub branch: Option<String>,
    /// One word, of the cluster where it stands worst: `failed`, `waiting`, `untold` (nobody knows, the text says why),
    /// `notPushed`, `notFollowed` (in another branch than the cluster follows), `live`, `nothing` (it changed nothing that is
    /// applied), `notConnected`.
    pub state: String,
    /// The same for a status bar: `1a2b3c4 waiting: production (fetched)`. Empty when there is nothing to say.
    pub text: String,
    /// The commit, and one line a cluster. Plain text.
    pub tooltip: String,
    /// Cluster by cluster, `state` in the words above.
    pub clusters: Vec<ClusterStatus>,
}

/// `fluxcd/outcome`: a pushed commit that this window saw being waited for became live or failed. Only with `client.outcome`,
/// once for each commit and set of clusters. Other editors are shown a message, if the user wants one.
#[derive(Debug)]
pub enum OutcomeNotification {}

impl Notification for OutcomeNotification {
    type Params = OutcomeParams;
    const METHOD: LspNotificationMethod<'static> = LspNotificationMethod::new("fluxcd/outcome");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeParams {
    /// `state` is `live` or `failed`.
    pub head: HeadParams,
    /// A sentence for people.
    pub message: String,
    /// Whether the user wants to be told it (the setting `notifications`).
    pub show: bool,
}

/// The colour of a status bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusSeverity {
    /// Nothing is connected.
    #[default]
    None,
    /// Connected, nothing fails.
    Ok,
    /// Something waits or is not known.
    Warning,
    /// Something fails.
    Error,
}

/// One cluster in the status bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// As it is shown: the alias or the context.
    pub name: String,
    /// One word: `live`, `connecting`, `checking`, `lastSeen`, `signIn`, `unreachable`, `notFlux`, `recorded`, `idle`.
    pub state: String,
    /// The same for people.
    pub text: String,
}

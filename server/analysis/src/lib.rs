//! Documents joined with facts: binding, place, findings, hovers and lenses as plain values. Pure.
//!
//! `manifests` knows texts, `flux` knows what a cluster says; here they meet. Every answer is a function of
//! [`Inputs`] alone: no clock, no file, no network. Where an answer would be better with something that is not
//! there, it says so in [`Lacks`]; the caller fetches that, notes it in [`Past`] or [`Rights`], and asks again.
//!
//! How a caller uses this room:
//! 1. keeps one [`RepoIndex`] per repository and tells it every YAML file ([`RepoIndex::set`]), one [`Memo`], one
//!    [`Past`];
//! 2. puts an [`Inputs`] together for every question and calls [`analyse`], [`hover`], [`status_at`],
//!    [`explain`], [`details`], [`summary`] or [`goto_cause`];
//! 3. fetches what [`FileReport::lacks`] lists, and asks again at [`FileReport::recheck_at`].
//!
//! What must stay true here (each has a test):
//! - ✓ is shown only for what is live at this moment, of a commit that this clone has, and of the very text in front
//!   of the user;
//! - an error is marked only for the text that failed, in a cluster that is live or in a recording that says so;
//! - a guess is never marked;
//! - text from a cluster reaches Markdown only through `page`, where it cannot become markup.
//!
//! Ranges are bytes of the file. There are no LSP types here; `fluxcd-ls` translates.

mod answers;
mod builders;
mod changes;
mod charted;
mod charts;
mod compare;
mod content;
mod copies;
mod deliveries;
mod earlier;
mod findings;
mod gate;
mod held;
mod helmignore;
mod hovers;
mod images;
mod index;
mod inputs;
mod inventory;
mod journey;
mod json;
mod kept;
mod lenses;
mod live;
mod marked;
mod memo;
mod navigation;
mod packaged;
mod page;
mod past;
mod place;
mod placing;
mod plain;
mod purpose;
mod report;
mod reported;
mod rivals;
mod roots;
mod silent;
mod specs;
mod stages;
mod state;
mod statuses;
mod strays;
mod unapplied;
mod versions;
mod view;
mod way;
mod words;

pub use answers::{
    Onlooker, analyse, analyse_for, clusters_of, details, explain, files_with_marks, goto_cause, hover,
    status_at, strangers, summary, unplaced,
};
pub use deliveries::{Delivered, delivered};
pub use gate::{Gate, Gated, HeadIn, HeadState, HeadStatus, Outcome, Question, Step, gate, head_status};
pub use index::{DocRef, RepoIndex};
pub use inputs::{
    CHECKING, ClusterView, Contact, FRESH, Head, Inputs, Mapping, Offer, Proof, Refs, Remotes, RepoView,
    Right, Rights, Settings, Severity, Tip,
};
pub use inventory::{Application, Inventory, SourceRef, Untold, inventory};
pub use live::{LiveAnswer, LiveObjects, Reading, Wanted};
pub use memo::Memo;
pub use navigation::{Definition, Link, Target, definition, links, references};
pub use past::{Answer, Between, Commit, CommitFiles, Lacks, Log, LogEnd, LogEntry, Logged, Past, Touched};
pub use report::{
    Action, Cause, ClusterSummary, Command, FileReport, Finding, Hover, LensItem, LensRow, Mood, Related,
    Summary,
};
pub use statuses::{Report, Reported, ReportedOn, Reporting};

#[cfg(test)]
mod tests;

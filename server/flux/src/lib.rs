//! What Flux says, as data: kinds, slim status structs, verdicts, revisions, facts. Pure.
//!
//! JSON goes in as [`Object`]s. [`observe`] folds what must be remembered of an object's past, and
//! [`verdict`] says how it stands. [`Facts`] holds what is known of one cluster, [`causes`] finds what
//! failed first, [`failure::parse`] what a message says is wrong and where, [`failure_field`] where in the
//! object's own document that is. Nothing here asks a clock, a file or a network: the time is passed in.

mod causes;
mod commit_status;
mod facts;
pub mod failure;
mod id;
mod json;
mod kind;
pub mod list;
mod live;
pub mod message;
mod object;
mod observe;
mod references;
mod revision;
mod status;
#[cfg(test)]
mod tests;
mod verdict;

pub use causes::{Cause, CauseKind, Causes, Hop, causes};
pub use commit_status::{StatusContext, custom_context};
pub use facts::{Change, Changed, ClusterName, Coverage, Facts};
pub use failure::{FieldRef, Named, Side, failure_field, side};
pub use id::ObjectId;
pub use kind::{Kind, Suspension};
pub use live::{Count, Counted, Health, How, Live, Says};
pub use object::{Follows, Meta, NotFlux, Object, Spec, Writer};
pub use observe::{Failure, Observed, Proof, Trouble, observe};
pub use references::{Reference, Role};
pub use revision::{Revision, RevisionParts};
pub use status::{Artifact, Condition, Inventory, InventoryEntry, Reconciliation, Release, Status, Truth};
pub use verdict::{Attempt, DEBOUNCE, Overlay, PATIENCE, State, Verdict, verdict};

//! The questions that can be asked.

use flux::ObjectId;
use manifests::{RepoPath, TextSize};

use crate::{Cause, FileReport, Hover, Inputs, Mood, Summary};

/// Everything that is shown in a file: marks, lenses, actions, and where hovers answer. The file is read from
/// [`crate::RepoIndex`]; one without Flux objects has an empty report.
pub fn analyse(_inputs: &Inputs<'_>, _path: &RepoPath) -> FileReport {
    FileReport::default()
}

/// What to show at an offset: at the kind and the name of a Flux object, at its marks, and at the names of other
/// Flux objects. Nothing elsewhere, so that it does not fight other language servers.
pub fn hover(_inputs: &Inputs<'_>, _path: &RepoPath, _offset: TextSize) -> Option<Hover> {
    None
}

/// Everything about the document at an offset as Markdown, wherever in it the offset is; of the whole file without
/// one. Always says something: that nothing is connected, that nothing applies this file.
pub fn status_at(_inputs: &Inputs<'_>, _path: &RepoPath, _offset: Option<TextSize>) -> String {
    String::new()
}

/// All that an editor shows there (lens, marks, hover), as text for a terminal.
pub fn explain(_inputs: &Inputs<'_>, _path: &RepoPath, _offset: Option<TextSize>) -> String {
    String::new()
}

/// Everything about one object of a cluster, as Markdown. `None` if the cluster is not among the inputs.
pub fn details(_inputs: &Inputs<'_>, _cluster: &str, _object: &ObjectId) -> Option<String> {
    None
}

/// Counts for a status bar.
pub fn summary(_inputs: &Inputs<'_>) -> Summary {
    Summary {
        text: String::new(),
        tooltip: String::new(),
        mood: Mood::None,
        clusters: Vec::new(),
        failed: 0,
        waiting: 0,
    }
}

/// Where to go from an object in trouble: to the document of what failed first, at the field that failed. `None` if
/// the cluster is not among the inputs or the object is in no trouble.
pub fn goto_cause(_inputs: &Inputs<'_>, _cluster: &str, _object: &ObjectId) -> Option<Cause> {
    None
}

/// Keys of the clusters that this file belongs to, those that apply it first. Empty if nothing tells.
pub fn clusters_of(_inputs: &Inputs<'_>, _path: &RepoPath) -> Vec<String> {
    Vec::new()
}

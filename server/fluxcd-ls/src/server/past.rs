//! What Git answers to what analysis lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use analysis::{
    Answer, Between, Commit, CommitFiles, Head, Inputs, Lacks, Log, LogEnd, LogEntry, Logged, Past, Refs,
    Tip, Touched,
};
use dashmap::DashMap;
use manifests::{FileKind, ParsedFile, RepoPath, Tree};

use super::view::View;

/// How many commits between two are told.
const LOG: usize = 5;
/// How many commits that touch a chart are told.
const WHOLE_LOG: usize = 50;
/// Parsed files of commits beyond this many are forgotten together.
const MAX_BLOBS: usize = 20_000;

/// Files of commits that were parsed, by the id of their content: commits have most of them in common.
#[derive(Default)]
pub(crate) struct Blobs(DashMap<history::ObjectId, ParsedFile>);

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Blobs").field(&self.0.len()).finish()
    }
}

/// The files of a commit.
struct Snapshot {
    id: String,
    tree: history::GitTree,
    blobs: Arc<Blobs>,
}

impl Tree for Snapshot {
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        self.tree.read(path)
    }

    fn parsed(&self, path: &RepoPath) -> Option<ParsedFile> {
        let id = self.tree.blob_id(path)?;
        if let Some(known) = self.blobs.0.get(&id) {
            return Some(known.clone());
        }
        let file = ParsedFile::parse(&self.tree.read(path)?);
        if self.blobs.0.len() >= MAX_BLOBS {
            self.blobs.0.clear();
        }
        self.blobs.0.insert(id, file.clone());
        Some(file)
    }

    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)> {
        self.tree.list(directory)
    }
}

impl CommitFiles for Snapshot {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_incomplete(&self) -> bool {
        self.tree.fault().is_some()
    }
}

/// Two commits.
type Pair = (String, String);

/// Answers from Git to what analysis lacked.
#[derive(Clone)]
pub(crate) struct Answers {
    commits: Vec<(String, Answer<Commit>)>,
    bases: Vec<(Pair, Answer<Option<String>>)>,
    between: Vec<(Between, Touched)>,
    logs: Vec<(Log, Logged)>,
}

/// Asks analysis something until history has nothing more to answer of what that lacks: an answer can raise a further question,
/// the commit first, then a file in it. What was looked up is known to the view, and added to `answers`.
pub(crate) fn ask<T>(
    view: &mut View,
    git: &history::Repository,
    answers: &mut Vec<Answers>,
    question: impl Fn(&Inputs<'_>) -> T,
    lacks: impl Fn(&T) -> &Lacks,
) -> T {
    const ROUNDS: usize = 6;
    let mut answer = view.ask(&question);
    for _ in 0..ROUNDS {
        let lacks = Lacks { rights: BTreeSet::new(), ..lacks(&answer).clone() };
        if lacks.is_empty() {
            break;
        }
        let found = look_up(git, &view.blobs, lacks);
        found.clone().note(Arc::make_mut(&mut view.past));
        answers.push(found);
        answer = view.ask(&question);
    }
    answer
}

/// Looks up what analysis lacked.
pub(crate) fn look_up(git: &history::Repository, blobs: &Arc<Blobs>, lacks: Lacks) -> Answers {
    let commits = lacks.commits.into_iter().map(|hash| {
        // A chart's version names twelve digits of a commit.
        let full =
            if hash.len() < 40 { git.resolve(&hash).map(|it| it.to_string()) } else { Ok(hash.clone()) };
        let found = full.and_then(|full| Ok((git.commit(&full)?, git.tree(&full)?)));
        let answer = found.map(|(commit, tree)| Commit {
            subject: commit.subject,
            author: commit.author,
            time: commit.time,
            files: Arc::new(Snapshot { id: tree.id().to_string(), tree, blobs: Arc::clone(blobs) }),
        });
        (hash, answer_of(answer))
    });
    let bases = lacks.bases.into_iter().map(|of| {
        let base = git.merge_base(&of.0, &of.1).map(|it| it.map(|id| id.to_string()));
        (of, answer_of(base))
    });
    let between = lacks.between.into_iter().map(|question| {
        let found = git.touching(&question.from, &question.to, &question.paths, LOG);
        let touched = match found {
            Ok(found) => {
                Touched { commits: found.commits.into_iter().map(entry).collect(), end: end_of(found.end) }
            }
            Err(error) => {
                tracing::debug!(%error, "history has no answer");
                Touched { commits: Vec::new(), end: LogEnd::Untold }
            }
        };
        (question, touched)
    });
    let logs = lacks.logs.into_iter().map(|question| {
        let found = git.all_touching(&question.to, &question.paths, WHOLE_LOG);
        let answer = match found {
            Ok(found) => Logged {
                commits: found.commits.into_iter().map(entry).collect(),
                whole: found.end == history::End::Whole,
            },
            Err(error) => {
                tracing::debug!(%error, "history has no answer");
                Logged { commits: Vec::new(), whole: false }
            }
        };
        (question, answer)
    });
    Answers {
        commits: commits.collect(),
        bases: bases.collect(),
        between: between.collect(),
        logs: logs.collect(),
    }
}

fn entry(it: history::CommitInfo) -> LogEntry {
    LogEntry { hash: it.id.to_string(), subject: it.subject, author: it.author, time: it.time }
}

fn end_of(end: history::End) -> LogEnd {
    match end {
        history::End::Whole => LogEnd::Whole,
        history::End::More => LogEnd::More,
        history::End::Unseen => LogEnd::Unseen,
        history::End::CutOff(bring) => LogEnd::CutOff(Some(bring.command().into())),
    }
}

fn answer_of<T>(found: history::Result<T>) -> Answer<T> {
    found.map_or_else(
        |error| {
            tracing::debug!(%error, "history has no answer");
            Answer::NotInThisClone(match &error {
                history::Error::NotInThisClone { bring, .. } | history::Error::CutOff(bring) => {
                    Some(bring.command().into())
                }
                _ => None,
            })
        },
        Answer::Known,
    )
}

impl Answers {
    /// Puts the answers where analysis finds them.
    pub(crate) fn note(self, past: &mut Past) {
        for (hash, answer) in self.commits {
            past.note_commit(hash, answer);
        }
        for (of, answer) in self.bases {
            past.note_base(of, answer);
        }
        for (question, log) in self.between {
            past.note_between(question, log);
        }
        for (question, answer) in self.logs {
            past.note_log(question, answer);
        }
    }
}

/// The references of a clone, as of now. What cannot be read is not there.
pub(crate) fn refs(git: &history::Repository) -> Refs {
    let upstream = git.upstream().ok().flatten().map(|it| (it.remote, it.branch));
    let head = git.head().ok().and_then(|it| {
        Some(Head { commit: it.commit?.to_string(), branch: it.branch, upstream: upstream.clone() })
    });
    let mut tracked: BTreeMap<String, BTreeMap<String, Tip>> = BTreeMap::new();
    let branches = git.branches().unwrap_or_else(|error| {
        tracing::info!(%error, "no branches of remotes in {}", git.work_dir().display());
        Vec::new()
    });
    for it in branches {
        let moved = git.moved_at(&it.remote, &it.branch);
        let tip = Tip { commit: it.commit.to_string(), moved };
        tracked.entry(it.remote).or_default().entry(it.branch).or_insert(tip);
    }
    let tags = git.tags().unwrap_or_default();
    let tags = tags.into_iter().map(|(name, commit)| (name, commit.to_string())).collect();
    Refs { head, tracked, tags, fetched: git.fetched_at() }
}

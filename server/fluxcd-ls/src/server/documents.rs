//! Open documents: text as the editor has it, with a tree that is made when someone needs it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use manifests::{ParsedFile, RepoPath};
use ropey::Rope;
use tokio::time::Instant;

use super::watch::RepoId;
use crate::lsp::backend::ClientMessage;
use crate::lsp::convert;
use crate::lsp::types::{TextDocumentContentChangeEvent, Uri};

/// A text and its tree. Shared with workers; never changed, an edit makes a new one.
#[derive(Debug)]
pub(crate) struct Text {
    rope: Rope,
    string: OnceLock<Arc<str>>,
    parsed: OnceLock<ParsedFile>,
    digest: OnceLock<u64>,
    /// The newest tree of an earlier text: what did not change is taken from it.
    previous: Option<ParsedFile>,
}

impl Text {
    /// A text that nobody has seen before.
    pub(crate) fn new(text: &str) -> Text {
        Text::of(Rope::from_str(text), None)
    }

    fn of(rope: Rope, previous: Option<ParsedFile>) -> Text {
        Text { rope, string: OnceLock::new(), parsed: OnceLock::new(), digest: OnceLock::new(), previous }
    }

    /// The lines, for the edge.
    pub(crate) fn rope(&self) -> &Rope {
        &self.rope
    }

    /// The whole text.
    pub(crate) fn string(&self) -> &Arc<str> {
        self.string.get_or_init(|| Arc::from(self.rope.to_string()))
    }

    /// The tree. Costs milliseconds in large files the first time: workers ask, the owner does not.
    pub(crate) fn parsed(&self) -> &ParsedFile {
        self.parsed.get_or_init(|| match &self.previous {
            Some(previous) => previous.reparse(self.string()),
            None => ParsedFile::parse(self.string()),
        })
    }

    /// Tells texts apart, within this process.
    pub(crate) fn digest(&self) -> u64 {
        *self.digest.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.string().hash(&mut hasher);
            hasher.finish()
        })
    }

    /// The text after some edits. Positions beyond the text are its end, so that a client that is wrong about the
    /// text gets wrong text and no crash; the next full text heals it.
    pub(crate) fn edited(&self, changes: Vec<TextDocumentContentChangeEvent>) -> Text {
        let previous = self.parsed.get().or(self.previous.as_ref()).cloned();
        let mut rope = self.rope.clone();
        for change in changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                    rope = Rope::from_str(&whole.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    let bytes = convert::range_from_lsp(&rope, part.range);
                    let start = rope.byte_to_char(bytes.start);
                    let end = rope.byte_to_char(bytes.end);
                    rope.remove(start..end);
                    rope.insert(start, &part.text);
                }
            }
        }
        Text::of(rope, previous)
    }
}

/// A document that is open in the editor.
pub(crate) struct Document {
    /// As the editor spells it.
    pub uri: Uri,
    /// Goes back with everything that is said of this text.
    pub version: i32,
    /// The text.
    pub text: Arc<Text>,
    /// Its file; none for what is not on the disk.
    pub file: Option<PathBuf>,
    /// Its repository and its path there, once that was found.
    pub home: Option<(RepoId, RepoPath)>,
    /// Whether its repository was looked for.
    pub located: bool,
    /// Questions and commands that wait for its repository to be found.
    pub waiting: Vec<ClientMessage>,
    /// When it was last typed in.
    pub edited: Option<Instant>,
    /// What the lenses say by the newest analysis.
    pub analysed: Option<Stamped>,
    /// What they said when the editor last asked; none once it was told to ask again.
    pub served: Option<Stamped>,
}

/// What something said, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamped {
    /// The world's generation that it was made of.
    pub generation: u64,
    /// What it said.
    pub digest: u64,
}

impl Document {
    /// Whether its repository is being looked for: what is asked of it waits for that.
    pub(crate) fn is_being_located(&self) -> bool {
        self.file.is_some() && !self.located
    }

    /// Lenses were sent. Whether others have to be asked for again: not only who got these shows lenses (another extension, a
    /// test), and what was sent before may still be on the screen.
    pub(crate) fn serve(&mut self, lenses: Stamped) -> bool {
        let before = self.served.replace(lenses);
        before.is_some_and(|before| before.digest != lenses.digest) || self.lenses_are_stale()
    }

    /// Whether the editor shows lenses that say something else by now. True once for each change.
    pub(crate) fn lenses_are_stale(&mut self) -> bool {
        let (Some(analysed), Some(served)) = (self.analysed, self.served) else { return false };
        let stale = analysed.generation >= served.generation && analysed.digest != served.digest;
        if stale {
            self.served = None;
        }
        stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::types::{Position, Range, TextDocumentContentChangePartial};

    fn edit(start: (u32, u32), end: (u32, u32), text: &str) -> TextDocumentContentChangeEvent {
        let at = |(line, character)| Position { line, character };
        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(TextDocumentContentChangePartial {
            range: Range { start: at(start), end: at(end) },
            text: text.to_owned(),
            ..Default::default()
        })
    }

    #[test]
    fn lenses_are_asked_for_again_when_somebody_has_others() {
        let stamped = |generation, digest| Stamped { generation, digest };
        let mut document = Document {
            uri: convert::uri_of(std::path::Path::new("/a.yaml")).unwrap(),
            version: 1,
            text: Arc::new(Text::new("")),
            file: None,
            home: None,
            located: true,
            waiting: Vec::new(),
            edited: None,
            analysed: None,
            served: None,
        };
        assert!(!document.serve(stamped(1, 10)), "the first ones");
        assert!(!document.serve(stamped(1, 10)), "the same");
        // Before the first analysis came to its end.
        assert!(document.serve(stamped(2, 20)), "who asked first shows others");
        document.analysed = Some(stamped(2, 20));
        assert!(!document.lenses_are_stale());
        document.analysed = Some(stamped(3, 30));
        assert!(document.lenses_are_stale());
        assert!(!document.lenses_are_stale(), "once");
        assert!(!document.serve(stamped(3, 30)), "who was told to ask again");
        // An answer that was made of an older world.
        assert!(document.serve(stamped(2, 20)));
    }

    #[test]
    fn edits_apply_in_order_and_to_what_the_ones_before_left() {
        let text = Text::new("a: 1\nb: 2\n")
            .edited(vec![edit((0, 3), (0, 4), "10"), edit((0, 5), (1, 0), " # x\n")]);
        assert_eq!(&**text.string(), "a: 10 # x\nb: 2\n");
    }

    #[test]
    fn edits_out_of_range_do_what_they_can() {
        let text = Text::new("a: 1").edited(vec![edit((9, 9), (12, 0), "\nb: 2"), edit((1, 2), (0, 0), " ")]);
        assert_eq!(&**text.string(), "a: 1\nb:  2");
    }
}

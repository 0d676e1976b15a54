//! Builds that are kept from one keystroke to the next.

use manifests::{MemoryTree, ParsedFile, RepoPath, Value};
use std::sync::Arc;

use crate::RepoIndex;
use crate::kept::{BuildKey, Working};

/// A repository of one file, typed and saved.
struct Desk {
    index: RepoIndex,
    typed: MemoryTree,
    saved: MemoryTree,
}

impl Desk {
    fn new() -> Desk {
        let mut desk = Desk { index: RepoIndex::new(), typed: MemoryTree::new(), saved: MemoryTree::new() };
        desk.save("one");
        desk.type_("one");
        desk
    }

    fn path() -> RepoPath {
        RepoPath::new("apps/web.yaml").unwrap()
    }

    fn text(name: &str) -> String {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
    }

    fn type_(&mut self, name: &str) {
        self.typed.insert(Desk::path(), Desk::text(name));
        self.index.set(&Desk::path(), Some(ParsedFile::parse(&Desk::text(name))));
    }

    fn save(&mut self, name: &str) {
        self.saved.insert(Desk::path(), Desk::text(name));
        self.index.saved();
    }

    /// What the build makes, and whether it is the very one of the last time.
    fn check(
        &self,
        of: Working,
        last: &mut Option<Arc<manifests::kustomize::Build>>,
        expected: &str,
        again: bool,
    ) {
        let tree = if of == Working::Saved { &self.saved } else { &self.typed };
        let key = BuildKey::folder(None, RepoPath::new("apps").unwrap());
        let (build, _) = self.index.build_now(of, tree, &key, &Arc::new(Value::empty()));
        assert_eq!(&*build.objects[0].id().unwrap().name, expected);
        assert_eq!(last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &build)), again, "{expected}");
        *last = Some(build);
    }
}

#[test]
fn a_build_is_kept_while_its_files_are() {
    let mut desk = Desk::new();
    let (mut typed, mut saved) = (None, None);
    desk.check(Working::Buffers, &mut typed, "one", false);
    desk.check(Working::Saved, &mut saved, "one", false);
    desk.check(Working::Buffers, &mut typed, "one", true);
    desk.type_("two");
    desk.check(Working::Buffers, &mut typed, "two", false);
    // What is typed changes nothing that is saved.
    desk.check(Working::Saved, &mut saved, "one", true);
    // Saved, or changed beside the editor: nothing is told of the file, for what is open is as it was.
    desk.save("three");
    desk.check(Working::Saved, &mut saved, "three", false);
    desk.check(Working::Saved, &mut saved, "three", true);
    desk.save("four");
    desk.check(Working::Saved, &mut saved, "four", false);
    // The same text again is another version of the file: a broken document keeps the tree of the text before.
    desk.type_("two");
    desk.check(Working::Buffers, &mut typed, "two", false);
}

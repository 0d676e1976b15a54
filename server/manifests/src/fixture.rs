//! Repositories as text, for tests.
//!
//! ```text
//! //- apps/kustomization.yaml
//! resources: [deploy.yaml$0]
//! //- apps/deploy.yaml
//! kind: Deployment
//!       ^^^^^^^^^^ what the mark says
//! ```

use text_size::{TextRange, TextSize};

use crate::{MemoryTree, RepoPath};

/// A repository written as one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixture {
    /// The files in the order in which they are written, marks taken out. Text before the first `//-` line is the
    /// file `main.yaml`.
    pub files: Vec<(RepoPath, String)>,
    /// Where `$0` stood.
    pub cursor: Option<(RepoPath, TextSize)>,
    /// What `^^^` lines underline.
    pub marks: Vec<Mark>,
}

/// A range that a line of `^^^` underlines in the line above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The file.
    pub path: RepoPath,
    /// The underlined bytes.
    pub range: TextRange,
    /// What stands behind the carets.
    pub text: String,
}

/// Reads a fixture. A line `//- path` starts a file; `$0` is the cursor; a line of spaces (after an optional `#`)
/// and `^` marks the line above it. Columns of marks count characters.
///
/// # Panics
/// When a path leads outside of the repository.
#[allow(clippy::panic)]
pub fn parse(text: &str) -> Fixture {
    let mut fixture = Fixture::default();
    let mut current: Option<(RepoPath, String)> = None;
    // Where the last line of text starts in the current file, and whether `$0` was taken out of it.
    let mut last_line = 0;
    for line in text.split_inclusive('\n') {
        if let Some(path) = line.strip_prefix("//- ") {
            let path = RepoPath::new(path.trim()).unwrap_or_else(|| panic!("{} leads outside", path.trim()));
            fixture.files.extend(current.replace((path, String::new())));
            last_line = 0;
            continue;
        }
        let fresh = || (RepoPath::root().join("main.yaml").unwrap_or_else(RepoPath::root), String::new());
        let (path, file) = current.get_or_insert_with(fresh);
        if let Some((start, length, said)) = underline(line) {
            let above = &file[last_line..];
            let byte = |column: usize| above.char_indices().nth(column).map_or(above.len(), |(at, _)| at);
            let range = crate::range(last_line + byte(start)..last_line + byte(start + length));
            fixture.marks.push(Mark { path: path.clone(), range, text: said.to_owned() });
            continue;
        }
        last_line = file.len();
        match line.split_once("$0") {
            Some((before, after)) => {
                file.push_str(before);
                fixture.cursor = Some((path.clone(), crate::size(file.len())));
                file.push_str(after);
            }
            None => file.push_str(line),
        }
    }
    fixture.files.extend(current);
    fixture
}

/// First column, count of `^`, and the words behind them.
fn underline(line: &str) -> Option<(usize, usize, &str)> {
    let rest = line.strip_prefix('#').unwrap_or(line);
    let carets = rest.trim_start_matches(' ');
    let length = carets.chars().take_while(|it| *it == '^').count();
    let start = line.len() - carets.len();
    (length > 0).then(|| (start, length, carets[length..].trim()))
}

impl Fixture {
    /// The files as a repository.
    pub fn tree(&self) -> MemoryTree {
        self.files.iter().cloned().collect()
    }

    /// A file's text; empty if there is none of that name.
    pub fn text(&self, path: &str) -> &str {
        self.files.iter().find(|(it, _)| it.as_str() == path).map_or("", |(_, text)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_cursor_and_marks() {
        let fixture = parse("//- a/b.yaml\nkind: ü X$0\n#     ^^^ said\n//- c.yaml\n  x: 1\n   ^\n");
        assert_eq!(fixture.text("a/b.yaml"), "kind: ü X\n");
        assert_eq!(fixture.cursor, RepoPath::new("a/b.yaml").map(|it| (it, TextSize::new(10))));
        let marks = fixture
            .marks
            .iter()
            .map(|it| (&fixture.text(it.path.as_str())[crate::bytes(it.range)], &*it.text));
        assert_eq!(marks.collect::<Vec<_>>(), [("ü X", "said"), (":", "")]);
        assert_eq!(parse("a: 1\n").files.len(), 1);
        assert_eq!(parse("a: 1\n").text("main.yaml"), "a: 1\n");
    }
}

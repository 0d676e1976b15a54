//! Values that know where they are written, whatever a build has made of them since.
//!
//! A [`Node`] is what stands in one document. A [`Value`] is what an object became on its way through patches,
//! components and variables: each part of it still tells the [`Site`] that set it, so that a failure at
//! `spec.replicas` of an object is a place in the patch that wrote the number. Values are shared: changing a copy
//! costs the path from its root to the change.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use text_size::{TextRange, TextSize};

use crate::{Document, FieldPath, Node, NodeKind, ParsedFile, Placed, RepoPath, ScalarMap, Segment};

/// A value and the place that set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// Where it is written; `None` for what no text holds (a hash, a default, an object read from a cluster).
    pub site: Option<Site>,
}

/// What a [`Value`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Keys with values, each key once.
    Mapping(Vec<Member>),
    /// Items.
    Sequence(Vec<Arc<Value>>),
    /// Everything else.
    Scalar(Text),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key.
    pub key: Arc<str>,
    /// Where the key is written.
    pub site: Option<Site>,
    /// The value.
    pub value: Arc<Value>,
}

/// A scalar.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The text after escapes and variables.
    pub value: Arc<str>,
    /// Not quoted, so that YAML may read a number, a boolean or null from it.
    pub plain: bool,
    /// Which parts of the value variables made; `None` if the value is as written.
    pub made: Option<Arc<Made>>,
}

/// How variables made a text.
#[derive(Debug, PartialEq)]
pub struct Made {
    /// What was written.
    pub written: Arc<str>,
    /// The variables that occur in it, in order.
    pub uses: Vec<Used>,
}

/// A variable in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Used {
    /// The variable's name.
    pub name: Arc<str>,
    /// Where `${…}` stands in the written text, in bytes of it.
    pub written: TextRange,
    /// What it became, in bytes of the value; empty for a variable without a value.
    pub value: TextRange,
    /// Where the variable gets its value, if a text of the repository tells.
    pub set_at: Option<Site>,
    /// What nobody reads may set it to something else in the cluster: the value is a guess there.
    pub unsure: bool,
}

/// Where something is written: a range of a document, which may itself be the text of a scalar of another one.
#[derive(Clone)]
pub struct Site {
    source: Arc<Source>,
    range: TextRange,
}

/// A document that values come from.
pub struct Source {
    path: RepoPath,
    /// The document's place among those of the file (of the outermost file, for a nested document).
    index: usize,
    offset: TextSize,
    document: Arc<Document>,
    /// The scalar whose text this document is.
    within: Option<Within>,
}

struct Within {
    scalar: Site,
    /// From the text that was parsed to the outer document; `None` when that cannot be told.
    map: Option<ScalarMap>,
    /// The parsed text is what variables made of the scalar's value.
    made: Option<Arc<Made>>,
}

/// The same place of the same text. What is nested in another text is parsed anew each time, and equal only to itself.
impl PartialEq for Site {
    fn eq(&self, other: &Site) -> bool {
        let (a, b) = (&*self.source, &*other.source);
        let is_one = || {
            Arc::ptr_eq(&a.document, &b.document)
                && (&a.path, a.index, a.offset) == (&b.path, b.index, b.offset)
                && a.within.is_none()
                && b.within.is_none()
        };
        self.range == other.range && (Arc::ptr_eq(&self.source, &other.source) || is_one())
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.in_file() {
            Some((path, range)) => write!(f, "{path}@{range:?}"),
            None => write!(f, "{}", self.source.path),
        }
    }
}

impl Site {
    /// The file and the bytes of it. For a place inside a block scalar that folding or variables made untellable the
    /// scalar itself.
    pub fn in_file(&self) -> Option<(RepoPath, TextRange)> {
        match &self.source.within {
            None => Some((
                self.source.path.clone(),
                self.range.checked_add(self.source.offset).unwrap_or(self.range),
            )),
            Some(within) => {
                let range = self.range.checked_add(self.source.offset).unwrap_or(self.range);
                let range = match &within.made {
                    Some(made) => made.written_range(range),
                    None => Some(range),
                };
                let outer = range.and_then(|range| within.map.as_ref()?.in_document(range));
                match outer {
                    Some(range) => Site { source: Arc::clone(&within.scalar.source), range }.in_file(),
                    None => within.scalar.in_file(),
                }
            }
        }
    }

    /// The file.
    pub fn path(&self) -> &RepoPath {
        &self.source.path
    }

    /// The place of the document among those of its file.
    pub fn document_index(&self) -> usize {
        self.source.index
    }

    /// The document that holds the place: the innermost one.
    pub fn document(&self) -> &Arc<Document> {
        &self.source.document
    }

    /// Where it stands in [`Site::document`].
    pub fn range(&self) -> TextRange {
        self.range
    }

    /// Another range of the same document.
    pub fn at(&self, range: TextRange) -> Site {
        Site { source: Arc::clone(&self.source), range }
    }

    /// The key at the top of its file's document that the place is below.
    pub fn top_key(&self) -> Option<String> {
        let mut outer = self;
        while let Some(within) = &outer.source.within {
            outer = &within.scalar;
        }
        let entries = outer.source.document.root.as_ref()?.as_mapping()?;
        let entry =
            entries.iter().find(|it| it.key.range.cover(it.value.range).contains_range(outer.range))?;
        Some(entry.key.as_scalar()?.value.to_string())
    }

    /// Whether the place is in a document inside a scalar.
    pub fn is_nested(&self) -> bool {
        self.source.within.is_some()
    }

    /// Where a part of the value of the scalar that stands here is written; variables count as they are written. `None`
    /// if here is no scalar, or the part is nowhere written as it is.
    pub fn part(&self, of_value: TextRange) -> Option<Site> {
        let map = self.source.document.scalar_map(self.node()?)?;
        Some(self.at(map.in_document(of_value)?))
    }

    /// The text that stands there.
    pub fn text(&self) -> &str {
        self.source.document.slice(self.range)
    }
}

impl Made {
    /// A range of the value as one of the written text: a part that a variable made is the `${…}`.
    pub fn written_range(&self, range: TextRange) -> Option<TextRange> {
        let start = self.written_offset(range.start(), false)?;
        let end = self.written_offset(range.end(), true)?;
        (start <= end).then(|| TextRange::new(start, end))
    }

    fn written_offset(&self, offset: TextSize, is_end: bool) -> Option<TextSize> {
        let mut shift = 0_i64;
        for used in &self.uses {
            let inside = match is_end {
                false => used.value.start() <= offset && offset < used.value.end(),
                true => used.value.start() < offset && offset <= used.value.end(),
            };
            if inside {
                return Some(if is_end { used.written.end() } else { used.written.start() });
            }
            if used.value.end() <= offset && (is_end || used.value.start() < offset || used.value.is_empty())
            {
                shift = i64::from(u32::from(used.written.end())) - i64::from(u32::from(used.value.end()));
            }
        }
        u32::try_from(i64::from(u32::from(offset)) + shift).ok().map(TextSize::new)
    }
}

impl Text {
    /// Text that variables may still change.
    pub fn new(value: impl Into<Arc<str>>, plain: bool) -> Text {
        Text { value: value.into(), plain, made: None }
    }

    /// Whether the cluster may have another value: a variable is not known, or may be set by what nobody reads.
    pub fn is_unsure(&self) -> bool {
        self.value.contains("${")
            || self.made.as_ref().is_some_and(|made| made.uses.iter().any(|it| it.unsure))
    }

    /// Whether YAML reads this as null.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(&*self.value, "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Value {
    /// A text that no file holds.
    pub fn made(text: impl Into<Arc<str>>) -> Value {
        Value { data: Data::Scalar(Text::new(text, false)), site: None }
    }

    /// A mapping without members.
    pub fn empty() -> Value {
        Value { data: Data::Mapping(Vec::new()), site: None }
    }

    /// The members, if this is a mapping.
    pub fn as_mapping(&self) -> Option<&[Member]> {
        match &self.data {
            Data::Mapping(members) => Some(members),
            _ => None,
        }
    }

    /// The items, if this is a sequence.
    pub fn as_sequence(&self) -> Option<&[Arc<Value>]> {
        match &self.data {
            Data::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The scalar, if this is one.
    pub fn as_text(&self) -> Option<&Text> {
        match &self.data {
            Data::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a scalar that is not null.
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().filter(|it| !it.is_null()).map(|it| &*it.value)
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        self.as_text().is_some_and(Text::is_null)
    }

    /// The member with this key.
    pub fn member(&self, key: &str) -> Option<&Member> {
        self.as_mapping()?.iter().find(|it| &*it.key == key)
    }

    /// The value under this key.
    pub fn get(&self, key: &str) -> Option<&Arc<Value>> {
        self.member(key).map(|it| &it.value)
    }

    /// The value at a path of keys.
    pub fn dig(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(self, |value, key| value.get(key).map(|it| &**it))
    }

    /// The text at a path of keys.
    pub fn text(&self, keys: &[&str]) -> Option<&str> {
        self.dig(keys)?.as_str()
    }

    /// [`Value::text`], shared.
    pub(crate) fn shared(&self, keys: &[&str]) -> Option<&Arc<str>> {
        self.dig(keys)?.as_text().filter(|it| !it.is_null()).map(|it| &it.value)
    }

    /// One step down a [`FieldPath`].
    pub fn step(&self, segment: &Segment) -> Option<&Arc<Value>> {
        match segment {
            Segment::Key(key) => self.get(key),
            Segment::Index(index) => self.as_sequence()?.get(*index),
            Segment::Item { field, value } => {
                self.as_sequence()?.iter().find(|item| item.text(&[field]) == Some(value))
            }
        }
    }

    /// The value at a path.
    pub fn at(&self, path: &FieldPath) -> Option<&Value> {
        path.segments().iter().try_fold(self, |value, segment| value.step(segment).map(|it| &**it))
    }

    /// The longest beginning of a path that exists, and its value.
    pub fn nearest(&self, path: &FieldPath) -> (FieldPath, &Value) {
        let mut value = self;
        let mut found = FieldPath::root();
        for segment in path.segments() {
            let Some(next) = value.step(segment) else { break };
            value = next;
            found = found.with(segment.clone());
        }
        (found, value)
    }

    /// The member whose value is at a path.
    pub fn member_at(&self, path: &FieldPath) -> Option<&Member> {
        let Some(Segment::Key(key)) = path.last() else { return None };
        self.at(&path.parent()?)?.member(key)
    }

    /// Whether both say the same: sites, quotes and the order of keys do not count.
    pub fn says_the_same(&self, other: &Value) -> bool {
        match (&self.data, &other.data) {
            (Data::Mapping(one), Data::Mapping(two)) => {
                one.len() == two.len()
                    && one.iter().all(|it| other.get(&it.key).is_some_and(|to| it.value.says_the_same(to)))
            }
            (Data::Sequence(one), Data::Sequence(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.says_the_same(two))
            }
            (Data::Scalar(one), Data::Scalar(two)) => {
                one.is_null() == two.is_null() && (one.is_null() || one.value == two.value)
            }
            _ => false,
        }
    }

    /// Sets a member, or with `None` removes it.
    pub(crate) fn set(&mut self, key: &str, site: Option<Site>, value: Option<Arc<Value>>) {
        let Data::Mapping(members) = &mut self.data else { return };
        let at = members.iter().position(|it| &*it.key == key);
        match (at, value) {
            (Some(at), Some(value)) => members[at].value = value,
            (Some(at), None) => drop(members.remove(at)),
            (None, Some(value)) => members.push(Member { key: key.into(), site, value }),
            (None, None) => {}
        }
    }

    /// Changes what is at a path of keys; with `create` missing mappings are made.
    pub(crate) fn change(
        this: &mut Arc<Value>,
        keys: &[&str],
        create: bool,
        change: &mut dyn FnMut(&mut Arc<Value>),
    ) {
        let Some((key, rest)) = keys.split_first() else { return change(this) };
        if this.get(key).is_none() && !create {
            return;
        }
        let value = Arc::make_mut(this);
        let Data::Mapping(members) = &mut value.data else { return };
        let at = match members.iter().position(|it| &*it.key == *key) {
            Some(at) => at,
            None => {
                members.push(Member { key: (*key).into(), site: None, value: Arc::new(Value::empty()) });
                members.len() - 1
            }
        };
        Value::change(&mut members[at].value, rest, create, change);
    }
}

/// The values of a file's documents, in their order; `None` for a document without a tree.
pub fn of_file(path: &RepoPath, file: &ParsedFile) -> Vec<Option<Arc<Value>>> {
    file.documents().iter().enumerate().map(|(index, placed)| of_document(path, index, placed)).collect()
}

/// The value of a document.
pub fn of_document(path: &RepoPath, index: usize, placed: &Placed) -> Option<Arc<Value>> {
    let source = Source {
        path: path.clone(),
        index,
        offset: placed.offset,
        document: Arc::clone(&placed.document),
        within: None,
    };
    convert(Arc::new(source))
}

/// A scalar's text as YAML of its own: its documents. `None` if the value is no scalar.
pub fn nested(value: &Value) -> Option<Vec<Arc<Value>>> {
    let text = value.as_text()?;
    let file = ParsedFile::parse(&text.value);
    let Some(site) = &value.site else {
        let path = RepoPath::root();
        return Some(of_file(&path, &file).into_iter().flatten().map(without_sites).collect());
    };
    let map = site.node().and_then(|node| site.source.document.scalar_map(node));
    let documents = file.documents().iter().filter_map(|placed| {
        convert(Arc::new(Source {
            path: site.source.path.clone(),
            index: site.source.index,
            offset: placed.offset,
            document: Arc::clone(&placed.document),
            within: Some(Within { scalar: site.clone(), map: map.clone(), made: text.made.clone() }),
        }))
    });
    Some(documents.collect())
}

impl Site {
    /// The node that stands exactly here.
    fn node(&self) -> Option<&Node> {
        fn find(node: &Node, range: TextRange) -> Option<&Node> {
            if node.range == range && matches!(node.kind, NodeKind::Scalar(_)) {
                return Some(node);
            }
            match &node.kind {
                NodeKind::Mapping(entries) => entries
                    .iter()
                    .flat_map(|it| [&it.key, &it.value])
                    .filter(|it| it.range.contains_range(range))
                    .find_map(|it| find(it, range)),
                NodeKind::Sequence(items) => {
                    items.iter().filter(|it| it.range.contains_range(range)).find_map(|it| find(it, range))
                }
                NodeKind::Scalar(_) | NodeKind::Alias(_) => None,
            }
        }
        find(self.source.document.root.as_ref()?, self.range)
    }
}

fn without_sites(value: Arc<Value>) -> Arc<Value> {
    let data = match &value.data {
        Data::Mapping(members) => Data::Mapping(
            members
                .iter()
                .map(|it| Member {
                    key: Arc::clone(&it.key),
                    site: None,
                    value: without_sites(Arc::clone(&it.value)),
                })
                .collect(),
        ),
        Data::Sequence(items) => Data::Sequence(items.iter().cloned().map(without_sites).collect()),
        Data::Scalar(text) => Data::Scalar(text.clone()),
    };
    Arc::new(Value { data, site: None })
}

fn convert(source: Arc<Source>) -> Option<Arc<Value>> {
    let document = Arc::clone(&source.document);
    let root = document.root.as_ref()?;
    Some(Convert { source, shared: HashMap::new() }.value(root))
}

/// A document on its way to a value. What aliases point to is converted once and shared, so that a document that
/// refers to itself a billion times over stays small.
struct Convert {
    source: Arc<Source>,
    shared: HashMap<*const Node, Arc<Value>>,
}

impl Convert {
    fn value(&mut self, node: &Node) -> Arc<Value> {
        let resolved = node.resolved();
        if std::ptr::eq(resolved, node) {
            return Arc::new(self.make(node));
        }
        if let Some(known) = self.shared.get(&std::ptr::from_ref(resolved)) {
            return Arc::clone(known);
        }
        let value = Arc::new(self.make(resolved));
        self.shared.insert(resolved, Arc::clone(&value));
        value
    }

    fn make(&mut self, node: &Node) -> Value {
        let data = match &node.kind {
            NodeKind::Mapping(entries) => {
                let mut members: Vec<Member> = Vec::with_capacity(entries.len());
                for entry in entries.iter().filter(|entry| !entry.is("<<")) {
                    let Some(key) = entry.key.as_scalar() else { continue };
                    let member = Member {
                        key: Arc::clone(&key.value),
                        site: Some(self.site(entry.key.range)),
                        value: self.value(&entry.value),
                    };
                    // The last one of several counts, as for JSON.
                    match members.iter_mut().find(|it| it.key == member.key) {
                        Some(earlier) => *earlier = member,
                        None => members.push(member),
                    }
                }
                for entry in entries.iter().filter(|entry| entry.is("<<")) {
                    let merged = self.value(&entry.value);
                    let all = match &merged.data {
                        Data::Mapping(_) => vec![Arc::clone(&merged)],
                        Data::Sequence(items) => items.clone(),
                        Data::Scalar(_) => Vec::new(),
                    };
                    for member in all.iter().filter_map(|it| it.as_mapping()).flatten() {
                        if !members.iter().any(|it| it.key == member.key) {
                            members.push(member.clone());
                        }
                    }
                }
                Data::Mapping(members)
            }
            NodeKind::Sequence(items) => Data::Sequence(items.iter().map(|it| self.value(it)).collect()),
            NodeKind::Scalar(scalar) => Data::Scalar(Text {
                value: Arc::clone(&scalar.value),
                plain: scalar.style == crate::ScalarStyle::Plain,
                made: None,
            }),
            // An alias without a target: null, as far as anyone can tell.
            NodeKind::Alias(_) => Data::Scalar(Text::new("", true)),
        };
        Value { data, site: Some(self.site(node.range)) }
    }

    fn site(&self, range: TextRange) -> Site {
        Site { source: Arc::clone(&self.source), range }
    }
}

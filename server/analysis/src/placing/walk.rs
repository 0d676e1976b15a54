//! Following a message's path through a value.

use flux::failure::{Path, Problem, Step};
use manifests::value::{Data, Member, Used};
use manifests::{NodeKind, Site, Value};
use std::sync::Arc;

/// How many ways through a value are followed: a key at a list is looked for in every item.
const MOST: usize = 256;

/// A value on the way from a root, with the key that leads to it.
#[derive(Clone, Copy)]
pub(super) struct Point<'v> {
    pub(super) value: &'v Arc<Value>,
    /// None for the root and for items of lists.
    pub(super) member: Option<&'v Member>,
}

/// The way from a root along a path, as far as it exists.
#[derive(Clone)]
pub(super) struct Trail<'v> {
    /// From the root; never empty.
    pub(super) points: Vec<Point<'v>>,
    /// How many steps of the path were gone.
    pub(super) gone: usize,
}

impl<'v> Trail<'v> {
    pub(super) fn last(&self) -> Point<'v> {
        self.points[self.points.len() - 1]
    }

    /// Whether the whole path exists.
    pub(super) fn is_whole(&self, path: &Path) -> bool {
        self.gone == path.steps().len()
    }
}

/// The value that a path leads to, if it exists and no other does.
pub(crate) fn value_at(root: &Arc<Value>, path: &Path) -> Option<Arc<Value>> {
    match walk(root, path).as_slice() {
        [trail] if trail.is_whole(path) => Some(Arc::clone(trail.last().value)),
        _ => None,
    }
}

/// All ways along a path that go as far as any.
pub(super) fn walk<'v>(root: &'v Arc<Value>, path: &Path) -> Vec<Trail<'v>> {
    let start = Trail { points: vec![Point { value: root, member: None }], gone: 0 };
    let mut open = vec![start];
    let mut best: Vec<Trail<'v>> = Vec::new();
    while let Some(trail) = open.pop() {
        let next = if open.len() + best.len() < MOST { steps(&trail, path) } else { Vec::new() };
        if next.is_empty() {
            let (far, known) = (trail.gone, best.first().map_or(0, |it| it.gone));
            if far > known {
                best.clear();
            }
            if far >= known {
                best.push(trail);
            }
            continue;
        }
        // The last one first, so that the first one is taken from the end.
        open.extend(next.into_iter().rev());
    }
    best
}

fn steps<'v>(trail: &Trail<'v>, path: &Path) -> Vec<Trail<'v>> {
    let Some(rest) = path.steps().get(trail.gone..).filter(|it| !it.is_empty()) else { return Vec::new() };
    let at = trail.last().value;
    let to = |point: Point<'v>, gone: usize| {
        let mut points = trail.points.clone();
        points.push(point);
        Trail { points, gone: trail.gone + gone }
    };
    let item = |value: &'v Arc<Value>, gone| to(Point { value, member: None }, gone);
    match (&at.data, &rest[0]) {
        (Data::Mapping(_), Step::Key(_) | Step::Index(_)) => {
            // Keys with dots are written bare: the longest one that exists counts.
            let mut key = String::new();
            let mut found = Vec::new();
            for (gone, step) in rest.iter().enumerate().take(8) {
                let part = match step {
                    Step::Key(part) => part.clone(),
                    Step::Index(index) => index.to_string(),
                    Step::Item(_) | Step::Value(_) => break,
                };
                if gone > 0 {
                    key.push('.');
                }
                key.push_str(&part);
                if let Some(member) = at.member(&key) {
                    found = vec![to(Point { value: &member.value, member: Some(member) }, gone + 1)];
                }
            }
            found
        }
        (Data::Sequence(items), Step::Index(index)) => {
            items.get(*index).map(|it| item(it, 1)).into_iter().collect()
        }
        (Data::Sequence(items), Step::Key(_)) => items.iter().map(|it| item(it, 0)).collect(),
        (Data::Sequence(items), Step::Item(fields)) => {
            let is_it = |it: &&Arc<Value>| {
                fields.iter().enumerate().all(|(nth, (key, value))| match it.get(key) {
                    Some(own) => own.as_text().is_some_and(|it| *it.value == **value),
                    // What is not written has its default; the first field tells.
                    None => nth > 0,
                })
            };
            items.iter().filter(is_it).map(|it| item(it, 1)).collect()
        }
        (Data::Sequence(items), Step::Value(value)) => {
            items.iter().filter(|it| it.as_str() == Some(value)).map(|it| item(it, 1)).collect()
        }
        _ => Vec::new(),
    }
}

/// What stands there: a scalar's text, for all else its key; going up where nothing is written.
pub(super) fn mark(points: &[Point<'_>]) -> Option<Site> {
    points.iter().rev().find_map(|point| own_mark(*point))
}

/// As [`mark`], of this value only.
pub(super) fn own_mark(point: Point<'_>) -> Option<Site> {
    if let Data::Scalar(text) = &point.value.data
        && let Some(site) = &point.value.site
        && !site.range().is_empty()
        && !site.text().contains('\n')
    {
        // An alias: where it is written, not what it stands for.
        if let Some(alias) = point.member.and_then(alias) {
            return Some(alias);
        }
        // One variable made it, or several: a single one is what is to be looked at.
        if let Some(made) = &text.made
            && let [used] = made.uses.as_slice()
        {
            return Some(variable(point.value, used).unwrap_or_else(|| site.clone()));
        }
        return Some(site.clone());
    }
    if let Some(site) = point.member.and_then(|it| it.site.clone()) {
        return Some(site);
    }
    // An item of a list: its first line.
    let site = point.value.site.as_ref()?;
    if point.member.is_some() || site.range().is_empty() {
        return None;
    }
    let length = site.text().find('\n').unwrap_or(site.text().len());
    let end = site.range().start() + manifests::TextSize::try_from(length).ok()?;
    Some(site.at(manifests::TextRange::new(site.range().start(), end)))
}

/// Where the value of an entry is written, if that is an alias.
fn alias(member: &Member) -> Option<Site> {
    let key = member.site.as_ref()?;
    let mut node = key.document().root.as_ref()?;
    loop {
        node = match &node.kind {
            NodeKind::Mapping(entries) => {
                if let Some(entry) = entries.iter().find(|it| it.key.range == key.range()) {
                    return matches!(entry.value.kind, NodeKind::Alias(_)).then(|| key.at(entry.value.range));
                }
                &entries.iter().find(|it| it.value.range.contains_range(key.range()))?.value
            }
            NodeKind::Sequence(items) => items.iter().find(|it| it.range.contains_range(key.range()))?,
            NodeKind::Scalar(_) | NodeKind::Alias(_) => return None,
        };
    }
}

/// Where the `${…}` of a variable is written.
pub(super) fn variable(value: &Value, used: &Used) -> Option<Site> {
    let text = value.as_text()?;
    let written = text.made.as_ref().map_or(&*text.value, |it| &*it.written);
    let (start, end) = (usize::from(used.written.start()), usize::from(used.written.end()));
    written_part(value, start, written.get(start..end)?)
}

/// Where a part of a scalar's written text is written.
pub(super) fn written_part(value: &Value, start: usize, part: &str) -> Option<Site> {
    let site = value.site.as_ref()?;
    let start = manifests::TextSize::try_from(start).ok()?;
    let range = manifests::TextRange::at(start, manifests::TextSize::of(part));
    if let Some(found) = site.part(range).filter(|it| it.text() == part) {
        return Some(found);
    }
    // The value was put together of several texts: this one holds the part, or it is somewhere else.
    let at = site.text().find(part)?;
    let start = site.range().start() + manifests::TextSize::try_from(at).ok()?;
    Some(site.at(manifests::TextRange::at(start, manifests::TextSize::of(part))))
}

/// Where a field's trouble is to be marked, and the entry that the message may mean.
pub(super) fn field<'v>(
    trails: &[Trail<'v>],
    path: &Path,
    value: Option<&str>,
    problem: &Problem,
) -> Option<Marked<'v>> {
    let whole: Vec<&Trail<'v>> = trails.iter().filter(|it| it.is_whole(path)).collect();
    if whole.is_empty() {
        return missing(trails, path, problem);
    }
    let trail = choose(&whole, value, problem)?;
    let point = trail.last();
    let node = |site: Site| Some(Marked { site, exact: true, point: Some(point), misspelt: None });
    match (&point.value.data, problem) {
        (_, Problem::Unknown) => {
            if let Some(site) = point.member.and_then(|it| it.site.clone()) {
                return node(site);
            }
        }
        // Of a mapping or a list that is told as a whole, the entry whose text is quoted.
        (Data::Mapping(members), _) => {
            let of_value =
                members.iter().filter(|it| it.value.as_str().is_some() && it.value.as_str() == value);
            if let [member] = of_value.collect::<Vec<_>>()[..] {
                return mark(&[point, Point { value: &member.value, member: Some(member) }]).and_then(node);
            }
            let of_key = members.iter().find(|it| Some(&*it.key) == value).and_then(|it| it.site.clone());
            if let Some(site) = of_key {
                return node(site);
            }
        }
        (Data::Sequence(items), _) => {
            let same: Vec<&Arc<Value>> =
                items.iter().filter(|it| it.as_str().is_some() && it.as_str() == value).collect();
            if let Some(item) = same.last() {
                return mark(&[Point { value: item, member: None }]).and_then(node);
            }
        }
        _ => {}
    }
    // Two items of a list have the same keys: the key tells more than the item's first line.
    if let (Problem::Duplicate, Some(Step::Item(fields))) = (problem, path.steps().last())
        && let Some((key, _)) = fields.first()
        && let Some(member) = point.value.member(key)
    {
        return own_mark(Point { value: &member.value, member: Some(member) }).and_then(node);
    }
    match own_mark(point) {
        Some(site) => node(site),
        None => {
            let site = mark(&trail.points)?;
            Some(Marked { site, exact: false, point: Some(point), misspelt: None })
        }
    }
}

/// What [`field`] found.
pub(super) struct Marked<'v> {
    pub(super) site: Site,
    /// It is the node that the message means, not what is near it.
    pub(super) exact: bool,
    /// The value, if it exists.
    pub(super) point: Option<Point<'v>>,
    /// The key that should be there instead of the marked one.
    pub(super) misspelt: Option<String>,
}

/// Of several values that a path without indexes leads to, the one that the message quotes.
fn choose<'t, 'v>(whole: &[&'t Trail<'v>], value: Option<&str>, problem: &Problem) -> Option<&'t Trail<'v>> {
    if let [one] = whole {
        return Some(one);
    }
    // The second of two alike is the one too many.
    if matches!(problem, Problem::Duplicate) {
        return whole.get(1).copied();
    }
    let fits = |it: &&&Trail<'v>| {
        let text = it.last().value.as_text();
        match (value, problem) {
            (Some(value), _) => text.is_some_and(|it| *it.value == *value),
            (None, Problem::Type { got, .. }) => is_of_type(it.last().value, got),
            _ => true,
        }
    };
    let mut fitting = whole.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Some(one),
        // Which of them is not told: the list that holds them all is not wrong.
        _ => None,
    }
}

/// Whether a value is what Go's decoder or structured-merge-diff calls so.
pub(super) fn is_of_type(value: &Value, got: &str) -> bool {
    let number = |text: &str| {
        text.parse::<f64>().is_ok() && text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
    };
    match &value.data {
        Data::Mapping(_) => matches!(got, "object" | "map"),
        Data::Sequence(_) => matches!(got, "array" | "list"),
        Data::Scalar(text) if text.is_null() => got == "null",
        Data::Scalar(text) if text.plain && matches!(&*text.value, "true" | "false") => {
            matches!(got, "bool" | "boolean") || *text.value == *got
        }
        Data::Scalar(text) if text.plain && number(&text.value) => {
            got.starts_with("number") || matches!(got, "integer" | "numeric") || *text.value == *got
        }
        Data::Scalar(text) => got == "string" || *text.value == *got,
    }
}

/// A path that does not exist: the key that is one typo away from what is missing, else what should hold it.
fn missing<'v>(trails: &[Trail<'v>], path: &Path, problem: &Problem) -> Option<Marked<'v>> {
    let required = matches!(problem, Problem::Required);
    let mut found: Vec<(Site, String)> = Vec::new();
    for trail in trails.iter().filter(|_| required) {
        let Some(Step::Key(key)) = path.steps().get(trail.gone) else { continue };
        if let Some(site) = sibling(trail.last().value, key).and_then(|it| it.site.clone()) {
            found.push((site, key.clone()));
        }
    }
    if let [(site, key)] = found.as_slice() {
        return Some(Marked { site: site.clone(), exact: true, point: None, misspelt: Some(key.clone()) });
    }
    // Of several ways none is the right one: up to where they part.
    let first = trails.first()?;
    let mut common = first.points.len();
    for trail in &trails[1..] {
        let same =
            first.points.iter().zip(&trail.points).take_while(|(one, two)| Arc::ptr_eq(one.value, two.value));
        common = common.min(same.count());
    }
    let points = &first.points[..common];
    // The root has no place of its own that says more than the object's name.
    let points = points.get(1..).filter(|it| !it.is_empty())?;
    let exact = required && trails.len() == 1 && first.gone + 1 == path.steps().len();
    Some(Marked { site: mark(points)?, exact, point: None, misspelt: None })
}

/// The member whose key is a misspelt other one.
pub(super) fn sibling<'v>(value: &'v Value, key: &str) -> Option<&'v Member> {
    let mut near: Vec<(usize, &Member)> =
        value.as_mapping()?.iter().filter_map(|it| Some((typos(&it.key, key)?, it))).collect();
    near.sort_by_key(|(distance, _)| *distance);
    match near.as_slice() {
        [(_, one)] => Some(one),
        [(first, one), (second, _), ..] if first < second => Some(one),
        _ => None,
    }
}

/// How many typos lead from one key to another: one or two, for longer keys. `None` if more, or if they are the same.
pub(super) fn typos(one: &str, other: &str) -> Option<usize> {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    const LONGEST: usize = 64;
    if one == other || one.len().abs_diff(other.len()) > 2 || one.len().max(other.len()) > LONGEST {
        return None;
    }
    let same = |a: char, b: char| a.eq_ignore_ascii_case(&b);
    // Insertions, deletions, replacements and swaps of neighbours.
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(!same(*a, *b));
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && same(*a, other[j - 1]) && same(one[i - 1], *b) {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    let distance = rows[one.len()][other.len()].max(1);
    let most = if other.len() > 4 { 2 } else { 1 };
    (distance <= most).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_typo_away() {
        for (one, other, expected) in [
            ("imgae", "image", Some(1)),
            ("Image", "image", Some(1)),
            ("contianers", "containers", Some(1)),
            ("name", "names", Some(1)),
            ("name", "image", None),
            ("port", "path", None),
            ("replcas", "replicas", Some(1)),
            ("metdata", "metadata", Some(1)),
            ("kind", "kind", None),
            ("", "a", Some(1)),
        ] {
            assert_eq!(typos(one, other), expected, "{one} {other}");
        }
    }
}

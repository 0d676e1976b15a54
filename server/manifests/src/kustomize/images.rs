//! `images`: new names, tags and digests (kustomize's `imagetag` filters).

use std::sync::Arc;

use regex::Regex;

use super::object::{Built, How};
use crate::value::{Data, Member, Text};
use crate::{RepoPath, Site, Value};

/// An entry of `images`, and who says what is in it.
pub(super) struct Image {
    value: Arc<Value>,
    said_at: Vec<Option<Site>>,
}

/// The entries of a build file, with those of Flux merged into the ones of the same names (`GenerateManifest` of Flux):
/// a tag and a digest are one there, so that who sets either takes away both.
pub(super) fn merged(own: impl Iterator<Item = Arc<Value>>, flux: &[Arc<Value>]) -> Vec<Image> {
    let mut all: Vec<Image> = own.map(|value| Image { said_at: vec![value.site.clone()], value }).collect();
    for new in flux {
        let name = new.text(&["name"]).unwrap_or_default();
        let same = all.iter_mut().find(|it| it.value.text(&["name"]).unwrap_or_default() == name);
        let Some(into) = same else {
            all.push(Image { value: Arc::clone(new), said_at: vec![new.site.clone()] });
            continue;
        };
        let given =
            |key: &str| new.member(key).filter(|it| it.value.as_str().is_some_and(|it| !it.is_empty()));
        let mut put = |key: &str, member: Option<&Member>| {
            let entry = Arc::make_mut(&mut into.value);
            entry.set(key, None, None);
            if let Some(it) = member {
                entry.set(key, it.site.clone(), Some(Arc::clone(&it.value)));
            }
        };
        if let Some(it) = given("newName") {
            put("newName", Some(it));
        }
        let (tag, digest) = (given("newTag"), given("digest"));
        if tag.is_some() || digest.is_some() {
            put("newTag", tag);
            put("digest", digest);
        }
        let says = |key: &&str| into.value.get(key).is_some_and(|it| it.as_str().is_some());
        if !["newName", "newTag", "digest", "tagSuffix"]
            .iter()
            .any(|key| says(key) && new.get(key).and_then(|it| it.as_str()).is_none_or(str::is_empty))
        {
            // Nothing of the build file's own is left.
            into.said_at.clear();
        }
        into.said_at.push(new.site.clone());
    }
    all
}

/// Where images are, beside every list `containers` and `initContainers` wherever it is. kustomize goes through these
/// after those, so that what is there is changed twice where it still matches.
const PLACES: [&[&str]; 6] = [
    &["spec", "containers", "image"],
    &["spec", "initContainers", "image"],
    &["spec", "volumes", "image", "reference"],
    &["spec", "template", "spec", "containers", "image"],
    &["spec", "template", "spec", "initContainers", "image"],
    &["spec", "template", "spec", "volumes", "image", "reference"],
];

/// Changes the images that an entry is for.
pub(super) fn change(objects: &mut [Built], image: &Image, path: &RepoPath) {
    let name = image.value.text(&["name"]).unwrap_or_default();
    // The name is a regular expression, which is not in brackets there (`IsImageMatched`).
    let pattern = format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
    let Ok(pattern) = Regex::new(&pattern) else { return };
    let renamer = Renamer { pattern, entry: &image.value };
    for object in objects {
        // kustomize leaves these alone.
        if object.value.text(&["kind"]) == Some("CustomResourceDefinition") {
            continue;
        }
        let mut changed = false;
        if let Some(value) = renamer.anywhere(&object.value, 0) {
            object.value = value;
            changed = true;
        }
        for place in PLACES {
            if let Some(value) = renamer.at(&object.value, place) {
                object.value = value;
                changed = true;
            }
        }
        if changed {
            for site in &image.said_at {
                object.shaped(site.as_ref(), path, How::Image);
            }
        }
    }
}

struct Renamer<'a> {
    pattern: Regex,
    entry: &'a Value,
}

impl Renamer<'_> {
    /// Every list of containers; `None` if nothing changes.
    fn anywhere(&self, value: &Arc<Value>, depth: usize) -> Option<Arc<Value>> {
        const MAX_DEPTH: usize = 64;
        if depth > MAX_DEPTH {
            return None;
        }
        match &value.data {
            Data::Mapping(members) => each_member(value, members, |it| match &*it.key {
                "containers" | "initContainers" if it.value.as_sequence().is_some() => {
                    let below = self.anywhere(&it.value, depth + 1);
                    self.at(below.as_ref().unwrap_or(&it.value), &["image"]).or(below)
                }
                _ => self.anywhere(&it.value, depth + 1),
            }),
            Data::Sequence(items) => each_item(value, items, |it| self.anywhere(it, depth + 1)),
            Data::Scalar(_) => None,
        }
    }

    /// At a path of keys, through lists; `None` if nothing changes.
    fn at(&self, value: &Arc<Value>, keys: &[&str]) -> Option<Arc<Value>> {
        match (&value.data, keys) {
            (Data::Sequence(items), _) => each_item(value, items, |it| self.at(it, keys)),
            (Data::Mapping(members), [key, rest @ ..]) => {
                each_member(value, members, |it| (*it.key == **key).then(|| self.at(&it.value, rest))?)
            }
            (Data::Scalar(text), []) => self.renamed(&text.value).map(Arc::new),
            _ => None,
        }
    }

    fn renamed(&self, image: &str) -> Option<Value> {
        if !self.pattern.is_match(image) {
            return None;
        }
        let given = |key: &str| self.entry.get(key).filter(|it| it.as_str().is_some_and(|it| !it.is_empty()));
        let text = |value: &Arc<Value>| value.as_str().unwrap_or_default().to_owned();
        let (name, mut tag, mut digest) = split(image);
        match (given("newTag"), given("digest"), given("tagSuffix")) {
            (None, None, None) => {}
            (None, None, Some(suffix)) => {
                tag.push_str(&text(suffix));
                digest.clear();
            }
            (new_tag, new_digest, _) => {
                tag = new_tag.map(text).unwrap_or_default();
                digest = new_digest.map(text).unwrap_or_default();
            }
        }
        let mut new = given("newName").map_or(name, text);
        for (mark, part) in [(':', tag), ('@', digest)] {
            if !part.is_empty() {
                new.push(mark);
                new.push_str(&part);
            }
        }
        let named_by = ["digest", "newTag", "tagSuffix", "newName", "name"];
        let site = named_by.iter().find_map(|it| given(it)).and_then(|it| it.site.clone());
        Some(Value { data: Data::Scalar(Text::new(new, false)), site })
    }
}

fn each_member(
    value: &Arc<Value>,
    members: &[Member],
    new: impl Fn(&Member) -> Option<Arc<Value>>,
) -> Option<Arc<Value>> {
    let mut changed: Option<Arc<Value>> = None;
    for member in members {
        if let Some(new) = new(member) {
            let into = changed.get_or_insert_with(|| Arc::clone(value));
            Arc::make_mut(into).set(&member.key, None, Some(new));
        }
    }
    changed
}

fn each_item(
    value: &Arc<Value>,
    items: &[Arc<Value>],
    new: impl Fn(&Arc<Value>) -> Option<Arc<Value>>,
) -> Option<Arc<Value>> {
    let new: Vec<Option<Arc<Value>>> = items.iter().map(new).collect();
    new.iter().any(Option::is_some).then(|| {
        let items = items.iter().zip(new).map(|(old, new)| new.unwrap_or_else(|| Arc::clone(old)));
        Arc::new(Value { data: Data::Sequence(items.collect()), site: value.site.clone() })
    })
}

/// The name of an image, its tag and its digest (`image.Split`): a `:` before the first `/` is that of a port.
fn split(image: &str) -> (String, String, String) {
    let from = image.find('/').unwrap_or(0);
    let (named, digest) = match image[from..].find('@') {
        Some(at) => (&image[..from + at], &image[from + at + 1..]),
        None => (image, ""),
    };
    match named[from..].find(':') {
        Some(at) => (named[..from + at].to_owned(), named[from + at + 1..].to_owned(), digest.to_owned()),
        None => (named.to_owned(), String::new(), digest.to_owned()),
    }
}

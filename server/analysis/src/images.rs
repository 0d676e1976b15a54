//! Images that image automation keeps: the marker behind a value names an ImagePolicy, and the cluster knows what that selects.

use flux::{Kind, ObjectId};
use manifests::{ParsedFile, RepoPath, TextRange, TextSize};

use crate::inputs::Proof;
use crate::page::{Page, spans};
use crate::view::View;

/// A value with `# {"$imagepolicy": "NAMESPACE:NAME:tag"}` behind it (flux-reference A.2, image-automation-controller's setters).
#[derive(Debug, PartialEq, Eq)]
struct Marker<'t> {
    /// The value, in bytes of the file.
    range: TextRange,
    value: &'t str,
    namespace: &'t str,
    name: &'t str,
    part: Part,
}

/// What of the image the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Image,
    Name,
    Tag,
}

impl View<'_> {
    /// What the policy selects whose marker stands on the line; `None` if there is no marker, or no cluster knows the policy.
    pub(crate) fn page_of_image(
        &self,
        path: &RepoPath,
        file: &ParsedFile,
        offset: TextSize,
    ) -> Option<(TextRange, Page)> {
        let placed = file.document_at(offset)?;
        let start = placed.offset;
        let marker = marker(placed.document.text(), usize::from(placed.in_document(offset)?))?;
        let policy = ObjectId::flux(Kind::ImagePolicy, marker.namespace, marker.name);
        let mut page = Page::default();
        for (index, cluster) in self.inputs.clusters.iter().enumerate() {
            if !self.inputs.settings.maps(path, cluster) || self.proof(index) == Proof::None {
                continue;
            }
            let Some(live) = self.facts(index).get(&policy) else { continue };
            let Some(selected) = live.status.latest.as_deref().and_then(|it| part(it, marker.part)) else {
                page.line(spans![d policy, w " in ", d cluster.name, w " selects nothing yet"]);
                continue;
            };
            let mut line = spans![d policy, w " in ", d cluster.name, w " selects ", d selected];
            line.extend(match selected == marker.value {
                true => spans![w ", which is written here"],
                false => spans![w "; here stands ", d marker.value],
            });
            page.line(line);
            self.say_contact(&mut page, index);
        }
        let range = marker.range + start;
        (!page.is_empty()).then_some((range, page))
    }
}

/// `registry/app:1.2.3`, `registry/app`, `1.2.3`.
fn part(image: &str, part: Part) -> Option<&str> {
    // A port is no tag.
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (image, None),
    };
    match part {
        Part::Image => Some(image),
        Part::Name => Some(name),
        Part::Tag => tag,
    }
}

/// The marker on the line that holds an offset, if the offset is on the value or behind it.
fn marker(text: &str, offset: usize) -> Option<Marker<'_>> {
    let start = text.get(..offset)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..)?.lines().next()?;
    let (before, comment) = line.split_at_checked(line.find(" #")?)?;
    let told = comment.split_once("\"$imagepolicy\"")?.1.trim_start().strip_prefix(':')?;
    let policy = told.trim_start().strip_prefix('"')?.split('"').next()?;
    let mut words = policy.split(':');
    let (namespace, name) = (words.next()?, words.next()?);
    let part = match words.next() {
        None => Part::Image,
        Some("name") => Part::Name,
        Some("tag") => Part::Tag,
        Some(_) => return None,
    };
    let colon = before.find(": ").map_or_else(|| before.find("- ").map(|at| at + 2), |at| Some(at + 2))?;
    let value = before.get(colon..)?.trim().trim_matches(['"', '\'']);
    let at = start + colon + before.get(colon..)?.find(value)?;
    let size = |it: usize| u32::try_from(it).ok().map(TextSize::from);
    (!value.is_empty() && !namespace.is_empty() && !name.is_empty()).then_some(Marker {
        range: TextRange::at(size(at)?, size(value.len())?),
        value,
        namespace,
        name,
        part,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(&str, &str, Part)>) {
        let text = format!("spec:\n{line}\n");
        let found = marker(&text, 8);
        let told = found.as_ref().map(|it| {
            assert_eq!(&text[usize::from(it.range.start())..usize::from(it.range.end())], it.value);
            (it.value, it.name, it.part)
        });
        assert_eq!(told, expected, "{line}");
    }

    #[test]
    fn markers() {
        check(
            "  image: reg.example:5000/web:1.2.3 # {\"$imagepolicy\": \"flux-system:web\"}",
            Some(("reg.example:5000/web:1.2.3", "web", Part::Image)),
        );
        check("  - image: 'web' #{\"$imagepolicy\":\"a:web:name\"}", Some(("web", "web", Part::Name)));
        check("  tag: \"1.2.3\" # {\"$imagepolicy\": \"a:web:tag\"}", Some(("1.2.3", "web", Part::Tag)));
        check("  tag: 1 # {\"$imagepolicy\": \"a:web:digest\"}", None);
        check("  tag: 1 # {\"$imagepolicy\": \"web\"}", None);
        check("  tag: 1 # an $imagepolicy", None);
        check("  tag: 1", None);
        assert_eq!(part("reg.example:5000/web:1.2.3", Part::Tag), Some("1.2.3"));
        assert_eq!(part("reg.example:5000/web", Part::Tag), None);
        assert_eq!(part("reg.example:5000/web", Part::Name), Some("reg.example:5000/web"));
    }
}

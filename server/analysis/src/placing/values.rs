//! A HelmRelease's values.

use flux::failure::{LookFor, Path, Problem};
use manifests::kustomize::{Built, Origin};
use manifests::{Value, value};
use std::sync::Arc;

use super::walk::{Marked, Point, Trail, field, own_mark, walk};
use super::{Scene, Spot, allowed_values, look, made_by, shaped};

impl Scene<'_> {
    /// Where the release's values are, what wins first: `spec.values`, then what `spec.valuesFrom` reads of this repository.
    pub(super) fn values(&self) -> Vec<Arc<Value>> {
        let Some(spec) = self.reporter.as_ref().and_then(|it| it.value.get("spec")) else {
            return Vec::new();
        };
        let from = spec.get("valuesFrom").and_then(|it| it.as_sequence()).unwrap_or_default();
        let from = from.iter().rev().filter_map(|it| self.values_of(it));
        spec.get("values").cloned().into_iter().chain(from).collect()
    }

    /// A path of the values: in `spec.values`, else in what `spec.valuesFrom` reads, else where it should be.
    pub(super) fn value(&self, path: &Path, problem: &Problem) -> Option<Spot> {
        let reporter = self.reporter.as_ref()?;
        let spec = reporter.value.get("spec")?;
        let values = spec.member("values").filter(|it| it.value.as_mapping().is_some());
        let inline = values.map(|it| (walk(&it.value, path), it));
        let is_whole = |trails: &[Trail<'_>]| trails.iter().any(|it| it.is_whole(path)) && !path.is_root();
        if let Some((trails, _)) = &inline
            && is_whole(trails)
        {
            return self.of_values(field(trails, path, None, problem)?, problem);
        }
        // The last of several wins; what is not there can be in any.
        let from = spec.get("valuesFrom").and_then(|it| it.as_sequence()).unwrap_or_default();
        for item in from.iter().rev() {
            let Some(root) = self.values_of(item) else { continue };
            let trails = walk(&root, path);
            if is_whole(&trails) {
                return self.of_values(field(&trails, path, None, problem)?, problem);
            }
        }
        // It is there, in what only the cluster knows.
        if !matches!(problem, Problem::Required)
            && let [item] = from
            && let Some(member) = item.member("name")
            && inline.as_ref().is_none_or(|(trails, _)| trails.iter().all(|it| it.gone == 0))
        {
            let mut spot = Spot::at(&own_mark(Point { value: &member.value, member: Some(member) })?, true)?;
            self.of_release(&mut spot);
            return Some(spot);
        }
        let (trails, member) = inline?;
        if let Some(found) = field(&trails, path, None, problem).filter(|_| !path.is_root()) {
            return self.of_values(found, problem);
        }
        // None of the path is there: the values as a whole.
        let site = own_mark(Point { value: &member.value, member: Some(member) })?;
        let mut spot = Spot::at(&site, true)?;
        self.of_release(&mut spot);
        Some(spot)
    }

    /// A value that the answer about one of a chart's objects quotes, if it occurs in the release's values once.
    pub(super) fn quoted(&self, text: &str) -> Option<Spot> {
        const SHORTEST: usize = 3;
        if text.len() < SHORTEST || matches!(text, "true" | "false" | "null") {
            return None;
        }
        let values = self.reporter.as_ref()?.value.dig(&["spec"])?.get("values")?;
        let found = look::in_value(values, &LookFor::Text(text.to_owned()));
        let [points] = found.as_slice() else { return None };
        let mut spot = Spot::at(&own_mark(*points.last()?)?, true)?;
        self.of_release(&mut spot);
        Some(spot)
    }

    fn of_values(&self, found: Marked<'_>, problem: &Problem) -> Option<Spot> {
        let mut spot = Spot::at(&found.site, found.exact)?;
        if let Some(point) = found.point {
            made_by(&mut spot, point.value);
        }
        if let Some(key) = found.misspelt {
            spot.fixes.push(key);
        } else if let Problem::NotSupported { allowed } = problem {
            spot.fixes = allowed_values(&found.site, allowed);
        }
        self.of_release(&mut spot);
        Some(spot)
    }

    fn of_release(&self, spot: &mut Spot) {
        if let Some(built) = self.reporter.as_ref().and_then(|it| it.built()) {
            shaped(spot, built);
        }
    }

    /// The values in the ConfigMap of an item of `spec.valuesFrom`: of what applies the release, as one tree.
    fn values_of(&self, item: &Value) -> Option<Arc<Value>> {
        if item.text(&["kind"]) != Some("ConfigMap") || item.get("targetPath").is_some() {
            return None;
        }
        let name = item.text(&["name"])?;
        let key = item.text(&["valuesKey"]).unwrap_or("values.yaml");
        let is_it = |built: &&Built| {
            let Some(id) = built.id().filter(|it| &*it.kind == "ConfigMap") else { return false };
            // A generated one has its hash behind the name that is written.
            let hash = id.name.strip_prefix(name).and_then(|it| it.strip_prefix('-'));
            *id.name == *name
                || matches!(built.origin, Origin::Generated { .. })
                    && hash.is_some_and(|it| !it.contains('-'))
        };
        let by = self.reporter.as_ref().and_then(|it| it.by.as_ref());
        let built = by.iter().flat_map(|(by, _)| &by.build.objects);
        let maps: Vec<&Built> = built.filter(is_it).collect();
        if maps.is_empty() {
            // Somebody else applies it.
            return value::nested((self.config_map)(name)?.get("data")?.get(key)?)?.into_iter().next();
        }
        let [map] = maps.as_slice() else { return None };
        let text = map.value.get("data")?.get(key)?;
        if let Origin::Generated { .. } = &map.origin {
            // The entry of a generator names the file that holds the values.
            let entry = text.site.as_ref()?;
            let name = entry.text().trim_matches(['"', '\'']);
            let file = name.split_once('=').map_or(name, |(_, file)| file);
            let path = entry.path().parent()?.join(file)?;
            return self.files.values(&path)?.values.iter().flatten().next().cloned();
        }
        value::nested(text)?.into_iter().next()
    }
}

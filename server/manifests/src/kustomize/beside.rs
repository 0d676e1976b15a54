//! Files that a build names beside its objects: configuration, plugins, the values of charts.

use std::sync::Arc;

use super::build::{Entry, Level, Walk, Wanted};
use super::gather::Objects;
use super::lookup::{Found, is_remote};
use super::object::{Built, How};
use super::{Use, Why};
use crate::{FieldPath, RepoPath, Value};

impl Walk<'_, '_> {
    /// Files that tell kustomize about kinds.
    pub(super) fn configuration(&mut self, level: &Level) {
        for entry in ["crds", "configurations"].iter().flat_map(|it| level.list(it)) {
            if let Some(text) = entry.value.as_str() {
                self.file_at(level, &entry.field, &entry.value, text, Use::Configuration);
            }
        }
        if let Some(openapi) = level.field("openapi") {
            let entry = Entry { field: FieldPath::root().key("openapi"), value: Arc::clone(openapi) };
            self.named_file(level, &entry, "path", Use::Configuration);
        }
    }

    /// Generators, transformers and charts: what they make or change is not known.
    pub(super) fn plugins(&mut self, level: &Level, objects: &mut [Built]) {
        for list in ["generators", "transformers", "validators"] {
            for entry in level.list(list) {
                let Some(text) = entry.value.as_str() else { continue };
                let is_inline = text.contains('\n') || text.contains(": ");
                let name = if is_inline { "written here" } else { text };
                if list != "validators" {
                    self.at(level, &entry, Why::Plugin(name.to_owned()));
                }
                if !is_inline {
                    self.plugin(level, &entry, text);
                }
                if list == "transformers" {
                    for object in objects.iter_mut() {
                        object.shaped(entry.value.site.as_ref(), &level.path, How::Plugin);
                    }
                }
            }
        }
        for (list, name, values) in
            [("helmCharts", "name", "valuesFile"), ("helmChartInflationGenerator", "chartName", "values")]
        {
            for entry in level.list(list) {
                let chart = entry.value.text(&[name]).unwrap_or_default().to_owned();
                self.at(level, &entry, Why::Helm(chart));
                self.named_file(level, &entry, values, Use::Values);
                let more = entry.value.get("additionalValuesFiles").and_then(|it| it.as_sequence());
                for (at, item) in more.unwrap_or_default().iter().enumerate() {
                    let field = entry.field.key("additionalValuesFiles").index(at);
                    self.file_at(level, &field, item, item.as_str().unwrap_or_default(), Use::Values);
                }
            }
        }
    }

    /// A file of a generator, transformer or validator, or a build that makes such files.
    fn plugin(&mut self, level: &Level, entry: &Entry, text: &str) {
        let is_build = |it: &RepoPath| matches!(self.files.find(it), Found::Directory);
        let Some(path) = level.dir.join(text).filter(is_build) else {
            self.file_at(level, &entry.field, &entry.value, text, Use::Plugin);
            return;
        };
        if self.files.build_files(&path).is_empty() {
            return self.at(level, entry, Why::NotABuild(path));
        }
        // Its objects are none of this build.
        let build = std::mem::take(&mut self.build);
        self.directory(&path, Some((level, entry)), None, Wanted::Kustomization, &mut Objects::default());
        let below = std::mem::replace(&mut self.build, build);
        for (path, uses) in below.files {
            let as_plugin = |it: Use| if it == Use::Resource { Use::Plugin } else { it };
            self.build.files.entry(path).or_default().extend(uses.into_iter().map(as_plugin));
        }
        self.build.unknown.extend(below.unknown);
    }

    /// The file that a key of an entry names, if it has the key.
    pub(super) fn named_file(&mut self, level: &Level, entry: &Entry, key: &str, as_: Use) {
        if let Some(value) = entry.value.get(key)
            && let Some(text) = value.as_str()
        {
            self.file_at(level, &entry.field.key(key), value, text, as_);
        }
    }

    /// The file of a path in a build file, which the build reads; if there is none, that is said.
    pub(super) fn file_at(
        &mut self,
        level: &Level,
        field: &FieldPath,
        value: &Value,
        text: &str,
        as_: Use,
    ) -> Option<RepoPath> {
        let why = match level.dir.join(text).map(|path| (self.files.find(&path), path)) {
            Some((Found::File, path)) => {
                self.reads(&path, as_);
                return Some(path);
            }
            None | Some((Found::Nothing, _)) if is_remote(text) => Why::Remote(text.to_owned()),
            None => Why::Outside(text.to_owned()),
            Some((Found::Nothing, path)) => Why::Missing(path),
            Some((Found::Directory, path)) => Why::NotAFile(path),
            Some((Found::Symlink(link), _)) => Why::Symlink(link),
        };
        self.unknown(level, field, value.site.as_ref(), why);
        None
    }
}

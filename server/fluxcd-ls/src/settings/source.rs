//! Reading settings: one source at a time, each of its keys once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Problem, Settings};

/// One source, taken apart key by key; what is left in the end is unknown.
pub(super) struct Source {
    place: String,
    values: BTreeMap<String, Value>,
    pub(super) problems: Vec<Problem>,
}

/// Settings that are maps themselves: their keys are data.
const MAPS: [&str; 4] = ["mapping", "contextAliases", "commitStatus.hosts", "commitStatus.contexts"];

impl Source {
    pub(super) fn new(value: &Value, place: String) -> Source {
        let mut source = Source { place, values: BTreeMap::new(), problems: Vec::new() };
        if let Value::Object(map) = value {
            for (key, value) in map {
                source.flatten(key.clone(), value);
            }
        }
        source
    }

    /// `{"lens": {"max": 5}}` and `{"lens.max": 5}` are the same; editors send either.
    fn flatten(&mut self, key: String, value: &Value) {
        match value {
            Value::Object(map) if !MAPS.contains(&key.as_str()) => {
                for (name, value) in map {
                    self.flatten(format!("{key}.{name}"), value);
                }
            }
            // Editors write null for a setting that nobody set.
            Value::Null => {}
            _ => {
                self.values.insert(key, value.clone());
            }
        }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.values.remove(key)
    }

    pub(super) fn known(&mut self, key: &str) {
        self.values.remove(key);
    }

    pub(super) fn set<T: DeserializeOwned>(&mut self, key: &str, slot: &mut T) {
        if let Some(value) = self.take(key) {
            match serde_json::from_value(value) {
                Ok(value) => *slot = value,
                Err(error) => self.problems.push(Problem::Value {
                    key: key.to_owned(),
                    place: self.place.clone(),
                    reason: error.to_string(),
                }),
            }
        }
    }

    /// An empty text is what editors send for a path that nobody set.
    pub(super) fn set_text<T: From<String>>(&mut self, key: &str, slot: &mut Option<T>) {
        let mut text = None::<String>;
        self.set(key, &mut text);
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            *slot = Some(T::from(text));
        }
    }

    /// One path, or a list of them. Empty ones are what editors send for a path that nobody set.
    pub(super) fn set_paths(&mut self, key: &str, slot: &mut Vec<PathBuf>) {
        let Some(value) = self.take(key) else { return };
        let texts: Option<Vec<String>> = match value {
            Value::String(text) => Some(vec![text]),
            Value::Array(all) => all.into_iter().map(|it| it.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        match texts {
            Some(texts) => {
                let paths: Vec<PathBuf> =
                    texts.into_iter().filter(|text| !text.is_empty()).map(PathBuf::from).collect();
                if !paths.is_empty() {
                    *slot = paths;
                }
            }
            None => self.problems.push(Problem::Value {
                key: key.to_owned(),
                place: self.place.clone(),
                reason: "expected a path or a list of paths".to_owned(),
            }),
        }
    }

    pub(super) fn read(&mut self, mut settings: Settings) -> Settings {
        self.set("enable", &mut settings.enable);
        self.set("hover", &mut settings.hover);
        self.set("clusters", &mut settings.clusters);
        self.set("actions", &mut settings.actions);
        self.set("login", &mut settings.login);
        self.set_text("kubeconfig", &mut settings.kubeconfig);
        self.set_paths("snapshot", &mut settings.snapshots);
        self.set("log.level", &mut settings.log_level);
        self.set("protectedContexts", &mut settings.protected_contexts);
        self.set("contextAliases", &mut settings.context_aliases);
        self.set("mapping", &mut settings.mapping);
        // A TOML table or a nested object cannot have both a value and keys: `show` is the value then.
        self.set("lens", &mut settings.lens);
        self.set("lens.show", &mut settings.lens);
        self.set("lens.max", &mut settings.lens_max);
        self.set("lens.symbols", &mut settings.symbols);
        self.set("diagnostics.scope", &mut settings.scope);
        self.set("diagnostics.maxSeverity", &mut settings.max_severity);
        self.set("diagnostics.silentFailures", &mut settings.silent_failures);
        self.set("diagnostics.notApplied", &mut settings.not_applied);
        self.set("statusBar", &mut settings.status_bar);
        self.set("notifications", &mut settings.notifications);
        self.set("commitStatus", &mut settings.commit_status);
        self.set("commitStatus.show", &mut settings.commit_status);
        self.set("commitStatus.hosts", &mut settings.forge_hosts);
        self.set("commitStatus.contexts", &mut settings.status_contexts);
        // Read by VS Code itself.
        self.known("trace.server");
        settings
    }

    pub(super) fn finish(self) -> Vec<Problem> {
        let Source { place, values, mut problems } = self;
        problems.extend(values.into_keys().map(|key| Problem::Unknown { key, place: place.clone() }));
        problems
    }
}

//! What becomes of pods, told by a label.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::components::Components;
use crate::error::{Error, Result};

/// The label of a pod template that says what becomes of its pods.
pub const FATE_LABEL: &str = "testbed/fate";

const CRASH: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/stages/crash.yaml"));
const IMAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/stages/image.yaml"));
const FAIL: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/stages/fail.yaml"));

/// Writes kwok's stages: its own, with pods that have a fate left out of "becomes ready", and ours.
pub(crate) fn write_stages(components: &Components, folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    let mut stages = components.stages("node")?;
    stages.extend(components.stages("heartbeat")?);
    for path in components.stages("pod")? {
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let mut stage: Value = serde_saphyr::from_str(&text)
            .map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?;
        if stage["metadata"]["name"] == "pod-ready" {
            let expressions =
                stage.pointer_mut("/spec/selector/matchExpressions").and_then(Value::as_array_mut);
            let Some(expressions) = expressions else {
                return Err(Error::Usage(format!(
                    "{}: not the stage that was expected of this kwok",
                    path.display()
                )));
            };
            expressions.push(json!({
                "key": format!(".metadata.labels[\"{FATE_LABEL}\"]"),
                "operator": "NotIn",
                "values": ["crash", "pending", "image", "fail"]
            }));
        }
        let name = path.file_name().unwrap_or_default();
        // JSON is YAML.
        stages.push(write(&folder.join(name), &stage.to_string())?);
    }
    for (name, text) in [("crash.yaml", CRASH), ("image.yaml", IMAGE), ("fail.yaml", FAIL)] {
        stages.push(write(&folder.join(name), text)?);
    }
    Ok(stages)
}

fn write(path: &Path, text: &str) -> Result<PathBuf> {
    fs::write(path, text).map_err(Error::file("write", path))?;
    Ok(path.to_owned())
}

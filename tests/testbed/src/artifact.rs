//! OCI artifacts as `flux push artifact` makes them, pushed to Gitea's registry.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::gitea::{Gitea, USER};

const CONFIG_TYPE: &str = "application/vnd.cncf.flux.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// What an artifact holds and where it came from. The same content and origin give the same digest.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The folder whose content becomes the artifact's root, often a sub-folder of the repository.
    pub folder: PathBuf,
    /// `org.opencontainers.image.source`: the URL of the Git repository.
    pub source: String,
    /// `org.opencontainers.image.revision`: `main@sha1:<commit>`.
    pub revision: String,
    /// `org.opencontainers.image.created`, RFC 3339, e.g. the commit's date.
    pub created: String,
}

impl Gitea {
    /// Pushes an artifact as `flux/<name>:<tag>` and answers the digest of its manifest, `sha256:…`.
    /// An OCIRepository reads it with `url:` [`Gitea::oci_url`], `insecure: true` and [`Gitea::registry_secret`].
    pub async fn push_artifact(&self, name: &str, tag: &str, artifact: &Artifact) -> Result<String> {
        let folder = artifact.folder.clone();
        let layer = tokio::task::spawn_blocking(move || archive(&folder))
            .await
            .map_err(|error| Error::Usage(format!("the archive was not made: {error}")))??;
        let annotations = json!({
            "org.opencontainers.image.created": artifact.created,
            "org.opencontainers.image.revision": artifact.revision,
            "org.opencontainers.image.source": artifact.source,
        });
        let config = json!({ "created": artifact.created }).to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": { "mediaType": CONFIG_TYPE, "size": config.len(), "digest": digest(&config) },
            "layers": [{ "mediaType": LAYER_TYPE, "size": layer.len(), "digest": digest(&layer) }],
            "annotations": annotations,
        });
        let manifest = manifest.to_string().into_bytes();
        let digest = digest(&manifest);
        self.upload(name, config).await?;
        self.upload(name, layer).await?;
        let url = format!("{}/v2/{USER}/{name}/manifests/{tag}", self.url());
        self.raw(Method::PUT, &url, MANIFEST_TYPE, manifest).await?.success(&Method::PUT, &url)?;
        Ok(digest)
    }

    /// `oci://ADDRESS:3000/flux/<name>`.
    pub fn oci_url(&self, name: &str) -> String {
        format!("oci://{}/{USER}/{name}", self.host())
    }

    async fn upload(&self, name: &str, blob: Vec<u8>) -> Result<()> {
        let url = format!("{}/v2/{USER}/{name}/blobs/uploads/?digest={}", self.url(), digest(&blob));
        let response = self.raw(Method::POST, &url, "application/octet-stream", blob).await?;
        response.success(&Method::POST, &url).map(drop)
    }
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

/// A gzipped tar of a folder's content, in the order of names, without times and owners.
fn archive(folder: &Path) -> Result<Vec<u8>> {
    let failed = || Error::file("archive", folder);
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut paths = Vec::new();
    collect(folder, Path::new(""), &mut paths)?;
    paths.sort();
    for path in paths {
        let source = folder.join(&path);
        let content = fs::read(&source).map_err(Error::file("read", &source))?;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        builder.append_data(&mut header, &path, content.as_slice()).map_err(failed())?;
    }
    let mut encoder = builder.into_inner().map_err(failed())?;
    encoder.flush().map_err(failed())?;
    encoder.finish().map_err(failed())
}

fn collect(root: &Path, inside: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let folder = root.join(inside);
    for entry in fs::read_dir(&folder).map_err(Error::file("list", &folder))? {
        let entry = entry.map_err(Error::file("list", &folder))?;
        let path = inside.join(entry.file_name());
        let kind = entry.file_type().map_err(Error::file("read", &path))?;
        if entry.file_name() == ".git" {
            continue;
        }
        if kind.is_dir() {
            collect(root, &path, paths)?;
        } else if kind.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

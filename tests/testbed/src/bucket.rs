//! A bucket as S3 serves it, as far as source-controller reads one: to everybody, over plain HTTP, by path.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// Requests are small; what is longer is none.
const MAX_HEAD: usize = 16 * 1024;
/// When every object was written, as lists and as headers tell it.
const WRITTEN: [&str; 2] = ["2026-11-20T10:00:00.000Z", "Fri, 20 Nov 2026 10:00:00 GMT"];

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A bucket that is served until this is dropped. Its name is whatever it is asked for by.
#[derive(Debug)]
pub struct Bucket {
    endpoint: String,
    objects: Objects,
    task: JoinHandle<()>,
}

impl Bucket {
    /// Serves an empty bucket on loopback, at a free port.
    pub async fn serve() -> Result<Bucket> {
        let failed = |source| Error::File { what: "listen at", path: "127.0.0.1".into(), source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let endpoint = listener.local_addr().map_err(failed)?.to_string();
        let objects = Objects::default();
        let served = Arc::clone(&objects);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let objects = Arc::clone(&served);
                // Whoever asked may go away.
                tokio::spawn(async move { drop(answer(stream, &objects).await) });
            }
        });
        Ok(Bucket { endpoint, objects, task })
    }

    /// `HOST:PORT`, for `spec.endpoint` of a Bucket with `insecure: true`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Puts an object there.
    pub fn put(&self, key: &str, content: impl Into<Vec<u8>>) {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.insert(key.to_owned(), content.into());
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, objects: &Objects) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = path.trim_start_matches('/').split_once('/').map_or("", |it| it.1);
    let (status, extra, body) = {
        let objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
        match (key, objects.get(key)) {
            ("", _) => ("200 OK", "content-type: application/xml\r\n".to_owned(), listed(&objects, query)),
            (_, Some(content)) => {
                let headers = format!("etag: \"{}\"\r\nlast-modified: {}\r\n", etag(content), WRITTEN[1]);
                ("200 OK", headers, content.clone())
            }
            (_, None) => {
                let error = "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>";
                ("404 Not Found", "content-type: application/xml\r\n".to_owned(), error.into())
            }
        }
    };
    let head =
        format!("HTTP/1.1 {status}\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(&body).await?;
    }
    stream.shutdown().await
}

/// What is in the bucket (ListObjectsV2), or where it is.
fn listed(objects: &BTreeMap<String, Vec<u8>>, query: &str) -> Vec<u8> {
    const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
    if query.starts_with("location") {
        return format!("<LocationConstraint xmlns=\"{NAMESPACE}\">us-east-1</LocationConstraint>").into();
    }
    let mut xml = format!(
        "<ListBucketResult xmlns=\"{NAMESPACE}\"><Name>bucket</Name><Prefix></Prefix><KeyCount>{}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>",
        objects.len()
    );
    for (key, content) in objects {
        let _ = write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            WRITTEN[0],
            etag(content),
            content.len()
        );
    }
    xml.push_str("</ListBucketResult>");
    xml.into()
}

fn etag(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

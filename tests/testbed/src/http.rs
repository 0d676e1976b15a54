//! Plain HTTP requests to Gitea.

use std::io::Cursor;
use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::error::{Error, Result};

/// An answer, of whatever status.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Sends one request on its own connection: testbeds are shared by tests that each have their own runtime, and a pooled
/// connection would belong to the runtime that made it.
pub(crate) async fn send(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<Response> {
    let failed = |reason: String| Error::Http { method: method.to_string(), url: url.to_owned(), reason };
    let client: Client<_, Full<Cursor<Vec<u8>>>> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let mut request = Request::builder().method(&method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Cursor::new(body))).map_err(|e| failed(e.to_string()))?;
    let work = async {
        let response = client.request(request).await.map_err(|e| failed(chain(&e)))?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|e| failed(chain(&e)))?.to_bytes().to_vec();
        Ok(Response { status, body })
    };
    match tokio::time::timeout(Duration::from_secs(30), work).await {
        Ok(result) => result,
        Err(_) => Err(failed("no answer within 30 s".to_owned())),
    }
}

impl Response {
    /// The response when its status is one of 2xx.
    pub(crate) fn success(self, method: &Method, url: &str) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let body = String::from_utf8_lossy(&self.body).chars().take(2000).collect();
        Err(Error::Refused { method: method.to_string(), url: url.to_owned(), status: self.status, body })
    }
}

/// hyper's errors keep the reason in their sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

//! Answers of the forges. Pure: bytes in, statuses out.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{CommitStatus, Outcome, Service};

/// One page of statuses.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub statuses: Vec<CommitStatus>,
    /// How many there are on all pages, where the answer tells.
    pub total: Option<usize>,
}

/// Why bytes are no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotAPage {
    /// Nothing at all.
    Empty,
    /// Not JSON.
    NotJson,
    /// JSON that ends in its middle.
    Truncated,
    /// JSON of another shape.
    Shape(String),
}

/// Reads a page of a service that can be read.
///
/// - GitHub: `GET /repos/{owner}/{repo}/commits/{ref}/status`, the combined status: one a context.
/// - Gitea and Forgejo: the same path; `statuses` is null where there are none.
/// - GitLab: `GET /projects/{id}/repository/commits/{sha}/statuses`: a list, jobs of its own pipelines among them.
pub(crate) fn page(service: Service, bytes: &[u8]) -> Result<Page, NotAPage> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(NotAPage::Empty);
    }
    match service {
        Service::GitLab => {
            let all: Vec<GitLab> = json(bytes)?;
            Ok(Page { statuses: all.into_iter().map(Into::into).collect(), total: None })
        }
        _ => {
            let combined: Combined = json(bytes)?;
            Ok(Page {
                statuses: combined.statuses.unwrap_or_default().into_iter().map(Into::into).collect(),
                total: combined.total_count,
            })
        }
    }
}

/// What a forge says of an error: `message`, `error`, `errors` of GitHub, GitLab and Gitea; `""` if it says nothing.
pub(crate) fn said(bytes: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return String::new() };
    let text = ["message", "error_description", "error"].iter().find_map(|key| match value.get(key)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Null => None,
        other => Some(other.to_string()),
    });
    crate::error::one_sentence(&text.unwrap_or_default())
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NotAPage> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => NotAPage::Shape(crate::error::one_sentence(&error.to_string())),
        serde_json::error::Category::Eof => NotAPage::Truncated,
        _ => NotAPage::NotJson,
    })
}

/// GitHub's and Gitea's combined status. `sha` is there in both also when there are no statuses; an object without it is
/// something else.
#[derive(Deserialize)]
struct Combined {
    #[serde(rename = "sha")]
    _sha: String,
    statuses: Option<Vec<Status>>,
    total_count: Option<usize>,
}

#[derive(Deserialize)]
struct Status {
    context: Option<String>,
    /// GitHub's word for it.
    state: Option<String>,
    /// Gitea's.
    status: Option<String>,
    description: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct GitLab {
    name: String,
    status: Option<String>,
    description: Option<String>,
    created_at: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

impl From<Status> for CommitStatus {
    fn from(it: Status) -> Self {
        Self {
            // GitHub's own name for a status without one.
            context: it.context.unwrap_or_else(|| "default".to_owned()),
            outcome: outcome(it.state.or(it.status).as_deref()),
            description: it.description.unwrap_or_default(),
            at: newest([it.created_at, it.updated_at]),
        }
    }
}

impl From<GitLab> for CommitStatus {
    fn from(it: GitLab) -> Self {
        Self {
            context: it.name,
            outcome: outcome(it.status.as_deref()),
            description: it.description.unwrap_or_default(),
            at: newest([it.created_at, it.started_at, it.finished_at]),
        }
    }
}

fn outcome(word: Option<&str>) -> Outcome {
    match word.unwrap_or_default() {
        "success" => Outcome::Success,
        "failure" | "failed" | "error" => Outcome::Failure,
        "pending" | "running" | "created" | "preparing" | "scheduled" | "waiting_for_resource" => {
            Outcome::Pending
        }
        _ => Outcome::Other,
    }
}

fn newest<const N: usize>(times: [Option<String>; N]) -> Option<Timestamp> {
    times.into_iter().flatten().filter_map(|it| it.parse().ok()).max()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(service: Service, body: &str, expected: Expect) {
        let told = match page(service, body.as_bytes()) {
            Ok(page) => {
                let lines = page.statuses.iter().map(|it| {
                    let at = it.at.map(|it| it.to_string()).unwrap_or_default();
                    format!("{} {:?} [{}] {at}\n", it.context, it.outcome, it.description)
                });
                format!("{}of {:?}", lines.collect::<String>(), page.total)
            }
            Err(error) => format!("{error:?}"),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn github() {
        // docs.github.com, REST, "Get the combined status for a specific reference".
        check(
            Service::GitHub,
            r#"{"state": "success", "statuses": [
                {"url": "https://api.github.com/x", "id": 1, "node_id": "MDY6", "state": "success",
                 "description": "reconciliation succeeded", "target_url": null, "context": "kustomization/apps/0c9c2e41",
                 "created_at": "2026-11-22T12:03:00Z", "updated_at": "2026-11-22T12:03:01Z"},
                {"state": "error", "description": null, "context": "ci", "created_at": "2026-11-22T12:03:00Z"}],
             "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "total_count": 2, "repository": {"id": 1}}"#,
            expect![[r#"
                kustomization/apps/0c9c2e41 Success [reconciliation succeeded] 2026-11-22T12:03:01Z
                ci Failure [] 2026-11-22T12:03:00Z
                of Some(2)"#]],
        );
    }

    #[test]
    fn gitea() {
        check(
            Service::Gitea,
            r#"{"state": "failure", "sha": "6dcb", "total_count": 1, "statuses": [{"id": 7, "status": "failure",
                "target_url": "", "description": "health check failed", "url": "x", "context": "kustomization/apps/0c9c2e41",
                "creator": {"id": 1, "login": "flux"}, "created_at": "2026-11-22T13:03:00+01:00",
                "updated_at": "2026-11-22T13:03:00+01:00"}], "repository": null, "commit_url": "", "url": ""}"#,
            expect![[r#"
                kustomization/apps/0c9c2e41 Failure [health check failed] 2026-11-22T12:03:00Z
                of Some(1)"#]],
        );
        check(
            Service::Forgejo,
            r#"{"state": "", "sha": "6dcb", "total_count": 0, "statuses": null}"#,
            expect!["of Some(0)"],
        );
    }

    #[test]
    fn gitlab() {
        // docs.gitlab.com, "List commit statuses".
        check(
            Service::GitLab,
            r#"[{"status": "pending", "created_at": "2026-01-19T08:40:25.934Z", "started_at": null, "name": "bundler:audit",
                 "allow_failure": true, "author": {"username": "janedoe"}, "description": null, "sha": "18f3e63d",
                 "finished_at": null, "id": 91, "ref": "main", "target_url": "https://gitlab.example.com/builds/91"},
                {"status": "failed", "name": "kustomization/apps/0c9c2e41", "description": "build failed",
                 "created_at": "2026-01-19T08:40:25.832Z", "finished_at": "2026-01-19T08:41:00Z", "id": 90}]"#,
            expect![[r#"
                bundler:audit Pending [] 2026-01-19T08:40:25.934Z
                kustomization/apps/0c9c2e41 Failure [build failed] 2026-01-19T08:41:00Z
                of None"#]],
        );
        check(Service::GitLab, "[]", expect!["of None"]);
    }

    #[test]
    fn what_is_no_answer() {
        check(Service::GitHub, " \n", expect!["Empty"]);
        check(Service::GitHub, "<!DOCTYPE html><title>Sign in</title>", expect!["NotJson"]);
        check(Service::GitHub, r#"{"sha": "6dcb", "statuses": [{"context": "a"#, expect!["Truncated"]);
        check(
            Service::GitHub,
            r#"{"message": "hello"}"#,
            expect![[r#"Shape("missing field `sha` at line 1 column 20")"#]],
        );
        check(
            Service::GitLab,
            r#"{"sha": "6dcb"}"#,
            expect![[r#"Shape("invalid type: map, expected a sequence at line 1 column 0")"#]],
        );
        assert_eq!(said(br#"{"message": {"base": ["is\nwrong"]}}"#), r#"{"base":["is\nwrong"]}"#);
        assert_eq!(said(b"{\"message\": \"no\\u001b[31m red\\n\"}"), "no [31m red");
        assert_eq!(said(br#"{"error": "404 Project Not Found"}"#), "404 Project Not Found");
        assert_eq!(said(b"<html>"), "");
    }
}

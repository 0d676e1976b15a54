//! Asking a forge: few requests, bounded answers, and no place for a token to leak to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::parse::{self, NotAPage, Page};
use crate::{CommitStatus, Error, Repository, Service, Site, Statuses, Token};

/// Pages that are read of one commit; a commit with more reports has them elsewhere.
const PAGES: usize = 5;
/// What is asked for on a page: the most that GitHub and GitLab give. Gitea gives what its settings say, 50 most often.
const PER_PAGE: usize = 100;
/// Commits whose answers are kept.
const KEPT: usize = 256;
/// How long a forge in trouble that names no time is left alone at first; twice as long each time after.
const FIRST_REST: SignedDuration = SignedDuration::from_secs(60);
/// The longest that it is left alone.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(30);

/// Which proxies are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxies {
    /// Those of the environment, as curl has them: `HTTPS_PROXY`, `http_proxy`, `ALL_PROXY`, but for `NO_PROXY`.
    Environment,
    /// None.
    None,
}

/// How a client asks.
#[derive(Debug, Clone)]
pub struct Options {
    /// The proxies.
    pub proxies: Proxies,
    /// How long one request may take, from the connection to the last byte.
    pub timeout: Duration,
    /// Bytes of an answer that are read.
    pub limit: usize,
    /// The clock.
    pub now: fn() -> Timestamp,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            proxies: Proxies::Environment,
            timeout: Duration::from_secs(20),
            limit: 2 << 20,
            now: Timestamp::now,
        }
    }
}

/// Asks forges. Cheap to clone; all clones share what was answered.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    options: Options,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// By host: one request at a time.
    turns: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    /// By host.
    rests: HashMap<String, Rest>,
    kept: HashMap<Key, Vec<Kept>>,
    /// The keys of `kept`, the oldest first.
    order: std::collections::VecDeque<Key>,
}

/// A repository, and a commit of it.
type Key = (Repository, String);

/// A forge that wants to be left alone.
#[derive(Debug)]
struct Rest {
    error: Error,
    in_a_row: u32,
}

/// A page that was answered, with what to ask for it again.
#[derive(Debug, Clone)]
struct Kept {
    etag: HeaderValue,
    page: Page,
    more: bool,
}

impl Client {
    /// A client. Opens no connection.
    ///
    /// # Errors
    /// [`Error::NoTls`] where the system has no roots of trust.
    pub fn new(options: Options) -> Result<Self, Error> {
        use rustls_platform_verifier::BuilderVerifierExt as _;
        let no_tls = |error: &dyn std::error::Error| Error::NoTls { why: error.to_string() };
        // As kube has it: ring, and the roots that the system trusts.
        let tls =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .and_then(rustls::ConfigBuilder::with_platform_verifier)
                .map_err(|error| no_tls(&error))?
                .with_no_client_auth();
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("fluxcd-ls/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.timeout / 2)
            .timeout(options.timeout)
            .pool_idle_timeout(Duration::from_secs(90))
            .referer(false)
            // Renamed repositories are redirected within a host. To another one nobody goes.
            .redirect(reqwest::redirect::Policy::custom(|attempt| {
                let same = |url: &Url| {
                    let here = attempt.url();
                    (here.scheme(), here.host_str(), here.port_or_known_default())
                        == (url.scheme(), url.host_str(), url.port_or_known_default())
                };
                let stays = attempt.previous().len() <= 3 && attempt.previous().iter().all(same);
                if stays { attempt.follow() } else { attempt.stop() }
            }));
        if options.proxies == Proxies::None {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| no_tls(&error))?;
        Ok(Self { http, options, state: Arc::default() })
    }

    /// What was reported about a commit (a full hash). Asks each time, with the `ETag` of what it knows.
    ///
    /// Dropping the future ends the request.
    ///
    /// # Errors
    /// Every [`Error`]. After one with [`Error::until`] the whole host is not asked before that; the same error is the
    /// answer meanwhile.
    pub async fn statuses(
        &self,
        repository: &Repository,
        commit: &str,
        token: Option<&Token>,
    ) -> Result<Statuses, Error> {
        let site = &repository.site;
        let turn = Arc::clone(self.state().turns.entry(site.host.clone()).or_default());
        let _turn = turn.lock().await;
        if let Some(error) = self.rests(site) {
            return Err(error);
        }
        let answer = self.ask(repository, commit, token).await;
        let mut state = self.state();
        match &answer {
            Err(error) if error.until().is_some() => {
                let in_a_row = state.rests.get(&site.host).map_or(0, |it| it.in_a_row) + 1;
                state.rests.insert(site.host.clone(), Rest { error: error.clone(), in_a_row });
            }
            Err(_) => {}
            Ok(_) => {
                state.rests.remove(&site.host);
            }
        }
        answer
    }

    /// Forgets everything about a host: the user took the consent back, or changed the token.
    pub fn forget(&self, host: &str) {
        let mut state = self.state();
        state.kept.retain(|(repository, _), _| repository.site.host != host);
        state.order.retain(|(repository, _)| repository.site.host != host);
        state.rests.remove(host);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nobody panics while holding it; if somebody did, it is a cache.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self, site: &Site) -> Option<Error> {
        let state = self.state();
        let rest = state.rests.get(&site.host)?;
        (rest.error.until()? > (self.options.now)()).then(|| rest.error.clone())
    }

    async fn ask(
        &self,
        repository: &Repository,
        commit: &str,
        token: Option<&Token>,
    ) -> Result<Statuses, Error> {
        let key = (repository.clone(), commit.to_owned());
        let known = self.state().kept.get(&key).cloned().unwrap_or_default();
        let mut pages: Vec<Kept> = Vec::new();
        let mut statuses: Vec<CommitStatus> = Vec::new();
        let mut complete = false;
        for number in 1..=PAGES {
            let url = address(repository, commit, number)?;
            let known = known.get(number - 1);
            let (page, etag, more) = self.page(repository, commit, url, known, token).await?;
            statuses.extend(page.statuses.iter().cloned());
            let more =
                more && !page.statuses.is_empty() && page.total.is_none_or(|total| statuses.len() < total);
            // Only an unbroken run of pages can be asked for again.
            if let Some(etag) = etag.filter(|_| pages.len() == number - 1) {
                pages.push(Kept { etag, page, more });
            }
            if !more {
                complete = true;
                break;
            }
        }
        self.keep(key, pages);
        Ok(Statuses {
            commit: commit.to_owned(),
            statuses: Statuses::newest_of_each(statuses),
            complete,
            read_at: (self.options.now)(),
        })
    }

    fn keep(&self, key: Key, pages: Vec<Kept>) {
        let mut state = self.state();
        if pages.is_empty() {
            return;
        }
        if state.kept.insert(key.clone(), pages).is_none() {
            state.order.push_back(key);
            if state.order.len() > KEPT
                && let Some(oldest) = state.order.pop_front()
            {
                state.kept.remove(&oldest);
            }
        }
    }

    async fn page(
        &self,
        repository: &Repository,
        commit: &str,
        url: Url,
        known: Option<&Kept>,
        token: Option<&Token>,
    ) -> Result<(Page, Option<HeaderValue>, bool), Error> {
        let site = &repository.site;
        let mut request = self.http.get(url).header(header::ACCEPT, accept(site.service));
        if site.service == Service::GitHub {
            request = request.header("X-GitHub-Api-Version", "2022-11-28");
        }
        let authorization = token.and_then(|it| Some((it.origin(), it.authorization(site)?)));
        let with = authorization.as_ref().map(|(origin, _)| *origin);
        if let Some((_, value)) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        if let Some(known) = known {
            request = request.header(header::IF_NONE_MATCH, known.etag.clone());
        }
        let mut response = request.send().await.map_err(|error| self.failed(site, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (status, known) {
            return Ok((known.page.clone(), Some(known.etag.clone()), known.more));
        }
        if status.is_redirection() {
            let to = headers.get(header::LOCATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
            let to = response.url().join(to).ok();
            let to = to.as_ref().and_then(Url::host_str).unwrap_or("another place").to_owned();
            return Err(Error::Elsewhere { site: site.host.clone(), to });
        }
        let body = self.body(site, &mut response).await?;
        if status != StatusCode::OK {
            return Err(self.refused(repository, commit, status, &headers, &body, with));
        }
        let page = parse::page(site.service, &body).map_err(|not| no_page(site, &headers, not))?;
        let more = has_more(&headers, page.total.is_some());
        Ok((page, headers.get(header::ETAG).cloned(), more))
    }

    async fn body(&self, site: &Site, response: &mut Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(site, error))? {
            body.extend_from_slice(&chunk);
            if body.len() > self.options.limit {
                return Err(Error::TooLong { site: site.host.clone(), limit: self.options.limit });
            }
        }
        Ok(body)
    }

    /// A request that came to no answer.
    fn failed(&self, site: &Site, error: reqwest::Error) -> Error {
        let host = site.host.clone();
        if error.is_timeout() {
            let until = self.rest_until(site);
            return Error::Slow { site: host, seconds: self.options.timeout.as_secs(), until };
        }
        let why = innermost(&error);
        if error.is_connect() {
            Error::Unreachable { site: host, why }
        } else {
            Error::CutOff { site: host, why }
        }
    }

    /// An answer that is no page.
    fn refused(
        &self,
        repository: &Repository,
        commit: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        with: Option<crate::Origin>,
    ) -> Error {
        let (site, said) = (repository.site.host.clone(), parse::said(body));
        let told = self.told_rest(headers);
        match status.as_u16() {
            401 => Error::Unauthorized { site, with, said },
            403 | 429 if told.is_some() || status == StatusCode::TOO_MANY_REQUESTS => {
                let until = told.unwrap_or_else(|| self.rest_until(&repository.site));
                Error::Limited { site, until, said }
            }
            403 => Error::Forbidden { site, with, said },
            // GitHub: "No commit found for SHA".
            422 => Error::UnknownCommit { site, commit: commit.to_owned() },
            404 if is_about_commit(&said, commit) => Error::UnknownCommit { site, commit: commit.to_owned() },
            404 => Error::NotFound { site, repository: repository.path.clone(), with, said },
            500..=599 => {
                let until = told.unwrap_or_else(|| self.rest_until(&repository.site));
                Error::Trouble { site, status: status.as_u16(), until, said }
            }
            status => Error::Unexpected { site, status, said },
        }
    }

    /// Until when a forge asks to be left alone: `Retry-After` in seconds or as a date, or the time at which the requests that
    /// are left are none no more (`X-RateLimit-Reset`, `RateLimit-Reset`).
    fn told_rest(&self, headers: &HeaderMap) -> Option<Timestamp> {
        let now = (self.options.now)();
        let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).map(str::trim);
        let after = text("retry-after").and_then(|it| match it.parse::<i64>() {
            Ok(seconds) => now.checked_add(SignedDuration::from_secs(seconds.max(0))).ok(),
            Err(_) => jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(it).ok(),
        });
        let reset = || {
            let left = text("x-ratelimit-remaining").or_else(|| text("ratelimit-remaining"))?;
            let reset = text("x-ratelimit-reset").or_else(|| text("ratelimit-reset"))?;
            (left == "0").then(|| Timestamp::from_second(reset.parse().ok()?).ok())?
        };
        let told = after.or_else(reset)?;
        // A clock that differs from ours, or a forge that wants a day: neither too soon nor too late.
        let (soonest, latest) = (now + SignedDuration::from_secs(1), now + LONGEST_REST + LONGEST_REST);
        Some(told.clamp(soonest, latest))
    }

    fn rest_until(&self, site: &Site) -> Timestamp {
        let in_a_row = self.state().rests.get(&site.host).map_or(0, |it| it.in_a_row);
        let rest = FIRST_REST.saturating_mul(1 << in_a_row.min(10));
        (self.options.now)() + rest.min(LONGEST_REST)
    }
}

fn accept(service: Service) -> &'static str {
    match service {
        Service::GitHub => "application/vnd.github+json",
        _ => "application/json",
    }
}

/// Where the statuses of a commit are asked for.
fn address(repository: &Repository, commit: &str, page: usize) -> Result<Url, Error> {
    let Repository { site, path } = repository;
    let mut url = site.api().ok_or(Error::NotYet { service: site.service })?;
    // Segments are escaped one by one: nothing in a name leads out of its place.
    let not_yet = Error::NotYet { service: site.service };
    {
        let mut segments = url.path_segments_mut().map_err(|()| not_yet)?;
        segments.pop_if_empty();
        match site.service {
            Service::GitLab => {
                segments.extend(["projects", path, "repository", "commits", commit, "statuses"]);
            }
            _ => {
                segments.push("repos");
                segments.extend(path.split('/'));
                segments.extend(["commits", commit, "status"]);
            }
        }
    }
    {
        let mut query = url.query_pairs_mut();
        let size = match site.service {
            Service::Gitea | Service::Forgejo => "limit",
            _ => "per_page",
        };
        query.append_pair(size, &PER_PAGE.to_string());
        query.append_pair("page", &page.to_string());
    }
    Ok(url)
}

/// Whether there is a page behind this one. Where a forge links pages, the link decides, and only that it is there: we count
/// ourselves and follow no address that an answer names. Where it tells how many there are, that decides.
fn has_more(headers: &HeaderMap, counted: bool) -> bool {
    let next = headers.get("x-next-page").and_then(|it| it.to_str().ok());
    if let Some(next) = next {
        return !next.trim().is_empty();
    }
    match headers.get(header::LINK).and_then(|it| it.to_str().ok()) {
        Some(link) => link.contains("rel=\"next\""),
        None => counted,
    }
}

fn no_page(site: &Site, headers: &HeaderMap, not: NotAPage) -> Error {
    let (host, service) = (site.host.clone(), site.service);
    match not {
        NotAPage::Empty => Error::Empty { site: host },
        NotAPage::Truncated => Error::CutOff { site: host, why: "half of a document".to_owned() },
        NotAPage::Shape(why) => Error::Shape { site: host, service, why },
        NotAPage::NotJson => {
            let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
            let what = if kind.contains("html") {
                "a web page".to_owned()
            } else {
                crate::error::one_sentence(kind)
            };
            let what = if what.is_empty() { "a text".to_owned() } else { what };
            Error::NotData { site: host, service, what }
        }
    }
}

/// Whether a 404 is about the commit: Gitea names the hash, GitLab says "Commit".
fn is_about_commit(said: &str, commit: &str) -> bool {
    said.contains(commit) || said.contains("Commit Not Found") || said.contains("sha not found")
}

/// The last of the errors within an error: what the system said. The outer ones repeat the address.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    crate::error::one_sentence(&inner.to_string())
}

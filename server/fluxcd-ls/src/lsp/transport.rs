//! Messages over any pair of byte streams.
//!
//! The framework's own `Server` is not used, for three reasons that were tried: it polls four handlers at a time,
//! so that four pending commands freeze typing; it stops reading after the first message that is not JSON; and it
//! waits for open handlers when the editor is gone. Here each handler is polled once before the next message is
//! read, so that what handlers forward keeps the order of the wire whatever they wait for later. Only `initialize`
//! is awaited: the framework drops what comes before its answer, and a `didOpen` of a client that did not wait for
//! it would be lost without a word.

use std::io;

use futures::stream::FuturesUnordered;
use futures::{SinkExt, Stream, StreamExt};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::{ClientSocket, LanguageServer, LspService};
use tower_service::Service;

/// The largest message that is read, in bytes; a file of 50 MB fits, escaped.
const MAX_MESSAGE: usize = 512 * 1024 * 1024;
/// How long what was answered before the end may take to be written.
const FLUSH: std::time::Duration = std::time::Duration::from_millis(500);

/// Why no more messages came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The editor said `exit`.
    Exit,
    /// The editor's end of the stream was closed.
    Eof,
    /// We were told to end.
    Cancelled,
}

enum Incoming {
    Request(Request),
    Response(Response),
    Unreadable(Error),
}

/// Serves until the editor says `exit`, closes the stream, or `stop` is cancelled. Does not wait for handlers
/// that are still open then.
pub async fn serve<S, R, W>(
    mut service: LspService<S>,
    socket: ClientSocket,
    reader: R,
    writer: W,
    stop: CancellationToken,
) -> Ended
where
    S: LanguageServer,
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (incoming_sender, mut incoming) = mpsc::channel(64);
    let reading = tokio::spawn(read(BufReader::new(reader), incoming_sender));
    let (requests, mut replies) = socket.split();
    let (responses, outgoing) = mpsc::unbounded_channel();
    let written = CancellationToken::new();
    let writing = tokio::spawn(write(writer, outgoing, requests, written.clone()));

    let mut open = FuturesUnordered::<<LspService<S> as Service<Request>>::Future>::new();
    let ended = loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break Ended::Cancelled,
            Some(response) = open.next(), if !open.is_empty() => answer(&responses, response),
            message = incoming.recv() => match message {
                None => break Ended::Eof,
                Some(Incoming::Unreadable(error)) => {
                    tracing::warn!(%error, "a message of the editor was not readable");
                    answer::<tower_lsp::ExitedError>(&responses, Ok(Some(Response::from_error(Id::Null, error))));
                }
                Some(Incoming::Response(response)) => {
                    // Fails only after `exit`.
                    let _: Result<(), _> = replies.send(response).await;
                }
                Some(Incoming::Request(request)) => {
                    let exit = request.method() == "exit";
                    let first = request.method() == "initialize";
                    let mut handler = service.call(request);
                    if first {
                        tokio::select! {
                            biased;
                            () = stop.cancelled() => break Ended::Cancelled,
                            response = handler => answer(&responses, response),
                        }
                        continue;
                    }
                    match futures::poll!(&mut handler) {
                        std::task::Poll::Ready(response) => answer(&responses, response),
                        std::task::Poll::Pending => open.push(handler),
                    }
                    if exit {
                        break Ended::Exit;
                    }
                }
            },
        }
    };
    reading.abort();
    drop(open);
    drop(responses);
    written.cancel();
    let _ = tokio::time::timeout(FLUSH, writing).await;
    ended
}

fn answer<E>(responses: &mpsc::UnboundedSender<Response>, response: Result<Option<Response>, E>) {
    if let Ok(Some(response)) = response {
        // The writer only ends before us when the editor is gone; the reader sees that too.
        let _ = responses.send(response);
    }
}

/// Writes answers, and our own requests and notifications, one after the other: while the editor does not read,
/// none of them is taken from its queue.
async fn write<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut responses: mpsc::UnboundedReceiver<Response>,
    mut requests: impl Stream<Item = Request> + Unpin,
    ending: CancellationToken,
) {
    let mut more_requests = true;
    loop {
        let message = tokio::select! {
            biased;
            response = responses.recv() => match response {
                Some(response) => encode(&response),
                None => return,
            },
            request = requests.next(), if more_requests && !ending.is_cancelled() => match request {
                Some(request) => encode(&request),
                None => { more_requests = false; continue; }
            },
        };
        let written = match message {
            Ok(message) => write_frame(&mut writer, &message).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            tracing::info!(%error, "the editor does not read any more");
            return;
        }
    }
}

fn encode(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(message)
}

async fn write_frame<W: AsyncWrite + Unpin>(writer: &mut W, body: &[u8]) -> io::Result<()> {
    writer.write_all(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes()).await?;
    writer.write_all(body).await?;
    writer.flush().await
}

async fn read<R: AsyncRead + Unpin>(mut reader: BufReader<R>, messages: mpsc::Sender<Incoming>) {
    loop {
        let body = match read_frame(&mut reader).await {
            Ok(Some(body)) => body,
            Ok(None) => return,
            Err(error) => {
                tracing::info!(%error, "the editor cannot be heard any more");
                return;
            }
        };
        if messages.send(decode(&body)).await.is_err() {
            return;
        }
    }
}

/// The body of the next message; none at the end of the stream. Headers that say no length are skipped.
async fn read_frame<R: AsyncRead + Unpin>(reader: &mut BufReader<R>) -> io::Result<Option<Vec<u8>>> {
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without end is the end of the stream, or no header at all.
        if (&mut *reader).take(4096).read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        let header = line.trim_ascii();
        if header.is_empty() {
            match length.take() {
                Some(length) => {
                    let mut body = vec![0; length];
                    return match reader.read_exact(&mut body).await {
                        Ok(_) => Ok(Some(body)),
                        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                        Err(error) => Err(error),
                    };
                }
                None => continue,
            }
        }
        let mut parts = header.splitn(2, |byte| *byte == b':');
        if let (Some(name), Some(value)) = (parts.next(), parts.next())
            && name.eq_ignore_ascii_case(b"content-length")
        {
            length = std::str::from_utf8(value.trim_ascii())
                .ok()
                .and_then(|value| value.parse::<usize>().ok())
                .filter(|length| *length <= MAX_MESSAGE);
        }
    }
}

/// Some editors send an empty object where a method has no parameters, some send nothing: it is the same to us, but
/// not to the framework.
fn without_params(request: Request) -> Request {
    if !matches!(request.method(), "shutdown" | "exit" | "fluxcd/trusted") {
        return request;
    }
    let (method, id, _) = request.into_parts();
    let bare = Request::build(method);
    match id {
        Some(id) => bare.id(id).finish(),
        None => bare.finish(),
    }
}

fn decode(body: &[u8]) -> Incoming {
    /// Requests and notifications have a method, answers have none.
    #[derive(Deserialize)]
    struct Shape {
        #[serde(default)]
        method: Option<IgnoredAny>,
    }
    let message = match serde_json::from_slice::<Shape>(body) {
        Ok(Shape { method: Some(_) }) => {
            serde_json::from_slice(body).map(|it| Incoming::Request(without_params(it)))
        }
        Ok(Shape { method: None }) => serde_json::from_slice(body).map(Incoming::Response),
        Err(error) => Err(error),
    };
    message.unwrap_or_else(|error| {
        Incoming::Unreadable(if error.is_data() { Error::invalid_request() } else { Error::parse_error() })
    })
}

//! The protocol's descriptors, taken before anything else can use them.
//!
//! A library that prints and a child that reads must not touch the protocol: descriptor 0 becomes `/dev/null` and
//! descriptor 1 becomes the standard error. The protocol itself is served by two plain threads, because a read of a
//! pipe cannot be cancelled and would keep an async runtime from ending.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Handle;

/// The size of one read, and of what waits between a thread and the runtime, in bytes.
const BUFFER: usize = 64 * 1024;

/// The descriptors that the editor gave us.
#[derive(Debug)]
pub struct Descriptors {
    input: File,
    output: File,
}

/// Takes the protocol's descriptors and closes them for everybody else. Must be the first thing a server does.
pub fn take() -> io::Result<Descriptors> {
    let input = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    let output = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
    rustix::stdio::dup2_stdin(OpenOptions::new().read(true).open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(Descriptors { input: input.into(), output: output.into() })
}

impl Descriptors {
    /// Starts the two threads and gives the ends that the runtime reads and writes.
    pub fn serve(self, runtime: &Handle) -> io::Result<(DuplexStream, DuplexStream)> {
        let Descriptors { mut input, mut output } = self;
        let (reader, mut fed) = duplex(BUFFER);
        let (writer, mut drained) = duplex(BUFFER);
        let handle = runtime.clone();
        std::thread::Builder::new().name("protocol in".into()).spawn(move || {
            let mut buffer = vec![0; BUFFER];
            loop {
                let count = match input.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) => return,
                };
                if handle.block_on(fed.write_all(buffer.get(..count).unwrap_or_default())).is_err() {
                    return;
                }
            }
        })?;
        let handle = runtime.clone();
        std::thread::Builder::new().name("protocol out".into()).spawn(move || {
            let mut buffer = vec![0; BUFFER];
            while let Ok(count @ 1..) = handle.block_on(drained.read(&mut buffer)) {
                if output.write_all(buffer.get(..count).unwrap_or_default()).is_err() {
                    return;
                }
            }
        })?;
        Ok((reader, writer))
    }
}

//! One loopback address for each testbed, so that ports never collide and Gitea's URLs stay the same.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, TcpListener};

use crate::components::{cache_root, lock};
use crate::error::{Error, Result};

/// Where a testbed listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Address {
    /// The first free one of `127.0.77.2` to `127.0.77.60`; never waits.
    #[default]
    AnyFree,
    /// `127.0.77.1`: Gitea is at [`crate::FIXED_GITEA_URL`], so that recorded URLs and hashes stay the same. One testbed on this
    /// machine at a time: a second one waits, saying so.
    Fixed,
}

/// An address that is ours as long as `lock` is open somewhere.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) ip: IpAddr,
    pub(crate) lock: File,
}

pub(crate) fn claim(address: Address) -> Result<Claim> {
    let root = cache_root()?;
    fs::create_dir_all(&root).map_err(Error::file("create", &root))?;
    let path = |ip: Ipv4Addr| root.join(format!("{ip}.lock"));
    match address {
        Address::Fixed => {
            let ip = Ipv4Addr::new(127, 0, 77, 1);
            let lock = lock(&path(ip), &format!("another testbed has the address {ip}"))?;
            Ok(Claim { ip: ip.into(), lock })
        }
        Address::AnyFree => {
            for last in 2..=60 {
                let ip = Ipv4Addr::new(127, 0, 77, last);
                let path = path(ip);
                let lock = File::options().create(true).truncate(false).write(true).open(&path);
                let lock = lock.map_err(Error::file("open", &path))?;
                if lock.try_lock().is_ok() {
                    return Ok(Claim { ip: ip.into(), lock });
                }
            }
            Err(Error::Usage("59 testbeds run on this machine already; end some of them.".to_owned()))
        }
    }
}

/// Hands out ports of a claimed address. Nobody else of ours uses the address, so a port that is free now stays free; those
/// that a foreign program has on all addresses are passed over.
#[derive(Debug)]
pub(crate) struct Ports {
    ip: IpAddr,
    next: u16,
}

impl Ports {
    pub(crate) fn new(ip: IpAddr) -> Self {
        // Below the range that Linux gives to outgoing connections.
        Self { ip, next: 20_000 }
    }

    pub(crate) fn free(&mut self) -> Result<u16> {
        while self.next < 30_000 {
            let port = self.next;
            self.next += 1;
            if TcpListener::bind((self.ip, port)).is_ok() {
                return Ok(port);
            }
        }
        Err(Error::Usage(format!("no free port between 20000 and 30000 on {}", self.ip)))
    }
}

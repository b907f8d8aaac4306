//! Loopback ports for servers that can't be told to pick one themselves, or that must come back on the same one.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process,
    sync::atomic::{AtomicU16, Ordering},
};

// Below the range that the system hands out for outgoing connections: while a server is down, no client's own
// port can land on its port (and a client that reconnects can't connect to itself).
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;

/// A free loopback port, kept from other tests, in this process and in others, until it is dropped.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _reserved: File,
}

impl Port {
    /// Reserves a port that nothing listens on.
    ///
    /// # Panics
    ///
    /// When there is none, or no place to keep the reservations.
    pub fn reserve() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);

        let folder = env::temp_dir().join(format!("session-tests-ports-{}", rustix::process::getuid().as_raw()));
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{} can't be made: {error}", folder.display()));
        // Processes start at different places, so that they seldom try the same port.
        let start = (process::id() as u16).wrapping_mul(97);
        (0..COUNT)
            .find_map(|_| {
                let step = NEXT.fetch_add(1, Ordering::Relaxed);
                Self::try_reserve(FIRST + start.wrapping_add(step) % COUNT, &folder)
            })
            .expect("a free loopback port")
    }

    /// The port's number.
    pub fn number(&self) -> u16 {
        self.number
    }

    fn try_reserve(number: u16, folder: &Path) -> Option<Self> {
        let reserved = File::create(folder.join(number.to_string())).ok()?;
        reserved.try_lock().ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self { number, _reserved: reserved })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_handed_out_once_while_it_is_held() {
        let ports: Vec<_> = (0..50).map(|_| Port::reserve()).collect();
        let mut numbers: Vec<_> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ports.len());
    }

    #[test]
    fn a_port_in_use_is_not_handed_out() {
        let port = Port::reserve();
        let folder = tempfile::tempdir().unwrap();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).unwrap();
        assert!(Port::try_reserve(port.number(), folder.path()).is_none());
    }
}

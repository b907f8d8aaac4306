//! Who keeps sending forged tokens.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;

use crate::clock::Timestamp;

/// How many clients are counted at a time: who was quiet the longest is forgotten first.
const CLIENTS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// When forged tokens are worth an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threshold {
    /// So many of one client; zero is never.
    pub(crate) tokens: u32,
    /// Within this time of the first.
    pub(crate) window: Duration,
}

/// The forged tokens of each client of late, in bounded memory.
pub(crate) struct ForgedTokenMonitor {
    threshold: Threshold,
    /// Addresses are kept as hashes under a seed of this process.
    seed: RandomState,
    seen: Mutex<LruCache<u64, (Timestamp, u32)>>,
}

impl ForgedTokenMonitor {
    pub(crate) fn new(threshold: Threshold) -> Self {
        Self { threshold, seed: RandomState::new(), seen: Mutex::new(LruCache::new(CLIENTS)) }
    }

    /// Notes one more. The number, if it is the one that is worth an event: once in a window.
    pub(crate) fn note(&self, client: Option<IpAddr>, now: Timestamp) -> Option<u32> {
        let Threshold { tokens, window } = self.threshold;
        let name = self.seed.hash_one(client.map(network));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = seen.get_or_insert_mut(name, || (now, 0));
        if now.since(*since) >= window {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*count == tokens).then_some(tokens)
    }
}

/// What one client is taken to hold: an IPv4 address, or a network of 64 bits under IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forged_tokens(tokens: u32) -> ForgedTokenMonitor {
        ForgedTokenMonitor::new(Threshold { tokens, window: Duration::from_secs(60) })
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + secs)
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_client_is_told_of_once_in_a_window() {
        let forged_tokens = forged_tokens(3);
        let client = address("192.0.2.1");
        let told: Vec<_> = (0..10).map(|secs| forged_tokens.note(client, at(secs)).is_some()).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert!(told[2]);
        assert!(forged_tokens.note(client, at(60)).is_none() && forged_tokens.note(client, at(61)).is_none());
        assert_eq!(forged_tokens.note(client, at(62)), Some(3));
    }

    #[test]
    fn clients_are_counted_apart_and_those_without_an_address_together() {
        let forged_tokens = forged_tokens(2);
        for client in [address("192.0.2.1"), address("192.0.2.2"), address("2001:db8::1"), None] {
            assert!(forged_tokens.note(client, at(0)).is_none(), "{client:?}");
        }
        assert!(forged_tokens.note(None, at(1)).is_some());
        assert!(forged_tokens.note(address("::ffff:192.0.2.1"), at(1)).is_some(), "the same address in IPv6");
        assert!(forged_tokens.note(address("2001:db8::ffff"), at(1)).is_some(), "the same network");
        assert!(forged_tokens.note(address("2001:db8:0:1::1"), at(1)).is_none(), "another one");
    }

    #[test]
    fn a_threshold_of_zero_is_never_met() {
        let forged_tokens = forged_tokens(0);
        assert!((0..100).all(|_| forged_tokens.note(None, at(0)).is_none()));
    }

    #[test]
    fn memory_is_bounded_and_who_forged_last_is_remembered() {
        let forged_tokens = forged_tokens(2);
        for number in 0..2 * CLIENTS.get() as u32 {
            forged_tokens.note(Some(IpAddr::from(number.to_be_bytes())), at(0));
        }
        assert_eq!(forged_tokens.seen.lock().unwrap().len(), CLIENTS.get());
        assert!(forged_tokens.note(Some(IpAddr::from((2 * CLIENTS.get() as u32 - 1).to_be_bytes())), at(1)).is_some());
        assert!(forged_tokens.note(Some(IpAddr::from([0, 0, 0, 0])), at(1)).is_none(), "forgotten");
    }
}

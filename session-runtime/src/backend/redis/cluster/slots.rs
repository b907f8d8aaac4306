//! Which node has which key.

use std::collections::HashSet;

use redis::{FromRedisValue as _, Value};

/// How many slots every cluster has.
pub(super) const SLOTS: usize = 16_384;

/// A host and a port.
pub(super) type Place = (String, u16);

/// The slot of a key: CRC16 (XMODEM) of what is in its first braces, or of all of it.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    let tagged = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let inside = &key[open + 1..];
        let length = inside.iter().position(|byte| *byte == b'}')?;
        (length > 0).then(|| &inside[..length])
    });
    let crc = tagged.unwrap_or(key).iter().fold(0_u16, |crc, byte| {
        let index = usize::from((crc >> 8) as u8 ^ byte);
        (crc << 8) ^ CRC[index]
    });
    crc % SLOTS as u16
}

const CRC: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let (mut crc, mut bit) = ((index as u16) << 8, 0);
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

/// What a node says of the cluster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// First slot, last slot, and the master that has them.
    pub(super) ranges: Vec<(usize, usize, Place)>,
    /// Every node, with the replicas.
    pub(super) places: Vec<Place>,
}

impl Told {
    /// Reads the answer to `CLUSTER SLOTS`. A node that does not know its own host leaves it out: that is the one that was
    /// asked.
    pub(super) fn read(answer: Value, asked: &str) -> Option<Self> {
        let Value::Array(ranges) = answer else { return None };
        let mut told = Self::default();
        for range in ranges {
            let Value::Array(range) = range else { return None };
            let mut parts = range.into_iter();
            let [first, last] = [parts.next()?, parts.next()?].map(|slot| usize::from_redis_value(slot).ok());
            let (first, last) = (first?, last.filter(|last| *last < SLOTS)?);
            for (number, node) in parts.enumerate() {
                let place = read_place(node, asked)?;
                if number == 0 {
                    told.ranges.push((first, last, place.clone()));
                }
                if !told.places.contains(&place) {
                    told.places.push(place);
                }
            }
        }
        Some(told)
    }

    /// The slots that no node has, as `0-5460, 9000-9000`.
    pub(super) fn uncovered(&self) -> Option<String> {
        let mut covered = vec![false; SLOTS];
        for (first, last, _) in &self.ranges {
            covered.iter_mut().take(last + 1).skip(*first).for_each(|slot| *slot = true);
        }
        let mut gaps: Vec<(usize, usize)> = Vec::new();
        for (slot, _) in covered.iter().enumerate().filter(|(_, covered)| !**covered) {
            match gaps.last_mut() {
                Some((_, last)) if *last + 1 == slot => *last = slot,
                _ => gaps.push((slot, slot)),
            }
        }
        let gaps: Vec<String> = gaps.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        (!gaps.is_empty()).then(|| gaps.join(", "))
    }

    /// Each master once.
    pub(super) fn masters(&self) -> HashSet<&Place> {
        self.ranges.iter().map(|(_, _, place)| place).collect()
    }
}

fn read_place(node: Value, asked: &str) -> Option<Place> {
    let Value::Array(node) = node else { return None };
    let mut parts = node.into_iter();
    let host = match parts.next()? {
        Value::Nil => None,
        host => Some(String::from_redis_value(host).ok()?).filter(|host| !host.is_empty() && host != "?"),
    };
    Some((host.unwrap_or_else(|| asked.to_owned()), u16::from_redis_value(parts.next()?).ok()?))
}

/// Where a redirection leads, as `10.0.0.1:6379`; without a host, to another port of the node that said it.
pub(super) fn redirected(address: &str, from: &Place) -> Option<Place> {
    let (host, port) = address.rsplit_once(':')?;
    let host = if host.is_empty() || host == "?" { &from.0 } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_that_of_the_tag() {
        // What `CLUSTER KEYSLOT` answers.
        let known: [(&str, u16); 6] =
            [("123456789", 12_739), ("a", 15_495), ("b", 3_300), ("x{a}:lease", 15_495), ("", 0), ("c", 7_365)];
        for (key, slot) in known {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
        assert_ne!(slot_of(b"{}a"), slot_of(b"{}b"), "an empty tag is none");
        assert_eq!(slot_of(b"p{q{a}"), slot_of(b"q{a"));
    }

    fn node(host: Value, port: i64) -> Value {
        Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())])
    }

    fn named(host: &str) -> Value {
        Value::BulkString(host.into())
    }

    #[test]
    fn what_a_node_says_is_read_with_its_replicas() {
        let range =
            |first, last, nodes: Vec<Value>| Value::Array([vec![Value::Int(first), Value::Int(last)], nodes].concat());
        let answer = Value::Array(vec![
            range(0, 99, vec![node(named("10.0.0.1"), 7), node(named(""), 8)]),
            range(200, 16_383, vec![node(Value::Nil, 9)]),
        ]);
        let told = Told::read(answer, "asked").unwrap();
        let place = |host: &str, port| (host.to_owned(), port);
        assert_eq!(told.ranges, [(0, 99, place("10.0.0.1", 7)), (200, 16_383, place("asked", 9))]);
        assert_eq!(told.places, [place("10.0.0.1", 7), place("asked", 8), place("asked", 9)]);
        assert_eq!(told.uncovered().as_deref(), Some("100-199"));
        assert_eq!(told.masters().len(), 2);
        for wrong in [Value::Nil, Value::Array(vec![Value::Int(1)]), Value::Array(vec![range(0, 16_384, vec![])])] {
            assert!(Told::read(wrong, "asked").is_none());
        }
    }

    #[test]
    fn a_redirection_may_leave_the_host_out() {
        let from = ("here".to_owned(), 7);
        let read = |address| redirected(address, &from);
        assert_eq!(read("10.0.0.1:8"), Some(("10.0.0.1".to_owned(), 8)));
        assert_eq!(read("::1:8"), Some(("::1".to_owned(), 8)));
        assert_eq!([read(":8"), read("?:8")], [Some(("here".to_owned(), 8)), Some(("here".to_owned(), 8))]);
        assert_eq!([read("8"), read("a:b")], [None, None]);
    }
}

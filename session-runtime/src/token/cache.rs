//! Tokens that were verified once and need not be verified again while they are remembered.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Verified tokens and what is known of their sessions, bounded in number; one that carries its session takes the place of
/// as many as it is long. Only a token whose MAC
/// held gets in, so forged ones can't push others out; the map's hash is seeded at random, so that
/// the time of a look-up says nothing about the tokens inside.
pub(crate) struct TokenCache<V>(Cache<Box<str>, Arc<V>, ByLength>);

/// How many places a token takes: one that names its session takes one.
#[derive(Clone)]
struct ByLength;

impl ByLength {
    const PLACE: usize = 256;
}

impl<V> Weighter<Box<str>, Arc<V>> for ByLength {
    fn weight(&self, token: &Box<str>, _: &Arc<V>) -> u64 {
        token.len().div_ceil(Self::PLACE) as u64
    }
}

impl<V> TokenCache<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Cache::with_weighter(capacity, capacity as u64, ByLength))
    }

    pub(crate) fn get(&self, token: &str) -> Option<Arc<V>> {
        self.0.get(token)
    }

    pub(crate) fn insert(&self, token: &str, value: Arc<V>) {
        self.0.insert(token.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(length: usize) -> usize {
        let cache = TokenCache::new(100);
        let tokens: Vec<String> = (0..500).map(|number| format!("{number:0length$}")).collect();
        tokens.iter().for_each(|token| cache.insert(token, Arc::new(())));
        tokens.iter().filter(|token| cache.get(token).is_some()).count()
    }

    #[test]
    fn tokens_take_places_by_their_length_and_no_more_are_kept_than_there_is_room_for() {
        let (short, long) = (kept(120), kept(4096));
        assert!((50..=100).contains(&short), "{short}");
        assert!((1..=100 / 16).contains(&long), "{long}");
    }
}

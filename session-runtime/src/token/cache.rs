//! Tokens that were verified once and need not be verified again while they are remembered.

use std::sync::Arc;

use quick_cache::sync::Cache;

/// Verified tokens and what is known of their sessions, bounded in number. Only a token whose MAC
/// held gets in, so forged ones can't push others out; the map's hash is seeded at random, so that
/// the time of a look-up says nothing about the tokens inside.
pub(crate) struct TokenCache<V>(Cache<Box<str>, Arc<V>>);

impl<V> TokenCache<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }

    pub(crate) fn get(&self, token: &str) -> Option<Arc<V>> {
        self.0.get(token)
    }

    pub(crate) fn insert(&self, token: &str, value: Arc<V>) {
        self.0.insert(token.into(), value);
    }
}

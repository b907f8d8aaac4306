//! Tokens that were verified once and need not be verified again while they are remembered.
//!
//! A token is remembered by a hash of its text, not by the text: 16 bytes where a token has 120 or more. So whoever is asked
//! about a token that was never verified, and has the same hash as one that was, would accept it. The hash is made for that
//! case: it is SipHash-2-4 with 128 bits of output, a message authentication code, under a key of 128 bits that is drawn from
//! the operating system for each cache, is written nowhere and ends with the process. Who does not have the key can only
//! guess, online, one request at a time: a guess hits one of a million remembered tokens with a chance of 2^-108, and nothing
//! that is answered tells how near it was. A session's id has 128 bits of which one guess hits a live one with the same
//! chance. An unkeyed hash would not do: its collisions can be looked for elsewhere and for as long as it takes.
//!
//! The key also keeps the table even: nobody can choose tokens that fall into one place of it.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use siphasher::sip128::SipHasher24;

/// Verified tokens and what is known of their sessions, bounded by the bytes that they take. Only a token whose MAC held gets
/// in, so forged ones can't push others out.
pub(crate) struct TokenCache<V> {
    tokens: Cache<TokenDigest, Kept<V>, BySize, BuildHasherDefault<AsItIs>>,
    hasher: SipHasher24,
}

/// What a token is remembered by. It is of no use outside of its cache.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TokenDigest(u64, u64);

/// The digest is random as it is.
impl Hash for TokenDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Takes a digest's first half for its hash.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

struct Kept<V> {
    value: Arc<V>,
    /// As it was told last: the cache has to be told of a change.
    size: u32,
}

impl<V> Clone for Kept<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), size: self.size }
    }
}

#[derive(Clone)]
struct BySize;

impl<V> Weighter<TokenDigest, Kept<V>> for BySize {
    fn weight(&self, _: &TokenDigest, kept: &Kept<V>) -> u64 {
        u64::from(kept.size)
    }
}

impl<V> TokenCache<V> {
    /// What is expected of a token, for the size of the first table.
    const USUAL: usize = 1024;

    /// A cache of so many bytes, as values are said to take.
    pub(crate) fn new(bytes: usize) -> Self {
        let tokens = Cache::with(
            (bytes / Self::USUAL).max(1),
            bytes as u64,
            BySize,
            BuildHasherDefault::default(),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        Self { tokens, hasher: SipHasher24::new_with_key(&crate::id::random()) }
    }

    /// How many bytes the values are said to take that are remembered.
    #[cfg(test)]
    pub(crate) fn size(&self) -> u64 {
        self.tokens.weight()
    }

    pub(crate) fn digest(&self, token: &str) -> TokenDigest {
        let hash = self.hasher.hash(token.as_bytes());
        TokenDigest(hash.h1, hash.h2)
    }

    pub(crate) fn get(&self, digest: TokenDigest) -> Option<Arc<V>> {
        self.tokens.get(&digest).map(|kept| kept.value)
    }

    /// Remembers a token that was verified, and what is known of its session: so many bytes.
    pub(crate) fn insert(&self, digest: TokenDigest, value: Arc<V>, size: u32) {
        self.tokens.insert(digest, Kept { value, size });
    }

    /// What is known of a session takes so many bytes from now on. Nothing is done about one that was forgotten.
    pub(crate) fn resize(&self, digest: TokenDigest, value: &Arc<V>, size: u32) {
        if self.tokens.peek(&digest).is_some_and(|kept| Arc::ptr_eq(&kept.value, value)) {
            // What is not admitted, as it is larger than all the room, is simply not remembered.
            let _ = self.tokens.replace(digest, Kept { value: Arc::clone(value), size }, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept<V>(cache: &TokenCache<V>, tokens: &[String]) -> usize {
        tokens.iter().filter(|token| cache.get(cache.digest(token)).is_some()).count()
    }

    fn tokens(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{number:0120}")).collect()
    }

    #[test]
    fn no_more_is_kept_than_there_are_bytes_for() {
        for size in [256, 1024, 4096] {
            let cache = TokenCache::new(1 << 20);
            let tokens = tokens(20_000);
            tokens.iter().for_each(|token| cache.insert(cache.digest(token), Arc::new(()), size));
            let (kept, most) = (kept(&cache, &tokens), (1 << 20) / size as usize);
            assert!((most / 2..=most).contains(&kept), "{kept} of {most}");
        }
    }

    #[test]
    fn what_grows_makes_others_go() {
        let cache = TokenCache::new(1 << 20);
        let values: Vec<_> = tokens(1000).into_iter().map(|token| (cache.digest(&token), Arc::new(()))).collect();
        values.iter().for_each(|(digest, value)| cache.insert(*digest, Arc::clone(value), 256));
        assert_eq!(kept(&cache, &tokens(1000)), 1000);
        values.iter().for_each(|(digest, value)| cache.resize(*digest, value, 8192));
        assert!((32..=128).contains(&kept(&cache, &tokens(1000))), "{}", kept(&cache, &tokens(1000)));
    }

    #[test]
    fn what_was_forgotten_or_replaced_is_not_brought_back_by_a_new_size() {
        let (cache, value) = (TokenCache::new(1 << 20), Arc::new(1));
        let digest = cache.digest("token");
        cache.resize(digest, &value, 256);
        assert!(cache.get(digest).is_none());
        cache.insert(digest, Arc::new(2), 256);
        cache.resize(digest, &value, 512);
        assert_eq!(cache.get(digest).as_deref(), Some(&2));
    }

    #[test]
    fn what_is_larger_than_the_cache_is_not_kept_and_pushes_nothing_out() {
        let cache = TokenCache::new(1 << 16);
        let (small, large) = (cache.digest("small"), cache.digest("large"));
        cache.insert(small, Arc::new(()), 256);
        cache.insert(large, Arc::new(()), 1 << 17);
        assert!(cache.get(small).is_some() && cache.get(large).is_none());
    }

    #[test]
    fn a_token_is_not_found_by_any_other_text() {
        let cache = TokenCache::new(1 << 20);
        let token = "A".repeat(120);
        cache.insert(cache.digest(&token), Arc::new(()), 256);
        for at in 0..token.len() {
            for bit in 0..7 {
                let mut other = token.clone().into_bytes();
                other[at] ^= 1 << bit;
                assert!(cache.get(cache.digest(str::from_utf8(&other).unwrap())).is_none(), "{at}, {bit}");
            }
        }
        for other in ["", &token[1..], &format!("{token}\0"), &format!("\0{token}")] {
            assert!(cache.get(cache.digest(other)).is_none(), "{other:?}");
        }
    }

    #[test]
    fn each_cache_has_digests_of_its_own_so_that_none_can_be_looked_for_elsewhere() {
        let (one, other) = (TokenCache::<()>::new(1 << 16), TokenCache::<()>::new(1 << 16));
        assert!(one.digest("token") == one.digest("token"));
        assert!(one.digest("token") != other.digest("token"));
        assert_ne!(one.digest("token").1, other.digest("token").1, "both halves depend on the key");
    }
}

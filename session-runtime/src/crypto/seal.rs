//! Records sealed at rest.

use super::Keyring;

/// Seals and opens records with XChaCha20-Poly1305, under keys derived from the ring for one session
/// type. What a sealed record is bound to (its key in the store, its header) is authenticated with it.
pub(crate) struct Sealer {
    #[cfg(feature = "encrypt")]
    ciphers: Vec<chacha20poly1305::XChaCha20Poly1305>,
}

#[cfg(feature = "encrypt")]
impl Sealer {
    const NONCE: usize = 24;

    pub(crate) fn new(keyring: &Keyring, purpose: &str) -> Self {
        use chacha20poly1305::KeyInit as _;
        let keys = keyring.expand(&format!("session-runtime v1 record {purpose}"));
        Self { ciphers: keys.iter().map(|key| chacha20poly1305::XChaCha20Poly1305::new(key.into())).collect() }
    }

    /// A nonce and the ciphertext, under the newest key.
    pub(crate) fn seal(&self, bound_to: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
        use chacha20poly1305::aead::{Aead as _, Payload};
        let nonce: [u8; Self::NONCE] = crate::id::random();
        let payload = Payload { msg: plaintext, aad: bound_to };
        let sealed = self.ciphers.first()?.encrypt((&nonce).into(), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The plaintext, and whether another key than the newest one sealed it; `None` for anything altered or moved.
    pub(crate) fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Option<(Vec<u8>, bool)> {
        use chacha20poly1305::aead::{Aead as _, Payload};
        let (nonce, ciphertext) = sealed.split_first_chunk::<{ Self::NONCE }>()?;
        let payload = || Payload { msg: ciphertext, aad: bound_to };
        let opened = |(age, cipher): (usize, &chacha20poly1305::XChaCha20Poly1305)| {
            cipher.decrypt(nonce.into(), payload()).ok().map(|plaintext| (plaintext, age > 0))
        };
        self.ciphers.iter().enumerate().find_map(opened)
    }
}

/// Without the feature the derive refuses `encrypt`, so nothing is ever sealed.
#[cfg(not(feature = "encrypt"))]
impl Sealer {
    pub(crate) fn new(_: &Keyring, _: &str) -> Self {
        Self {}
    }

    pub(crate) fn seal(&self, _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    pub(crate) fn open(&self, _: &[u8], _: &[u8]) -> Option<(Vec<u8>, bool)> {
        None
    }
}

#[cfg(all(test, feature = "encrypt"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_where_it_belongs_and_nowhere_else() {
        let ring = Keyring::ephemeral();
        let sealer = Sealer::new(&ring, "users");
        let sealed = sealer.seal(b"here", b"data").unwrap();
        assert_eq!(sealer.open(b"here", &sealed).unwrap(), (b"data".to_vec(), false));
        assert!(sealer.open(b"there", &sealed).is_none());
        assert!(Sealer::new(&ring, "carts").open(b"here", &sealed).is_none());
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer.open(b"here", &altered).is_none());
        }
        for cut in 0..sealed.len() {
            assert!(sealer.open(b"here", &sealed[..cut]).is_none());
        }
    }

    #[test]
    fn an_old_key_opens_and_the_new_one_seals() {
        let (old, new) = (fernet::Fernet::generate_key(), fernet::Fernet::generate_key());
        let sealer = |keys: &str| Sealer::new(&Keyring::parse(keys).unwrap(), "p");
        let sealed = sealer(&old).seal(b"", b"data").unwrap();
        let both = sealer(&format!("{new},{old}"));
        assert_eq!(both.open(b"", &sealed).unwrap(), (b"data".to_vec(), true));
        assert!(sealer(&new).open(b"", &sealed).is_none());
        assert!(sealer(&new).open(b"", &both.seal(b"", b"data").unwrap()).is_some());
    }
}

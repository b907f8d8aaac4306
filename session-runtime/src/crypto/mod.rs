//! Keys: a ring of them, and what is derived from each.

mod fernet_key;
#[cfg(feature = "admin")]
mod reference;
mod seal;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;

pub(crate) use self::fernet_key::{Blank, FernetKey};
#[cfg(feature = "admin")]
pub(crate) use self::reference::References;
pub(crate) use self::seal::Sealer;

/// How to make a key, in the words of an error message.
pub(crate) const REMEDY: &str =
    "make one with `openssl rand -base64 32 | tr '+/' '-_'` or with `session_runtime::generate_key()`";

/// A new key for the option `key` or for [`Builder::key`](crate::Builder::key): 32 bytes from the operating system's
/// generator as a Fernet key, which is URL-safe base64 of 44 characters.
///
/// Whoever has the key can make the tokens of any session, so keep it where you keep passwords. On a command line
/// `openssl rand -base64 32 | tr '+/' '-_'` makes one as well.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use session_runtime::{SessionData, Sessions};
/// # #[derive(Serialize, Deserialize, SessionData)]
/// # struct User;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_runtime::OpenError> {
/// let key = session_runtime::generate_key();
/// assert_eq!(key.len(), 44);
/// let sessions = Sessions::<User>::builder().key(&key).open().await?;
/// # Ok(())
/// # }
/// ```
pub fn generate_key() -> String {
    URL_SAFE.encode(crate::id::random::<32>())
}

/// One or more Fernet keys, newest first: the first one writes, all of them read.
#[derive(Clone)]
pub(crate) struct Keyring(Vec<[u8; 32]>);

impl Keyring {
    /// A ring of one key that ends with the process.
    pub(crate) fn ephemeral() -> Self {
        Self(vec![crate::id::random()])
    }

    /// Reads comma-separated Fernet keys (32 bytes in URL-safe base64), newest first.
    ///
    /// The error never repeats what it was given.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let keys: Vec<&str> = text.split(',').map(str::trim).collect();
        if keys.iter().all(|key| key.is_empty()) {
            return Err(format!("holds no key; {REMEDY}"));
        }
        let many = keys.len() > 1;
        let ring = keys.iter().enumerate().map(|(i, key)| {
            Self::decode(key).ok_or_else(|| {
                let which = if many { format!("key {} of {}", i + 1, keys.len()) } else { "the key".into() };
                format!("is malformed: {which} {}", not_a_key(key))
            })
        });
        ring.collect::<Result<_, _>>().map(Self)
    }

    /// With or without padding, as other languages' tools print them.
    fn decode(key: &str) -> Option<[u8; 32]> {
        let bytes = URL_SAFE.decode(key).or_else(|_| URL_SAFE_NO_PAD.decode(key)).ok()?;
        bytes.try_into().ok()
    }

    /// For each key of the ring, a Fernet key of its own for this purpose.
    pub(crate) fn derive(&self, purpose: &str) -> Vec<FernetKey> {
        self.expand(purpose).iter().filter_map(|key| FernetKey::new(&URL_SAFE.encode(key))).collect()
    }

    /// For each key of the ring, 32 bytes of their own for this purpose: HKDF-SHA256 with the key's 32
    /// bytes as input, no salt, and the purpose as info.
    fn expand(&self, purpose: &str) -> Vec<[u8; 32]> {
        let expanded = self.0.iter().filter_map(|key| {
            let mut okm = [0; 32];
            Hkdf::<Sha256>::new(None, key).expand(purpose.as_bytes(), &mut okm).ok()?;
            Some(okm)
        });
        expanded.collect()
    }
}

/// What is wrong with a key, and what to do, without repeating it.
fn not_a_key(key: &str) -> String {
    if key.starts_with(['"', '\'']) {
        return "begins with a quotation mark, which is part of the value; remove the quotation marks".into();
    }
    let url_safe = key.replace('+', "-").replace('/', "_");
    if url_safe != key && Keyring::decode(&url_safe).is_some() {
        return "is in standard base64; write `-` for `+`, and `_` for `/`".into();
    }
    format!(
        "is not a Fernet key (32 bytes in URL-safe base64, 44 characters; it has {}); {REMEDY}",
        key.chars().count()
    )
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fernet::Fernet;

    fn reads(key: &FernetKey, token: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE.decode(token).ok()?;
        key.verify(&bytes)?;
        key.decrypt(&mut bytes).map(<[u8]>::to_vec)
    }

    #[test]
    fn keys_are_read_newest_first_with_spaces_and_without_padding() {
        let (a, b) = (Fernet::generate_key(), Fernet::generate_key());
        let ring = Keyring::parse(&format!("{a}, {}", b.trim_end_matches('='))).unwrap();
        assert_eq!(ring.0.len(), 2);
        assert_eq!(ring.derive("p").len(), 2);
        let token = Keyring::parse(&a).unwrap().derive("p")[0].seal(b"x", 0);
        assert_eq!(reads(&ring.derive("p")[0], &token).unwrap(), b"x");
    }

    #[test]
    fn a_generated_key_is_a_fernet_key_and_another_one_each_time() {
        let (one, other) = (generate_key(), generate_key());
        assert_ne!(one, other);
        for key in [one, other] {
            assert!(Keyring::parse(&key).is_ok() && Fernet::new(&key).is_some() && key.len() == 44, "{key}");
        }
    }

    #[test]
    fn a_malformed_key_is_refused_without_being_repeated() {
        let good = Fernet::generate_key();
        for bad in ["", ",", "c2hvcnQ=", "correct horse battery staple", &good[1..]] {
            let error = Keyring::parse(bad).unwrap_err();
            assert!(error.contains("openssl rand") && error.contains("generate_key"), "{error}");
            assert!(bad.len() < 2 || !error.contains(bad), "{error}");
        }
        assert!(Keyring::parse(&format!("{good},oops")).unwrap_err().contains("key 2 of 2"));
    }

    #[test]
    fn a_key_in_standard_base64_or_in_quotation_marks_is_refused_with_what_to_write_instead() {
        let standard = Keyring::parse(&format!("+/{}=", "A".repeat(41))).unwrap_err();
        assert!(standard.contains("write `-` for `+`, and `_` for `/`"), "{standard}");
        let phrase = Keyring::parse("a passphrase and/or more").unwrap_err();
        assert!(phrase.contains("it has 24") && !phrase.contains("standard base64"), "{phrase}");
        for mark in ['"', '\''] {
            let quoted = Keyring::parse(&format!("{mark}{}{mark}", Fernet::generate_key())).unwrap_err();
            assert!(quoted.contains("remove the quotation marks"), "{quoted}");
        }
    }

    #[test]
    fn a_purpose_reads_no_other_purposes_tokens() {
        let ring = Keyring::ephemeral();
        let token = ring.derive("users")[0].seal(b"x", 0);
        assert_eq!(reads(&ring.derive("carts")[0], &token), None);
    }
}

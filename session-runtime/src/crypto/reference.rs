//! Names of records as a page hands them out and gets them back.
//!
//! What a store calls a record is shown to nobody. A page that acts on a record needs its name all the same, or it would
//! have to look for it in the whole store. So the name is sealed with the type's keys: every process of a fleet can read
//! it, nobody else can, and nobody can make one up.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use super::{FernetKey, Keyring};
use crate::clock::Timestamp;

/// Seals and opens the names of one session type.
pub(crate) struct References(Vec<FernetKey>);

impl References {
    pub(crate) fn new(keyring: &Keyring, purpose: &str) -> Self {
        Self(keyring.derive(&format!("session-runtime v1 reference {purpose}")))
    }

    /// Text for a URL or a form. `kind` says what the bytes name, so that nothing is taken for something else.
    pub(crate) fn seal(&self, kind: u8, bytes: &[u8]) -> String {
        let plaintext: Vec<u8> = std::iter::once(kind).chain(bytes.iter().copied()).collect();
        self.0[0].seal(&plaintext, Timestamp::from(SystemTime::now()).as_secs())
    }

    /// What was sealed as this kind; `None` for anything else.
    pub(crate) fn open(&self, kind: u8, text: &str) -> Option<Vec<u8>> {
        let mut sealed = URL_SAFE.decode(text).ok()?;
        let key = self.0.iter().find(|key| key.verify(&sealed).is_some())?;
        let (found, bytes) = key.decrypt(&mut sealed)?.split_first()?;
        (*found == kind).then(|| bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_opened_as_what_it_was_sealed_as_by_its_own_type_alone() {
        let ring = Keyring::ephemeral();
        let (people, robots) = (References::new(&ring, "people"), References::new(&ring, "robots"));
        let sealed = people.seal(1, b"name");
        assert_eq!(people.open(1, &sealed).as_deref(), Some(&b"name"[..]));
        assert_eq!((people.open(2, &sealed), robots.open(1, &sealed), people.open(1, "made up")), (None, None, None));
    }

    #[test]
    fn a_name_is_opened_after_a_rotation_of_keys() {
        let (old, new) = (crate::generate_key(), crate::generate_key());
        let before = References::new(&Keyring::parse(&old).unwrap(), "people");
        let after = References::new(&Keyring::parse(&format!("{new},{old}")).unwrap(), "people");
        assert_eq!(after.open(1, &before.seal(1, b"name")).as_deref(), Some(&b"name"[..]));
    }
}

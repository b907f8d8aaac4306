//! One key of Fernet, with what every check needs of it derived once.
//!
//! The `fernet` crate makes what is made seldom: the tokens of logins and rotations. For each token it derives the state of
//! its HMAC and the round keys of AES again, and copies the token several times. So two things are done here: reading, as
//! that happens with each token that a process has not seen, and making a token that carries its session, as that happens
//! with each write. They use the same ciphers, which use the processor's instructions where it has them, and work on the bytes
//! in their place. The tests hold both against each other, and against the specification's vectors.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, InnerIvInit as _, KeyInit as _};
use aes::{Aes128Dec, Aes128Enc};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use fernet::Fernet;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// A key that makes tokens, verifies them and decrypts them.
pub(crate) struct FernetKey {
    maker: Fernet,
    mac: Hmac<Sha256>,
    encryption: Aes128Enc,
    decryption: Aes128Dec,
}

/// A plaintext with room around it, for what a token has there.
pub(crate) struct Blank(Vec<u8>);

impl Blank {
    /// With room for so many bytes of plaintext.
    pub(crate) fn new(plaintext: usize) -> Self {
        let mut bytes = Vec::with_capacity(FernetKey::HEADER + plaintext + FernetKey::BLOCK + FernetKey::MAC);
        bytes.resize(FernetKey::HEADER, 0);
        Self(bytes)
    }

    pub(crate) fn push(&mut self, plaintext: &[u8]) {
        self.0.extend_from_slice(plaintext);
    }
}

impl FernetKey {
    const VERSION: u8 = 0x80;
    /// The version, the time and the IV.
    const HEADER: usize = 1 + 8 + Self::IV;
    const IV: usize = 16;
    const MAC: usize = 32;
    const BLOCK: usize = 16;

    /// Of the key's 32 bytes in URL-safe base64.
    pub(crate) fn new(key: &str) -> Option<Self> {
        let maker = Fernet::new(key)?;
        let bytes: [u8; 32] = URL_SAFE.decode(key).ok()?.try_into().ok()?;
        let (signing, encryption) = bytes.split_at(16);
        let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(signing).ok()?;
        let (encryption, decryption) =
            (Aes128Enc::new_from_slice(encryption).ok()?, Aes128Dec::new_from_slice(encryption).ok()?);
        Some(Self { maker, mac, encryption, decryption })
    }

    /// A token of this plaintext, dated in seconds since 1970.
    pub(crate) fn seal(&self, plaintext: &[u8], secs: u64) -> String {
        self.maker.encrypt_at_time(plaintext, secs)
    }

    /// The same of a plaintext that was written in its place.
    pub(crate) fn seal_blank(&self, blank: Blank, secs: u64) -> Option<String> {
        let Blank(mut token) = blank;
        let length = token.len().checked_sub(Self::HEADER)?;
        let iv: [u8; Self::IV] = crate::id::random();
        token.resize(token.len() + Self::BLOCK - length % Self::BLOCK, 0);
        let (header, text) = token.split_first_chunk_mut::<{ Self::HEADER }>()?;
        header[0] = Self::VERSION;
        header[1..9].copy_from_slice(&secs.to_be_bytes());
        header[9..].copy_from_slice(&iv);
        let encryptor = cbc::Encryptor::inner_iv_init(self.encryption.clone(), &iv.into());
        encryptor.encrypt_padded_mut::<Pkcs7>(text, length).ok()?;
        let mac = self.mac.clone().chain_update(&token).finalize().into_bytes();
        token.extend_from_slice(&mac);
        Some(URL_SAFE.encode(token))
    }

    /// When a token was made, if it was made with this key: its MAC is verified, in constant time, before anything else of
    /// its bytes is looked at.
    pub(crate) fn verify(&self, token: &[u8]) -> Option<u64> {
        let (signed, mac) = token.split_last_chunk::<{ Self::MAC }>()?;
        self.mac.clone().chain_update(signed).verify(mac.into()).ok()?;
        let (version, rest) = signed.split_first()?;
        (*version == Self::VERSION).then_some(())?;
        Some(u64::from_be_bytes(*rest.first_chunk()?))
    }

    /// What is in a token, which must have been verified. It is decrypted in its place.
    pub(crate) fn decrypt<'a>(&self, token: &'a mut [u8]) -> Option<&'a [u8]> {
        let length = token.len().checked_sub(Self::MAC)?;
        let (header, ciphertext) = token.get_mut(..length)?.split_first_chunk_mut::<{ Self::HEADER }>()?;
        let iv: [u8; Self::IV] = *header.last_chunk()?;
        let decryptor = cbc::Decryptor::inner_iv_init(self.decryption.clone(), &iv.into());
        decryptor.decrypt_padded_mut::<Pkcs7>(ciphertext).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn opened(key: &FernetKey, token: &str) -> Option<(u64, Vec<u8>)> {
        let mut bytes = URL_SAFE.decode(token).ok()?;
        let made = key.verify(&bytes)?;
        Some((made, key.decrypt(&mut bytes)?.to_vec()))
    }

    #[test]
    fn what_the_fernet_crate_makes_is_read_here_and_the_reverse_at_every_length() {
        let text = Fernet::generate_key();
        let (key, other) = (FernetKey::new(&text).unwrap(), FernetKey::new(&Fernet::generate_key()).unwrap());
        let peer = Fernet::new(&text).unwrap();
        for length in 0..300 {
            let plaintext: Vec<u8> = (0..length).map(|at| (at * 7 % 251) as u8).collect();
            let theirs = peer.encrypt_at_time(&plaintext, NOW);
            assert_eq!(opened(&key, &theirs), Some((NOW, plaintext.clone())), "{length}");
            assert_eq!(opened(&other, &theirs), None);
            let mut blank = Blank::new(length / 2);
            plaintext.chunks(7).for_each(|part| blank.push(part));
            for ours in [key.seal(&plaintext, NOW), key.seal_blank(blank, NOW).unwrap()] {
                assert_eq!(ours.len(), theirs.len());
                assert_eq!(peer.decrypt_at_time(&ours, Some(60), NOW).as_ref(), Ok(&plaintext));
            }
        }
    }

    #[test]
    fn no_bytes_are_taken_for_a_token_whose_bits_were_flipped_or_cut() {
        let text = Fernet::generate_key();
        let key = FernetKey::new(&text).unwrap();
        let token = URL_SAFE.decode(key.seal(b"hello", NOW)).unwrap();
        for cut in 0..token.len() {
            assert_eq!(key.verify(&token[..cut]), None);
        }
        for bit in 0..token.len() * 8 {
            let mut altered = token.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.verify(&altered), None, "{bit}");
        }
        assert_eq!(key.verify(&token), Some(NOW));
    }

    #[test]
    fn bytes_too_short_to_be_a_token_decrypt_to_nothing() {
        let key = FernetKey::new(&Fernet::generate_key()).unwrap();
        for length in 0..FernetKey::HEADER + FernetKey::MAC + 17 {
            assert_eq!(key.decrypt(&mut vec![0x80; length]), None, "{length}");
        }
    }

    #[test]
    fn a_key_is_what_the_fernet_crate_takes_for_one() {
        let text = Fernet::generate_key();
        assert!(FernetKey::new(&text).is_some());
        assert!(FernetKey::new(&text[4..]).is_none() && FernetKey::new("").is_none());
    }
}

//! A browser's proof: a JWT in compact form, signed with ES256 and nothing else.
//!
//! What is accepted is what Chromium sends, spelled the one way in which it can be spelled: unpadded base64url, raw
//! signatures of 64 bytes, coordinates of 32. Signatures with a high `s` are valid (RFC 7518 does not ask for a low one, and
//! hardware makes both). Members that are not known are ignored, as RFC 7519 asks for, but `crit` is refused: it says that
//! something must be understood which is not.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

/// The longest proof that is looked at. One of Chromium's has some 600 bytes.
const LONGEST: usize = 4096;

/// The public key of a device: a point on P-256, compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceKey([u8; 33]);

impl DeviceKey {
    /// A key as a record holds it. Whether it is a point on the curve shows when a proof is verified with it.
    pub(crate) const fn stored(bytes: [u8; 33]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn to_bytes(self) -> [u8; 33] {
        self.0
    }

    /// What tokens hold of it.
    pub(crate) fn hash(self) -> [u8; 16] {
        let mut hash = [0; 16];
        hash.copy_from_slice(&Sha256::digest(self.0)[..16]);
        hash
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey(..)")
    }
}

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is no proof of this kind.
    Malformed,
    /// It is one, and another key signed it, or something else.
    Signature,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    jwk: Option<Jwk>,
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

#[derive(Deserialize)]
struct Payload {
    jti: String,
}

/// A proof taken apart, not yet verified.
struct Unverified<'a> {
    jwk: Option<Jwk>,
    challenge: String,
    signed: &'a [u8],
    signature: Signature,
}

/// The key that a registration brings, and the challenge that it signed with it.
///
/// # Errors
/// The flaw.
pub(crate) fn registers(proof: &str) -> Result<(DeviceKey, String), Flaw> {
    let unverified = take_apart(proof)?;
    let (key, verifying) = unverified.jwk.as_ref().and_then(point).ok_or(Flaw::Malformed)?;
    Ok((key, unverified.verify(&verifying)?))
}

/// The challenge that this key signed. A proof that brings a key is for registering, and not for this.
///
/// # Errors
/// The flaw.
pub(crate) fn bound_to(proof: &str, key: &DeviceKey) -> Result<String, Flaw> {
    let unverified = take_apart(proof)?;
    if unverified.jwk.is_some() {
        return Err(Flaw::Malformed);
    }
    let verifying = VerifyingKey::from_sec1_bytes(&key.0).map_err(|_| Flaw::Signature)?;
    unverified.verify(&verifying)
}

impl Unverified<'_> {
    fn verify(self, key: &VerifyingKey) -> Result<String, Flaw> {
        key.verify(self.signed, &self.signature).map_err(|_| Flaw::Signature)?;
        Ok(self.challenge)
    }
}

fn take_apart(proof: &str) -> Result<Unverified<'_>, Flaw> {
    let parts = (proof.len() <= LONGEST).then(|| read(proof)).flatten();
    parts.ok_or(Flaw::Malformed)
}

fn read(proof: &str) -> Option<Unverified<'_>> {
    let (signed, signature) = proof.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let header: Header = json(header)?;
    let payload: Payload = json(payload)?;
    if header.alg != "ES256" || header.typ != "dbsc+jwt" || header.crit.is_some() {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let signature = Signature::from_slice(&signature).ok()?;
    Some(Unverified { jwk: header.jwk, challenge: payload.jti, signed: signed.as_bytes(), signature })
}

/// A part of a JWT. A dot in it is no base64, so there are three parts.
fn json<T: for<'a> Deserialize<'a>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The point that a JWK gives, if it is one of the curve.
fn point(jwk: &Jwk) -> Option<(DeviceKey, VerifyingKey)> {
    if jwk.kty != "EC" || jwk.crv != "P-256" {
        return None;
    }
    let coordinate = |text: &str| <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    let (x, y) = (coordinate(&jwk.x)?, coordinate(&jwk.y)?);
    let mut whole = [4; 65];
    whole[1..33].copy_from_slice(&x);
    whole[33..].copy_from_slice(&y);
    let verifying = VerifyingKey::from_sec1_bytes(&whole).ok()?;
    let mut compressed = [2 | (y[31] & 1); 33];
    compressed[1..].copy_from_slice(&x);
    Some((DeviceKey(compressed), verifying))
}

#[cfg(test)]
mod tests;

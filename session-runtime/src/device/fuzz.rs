//! Proofs of any bytes, and altered ones: for the fuzz target and the tests of untrusted bytes.

use std::sync::LazyLock;

use super::{DeviceKey, bound_to, registers};

/// Made by Chromium, with one key: a registration and a proof of it.
const GENUINE: [&str; 2] = [
    "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6IkRGN1pCQVlMeGt3V2hvbVFyZTVHT0tGdno3UWlsSGx1X2hkMFpLbldLcU0iLCJ5IjoiUkp6Zm1JLVZ3aXFBZld6SjZBbmZfZjltZWxmckJqeGVMZF85cVIwRW9KOCJ9LCJ0eXAiOiJkYnNjK2p3dCJ9.eyJqdGkiOiJvZmZlci1FUzI1Ni0wIn0.TdUrmBa2sx8He7EBB7nHsG4QngsAAiSDx-7QrIiWZ9NKKABfn392AFeW7i7pOQv1oCtiM8MgWua7Ix2vvA5Tsg",
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRic2Mrand0In0.eyJqdGkiOiJjLWxEY1A1aTllUkxPSiJ9.NbIH6GcrrmcJuGTCN-I1SrSVrey0CdQghKjep8hYVX3mMhkxsBIn8iNqxpDf9Nm9q1JJziXwJmB0jmDIijdecw",
];

/// The key that made them.
static KEY: LazyLock<DeviceKey> = LazyLock::new(|| registers(GENUINE[0]).expect("a genuine registration").0);

/// The first byte says whether the rest is a proof, or edits of a genuine one.
///
/// Nothing is accepted but the genuine proofs as they were made, each as what it is.
pub fn device_proofs(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    let bytes = if kind % 2 == 0 { rest.to_vec() } else { altered(rest) };
    let Ok(proof) = str::from_utf8(&bytes) else { return };
    assert_eq!(bound_to(proof, &KEY).is_ok(), proof == GENUINE[1], "{proof:?}");
    assert_eq!(bound_to(proof, &DeviceKey::stored([0; 33])).ok(), None);
    if let Ok((registered, _)) = registers(proof) {
        // Whoever has a key of their own can register it: what is not genuine is of another one.
        assert_eq!(registered == *KEY, proof == GENUINE[0], "{proof:?}");
    }
}

/// A genuine proof with these edits: each of a place, what to do there, and a byte.
fn altered(edits: &[u8]) -> Vec<u8> {
    let Some((which, edits)) = edits.split_first() else { return Vec::new() };
    let mut proof = GENUINE[usize::from(*which) % GENUINE.len()].as_bytes().to_vec();
    for edit in edits.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % (proof.len() + 1);
        match edit[2] % 4 {
            0 if at < proof.len() => proof[at] ^= edit[3],
            1 if at < proof.len() => drop(proof.remove(at)),
            2 => proof.insert(at, edit[3]),
            _ => proof.truncate(at.max(1)),
        }
    }
    proof
}

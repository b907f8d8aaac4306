//! Proofs that a real Chromium made, and the same with something changed.

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;

use super::*;

/// What Chromium 156 sent to a test server. Nothing in it is a secret of anything.
const VECTORS: &str = include_str!("vectors.json");

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    kind: String,
    alg: String,
    jti: String,
    jwk: Option<serde_json::Value>,
    proof: String,
}

impl Vector {
    fn key(&self) -> Option<DeviceKey> {
        point(&serde_json::from_value(self.jwk.clone()?).ok()?).map(|(key, _)| key)
    }
}

fn vectors(alg: &str, kind: &str) -> Vec<Vector> {
    let all: Vectors = serde_json::from_str(VECTORS).unwrap();
    let found: Vec<_> = all.vectors.into_iter().filter(|vector| vector.alg == alg && vector.kind == kind).collect();
    assert_eq!(found.len(), 3, "{alg} {kind}");
    found
}

fn signer() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn jwk_of(signer: &SigningKey) -> serde_json::Value {
    let point = signer.verifying_key().to_sec1_point(false);
    let [x, y] = [&point.as_bytes()[1..33], &point.as_bytes()[33..]].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    serde_json::json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
}

fn signed_by(signer: &SigningKey, header: &serde_json::Value) -> String {
    let payload = &serde_json::json!({ "jti": "challenge" });
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{payload}");
    let signature: Signature = signer.sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn registration_with(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut header = serde_json::json!({ "alg": "ES256", "jwk": jwk_of(&signer()), "typ": "dbsc+jwt" });
    change(&mut header);
    signed_by(&signer(), &header)
}

#[test]
fn what_chromium_registers_is_read() {
    for vector in vectors("ES256", "registration") {
        let (key, challenge) = registers(&vector.proof).unwrap();
        assert_eq!((key, challenge), (vector.key().unwrap(), vector.jti));
    }
}

#[test]
fn what_chromium_proves_is_verified_with_its_key_alone() {
    let all = vectors("ES256", "refresh");
    let other = registers(&registration_with(|_| {})).unwrap().0;
    for vector in all {
        assert_eq!(bound_to(&vector.proof, &vector.key().unwrap()), Ok(vector.jti));
        assert_eq!(bound_to(&vector.proof, &other), Err(Flaw::Signature));
    }
}

#[test]
fn rsa_is_refused() {
    for vector in vectors("RS256", "registration") {
        assert_eq!(registers(&vector.proof), Err(Flaw::Malformed));
    }
    let key = registers(&registration_with(|_| {})).unwrap().0;
    for vector in vectors("RS256", "refresh") {
        assert_eq!(bound_to(&vector.proof, &key), Err(Flaw::Malformed));
    }
}

#[test]
fn a_proof_with_any_byte_changed_is_refused() {
    let registration = &vectors("ES256", "registration")[0];
    let refresh = &vectors("ES256", "refresh")[0];
    let key = refresh.key().unwrap();
    for at in 0..registration.proof.len() {
        let mut bytes = registration.proof.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        // With a changed key it may be a proof, of another key than this one: a point that the signature fits is not found.
        assert!(registers(&String::from_utf8(bytes).unwrap()).is_err(), "{at}");
    }
    for at in 0..refresh.proof.len() {
        let mut bytes = refresh.proof.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(bound_to(&String::from_utf8(bytes).unwrap(), &key).is_err(), "{at}");
    }
}

#[test]
fn a_proof_of_one_kind_is_none_of_the_other() {
    let registration = &vectors("ES256", "registration")[0];
    assert_eq!(bound_to(&registration.proof, &registration.key().unwrap()), Err(Flaw::Malformed));
    assert_eq!(registers(&vectors("ES256", "refresh")[0].proof), Err(Flaw::Malformed));
}

#[test]
fn a_high_and_a_low_s_are_both_valid() {
    let proof = registration_with(|_| {});
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let (r, s) = signature.split_scalars();
    let other = Signature::from_scalars(r, -s).unwrap();
    assert_ne!(signature, other);
    let other = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(other.to_bytes()));
    assert_eq!(registers(&other), registers(&proof));
    assert!(registers(&proof).is_ok());
}

#[test]
fn a_signature_in_another_encoding_is_refused() {
    let proof = registration_with(|_| {});
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let der = [&[0x30, 0x44, 2, 0x20][..], &raw[..32], &[2, 0x20], &raw[32..]].concat();
    for bytes in [der, raw[..63].to_vec(), [&raw[..], &[0]].concat(), vec![0; 64], vec![0xff; 64], Vec::new()] {
        let changed = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(registers(&changed), Err(Flaw::Malformed));
    }
}

#[test]
fn base64_is_read_in_its_one_spelling() {
    let proof = registration_with(|_| {});
    for changed in [
        format!("{proof}="),
        format!("{proof}=="),
        format!(" {proof}"),
        format!("{proof}\n"),
        proof.replacen('.', "=.", 1),
        proof.replace('_', "/").replace('-', "+") + "+",
        format!("{proof}.{proof}"),
        format!(".{proof}"),
        proof.replacen('.', "", 1),
    ] {
        assert_eq!(registers(&changed), Err(Flaw::Malformed), "{changed}");
    }
}

#[test]
fn a_header_that_says_something_else_is_refused() {
    let changes: [(&str, serde_json::Value); 6] = [
        ("/alg", "none".into()),
        ("/alg", "ES384".into()),
        ("/typ", "JWT".into()),
        ("/jwk/kty", "RSA".into()),
        ("/jwk/crv", "P-384".into()),
        ("/jwk/x", URL_SAFE_NO_PAD.encode([0; 33]).into()),
    ];
    for (place, value) in changes {
        let changed = registration_with(|header| *header.pointer_mut(place).unwrap() = value.clone());
        assert_eq!(registers(&changed), Err(Flaw::Malformed), "{place} {value}");
    }
    let critical = registration_with(|header| header["crit"] = serde_json::json!(["exp"]));
    assert_eq!(registers(&critical), Err(Flaw::Malformed));
    let more = registration_with(|header| header["kid"] = "1".into());
    assert!(registers(&more).is_ok());
}

#[test]
fn a_point_off_the_curve_is_refused() {
    for (x, y) in [([0; 32], [0; 32]), ([1; 32], [1; 32]), ([0xff; 32], [0xff; 32])] {
        let changed = registration_with(|header| {
            header["jwk"]["x"] = URL_SAFE_NO_PAD.encode(x).into();
            header["jwk"]["y"] = URL_SAFE_NO_PAD.encode(y).into();
        });
        assert_eq!(registers(&changed), Err(Flaw::Malformed));
    }
    // A stored key that is none verifies nothing.
    let refresh = &vectors("ES256", "refresh")[0].proof;
    assert_eq!(bound_to(refresh, &DeviceKey::stored([0; 33])), Err(Flaw::Signature));
}

/// One key in 128 has such a coordinate. RFC 7518 (6.2.1.2) asks for its zeros, and some libraries drop them.
#[test]
fn a_coordinate_that_begins_with_a_zero_byte_is_read_and_one_without_that_byte_is_refused() {
    let mut scalar = [0; 32];
    scalar[30..].copy_from_slice(&379_u16.to_be_bytes());
    let signer = SigningKey::from_slice(&scalar).unwrap();
    let mut header = serde_json::json!({ "alg": "ES256", "jwk": jwk_of(&signer), "typ": "dbsc+jwt" });
    assert!(registers(&signed_by(&signer, &header)).is_ok());
    let x = URL_SAFE_NO_PAD.decode(header["jwk"]["x"].as_str().unwrap()).unwrap();
    assert_eq!(x[0], 0);
    header["jwk"]["x"] = URL_SAFE_NO_PAD.encode(&x[1..]).into();
    assert_eq!(registers(&signed_by(&signer, &header)), Err(Flaw::Malformed));
}

#[test]
fn an_oversized_proof_is_refused() {
    let padded = registration_with(|header| header["pad"] = "a".repeat(LONGEST).into());
    assert_eq!(registers(&padded), Err(Flaw::Malformed));
    let fits = registration_with(|header| header["pad"] = "a".repeat(LONGEST / 2).into());
    assert!(registers(&fits).is_ok());
}

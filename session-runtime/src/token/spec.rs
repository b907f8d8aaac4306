//! The vectors of the [Fernet specification](https://github.com/fernet/spec), through the door that clients' tokens
//! come through, at the moments that they name.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockEncryptMut as _, KeyIvInit as _};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::*;

const SECRET: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const TTL: Duration = Duration::from_secs(60);
const SRC: &[u8] = b"hello";

/// 1985-10-26T01:20:00-07:00, when the specification's token was made.
const MADE: Timestamp = Timestamp::from_secs(499_162_800);
const TOKEN: &str =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

/// What must not be accepted: why, the token, and how long after [`MADE`] it is presented.
const INVALID: [(&str, &str, u64); 8] = [
    (
        "incorrect mac",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
        1,
    ),
    ("too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==", 1),
    (
        "invalid base64",
        "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
        1,
    ),
    (
        "payload size not multiple of block size",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
        1,
    ),
    (
        "payload padding error",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
        1,
    ),
    (
        "far-future TS (unacceptable clock skew)",
        "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==",
        1,
    ),
    (
        "expired TTL",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
        91,
    ),
    (
        "incorrect IV (causes padding error)",
        "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
        1,
    ),
];

fn later(secs: u64) -> Timestamp {
    MADE.plus(Duration::from_secs(secs))
}

/// The place of the key, the time and the plaintext.
fn open_at(token: &str, now: Timestamp) -> Option<(usize, Timestamp, Vec<u8>)> {
    let mut buffer = [0; 200];
    let Opened { age, issued, plaintext } = open(&[FernetKey::new(SECRET).unwrap()], &mut buffer, token, TTL, now)?;
    Some((age, issued, plaintext.to_vec()))
}

/// Fernet once more, as the specification words it.
fn generate(secret: &[u8], now: u64, iv: [u8; 16], src: &[u8]) -> String {
    let (signing, encryption) = secret.split_at(16);
    let cipher = cbc::Encryptor::<Aes128>::new_from_slices(encryption, &iv).unwrap();
    let mut token = [&[0x80][..], &now.to_be_bytes(), &iv].concat();
    token.extend(cipher.encrypt_padded_vec_mut::<Pkcs7>(src));
    let mut mac = Hmac::<Sha256>::new_from_slice(signing).unwrap();
    mac.update(&token);
    token.extend(mac.finalize().into_bytes());
    URL_SAFE.encode(token)
}

#[test]
fn the_specs_token_to_generate_is_what_ours_are_made_like() {
    let secret = URL_SAFE.decode(SECRET).unwrap();
    let iv = std::array::from_fn(|at| u8::try_from(at).unwrap());
    assert_eq!(generate(&secret, MADE.as_secs(), iv, SRC), TOKEN);

    // Ours have an IV of their own each; with it the specification's words give the same token.
    let key = [7; 32];
    let tokens = Tokens { keys: vec![FernetKey::new(&URL_SAFE.encode(key)).unwrap()], ttl: TTL };
    let id = SessionId::random();
    let mut ivs = std::collections::HashSet::new();
    for _ in 0..100 {
        let token = tokens.seal(id, later(60), None, MADE);
        let iv = URL_SAFE.decode(&token).unwrap()[9..25].try_into().unwrap();
        assert_eq!(token, generate(&key, MADE.as_secs(), iv, &claims(Tokens::NAMES, id, later(60))));
        assert!(ivs.insert(iv), "an IV is used once");
    }
}

#[test]
fn the_specs_token_to_verify_is_verified() {
    assert_eq!(open_at(TOKEN, later(1)), Some((0, MADE, SRC.to_vec())));
}

#[test]
fn the_specs_token_is_good_for_its_ttl_and_one_minute_ahead_of_our_clock() {
    let before = |secs| Timestamp::from_secs(MADE.as_secs() - secs);
    for (now, good) in [(later(60), true), (later(61), false), (before(60), true), (before(61), false)] {
        assert_eq!(open_at(TOKEN, now).is_some(), good, "{now:?}");
    }
}

#[test]
fn the_specs_invalid_tokens_are_all_refused() {
    for (why, token, secs) in INVALID {
        assert!(open_at(token, later(secs)).is_none(), "{why}");
    }
}

#[test]
fn nothing_but_the_expired_ttl_is_wrong_with_the_token_of_that_vector() {
    let (why, token, _) = INVALID[6];
    assert_eq!((why, open_at(token, later(1))), ("expired TTL", Some((0, later(1), Vec::new()))));
}

#[test]
fn a_token_has_one_spelling() {
    for spelling in [
        TOKEN.trim_end_matches('=').to_owned(),
        TOKEN.replace("==", "="),
        format!("{TOKEN}="),
        format!("{TOKEN}===="),
        // The bits that the last character has too many.
        TOKEN.replace("DA==", "DB=="),
        TOKEN.replace('_', "/"),
        TOKEN.replace('-', "+"),
    ] {
        assert!(spelling == TOKEN || open_at(&spelling, later(1)).is_none(), "{spelling}");
    }
}

#[test]
fn any_time_in_a_token_is_survived() {
    for time in [0, 1, MADE.as_secs(), u64::MAX / 1000, u64::MAX - 60, u64::MAX - 1, u64::MAX] {
        for forged in [[0; 64], [0xff; 64]] {
            let bytes = [&[0x80][..], &time.to_be_bytes(), &forged].concat();
            let token = URL_SAFE.encode(bytes);
            for now in [Timestamp::from_secs(0), MADE, Timestamp::from_secs(u64::MAX)] {
                assert!(open_at(&token, now).is_none());
            }
        }
    }
}

use super::*;
use fernet::Fernet;

const TTL: Duration = Duration::from_secs(3600);

fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

fn later(secs: u64) -> Timestamp {
    now().plus(Duration::from_secs(secs))
}

fn tokens(ring: &Keyring, purpose: &str) -> Tokens {
    Tokens::new(ring, purpose, TTL)
}

#[test]
fn a_token_has_120_characters_and_opens_to_what_was_sealed() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let id = SessionId::random();
    let token = tokens.seal(id, later(1800), None, now());
    assert_eq!(token.len(), NAMING_LEN);
    let claims = tokens.open(&token, now()).unwrap();
    assert_eq!(claims, Claims { id, issued: now(), expires: later(1800), idle: None, retired_key: false });
}

#[test]
fn a_token_holds_an_idle_timeout_of_its_own_to_the_millisecond() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let id = SessionId::random();
    for idle in [1, 1000, 90_500, 400 * 86_400_000].map(Duration::from_millis) {
        let token = tokens.seal(id, later(1800), Some(idle), now());
        assert_eq!(token.len(), IDLING_LEN);
        let claims = tokens.open(&token, now()).unwrap();
        assert_eq!(claims, Claims { id, issued: now(), expires: later(1800), idle: Some(idle), retired_key: false });
        assert!(tokens.open_record(&token, now()).is_none() && tokens.made(&token));
    }
}

#[test]
fn a_well_formed_token_of_the_wrong_length_for_its_format_is_refused() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let id = SessionId::random();
    let idling = [&claims(Tokens::NAMES_IDLING, id, later(60))[..], &[0, 0, 0, 3, 232]].concat();
    let [short, longer] = [&idling[..34], &[&idling[..], &[0]].concat()].map(<[u8]>::to_vec);
    let naming = [&claims(Tokens::NAMES, id, later(60))[..], &[0, 0, 0, 3, 232]].concat();
    for plaintext in [short, longer, naming, claims(Tokens::NAMES_IDLING, id, later(60)).to_vec()] {
        let token = tokens.keys[0].seal(&plaintext, now().as_secs());
        assert!(is_token_len(token.len()) && tokens.open(&token, now()).is_none(), "{plaintext:?}");
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    for idle in [None, Some(TTL)] {
        assert_no_bit_can_be_flipped(&tokens, &tokens.seal(SessionId::random(), later(1800), idle, now()));
    }
}

fn assert_no_bit_can_be_flipped(tokens: &Tokens, token: &str) {
    for byte in 0..token.len() {
        for bit in 0..8 {
            let mut altered = token.as_bytes().to_vec();
            altered[byte] ^= 1 << bit;
            // What is no UTF-8 never gets here: a header's bytes are checked before.
            if let Ok(altered) = String::from_utf8(altered) {
                assert_eq!(tokens.open(&altered, now()), None, "byte {byte}, bit {bit}");
            }
        }
    }
}

#[test]
fn truncated_padded_and_alien_tokens_are_refused() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let token = tokens.seal(SessionId::random(), later(1800), None, now());
    for cut in 0..token.len() {
        assert_eq!(tokens.open(&token[..cut], now()), None);
    }
    let alien = "é".repeat(NAMING_LEN / 2);
    for text in [format!("{token}="), format!("{token} "), "A".repeat(NAMING_LEN), alien, "\0".repeat(NAMING_LEN)] {
        assert_eq!(tokens.open(&text, now()), None);
    }
    // Well-formed Fernet under our own key, with another plaintext of the right length.
    let other = tokens.keys[0].seal(&[9; Tokens::CLAIMS], now().as_secs());
    assert_eq!(other.len(), NAMING_LEN);
    assert_eq!(tokens.open(&other, now()), None);
}

#[test]
fn age_and_skew_are_checked_on_both_sides() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let token = tokens.seal(SessionId::random(), later(10_000), None, now());
    assert!(tokens.open(&token, later(3600)).is_some());
    assert!(tokens.open(&token, later(3601)).is_none());
    let back = |secs: u64| Timestamp::from_secs(now().as_secs() - secs);
    assert!(tokens.open(&token, back(60)).is_some());
    assert!(tokens.open(&token, back(61)).is_none());
    let claims = tokens.open(&token, now()).unwrap();
    assert!(claims.are_current(later(3600), TTL) && !claims.are_current(later(3601), TTL));
    assert!(claims.are_current(back(60), TTL) && !claims.are_current(back(61), TTL));
}

#[test]
fn a_token_is_dead_at_its_sessions_last_moment() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let token = tokens.seal(SessionId::random(), later(60), None, now());
    assert!(tokens.open(&token, later(59)).is_some());
    assert!(tokens.open(&token, later(60)).is_none());
}

#[test]
fn old_keys_verify_and_say_that_a_new_token_is_due() {
    let (old, new) = (Fernet::generate_key(), Fernet::generate_key());
    let before = tokens(&Keyring::parse(&old).unwrap(), "p");
    let during = tokens(&Keyring::parse(&format!("{new},{old}")).unwrap(), "p");
    let after = tokens(&Keyring::parse(&new).unwrap(), "p");
    let token = before.seal(SessionId::random(), later(60), None, now());
    let claims = during.open(&token, now()).unwrap();
    assert!(claims.retired_key);
    let rotated = during.seal(claims.id, claims.expires, None, now());
    assert_eq!(after.open(&rotated, now()).map(|c| (c.id, c.retired_key)), Some((claims.id, false)));
    assert_eq!(after.open(&token, now()), None);
}

#[test]
fn a_token_is_good_for_one_purpose() {
    let ring = Keyring::ephemeral();
    let token = tokens(&ring, "users").seal(SessionId::random(), later(60), None, now());
    assert_eq!(tokens(&ring, "carts").open(&token, now()), None);
}

fn carried(body: usize) -> Record {
    Record { version: 3, last_seen: now(), expires: later(1800), body: vec![7; body].into() }
}

#[test]
fn a_token_can_carry_its_record() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let id = SessionId::random();
    let token = tokens.seal_record(id, &carried(500), now());
    let (claims, record) = tokens.open_record(&token, now()).unwrap();
    assert_eq!((claims.id, record), (id, carried(500)));
    assert!(tokens.open_record(&token, later(1800)).is_none(), "it dies with its session");
}

#[test]
fn a_token_that_names_a_session_carries_none_and_the_reverse() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let names = tokens.seal(SessionId::random(), later(60), None, now());
    assert!(tokens.open_record(&names, now()).is_none());
    let carries = tokens.seal_record(SessionId::random(), &carried(0), now());
    assert!(tokens.open(&carries, now()).is_none());
}

#[test]
fn any_flipped_bit_of_a_carried_record_is_refused() {
    let tokens = tokens(&Keyring::ephemeral(), "p");
    let token = tokens.seal_record(SessionId::random(), &carried(40), now());
    for bit in 0..token.len() * 8 {
        let mut altered = token.clone().into_bytes();
        altered[bit / 8] ^= 1 << (bit % 8);
        if let Ok(altered) = String::from_utf8(altered) {
            assert!(tokens.open_record(&altered, now()).is_none());
        }
    }
}

#[test]
fn a_token_from_the_end_of_time_is_refused_without_a_panic() {
    use base64::Engine as _;
    let tokens = tokens(&Keyring::ephemeral(), "p");
    for secs in [u64::MAX, u64::MAX - 59, u64::MAX - 3600, u64::MAX / 2, 1 << 63] {
        let mut bytes = vec![0x80];
        bytes.extend_from_slice(&secs.to_be_bytes());
        bytes.resize(89, 7);
        let token = base64::engine::general_purpose::URL_SAFE.encode(bytes);
        assert_eq!(token.len(), NAMING_LEN);
        assert_eq!(tokens.open(&token, now()), None);
        assert!(tokens.open_record(&token, now()).is_none() && !tokens.made(&token));
        let ours = tokens.keys[0].seal(&[1; Tokens::CLAIMS], secs);
        assert_eq!(tokens.open(&ours, now()), None);
    }
}

#[test]
fn a_token_that_has_run_out_is_told_from_a_forged_one() {
    let (tokens, now) = (tokens(&Keyring::ephemeral(), "p"), now());
    let token = tokens.seal(SessionId::random(), later(60), None, now);
    let carried = tokens.seal_record(SessionId::random(), &carried(40), now);
    assert!(tokens.open(&token, later(999_999)).is_none() && tokens.made(&token) && tokens.made(&carried));
    let mut forged = token.into_bytes();
    forged[60] ^= 1;
    assert!(!tokens.made(str::from_utf8(&forged).unwrap()) && !tokens.made("") && !tokens.made(&"A".repeat(9999)));
}

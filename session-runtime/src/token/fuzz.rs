//! Tokens of any bytes, altered ones, and well-made ones with anything inside.

use std::sync::LazyLock;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const TTL: Duration = Duration::from_secs(3600);

/// Made once, at [`NOW`], by these keys: two tokens that name a session, the second under the retired key, and one that
/// carries it.
const RING: &str = "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=,b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2w=";
const GENUINE: [&str; 3] = [
    "gAAAAABrSdIARDUMUkdS0c7SafgDezB1_TGxTChpbGUR71jmSdX1ay-7S9Mo5VGz14HSTwBIMsMjAH0eN1rM6eHuFRzYbKI6yDh-3v6KFbQoPelGC4DBWao=",
    "gAAAAABrSdIAiUJJQvmfV_3mfvQPrN6xToo27ux4fgmQLlNbHmKOZWP6rrkZaboT1AUloBVjhieQkGUADwBtfu9L6tDjz1YOu4TKEezAEZ-OoqvUojMtMgk=",
    "gAAAAABrSdIAfEpSxVNNzzcVg0f4ushTk-QePj1nxbtfdP_1Jk7AYNE9s-brulVAYOT39BP6SzKTux2A9EsYGMkpUp-NlHR_2mqBac3IFZnbMIS7I9gOI0z7ifdL19pGqqfARAPZuLjzMNWKWhYKlKzeUeWcJCuyJg==",
];

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(&Keyring::parse(RING).expect("two keys"), "fuzz", TTL));

/// The first byte says what the rest is.
///
/// Nothing is accepted but the genuine tokens as they were made; and what is read from a well-made one is what its
/// bytes say.
pub fn tokens(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind % 4 {
        0 => believe_only_the_genuine(rest),
        1 => believe_only_the_genuine(&altered(rest)),
        2 => read_what_was_written(rest, NOW),
        _ => {
            let Some((time, plaintext)) = rest.split_first_chunk() else { return };
            read_what_was_written(plaintext, Timestamp::from_millis(u64::from_be_bytes(*time)));
        }
    }
}

fn believe_only_the_genuine(bytes: &[u8]) {
    let Ok(token) = str::from_utf8(bytes) else { return };
    let believed = TOKENS.open(token, NOW).is_some() || TOKENS.open_record(token, NOW).is_some();
    assert_eq!(believed, GENUINE.contains(&token), "{token:?}");
    // Which tells forged tokens from those that have run out, and believes nothing.
    assert_eq!(TOKENS.made(token), GENUINE.contains(&token), "{token:?}");
}

/// A genuine token with these edits: each of a place, what to do there, and a byte.
fn altered(edits: &[u8]) -> Vec<u8> {
    let Some((which, edits)) = edits.split_first() else { return Vec::new() };
    let mut token = GENUINE[usize::from(*which) % GENUINE.len()].as_bytes().to_vec();
    for edit in edits.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % (token.len() + 1);
        match edit[2] % 4 {
            0 if at < token.len() => token[at] ^= edit[3],
            1 if at < token.len() => drop(token.remove(at)),
            2 => token.insert(at, edit[3]),
            _ => token.truncate(at.max(1)),
        }
    }
    token
}

/// A token that somebody with the key made at this moment, of something that we may not have written.
fn read_what_was_written(plaintext: &[u8], made: Timestamp) {
    let token = TOKENS.keys[0].seal(plaintext, made.as_secs());
    let of_age = made.as_secs() <= NOW.as_secs() + 60 && NOW.as_secs() - 3600 <= made.as_secs();
    if let Some(read) = TOKENS.open(&token, NOW) {
        assert!(of_age && NOW < read.expires && !read.retired_key);
        let written = match read.idle {
            None => claims(Tokens::NAMES, read.id, read.expires).to_vec(),
            Some(idle) => [&claims(Tokens::NAMES_IDLING, read.id, read.expires)[..], &idle_bytes(idle)].concat(),
        };
        assert_eq!(plaintext, written);
    }
    if let Some((read, record)) = TOKENS.open_record(&token, NOW) {
        assert!(of_age && NOW < read.expires && token.len() <= CARRIED_MAX);
        assert_eq!(plaintext[..Tokens::CLAIMS], claims(Tokens::CARRIES, read.id, read.expires));
        let words = [record.version, record.last_seen.as_millis(), record.expires.as_millis()];
        let written: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).chain(record.body).collect();
        assert_eq!(plaintext[Tokens::CLAIMS..], written);
    }
}

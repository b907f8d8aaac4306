//! The tokens of device-bound sessions: the offer to register a key, the challenge to prove it, and the cookie that says
//! that it was proved. Each has a purpose of its own, so that none is accepted in the place of another. Any process with the
//! keys makes and verifies them, and no store is asked.

use std::time::Duration;

use super::{Claims, Opened, Tokens, open};
use crate::clock::Timestamp;
use crate::crypto::{FernetKey, Keyring};
use crate::id::RecordKey;

/// How long an offer may be answered.
pub(crate) const OFFERED: Duration = Duration::from_secs(5 * 60);

/// How much longer than the browser keeps it a device's cookie is accepted: what was sent in time may arrive late.
const LATE: Duration = Duration::from_secs(60);

/// The tokens of one session type.
pub(crate) struct DeviceTokens {
    offers: Tokens,
    challenges: Vec<FernetKey>,
    cookies: Vec<FernetKey>,
    every: Duration,
}

/// What a challenge or a device's cookie says: which session, which key, and when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceClaims {
    pub(crate) session: RecordKey,
    /// The hash of the device's key.
    pub(crate) device: [u8; 16],
    pub(crate) issued: Timestamp,
}

impl DeviceTokens {
    const LAYOUT: u8 = 1;
    /// The length of a challenge and of a device's cookie. Any other is refused before any work is done on it.
    const LEN: usize = 164;

    pub(crate) fn new(keyring: &Keyring, purpose: &str, every: Duration) -> Self {
        let derive = |what: &str| keyring.derive(&format!("session-runtime v1 device {what} {purpose}"));
        Self {
            offers: Tokens { keys: derive("offer"), ttl: OFFERED },
            challenges: derive("challenge"),
            cookies: derive("cookie"),
            every,
        }
    }

    /// The challenge that an offer carries: it names the session, since the registration may come without its cookie.
    pub(crate) fn offer(&self, claims: &Claims, now: Timestamp) -> String {
        self.offers.seal(claims.id, claims.expires, claims.idle, now)
    }

    pub(crate) fn open_offer(&self, token: &str, now: Timestamp) -> Option<Claims> {
        self.offers.open(token, now)
    }

    /// A challenge for the key of a session.
    pub(crate) fn challenge(&self, session: &RecordKey, device: &[u8; 16], now: Timestamp) -> String {
        seal(&self.challenges, session, device, now)
    }

    pub(crate) fn open_challenge(&self, token: &str, now: Timestamp) -> Option<DeviceClaims> {
        read(&self.challenges, token, self.every.saturating_mul(2), now)
    }

    /// What the device's cookie holds.
    pub(crate) fn cookie(&self, session: &RecordKey, device: &[u8; 16], now: Timestamp) -> String {
        seal(&self.cookies, session, device, now)
    }

    pub(crate) fn open_cookie(&self, token: &str, now: Timestamp) -> Option<DeviceClaims> {
        read(&self.cookies, token, self.every.saturating_add(LATE), now)
    }
}

/// Fernet's own time is in seconds, within which a challenge may be made, answered and followed by the next one.
fn seal(keys: &[FernetKey], session: &RecordKey, device: &[u8; 16], now: Timestamp) -> String {
    let plaintext = [&[DeviceTokens::LAYOUT][..], session.as_bytes(), device, &now.as_millis().to_be_bytes()].concat();
    keys[0].seal(&plaintext, now.as_secs())
}

fn read(keys: &[FernetKey], token: &str, ttl: Duration, now: Timestamp) -> Option<DeviceClaims> {
    if token.len() != DeviceTokens::LEN {
        return None;
    }
    let mut buffer = [0; DeviceTokens::LEN.div_ceil(4) * 3];
    let Opened { age: _, issued: _, plaintext } = open(keys, &mut buffer, token, ttl, now)?;
    let (session, rest) = plaintext.strip_prefix(&[DeviceTokens::LAYOUT])?.split_first_chunk()?;
    let (device, issued) = rest.split_first_chunk()?;
    let issued = Timestamp::from_millis(u64::from_be_bytes(issued.try_into().ok()?));
    Some(DeviceClaims { session: RecordKey::from_bytes(*session), device: *device, issued })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{RecordNames, SessionId};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const EVERY: Duration = Duration::from_secs(600);
    const DEVICE: [u8; 16] = [7; 16];

    fn tokens(keys: &str) -> DeviceTokens {
        DeviceTokens::new(&Keyring::parse(keys).unwrap(), "shop/User", EVERY)
    }

    fn later(secs: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(secs))
    }

    const OLD: &str = "b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2w=";
    const RING: &str = "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=,b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2w=";

    #[test]
    fn each_kind_of_token_lives_as_long_as_it_is_said_to_and_is_none_of_the_others() {
        let (tokens, session) = (tokens(OLD), SessionId::random().key(&RecordNames::of("shop/User")));
        let (challenge, cookie) = (tokens.challenge(&session, &DEVICE, NOW), tokens.cookie(&session, &DEVICE, NOW));
        assert_eq!((challenge.len(), cookie.len()), (DeviceTokens::LEN, DeviceTokens::LEN));
        let said = Some(DeviceClaims { session, device: DEVICE, issued: NOW });
        assert_eq!(tokens.open_challenge(&challenge, later(1200)), said);
        assert_eq!(tokens.open_challenge(&challenge, later(1201)), None);
        assert_eq!(tokens.open_cookie(&cookie, later(660)), said);
        assert_eq!(tokens.open_cookie(&cookie, later(661)), None);
        assert_eq!(tokens.open_challenge(&cookie, NOW), None);
        assert_eq!(tokens.open_cookie(&challenge, NOW), None);

        let claims =
            Claims { id: SessionId::random(), issued: NOW, expires: later(9000), idle: None, retired_key: false };
        let offer = tokens.offer(&claims, NOW);
        assert_eq!(tokens.open_offer(&offer, later(300)).map(|claims| claims.id), Some(claims.id));
        assert_eq!(tokens.open_offer(&offer, later(301)), None);
    }

    #[test]
    fn a_token_of_an_older_key_holds_and_one_of_another_type_does_not() {
        let session = SessionId::random().key(&RecordNames::of("shop/User"));
        let cookie = tokens(OLD).cookie(&session, &DEVICE, NOW);
        assert!(tokens(RING).open_cookie(&cookie, NOW).is_some());
        let other = DeviceTokens::new(&Keyring::parse(OLD).unwrap(), "shop/Admin", EVERY);
        assert_eq!(other.open_cookie(&cookie, NOW), None);
        let mut changed = cookie.into_bytes();
        changed[40] ^= 1;
        assert_eq!(tokens(OLD).open_cookie(&String::from_utf8(changed).unwrap(), NOW), None);
    }
}

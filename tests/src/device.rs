//! A device of the tests' own, which speaks Device Bound Session Credentials as Chromium does.

use axum::http::{HeaderMap, Method};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};

use crate::{Client, Reply};

/// A private key, and what a browser does with it.
#[derive(Debug, Clone)]
pub struct Device(SigningKey);

/// An offer to register a key, as an answer's header has it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Where to register.
    pub path: String,
    /// What to sign.
    pub challenge: String,
}

impl Offer {
    /// The offer of an answer, if it has one.
    pub fn of(reply: &Reply) -> Option<Self> {
        let header = reply.header("secure-session-registration")?;
        let rest = header.strip_prefix("(ES256);path=\"").expect("an offer of ES256 with a path");
        let (path, rest) = rest.split_once("\";challenge=\"").expect("a challenge in quotes");
        let challenge = rest.strip_suffix('"').expect("and nothing behind it");
        Some(Self { path: path.into(), challenge: challenge.into() })
    }
}

/// The challenge of an answer, without its identifier.
pub fn challenge(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("secure-session-challenge")?.to_str().ok()?;
    let (challenge, id) = header.strip_prefix('"')?.split_once("\";id=\"")?;
    assert_eq!(id.strip_suffix('"').map(str::len), Some(43), "browsers end a session without an identifier: {header}");
    Some(challenge.into())
}

impl Device {
    /// A device with a key of its own for each number.
    ///
    /// # Panics
    ///
    /// For zero.
    pub fn new(number: u8) -> Self {
        Self(SigningKey::from_slice(&[number; 32]).expect("a private key"))
    }

    fn jwk(&self) -> Value {
        let point = self.0.verifying_key().to_sec1_point(false);
        let [x, y] = [&point.as_bytes()[1..33], &point.as_bytes()[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
    }

    /// A signed JWT of this header and payload.
    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{payload}");
        let signature: Signature = self.0.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// What a browser sends to register.
    pub fn registration(&self, challenge: &str) -> String {
        self.sign(&json!({ "alg": "ES256", "jwk": self.jwk(), "typ": "dbsc+jwt" }), &json!({ "jti": challenge }))
    }

    /// What a browser sends to prove its key.
    pub fn proof(&self, challenge: &str) -> String {
        self.sign(&json!({ "alg": "ES256", "typ": "dbsc+jwt" }), &json!({ "jti": challenge }))
    }

    /// Registers by an offer.
    pub async fn register(&self, client: &Client, offer: &Offer) -> Reply {
        send(client, &offer.path, None, Some(&self.registration(&offer.challenge))).await
    }

    /// Proves its key by a challenge.
    pub async fn refresh(&self, client: &Client, path: &str, session: &str, challenge: &str) -> Reply {
        send(client, path, Some(session), Some(&self.proof(challenge))).await
    }
}

/// A request to the route with these headers, and with those that a browser adds.
pub async fn send(client: &Client, path: &str, session: Option<&str>, proof: Option<&str>) -> Reply {
    client
        .send(Method::POST, path, |mut request| {
            request = request.header("sec-fetch-site", "same-origin").header("sec-fetch-mode", "no-cors");
            if let Some(session) = session {
                request = request.header("sec-secure-session-id", session);
            }
            if let Some(proof) = proof {
                request = request.header("secure-session-response", proof);
            }
            request
        })
        .await
}

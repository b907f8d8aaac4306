//! Stored records of any bytes, altered ones, and well-formed ones with any data inside.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{SessionData, Sessions, Snapshot, TokenEntry};
use crate::backend::{Memory, Record, Touch};
use crate::clock::Timestamp;
use crate::codec;
use crate::id::{RecordNames, SessionId};
use crate::record::{Envelope, SessionMeta};
use crate::token::Claims;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const KEY: &str = "ZnV6enpmdXp6emZ1enp6ZnV6enpmdXp6emZ1enp6ZnU=";

mod former {
    use super::*;

    #[derive(Serialize, Deserialize, session_derive::SessionData)]
    pub(super) struct Visitor {
        pub(super) name: String,
    }
}

/// Something of everything that data is made of.
#[derive(Serialize, Deserialize, session_derive::SessionData)]
#[session(version = 2, from = former::Visitor, validate = has_a_name)]
struct Visitor {
    names: Vec<String>,
    counts: BTreeMap<String, i64>,
    weight: Option<f64>,
    place: Place,
}

#[derive(Default, Serialize, Deserialize)]
enum Place {
    #[default]
    Nowhere,
    Room(u8),
    Inside(Box<Place>),
}

impl From<former::Visitor> for Visitor {
    fn from(former: former::Visitor) -> Self {
        Self { names: vec![former.name], counts: BTreeMap::new(), weight: None, place: Place::default() }
    }
}

fn has_a_name(visitor: &Visitor) -> Result<(), crate::Invalid> {
    if visitor.names.is_empty() { Err(crate::Invalid::field("names", "is empty")) } else { Ok(()) }
}

#[cfg(feature = "encrypt")]
#[derive(Serialize, Deserialize, session_derive::SessionData)]
#[session(encrypt)]
struct Sealed {
    text: String,
}

/// Sessions of a type, and one of them.
struct Scene<T> {
    sessions: Sessions<T>,
    known: Arc<TokenEntry>,
    touch: Touch,
}

impl<T: SessionData> Scene<T> {
    fn set() -> Self {
        let opened = Sessions::builder().backend(Memory::default()).key(KEY).open();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let sessions = runtime.block_on(opened).expect("the sessions open");
        let expires = NOW.plus(Duration::from_secs(60));
        let claims =
            Claims { id: SessionId::from_bytes([7; 24]), issued: NOW, expires, idle: None, retired_key: false };
        let touch = sessions.core().touch(NOW, &claims);
        Self { known: Arc::new(TokenEntry::new(claims, &RecordNames::of(sessions.core().purpose()))), sessions, touch }
    }

    fn read(&self, body: &[u8]) -> Option<Snapshot<T>> {
        self.known.forget();
        let (body, expires) = (Bytes::copy_from_slice(body), self.touch.expires);
        let record = Record { version: 1, last_seen: NOW, expires, body };
        self.sessions.core().accept(&self.known, &record, self.touch).map(Snapshot::of)
    }

    fn header(&self, data_version: u32, sealed: bool) -> Vec<u8> {
        Envelope { meta: SessionMeta::starting(NOW), id_hash: self.known.id_hash, data_version, sealed, type_tag: None }
            .write(0)
            .0
    }
}

static VISITORS: LazyLock<Scene<Visitor>> = LazyLock::new(Scene::set);

/// The first byte says what the rest is.
///
/// What is read is what the bytes say, keeps the type's rules, and can be written and read again; an altered sealed
/// record is never read.
pub fn stored_records(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind % 4 {
        0 => read_what_was_written(rest),
        1 => read_what_was_written(&[VISITORS.header(2, false), rest.to_vec()].concat()),
        2 => read_what_was_written(&[VISITORS.header(1, false), rest.to_vec()].concat()),
        _ => {
            #[cfg(feature = "encrypt")]
            sealed::believe_only_the_genuine(rest);
        }
    }
}

fn read_what_was_written(body: &[u8]) {
    let envelope = Envelope::read(body);
    if let Some((envelope, payload)) = &envelope {
        let (written, start) = envelope.write(0);
        // Each write has a number of its own, at the end of the header of what is in a store. An earlier release has not.
        if start == *payload {
            let known = payload - if envelope.type_tag.is_some() { 8 } else { 0 };
            assert_eq!(written[..known], body[..known]);
        }
    }
    let Some(read) = VISITORS.read(body) else { return };
    assert!(!read.names.is_empty(), "the data keeps its type's rules");
    assert!(
        envelope.is_some_and(|(envelope, _)| envelope.id_hash == VISITORS.known.id_hash),
        "the record is this session's"
    );
    let json = codec_of(&*read);
    let again = VISITORS.read(&[VISITORS.header(2, false), json.clone()].concat()).expect("it can be read again");
    assert_eq!(codec_of(&*again), json);
}

fn codec_of(data: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::new();
    codec::encode(data, &mut json).expect("what was read can be written");
    json
}

#[cfg(feature = "encrypt")]
mod sealed {
    use super::*;

    static SEALED: LazyLock<(Scene<Sealed>, Bytes)> = LazyLock::new(|| {
        let scene = Scene::<Sealed>::set();
        let written = scene.sessions.core().write(
            &scene.known.key,
            SessionMeta::starting(NOW),
            scene.known.id_hash,
            &Sealed { text: "genuine".into() },
            64,
        );
        let body = written.expect("it can be written").body;
        (scene, body)
    });

    /// A genuine record with these edits: each of a place and of bits to flip there; or these bytes behind a header.
    pub(super) fn believe_only_the_genuine(input: &[u8]) {
        let (scene, genuine) = &*SEALED;
        let mut altered = genuine.to_vec();
        for edit in input.chunks_exact(3) {
            let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % altered.len();
            altered[at] ^= edit[2];
        }
        assert_eq!(scene.read(&altered).is_some(), altered == *genuine);
        for body in [input.to_vec(), [scene.header(1, true), input.to_vec()].concat()] {
            assert!(scene.read(&body).is_none() || body == *genuine);
        }
        assert_eq!(scene.read(genuine).expect("the genuine record is read").text, "genuine");
    }
}

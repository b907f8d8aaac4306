use std::sync::Arc;

use super::*;
use crate::id::IdHash;
use crate::record::{DeviceNote, SessionMeta};

#[test]
fn a_record_says_whether_its_session_is_bound_to_a_device() {
    let time = Timestamp::from_secs;
    let note = DeviceNote { key: [2; 33], bound: time(20), challenged: time(30), proven: time(40) };
    for (device, expected) in [(None, [None, None]), (Some(note), [Some(time(20).into()), Some(time(40).into())])] {
        let meta = SessionMeta { label: Some(Arc::from("phone")), device, ..SessionMeta::starting(time(10)) };
        let type_tag = Some(TypeTag::of("shop/User/user"));
        let envelope = Envelope { meta, id_hash: IdHash([1; 16]), data_version: 0, sealed: false, type_tag };
        let (mut body, _) = envelope.write(2);
        body.extend_from_slice(b"{}");
        let record = Record { version: 2, last_seen: time(40), expires: time(90), body: body.into() };
        let Contents::Session(session) = read(&record) else { panic!("a session") };
        assert_eq!([session.device_bound_at(), session.device_proven_at()], expected);
        assert_eq!((session.label(), session.type_hash().is_some()), (Some("phone"), true));
    }
}

/// The byte that a session's header has its flags in lies in the second key of a list.
#[test]
fn a_list_whose_keys_look_like_the_header_of_a_session_is_a_list() {
    let ends = Timestamp::from_secs(1_000);
    for flags in 0..=u8::MAX {
        let keys = [[7; 32], [flags; 32]];
        let mut body = vec![1];
        for key in &keys {
            body.extend_from_slice(key);
            body.extend_from_slice(&ends.as_millis().to_be_bytes());
        }
        let record = Record { version: 1, last_seen: ends, expires: ends, body: body.into() };
        let Contents::OwnerList { keys: found, whole_from: None } = read(&record) else {
            panic!("no list for flags {flags:#010b}")
        };
        assert_eq!(found, keys.map(RecordKey::from_bytes));
    }
}

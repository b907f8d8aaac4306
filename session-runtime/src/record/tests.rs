use super::*;

fn touch(now: u64) -> Touch {
    Touch { now: Timestamp::from_secs(now), idle: Duration::from_secs(60), expires: Timestamp::from_secs(100) }
}

fn record(last_seen: u64) -> Record {
    Record {
        version: 1,
        last_seen: Timestamp::from_secs(last_seen),
        expires: Timestamp::from_secs(100),
        body: Bytes::from_static(b"secret"),
    }
}

#[test]
fn a_record_is_alive_until_idle_or_lifetime_ends() {
    let none = Duration::ZERO;
    assert!(touch(59).is_live(&record(0), none));
    assert!(!touch(60).is_live(&record(0), none));
    assert!(touch(60).is_live(&record(0), Duration::from_secs(1)));
    assert!(touch(99).is_live(&record(90), none));
    assert!(!touch(100).is_live(&record(99), none));
    assert!(touch(0).is_live(&record(50), none), "a clock that jumped back makes no panic");
}

#[test]
fn a_store_keeps_no_longer_than_the_lifetime() {
    assert_eq!(touch(10).keep(), Duration::from_secs(60));
    assert_eq!(touch(70).keep(), Duration::from_secs(30));
    assert_eq!(touch(200).keep(), Duration::from_millis(1));
}

#[test]
fn debug_shows_no_data() {
    assert!(!format!("{:?}", record(0)).contains("secret"));
}

fn envelope(meta: SessionMeta) -> Envelope {
    Envelope { meta, id_hash: IdHash([7; 16]), data_version: 3, sealed: false, type_tag: Some(TypeTag([9; 8])) }
}

#[test]
fn what_is_no_envelope_is_none() {
    for body in [&b""[..], b"\x01", &[3; 64], &[0; 64], &[1; 28]] {
        assert!(Envelope::read(body).is_none());
    }
    let (bytes, _) = envelope(SessionMeta {
        previous_id_hash: Some(IdHash([1; 16])),
        ..SessionMeta::starting(Timestamp::from_secs(1))
    })
    .write(0);
    for length in 0..bytes.len() - 1 {
        assert!(Envelope::read(&bytes[..length]).is_none(), "{length}");
    }
    assert!(Envelope::label(b"").is_none());
    assert!(Envelope::label(b"\x02a").is_none());
    assert!(Envelope::label(b"\x01\xff").is_none());
}

#[test]
fn an_envelope_is_read_as_it_was_written() {
    let plain = SessionMeta::starting(Timestamp::from_secs(1));
    let full = SessionMeta {
        authenticated_at: Timestamp::from_secs(2),
        rotated: Timestamp::from_secs(3),
        generation: 4,
        previous_id_hash: Some(IdHash([9; 16])),
        persistent: Some(true),
        idle: Some(Duration::from_millis(90_500)),
        label: Some("Firefox".into()),
        device: Some(DeviceNote {
            key: [2; 33],
            bound: Timestamp::from_secs(4),
            challenged: Timestamp::from_secs(5),
            proven: Timestamp::from_millis(6_001),
        }),
        ..plain.clone()
    };
    let idling = SessionMeta { idle: Some(Duration::from_secs(400 * 86_400)), ..plain.clone() };
    for meta in [plain.clone(), idling, SessionMeta { persistent: Some(false), ..plain }, full] {
        let (mut bytes, payload) = envelope(meta.clone()).write(2);
        bytes.extend_from_slice(b"{}");
        let (mut read, at) = Envelope::read(&bytes).unwrap();
        let (label, data) = Envelope::label(&bytes[at..]).unwrap();
        read.meta.label = label;
        assert_eq!((at, &bytes[at + data..]), (payload, &b"{}"[..]));
        assert_eq!((read.meta, read.id_hash.0, read.data_version, read.sealed), (meta, [7; 16], 3, false));
    }
}

#[test]
fn a_long_label_is_cut_between_its_characters() {
    let label = "é".repeat(200);
    let (bytes, payload) =
        envelope(SessionMeta { label: Some(label.into()), ..SessionMeta::starting(Timestamp::from_secs(1)) }).write(0);
    let (label, end) = Envelope::label(&bytes[payload..]).unwrap();
    assert_eq!((label.unwrap().len(), payload + end), (254, bytes.len()));
}

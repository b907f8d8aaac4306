//! Every public type is known to print no secret.

use std::{collections::BTreeSet, fs, path::Path};

/// What `leaks::nothing_that_can_be_printed_prints_a_secret` prints, or the tests of the backends do.
const PRINTED: &[&str] = &[
    "Admin",
    "AllSessions",
    "BackendError",
    "Builder",
    "Client",
    "ClientResponse",
    "Error",
    "Events",
    "PublicId",
    "RecordKey",
    "ListCursor",
    "ListPage",
    "ListedRecord",
    "Listing",
    "Memory",
    "MySql",
    "MySqlConfig",
    "MySqlUrl",
    "Missing",
    "OpenError",
    "OwnerSessions",
    "Peek",
    "Pem",
    "Postgres",
    "PostgresConfig",
    "PostgresUrl",
    "Protect",
    "ProtectLayer",
    "Record",
    "Redis",
    "RedisConfig",
    "RedisMaster",
    "RedisNodes",
    "RedisSentinels",
    "RedisUrl",
    "Rejection",
    "Session",
    "SessionSlot",
    "Sessions",
    "Snapshot",
    "Sqlite",
    "Start",
    "Started",
    "StoredSession",
    "ToldEvent",
    "Token",
    "UntilEnded",
    "Vary",
    "VaryLayer",
];

/// Types of names, numbers and moments, of nothing at all, or that can't be printed.
const WITHOUT_SECRETS: &[&str] = &[
    "Acquired",
    "AllError",
    "Capabilities",
    "Cookie",
    "Device",
    "DomainError",
    "EndReason",
    "Ended",
    "File",
    "FileConfig",
    "Holder",
    "Invalid",
    "Kept",
    "Lease",
    "ManualClock",
    "MemoryConfig",
    "Pair",
    "ParsePublicIdError",
    "ReturnTo",
    "Scope",
    "SqliteConfig",
    "SystemClock",
    "Timestamp",
    "Touch",
    "Verdict",
    "Written",
];

const TRAITS: &[&str] = &[
    "Backend",
    "Clock",
    "CompareAndSet",
    "DeviceBound",
    "EndAnswer",
    "EndedSession",
    "FromSetting",
    "KeepLease",
    "Leases",
    "List",
    "OpenBackend",
    "SessionData",
    "SessionOwner",
    "StatefulCheck",
    "StatefulEndHook",
    "Sweep",
    "Watch",
];

/// The names in a module's `pub use`, and of what it declares.
fn exported(module: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../session-runtime/src").join(module);
    let source = fs::read_to_string(path).expect("the module is there");
    let mut names = BTreeSet::new();
    for statement in source.split("\npub ").skip(1) {
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
            words.map(String::from).collect()
        };
        let (kind, rest) = statement.split_once(' ').unwrap_or_default();
        match kind {
            "use" => names.extend(words(rest.split(';').next().unwrap_or_default())),
            "struct" | "enum" | "trait" => names.extend(words(rest).into_iter().next()),
            _ => {}
        }
    }
    names.retain(|name| name.starts_with(|c: char| c.is_uppercase()));
    names
}

#[test]
fn every_public_type_is_known_to_print_no_secret() {
    let found: BTreeSet<_> =
        ["lib.rs", "admin/mod.rs", "backend/mod.rs", "testing/mod.rs"].into_iter().flat_map(exported).collect();
    let known: BTreeSet<_> = [PRINTED, WITHOUT_SECRETS, TRAITS].concat().into_iter().map(String::from).collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert!(new.is_empty(), "{new:?}: print each where the others are printed, and name it in PRINTED");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "{gone:?} are there no more");
}

//! Bytes that nobody vouches for are read without a panic, within bounds, and nothing altered is believed: the
//! properties of the fuzz targets on stable Rust, on their seeds, on seeds with edits, and on pieces of what they expect.

use std::alloc::System;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};

use proptest::{collection::vec, prelude::*, sample::select};
use session_runtime::testing::fuzz;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Target = fn(&[u8]);

/// What one reading may allocate in all, the checks of the target included: so much, and so much more for each byte.
const ANYWAY: usize = 32 * 1024;
const PER_BYTE: usize = 128;

/// Feeds the target, which panics by itself if a promise is broken.
fn feed(target: Target, input: &[u8]) {
    // Other tests' allocations would be counted.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // What is made once is made before.
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        for target in [fuzz::tokens, fuzz::stored_records] {
            (0..4).for_each(|kind| target(&[kind, 0, 0, 0, 0]));
        }
    });
    let region = Region::new(ALLOCATOR);
    target(input);
    let stats = region.change();
    let allocated = stats.bytes_allocated + usize::try_from(stats.bytes_reallocated).unwrap_or(0);
    let bound = ANYWAY + PER_BYTE * input.len();
    assert!(allocated <= bound, "{allocated} bytes allocated for {} of input", input.len());
}

/// The committed inputs of a target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.file_name().unwrap().to_str().unwrap().starts_with("seed-"));
    files.sort_unstable();
    assert!(files.len() > 5, "{target} has seeds");
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Bytes of any kind.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..600)
}

/// A seed with some of its bytes replaced, inserted and removed.
fn edited(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..6);
    (select(seeds), edits).prop_map(|(mut bytes, edits)| {
        for (index, edit, byte) in edits {
            let at = index.index(bytes.len() + 1);
            match edit {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => bytes[at] ^= 1 << (byte % 8),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

/// A first byte that says what follows, and pieces in any order.
fn pieced(first: &'static [&'static [u8]], pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    (select(first), vec(select(pieces), 0..40)).prop_map(|(first, pieces)| [first, &pieces.concat()].concat())
}

const COOKIES: &[&[u8]] = &[
    b"__Host-user",
    b"__Host-user=",
    b"__Host-user=abc",
    b"__host-user",
    b"=",
    b";",
    b"; ",
    b" ",
    b"\t",
    b"\n",
    b",",
    b"\"",
    b"\\",
    b"a",
    b"a=1",
    b"\xc2\xa0",
    b"\xe2\x80\x80",
    b"\xff",
    b"\x0b",
    b"\r",
    b"\0",
];

const JSON: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"names\":[\"a\"]",
    b"\"names\"",
    b"\"counts\":{}",
    b"\"weight\":",
    b"\"place\":",
    b"\"Nowhere\"",
    b"{\"Room\":1}",
    b"{\"Inside\":",
    b"null",
    b"-1",
    b"1e999",
    b"0.30000000000000004",
    b"\"\\ud800\"",
    b"\"",
    b"{\"name\":\"a\"}",
    b"\xff",
    b" ",
    b"99999999999999999999",
    b"true",
    b"{\"names\":[\"a\"],\"counts\":{\"b\":1},\"weight\":0.1,\"place\":\"Nowhere\"}",
];

const WORDS: &[&[u8]] = &[
    b"\0\0\0\0\0\0\0\0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x80\0\0\0\0\0\0\0",
    b"\0\0\x01\xa3\x18\x5c\x50\0",
    b"session1",
    b"a",
    b"{}",
    b"\0",
];

const EDITS: &[&[u8]] = &[b"\0", b"\x01", b"\x02", b"\x03", b"=", b"A", b"\x20", b"\xff", b"\0\x77\0\x01"];

const KINDS: &[&[u8]] = &[b"\0", b"\x01", b"\x02", b"\x03"];
const ROWS: &[&[u8]] =
    &[b"\0", b"\x01", b"\x02\0", b"\x02\x01", b"\x02\x02", b"\x02\x04", b"\x03\0", b"\x03\x02", b"\x03\x0f"];

#[cfg(feature = "device-bound")]
const PROOFS: &[&[u8]] = &[b"\0", b"\x01\0", b"\x01\x01"];
/// Base64 of a header with and without a key's beginning, of a payload, of a signature, and what stands between.
#[cfg(feature = "device-bound")]
const JOSE: &[&[u8]] = &[
    b"eyJhbGciOiJFUzI1NiIsInR5cCI6ImRic2Mrand0In0",
    b"eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIs",
    b"eyJqdGkiOiJjIn0",
    b"TdUrmBa2sx8He7EBB7nHsG4QngsAAiSDx-7QrIiWZ9NKKABfn392AFeW7i7pOQv1oCtiM8MgWua7Ix2vvA5Tsg",
    b".",
    b"=",
    b"A",
    b"\0\x20\0\x01",
    b"\xff",
];

/// The tests of a target.
macro_rules! fed {
    ($($target:ident: $first:expr, $pieces:expr;)*) => {$(
        mod $target {
            use super::*;

            #[test]
            fn the_seeds() {
                for seed in seeds(stringify!($target)) {
                    feed(fuzz::$target, &seed);
                }
            }

            proptest! {
                #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

                #[test]
                fn any_bytes_at_all(input in any_bytes()) {
                    feed(fuzz::$target, &input);
                }

                #[test]
                fn edited_seeds(input in edited(seeds(stringify!($target)))) {
                    feed(fuzz::$target, &input);
                }

                #[test]
                fn pieces_of_what_is_expected(input in pieced($first, $pieces)) {
                    feed(fuzz::$target, &input);
                }
            }
        }
    )*};
}

fed! {
    cookie_headers: &[b""], COOKIES;
    tokens: KINDS, EDITS;
    stored_records: KINDS, JSON;
    stored_rows: ROWS, WORDS;
}

#[cfg(feature = "device-bound")]
fed! {
    device_proofs: PROOFS, JOSE;
}

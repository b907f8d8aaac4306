#!/usr/bin/env bash
# A map with numbers for keys is written by serde_json and not read again, once it is in a tagged enum or flattened
#
# Versions: serde 1.0.229, serde_json 1.0.154 (crates.io).
# Guess: what `#[derive(Serialize, Deserialize)]` writes as JSON it reads again. A map from u32 works in a struct, so it works
#   with `#[serde(tag = "kind")]` or `#[serde(flatten)]` around it, which change where the members stand.
# Seen: all of them write the same member, {"7":2}. The plain struct and the enum with `tag` and `content` read it. The enum
#   with `tag` alone, the untagged one and the flattened struct do not: they read the members into a buffer first, where the key
#   is text for good, and u32 is not made from text any more. A u128 is written there too, and is "not supported" when read.
# Why it matters: a session "guest with a cart, or member" is such an enum, and a cart is a map from numbers. The login and each
#   write succeed; the next request can't read the session, and the person is logged out or sees an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "keys"
version = "0.1.0"
edition = "2021"

[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
serde_json = "=1.0.154"
TOML
cat > src/main.rs <<'RS'
use std::collections::BTreeMap;

use serde::{de::DeserializeOwned, Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Plain {
    cart: BTreeMap<u32, u32>,
}

#[derive(Serialize, Deserialize)]
struct Flattened {
    #[serde(flatten)]
    plain: Plain,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Guest { cart: BTreeMap<u32, u32> },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
enum TaggedBeside {
    Guest { cart: BTreeMap<u32, u32> },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Guest { cart: BTreeMap<u32, u32> },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Counted {
    Member { number: u128 },
}

fn read_again<T: Serialize + DeserializeOwned>(what: &str, value: T) {
    let written = serde_json::to_string(&value).unwrap();
    match serde_json::from_str::<T>(&written) {
        Ok(_) => println!("{what}: {written} is read"),
        Err(error) => println!("{what}: {written} is not: {error}"),
    }
}

fn main() {
    let cart = || BTreeMap::from([(7, 2)]);
    read_again("struct", Plain { cart: cart() });
    read_again("flatten", Flattened { plain: Plain { cart: cart() } });
    read_again("tag", Tagged::Guest { cart: cart() });
    read_again("tag and content", TaggedBeside::Guest { cart: cart() });
    read_again("untagged", Untagged::Guest { cart: cart() });
    read_again("u128 under a tag", Counted::Member { number: 5 });
}
RS
expected='struct: {"cart":{"7":2}} is read
flatten: {"cart":{"7":2}} is not: invalid type: string "7", expected u32 at line 1 column 16
tag: {"kind":"Guest","cart":{"7":2}} is not: invalid type: string "7", expected u32
tag and content: {"kind":"Guest","data":{"cart":{"7":2}}} is read
untagged: {"cart":{"7":2}} is not: data did not match any variant of untagged enum Untagged
u128 under a tag: {"kind":"Member","number":5} is not: u128 is not supported'
seen=$(cargo run --quiet 2>&1)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

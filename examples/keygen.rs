//! Prints a fresh key for `key = env("SESSION_KEYS")`.
//!
//! Run it: `cargo run --bin keygen`. To rotate keys put the new one in front:
//! `SESSION_KEYS=<new>,<old>`; drop the old one when the longest lifetime has passed.

fn main() {
    println!("{}", fernet::Fernet::generate_key());
}

#!/usr/bin/env bash
# utoipa writes an invalid OpenAPI 3.1 document where a response has no description
#
# Versions: utoipa 6.0.0 (crates.io), openapi-spec-validator 0.9.0 (PyPI).
# Guess: what `#[utoipa::path]` accepts becomes a valid document, so a response without `description` gets an empty one.
# Seen: an empty description is left out, and a Response Object without `description` is invalid in OpenAPI 3.1. The
#   document says `"openapi": "3.1.0"`. With a description the same document is valid.
# Why it matters: `responses((status = 200, body = T))` compiles and looks complete; generators and validators then refuse
#   the whole document.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openapi-spec-validator==0.9.0
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "described"
version = "0.1.0"
edition = "2024"

[dependencies]
utoipa = "=6.0.0"
TOML
cat > src/main.rs <<'RS'
use utoipa::OpenApi;

#[utoipa::path(get, path = "/", responses((status = 200, body = String)))]
#[allow(dead_code)]
fn without() {}

#[utoipa::path(get, path = "/", responses((status = 200, description = "Text", body = String)))]
#[allow(dead_code)]
fn with() {}

#[derive(OpenApi)]
#[openapi(paths(without))]
struct Without;

#[derive(OpenApi)]
#[openapi(paths(with))]
struct With;

fn main() {
    std::fs::write("without.json", Without::openapi().to_json().unwrap()).unwrap();
    std::fs::write("with.json", With::openapi().to_json().unwrap()).unwrap();
}
RS
cargo run --quiet

expected="without: 'description' is a required property
with: OK"
seen=$(for name in without with; do
    said=$(venv/bin/openapi-spec-validator --schema 3.1 $name.json 2>&1 || true)
    echo "$name: $(echo "$said" | head -1 | sed 's/^.*json: //; s/^Validation Error: //')"
done)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

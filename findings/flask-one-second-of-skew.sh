#!/usr/bin/env bash
# One second of clock difference between two servers logs a Flask user out; a Fernet token allows sixty
#
# Versions: Flask 3.1.3 with itsdangerous 2.2.0; cryptography 50.0.2 (Fernet) for comparison.
# Guess: a session cookie that is valid for 31 days is read by every server that has the key; a clock that is a second
#   behind makes no difference. Both libraries put a timestamp in seconds into what they sign.
# Seen: itsdangerous refuses a negative age, so the server whose clock is one second behind takes a session signed just
#   now as expired, and Flask silently starts an empty one. Fernet refuses only what is more than 60 seconds ahead.
# Why it matters: the redirect after a login goes to whichever server is next. The user is logged out at once, now and
#   then, and nothing is logged.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check Flask==3.1.3 itsdangerous==2.2.0 cryptography==50.0.2

expected="reader 0 s behind: Flask ann, Fernet accepted
reader 1 s behind: Flask nobody, Fernet accepted
reader 59 s behind: Flask nobody, Fernet accepted
reader 61 s behind: Flask nobody, Fernet InvalidToken"

cat > "$work/run.py" <<'PY'
import time
from cryptography.fernet import Fernet
from flask import Flask, session

clock = 2_000_000_000
time.time = lambda: clock  # the clock of whichever server runs next

app = Flask("server")
app.secret_key = "the same on all servers"

@app.get("/login")
def login():
    session["user"] = "ann"
    return "ok"

@app.get("/me")
def me():
    return session.get("user", "nobody")

fernet = Fernet(Fernet.generate_key())
for behind in (0, 1, 59, 61):
    clock = 2_000_000_000
    browser = app.test_client()
    browser.get("/login")
    cookie = browser.get_cookie("session").value
    token = fernet.encrypt(b"ann")
    clock -= behind
    user = app.test_client(use_cookies=False).get("/me", headers={"Cookie": f"session={cookie}"}).text
    try:
        fernet.decrypt(token, ttl=3600)
        verdict = "accepted"
    except Exception as error:
        verdict = type(error).__name__
    print(f"reader {behind} s behind: Flask {user}, Fernet {verdict}")
PY
seen=$("$work/venv/bin/python" "$work/run.py")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

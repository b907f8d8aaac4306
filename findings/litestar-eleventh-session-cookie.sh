#!/usr/bin/env bash
# A Litestar session that fills an eleventh cookie is lost, or answers 500 for good: its parts are joined in alphabetical order
#
# Versions: litestar 2.25.0, cryptography 50.0.2, httpx 0.28.1 (PyPI), Python 3.11 or later.
# Guess: CookieBackendConfig splits what does not fit one cookie into session-0, session-1 and so on, and joins them again, as
#   far as clients and servers let so many cookies through; what is too large is an error.
# Seen: the names are sorted as text when they are read, so session-10 comes before session-2. Ten cookies are read back. With
#   eleven, two of three sizes come back as an empty session, whose answer deletes the cookies, without an error or a line in
#   the log; with the third the joined text has no padding in the middle, and each request is answered 500 until the user
#   clears the cookies.
# Why it matters: a cart or a form that grows is lost altogether at about 30 kB, far below what browsers send and common
#   servers accept, and it looks like a session that has expired.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check litestar==2.25.0 cryptography==50.0.2 httpx==0.28.1
cat > app.py <<'PY'
import os

from litestar import Litestar, Request, get, post
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.testing import TestClient

sessions = CookieBackendConfig(secret=os.urandom(32))


@post("/write")
async def write(request: Request, size: int) -> None:
    request.session["text"] = "x" * size


@get("/read")
async def read(request: Request) -> int:
    return len(request.session.get("text", ""))


app = Litestar([write, read], middleware=[sessions.middleware], logging_config=None)
for size in (20_000, 29_000, 32_000, 32_001):
    with TestClient(app, raise_server_exceptions=False) as client:
        client.post("/write", params={"size": size}).raise_for_status()
        cookies = len(client.cookies)
        for attempt in ("first", "second"):
            answer = client.get("/read")
            seen = answer.json() if answer.status_code == 200 else "nothing"
            print(f"{size} in {cookies} cookies, {attempt} read: status {answer.status_code}, {seen}")
PY
expected='20000 in 7 cookies, first read: status 200, 20000
20000 in 7 cookies, second read: status 200, 20000
29000 in 10 cookies, first read: status 200, 29000
29000 in 10 cookies, second read: status 200, 29000
32000 in 11 cookies, first read: status 500, nothing
32000 in 11 cookies, second read: status 500, nothing
32001 in 11 cookies, first read: status 200, 0
32001 in 11 cookies, second read: status 200, 0'
seen=$(venv/bin/python app.py)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

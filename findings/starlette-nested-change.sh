#!/usr/bin/env bash
# Starlette 1.x loses a change inside a session's list, which 0.x kept, and the handler itself still sees it
#
# Versions: starlette 1.10.0 and 0.50.0, httpx 0.28.1, itsdangerous 2.2.0 (PyPI).
# Guess: SessionMiddleware writes the whole session into its cookie, so what a handler changes in it is in the next request,
#   `request.session["cart"].append("tea")` as well as `request.session["n"] = 1`.
# Seen: 0.x sends the cookie with every response. 1.x sends it only after an assignment to the session itself: the append
#   is in the handler's own answer and gone with the next request, without a warning. It is kept if the same request happens
#   to assign another key.
# Why it matters: an upgrade turns "always stored" into "stored if something else changed", and a cart loses items. A session
#   that compares what it holds with what it loaded, as bytes, has no such gap.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

expected="0.50.0: append True, next request ['tea'], append with another key ['tea', 'jam']
1.10.0: append False, next request [], append with another key ['jam']"

cat > run.py <<'PY'
import asyncio, importlib.metadata
import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route

async def start(request):
    request.session["cart"] = []
    return JSONResponse([])

async def append(request):
    request.session["cart"].append("tea")
    assert request.session["cart"] == ["tea"]
    return JSONResponse([])

async def append_and_assign(request):
    request.session["cart"].append("jam")
    request.session["n"] = 1
    return JSONResponse([])

async def show(request):
    return JSONResponse(request.session["cart"])

routes = [Route("/" + function.__name__, function) for function in (start, append, append_and_assign, show)]
app = Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key="k")])

async def main():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
        await client.get("/start")
        sent = "set-cookie" in (await client.get("/append")).headers
        after = (await client.get("/show")).json()
        await client.get("/append_and_assign")
        both = (await client.get("/show")).json()
    version = importlib.metadata.version("starlette")
    print(f"{version}: append {sent}, next request {after}, append with another key {both}")

asyncio.run(main())
PY
seen=""
for version in 0.50.0 1.10.0; do
  python3 -m venv "v$version"
  "v$version/bin/pip" install --quiet --disable-pip-version-check "starlette==$version" httpx==0.28.1 itsdangerous==2.2.0
  seen+=$("v$version/bin/python" run.py)$'\n'
done
seen=${seen%$'\n'}
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

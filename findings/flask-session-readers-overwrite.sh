#!/usr/bin/env bash
# A request that only reads the session undoes what another request has written meanwhile
#
# Versions: Flask-Session 0.8.0 (Flask 3.1.3, cachelib 0.17.0) and starsessions 2.2.1 (starlette 0.52.1), default settings.
# Guess: two writers at once may lose a change, but a request that only reads a session does not write it; at most
#   it extends the expiry.
# Seen: both write the whole session back at the end of every request that loaded it, as it was when it was loaded. A slow
#   reader that began before a change and ends after it puts the old data back. Flask-Session does it because Flask's
#   SESSION_REFRESH_EACH_REQUEST is on by default, a setting that is documented for the cookie.
# Why it matters: a page that takes a second and only shows the user's name takes an item out of the cart again. No
#   handler that could be looked at wrote it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check Flask==3.1.3 Flask-Session==0.8.0 cachelib==0.17.0 \
  starsessions==2.2.1 starlette==0.52.1 httpx==0.28.1

expected="Flask-Session: written 2, found 1
starsessions: written 2, found 1"

cat > "$work/run.py" <<'PY'
import asyncio, threading
import httpx, starsessions
from cachelib import SimpleCache
from flask import Flask, session
from flask_session import Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

def flask():
    app, loaded, written = Flask("shop"), threading.Event(), threading.Event()
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=SimpleCache())
    Session(app)
    @app.get("/<action>")
    def handle(action):
        if action == "start":
            session["cart"] = 1
        elif action == "add":
            session["cart"] += 1
        elif action == "read":
            session["cart"], loaded.set(), written.wait(30)
        return str(session["cart"])
    browser = app.test_client()
    browser.get("/start")
    cookie = {"Cookie": f"session={browser.get_cookie('session').value}"}
    get = lambda path: app.test_client(use_cookies=False).get(path, headers=cookie).text
    reader = threading.Thread(target=get, args=("/read",))
    reader.start()
    loaded.wait(30)
    added = get("/add")
    written.set()
    reader.join()
    print(f"Flask-Session: written {added}, found {get('/show')}")

async def starlette():
    loaded, written = asyncio.Event(), asyncio.Event()
    async def handle(request):
        action = request.path_params["action"]
        if action == "start":
            request.session["cart"] = 1
        elif action == "add":
            request.session["cart"] += 1
        elif action == "read":
            loaded.set()
            await written.wait()
        return PlainTextResponse(str(request.session["cart"]))
    sessions = Middleware(starsessions.SessionMiddleware, store=starsessions.InMemoryStore(), lifetime=3600)
    app = Starlette(routes=[Route("/{action}", handle)],
                    middleware=[sessions, Middleware(starsessions.SessionAutoloadMiddleware)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://shop.test") as browser:
        await browser.get("/start")
        reader = asyncio.create_task(browser.get("/read"))
        await loaded.wait()
        added = (await browser.get("/add")).text
        written.set()
        await reader
        print(f"starsessions: written {added}, found {(await browser.get('/show')).text}")

flask()
asyncio.run(starlette())
PY
seen=$("$work/venv/bin/python" "$work/run.py" 2> "$work/log") || { cat "$work/log" >&2; exit 1; }
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

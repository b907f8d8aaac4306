#!/usr/bin/env bash
# In aiohttp-session the time at which a session was created moves with each change of it
#
# Versions: aiohttp-session 2.12.1, aiohttp 3.14.5 (PyPI).
# Guess: `session.created` stays what it was at the start, as its documentation says ("the value returned by time.time() for
#   very first access to the session object"), and `max_age` counts from it, so that a session lasts max_age at most.
# Seen: a request that only reads leaves it. A request that changes the session stores the time of that change as `created`. So
#   max_age is an idle timeout that counts changes alone: a session that is changed often enough never ends, and one that is
#   only read ends in use.
# Why it matters: "log in again after twelve hours, whatever happens" by `created` never comes true for whoever has a counter, a
#   cart or a "last seen" in the session, and a reader is logged out in the middle of it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5 aiohttp-session==2.12.1

expected="read after 2 s: created has not moved
changed after 2 s, then read: created has moved
changed each second for 8 s, max_age=4: alive
read each second for 8 s, max_age=4: ended"

cat > "$work/run.py" <<'PY'
import asyncio
from aiohttp import ClientSession, CookieJar, web
from aiohttp_session import SimpleCookieStorage, get_session, setup

async def login(request):
    session = await get_session(request)
    session["name"], session["uses"] = "ann", 0
    return web.Response()

async def read(request):
    session = await get_session(request)
    return web.json_response({"name": session.get("name"), "created": session.created})

async def change(request):
    session = await get_session(request)
    if "name" in session:
        session["uses"] += 1
    return web.Response()

class Person:
    """A browser that has just logged in."""

    def __init__(self, port):
        self.url, self.client = f"http://127.0.0.1:{port}", ClientSession(cookie_jar=CookieJar(unsafe=True))

    async def __aenter__(self):
        await self.get("/login")
        return self

    async def __aexit__(self, *_):
        await self.client.close()

    async def get(self, path):
        async with self.client.get(self.url + path) as answer:
            return await answer.json() if answer.content_type == "application/json" else None

    async def created(self):
        return (await self.get("/read"))["created"]

async def alive_after(person, path):
    for _ in range(8):
        await asyncio.sleep(1)
        await person.get(path)
    return "alive" if (await person.get("/read"))["name"] else "ended"

async def main():
    app = web.Application()
    setup(app, SimpleCookieStorage(max_age=4))
    app.add_routes([web.get("/login", login), web.get("/read", read), web.get("/change", change)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    moved = lambda before, after: f"created has {'moved' if after > before else 'not moved'}"
    async with Person(port) as person:
        before = await person.created()
        await asyncio.sleep(2)
        print("read after 2 s:", moved(before, await person.created()))
        await person.get("/change")
        print("changed after 2 s, then read:", moved(before, await person.created()))
    async with Person(port) as changes, Person(port) as reads:
        changed, was_read = await asyncio.gather(alive_after(changes, "/change"), alive_after(reads, "/read"))
        print(f"changed each second for 8 s, max_age=4: {changed}\nread each second for 8 s, max_age=4: {was_read}")
    await runner.cleanup()

asyncio.run(main())
PY
seen=$("$work/venv/bin/python" "$work/run.py")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

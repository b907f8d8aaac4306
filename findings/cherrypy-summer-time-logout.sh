#!/usr/bin/env bash
# In the night when summer time begins, CherryPy ends every session, also one that was used a second ago
#
# Versions: cherrypy 18.10.0 (PyPI), Python 3.11 or later, glibc's rules for TZ.
# Guess: a session of the default timeout, 60 minutes, is alive a few seconds after it was used, whatever the clocks on the
#   wall do.
# Seen: the end of a session is kept as local time without a zone. When local time moves on by an hour, what was to end in 60
#   minutes has ended; the same without a restart for sessions in memory and in files.
#   The script gives the process a zone whose summer time begins in a few seconds, and touches no clock.
# Why it matters: everybody is logged out at once, one night of the year, and only on servers that do not run in UTC, so no test
#   and no staging server shows it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cherrypy==18.10.0
mkdir sessions
cat > app.py <<'PY'
import os
import socket
import time
import urllib.request

# A zone that is UTC until a few seconds from now, and then an hour ahead for the rest of the day at least.
begin = time.time() + 6
moment = time.gmtime(begin)
day = moment.tm_yday - (1 if moment.tm_year % 4 == 0 and moment.tm_yday > 60 else 0)
end = day + 2 if day < 363 else 1
os.environ["TZ"] = f"WIN0SUM,J{day}/{time.strftime('%H:%M:%S', moment)},J{end}"
time.tzset()

import cherrypy


class App:
    @cherrypy.expose
    def login(self):
        cherrypy.session["user"] = "Ann"
        return "Ann"

    @cherrypy.expose
    def who(self):
        return cherrypy.session.get("user", "nobody")


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
cherrypy.config.update({"server.socket_host": "127.0.0.1", "server.socket_port": port, "environment": "embedded"})
cherrypy.tree.mount(App(), "/memory", {"/": {"tools.sessions.on": True}})
files = {"tools.sessions.on": True, "tools.sessions.storage_path": "sessions", "tools.sessions.name": "file_id"}
files["tools.sessions.storage_class"] = cherrypy.lib.sessions.FileSession
cherrypy.tree.mount(App(), "/files", {"/": files})
cherrypy.server.subscribe()
cherrypy.engine.start()
# Kept by hand, whatever their Max-Age: the script asks what the server still knows.
cookies = {}


def get(place, path):
    headers = {"Cookie": cookies[place]} if place in cookies else {}
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/{place}/{path}", headers=headers)) as response:
        cookies[place] = response.headers["Set-Cookie"].split(";")[0]
        return response.read().decode()


places = ("memory", "files")
for place in places:
    get(place, "login")
time.sleep(max(0, begin - 2 - time.time()))
for place in places:
    print(f"{place}, a few seconds before: {get(place, 'who')}")
time.sleep(begin + 1 - time.time())
for place in places:
    print(f"{place}, three seconds later: {get(place, 'who')}")
cherrypy.engine.exit()
PY
expected='memory, a few seconds before: Ann
files, a few seconds before: Ann
memory, three seconds later: nobody
files, three seconds later: nobody'
seen=$(venv/bin/python app.py)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

#!/usr/bin/env bash
# curl and Python each write a session cookie to a cookies.txt so that the other one leaves it out
#
# Versions: pycurl 7.45.6 with its libcurl 8.12.1 (PyPI), http.cookiejar of Python 3.11.7.
# Guess: a login is made with one of them, its cookies are saved in Netscape's format, which both read and write, and the other
#   goes on with the session.
# Seen: a cookie without an expiry is 0 in the fifth field where curl writes it, and nothing between two tabs where Python does.
#   Python takes 0 for a cookie that expired in 1970, and loads none, even with `ignore_discard` and `ignore_expires`. curl
#   skips the empty field, has one too few, and sends no cookie. Each reads its own file, and neither says anything. A
#   cookie with an expiry goes over both ways.
# Why it matters: session cookies are the ones without an expiry. A script that logs in with curl and hands the file to Python,
#   or the other way round, is anonymous, while "remember me" works.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pycurl==7.45.6
cat > handover.py <<'PY'
import http.cookiejar
import http.server
import io
import platform
import threading
import urllib.request

import pycurl

seen = []


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        seen.append(self.headers.get("Cookie"))
        self.send_response(200)
        cookie = {"/login": "session=abc123; Path=/", "/remember": "session=abc123; Path=/; Max-Age=3600"}
        if self.path in cookie:
            self.send_header("Set-Cookie", cookie[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=server.serve_forever, daemon=True).start()


def curl(path, **options):
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, f"http://127.0.0.1:{server.server_port}{path}")
    handle.setopt(pycurl.WRITEDATA, io.BytesIO())
    for name, value in options.items():
        handle.setopt(getattr(pycurl, name), value)
    handle.perform()
    handle.close()
    return seen[-1]


def python(path, jar):
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(f"http://127.0.0.1:{server.server_port}{path}").read()
    return seen[-1]


def load(name, **options):
    jar = http.cookiejar.MozillaCookieJar(name)
    jar.load(**options)
    return jar


print(pycurl.version, "Python", platform.python_version())
everything = {"ignore_discard": True, "ignore_expires": True}
for login, expected in [("/login", None), ("/remember", "session=abc123")]:
    curl(login, COOKIEFILE="", COOKIEJAR="curl.txt")
    print("curl writes  ", open("curl.txt").read().splitlines()[-1].encode())
    own, loaded = curl("/", COOKIEFILE="curl.txt"), python("/", load("curl.txt", **everything))
    print("  curl sends", own, "and Python", loaded)
    assert (own, loaded) == ("session=abc123", expected)

    jar = http.cookiejar.MozillaCookieJar("python.txt")
    python(login, jar)
    jar.save(ignore_discard=True)
    print("Python writes", open("python.txt").read().splitlines()[-1].encode())
    own, loaded = python("/", load("python.txt", ignore_discard=True)), curl("/", COOKIEFILE="python.txt")
    print("  Python sends", own, "and curl", loaded)
    assert (own, loaded) == ("session=abc123", expected)
PY
venv/bin/python handover.py

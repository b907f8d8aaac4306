#!/usr/bin/env bash
# One cookie that is named "version" hides all cookies from Bottle, Beaker and CherryPy
#
# Versions: Bottle 0.13.4, Beaker 1.14.1, CherryPy 18.10.0, all on http.cookies of Python 3.11.7; Starlette 1.10.0 and WebOb 1.8.11
#   for comparison.
# Guess: in a Cookie header every pair is a cookie. `version`, `path`, `domain` or `comment` are names like any other
#   (RFC 6265), and only in Set-Cookie do some of them mean an attribute.
# Seen: SimpleCookie reads the request by the rules of RFC 2109, in which such names are attributes of the cookie before.
#   As the first pair, `version=2` makes it give up: no cookie at all. As a later pair it vanishes.
# Why it matters: another application on the same domain sets a cookie "version", or "path", and everybody is logged out.
#   Browsers send older cookies first, so whether it happens differs from user to user.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check bottle==0.13.4 Beaker==1.14.1 CherryPy==18.10.0 \
  starlette==1.10.0 WebOb==1.8.11

expected="version=2; sid=abc
  Bottle: none
  Beaker: none
  CherryPy: none
  WebOb: version sid
  Starlette: version sid
sid=abc; version=2
  Bottle: sid
  Beaker: sid
  CherryPy: sid
  WebOb: sid version
  Starlette: sid version"

cat > "$work/run.py" <<'PY'
import beaker.session, bottle, cherrypy.lib.httputil, cherrypy._cprequest, starlette.requests, webob

def cherrypy_cookies(header):
    request = cherrypy._cprequest.Request(cherrypy.lib.httputil.Host("127.0.0.1", 80), cherrypy.lib.httputil.Host("127.0.0.1", 1))
    request.header_list = [("Host", "a.test"), ("Cookie", header)]
    request.process_headers()
    return request.cookie

readers = {
    "Bottle": lambda header: bottle.BaseRequest({"HTTP_COOKIE": header}).cookies,
    "Beaker": lambda header: beaker.session.Session({"cookie": header}, key="other").cookie,
    "CherryPy": cherrypy_cookies,
    "WebOb": lambda header: webob.Request.blank("/", headers={"Cookie": header}).cookies,
    "Starlette": starlette.requests.cookie_parser,
}
for header in ("version=2; sid=abc", "sid=abc; version=2"):
    print(header)
    for name, read in readers.items():
        names = [cookie for cookie in read(header) if cookie != "other"]
        print(f"  {name}: {' '.join(names) or 'none'}")
PY
seen=$("$work/venv/bin/python" "$work/run.py")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

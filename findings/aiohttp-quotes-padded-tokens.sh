#!/usr/bin/env bash
# aiohttp's client sends a Fernet token back in quotes, and most other cookies as they came
#
# Versions: aiohttp 3.13.2, cryptography 46.0.3 (PyPI).
# Guess: a client returns the value of a cookie as it received it.
# Seen: the jar quotes a value in which there is a character that Python's http.cookies takes for unusual, and `=` is one. So a
#   token of letters and digits comes back as it was, and a Fernet token, which ends in `=`, as `"gAAAA...="`. With
#   `CookieJar(quote_cookie=False)` it comes back as it was.
# Why it matters: a server that takes the quotes for a part of the value, as RFC 6265 lets it, refuses a token that is valid,
#   and a client in Python is logged out on its first request while curl and browsers are not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiohttp==3.13.2 cryptography==46.0.3
cat > returned.py <<'PY'
import asyncio

from aiohttp import ClientSession, CookieJar, web
from cryptography.fernet import Fernet

TOKENS = {'plain': 'abc123', 'fernet': Fernet(Fernet.generate_key()).encrypt(b'Ann').decode()}


async def login(request):
    token = TOKENS[request.query['kind']]
    return web.Response(headers={'Set-Cookie': f'session={token}; Path=/'})


async def echo(request):
    return web.Response(text=request.headers['Cookie'])


async def main():
    app = web.Application()
    app.add_routes([web.get('/login', login), web.get('/', echo)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0)
    await site.start()
    base = f'http://localhost:{site._server.sockets[0].getsockname()[1]}'
    for kind, token in TOKENS.items():
        for quoting in [True, False]:
            jar = CookieJar() if quoting else CookieJar(quote_cookie=False)
            async with ClientSession(cookie_jar=jar) as client:
                await (await client.get(f'{base}/login?kind={kind}')).read()
                returned = await (await client.get(base)).text()
            name = 'the default jar' if quoting else 'quote_cookie=False'
            print(f'{kind}, {name}: {returned.replace(token, "TOKEN")}')
    await runner.cleanup()


asyncio.run(main())
PY
expected='plain, the default jar: session=TOKEN
plain, quote_cookie=False: session=TOKEN
fernet, the default jar: session="TOKEN"
fernet, quote_cookie=False: session=TOKEN'
seen=$(venv/bin/python returned.py)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

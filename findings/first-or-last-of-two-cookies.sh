#!/usr/bin/env bash
# Of two cookies of one name Node frameworks read the first and most Python frameworks the last
#
# Versions: cookie 2.0.2, hono 4.13.19, fastify 5.12.8 with @fastify/cookie 11.1.5, koa 3.3.0, tough-cookie 6.1.0 (npm); Django
#   5.2.19, Starlette 1.10.0, aiohttp 3.14.5, Tornado 6.6.1, Bottle 0.13.4, Flask 3.1.3, Falcon 4.4.0 (PyPI).
# Guess: a client sends the cookie with the longer path first (RFC 6265, 5.4), and servers read the first one, as it is
#   the one that was made for this part of the site.
# Seen: the Node packages, Flask and Falcon do. Django, Starlette, aiohttp, Tornado and Bottle keep a map that the later cookie
#   overwrites, so they read the one with the shorter path.
# Why it matters: a session cookie that moved from `Path=/app` to `Path=/`, or two applications of one host, leave browsers
#   with two. Services behind one proxy then read different sessions out of the same header: logged in here, not there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund tough-cookie@6.1.0 cookie@2.0.2 hono@4.13.19 fastify@5.12.8 \
  @fastify/cookie@11.1.5 koa@3.3.0 > npm.log 2>&1 || { cat npm.log >&2; exit 1; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  django==5.2.19 starlette==1.10.0 aiohttp==3.14.5 tornado==6.6.1 bottle==0.13.4 flask==3.1.3 falcon==4.4.0

expected="sent: sid=of-the-application; sid=of-the-site
cookie: of-the-application
hono: of-the-application
fastify: of-the-application
koa: of-the-application
django: of-the-site
starlette: of-the-site
aiohttp: of-the-site
tornado: of-the-site
bottle: of-the-site
flask: of-the-application
falcon: of-the-application"

cat > run.mjs <<'JS'
import { createServer, get } from 'node:http'
import { parseCookie } from 'cookie'
import { CookieJar } from 'tough-cookie'
import Fastify from 'fastify'
import fastifyCookie from '@fastify/cookie'
import { Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import Koa from 'koa'

const jar = new CookieJar()
jar.setCookieSync('sid=of-the-site; Path=/', 'https://shop.example/')
jar.setCookieSync('sid=of-the-application; Path=/app', 'https://shop.example/app')
const cookie = jar.getCookieStringSync('https://shop.example/app')
console.log('sent:', cookie)

console.log('cookie:', parseCookie(cookie).sid)

const hono = new Hono()
hono.get('/', context => context.text(getCookie(context, 'sid')))
console.log('hono:', await (await hono.request('/', { headers: { cookie } })).text())

const fastify = Fastify()
await fastify.register(fastifyCookie)
fastify.get('/', async request => request.cookies.sid)
console.log('fastify:', (await fastify.inject({ url: '/', headers: { cookie } })).body)

const koa = new Koa()
koa.use(context => { context.body = context.cookies.get('sid') })
const server = createServer(koa.callback()).listen(0, () => {
  get({ port: server.address().port, headers: { cookie }, agent: false }, async answer => {
    let body = ''
    for await (const part of answer) body += part
    console.log('koa:', body)
    server.close()
  })
})
JS
cat > run.py <<'PY'
import asyncio, sys
import bottle
from aiohttp.test_utils import make_mocked_request
from django.http.cookie import parse_cookie
from falcon.testing import create_req
from flask import Request as FlaskRequest
from starlette.requests import Request
from tornado.httputil import HTTPServerRequest, HTTPHeaders
from werkzeug.test import EnvironBuilder

line = sys.argv[1]
environ = EnvironBuilder(headers={"Cookie": line}).get_environ()

async def aiohttp():
    return make_mocked_request("GET", "/", headers={"Cookie": line}).cookies["sid"]

print("django:", parse_cookie(line)["sid"])
print("starlette:", Request({"type": "http", "headers": [(b"cookie", line.encode())]}).cookies["sid"])
print("aiohttp:", asyncio.run(aiohttp()))
print("tornado:", HTTPServerRequest("GET", "/", headers=HTTPHeaders({"Cookie": line}), connection=object()).cookies["sid"].value)
print("bottle:", bottle.Request(dict(environ)).get_cookie("sid"))
print("flask:", FlaskRequest(environ).cookies["sid"])
print("falcon:", create_req(headers={"Cookie": line}).cookies["sid"])
PY
seen=$(node run.mjs)
seen+=$'\n'$(venv/bin/python run.py "$(sed -n 's/^sent: //p' <<< "$seen")")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

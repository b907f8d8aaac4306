#!/usr/bin/env bash
# A supertest agent keeps a cookie that the server deleted with Max-Age=0
#
# Versions: supertest 7.3.2 with superagent 10.4.2 and cookiejar 2.1.4 (npm), express 5.3.0 as the server.
# Guess: an agent keeps cookies as a browser does, so `Max-Age=0` deletes one, and Max-Age wins over Expires.
# Seen: the cookie jar knows no Max-Age. After `Set-Cookie: sid=; Max-Age=0` the agent goes on sending `sid=`, with an
#   empty value; a cookie with `Max-Age=1` is still sent after two seconds; `Max-Age=3600` with an Expires in the past is
#   dropped. Only Expires counts.
# Why it matters: it is the usual client for tests of Node session code. Tests of logout and of expiry see a cookie that no
#   browser would send, and tests of a server that sends Max-Age alone cannot see it expire.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund supertest@7.3.2 superagent@10.4.2 cookiejar@2.1.4 express@5.3.0 > npm.log 2>&1 ||
  { cat npm.log >&2; exit 1; }

expected="after login: sid=abc
after Max-Age=0: sid=
after Expires in the past: none
2 s after Max-Age=1: sid=short
after Max-Age=3600 with Expires in the past: none"

cat > run.js <<'JS'
const express = require('express')
const supertest = require('supertest')
const past = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT'
const cookies = {
  login: 'sid=abc; Path=/; Max-Age=3600',
  logout: 'sid=; Path=/; Max-Age=0',
  expired: `sid=; Path=/; ${past}`,
  short: 'sid=short; Path=/; Max-Age=1',
  both: `sid=both; Path=/; Max-Age=3600; ${past}`,
}
const app = express()
app.get('/set/:which', (request, response) => response.set('Set-Cookie', cookies[request.params.which]).end())
app.get('/sent', (request, response) => response.end(request.headers.cookie ?? 'none'))

async function main () {
  const agent = supertest.agent(app)
  const sentAfter = async (which, wait = 0) => {
    await agent.get(`/set/${which}`)
    await new Promise(resolve => setTimeout(resolve, wait))
    return (await agent.get('/sent')).text
  }
  console.log('after login:', await sentAfter('login'))
  console.log('after Max-Age=0:', await sentAfter('logout'))
  console.log('after Expires in the past:', await sentAfter('expired'))
  console.log('2 s after Max-Age=1:', await sentAfter('short', 2000))
  console.log('after Max-Age=3600 with Expires in the past:', await sentAfter('both'))
}
main()
JS
seen=$(node run.js)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

#!/usr/bin/env bash
# express-session never sends a changed cookie lifetime, and a live session keeps the lifetime it began with
#
# Versions: express-session 1.19.0, express 5.3.0 (npm).
# Guess: a handler that only sets `request.session.cookie.maxAge` ("remember me") makes the response carry the cookie with
#   the new lifetime. And when the server restarts with another maxAge, `rolling: true` sends that with the next response.
# Seen: a change of the cookie alone does not count as a change of the session, so no cookie is sent, with resave or without;
#   the store keeps 30 days and the browser keeps a cookie that ends when it closes. And the options are stored in each
#   session: one that is in use goes on with the maxAge of the day it began, for as long as it rolls.
# Why it matters: "remember me" on a page of its own works in the store and fails in the browser. A shorter or longer
#   lifetime reaches only new sessions, however long one waits.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund express-session@1.19.0 express@5.3.0 > npm.log 2>&1 || { cat npm.log >&2; exit 1; }

expected="remember me, resave false: cookie sent no, days in the store 30
remember me, resave true: cookie sent no, days in the store 30
remember me and a change of the data: cookie sent yes, days in the store 30
session of 60 s, server restarted with 3600 s, rolling: sent for 60 s
new session there: sent for 3600 s"

cat > run.js <<'JS'
const express = require('express')
const session = require('express-session')
const store = new session.MemoryStore()

async function call (path, cookie, options) {
  const app = express()
  app.use(session({ secret: 'k', resave: false, saveUninitialized: false, store, ...options }))
  app.get('/login', (request, response) => { request.session.user = 'ann'; response.end() })
  app.get('/remember', (request, response) => { request.session.cookie.maxAge = 30 * 86_400_000; response.end() })
  app.get('/both', (request, response) => {
    request.session.cookie.maxAge = 30 * 86_400_000
    request.session.remembered = true
    response.end()
  })
  app.get('/me', (request, response) => response.end(request.session.user))
  const server = app.listen(0)
  const response = await fetch(`http://localhost:${server.address().port}${path}`, { headers: cookie ? { cookie } : {} })
  await response.text()
  server.close()
  return response.headers.get('set-cookie')
}
const pair = sent => sent.split(';')[0]
const seconds = sent => Math.round((Date.parse(/Expires=([^;]+)/.exec(sent)[1]) - Date.now()) / 60_000) * 60
const days = () => JSON.parse(Object.values(store.sessions).at(-1)).cookie.originalMaxAge / 86_400_000

async function main () {
  for (const [name, path, resave] of [['remember me, resave false', '/remember', false],
    ['remember me, resave true', '/remember', true], ['remember me and a change of the data', '/both', false]]) {
    const cookie = pair(await call('/login', null, {}))
    const sent = await call(path, cookie, { resave })
    console.log(`${name}: cookie sent ${sent ? 'yes' : 'no'}, days in the store ${days()}`)
  }
  const old = pair(await call('/login', null, { rolling: true, cookie: { maxAge: 60_000 } }))
  const restarted = { rolling: true, cookie: { maxAge: 3_600_000 } }
  console.log(`session of 60 s, server restarted with 3600 s, rolling: sent for ${seconds(await call('/me', old, restarted))} s`)
  console.log(`new session there: sent for ${seconds(await call('/login', null, restarted))} s`)
  process.exit()
}
main()
JS
seen=$(node run.js)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

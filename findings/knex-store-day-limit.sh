#!/usr/bin/env bash
# With the knex store an express session without maxAge ends a day after its last write, however much it is used
#
# Versions: connect-session-knex 5.0.0, express-session 1.19.0, express 5.3.0, knex 3.3.0, on PostgreSQL as
#   @electric-sql/pglite 0.5.17 with knex-pglite 0.14.0 (npm).
# Guess: every request calls the store's touch(), so the day that a session has in the table begins again with each one.
# Seen: touch() changes the row only if the cookie has an expiry. With express-session's default, a cookie without maxAge,
#   the row's time stays what the last write made it. A session used every hour is gone after the 24th.
# Why it matters: users who have not been idle for a minute are logged out, a day after the login, in the middle of work.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund connect-session-knex@5.0.0 express-session@1.19.0 express@5.3.0 knex@3.3.0 \
  knex-pglite@0.14.0 @electric-sql/pglite@0.5.17 > npm.log 2>&1 || { cat npm.log >&2; exit 1; }

expected="without maxAge, used every hour: last seen in hour 23
with maxAge of a day, used every hour: last seen in hour 47"

cat > run.js <<'JS'
// A clock that can be moved on, for this process. The store compares times that it takes from here.
const RealDate = Date
let ahead = 0
globalThis.Date = class extends RealDate {
  constructor (...parts) { parts.length ? super(...parts) : super(RealDate.now() + ahead) }
  static now () { return RealDate.now() + ahead }
}
const express = require('express')
const session = require('express-session')
const knex = require('knex')
const { ConnectSessionKnexStore } = require('connect-session-knex')

const hour = 3_600_000

async function lastSeen (cookie, tableName) {
  const store = new ConnectSessionKnexStore({
    knex: knex({ client: require('knex-pglite'), dialect: 'postgres', connection: {} }), cleanupInterval: 0, tableName,
  })
  const app = express()
  app.use(session({ secret: 'k', resave: false, saveUninitialized: false, store, cookie }))
  app.get('/login', (request, response) => { request.session.user = 'ann'; response.end() })
  app.get('/me', (request, response) => response.end(request.session.user ?? 'nobody'))
  const server = app.listen(0)
  const base = `http://localhost:${server.address().port}`
  ahead = 0
  const login = await fetch(`${base}/login`)
  const headers = { cookie: login.headers.get('set-cookie').split(';')[0] }
  let last = 0
  for (let used = 1; used < 48; used++) {
    ahead = used * hour
    if (await (await fetch(`${base}/me`, { headers })).text() === 'ann') last = used
  }
  return last
}

async function main () {
  console.log('without maxAge, used every hour: last seen in hour', await lastSeen({}, 'without'))
  console.log('with maxAge of a day, used every hour: last seen in hour', await lastSeen({ maxAge: 24 * hour }, 'with'))
  process.exit()
}
main().catch(error => { console.error(error); process.exit(1) })
JS
seen=$(node run.js)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

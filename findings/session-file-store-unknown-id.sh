#!/usr/bin/env bash
# session-file-store retries a session that does not exist five times, so each expired cookie waits a quarter of a second
#
# Versions: session-file-store 1.5.0, express-session 1.19.0, express 5.3.0 (npm).
# Guess: "there is no such file" is the answer that a store gives for a session that has ended, and costs one look.
# Seen: ENOENT counts as a failure that a retry may mend, like a file that another process writes at the moment. Each request
#   with the cookie of a session that was ended or swept is looked up six times, with growing pauses, before the handler runs.
#   `retries: 0` turns both kinds of retry off together.
# Why it matters: whoever comes back after a logout elsewhere or an expiry waits each time, and the retries that protect
#   against torn reads cannot be kept without that.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund session-file-store@1.5.0 express-session@1.19.0 express@5.3.0 > npm.log 2>&1 || { cat npm.log >&2; exit 1; }

expected="no cookie: status 200, retries 0
cookie of a live session: status 200, retries 0
cookie of an ended session: status 200, retries 5, at least 200 ms: yes
the same with retries: 0: status 200, retries 0"

cat > run.js <<'JS'
const express = require('express')
const session = require('express-session')
const FileStore = require('session-file-store')(session)

let retries = 0
const logFn = line => { if (String(line).includes('will retry')) retries += 1 }

async function call (path, cookie, options) {
  const app = express()
  const store = new FileStore({ path: './sessions', logFn, reapInterval: -1, ...options })
  app.use(session({ secret: 'k', resave: false, saveUninitialized: false, store }))
  app.get('/login', (request, response) => { request.session.user = 'ann'; response.end() })
  app.get('/logout', (request, response) => request.session.destroy(() => response.end()))
  app.get('/', (request, response) => response.end())
  const server = app.listen(0)
  retries = 0
  const began = Date.now()
  const response = await fetch(`http://localhost:${server.address().port}${path}`, { headers: cookie ? { cookie } : {} })
  await response.text()
  const took = Date.now() - began
  server.close()
  return { cookie: response.headers.get('set-cookie')?.split(';')[0], took, said: `status ${response.status}, retries ${retries}` }
}

async function main () {
  const { cookie } = await call('/login')
  console.log(`no cookie: ${(await call('/')).said}`)
  console.log(`cookie of a live session: ${(await call('/', cookie)).said}`)
  await call('/logout', cookie)
  const ended = await call('/', cookie)
  console.log(`cookie of an ended session: ${ended.said}, at least 200 ms: ${ended.took >= 200 ? 'yes' : 'no'}`)
  console.log(`the same with retries: 0: ${(await call('/', cookie, { retries: 0 })).said}`)
  process.exit()
}
main()
JS
seen=$(node run.js)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

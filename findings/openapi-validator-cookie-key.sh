#!/usr/bin/env bash
# express-openapi-validator answers 401 to every request with an apiKey cookie unless a cookie parser ran before it
#
# Versions: express-openapi-validator 5.6.2, express 5.3.0, cookie-parser 1.4.7 (npm).
# Guess: a security scheme `apiKey` in `cookie` is checked against the request's `Cookie` header, as one in `header` or
#   `query` is checked against what the request says.
# Seen: it reads `request.cookies`, which only cookie-parser makes. Without that the property is undefined, reading it
#   fails, and the failure becomes a 401 whose message is the TypeError's. The cookie was sent and is right, and the
#   application's own security handler, which would have said yes, is never called. `header` and `query` need nothing.
# Why it matters: a description that says truthfully how a session travels locks everybody out, with a status that looks like
#   a missing login.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund express-openapi-validator@5.6.2 express@5.3.0 cookie-parser@1.4.7 > npm.log 2>&1 || { cat npm.log >&2; exit 1; }

expected="header: 200, handler called 1 times
cookie: 401 Cannot read properties of undefined (reading 'sid'), handler called 0 times
cookie, after cookie-parser: 200, handler called 1 times"

cat > run.js <<'JS'
const express = require('express')
const cookieParser = require('cookie-parser')
const validator = require('express-openapi-validator')

async function run (name, place, parser) {
  let called = 0
  const apiSpec = {
    openapi: '3.0.3',
    info: { title: 'A site', version: '1' },
    paths: { '/me': { get: { security: [{ session: [] }], responses: { 200: { description: 'Who this is' } } } } },
    components: { securitySchemes: { session: { type: 'apiKey', in: place, name: 'sid' } } }
  }
  const app = express()
  if (parser) app.use(cookieParser())
  app.use(validator.middleware({ apiSpec, validateSecurity: { handlers: { session: () => { called += 1; return true } } } }))
  app.get('/me', (request, response) => response.end())
  app.use((error, request, response, next) => response.status(error.status ?? 500).end(error.message))
  const server = app.listen(0)
  const headers = place === 'cookie' ? { cookie: 'sid=abc' } : { sid: 'abc' }
  const response = await fetch(`http://localhost:${server.address().port}/me`, { headers })
  console.log(`${name}: ${`${response.status} ${await response.text()}`.trim()}, handler called ${called} times`)
  server.close()
}

async function main () {
  await run('header', 'header', false)
  await run('cookie', 'cookie', false)
  await run('cookie, after cookie-parser', 'cookie', true)
}
main()
JS
seen=$(node run.js)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

#!/usr/bin/env bash
# next-session turns every field named "expires" of the session's data into a Date, even null and numbers
#
# Versions: next-session 4.0.5, supertest 7.3.2 (npm).
# Guess: the session's data comes back as JSON would give it; only the session's own `cookie.expires` is a Date.
# Seen: with the store that it has by default, a field `expires` at any depth is a Date in the next request: the text
#   "2027-01-31" and the number 5 (five milliseconds after 1970) alike, and `null`, for "never", is the year 1970.
# Why it matters: a subscription, an invitation or a coupon in a session has such a field, and "never" becomes "long ago". The
#   request that writes it still sees what it wrote.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes > /dev/null
npm install --silent next-session@4.0.5 supertest@7.3.2 > /dev/null
cat > app.mjs <<'JS'
import http from 'node:http';
import nextSession from 'next-session';
import supertest from 'supertest';

const getSession = (nextSession.default ?? nextSession)();
const server = http.createServer(async (request, response) => {
  const session = await getSession(request, response);
  if (request.url === '/login') {
    session.text = { expires: '2027-01-31' };
    session.number = { expires: 5 };
    session.never = { expires: null };
  }
  const shown = ['text', 'number', 'never'].map((name) => {
    const value = session[name].expires;
    return `${name}: ${value instanceof Date ? `Date ${value.toISOString()}` : JSON.stringify(value)}`;
  });
  response.end(shown.join(', '));
}).listen(0);
const agent = supertest.agent(server);
for (const path of ['/login', '/later']) {
  console.log(`${path} ${(await agent.get(path)).text}`);
}
server.close();
JS
expected='/login text: "2027-01-31", number: 5, never: null
/later text: Date 2027-01-31T00:00:00.000Z, number: Date 1970-01-01T00:00:00.005Z, never: Date 1970-01-01T00:00:00.000Z'
seen=$(node app.mjs)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

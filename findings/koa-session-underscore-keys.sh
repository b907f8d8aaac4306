#!/usr/bin/env bash
# koa-session forgets every value whose name begins with an underscore, though the handler that sets it can read it
#
# Versions: koa 3.3.0, koa-session 7.0.2, supertest 7.3.2 (npm).
# Guess: what a handler puts into `ctx.session` is there in the next request, whatever the name of the field.
# Seen: `ctx.session._id = 42` reads 42 in the same request and is undefined in the next one, with cookies and with an
#   external store alike. A field `_id` inside an object of the session is kept. Nothing is logged.
# Why it matters: `_id` is what a MongoDB document calls its key, and `_csrf` a usual name for a token. A test that sets and
#   reads in one request passes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes > /dev/null
npm install --silent koa@3.3.0 koa-session@7.0.2 supertest@7.3.2 > /dev/null
cat > app.mjs <<'JS'
import Koa from 'koa';
import koaSession from 'koa-session';
import supertest from 'supertest';

const session = koaSession.createSession ?? koaSession.default ?? koaSession;

class Store {
  rows = new Map();
  async get(id) { return this.rows.get(id); }
  async set(id, value) { this.rows.set(id, structuredClone(value)); }
  async destroy(id) { this.rows.delete(id); }
}

for (const [where, store] of [['cookie', undefined], ['store', new Store()]]) {
  const app = new Koa();
  app.keys = ['a key for this test'];
  app.use(session({ store }, app));
  app.use(async (ctx) => {
    if (ctx.path === '/login') {
      Object.assign(ctx.session, { _id: 42, name: 'Ann', profile: { _id: 7 } });
    }
    const { _id, name, profile } = ctx.session;
    ctx.body = `_id=${_id} name=${name} profile._id=${profile._id}`;
  });
  const server = app.listen(0);
  const agent = supertest.agent(server);
  for (const path of ['/login', '/later']) {
    console.log(`${where} ${path}: ${(await agent.get(path)).text}`);
  }
  server.close();
}
JS
expected='cookie /login: _id=42 name=Ann profile._id=7
cookie /later: _id=undefined name=Ann profile._id=7
store /login: _id=42 name=Ann profile._id=7
store /later: _id=undefined name=Ann profile._id=7'
seen=$(node app.mjs)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

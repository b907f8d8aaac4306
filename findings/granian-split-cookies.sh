#!/usr/bin/env bash
# Behind Granian's HTTP/2, Litestar sees only the first of a browser's cookies and Falcon only the last
#
# Versions: granian 2.8.9, Hypercorn 0.18.0, litestar 2.25.0, falcon 4.4.0, starlette 1.10.0, h2 4.4.1 (PyPI).
# Guess: how a browser packs its cookies makes no difference to an application. HTTP/2 lets it send each cookie as a header
#   field of its own, as Chromium and Firefox do, and asks the server to join them before anything that does not speak HTTP/2
#   sees them (RFC 9113, section 8.2.3). ASGI asks for the same.
# Seen: Hypercorn joins them. Granian hands them on one by one. Starlette joins them itself; Litestar takes the first field
#   and Falcon the last. So with two cookies the session is there or not by which was set first.
# Why it matters: logins work until a site has a second cookie, work over HTTP/1.1, and work in a test client that sends one
#   field. Whoever reads cookies on Granian reads all fields.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check granian==2.8.9 Hypercorn==0.18.0 litestar==2.25.0 falcon==4.4.0 \
  starlette==1.10.0 h2==4.4.1

expected="granian litestar: one field a,session; two fields a
granian falcon: one field a,session; two fields session
granian starlette: one field a,session; two fields a,session
hypercorn litestar: one field a,session; two fields a,session
hypercorn falcon: one field a,session; two fields a,session
hypercorn starlette: one field a,session; two fields a,session"

cat > apps.py <<'PY'
import falcon as framework
import falcon.asgi
from litestar import Litestar, MediaType, Request, get
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

def names(cookies):
    return ",".join(sorted(cookies))

@get("/", media_type=MediaType.TEXT)
async def home(request: Request) -> str:
    return names(request.cookies)

class Home:
    async def on_get(self, request, response):
        response.content_type = framework.MEDIA_TEXT
        response.text = names(request.cookies)

async def show(request):
    return PlainTextResponse(names(request.cookies))

litestar = Litestar([home])
falcon = framework.asgi.App()
falcon.add_route("/", Home())
starlette = Starlette(routes=[Route("/", show)])
PY
cat > ask.py <<'PY'
import socket, sys
import h2.connection, h2.events

def ask(port, fields):
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    head = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "site.test")]
    connection.send_headers(1, head + [("cookie", field) for field in fields], end_stream=True)
    body = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
        while True:
            stream.sendall(connection.data_to_send())
            for event in connection.receive_data(stream.recv(65535)):
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                if isinstance(event, h2.events.StreamEnded):
                    return body.decode()

port = int(sys.argv[1])
print(f"one field {ask(port, ['a=1; session=x'])}; two fields {ask(port, ['a=1', 'session=x'])}")
PY
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
seen=""
for server in granian hypercorn; do
  for app in litestar falcon starlette; do
    case $server in
      granian) venv/bin/granian --interface asgi --http 2 --no-ws --port "$port" "apps:$app" > server.log 2>&1 & ;;
      hypercorn) venv/bin/hypercorn --bind "127.0.0.1:$port" "apps:$app" > server.log 2>&1 & ;;
    esac
    pid=$!
    for _ in $(seq 100); do (: > "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.1; done
    seen+="$server $app: $(venv/bin/python ask.py "$port")"$'\n'
    kill "$pid"
    wait "$pid" 2> /dev/null || true
  done
done
seen=${seen%$'\n'}
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }

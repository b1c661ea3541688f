#!/usr/bin/env bash
# A client of Python that was told to repeat no status repeats 503, 429 and 413, but only where they have a `Retry-After`.
#
# Where: urllib3 2.8.0, `retries=2`, no `status_forcelist`
# Guess: without a list of statuses `retries` is about connections: every answer is handed back after one call.
# Seen:  503 alone, one call. The same 503 with `Retry-After: 1`: three calls. So with 429 and with 413, which never gets
#        better; not with 500, and not with POST. A server that begins to send the header is called three times as often.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" --quiet install urllib3==2.8.0 2>&1 | grep -v notice || true
cat > "$folder/ask.py" <<'PY'
import http.server, threading
import urllib3

calls = []

class Target(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        calls.append(self.path)
        _, status, *after = self.path.split("/")
        self.send_response(int(status))
        for seconds in after:
            self.send_header("Retry-After", seconds)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *words):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
threading.Thread(target=server.serve_forever, daemon=True).start()
for method, path in [("GET", "/503"), ("GET", "/503/1"), ("GET", "/429/1"), ("GET", "/413/1"), ("GET", "/500/1"), ("POST", "/503/1")]:
    calls.clear()
    urllib3.PoolManager(retries=2).request(method, f"http://127.0.0.1:{server.server_port}{path}")
    print(method, path, len(calls))
PY
seen=$("$folder/env/bin/python" "$folder/ask.py")
echo "$seen"
[ "$seen" = "GET /503 1
GET /503/1 3
GET /429/1 3
GET /413/1 3
GET /500/1 1
POST /503/1 1" ]

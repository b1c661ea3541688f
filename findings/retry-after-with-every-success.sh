#!/usr/bin/env bash
# Two limiters of Python send `Retry-After` with every answer, the good ones included.
#
# Where: Flask-Limiter 4.1.1 and slowapi 0.1.10, headers enabled, 5 calls a minute
# Guess: `Retry-After` stands on the 429 alone; a 200 with four calls left has none.
# Seen:  `Retry-After: 60` on the first 200, with four calls left, from both. Who obeys it makes one call a minute. And the
#        moment in X-RateLimit-Reset has decimals in slowapi, none in Flask-Limiter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" --quiet install flask-limiter==4.1.1 slowapi==0.1.10 fastapi==0.165.0 httpx==0.28.1 2>&1 |
  grep -v notice || true
cat > "$folder/ask.py" <<'PY'
import re, warnings
warnings.simplefilter("ignore")
import flask, flask_limiter
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from flask_limiter.util import get_remote_address
from slowapi import Limiter

first = flask.Flask("first")
flask_limiter.Limiter(get_remote_address, app=first, default_limits=["5 per minute"], headers_enabled=True)
first.get("/")(lambda: "here")

second = FastAPI()
second.state.limiter = Limiter(key_func=lambda request: "somebody", headers_enabled=True)

@second.get("/")
@second.state.limiter.limit("5/minute")
def here(request: Request, response: Response):
    return {}

for answer in (first.test_client().get("/"), TestClient(second).get("/")):
    reset = answer.headers["x-ratelimit-reset"]
    print(answer.status_code, answer.headers["x-ratelimit-remaining"], answer.headers["retry-after"],
          "decimals" if re.fullmatch(r"\d+\.\d+", reset) else "whole")
PY
seen=$("$folder/env/bin/python" "$folder/ask.py")
echo "$seen"
[ "$seen" = "200 4 60 whole
200 4 60 decimals" ]

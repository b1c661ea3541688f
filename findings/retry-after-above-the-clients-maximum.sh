#!/usr/bin/env bash
# Asked to come back later than its own maximum allows, one client never comes, one comes too early, one forgets the maximum.
#
# Where: got 14.6.6, ky 2.1.0 (`maxRetryAfter` of a second, one retry), hashicorp/go-retryablehttp 0.7.8 (`RetryWaitMax` of a second);
#        503 with `Retry-After: 3`
# Guess: the option means the same in got and ky, whose author is one: a longer wait is cut to it. `RetryWaitMax` bounds every wait.
# Seen:  got makes one call and hands the 503 back; ky asks again after a second, two before it may; Go waits the whole three,
#        and so it would a day.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund got@14.6.6 ky@2.1.0
cat > ask.js <<'JS'
import { createServer } from "node:http"
import got from "got"
import ky from "ky"

const calls = []
const server = createServer((request, response) => {
  calls.push(Math.round(performance.now() / 1000))
  request.resume()
  response.writeHead(503, { "retry-after": "3" }).end()
})
await new Promise((listening) => server.listen(0, "127.0.0.1", listening))
const url = `http://127.0.0.1:${server.address().port}/`
const ask = async (name, call) => {
  calls.length = 0
  await call().catch(() => {})
  console.log(name, ...calls.map((at) => at - calls[0]))
}
const retry = { limit: 1, maxRetryAfter: 1000 }
await ask("got", () => got(url, { retry }))
await ask("ky", () => ky(url, { retry }))
server.closeAllConnections()
server.close()
JS
cat > main.go <<'GO'
package main

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

func main() {
	var calls []time.Time
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		calls = append(calls, time.Now())
		answer.Header().Set("Retry-After", "3")
		answer.WriteHeader(503)
	}))
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryMax = 1
	client.RetryWaitMax = time.Second
	client.Get(server.URL)
	fmt.Print("retryablehttp")
	for _, call := range calls {
		fmt.Print(" ", math.Round(call.Sub(calls[0]).Seconds()))
	}
	fmt.Println()
}
GO
printf 'module example.com/ask\n\ngo 1.24\n' > go.mod
go get github.com/hashicorp/go-retryablehttp@v0.7.8 2>/dev/null
seen=$(node ask.js; go run .)
echo "$seen"
[ "$seen" = "got 0
ky 0 1
retryablehttp 0 3" ]

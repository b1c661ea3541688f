#!/usr/bin/env bash
# Four HTTP clients with retries of their own call again before the time that a `Retry-After` names.
#
# Where: gaxios 7.3.1, stripe 23.1.0, @octokit/plugin-retry 8.1.1 on @octokit/core 7.0.8, undici 7.30.2 (RetryAgent)
# Guess: whoever retries by itself keeps to `Retry-After: 3`.
# Seen:  gaxios asks again after 0.1 s, stripe (503) after 0.5 s, octokit after 1 s, always; undici when `maxTimeout` is
#        over, which caps what the server said as well as its own back-off.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund gaxios@7.3.1 stripe@23.1.0 @octokit/core@7.0.8 @octokit/plugin-retry@8.1.1 \
  undici@7.30.2
cat > ask.mjs <<'JS'
import { Octokit } from "@octokit/core"
import { retry } from "@octokit/plugin-retry"
import { Gaxios } from "gaxios"
import { createServer } from "node:http"
import Stripe from "stripe"
import { Agent, request, RetryAgent } from "undici"

let arrivals = []
let status = 429
const server = createServer((_, response) => {
  arrivals.push(performance.now())
  if (arrivals.length > 1) return response.writeHead(200, { "content-type": "application/json" }).end('{"data":[]}')
  response.writeHead(status, { "retry-after": "3" }).end("{}")
})
await new Promise((done) => server.listen(0, "127.0.0.1", done))
const { port } = server.address()
const url = `http://127.0.0.1:${port}/`

const pause = async (name, first, call) => {
  arrivals = []
  status = first
  await call()
  const [one, two] = arrivals
  console.log(name, two - one < 2500 ? "early" : "in time")
}
await pause("gaxios", 429, () => new Gaxios().request({ url, retry: true, retryConfig: { retry: 1 } }))
await pause("stripe", 503, () =>
  new Stripe("sk_test_example", { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 1 }).customers.list())
const octokit = new (Octokit.plugin(retry))({ baseUrl: url.slice(0, -1) })
await pause("octokit", 429, () => octokit.request("GET /x", { request: { retries: 1 } }))
const agent = new RetryAgent(new Agent(), { maxRetries: 1, maxTimeout: 1000 })
await pause("undici", 429, () => request(url, { dispatcher: agent }))
process.exit()
JS
seen=$(node ask.mjs)
echo "$seen"
[ "$seen" = "gaxios early
stripe early
octokit early
undici early" ]

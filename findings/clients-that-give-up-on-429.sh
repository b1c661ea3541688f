#!/usr/bin/env bash
# Three clients that retry server errors by themselves do not retry a plain 429, which is the one status that asks for it.
#
# Where: stripe 23.1.0, @azure/core-rest-pipeline 1.24.0, @slack/web-api 8.2.0
# Guess: a client that repeats a 503 repeats a 429, with back-off where no `Retry-After` came.
# Seen:  stripe calls once, even with `Retry-After: 1`; Azure's pipeline and Slack's client call once where the 429 has no
#        `Retry-After` (Slack's fails with a complaint about the missing header). All three repeat the 503.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund stripe@23.1.0 @azure/core-rest-pipeline@1.24.0 @slack/web-api@8.2.0
cat > ask.mjs <<'JS'
import * as azure from "@azure/core-rest-pipeline"
import { LogLevel, WebClient } from "@slack/web-api"
import { createServer } from "node:http"
import Stripe from "stripe"

let calls = 0
let first = {}
const server = createServer((_, response) => {
  calls++
  if (calls > 1) return response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true,"data":[]}')
  response.writeHead(first.status, first.headers).end("{}")
})
await new Promise((done) => server.listen(0, "127.0.0.1", done))
const { port } = server.address()
const url = `http://127.0.0.1:${port}/`

const counted = async (call, status, headers = {}) => {
  calls = 0
  first = { status, headers }
  await call().catch(() => undefined)
  return calls
}
const stripe = () =>
  new Stripe("sk_test_example", { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 1 }).customers.list()
const pipeline = () => {
  const made = azure.createEmptyPipeline()
  made.addPolicy(azure.defaultRetryPolicy({ maxRetries: 1 }))
  const request = azure.createPipelineRequest({ url, allowInsecureConnection: true })
  return made.sendRequest(azure.createDefaultHttpClient(), request)
}
const slack = () =>
  new WebClient("example", { slackApiUrl: url, retryConfig: { retries: 1 }, logLevel: LogLevel.ERROR }).api.test()
console.log("stripe", await counted(stripe, 503), await counted(stripe, 429, { "retry-after": "1" }))
console.log("azure", await counted(pipeline, 503), await counted(pipeline, 429))
console.log("slack", await counted(slack, 503), await counted(slack, 429))
process.exit()
JS
seen=$(node ask.mjs 2>/dev/null)
echo "$seen"
[ "$seen" = "stripe 2 1
azure 2 1
slack 2 1" ]

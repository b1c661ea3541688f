#!/usr/bin/env bash
# `X-RateLimit-Reset` of three limiters for Node means three different things.
#
# Where: express-rate-limit 8.7.5 (legacy headers), koa-ratelimit 6.0.0, @fastify/rate-limit 11.2.0; a window of 60 s
# Guess: all count in the same way, since the names and the other values are the same.
# Seen:  Express: epoch seconds. Koa: epoch seconds with up to six decimals. Fastify: seconds that are left.
#        Nothing in the answer says which; only the size of the number tells.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund express@5.3.0 express-rate-limit@8.7.5 koa@3.3.0 koa-ratelimit@6.0.0 \
  fastify@5.12.8 @fastify/rate-limit@11.2.0
cat > ask.mjs <<'JS'
import fastifyLimit from "@fastify/rate-limit"
import express from "express"
import { rateLimit } from "express-rate-limit"
import Fastify from "fastify"
import Koa from "koa"
import koaLimit from "koa-ratelimit"

const meaning = async (name, url) => {
  const reset = (await fetch(url)).headers.get("x-ratelimit-reset")
  const kind = Number(reset) <= 60 ? "seconds left" : "epoch seconds"
  console.log(`${name}: ${kind}${/\./.test(reset) ? " with decimals" : ""}`)
}
const listen = (app) =>
  new Promise((done) => {
    const server = app.listen(0, "127.0.0.1", () => done(`http://127.0.0.1:${server.address().port}/`))
  })

const one = express()
one.use(rateLimit({ windowMs: 60_000, limit: 3, legacyHeaders: true, standardHeaders: false }))
one.get("/", (_, response) => response.send("here"))
await meaning("express", await listen(one))

const two = new Koa()
two.use(koaLimit({ driver: "memory", db: new Map(), duration: 60_000, max: 3, id: () => "somebody" }))
two.use((context) => void (context.body = "here"))
await meaning("koa", await listen(two))

const three = Fastify()
await three.register(fastifyLimit, { max: 3, timeWindow: 60_000 })
three.get("/", () => "here")
await meaning("fastify", await three.listen({ port: 0, host: "127.0.0.1" }))
process.exit()
JS
seen=$(node ask.mjs)
echo "$seen"
[ "$seen" = "express: epoch seconds
koa: epoch seconds with decimals
fastify: seconds left" ]

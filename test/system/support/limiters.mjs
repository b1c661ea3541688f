// Servers behind limiters as they are published: three calls in two seconds, each on a port of its own. Runs in a folder
// where they are installed, prints the ports, and then the calls it sees: `name status millisecond`.
import { createServer } from "node:http"
import { getRequestListener } from "@hono/node-server"
import fastifyRateLimit from "@fastify/rate-limit"
import { Module, Controller, Get } from "@nestjs/common"
import { APP_GUARD, NestFactory } from "@nestjs/core"
import { ThrottlerGuard, ThrottlerModule } from "@nestjs/throttler"
import express from "express"
import { rateLimit } from "express-rate-limit"
import fastify from "fastify"
import { Hono } from "hono"
import { rateLimiter } from "hono-rate-limiter"
import Koa from "koa"
import koaRatelimit from "koa-ratelimit"
import { RateLimiterMemory } from "rate-limiter-flexible"
import "reflect-metadata"

const windowMs = 2000
const limit = 3

const withExpress = (more) => {
  const app = express()
  app.use(rateLimit({ windowMs, limit, ...more }))
  app.get("/{*path}", (_, response) => response.send("ok"))
  return app
}

const withFastify = async (more) => {
  const app = fastify()
  await app.register(fastifyRateLimit, { max: limit, timeWindow: windowMs, ...more })
  app.get("/*", async () => "ok")
  await app.ready()
  return app.routing
}

const withKoa = () => {
  const app = new Koa()
  app.use(koaRatelimit({ driver: "memory", db: new Map(), duration: windowMs, max: limit }))
  app.use((context) => void (context.body = "ok"))
  return app.callback()
}

const withHono = (standardHeaders) => {
  const app = new Hono()
  app.use(rateLimiter({ windowMs, limit, standardHeaders, keyGenerator: () => "all" }))
  app.get("/*", (context) => context.text("ok"))
  return getRequestListener(app.fetch)
}

const withFlexible = () => {
  const limiter = new RateLimiterMemory({ points: limit, duration: windowMs / 1000 })
  return (_, response) =>
    limiter.consume("all").then(
      () => response.end("ok"),
      ({ msBeforeNext }) => response.writeHead(429, { "Retry-After": String(msBeforeNext / 1000) }).end()
    )
}

const withNest = async () => {
  class Calls {
    call() {
      return "ok"
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Calls.prototype, "call")
  Reflect.decorate([Get("{*path}")], Calls.prototype, "call", descriptor)
  Controller()(Calls)
  class App {}
  const names = [
    { name: "short", ttl: windowMs, limit },
    { name: "long", ttl: 600_000, limit: 100 }
  ]
  Module({
    imports: [ThrottlerModule.forRoot(names)],
    controllers: [Calls],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }]
  })(App)
  const app = await NestFactory.create(App, { logger: false })
  await app.init()
  return app.getHttpAdapter().getInstance()
}

// as governor counts: a call's worth flows back every so often, and what is left of a second is told as none
const withGovernor = () => {
  const every = windowMs / limit
  let due = 0
  return (_, response) => {
    const now = performance.now()
    if (due - now > windowMs - every) {
      return response.writeHead(429, { "Retry-After": "0", "X-RateLimit-After": "0" }).end()
    }
    due = Math.max(due, now) + every
    response.end("ok")
  }
}

const servers = {
  "express-rate-limit, legacy": withExpress({ legacyHeaders: true, standardHeaders: false }),
  "express-rate-limit, draft-6": withExpress({ legacyHeaders: false, standardHeaders: "draft-6" }),
  "express-rate-limit, draft-8": withExpress({ legacyHeaders: false, standardHeaders: "draft-8" }),
  "@fastify/rate-limit": await withFastify({}),
  "@fastify/rate-limit, draft": await withFastify({ enableDraftSpec: true }),
  "koa-ratelimit": withKoa(),
  "hono-rate-limiter, draft-6": withHono("draft-6"),
  "hono-rate-limiter, draft-7": withHono("draft-7"),
  "rate-limiter-flexible": withFlexible(),
  "@nestjs/throttler, two names": await withNest(),
  governor: withGovernor()
}

const ports = {}
for (const [name, serve] of Object.entries(servers)) {
  const server = createServer((request, response) => {
    const at = Math.round(performance.now())
    response.on("finish", () => console.log(JSON.stringify({ name, status: response.statusCode, at })))
    serve(request, response)
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  ports[name] = server.address().port
}
console.log(JSON.stringify({ ports }))

#!/usr/bin/env bash
# A NestJS application with two named throttlers refuses without a `Retry-After`.
#
# Where: @nestjs/throttler 6.7.1 on @nestjs/core 12.5.1
# Guess: a refusal by either throttler is a 429 with `Retry-After`, whatever the throttlers are called.
# Seen:  with one unnamed throttler the 429 has `retry-after: 60` and loses its x-ratelimit headers; with throttlers named
#        short and long the same 429 has `retry-after-short: 60` and nothing else. A client that reads `Retry-After` only
#        believes that it was told nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @nestjs/throttler@6.7.1 @nestjs/core@12.5.1 @nestjs/common@12.5.1 \
  @nestjs/platform-express@12.5.1 reflect-metadata@0.2.2 rxjs@7.8.2
cat > ask.mjs <<'JS'
import "reflect-metadata"
import { Controller, Get, Module } from "@nestjs/common"
import { APP_GUARD, NestFactory } from "@nestjs/core"
import { ThrottlerGuard, ThrottlerModule } from "@nestjs/throttler"

class Home {
  index() {
    return "here"
  }
}
Reflect.decorate([Get()], Home.prototype, "index", Object.getOwnPropertyDescriptor(Home.prototype, "index"))
Controller()(Home)

const refusal = async (throttlers) => {
  class App {}
  const guard = { provide: APP_GUARD, useClass: ThrottlerGuard }
  Module({ imports: [ThrottlerModule.forRoot(throttlers)], controllers: [Home], providers: [guard] })(App)
  const app = await NestFactory.create(App, { logger: false })
  await app.listen(0, "127.0.0.1")
  const url = await app.getUrl()
  await fetch(url)
  const { headers, status } = await fetch(url)
  await app.close()
  const told = [...headers].filter(([name]) => /retry|rate/.test(name)).map(([name, value]) => `${name}=${value}`)
  return [status, ...told].join(" ")
}

console.log(await refusal([{ ttl: 60_000, limit: 1 }]))
console.log(await refusal([{ name: "short", ttl: 60_000, limit: 1 }, { name: "long", ttl: 600_000, limit: 9 }]))
JS
seen=$(node ask.mjs)
echo "$seen"
[ "$seen" = "429 retry-after=60
429 retry-after-short=60" ]

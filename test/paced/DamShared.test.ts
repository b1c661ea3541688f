import { assert, describe, it } from "@effect/vitest"
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Dam from "../../src/dam/Dam.ts"
import * as HttpServer from "../../src/dam/http/HttpServer.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import { Engine } from "../../src/dam/work/Engine.ts"
import * as DamPermits from "../../src/paced/DamPermits.ts"
import * as Paced from "../../src/paced/Paced.ts"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import { response, type Response } from "../../src/step/ReplyModel.ts"
import * as Step from "../../src/step/Step.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"

const listening = Effect.fnUntraced(function* (rps: number, port = 0) {
  const dam = yield* Dam.make({
    path: ":memory:",
    pacing: { pace: { rps, maxConcurrent: 50 } },
    drain: Duration.seconds(1)
  })
  const { port: bound, url } = yield* HttpServer.make({ port }).pipe(
    Effect.provideContext(Context.make(Engine, dam.engine).pipe(Context.add(JobStore, dam.store))),
    Effect.provide(NodeDns.layer)
  )
  return { ...dam, url, port: bound }
})

/** A program that shares the pace of a dam, and the moments in which it called. */
const program = Effect.fnUntraced(function* (dam: string, answer: () => Response, pace = {}) {
  const at: Array<number> = []
  const transport: Exchanging = {
    kind: "exchanging",
    regions: Effect.succeed([]),
    send: () =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        at.push(now)
        return answer()
      })
  }
  const permits = yield* DamPermits.make({ dam, pace })
  const service = yield* FakeService.make()
  const client = EZThrottle.make(Strategies.client(Paced.over(transport, permits), service.transport), service)
  return { at, client }
})

const get = Step.get("https://api.example.com/things").pipe(Step.frugal(), Step.retryPolicy({ maxRetries: 0 }))

describe("programs that share the pace of a dam", () => {
  it.live("call no faster together than one would", () =>
    Effect.gen(function* () {
      const { engine, url } = yield* listening(20)
      const a = yield* program(url, () => response(200))
      const b = yield* program(url, () => response(200))
      const calls = [a, b].flatMap(({ client }) => Array.from({ length: 20 }, () => client.execute(get)))
      yield* Effect.all(calls, { concurrency: "unbounded" })
      const all = [...a.at, ...b.at].toSorted((one, other) => one - other)
      assert.lengthOf(all, 40)
      // forty at twenty a second: one credit of a gate at rest, and the last interval is over before they are all there
      assert.isAtLeast((all.at(-1) ?? 0) - (all[0] ?? 0), 1700)
      for (const from of all) assert.isAtMost(all.filter((one) => one >= from && one < from + 900).length, 25)
      assert.strictEqual((yield* engine.lanes)[0]?.calls, 40)
    })
  )

  it.live("stop all when one is refused", () =>
    Effect.gen(function* () {
      const { engine, url } = yield* listening(1000)
      const a = yield* program(url, () => response(429, { "retry-after": "120" }))
      const b = yield* program(url, () => response(200))
      yield* b.client.execute(get)
      yield* Effect.exit(a.client.execute(get))
      yield* Effect.exit(b.client.execute(get))
      assert.lengthOf(b.at, 1)
      assert.isAbove((yield* engine.lanes)[0]?.heldFor ?? 0, 100_000)
    })
  )

  it.live("go on without the dam, and with the one that follows", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(listening(1000), scope)
      const a = yield* program(first.url, () => response(200), { rps: 1000, maxConcurrent: 5 })
      yield* a.client.execute(get)
      yield* Scope.close(scope, Exit.void)
      yield* a.client.execute(get)
      const next = yield* listening(1000, first.port)
      while ((yield* next.engine.lanes)[0]?.calls === undefined) yield* a.client.execute(get)
      assert.isAbove(a.at.length, 2)
    })
  )
})

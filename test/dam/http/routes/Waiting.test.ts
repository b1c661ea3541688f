import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as EgressDoor from "../../../../src/dam/egress/Door.ts"
import * as JobRoutes from "../../../../src/dam/http/routes/JobRoutes.ts"
import * as Intake from "../../../../src/dam/intake/Intake.ts"
import * as Limits from "../../../../src/dam/intake/Limits.ts"
import * as Events from "../../../../src/dam/observe/Events.ts"
import * as SqliteJobStore from "../../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Dns from "effect/net/Dns"
import * as Double from "../HttpDouble.ts"

const setUp = Effect.gen(function* () {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const engine = Double.engine(store, Events.make())
  const limits = Limits.make()
  const door = yield* Effect.provideService(EgressDoor.make(Double.trusting), Dns.Dns, Double.dns)
  const leaving = yield* Deferred.make<void>()
  const jobs = JobRoutes.make({ engine, store, limits, leaving, intake: Intake.make({ limits, door }) })
  const body = new TextEncoder().encode('{"url":"https://api.example.com/"}')
  const { job_id: id } = JSON.parse((yield* jobs.submit({ customer: "local", body, headers: {} })).body)
  return { jobs, id: String(id) }
})

describe("a wait of an hour", () => {
  it.effect("is answered after 45 seconds with the job as it is", () =>
    Effect.gen(function* () {
      const { id, jobs } = yield* setUp
      const waiting = yield* Effect.forkChild(jobs.wait("local", id, 3_600_000))
      yield* TestClock.adjust(44_999)
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust(1)
      const { body, status } = yield* Fiber.join(waiting)
      assert.deepStrictEqual([status, JSON.parse(body).status], [200, "queued"])
    })
  )
})

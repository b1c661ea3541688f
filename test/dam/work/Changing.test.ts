import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { StoredJob } from "../../../src/dam/job/Job.ts"
import { changed } from "../../../src/step/StepValue.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { ok, setUp, url } from "../support.ts"

type Dam = Effect.Success<ReturnType<typeof setUp>>

/** Gives a job another time. */
const retime = (dam: Dam, id: string, retryAt: number | undefined) =>
  Effect.flatMap(dam.get(id), (job: StoredJob) =>
    dam.engine.change(
      { ...job, step: changed(job.step, { retryAt }), notBefore: retryAt },
      { isRetimed: true, revision: undefined }
    )
  )

const reprioritised = (dam: Dam, id: string, priority: "high" | "low") =>
  Effect.flatMap(dam.get(id), (job) =>
    dam.engine.change({ ...job, step: Step.priority(job.step, priority) }, { isRetimed: false, revision: undefined })
  )

describe("a job that waits", () => {
  it.effect("goes at its new time, earlier or later, also one that was queued", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 0.1, maxConcurrent: 1 } } })
      const [first, queued] = [yield* dam.submit(Step.get(`${url}1`)), yield* dam.submit(Step.get(`${url}2`))]
      yield* TestClock.adjust("1 second")
      const [third, late] = [
        yield* dam.submit(Step.get("https://two.example/")),
        yield* dam.submit(Step.get("https://three.example/").pipe(Step.retryAt(3_600_000)))
      ]
      void third
      assert.strictEqual((yield* dam.get(first)).state, "succeeded")
      const waiting = yield* dam.submit(Step.get(`${url}3`))
      assert.deepInclude(yield* retime(dam, waiting, 200_000), { state: "scheduled", dueAt: 200_000, revision: 1 })
      assert.deepInclude(yield* retime(dam, late, 60_000), { state: "scheduled", dueAt: 60_000 })
      yield* TestClock.adjust("100 seconds")
      assert.strictEqual((yield* dam.get(queued)).state, "succeeded")
      assert.strictEqual((yield* dam.get(late)).history[0]?.at, 60_000)
      yield* TestClock.adjust("101 seconds")
      assert.strictEqual((yield* dam.get(waiting)).history[0]?.at, 200_000)
    })
  )

  it.effect("keeps its deadlines as they are after a change, and takes another moment to start before", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const submitted = (more: (self: Step.Step) => Step.Step) =>
        dam.submit(Step.get(url).pipe(Step.retryAt(3_600_000), more))
      const total = yield* submitted(Step.totalTimeout("1 minute"))
      const starts = yield* submitted((self) => self.pipe(Step.startBefore(3_700_000), Step.idempotentKey("2")))
      yield* retime(dam, total, 7_200_000)
      yield* Effect.flatMap(dam.get(starts), (job) =>
        dam.engine.change(
          { ...job, step: Step.startBefore(job.step, 30_000) },
          { isRetimed: false, revision: undefined }
        )
      )
      yield* TestClock.adjust("31 seconds")
      assert.deepInclude((yield* dam.get(starts)).result?.error, { tag: "Expired" })
      yield* TestClock.adjust("30 seconds")
      assert.deepInclude((yield* dam.get(total)).result?.error, { tag: "DeadlineExceeded" })
    })
  )

  it.effect("goes at once where its time is taken away, and keeps its place in its order", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const late = yield* dam.submit(Step.get(url).pipe(Step.retryAt(3_600_000), Step.inOrder("k")))
      const behind = yield* dam.submit(Step.get(url).pipe(Step.inOrder("k"), Step.idempotentKey("2")))
      yield* retime(dam, behind, undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(behind)).state, "scheduled")
      yield* retime(dam, late, undefined)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* dam.get(late)).state, "succeeded")
      assert.strictEqual((yield* dam.get(behind)).state, "succeeded")
    })
  )

  it.effect("has its turn by its new priority", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 1, maxConcurrent: 10 } } })
      const ids: Array<string> = []
      for (let n = 0; n < 6; n++) ids.push(yield* dam.submit(Step.get(`https://api.example/${n}`)))
      yield* TestClock.adjust("1 millis")
      yield* reprioritised(dam, ids[5]!, "high")
      yield* reprioritised(dam, ids[3]!, "low")
      yield* TestClock.adjust("10 seconds")
      const order = (yield* dam.exchanges).map(({ asked }) => asked.request.url.at(-1))
      assert.strictEqual(order.at(-1), "3")
      assert.isBelow(order.indexOf("5"), order.indexOf("4"))
    })
  )

  it.effect("is changed neither while it runs, nor once it has ended, nor over a change that was not seen", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.later("10 seconds", ok)) })
      const id = yield* dam.submit(Step.get(url).pipe(Step.retryAt(5000)))
      const seen = yield* dam.get(id)
      yield* reprioritised(dam, id, "low")
      const outdated = yield* Effect.flip(dam.engine.change(seen, { isRetimed: false, revision: 0 }))
      assert.strictEqual(outdated._tag, "Outdated")
      assert.deepInclude(yield* dam.engine.change(seen, { isRetimed: false, revision: 1 }), { revision: 2 })
      yield* TestClock.adjust("6 seconds")
      assert.deepInclude(yield* Effect.flip(reprioritised(dam, id, "high")), { _tag: "WrongState", state: "running" })
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* Effect.flip(reprioritised(dam, id, "high")), { _tag: "WrongState", state: "succeeded" })
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { ServerResponse } from "node:http"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as Keys from "../../../src/dam/http/door/Keys.ts"
import * as RegionDam from "../../../src/dam/egress/OtherDam.ts"
import * as Step from "../../../src/step/Step.ts"
import * as OtherDam from "./AnotherDam.ts"
import { jobOf, lines, setUp } from "../support.ts"

const key = Redacted.make("any-key")

/** Two dams and a target; the first one's region `ord` is the second. */
const world = Effect.fnUntraced(function* (answer: (call: OtherDam.Call, response: ServerResponse) => void) {
  const target = yield* OtherDam.target(answer)
  const there = yield* OtherDam.listening()
  const here = yield* OtherDam.running({ regions: { ord: { dam: there.url, apiKey: key }, home: "direct" } })
  const submit = Effect.fnUntraced(function* (step: Step.Step) {
    const job = yield* jobOf(step)
    yield* here.engine.submit(job)
    return job.id
  })
  return { target, there, here, submit, run: (step: Step.Step) => Effect.flatMap(submit(step), here.ended) }
})

const inOrd = Step.regions(["ord"])
const strictly = Step.regionPolicy("strict")

describe("another dam as a region", () => {
  it.live("makes the call as a job of its own, bytes and key unchanged, and answers its result", () =>
    Effect.gen(function* () {
      const bytes = Uint8Array.of(0, 255, 128, 10)
      const { run, target, there } = yield* world((_, response) => {
        response.writeHead(201, { "X-From": "target" }).end(Buffer.from(bytes))
      })
      const job = yield* run(Step.post(`${target.url}/orders`, { body: bytes }).pipe(inOrd, Step.idempotentKey("k-1")))
      assert.deepInclude(job, { state: "succeeded" })
      assert.strictEqual(job.result?.region, "ord")
      assert.strictEqual(job.result?.response?.status, 201)
      assert.strictEqual(job.result?.response?.headers["x-from"], "target")
      assert.deepStrictEqual([...(job.result?.response?.body ?? [])], [...bytes])
      assert.deepStrictEqual(lines(job), ["0 start@ord 201"])
      const [call, ...others] = target.calls
      assert.isEmpty(others)
      assert.deepStrictEqual([...(call?.body ?? [])], [...bytes])
      assert.strictEqual(call?.headers["idempotency-key"], "k-1")
      const [made, ...more] = yield* there.jobs
      assert.isEmpty(more)
      assert.deepInclude(made, { state: "succeeded", key: `${job.id}/0.0.0` })
    })
  )

  it.live("never repeats by itself: each attempt is one job there, and the policy here decides", () =>
    Effect.gen(function* () {
      const { run, target, there } = yield* world((_, response) => void response.writeHead(503).end("no"))
      const policy = Step.retryPolicy({ maxRetries: 2, base: "1 millis" })
      const job = yield* run(Step.get(target.url).pipe(inOrd, strictly, policy))
      assert.deepInclude(job, { state: "failed" })
      assert.deepStrictEqual(lines(job), ["0 start@ord 503", "0 retry@ord 503", "0 retry@ord 503"])
      assert.lengthOf(target.calls, 3)
      const made = yield* there.jobs
      assert.deepStrictEqual(
        made.map((one) => [one.key, one.history.length]),
        [0, 1, 2].map((nth) => [`${job.id}/0.0.${nth}`, 1])
      )
    })
  )

  it.live("answers a 429 at once, so that it is the lane here that waits", () =>
    Effect.gen(function* () {
      const { run, target, there } = yield* world((_, response) => {
        response.writeHead(429, { "Retry-After": "3600" }).end()
      })
      const policy = Step.retryPolicy({ maxRetries: 0, maxReroutes: 0, retryCodes: [429] })
      const job = yield* run(Step.get(target.url).pipe(inOrd, strictly, policy))
      assert.deepStrictEqual(lines(job), ["0 start@ord 429"])
      assert.deepStrictEqual(
        (yield* there.jobs).map(({ state }) => state),
        ["failed"]
      )
    })
  )

  it.live("tells why there was no answer as if it had happened here", () =>
    Effect.gen(function* () {
      const { run } = yield* world(() => {})
      const nowhere = yield* Effect.scoped(OtherDam.target(() => {}))
      const policy = Step.retryPolicy({ maxRetries: 0 })
      const job = yield* run(Step.get(nowhere.url).pipe(inOrd, strictly, policy))
      const [attempt] = job.history
      const failure = attempt?.ending._tag === "Failed" ? attempt.ending.failure : undefined
      assert.deepInclude(failure, { _tag: "ConnectionFailed", kind: "refused" })
      assert.include(failure?.message, "from there: nothing accepts connections there")
    })
  )

  it.live("is left for another region when it cannot be reached", () =>
    Effect.gen(function* () {
      const target = yield* OtherDam.target((_, response) => void response.end("fine"))
      const gone = yield* Effect.scoped(OtherDam.target(() => {}))
      const here = yield* OtherDam.running({ regions: { ord: { dam: gone.url, apiKey: key }, iad: "direct" } })
      const job = yield* jobOf(Step.get(target.url).pipe(inOrd))
      yield* here.engine.submit(job)
      const ended = yield* here.ended(job.id)
      assert.deepStrictEqual(lines(ended), ["0 start@ord ConnectionFailed", "0 reroute@iad 200"])
      const [first] = ended.history
      const message = first?.ending._tag === "Failed" ? first.ending.failure.message : ""
      assert.strictEqual(message, "no connection (unreachable): the dam of this region cannot be reached")
    })
  )

  const refusals: ReadonlyArray<readonly [string, Parameters<typeof OtherDam.listening>[0], string]> = [
    [
      "its key is refused",
      { keys: Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("another-key") }])) },
      "the dam of this region refuses the API key that it is given"
    ],
    ["its policy forbids the target", { egress: EgressPolicy.publicOnly }, "the dam of this region refuses the call"]
  ]
  for (const [what, options, problem] of refusals) {
    it.live(`is no way to the target when ${what}`, () =>
      Effect.gen(function* () {
        const target = yield* OtherDam.target((_, response) => void response.end())
        const there = yield* OtherDam.listening(options)
        const transport = yield* RegionDam.make({ _tag: "Dam", url: there.url, apiKey: key }, 1000)
        const error = yield* Effect.flip(transport.send(exchange(target.url, "a")))
        assert.deepInclude(error.reason, { _tag: "ConnectionFailed", kind: "unreachable" })
        assert.include(error.message, problem)
        assert.notInclude(error.message, Redacted.value(key))
        assert.isEmpty(target.calls)
      })
    )
  }

  it.live("is told when a job is called off here, and calls it off there", () =>
    Effect.gen(function* () {
      const { here, submit, target, there } = yield* world(() => {})
      const id = yield* submit(Step.get(target.url).pipe(inOrd))
      yield* target.called()
      yield* here.engine.cancel((yield* here.store.get(id)) ?? (yield* Effect.die(new Error("no job"))))
      yield* target.abandoned
      const [made] = yield* there.jobs
      assert.deepInclude(yield* there.ended(made?.id ?? ""), { state: "cancelled" })
    })
  )

  it.live("is told when it has lost a race", () =>
    Effect.gen(function* () {
      const responses: Array<ServerResponse> = []
      const { run, target, there } = yield* world((_, response) => {
        responses.push(response)
        // both have come; one of them is answered
        if (responses.length === 2) responses[0]?.end("first")
      })
      const job = yield* run(Step.get(target.url).pipe(Step.regions(["home", "ord"])))
      assert.strictEqual(job.state, "succeeded")
      yield* target.abandoned
      const [made] = yield* there.jobs
      assert.include(["cancelled", "succeeded"], (yield* there.ended(made?.id ?? "")).state)
      assert.sameMembers(
        job.history.map(({ ending }) => ending._tag),
        ["Answered", "Interrupted"]
      )
    })
  )

  it.live("finds the call of an attempt that a crash cut off, and does not make it again", () =>
    Effect.gen(function* () {
      let answer = (): void => {}
      const target = yield* OtherDam.target((_, response) => {
        answer = () => void response.end("once")
      })
      const there = yield* OtherDam.listening()
      const transport = yield* RegionDam.make({ _tag: "Dam", url: there.url, apiKey: key }, 1000)
      const dam = yield* setUp({ transport: { ...transport, egress: () => "there" } })
      const id = yield* dam.submit(Step.post(`${target.url}/orders`).pipe(inOrd))
      yield* target.called()
      // nobody tells the first engine; to the store it is gone, and the job is started again
      const again = yield* dam.begin()
      while (((yield* dam.get(id)).epoch ?? 0) < 2) yield* Effect.yieldNow
      answer()
      while ((yield* dam.get(id)).state !== "succeeded") yield* Effect.yieldNow
      assert.lengthOf(target.calls, 1)
      assert.lengthOf(yield* there.jobs, 1)
      assert.deepInclude(yield* dam.get(id), { epoch: 2 })
      yield* again.stop
    })
  )

  it.live("makes the call of an attempt anew when the first one was called off", () =>
    Effect.gen(function* () {
      const { target, there } = yield* world((_, response) => {
        if (target.calls.length > 1) response.end("second")
      })
      const transport = yield* RegionDam.make({ _tag: "Dam", url: there.url, apiKey: key }, 1000)
      const first = yield* Effect.forkChild(transport.send(exchange(target.url, "job/0.0.0")))
      yield* target.called()
      yield* Fiber.interrupt(first)
      yield* there.ended((yield* there.jobs)[0]?.id ?? "")
      const { body } = yield* transport.send(exchange(target.url, "job/0.0.0"))
      assert.strictEqual(new TextDecoder().decode(body), "second")
      assert.deepStrictEqual(
        (yield* there.jobs).map((job) => [job.key, job.state]),
        [
          ["job/0.0.0", "cancelled"],
          ["job/0.0.0~2", "succeeded"]
        ]
      )
    })
  )

  it.live("gives no more of an answer than is kept here", () =>
    Effect.gen(function* () {
      const { target, there } = yield* world((_, response) => void response.end("x".repeat(1001)))
      const transport = yield* RegionDam.make({ _tag: "Dam", url: there.url, apiKey: key }, 1000)
      const { reason } = yield* Effect.flip(transport.send(exchange(target.url, "a")))
      assert.deepInclude(reason, { _tag: "ResponseTooLarge", limitBytes: 1000 })
    })
  )
})

const exchange = (url: string, attempt: string) => {
  const step = Step.get(url)
  return { request: step.request, region: "ord", step, timeoutMillis: 30_000, attempt }
}

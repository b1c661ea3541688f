import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import type { Compose } from "../../src/run/PathPolicy.ts"
import * as PathPolicy from "../../src/run/PathPolicy.ts"
import type { History } from "../../src/step/History.ts"
import type { StepError } from "../../src/step/Outcome.ts"
import { TlsError } from "../../src/step/Failure.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, backup, client, completed, failed, lines, url } from "./support.ts"

const get = Step.get(url).pipe(Step.frugal(), Step.fallbackOnError([]))
const patient = Step.retryPolicy(get, { maxRetries: 6 })
const ok: Script.Input = { status: 200 }
const busy: Script.Input = { status: 503 }
const asking = (seconds: number): Script.Input => ({ status: 503, headers: { "Retry-After": String(seconds) } })

const run = Effect.fnUntraced(function* (
  step: StepValue,
  script: Script.Script,
  compose: Compose,
  { history = [], ...options }: Script.Options & { readonly history?: History } = {}
) {
  const { execute, sent } = yield* client(script, options)
  const end = yield* Effect.provide(execute(step, { history }), PathPolicy.layer(compose))
  return { end, sent: yield* sent, pauses: end.history.map(({ pause }) => pause) }
})

/** How the attempts made here came about; what follows in the service is another matter. */
const kinds = ({ history }: { readonly history: History }) =>
  history.map(({ kind }) => kind).filter((kind) => kind !== "forward")

const upTo = (times: number): Compose => Schedule.upTo({ times })

describe("a schedule composed with the policy's", () => {
  it.effect("ends a path earlier, which then ends as it would have ended", () =>
    Effect.gen(function* () {
      const { end, sent } = yield* run(patient, Script.always(busy), upTo(2))
      assert.deepStrictEqual(sent, ["api 0", "api 100", "api 300"])
      assert.strictEqual(failed(end, "Rejected").reason.status, 503)
    })
  )

  it.effect("ends it by the time that has passed since its first ending", () =>
    Effect.gen(function* () {
      const slow = Script.always(Script.later("10 seconds", busy))
      const { sent } = yield* run(patient, slow, Schedule.upTo({ duration: "15 seconds" }))
      assert.deepStrictEqual(sent, ["api 0", "api 10100", "api 20300"])
    })
  )

  it.effect("lengthens a pause, which is waited and recorded", () =>
    Effect.gen(function* () {
      const script = Script.always(Script.inTurn(busy, asking(3), ok))
      const { end, pauses, sent } = yield* run(
        patient,
        script,
        Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.sum(duration, Duration.seconds(1))))
      )
      completed(end)
      assert.deepStrictEqual(pauses, [0, 1100, 4000])
      assert.deepStrictEqual(sent, ["api 0", "api 1100", "api 5100"])
    })
  )

  it.effect("shortens a pause, and jitters by the random numbers in place", () =>
    Effect.gen(function* () {
      const script = Script.always(Script.inTurn(asking(10), ok))
      const { pauses } = yield* run(patient, script, (schedule) => Schedule.jittered(schedule))
      assert.deepStrictEqual(pauses, [0, 10_000])
      const low: Random.Random = { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => 0.25 }
      const lower = yield* run(patient, script, (schedule) =>
        Schedule.modifyDelay(schedule, ({ duration }) =>
          Effect.provideService(
            Effect.map(Random.next, (random) => Duration.times(duration, random)),
            Random.Random,
            low
          )
        )
      )
      assert.deepStrictEqual(lower.pauses, [0, 2500])
    })
  )

  it.effect("keeps to the longer of two delays with Schedule.max, whatever that outputs", () =>
    Effect.gen(function* () {
      const script = Script.always(Script.inTurn(busy, asking(5), ok))
      const { end, pauses } = yield* run(patient, script, (schedule) =>
        Schedule.max([schedule, Schedule.spaced("2 seconds")])
      )
      completed(end)
      assert.deepStrictEqual(pauses, [0, 2000, 5000])
    })
  )

  it.effect("takes no delay below zero and none without end", () =>
    Effect.gen(function* () {
      const delayed = (delay: Duration.Input): Compose => Schedule.modifyDelay(() => Effect.succeed(delay))
      const back = yield* run(patient, Script.always(Script.inTurn(busy, ok)), delayed("-5 seconds"))
      assert.deepStrictEqual(back.pauses, [0, 0])
      const never = yield* run(patient, Script.always(busy), delayed(Duration.infinity))
      assert.deepStrictEqual(kinds(never.end), ["start"])
      assert.strictEqual(failed(never.end, "Rejected").reason.status, 503)
    })
  )

  it.effect("claims one move for one ending, though it holds the policy's schedule twice", () =>
    Effect.gen(function* () {
      const { end, pauses } = yield* run(Step.retryPolicy(get), Script.always(busy), (schedule) =>
        Schedule.concat(
          Schedule.upTo(schedule, { times: 1 }),
          Schedule.modifyDelay(schedule, ({ duration }) => Effect.succeed(Duration.times(duration, 10)))
        )
      )
      assert.deepStrictEqual(kinds(end), ["start", "retry", "retry", "retry"])
      assert.deepStrictEqual(pauses, [0, 100, 2000, 4000])
    })
  )

  it.effect("sees the moves and the endings as they come", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      yield* run(
        Step.retryPolicy(get),
        Script.all(Script.inRegion("iad", Script.always({ status: 500 })), Script.always(Script.inTurn(busy, ok))),
        Schedule.tap(({ input, output }) => Effect.sync(() => seen.push([input, output]))),
        { regions: ["iad", "lax"] }
      )
      assert.deepStrictEqual(seen, [
        [
          { _tag: "Answered", status: 500, retryAfter: undefined },
          { kind: "reroute", region: "lax", pause: 0 }
        ],
        [
          { _tag: "Answered", status: 503, retryAfter: undefined },
          { kind: "retry", region: "lax", pause: 100 }
        ]
      ])
    })
  )
})

describe("another schedule for one host", () => {
  const regular = Schedule.spaced("1 second")
  const forApi: Compose = (schedule, { request }) =>
    new URL(request.url).hostname === "api.example" ? Schedule.upTo(regular, { times: 4 }) : schedule

  it.effect("goes on beyond the policy, also where a step has none, and leaves the others alone", () =>
    Effect.gen(function* () {
      const step = get.pipe(Step.fallback(Step.retryPolicy(Step.get(backup), { maxRetries: 1 })))
      const { pauses, sent } = yield* run(step, Script.always(busy), forApi)
      assert.deepStrictEqual(sent.slice(0, 5), ["api 0", "api 1000", "api 2000", "api 3000", "api 4000"])
      assert.deepStrictEqual(sent.slice(5), ["backup 4000", "backup 4100"])
      assert.deepStrictEqual(pauses, [0, 1000, 1000, 1000, 1000, 0, 100])
    })
  )

  it.effect("goes where the policy would go, then stays", () =>
    Effect.gen(function* () {
      const step = Step.retryPolicy(get, { maxRetries: 1, maxReroutes: 1 })
      const { end } = yield* run(step, Script.always({ status: 500 }), forApi, { regions: ["iad", "lax", "ord"] })
      assert.deepStrictEqual(lines(end.history), [
        "0 start@iad 500",
        "0 reroute@lax 500",
        "0 retry@lax 500",
        "0 retry@lax 500",
        "0 retry@lax 500"
      ])
    })
  )

  it.effect("is told the step and the call as it is sent", () =>
    Effect.gen(function* () {
      const told: Array<PathPolicy.Subject> = []
      const step = Step.post(url).pipe(Step.frugal(), Step.idempotentKey("order-7"), Step.fallback(Step.get(backup)))
      yield* run(step, Script.always(busy), (schedule, subject) => {
        told.push(subject)
        return schedule
      })
      assert.deepStrictEqual(
        told.map(({ request, step: { request: given } }) => [given.url, request.headers["Idempotency-Key"]]),
        [
          [url, "order-7"],
          [backup, undefined]
        ]
      )
    })
  )

  it.effect("is the innermost layer's", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always(busy))
      yield* execute(patient).pipe(
        Effect.provide(PathPolicy.layer(upTo(1))),
        Effect.provide(PathPolicy.layer(() => Schedule.forever))
      )
      assert.lengthOf(yield* sent, 2)
    })
  )
})

describe("no schedule", () => {
  const forever: Compose = () => Schedule.spaced("1 minute")

  const unasked = Effect.fnUntraced(function* (step: StepValue, answer: Script.Input) {
    let asked = 0
    const { end } = yield* run(step, Script.always(answer), (schedule) => {
      asked++
      return schedule
    })
    assert.strictEqual(asked, 0)
    return end
  })

  it.effect("is made for a step that succeeds at once, nor where the first ending is final", () =>
    Effect.gen(function* () {
      completed(yield* unasked(patient, ok))
      failed(yield* unasked(patient, { status: 404 }), "Rejected")
      failed(yield* unasked(patient, asking(3600)), "Rejected")
      accepted(yield* unasked(patient, Script.fail(new TlsError({ kind: "name", detail: "" }))))
    })
  )

  it.effect("goes on after an ending that is final for the policy", () =>
    Effect.gen(function* () {
      for (const last of [ok, { status: 404 }, asking(3600), Script.fail(new TlsError({ kind: "name", detail: "" }))]) {
        const { end } = yield* run(patient, Script.always(Script.inTurn(busy, busy, last)), forever)
        assert.deepStrictEqual(kinds(end), ["start", "retry", "retry"])
      }
    })
  )

  it.effect("goes on beyond the deadline of the step", () =>
    Effect.gen(function* () {
      const { end, sent } = yield* run(Step.onFailureTimeout(get, "150 seconds"), Script.always(busy), forever)
      failed(end, "DeadlineExceeded")
      assert.deepStrictEqual(sent, ["api 0", "api 60000", "api 120000"])
    })
  )

  it.effect("goes on beyond the time after which a fallback takes over", () =>
    Effect.gen(function* () {
      const step = Step.fallback(get, Step.get(backup), { onTimeout: "90 seconds" })
      const { end, sent } = yield* run(step, Script.all(Script.on(url, busy), Script.on(backup, ok)), forever)
      completed(end)
      assert.deepStrictEqual(sent, ["api 0", "api 60000", "backup 90000"])
    })
  )
})

describe("regions of one path with a composed schedule", () => {
  const regions = ["iad", "lax", "ord"]
  const race = get.pipe(Step.regions(regions), Step.regionPolicy("strict"), Step.retryPolicy({ maxRetries: 4 }))
  const retried = (end: { readonly history: History }) =>
    end.history.filter(({ kind }) => kind === "retry").map(({ region }) => region)

  it.effect("share the policy's budget", () =>
    Effect.gen(function* () {
      for (const compose of [
        (schedule) => schedule,
        (schedule) => Schedule.jittered(schedule)
      ] satisfies Array<Compose>) {
        const { end } = yield* run(race, Script.always(busy), compose, { regions })
        assert.lengthOf(retried(end), 4)
      }
    })
  )

  it.effect("step a schedule each, and what one does not take is left to the others", () =>
    Effect.gen(function* () {
      const started: Array<StepValue> = []
      const { end } = yield* run(
        race,
        Script.always(busy),
        (schedule, { step }) => {
          // the first one gives up at once, after the policy has claimed a retry for it
          return started.push(step) === 1 ? Schedule.upTo(schedule, { times: 0 }) : schedule
        },
        { regions }
      )
      assert.lengthOf(started, 3)
      assert.sameMembers(retried(end), ["lax", "lax", "ord", "ord"])
    })
  )

  it.effect("get a spare region back that one does not go to", () =>
    Effect.gen(function* () {
      const step = get.pipe(Step.regions(["iad", "lax"]), Step.retryPolicy({ maxRetries: 0, maxReroutes: 1 }))
      let made = 0
      const { end } = yield* run(
        step,
        Script.always({ status: 500 }),
        (schedule) => (made++ === 0 ? Schedule.upTo(schedule, { times: 0 }) : schedule),
        { regions }
      )
      assert.sameMembers([...lines(end.history)], ["0 start@iad 500", "0 start@lax 500", "0 reroute@ord 500"])
    })
  )
})

describe("a run that goes on with a composed schedule", () => {
  const composed: Readonly<Record<string, Compose>> = {
    "counts what came before": upTo(3),
    "counts the time before": Schedule.upTo({ duration: "1 second" }),
    "goes on growing": () => Schedule.upTo(Schedule.exponential("1 second"), { times: 4 }),
    "goes on in its second part": (schedule) =>
      Schedule.concat(Schedule.upTo(schedule, { times: 2 }), Schedule.recurs(2))
  }

  for (const [name, compose] of Object.entries(composed)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const whole = yield* run(patient, Script.always(busy), compose)
        const { history } = failed(whole.end, "Rejected") as StepError
        assert.isAtLeast(history.length, 4)
        for (let cut = 1; cut <= history.length; cut++) {
          const before = history.slice(0, cut)
          const { end } = yield* Effect.andThen(
            TestClock.adjust(before.at(-1)?.at ?? 0),
            run(patient, Script.always(busy), compose, { history: before })
          ).pipe(Effect.provide(TestClock.layer()))
          assert.deepStrictEqual(kinds(end), kinds({ history }), `after ${cut}`)
          const fresh = end.history.slice(cut + 1)
          assert.deepStrictEqual(
            fresh.map(({ pause }) => pause),
            history.slice(cut + 1).map(({ pause }) => pause),
            `after ${cut}`
          )
        }
      })
    )
  }

  it.effect("ends where the schedule, another one by now, would have ended before", () =>
    Effect.gen(function* () {
      const { end } = yield* run(patient, Script.always(busy), (schedule) => schedule)
      const less = yield* run(patient, Script.always(ok), upTo(1), { history: end.history.slice(0, 4) })
      assert.strictEqual(failed(less.end, "Rejected").reason.status, 503)
      assert.lengthOf(less.sent, 0)
    })
  )
})

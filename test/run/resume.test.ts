import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Hosts from "../../src/run/Host.ts"
import * as Interpreter from "../../src/run/Interpreter.ts"
import { ServiceUnreachable, TransportError } from "../../src/step/Failure.ts"
import type { History } from "../../src/step/History.ts"
import type { Outcome, StepError } from "../../src/step/Outcome.ts"
import type { Receipt } from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import type { Input } from "../../src/testing/Answer.ts"
import { from, start } from "../../src/testing/Answer.ts"
import * as Script from "../../src/testing/Script.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import { backup, ending, lines, third, toEnd, url } from "./support.ts"

interface Scenario {
  readonly step: StepValue
  /** What each place (host, or host@region) answers to its first call, its second and so on; the last is repeated. */
  readonly answers: Readonly<Record<string, ReadonlyArray<Input>>>
  readonly regions?: ReadonlyArray<string>
  /** How many submissions do not reach the service. */
  readonly unreachable?: number
}

const placeOf = (target: string, region: string | undefined) =>
  `${new URL(target).hostname.split(".")[0]}${region === undefined ? "" : `@${region}`}`

/** Runs a scenario that a history has come along to some point, from the moment of that point. */
const run = ({ answers, regions = [], step, unreachable = 0 }: Scenario, history: History, at = momentOf(history)) =>
  Effect.gen(function* () {
    yield* TestClock.adjust(at)
    const line = [step, ...step.fallbacks.map((fallback) => fallback.step)]
    const made = new Map<string, number>()
    const next = (place: string) => {
      const count = made.get(place) ?? 0
      made.set(place, count + 1)
      return count
    }
    let submitted = 0
    for (const attempt of history) {
      if (attempt.kind === "forward") submitted++
      // what was interrupted when the run broke off is answered afresh
      else if (attempt.ending._tag !== "Interrupted")
        next(placeOf(line[attempt.path]?.request.url ?? url, attempt.region))
    }
    let sent = 0
    const local: Exchanging = {
      kind: "exchanging",
      regions: Effect.succeed(regions),
      send: ({ region, request }) =>
        Effect.suspend(() => {
          sent++
          const place = placeOf(request.url, region)
          const row = answers[place] ?? []
          const answer = row[Math.min(next(place), row.length - 1)]
          return answer === undefined ? Effect.die(new Error(`no answer for ${place}`)) : start(from(answer))()
        })
    }
    const strategies = Strategies.client(local, {
      kind: "delegating",
      submit: () =>
        Effect.suspend(() => {
          sent++
          return submitted++ < unreachable
            ? Effect.fail(
                new TransportError({ reason: new ServiceUnreachable({ detail: "down", maybeAccepted: false }) })
              )
            : Effect.succeed(receipt)
        })
    })
    const end = yield* toEnd(ending(Interpreter.run(step, strategies, { ...Hosts.client, history, acceptedAt: 0 })))
    return { end, sent, at: yield* Clock.currentTimeMillis }
  }).pipe(Effect.provide(TestClock.layer()))

const receipt: Receipt = {
  _tag: "Receipt",
  jobId: "job-1",
  status: "queued",
  idempotentKey: undefined,
  duplicate: false,
  answer: {}
}

const momentOf = (history: History) => Math.max(0, ...history.map(({ at, latency }) => Math.ceil(at + latency)))

const told = (end: Outcome | StepError) => {
  switch (end._tag) {
    case "Completed":
      return { tag: end._tag, status: end.response.status, path: end.path, region: end.region }
    case "Accepted":
      return { tag: end._tag, jobId: end.jobId }
    case "StepError":
      return { tag: end.reason._tag, status: end.reason._tag === "Rejected" ? end.reason.status : undefined }
  }
}

const get = Step.get(url).pipe(Step.frugal(), Step.fallbackOnError([]))
const race = get.pipe(Step.regions(["iad", "lax", "ord"]), Step.regionPolicy("strict"))
const ok: Input = { status: 200 }
const busy: Input = { status: 503 }

const scenarios: Readonly<Record<string, Scenario>> = {
  "retries until success": { step: Step.retryPolicy(get), answers: { api: [busy, Script.refuse, busy, ok] } },
  "retries in vain": { step: Step.retryPolicy(get, { maxRetries: 2 }), answers: { api: [busy] } },
  "reroutes, then retries": {
    step: Step.retryPolicy(get, { maxRetries: 1, maxReroutes: 2 }),
    regions: ["iad", "lax", "ord", "fra"],
    answers: { "api@iad": [Script.refuse], "api@lax": [{ status: 500 }], "api@ord": [busy, ok] }
  },
  "waits as long as it is asked to": {
    step: Step.retryPolicy(get),
    answers: { api: [{ status: 429, headers: { "Retry-After": "20" } }, ok] }
  },
  "gives up at a long Retry-After": {
    step: get.pipe(Step.retryPolicy(), Step.fallback(Step.get(backup))),
    answers: { api: [{ status: 429, headers: { "Retry-After": "3600" } }], backup: [busy] }
  },
  "falls back twice": {
    step: get.pipe(
      Step.retryPolicy({ maxRetries: 1 }),
      Step.fallback(Step.get(backup), { onError: [503] }),
      Step.fallback(Step.retryPolicy(Step.get(third)))
    ),
    answers: { api: [busy], backup: [{ status: 404 }], third: [busy, ok] }
  },
  "falls back on a time-out": {
    step: get.pipe(
      Step.retryPolicy({ maxRetries: 5 }),
      Step.fallback(Step.retryPolicy(Step.get(backup)), { onTimeout: "2 seconds" })
    ),
    answers: { api: [Script.later("1500 millis", busy), Script.hang], backup: [busy, ok] }
  },
  "does not fall back on a time-out that did not pass": {
    step: get.pipe(Step.fallback(Step.get(backup), { onTimeout: "2 seconds" })),
    answers: { api: [Script.later("1 second", busy)], backup: [ok] }
  },
  "skips a fallback": {
    step: get.pipe(Step.fallback(Step.get(backup), { onTimeout: "5 seconds" }), Step.fallback(Step.get(third))),
    answers: { api: [Script.later("2 seconds", busy)], backup: [busy], third: [Script.refuse, ok] }
  },
  "races and wins": {
    step: Step.retryPolicy(race),
    answers: {
      "api@iad": [busy, Script.later(900, ok)],
      "api@lax": [Script.later(300, { status: 201 })],
      "api@ord": [Script.hang]
    }
  },
  "races and loses": {
    step: Step.retryPolicy(race, { maxRetries: 0 }),
    answers: {
      "api@iad": [Script.later(300, { status: 500 })],
      "api@lax": [Script.later(100, { status: 502 })],
      "api@ord": [Script.later(200, Script.refuse)]
    }
  },
  "races and retries on a shared budget": {
    step: Step.retryPolicy(race, { maxRetries: 2 }),
    answers: { "api@iad": [busy], "api@lax": [Script.later(1, busy)], "api@ord": [Script.later(5000, { status: 500 })] }
  },
  "fans out": {
    step: race.pipe(Step.executionMode("fanout"), Step.regionPolicy("fallback"), Step.retryPolicy({ maxRetries: 1 })),
    answers: { "api@iad": [Script.later(100, busy)], "api@lax": [{ status: 404 }], "api@ord": [Script.later(700, ok)] }
  },
  "runs out of time": {
    step: get.pipe(Step.retryPolicy({ maxRetries: 9 }), Step.onFailureTimeout("3 seconds")),
    answers: { api: [Script.later(800, busy)] }
  },
  "runs out of time while it hangs": {
    step: get.pipe(Step.fallback(Step.get(backup)), Step.onFailureTimeout("3 seconds")),
    answers: { api: [{ status: 404 }], backup: [Script.hang] }
  },
  "forwards at the third try": {
    step: get.pipe(Step.fallback(Step.get(backup)), Step.fallbackOnError([503])),
    answers: { api: [busy], backup: [{ status: 404 }] },
    unreachable: 2
  },
  "cannot forward": { step: Step.fallbackOnError(get, [503]), answers: { api: [busy] }, unreachable: 9 },
  "hands a fallback over": {
    step: Step.fallback(get, Step.get(backup).pipe(Step.performance())),
    answers: { api: [busy] },
    unreachable: 1
  }
}

describe("a run that goes on from any point of its history", () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    it.effect(`ends as the whole run did, and sends no more: ${name}`, () =>
      Effect.gen(function* () {
        const whole = yield* run(scenario, [])
        const { history } = whole.end
        assert.isAtLeast(history.length, 1)
        for (let cut = 1; cut <= history.length; cut++) {
          const before = history.slice(0, cut)
          const resumed = yield* run(scenario, before)
          const story = `${lines(before).join(", ")} | ${lines(resumed.end.history.slice(cut)).join(", ")}`
          assert.deepStrictEqual(told(resumed.end), told(whole.end), story)
          const ended = before.filter(({ ending: end }) => end._tag !== "Interrupted").length
          // a receipt is not in the history, so an accepted submission is repeated under its key
          const again = before.some(({ ending: end, kind }) => kind === "forward" && end._tag === "Answered") ? 1 : 0
          assert.isAtMost(ended + resumed.sent, whole.sent + again, story)
        }
      })
    )
  }
})

describe("a run that goes on later", () => {
  const limited: Scenario = {
    step: Step.retryPolicy(get),
    answers: { api: [{ status: 429, headers: { "Retry-After": "20" } }, ok] }
  }

  it.effect("does not wait again for what has passed of a pause", () =>
    Effect.gen(function* () {
      const { end } = yield* run(limited, [])
      const [first, second] = end.history
      assert.strictEqual(second?.at, 20_000)
      const half = yield* run(limited, first === undefined ? [] : [first], 15_000)
      assert.deepInclude(half.end.history[1], { at: 20_000, pause: 20_000 })
      const over = yield* run(limited, first === undefined ? [] : [first], 90_000)
      assert.deepInclude(over.end.history[1], { at: 90_000, pause: 90_000 })
    })
  )

  it.effect("keeps a success that was stored before its deadline passed", () =>
    Effect.gen(function* () {
      const scenario: Scenario = { step: Step.onFailureTimeout(get, "3 seconds"), answers: { api: [ok] } }
      const { end } = yield* run(scenario, [])
      const late = yield* run(scenario, end.history, 60_000)
      assert.strictEqual(late.end._tag, "Completed")
      assert.strictEqual(late.sent, 0)
    })
  )

  it.effect("sends nothing once its deadline has passed", () =>
    Effect.gen(function* () {
      const scenario: Scenario = {
        step: get.pipe(Step.retryPolicy(), Step.onFailureTimeout("3 seconds")),
        answers: { api: [busy] }
      }
      const { end } = yield* run(scenario, [])
      const late = yield* run(scenario, end.history.slice(0, 1), 60_000)
      assert.strictEqual(told(late.end).tag, "DeadlineExceeded")
      assert.strictEqual(late.sent, 0)
    })
  )

  it.effect("judges a time-out by how long the path took, not by how long the run was away", () =>
    Effect.gen(function* () {
      const scenario: Scenario = {
        step: get.pipe(Step.fallback(Step.get(backup), { onTimeout: "2 seconds" })),
        answers: { api: [Script.later("1 second", busy)], backup: [ok] }
      }
      const { end } = yield* run(scenario, [])
      assert.strictEqual(told((yield* run(scenario, end.history, 60_000)).end).tag, "Rejected")
    })
  )

  it.effect("interrupts a path at the moment it would have been interrupted without the break", () =>
    Effect.gen(function* () {
      const scenario: Scenario = {
        step: get.pipe(Step.retryPolicy(), Step.fallback(Step.get(backup), { onTimeout: "2 seconds" })),
        answers: { api: [Script.later(500, busy), Script.hang], backup: [ok] }
      }
      const { end } = yield* run(scenario, [])
      const late = yield* run(scenario, end.history.slice(0, 1), 1500)
      assert.deepStrictEqual(
        late.end.history.map(({ at, path }) => [path, at]),
        [
          [0, 0],
          [0, 1500],
          [1, 2000]
        ]
      )
    })
  )

  it.effect("sends nothing for a race that was won", () =>
    Effect.gen(function* () {
      const scenario: Scenario = {
        step: race,
        answers: { "api@iad": [Script.hang], "api@lax": [Script.later(5, ok)], "api@ord": [Script.hang] }
      }
      const { end } = yield* run(scenario, [])
      const won = yield* run(scenario, end.history.slice(0, 1))
      assert.deepStrictEqual(told(won.end), told(end))
      assert.strictEqual(won.sent, 0)
    })
  )

  it.effect("makes an attempt again that was interrupted, without counting it", () =>
    Effect.gen(function* () {
      const scenario: Scenario = { step: Step.retryPolicy(get, { maxRetries: 1 }), answers: { api: [busy, ok] } }
      const { end } = yield* run(scenario, [])
      const broken = end.history.map((attempt, index) =>
        index === 1 ? { ...attempt, ending: { _tag: "Interrupted" } as const, response: undefined } : attempt
      )
      assert.deepStrictEqual(told((yield* run(scenario, broken)).end), told(end))
    })
  )

  it.effect("keeps to the regions it was in though others are healthy now", () =>
    Effect.gen(function* () {
      const scenario: Scenario = {
        step: Step.retryPolicy(get, { maxRetries: 0, maxReroutes: 3 }),
        regions: ["iad", "lax"],
        answers: { "api@iad": [{ status: 500 }], "api@lax": [{ status: 500 }], "api@ord": [{ status: 500 }] }
      }
      const { end } = yield* run(scenario, [])
      const later = yield* run({ ...scenario, regions: ["ord", "lax", "iad"] }, end.history.slice(0, 1))
      assert.deepStrictEqual(lines(later.end.history), ["0 start@iad 500", "0 reroute@ord 500", "0 reroute@lax 500"])
    })
  )

  it.effect("starts a race's missing racers where none has been", () =>
    Effect.gen(function* () {
      const scenario: Scenario = {
        step: Step.retryPolicy(race, { maxRetries: 0 }),
        answers: { "api@iad": [busy], "api@lax": [Script.later(5, busy)], "api@ord": [Script.later(9, busy)] }
      }
      const { end } = yield* run(scenario, [])
      const later = yield* run({ ...scenario, regions: ["ord", "iad"] }, end.history.slice(0, 1))
      assert.sameMembers([...lines(later.end.history)], ["0 start@iad 503", "0 start@lax 503", "0 start@ord 503"])
    })
  )

  it.effect("makes no hedge again that it has made of a call that was under way", () =>
    Effect.gen(function* () {
      const slow = Script.later("9 seconds", busy)
      const scenario: Scenario = {
        step: Step.hedge(get, { after: "1 second" }),
        answers: { api: [slow, Script.later("2 seconds", busy), ok] }
      }
      const whole = (yield* run(scenario, [])).end.history
      assert.deepStrictEqual(lines(whole), ["0 hedge 503", "0 start 503"])
      const later = yield* run(scenario, whole.slice(0, 1))
      assert.deepStrictEqual(lines(later.end.history), ["0 hedge 503", "0 start 503"])
      assert.strictEqual(later.sent, 1)
    })
  )
})

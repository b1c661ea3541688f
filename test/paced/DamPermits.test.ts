import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as DamPermits from "../../src/paced/DamPermits.ts"
import type { Ask, Permits } from "../../src/paced/Permits.ts"
import type { Fetch } from "../../src/transport/FetchCall.ts"

const host = "api.example.com:443"

const ask = (more: Partial<Ask> = {}): Ask => ({ lane: host, host, draws: [], patience: 30_000, ...more })

interface Asked {
  readonly method: string
  readonly path: string
  readonly body: any
  readonly authorization: string | null
}

type Said = readonly [status: number, body: unknown]

/** A dam that says what a test says, and notes what it was asked. */
const damOf = (says: (asked: Asked, nth: number) => Said | "nothing" | "gone") => {
  const asked: Array<Asked> = []
  const fetch: Fetch = (url, { body, headers, method = "GET", signal }) => {
    const path = new URL(url).pathname.replace("/api/v1/permits", "")
    const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : ""
    const authorization = new Headers(headers).get("authorization")
    const one = { method, path, body: text === "" ? undefined : JSON.parse(text), authorization }
    const said = says(one, asked.push(one))
    if (said === "gone") return Promise.reject(new TypeError("fetch failed"))
    if (said !== "nothing") return Promise.resolve(new Response(JSON.stringify(said[1]), { status: said[0] }))
    return new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")))
    )
  }
  return { asked, fetch }
}

const granted = (id: string): Said => [
  200,
  { permit_id: id, lane: host, lease_ms: 30_000, expires_at: 1, departed: true }
]
const done: Said = [200, { permit_id: "p", lane: host, held_ms: 0 }]

const usual = ({ method, path }: Asked, nth: number): Said =>
  path === "" && method === "POST" ? granted(`p${nth}`) : done

const make = (fetch: Fetch, more: Partial<DamPermits.DamPermitsOptions> = {}) =>
  DamPermits.make({ dam: "http://127.0.0.1:8080/", fetch, ...more })

/** Lets promises go on. */
const settle = Effect.gen(function* () {
  for (let n = 0; n < 20; n++) yield* Effect.yieldNow
  yield* TestClock.adjust(1)
  for (let n = 0; n < 20; n++) yield* Effect.yieldNow
})

const acquire = (permits: Permits["Service"], more: Partial<Ask> = {}) =>
  Effect.uninterruptible(permits.acquire(ask(more)))

describe("permits of a dam", () => {
  it.effect("take one request to be granted and one to be reported, without what is nobody's business", () =>
    Effect.gen(function* () {
      const { asked, fetch } = damOf(usual)
      const permits = yield* make(fetch, { account: "team" })
      const permit = yield* acquire(permits)
      yield* permit.depart
      yield* TestClock.adjust(50)
      yield* permit.hear({
        status: 200,
        headers: { "x-ratelimit-remaining": "3", "set-cookie": "secret" },
        body: new TextEncoder().encode("private")
      })
      assert.lengthOf(asked, 1)
      yield* permit.release
      yield* permit.release
      yield* settle
      assert.deepStrictEqual(
        asked.map(({ body, method, path }) => ({ method, path, body })),
        [
          {
            method: "POST",
            path: "",
            body: { lane: host, account: "team", wait_ms: 20_000, lease_ms: 30_000, depart: true }
          },
          {
            method: "POST",
            path: "/p1/report",
            body: { status: 200, headers: { "x-ratelimit-remaining": "3" }, sent_at: asked[1]?.body.sent_at }
          }
        ]
      )
      assert.isAtMost(asked[1]?.body.sent_at, 10)
    })
  )

  it.effect("report a refusal before anything else, once, with what it says", () =>
    Effect.gen(function* () {
      const { asked, fetch } = damOf(usual)
      const permits = yield* make(fetch)
      const permit = yield* acquire(permits)
      yield* permit.depart
      yield* permit.hear({ status: 429, headers: { "retry-after": "9" }, body: new TextEncoder().encode("slower") })
      assert.deepInclude(asked[1]?.body, { status: 429, headers: { "retry-after": "9" }, body: "slower" })
      yield* permit.release
      yield* settle
      assert.lengthOf(asked, 2)
    })
  )

  it.effect("are given back where the call was not sent", () =>
    Effect.gen(function* () {
      const { asked, fetch } = damOf(usual)
      const permits = yield* make(fetch)
      yield* (yield* acquire(permits)).release
      yield* settle
      assert.deepInclude(asked[1], { method: "DELETE", path: "/p1" })
    })
  )

  it.effect("are renewed while their call goes on, and no longer", () =>
    Effect.gen(function* () {
      const { asked, fetch } = damOf(usual)
      const permits = yield* make(fetch)
      const permit = yield* acquire(permits)
      yield* permit.depart
      for (let n = 0; n < 5; n++) yield* Effect.andThen(TestClock.adjust("10 seconds"), settle)
      assert.deepStrictEqual(
        asked.slice(1).map(({ path }) => path),
        ["/p1/renew", "/p1/renew"]
      )
      yield* permit.release
      yield* TestClock.adjust("1 minute")
      yield* settle
      assert.lengthOf(asked, 4)
    })
  )

  it.effect("are asked for until the turn comes, and send away whoever would not wait for a hold", () =>
    Effect.gen(function* () {
      const later = (retry_after_ms: number): Said => [429, { error: "", code: "no_turn", retry_after_ms }]
      const { asked, fetch } = damOf((_, nth) =>
        nth === 1 ? later(1000) : nth === 2 ? later(5000) : nth === 3 ? granted("p") : nth === 4 ? later(60_000) : done
      )
      const permits = yield* make(fetch)
      const waits = yield* Effect.forkChild(acquire(permits))
      yield* settle
      assert.lengthOf(asked, 2)
      yield* TestClock.adjust("4 seconds")
      yield* settle
      assert.lengthOf(asked, 2)
      yield* TestClock.adjust("1 second")
      yield* settle
      yield* Fiber.join(waits)
      const exit = yield* Effect.exit(acquire(permits))
      assert.isTrue(Exit.isFailure(exit))
      const error = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined
      assert.deepInclude(error, { _tag: "LaneHeld", forMillis: 60_000 })
    })
  )

  it.effect("are a pace of the program's own while the dam is away, which is asked again now and then", () =>
    Effect.gen(function* () {
      let away = true
      const { asked, fetch } = damOf((one, nth) => (away ? "gone" : usual(one, nth)))
      const permits = yield* make(fetch, { pace: { rps: 2, maxConcurrent: 1 } })
      const at: Array<number> = []
      const call = Effect.gen(function* () {
        const permit = yield* acquire(permits)
        yield* permit.depart
        at.push(yield* Clock.currentTimeMillis)
        yield* permit.hear({ status: 200, headers: {} })
        yield* permit.release
      })
      const all = yield* Effect.forkChild(Effect.all(Array.from({ length: 9 }, () => call)))
      for (let n = 0; n < 500; n++) yield* Effect.andThen(TestClock.adjust(10), Effect.yieldNow)
      yield* Fiber.join(all)
      assert.lengthOf(at, 9)
      for (const [n, one] of at.entries()) {
        if (n >= 3) assert.isAtLeast(one - (at[n - 3] ?? 0), 999)
      }
      // in four seconds: at once, after one more and after two more
      assert.isAtMost(asked.length, 4)
      away = false
      yield* TestClock.adjust("30 seconds")
      yield* call
      yield* call
      yield* settle
      assert.lengthOf(
        asked.filter(({ path }) => path.endsWith("/report")),
        2
      )
    })
  )

  it.effect("cost no call where the dam takes a permit for none of its own, says nonsense or is none", () =>
    Effect.gen(function* () {
      const answers: ReadonlyArray<Said> = [
        [400, { error: "", code: "invalid_field" }],
        [401, { error: "", code: "unauthorized" }],
        [404, { error: "" }],
        [200, "a page"],
        [503, { error: "", code: "leaving" }]
      ]
      for (const said of answers) {
        const { fetch } = damOf(() => said)
        const permit = yield* acquire(yield* make(fetch))
        yield* permit.depart
        yield* permit.hear({ status: 200, headers: {} })
        yield* permit.release
      }
      const unknown = damOf((_, nth) => (nth === 1 ? granted("p") : [404, { error: "", code: "unknown_permit" }]))
      const permit = yield* acquire(yield* make(unknown.fetch))
      yield* permit.depart
      yield* permit.hear({ status: 429, headers: {} })
      yield* permit.release
      assert.lengthOf(unknown.asked, 2)
    })
  )

  it.effect("do not wait for ever for a dam that says nothing", () =>
    Effect.gen(function* () {
      const { fetch } = damOf(() => "nothing")
      const permits = yield* make(fetch, { pace: { rps: 1000, maxConcurrent: 9 } })
      const waits = yield* Effect.forkChild(acquire(permits))
      yield* settle
      yield* TestClock.adjust("25 seconds")
      yield* settle
      assert.isDefined(waits.pollUnsafe())
      // nobody else waits for it
      yield* (yield* acquire(permits)).release
    })
  )

  it.effect("are not waited for any more by whoever is interrupted", () =>
    Effect.gen(function* () {
      let isAborted = false
      const permits = yield* make((_, { signal }) => {
        signal?.addEventListener("abort", () => (isAborted = true))
        return new Promise(() => undefined)
      })
      const waits = yield* Effect.forkChild(acquire(permits))
      yield* settle
      yield* Fiber.interrupt(waits)
      assert.isTrue(isAborted)
    })
  )

  it.effect("draw on limits of the program's own besides", () =>
    Effect.gen(function* () {
      const { asked, fetch } = damOf(usual)
      const permits = yield* make(fetch, { limits: { gpu: { concurrency: 1 } } })
      const draws = [{ name: "gpu", key: "", cost: 1 }]
      const first = yield* acquire(permits, { draws })
      const second = yield* Effect.forkChild(acquire(permits, { draws }))
      yield* settle
      assert.lengthOf(asked, 1)
      yield* first.depart
      yield* first.release
      yield* settle
      yield* Fiber.join(second)
    })
  )

  it.effect("draw on the limits of the dam, which are nobody's while it is away, and a mistake where it has none", () =>
    Effect.gen(function* () {
      const draws = [{ name: "tokens", key: "", cost: 5 }]
      const { asked, fetch } = damOf(usual)
      yield* acquire(yield* make(fetch), { draws })
      assert.deepStrictEqual(asked[0]?.body.limits, draws)
      const away = damOf(() => "gone")
      const permit = yield* acquire(yield* make(away.fetch), { draws })
      yield* permit.depart
      yield* permit.release
      const strange = damOf(() => [400, { error: "limits[0].name: this dam has no such limit", code: "unknown_limit" }])
      const exit = yield* Effect.exit(acquire(yield* make(strange.fetch), { draws }))
      const defect = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isDieReason)?.defect : undefined
      assert.include(String(defect), "TypeError: the dam: limits[0].name: this dam has no such limit")
    })
  )

  it.effect("count a dam that is away once, however many calls were under way", () =>
    Effect.gen(function* () {
      const { asked, fetch } = damOf((one, nth) => (nth <= 8 ? "gone" : usual(one, nth)))
      const permits = yield* make(fetch, { pace: { rps: 1000, maxConcurrent: 100 } })
      const calls = Array.from({ length: 8 }, () => Effect.flatMap(acquire(permits), ({ release }) => release))
      const all = yield* Effect.forkChild(Effect.all(calls, { concurrency: "unbounded" }))
      for (let n = 0; n < 20; n++) yield* settle
      yield* Fiber.join(all)
      assert.lengthOf(asked, 8)
      yield* TestClock.adjust("1 second")
      yield* acquire(permits)
      assert.lengthOf(asked, 9)
    })
  )

  it.effect("are reported when the program ends", () =>
    Effect.gen(function* () {
      const { asked, fetch } = damOf(usual)
      const scope = yield* Scope.make()
      const permits = yield* Scope.provide(make(fetch), scope)
      const permit = yield* acquire(permits)
      yield* permit.depart
      yield* permit.release
      yield* Scope.close(scope, Exit.void)
      assert.deepInclude(asked[1], { path: "/p1/report" })
    })
  )
})

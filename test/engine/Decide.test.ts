import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import type { Ended, Situation } from "../../src/engine/Decide.ts"
import { decide, endsPath, isGood, isRepeatable, mayBeDone, policyOf, spentBy } from "../../src/engine/Decide.ts"
import {
  AttemptTimedOut,
  ConnectionFailed,
  InvalidResponse,
  MissingApiKey,
  HeadersTooLarge,
  InvalidEncoding,
  ResponseTooLarge,
  TlsError,
  TooManyInterim,
  UnsupportedEncoding,
  Unsendable
} from "../../src/step/Failure.ts"
import type { Attempt, Ending } from "../../src/step/History.ts"
import type { ResolvedRetryPolicy } from "../../src/step/RetryPolicy.ts"
import { defaults, once } from "../../src/step/RetryPolicy.ts"
import * as Step from "../../src/step/Step.ts"

const answered = (status: number, retryAfter?: number): Ended => ({ _tag: "Answered", status, retryAfter })
const refused: Ended = { _tag: "Failed", failure: new ConnectionFailed({ kind: "refused", detail: "nobody" }) }
const fresh: Situation = { spent: { retries: 0, reroutes: 0 }, regionLeft: false, patience: 30_000 }
const policy = (change: Partial<ResolvedRetryPolicy>): ResolvedRetryPolicy => ({ ...defaults, ...change })
const tag = (ended: Ended, situation: Partial<Situation> = {}, under: ResolvedRetryPolicy = defaults) =>
  decide(under, ended, { ...fresh, ...situation })._tag

describe("decide", () => {
  it.each([429, 503])("retries a %i in the same region, though another is left", (status) => {
    assert.strictEqual(tag(answered(status)), "Retry")
    assert.strictEqual(tag(answered(status), { regionLeft: true }), "Retry")
  })

  it.each([500, 502, 504])("reroutes a %i while a region is left, then retries where it is, then stops", (status) => {
    assert.strictEqual(tag(answered(status), { regionLeft: true }), "Reroute")
    assert.strictEqual(tag(answered(status)), "Retry")
    assert.strictEqual(tag(answered(status), { regionLeft: true, spent: { retries: 0, reroutes: 2 } }), "Retry")
    assert.strictEqual(tag(answered(status), { spent: { retries: 3, reroutes: 0 } }), "Stop")
  })

  it("reroutes when there was no answer and retries in the same region when none is left", () => {
    assert.strictEqual(tag(refused, { regionLeft: true }), "Reroute")
    assert.strictEqual(tag(refused), "Retry")
    assert.strictEqual(tag(refused, { regionLeft: true, spent: { retries: 0, reroutes: 2 } }), "Retry")
  })

  it("reroutes a status in both lists first, then retries it, then stops", () => {
    const both = policy({ retryCodes: [503], rerouteCodes: [503], maxRetries: 1, maxReroutes: 1 })
    assert.strictEqual(tag(answered(503), { regionLeft: true }, both), "Reroute")
    assert.strictEqual(tag(answered(503), { regionLeft: false }, both), "Retry")
    assert.strictEqual(tag(answered(503), { regionLeft: true, spent: { retries: 0, reroutes: 1 } }, both), "Retry")
    assert.strictEqual(tag(answered(503), { regionLeft: true, spent: { retries: 1, reroutes: 1 } }, both), "Stop")
  })

  it("stops at a success even when the lists name it", () => {
    const eager = policy({ retryCodes: [200], rerouteCodes: [200, 204] })
    assert.strictEqual(tag(answered(200), { regionLeft: true }, eager), "Stop")
    assert.strictEqual(tag(answered(204), { regionLeft: true }, eager), "Stop")
  })

  it.each([301, 400, 404, 501])("stops at a %i, which is in neither list", (status) => {
    assert.strictEqual(tag(answered(status), { regionLeft: true }), "Stop")
  })

  it("stops at a Retry-After beyond patience, and sleeps through one that just fits", () => {
    assert.strictEqual(tag(answered(429, 30_001)), "Stop")
    assert.strictEqual(tag(answered(429, 30_000)), "Retry")
    assert.strictEqual(tag(answered(500, 30_001), { regionLeft: true }), "Stop")
  })

  it("keeps a Retry-After as the lower bound of a reroute's pause, and adds none of its own", () => {
    assert.deepStrictEqual(decide(defaults, answered(500, 700), { ...fresh, regionLeft: true }), {
      _tag: "Reroute",
      pause: { atLeast: 700, spread: 0 }
    })
    assert.deepStrictEqual(decide(defaults, answered(500), { ...fresh, regionLeft: true }), {
      _tag: "Reroute",
      pause: { atLeast: 0, spread: 0 }
    })
  })

  it("doubles the ceiling with each retry that was spent, not with the reroutes", () => {
    const pauses = [0, 1, 2].map((retries) =>
      decide(defaults, answered(503), { ...fresh, spent: { retries, reroutes: 2 } })
    )
    assert.deepStrictEqual(
      pauses.map((decision) => (decision._tag === "Retry" ? decision.pause.spread : undefined)),
      [200, 400, 800]
    )
  })

  it("makes one attempt where no policy was given", () => {
    for (const ended of [answered(429), answered(503), answered(500), refused]) {
      assert.strictEqual(tag(ended, { regionLeft: true }, once), "Stop")
    }
  })
})

describe("a call that must not be carried out twice", () => {
  const careful = policy({ isCareful: true })

  it.each([408, 500, 502, 504, 520])("ends with a %i, behind which it may have been carried out", (status) => {
    const every = { ...careful, retryCodes: [status], rerouteCodes: [status] }
    assert.strictEqual(tag(answered(status), { regionLeft: true }, every), "Stop")
    assert.isTrue(mayBeDone(answered(status)))
  })

  it.each([429, 503])("is made again after a %i, which has refused it", (status) => {
    assert.strictEqual(tag(answered(status), {}, careful), "Retry")
    assert.isFalse(mayBeDone(answered(status)))
  })

  it.each([
    { failure: new ConnectionFailed({ kind: "refused", detail: "nobody" }), expected: "Retry" },
    { failure: new ConnectionFailed({ kind: "notFound", detail: "no name" }), expected: "Retry" },
    { failure: new ConnectionFailed({ kind: "unreachable", detail: "no route" }), expected: "Retry" },
    { failure: new TlsError({ kind: "other", detail: "no handshake" }), expected: "Retry" },
    { failure: new ConnectionFailed({ kind: "reset", detail: "closed" }), expected: "Stop" },
    { failure: new ConnectionFailed({ kind: "other", detail: "gave up" }), expected: "Stop" },
    { failure: new AttemptTimedOut({ afterMillis: 5 }), expected: "Stop" },
    { failure: new InvalidResponse({ received: "half" }), expected: "Stop" }
  ])("without an answer: $failure.message", ({ expected, failure }) => {
    assert.strictEqual(tag({ _tag: "Failed", failure }, {}, careful), expected)
  })

  it("is one that changes something and whose step says so", () => {
    const isCareful = (step: Step.Step) => policyOf(step, defaults).isCareful === true
    assert.isTrue(isCareful(Step.retryUnsafe(Step.post("https://a.example"), false)))
    assert.isTrue(isCareful(Step.retryUnsafe(Step.delete("https://a.example"), false)))
    assert.isFalse(isCareful(Step.retryUnsafe(Step.get("https://a.example"), false)))
    assert.isFalse(isCareful(Step.retryUnsafe(Step.post("https://a.example"), true)))
    assert.isFalse(isCareful(Step.post("https://a.example")))
  })
})

describe("what ends a path", () => {
  it("is a success, an unlisted status, or a failure that trying again cannot mend", () => {
    assert.isTrue(endsPath(defaults, answered(200)))
    assert.isTrue(endsPath(defaults, answered(404)))
    assert.isFalse(endsPath(defaults, answered(429)))
    assert.isFalse(endsPath(defaults, answered(500)))
    assert.isFalse(endsPath(defaults, refused))
    const unsendable: Ended = { _tag: "Failed", failure: new Unsendable({ problem: "GET with a body" }) }
    assert.isTrue(endsPath(defaults, unsendable))
  })

  it("knows 2xx and nothing else as good", () => {
    assert.deepStrictEqual([199, 200, 204, 299, 300].map(isGood), [false, true, true, true, false])
  })

  it("repeats calls without an answer, unless they would end the same way", () => {
    assert.isTrue(isRepeatable(new ConnectionFailed({ kind: "reset", detail: "" })))
    assert.isTrue(isRepeatable(new AttemptTimedOut({ afterMillis: 1 })))
    assert.isTrue(isRepeatable(new InvalidResponse({ received: "" })))
    assert.isTrue(isRepeatable(new InvalidEncoding({ received: "" })))
    assert.isTrue(isRepeatable(new TooManyInterim({ limit: 10 })))
    assert.deepStrictEqual(
      (["expired", "name", "issuer", "other"] as const).map((kind) => isRepeatable(new TlsError({ kind, detail: "" }))),
      [true, false, false, true]
    )
    assert.isFalse(isRepeatable(new HeadersTooLarge()))
    assert.isFalse(isRepeatable(new UnsupportedEncoding({ status: 200, layers: 6 })))
    assert.isFalse(isRepeatable(new ResponseTooLarge({ status: 200, limitBytes: 1 })))
    assert.isFalse(isRepeatable(new Unsendable({ problem: "" })))
    assert.isFalse(isRepeatable(new MissingApiKey({ variable: "EZTHROTTLE_API_KEY" })))
  })
})

describe("spentBy", () => {
  const attempt = (path: number, kind: Attempt["kind"], ending: Ending = answered(503)): Attempt => ({
    path,
    racer: 0,
    kind,
    region: undefined,
    at: 0,
    pause: 0,
    latency: Duration.toMillis("1 second"),
    ending,
    response: undefined
  })

  it("counts the retries and reroutes of one path only", () => {
    const history = [
      attempt(0, "start"),
      attempt(0, "retry"),
      attempt(1, "start"),
      attempt(1, "reroute"),
      attempt(0, "retry")
    ]
    assert.deepStrictEqual(spentBy(history, 0), { retries: 2, reroutes: 0 })
    assert.deepStrictEqual(spentBy(history, 1), { retries: 0, reroutes: 1 })
    assert.deepStrictEqual(spentBy(history, 2), { retries: 0, reroutes: 0 })
  })

  it("leaves out what was interrupted, because a resumed run makes it again", () => {
    const history = [attempt(0, "start"), attempt(0, "retry", { _tag: "Interrupted" })]
    assert.deepStrictEqual(spentBy(history, 0), { retries: 0, reroutes: 0 })
  })
})

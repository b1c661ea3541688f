import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { answerTo } from "../../src/receive/Answer.ts"
import * as EventStore from "../../src/receive/EventStore.ts"
import * as Inbox from "../../src/receive/Inbox.ts"
import * as MemoryEventStore from "../../src/receive/MemoryEventStore.ts"
import * as Receiver from "../../src/receive/Receiver.ts"
import * as Ed25519 from "../../src/wire/Ed25519.ts"
import * as L8 from "../../src/wire/L8.ts"
import * as L8Delivery from "../../src/wire/L8Delivery.ts"
import * as StandardWebhooks from "../../src/wire/StandardWebhooks.ts"
import * as StandardWebhooksKeys from "../../src/wire/StandardWebhooksKeys.ts"
import type { WebhookEvent } from "../../src/wire/WebhookEvent.ts"
import { bodyOf, delivery, headersFor, secret } from "./support.ts"

const now = 1_760_000_000_000

/** A receiver that writes down what it handles, and answers with statuses. */
const receiving = Effect.fnUntraced(function* (
  options: Partial<Receiver.ReceiverOptions> = {},
  then: (event: WebhookEvent) => Effect.Effect<unknown, unknown> = () => Effect.void
) {
  yield* TestClock.setTime(now)
  const handled: Array<string> = []
  const receiver = yield* Receiver.make({ secrets: secret, ...options }, (event) => {
    handled.push(`${event.jobId} ${event.status}`)
    return then(event)
  })
  const post = (changes?: Partial<WebhookEvent>, signedWith?: string) =>
    Effect.flatMap(delivery(changes, signedWith), ([header, body]) => receiver.receive(header, body))
  return {
    receiver,
    handled,
    post,
    status: (...given: Parameters<typeof post>) => Effect.map(post(...given), statusOf)
  }
})

const statusOf = (received: Receiver.Received) => answerTo(received).status

describe("a delivery", () => {
  it.effect("is handled once, and every repetition of it is answered 200", () =>
    Effect.gen(function* () {
      const { handled, post } = yield* receiving()
      const first = yield* post()
      assert.strictEqual(first._tag, "Handled")
      assert.strictEqual(statusOf(first), 200)
      yield* TestClock.adjust("3 days")
      const again = yield* post()
      assert.strictEqual(again._tag, "Duplicate")
      assert.strictEqual(statusOf(again), 200)
      assert.strictEqual(yield* Effect.map(post({ jobId: "job_2", status: "failed" }), statusOf), 200)
      assert.deepStrictEqual(handled, ["job_1 success", "job_2 failed"])
    })
  )

  it.effect("is handled again after its handler failed or died, and only then", () =>
    Effect.gen(function* () {
      const ends = [Effect.fail("no"), Effect.die("broken"), Effect.void]
      let calls = 0
      const { handled, status } = yield* receiving({}, () => ends[calls++] ?? Effect.die("too often"))
      assert.strictEqual(yield* status(), 500)
      assert.strictEqual(yield* status(), 500)
      assert.strictEqual(yield* status(), 200)
      assert.strictEqual(yield* status(), 200)
      assert.strictEqual(handled.length, 3)
    })
  )

  it.effect("in the flat dialect is the same event", () =>
    Effect.gen(function* () {
      const { handled, status } = yield* receiving()
      assert.strictEqual(yield* status({ dialect: "flat" }), 200)
      assert.strictEqual(yield* status(), 200)
      assert.deepStrictEqual(handled, ["job_1 success"])
    })
  )

  it.effect("that nobody proved is answered 401 and not handled", () =>
    Effect.gen(function* () {
      const { handled, post, receiver } = yield* receiving()
      const [header, body] = yield* delivery()
      const refusals = [
        yield* post({}, "whk_somebody_elses_secret"),
        yield* receiver.receive(header, Uint8Array.of(...body, 32)),
        yield* receiver.receive(() => undefined, body)
      ]
      yield* TestClock.adjust("301 seconds")
      refusals.push(yield* receiver.receive(header, body))
      assert.deepStrictEqual(
        refusals.map((received) => received._tag === "Rejected" && received.reason._tag),
        ["SignatureMismatch", "SignatureMismatch", "NoSignature", "TimestampTooOld"]
      )
      assert.deepStrictEqual(refusals.map(statusOf), [401, 401, 401, 401])
      assert.deepStrictEqual(handled, [])
    })
  )

  it.effect("that is proved and no event is answered 400 with the place", () =>
    Effect.gen(function* () {
      const { handled, status } = yield* receiving()
      assert.strictEqual(yield* status({ jobId: "" }), 400)
      assert.deepStrictEqual(handled, [])
    })
  )

  it.effect("is accepted with either secret of a rotation", () =>
    Effect.gen(function* () {
      const { status } = yield* receiving({ secrets: ["whk_the_new_secret_of_it", secret] })
      assert.strictEqual(yield* status(), 200)
      assert.strictEqual(yield* status({ jobId: "job_2" }, "whk_the_new_secret_of_it"), 200)
    })
  )

  it.effect("that comes while the first is being handled is to come again, however long that takes", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const { handled, status } = yield* receiving({}, () => Deferred.await(done))
      const first = yield* Effect.forkChild(status())
      yield* TestClock.adjust("1 second")
      for (const _ of [1, 2, 3]) {
        assert.strictEqual(yield* status(), 503)
        yield* TestClock.adjust("59 seconds")
      }
      yield* Deferred.succeed(done, undefined)
      assert.strictEqual(yield* Fiber.join(first), 200)
      assert.strictEqual(yield* status(), 200)
      assert.strictEqual(handled.length, 1)
    })
  )

  it.effect("is handled to its end when the sender hangs up", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const { handled, post, status } = yield* receiving({}, () => Deferred.await(done))
      const first = yield* Effect.forkChild(post())
      yield* TestClock.adjust("15 seconds")
      yield* Fiber.interrupt(first)
      assert.strictEqual(yield* status(), 503)
      yield* Deferred.succeed(done, undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* post())._tag, "Duplicate")
      assert.strictEqual(handled.length, 1)
    })
  )

  it.effect("whose handler was interrupted by a restart is handled again at once", () =>
    Effect.gen(function* () {
      const inbox = Inbox.make()
      const scope = yield* Scope.make()
      const before = yield* Scope.provide(
        receiving({ inbox }, () => Effect.never),
        scope
      )
      yield* Effect.forkChild(before.post())
      yield* TestClock.adjust("1 second")
      yield* Scope.close(scope, Exit.void)
      const after = yield* receiving({ inbox })
      assert.strictEqual(yield* after.status(), 200)
      assert.deepStrictEqual(after.handled, ["job_1 success"])
    })
  )

  it.effect("whose handler was killed is handled again once its claim has ended", () =>
    Effect.gen(function* () {
      const store = MemoryEventStore.make()
      // what a process that was killed leaves behind
      yield* store.claim({
        id: "job_1",
        body: bodyOf(),
        token: "x",
        now,
        claimedUntil: now + 60_000,
        keepUntil: now * 2
      })
      const { status } = yield* receiving({ inbox: Inbox.make({ store }) })
      assert.strictEqual(yield* status(), 503)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* status(), 200)
    })
  )

  it.effect("is to come again when it cannot be written down", () =>
    Effect.gen(function* () {
      const failing = Effect.fail(new EventStore.EventStoreFailed({ problem: "disk full" }))
      const store = { ...MemoryEventStore.make(), claim: () => failing }
      const { handled, status } = yield* receiving({ inbox: Inbox.make({ store }) })
      assert.strictEqual(yield* status(), 503)
      assert.deepStrictEqual(handled, [])
    })
  )
})

describe("the schemes", () => {
  const body = new TextEncoder().encode(bodyOf())
  const headerOf = (headers: object) => {
    const found = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const)
    return (name: string) => Object.fromEntries(found)[name.toLowerCase()]
  }
  const seed = (fill: number) => new Uint8Array(32).fill(fill)

  it.effect("are those that were set up, and any of them may prove a delivery", () =>
    Effect.gen(function* () {
      const shared = `whsec_${Buffer.alloc(32, 3).toString("base64")}`
      const timestamp = now / 1000
      const key = yield* Ed25519.signingKey(seed(1))
      const l8Key = yield* Ed25519.signingKey(seed(2))
      const standard = StandardWebhooks.sign({ id: "msg_1", body, secrets: shared, timestamp })
      const asymmetric = yield* StandardWebhooksKeys.sign({ id: "msg_1", body, keys: key, timestamp })
      const both = yield* StandardWebhooksKeys.sign({ id: "msg_1", body, keys: key, timestamp }, standard)
      const deliveryId = "0198b2a0-0000-7000-8000-000000000001"
      const l8 = yield* L8Delivery.sign(l8Key, { deliveryId, body, timestamp })
      const trusts = {
        shared: { secrets: shared },
        key: { secrets: undefined, publicKeys: StandardWebhooksKeys.publicKeyOf(key) },
        l8: { secrets: undefined, l8PublicKeys: [L8.publicKeyText(l8Key.publicKey)] }
      }
      const verdicts: Record<string, ReadonlyArray<number>> = {}
      for (const [name, trust] of Object.entries(trusts)) {
        const statuses: Array<number> = []
        for (const headers of [standard, asymmetric, both, l8]) {
          const { receiver } = yield* receiving(trust)
          statuses.push(statusOf(yield* receiver.receive(headerOf(headers), body)))
        }
        verdicts[name] = statuses
      }
      assert.deepStrictEqual(verdicts, {
        shared: [200, 401, 200, 401],
        key: [401, 200, 200, 401],
        l8: [401, 401, 401, 200]
      })
    }).pipe(Effect.provide(Ed25519.layer))
  )

  it.effect("say before the body is read that there is nothing to check", () =>
    Effect.gen(function* () {
      const { receiver } = yield* receiving()
      assert.strictEqual(receiver.refuse(headerOf({}))?._tag, "Rejected")
      assert.strictEqual(receiver.refuse(headerOf({ "webhook-signature": "v1,x" }))?._tag, "Rejected")
      assert.isUndefined(receiver.refuse(headerOf({ "x-ezthrottle-signature": "t=1" })))
    })
  )

  for (const [name, options] of [
    ["nobody trusted", { secrets: undefined }],
    ["an empty secret", { secrets: "" }],
    ["no secrets in the list", { secrets: [] }],
    ["an empty secret beside a good one", { secrets: [secret, ""] }],
    ["a short secret", { secrets: "short" }],
    ["a private key for a public one", { publicKeys: `whsk_${Buffer.alloc(32, 1).toString("base64")}` }],
    ["an L8 key that is none", { l8PublicKeys: "AAAA" }]
  ] as const) {
    it.effect(`refuse to be set up with ${name}`, () =>
      Effect.map(Effect.flip(receiving(options)), (error) => assert.strictEqual(error._tag, "InvalidReceiver"))
    )
  }
})

describe("laws", () => {
  const Bytes = Arbitrary.schema(Schema.Uint8Array)

  it.effect.prop(
    "any body that was signed is accepted or called undecodable, and one changed byte is refused",
    [Bytes, Schema.Int],
    ([bytes, at]) =>
      Effect.gen(function* () {
        const { receiver } = yield* receiving()
        const headers: Record<string, string> = headersFor(bytes, now / 1000)
        const header = (name: string) => headers[name.toLowerCase()]
        assert.include(["Undecodable", "Handled"], (yield* receiver.receive(header, bytes))._tag)
        const changed = Uint8Array.of(...bytes, 0)
        const place = Math.abs(at) % changed.length
        changed[place] = (changed[place] ?? 0) ^ 1
        assert.strictEqual((yield* receiver.receive(header, changed))._tag, "Rejected")
      }).pipe(Effect.scoped)
  )

  it.effect.prop(
    "no headers and no body make it fail, and none are accepted",
    [Schema.String, Schema.String, Bytes],
    ([a, b, bytes]) =>
      Effect.gen(function* () {
        const { handled, receiver } = yield* receiving({ secrets: [secret, `whsec_${"A".repeat(32)}`] })
        for (const header of [
          () => a,
          () => `t=${now / 1000},v1=${b}`,
          (name: string) => (name.endsWith("id") ? a : `v1,${b}`)
        ]) {
          assert.strictEqual((yield* receiver.receive(header, bytes))._tag, "Rejected")
        }
        assert.deepStrictEqual(handled, [])
      }).pipe(Effect.scoped)
  )
})

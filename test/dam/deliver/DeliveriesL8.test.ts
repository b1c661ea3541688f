import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { createHash } from "node:crypto"
import type { IncomingHttpHeaders, RequestListener } from "node:http"
import * as Dam from "../../../src/dam/Dam.ts"
import { defaults } from "../../../src/dam/deliver/Schedule.ts"
import { deliveryIdOf, type L8, type L8Options } from "../../../src/dam/l8/L8.ts"
import { Untrusted } from "../../../src/dam/l8/Initiator.ts"
import * as L8Responder from "../../../src/dam/l8/Responder.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { nodeListener } from "../../../src/receive/NodeListener.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Ed25519 from "../../../src/wire/Ed25519.ts"
import * as L8Wire from "../../../src/wire/L8.ts"
import { isUuid } from "../../../src/wire/L8.ts"
import { listening, settled } from "./DeliverySockets.ts"
import { type Peer, peer } from "../l8/L8Peer.ts"
import { hook, setUp, url } from "../support.ts"

const telling = Step.webhooks(Step.get(url), [{ url: hook }])

describe("an attempt", () => {
  /** L8 whose trust in the receiver is what the test says. */
  const standing = (isTrusted: () => boolean) => {
    const headers = { "X-L8-Delivery-Id": "id", "X-L8-Timestamp": "t", "X-L8-Key-Id": "k", "X-L8-Signature": "s" }
    const l8: L8 = {
      publicKey: "",
      responder: { document: "", admit: () => Effect.void, answer: () => Effect.succeed("") },
      trusts: {
        prove: () => Effect.void,
        list: Effect.succeed([]),
        revoke: () => Effect.die("not here"),
        forget: () => Effect.succeed(false)
      },
      prepare: () =>
        Effect.suspend(() =>
          isTrusted()
            ? Effect.succeed((at: number) => Effect.succeed({ ...headers, "X-L8-Timestamp": String(at) }))
            : Effect.fail(new Untrusted({ problem: "it publishes no L8 document" }))
        )
    }
    return l8
  }

  it.effect("that goes unsigned though L8 is preferred says why, in explain too", () =>
    Effect.gen(function* () {
      const l8: L8 = {
        ...standing(() => true),
        prepare: () => Effect.succeed({ problem: "it publishes no L8 document" })
      }
      const dam = yield* setUp({ l8 })
      const job = yield* dam.runToEnd(telling)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* dam.told, 1)
      const { reasons } = yield* Effect.flatMap(dam.get(job.id), dam.engine.explain)
      assert.include(
        reasons.at(-1)?.message,
        "it was told to hooks.example:443 without L8: it publishes no L8 document"
      )
    })
  )

  it.effect("carries the headers of its own moment beside the others", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ l8: standing(() => true) })
      yield* TestClock.adjust("5 seconds")
      yield* dam.runToEnd(telling)
      const [call] = yield* dam.told
      assert.deepInclude(call?.asked.request.headers, {
        "X-L8-Signature": "s",
        "X-L8-Timestamp": String(call?.at),
        "Content-Type": "application/json"
      })
      assert.isDefined(call?.asked.request.headers["webhook-id"])
    })
  )

  it.effect(
    "fails without a call where trust is required and is not there, and ends as a dead letter that says so",
    () =>
      Effect.gen(function* () {
        const dam = yield* setUp({ l8: standing(() => false) })
        const id = yield* dam.submit(telling)
        yield* TestClock.adjust("96 hours")
        assert.deepStrictEqual(yield* dam.told, [])
        const [delivery] = yield* dam.store.deliveries(id)
        assert.deepInclude(delivery, { state: "dead" })
        assert.lengthOf(delivery?.attempts ?? [], defaults.schedule.length)
        assert.include(delivery?.attempts[0]?.error, "L8 is required and the receiver is not trusted: it publishes no")
      })
  )

  it.effect("is made again on schedule, and with L8 once the receiver has proved itself", () =>
    Effect.gen(function* () {
      let isTrusted = false
      const dam = yield* setUp({ l8: standing(() => isTrusted) })
      const id = yield* dam.submit(telling)
      yield* TestClock.adjust("1 second")
      isTrusted = true
      yield* TestClock.adjust("6 seconds")
      assert.deepInclude((yield* dam.store.deliveries(id))[0], { state: "delivered" })
      assert.lengthOf(yield* dam.told, 1)
    })
  )

  it("has the same UUID whenever it is made, and another for another delivery", () => {
    assert.strictEqual(deliveryIdOf("job_1:0"), deliveryIdOf("job_1:0"))
    assert.notStrictEqual(deliveryIdOf("job_1:0"), deliveryIdOf("job_1:1"))
    assert.isTrue(isUuid(deliveryIdOf("job_1:0")))
    assert.match(deliveryIdOf("job_1:0"), /^.{14}8.{4}[89ab]/)
  })
})

describe("a dam and a receiver", () => {
  const ours = peer()

  interface Called {
    readonly path: string
    readonly headers: IncomingHttpHeaders
    readonly body: Buffer
  }

  /** A receiver that answers as the test says, and keeps what it was asked. */
  const receiver = Effect.fnUntraced(function* (answers: Readonly<Record<string, (body: Buffer) => unknown>>) {
    const called: Array<Called> = []
    const listen: RequestListener = (request, response) => {
      const pieces: Array<Buffer> = []
      request.on("data", (piece: Buffer) => pieces.push(piece))
      request.on("end", () => {
        const body = Buffer.concat(pieces)
        const path = request.url ?? ""
        called.push({ path, headers: request.headers, body })
        const answer = answers[path]
        if (answer === undefined) response.writeHead(path === "/hook" ? 204 : 404).end()
        else void Promise.resolve(answer(body)).then((value) => response.end(JSON.stringify(value)))
      })
    }
    return { called, ...(yield* listening(listen)) }
  })

  const speaking = (theirs: Peer, change: Readonly<Record<string, unknown>> = {}) => ({
    "/.well-known/l8": () => theirs.document(change),
    "/l8/challenge": (body: Buffer) => theirs.answer(JSON.parse(body.toString("utf8")))
  })

  const told = Effect.fnUntraced(function* (origin: string, l8: L8Options, times = 1) {
    const target = yield* listening((_, response) => response.end("fine"))
    const dam = yield* Dam.make({
      path: ":memory:",
      pacing: { pace: { rps: 1000, maxConcurrent: 10 } },
      deliveries: { ...defaults, schedule: [Duration.zero] },
      l8: { privateKey: Redacted.make(ours.secret), ...l8 }
    })
    const deliveries = yield* Effect.forEach(Array.from({ length: times }), (_, n) =>
      Effect.gen(function* () {
        const step = Step.webhooks(Step.get(target.url), [{ url: `${origin}hook` }])
        const { jobId } = yield* dam.service.transport.submit({ step, key: `${n}`, retryAt: undefined })
        return yield* settled(dam.store, jobId)
      })
    )
    return { dam, deliveries }
  })

  const hooksOf = (called: ReadonlyArray<Called>) => called.filter(({ path }) => path === "/hook")

  it.live("shake hands once, and every delivery is signed with the key that signed the challenge", () =>
    Effect.gen(function* () {
      const theirs = peer()
      const { called, url: origin } = yield* receiver(speaking(theirs))
      const { dam } = yield* told(origin, { default: "require" }, 3)
      assert.deepStrictEqual(
        called.map(({ path }) => path),
        ["/.well-known/l8", "/l8/challenge", "/hook", "/hook", "/hook"]
      )
      for (const { body, headers } of hooksOf(called)) {
        const [id, time] = [String(headers["x-l8-delivery-id"]), String(headers["x-l8-timestamp"])]
        const digest = createHash("sha256").update(body).digest("base64")
        assert.isTrue(ours.accepts(String(headers["x-l8-signature"]), `${id}.${time}.${digest}`))
        assert.strictEqual(
          headers["x-l8-key-id"],
          Buffer.from(ours.publicKey, "base64").subarray(0, 8).toString("base64")
        )
        assert.isDefined(headers["webhook-signature"])
      }
      assert.deepInclude((yield* dam.store.l8Trusts(10))[0], {
        origin: origin.slice(0, -1),
        publicKey: theirs.publicKey
      })
    }).pipe(Effect.scoped)
  )

  it.live("that has no L8 is told without its headers, and is asked for them once", () =>
    Effect.gen(function* () {
      const { called, url: origin } = yield* receiver({})
      const { deliveries } = yield* told(origin, { default: "prefer" }, 2)
      assert.deepStrictEqual(
        called.map(({ path }) => path),
        ["/.well-known/l8", "/hook", "/hook"]
      )
      assert.deepStrictEqual(
        deliveries.map(({ state }) => state),
        ["delivered", "delivered"]
      )
      for (const { headers } of hooksOf(called)) assert.notInclude(Object.keys(headers).join(), "x-l8")
      for (const { attempts } of deliveries) assert.include(attempts[0]?.unsigned, "it publishes no L8 document")
    }).pipe(Effect.scoped)
  )

  it.live("that has no L8 gets a dead letter where L8 is required", () =>
    Effect.gen(function* () {
      const { called, url: origin } = yield* receiver({})
      const { deliveries } = yield* told(origin, { hosts: { [origin.slice(0, -1)]: "require" } })
      assert.lengthOf(hooksOf(called), 0)
      assert.strictEqual(deliveries[0]?.state, "dead")
      assert.include(deliveries[0]?.attempts[0]?.error, "it publishes no L8 document")
    }).pipe(Effect.scoped)
  )

  it.live("where it is off for this host is not asked at all", () =>
    Effect.gen(function* () {
      const { called, url: origin } = yield* receiver(speaking(peer()))
      yield* told(origin, { default: "require", hosts: { [origin]: "off" } })
      assert.deepStrictEqual(
        called.map(({ path }) => path),
        ["/hook"]
      )
      assert.notInclude(Object.keys(called[0]?.headers ?? {}).join(), "x-l8")
    }).pipe(Effect.scoped)
  )

  it.live("whose document is larger than 16 KiB is not trusted", () =>
    Effect.gen(function* () {
      const { called, url: origin } = yield* receiver(speaking(peer(), { service_name: "x".repeat(16_384) }))
      const { deliveries } = yield* told(origin, { default: "require" })
      assert.deepStrictEqual(
        called.map(({ path }) => path),
        ["/.well-known/l8"]
      )
      assert.include(deliveries[0]?.attempts[0]?.error, "larger than 16384 bytes")
    }).pipe(Effect.scoped)
  )

  it.live("of ours understand each other: our answering side, and our receiver that trusts L8 alone", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(Ed25519.layer)
      const theirs = peer()
      const key = yield* Effect.provideContext(L8Wire.signingKey(Redacted.make(theirs.secret)), context)
      const nonces = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
      const side = yield* Effect.provideContext(L8Responder.make(nonces, key, "a receiver"), context)
      const handled: Array<string> = []
      const webhook = nodeListener({ l8PublicKeys: ours.publicKey, handle: ({ jobId }) => handled.push(jobId) })
      const { url: origin } = yield* listening((request, response) => {
        if (request.url === "/hook") return void webhook(request, response)
        if (request.method === "GET") return void response.end(side.document)
        const pieces: Array<Buffer> = []
        request.on("data", (piece: Buffer) => pieces.push(piece))
        request.on("end", () => {
          void Effect.runPromise(side.answer(new Uint8Array(Buffer.concat(pieces)))).then((text) => response.end(text))
        })
      })
      const { deliveries } = yield* told(origin, { default: "require" })
      assert.strictEqual(deliveries[0]?.state, "delivered")
      assert.deepStrictEqual(handled, [deliveries[0]?.jobId])
      yield* Effect.promise(() => webhook[Symbol.asyncDispose]())
    }).pipe(Effect.scoped)
  )
})

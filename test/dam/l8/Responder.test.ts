import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { connect } from "node:net"
import * as L8Module from "../../../src/dam/l8/L8.ts"
import { orRefused } from "../../../src/dam/http/door/Answer.ts"
import { refusalOf } from "../../../src/dam/http/routes/TrustRoutes.ts"
import * as L8Responder from "../../../src/dam/l8/Responder.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Script from "../../../src/testing/Script.ts"
import * as Ed25519 from "../../../src/wire/Ed25519.ts"
import * as L8 from "../../../src/wire/L8.ts"
import * as Double from "../http/HttpDouble.ts"
import { exchange } from "../http/HttpWire.ts"
import { peer } from "./L8Peer.ts"

const ours = peer()
const theirs = peer()

const setUp = Effect.fnUntraced(function* (taken?: "Taken" | "Seen" | "Full") {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const context = yield* Layer.build(Ed25519.layer)
  const key = yield* Effect.provideContext(L8.signingKey(Redacted.make(ours.secret)), context)
  const nonces = taken === undefined ? store : { takeL8Nonce: () => Effect.succeed(taken) }
  const responder = yield* Effect.provideContext(L8Responder.make(nonces, key, "a dam"), context)
  const say = (body: unknown) =>
    Effect.map(
      Effect.result(
        orRefused(
          responder
            .answer(new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)))
            .pipe(Effect.catchTag("ChallengeRefused", (error) => Effect.fail(refusalOf(error))))
        )
      ),
      (end) =>
        end._tag === "Success"
          ? { status: 200, ...JSON.parse(end.success) }
          : { status: end.failure.status, field: end.failure.field, error: end.failure.message }
    )
  return { ...responder, say }
})

describe("answering a challenge", () => {
  it.effect("signs its two ids with the key that is published", () =>
    Effect.gen(function* () {
      const { document, say } = yield* setUp()
      assert.deepStrictEqual(JSON.parse(document), ours.document({ service_name: "a dam" }))
      const asked = theirs.challenge()
      const { receiver_public_key, receiver_signature, status, ...ids } = yield* say(asked)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(ids, { challenge_id: asked["challenge_id"], nonce: asked["nonce"] })
      assert.strictEqual(receiver_public_key, ours.publicKey)
      assert.isTrue(ours.accepts(receiver_signature, `${asked["challenge_id"]}:${asked["nonce"]}`))
    })
  )

  it.effect.each([
    { field: "challenge_id", change: { challenge_id: "0198b2a0-0000-7000-8000-000000000001.1760000000.x" } },
    { field: "challenge_id", change: { challenge_id: "0198b2a0-0000-7000-8000-000000000001\n" } },
    { field: "nonce", change: { nonce: "" } },
    { field: "nonce", change: { nonce: 7 } },
    { field: "timestamp", change: { timestamp: "0" } },
    { field: "timestamp", change: { timestamp: 0.5 } },
    { field: "timestamp", change: { timestamp: 301 } },
    { field: "timestamp", change: { timestamp: -301 } },
    { field: "sender_public_key", change: { sender_public_key: "AAAA" } },
    { field: "sender_public_key", change: { sender_public_key: Buffer.alloc(32).toString("base64") } },
    { field: "sender_public_key", change: { sender_public_key: ours.publicKey } },
    { field: "signature", change: { signature: theirs.sign("something else") } },
    { field: "signature", change: { signature: "" } },
    { field: "signature", change: { signature: undefined } }
  ])("is refused for what is wrong with $field: $change", ({ change, field }) =>
    Effect.gen(function* () {
      const { say } = yield* setUp()
      assert.deepInclude(yield* say(theirs.challenge(change)), { status: 400, field })
    })
  )

  it.effect.each(["", "[]", "null", "{", '"x"'])("is refused for what is no challenge: %s", (body) =>
    Effect.gen(function* () {
      assert.deepInclude(yield* (yield* setUp()).say(body), { status: 400, field: "body" })
    })
  )

  it.effect("is refused to our own key even where it signs", () =>
    Effect.gen(function* () {
      const { say } = yield* setUp()
      assert.deepInclude(yield* say(ours.challenge()), { status: 400, field: "sender_public_key" })
    })
  )

  it.effect("takes times 300 seconds away, and none further", () =>
    Effect.gen(function* () {
      const { say } = yield* setUp()
      yield* TestClock.setTime(1_000_000)
      assert.deepInclude(yield* say(theirs.challenge({}, 700)), { status: 200 })
      assert.deepInclude(yield* say(theirs.challenge({}, 1300)), { status: 200 })
      assert.deepInclude(yield* say(theirs.challenge({}, 699)), { status: 400, field: "timestamp" })
    })
  )

  it.effect("happens once for a nonce, in whatever letters, and a failed challenge uses none up", () =>
    Effect.gen(function* () {
      const { say } = yield* setUp()
      const nonce = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
      assert.deepInclude(yield* say({ ...theirs.challenge({ nonce }), signature: theirs.sign("no") }), { status: 400 })
      assert.deepInclude(yield* say(theirs.challenge({ nonce })), { status: 200 })
      assert.deepInclude(yield* say(theirs.challenge({ nonce })), { status: 400, field: "nonce" })
      assert.deepInclude(yield* say(theirs.challenge({ nonce: nonce.toUpperCase() })), { status: 400, field: "nonce" })
      yield* TestClock.adjust("660 seconds")
      assert.deepInclude(yield* say(theirs.challenge({ nonce }, 660)), { status: 400, field: "nonce" })
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* say(theirs.challenge({ nonce }, 660)), { status: 200 })
    })
  )

  it.effect("is put off while too many nonces are remembered", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* (yield* setUp("Full")).say(theirs.challenge()), { status: 429 })
    })
  )
})

describe("the rate of challenges", () => {
  const tried = (responder: Pick<L8Responder.Responder, "admit">, address: string) =>
    Effect.map(Effect.result(responder.admit(address)), (end) =>
      end._tag === "Success" ? "admitted" : refusalOf(end.failure).headers["retry-after"]
    )

  it.effect("is 10 in a minute for an address, and says when to come back", () =>
    Effect.gen(function* () {
      const responder = yield* setUp()
      for (let n = 0; n < 10; n++) {
        assert.strictEqual(yield* tried(responder, "192.0.2.1"), "admitted")
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(yield* tried(responder, "192.0.2.1"), "50")
      assert.strictEqual(yield* tried(responder, "::ffff:192.0.2.1"), "50")
      assert.strictEqual(yield* tried(responder, "192.0.2.2"), "admitted")
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(yield* tried(responder, "192.0.2.1"), "admitted")
      assert.strictEqual(yield* tried(responder, "192.0.2.1"), "1")
    })
  )

  it.effect("counts a network of IPv6 as one address", () =>
    Effect.gen(function* () {
      const responder = yield* setUp()
      for (let n = 1; n <= 10; n++) assert.strictEqual(yield* tried(responder, `2001:db8:0:1::${n}`), "admitted")
      assert.strictEqual(yield* tried(responder, "2001:db8:0:1:ffff:1:2:3"), "60")
      assert.strictEqual(yield* tried(responder, "2001:db8:0:2::1"), "admitted")
      assert.strictEqual(yield* tried(responder, "::1"), "admitted")
    })
  )

  it.effect("is kept for so many addresses, and no others are admitted meanwhile", () =>
    Effect.gen(function* () {
      const responder = yield* setUp()
      for (let n = 0; n < L8Responder.bounds.addresses; n++) yield* responder.admit(`10.0.${n >> 8}.${n & 255}`)
      assert.strictEqual(yield* tried(responder, "192.0.2.1"), "60")
      assert.strictEqual(yield* tried(responder, "10.0.0.0"), "admitted")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* tried(responder, "192.0.2.1"), "admitted")
    })
  )
})

describe("over HTTP", () => {
  /** A dam with L8, or without. */
  const listening = Effect.fnUntraced(function* (mode: L8Module.Mode) {
    const kept = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
    const l8 = yield* L8Module.make(
      { default: mode, privateKey: Redacted.make(ours.secret) },
      {
        database: ":memory:",
        store: kept,
        transport: yield* Script.make(Script.always({ status: 200 })),
        policy: EgressPolicy.publicOnly
      }
    )
    return yield* Double.make({ wrapEngine: (engine) => ({ ...engine, l8 }) })
  })

  const ask = (url: string, body?: unknown) =>
    Effect.promise(async () => {
      const headers = { "content-type": "application/json" }
      const answer = await fetch(
        url,
        body === undefined ? undefined : { method: "POST", headers, body: JSON.stringify(body) }
      )
      const text = await answer.text()
      return { status: answer.status, type: answer.headers.get("content-type"), text }
    })

  const nowSeconds = () => Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000)

  it.live("is there only while it is on", () =>
    Effect.gen(function* () {
      const off = yield* listening("off")
      for (const path of ["/.well-known/l8", "/l8-spec", "/api/v1/l8/trust"]) {
        assert.strictEqual((yield* ask(off.url + path)).status, 404, path)
      }
      assert.strictEqual((yield* ask(`${off.url}/l8/challenge`, theirs.challenge({}, nowSeconds()))).status, 404)
      assert.notInclude((yield* ask(`${off.url}/health`)).text, "l8_")
      const on = yield* listening("prefer")
      const document = yield* ask(`${on.url}/.well-known/l8`)
      assert.deepStrictEqual(JSON.parse(document.text), ours.document({ service_name: "ezthrottle-effect" }))
      assert.strictEqual(document.type, "application/json")
      assert.deepInclude(JSON.parse((yield* ask(`${on.url}/health`)).text), {
        l8_protocol: "0.1",
        l8_public_key: ours.publicKey,
        l8_changed_keys: 0
      })
      const spec = yield* ask(`${on.url}/l8-spec`)
      assert.strictEqual(spec.type, "text/markdown; charset=utf-8")
      assert.include(spec.text, "{delivery_id}.{timestamp}.{base64(sha256(body))}")
    }).pipe(Effect.scoped)
  )

  it.live("answers a challenge, once, and a stranger 10 times a minute", () =>
    Effect.gen(function* () {
      const { url } = yield* listening("require")
      const asked = theirs.challenge({}, nowSeconds())
      const first = yield* ask(`${url}/l8/challenge`, asked)
      assert.strictEqual(first.status, 200)
      const { receiver_signature } = JSON.parse(first.text)
      assert.isTrue(ours.accepts(receiver_signature, `${asked["challenge_id"]}:${asked["nonce"]}`))
      assert.strictEqual((yield* ask(`${url}/l8/challenge`, asked)).status, 400)
      for (let n = 2; n < 10; n++) assert.strictEqual((yield* ask(`${url}/l8/challenge`, {})).status, 400)
      assert.strictEqual((yield* ask(`${url}/l8/challenge`, {})).status, 429)
    }).pipe(Effect.scoped)
  )

  it.live("reads 4 KiB of a challenge and no more", () =>
    Effect.gen(function* () {
      const { port } = yield* listening("prefer")
      const head = (length: number) =>
        Buffer.from(
          `POST /l8/challenge HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
        )
      const told = yield* Effect.promise(() => exchange(port, head(4097)))
      assert.strictEqual(told.status, 413)
      const fits = yield* Effect.promise(() => exchange(port, Buffer.concat([head(4096), Buffer.alloc(4096, 32)])))
      assert.strictEqual(fits.status, 400)
      const chunked = yield* Effect.promise(
        () =>
          new Promise<string>((resolve) => {
            const socket = connect(port, "127.0.0.1", () =>
              socket.write(
                `POST /l8/challenge HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1100\r\n${" ".repeat(0x1100)}\r\n`
              )
            )
            socket.on("error", () => {})
            socket.once("data", (bytes) => {
              socket.destroy()
              resolve(bytes.toString("latin1"))
            })
          })
      )
      assert.match(chunked, /^HTTP\/1\.1 413 /)
    }).pipe(Effect.scoped)
  )

  it.live("shows the trust in receivers, revokes it and forgets it", () =>
    Effect.gen(function* () {
      const { url } = yield* listening("prefer")
      const origin = "https://hooks.example.com"
      const trust = `${url}/api/v1/l8/trust`
      assert.deepStrictEqual(JSON.parse((yield* ask(trust)).text), { trust: [] })
      const revoked = yield* ask(`${trust}/revoke`, { origin: "https://HOOKS.example.com:443/" })
      assert.deepInclude(JSON.parse(revoked.text), { origin, status: "revoked", public_key: null })
      assert.deepInclude(JSON.parse((yield* ask(trust)).text).trust[0], { origin, status: "revoked" })
      assert.deepStrictEqual(JSON.parse((yield* ask(`${trust}/forget`, { origin })).text), { forgotten: true })
      assert.deepStrictEqual(JSON.parse((yield* ask(`${trust}/forget`, { origin })).text), { forgotten: false })
      for (const wrong of ["hooks.example.com", "https://hooks.example.com/path", "data:x", ""]) {
        assert.strictEqual((yield* ask(`${trust}/revoke`, { origin: wrong })).status, 400, wrong)
      }
    }).pipe(Effect.scoped)
  )
})

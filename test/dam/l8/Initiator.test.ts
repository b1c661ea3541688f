import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as L8Initiator from "../../../src/dam/l8/Initiator.ts"
import * as Reply from "../../../src/step/Reply.ts"
import type { Step } from "../../../src/step/Step.ts"
import * as Ed25519 from "../../../src/wire/Ed25519.ts"
import * as L8 from "../../../src/wire/L8.ts"
import { type Peer, peer } from "./L8Peer.ts"

const ours = peer()
const origin = "https://hooks.example.com"

interface Scene {
  readonly origin?: string
  readonly policy?: EgressPolicy.EgressPolicy
  /** Who answers; shares no key with us unless the test says so. */
  readonly theirs?: Peer
  readonly document?: Readonly<Record<string, unknown>>
  readonly published?: Reply.Response
  readonly answer?: Readonly<Record<string, unknown>>
  readonly answered?: Reply.Response
}

/** Makes a handshake and tells how it ended, and what was called. */
const meet = Effect.fnUntraced(function* (scene: Scene) {
  const { theirs = peer() } = scene
  const calls: Array<string> = []
  const json = (value: unknown) => Reply.response(200, {}, JSON.stringify(value))
  let signed = false
  const call = ({ request }: Step) =>
    Effect.sync(() => {
      calls.push(`${request.method} ${request.url}`)
      if (request.method === "GET") return scene.published ?? json(theirs.document(scene.document))
      const asked = JSON.parse(String(request.body))
      signed = ours.accepts(asked.signature, `${asked.challenge_id}:${asked.nonce}`)
      assert.strictEqual(asked.sender_public_key, ours.publicKey)
      assert.strictEqual(asked.timestamp, 0)
      return scene.answered ?? json(theirs.answer(asked, scene.answer))
    })
  const key = yield* L8.signingKey(Redacted.make(ours.secret))
  const end = yield* Effect.result(
    L8Initiator.handshake(key, scene.policy ?? EgressPolicy.publicOnly, scene.origin ?? origin, call)
  )
  return { calls, signed, end: Result.isSuccess(end) ? end.success : `refused: ${end.failure.problem}` }
}, Effect.provide(Ed25519.layer))

describe("a handshake", () => {
  it.effect("asks for the document, then sends a challenge that anybody can check, and answers the key", () =>
    Effect.gen(function* () {
      const theirs = peer()
      const { calls, end, signed } = yield* meet({ theirs })
      assert.deepStrictEqual(calls, [`GET ${origin}/.well-known/l8`, `POST ${origin}/l8/challenge`])
      assert.isTrue(signed)
      assert.strictEqual(end, theirs.publicKey)
    })
  )

  it.effect.each([
    { endpoint: "/elsewhere?x=1", url: `${origin}/elsewhere?x=1` },
    { endpoint: `${origin}/absolute`, url: `${origin}/absolute` },
    { endpoint: "https://HOOKS.example.com:443/same", url: `${origin}/same` }
  ])("finds a challenge endpoint at $endpoint", ({ endpoint, url }) =>
    Effect.gen(function* () {
      const { calls } = yield* meet({ document: { challenge_endpoint: endpoint } })
      assert.strictEqual(calls[1], `POST ${url}`)
    })
  )

  it.effect.each([
    "https://evil.example.com/l8",
    "//evil.example.com/l8",
    "\\\\evil.example.com\\l8",
    "http://hooks.example.com/l8",
    "https://hooks.example.com:8443/l8",
    "https://user:pass@hooks.example.com/l8",
    "file:///etc/passwd",
    "javascript:alert(1)"
  ])("sends no challenge to %s", (endpoint) =>
    Effect.gen(function* () {
      const { calls, end } = yield* meet({ document: { challenge_endpoint: endpoint } })
      assert.strictEqual(end, "refused: its challenge endpoint is not of its own origin")
      assert.lengthOf(calls, 1)
    })
  )

  it.effect.each([
    { what: "no document", published: Reply.response(404), problem: "publishes no L8 document" },
    { what: "a redirect", published: Reply.response(302, { location: "/x" }), problem: "redirect" },
    { what: "an error", published: Reply.response(500), problem: "was answered 500" },
    { what: "no JSON", published: Reply.response(200, {}, "<html>"), problem: "is not JSON" },
    { what: "bytes", published: Reply.response(200, {}, Uint8Array.of(0xff)), problem: "is not UTF-8" }
  ])("ends with a document that is $what", ({ problem, published }) =>
    Effect.gen(function* () {
      const { calls, end } = yield* meet({ published })
      assert.include(end, problem)
      assert.match(end, /^refused: /)
      assert.lengthOf(calls, 1)
    })
  )

  it.effect.each([
    { document: { protocol_version: "0.2" }, problem: "protocol_version" },
    { document: { supported_algorithms: ["rsa"] }, problem: "does not list ed25519" },
    { document: { public_key: "AAAA" }, problem: "public_key" },
    { document: { public_key: Buffer.alloc(32).toString("base64") }, problem: "small order" }
  ])("ends with a document whose $problem is wrong", ({ document, problem }) =>
    Effect.gen(function* () {
      const { calls, end } = yield* meet({ document })
      assert.match(end, /^refused: /)
      assert.include(end, problem)
      assert.lengthOf(calls, 1)
    })
  )

  it.effect("ends before the challenge where the key published is our own", () =>
    Effect.gen(function* () {
      const { calls, end } = yield* meet({ theirs: ours })
      assert.strictEqual(end, "refused: it publishes the key of this dam")
      assert.lengthOf(calls, 1)
    })
  )

  it.effect("trusts no key but the one that was published", () =>
    Effect.gen(function* () {
      const other = peer()
      const asked = { challenge_id: "", nonce: "" }
      const { end } = yield* meet({ document: { public_key: other.publicKey } })
      assert.include(end, "is not the key that was published")
      const lies = yield* meet({ answer: { receiver_signature: other.sign(`${asked.challenge_id}:${asked.nonce}`) } })
      assert.include(lies.end, "was not made by the published key")
    })
  )

  it.effect.each([
    { answer: { nonce: "3f2504e0-4f89-41d3-9a0c-0305e82c3301" }, problem: "nonce: is of another challenge" },
    { answer: { challenge_id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301" }, problem: "is of another challenge" },
    { answer: { receiver_public_key: 7 }, problem: "receiver_public_key" },
    { answer: { receiver_signature: undefined }, problem: "receiver_signature" }
  ])("ends with an answer that says otherwise: $problem", ({ answer, problem }) =>
    Effect.gen(function* () {
      const { end } = yield* meet({ answer })
      assert.match(end, /^refused: /)
      assert.include(end, problem)
    })
  )

  it.effect("follows no redirect of a challenge", () =>
    Effect.gen(function* () {
      const { calls, end } = yield* meet({ answered: Reply.response(307, { location: "https://evil.example.com" }) })
      assert.include(end, "redirect")
      assert.lengthOf(calls, 2)
    })
  )

  it.effect("tells why a call brought no answer", () =>
    Effect.gen(function* () {
      const key = yield* L8.signingKey(Redacted.make(ours.secret))
      const call = () => Effect.fail({ message: "nobody listens" })
      const end = yield* Effect.flip(L8Initiator.handshake(key, EgressPolicy.publicOnly, origin, call))
      assert.strictEqual(end.problem, "nobody listens")
    }).pipe(Effect.provide(Ed25519.layer))
  )
})

describe("where a handshake may go", () => {
  const allowing = (...allowEgress: ReadonlyArray<string>) => Result.getOrThrow(EgressPolicy.make({ allowEgress }))
  const trusting = Result.getOrThrow(EgressPolicy.make({ allowPrivate: true }))

  it.effect.each([
    { at: "http://hooks.example.com", policy: EgressPolicy.publicOnly },
    { at: "http://hooks.example.com", policy: trusting },
    { at: "http://10.0.0.7", policy: trusting },
    { at: "http://hooks.example.com", policy: allowing("other.example.com", "10.0.0.0/8") }
  ])("is https only, unless this host was opened: $at", ({ at, policy }) =>
    Effect.gen(function* () {
      const { calls, end } = yield* meet({ origin: at, policy })
      assert.include(end, "not reached over https")
      assert.deepStrictEqual(calls, [])
    })
  )

  it.effect.each([
    { at: "http://hooks.example.com", policy: allowing("hooks.example.com") },
    { at: "http://10.0.0.7", policy: allowing("10.0.0.0/8") },
    { at: "http://hooks.example.com", policy: EgressPolicy.open }
  ])("is http as well where this host was opened: $at", ({ at, policy }) =>
    Effect.gen(function* () {
      assert.notInclude((yield* meet({ origin: at, policy })).end, "refused")
    })
  )

  it.effect.each(["https://127.0.0.1", "https://[::1]", "https://169.254.169.254", "https://localhost"])(
    "keeps to the egress policy: %s",
    (at) =>
      Effect.gen(function* () {
        const { calls, end } = yield* meet({ origin: at })
        assert.match(end, /^refused: /)
        assert.deepStrictEqual(calls, [])
      })
  )
})

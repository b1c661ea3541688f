/**
 * Asks a receiver's origin to prove its key: reads its document, sends a challenge, checks the answer.
 *
 * An origin is a stranger until the end of it, so nothing it says leads anywhere else: https only, no redirects, an
 * endpoint of the same origin, and the egress policy for both calls.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type { Signature } from "effect/crypto/Signature"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { randomUUID } from "node:crypto"
import type { Response } from "../../step/Reply.ts"
import { get, post, type Step } from "../../step/Step.ts"
import * as Ed25519 from "../../wire/Ed25519.ts"
import * as L8 from "../../wire/L8.ts"
import * as L8Handshake from "../../wire/L8Handshake.ts"
import * as EgressPolicy from "../egress/EgressPolicy.ts"
import { checkUrl } from "../egress/Url.ts"

/**
 * Why an origin is not trusted, in words.
 *
 * @category errors
 * @since 0.1.0
 */
export class Untrusted extends Data.TaggedError("Untrusted")<{ readonly problem: string }> {}

/** Makes one call of a handshake, in the lane of the receiver; an answer is at most 16 KiB. */
export type Call = (step: Step) => Effect.Effect<Response, { readonly message: string }>

/**
 * Makes a handshake with an origin and answers the key it has proved, as base64.
 *
 * @category verbs
 * @since 0.1.0
 */
export const handshake = Effect.fnUntraced(function* (
  key: Ed25519.SigningKey,
  policy: EgressPolicy.EgressPolicy,
  origin: string,
  call: Call
): Effect.fn.Return<string, Untrusted, Signature> {
  const documentUrl = yield* admitted(policy, origin + L8Handshake.documentPath)
  const found = yield* called(call(get(documentUrl, { headers: { Accept: "application/json" } })))
  if (found.status === 404) return yield* untrusted("it publishes no L8 document")
  const published = yield* valid(Effect.fromResult(L8Handshake.decodeDocument(yield* textOf(found, "document"))))
  if (Ed25519.same(published.publicKey, key.publicKey)) return yield* untrusted("it publishes the key of this dam")
  const endpoint = URL.parse(published.challengeEndpoint, origin)
  if (endpoint === null || endpoint.origin !== origin || endpoint.username + endpoint.password !== "") {
    return yield* untrusted("its challenge endpoint is not of its own origin")
  }
  const endpointUrl = yield* admitted(policy, endpoint.href)
  const now = yield* Clock.currentTimeMillis
  const asked = yield* valid(
    L8Handshake.challenge(key, {
      challengeId: randomUUID(),
      nonce: randomUUID(),
      timestamp: Math.floor(now / 1000)
    })
  )
  const said = yield* called(
    call(
      post(endpointUrl, {
        headers: { Accept: "application/json", "Content-Type": "application/json" },
        body: L8Handshake.encodeChallenge(asked)
      })
    )
  )
  const answered = yield* valid(Effect.fromResult(L8Handshake.decodeAnswer(yield* textOf(said, "challenge"))))
  yield* valid(L8Handshake.proves(published, asked, answered))
  return L8.publicKeyText(published.publicKey)
})

const untrusted = (problem: string) => Effect.fail(new Untrusted({ problem }))

const admitted = (policy: EgressPolicy.EgressPolicy, url: string): Effect.Effect<string, Untrusted> => {
  const checked = checkUrl(policy, url)
  if (Result.isFailure(checked)) return untrusted(checked.failure.message)
  const { host, protocol } = checked.success
  return protocol === "https:" || EgressPolicy.isOpened(policy, host)
    ? Effect.succeed(checked.success.url)
    : untrusted("it is not reached over https, and the egress policy does not open this very host")
}

const called = (self: ReturnType<Call>): Effect.Effect<Response, Untrusted> =>
  Effect.mapError(self, ({ message }) => new Untrusted({ problem: message }))

const valid = <A, R>(self: Effect.Effect<A, L8.InvalidL8, R>): Effect.Effect<A, Untrusted, R> =>
  Effect.mapError(self, ({ message }) => new Untrusted({ problem: message }))

const textOf = ({ body, status }: Response, what: string): Effect.Effect<string, Untrusted> => {
  if (status >= 300 && status < 400) return untrusted(`its ${what} is a redirect, and L8 follows none`)
  if (status !== 200) return untrusted(`its ${what} was answered ${status}`)
  return Effect.try({
    try: () => utf8.decode(body),
    catch: () => new Untrusted({ problem: `its ${what} is not UTF-8` })
  })
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * What the API does for L8: answers challenges, and shows and changes the trust in receivers.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Api } from "../../api/Api.ts"
import * as L8Delivery from "../../../wire/L8Delivery.ts"
import * as L8Handshake from "../../../wire/L8Handshake.ts"
import { forgotten, OriginChoice, trust, trusts as all } from "../../api/TrustShapes.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, later, refused, type Refused } from "../../intake/Refusal.ts"
import type { L8 } from "../../l8/L8.ts"
import { bounds, type ChallengeRefused } from "../../l8/Responder.ts"
import { lasts } from "../../l8/Trusts.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import { bodyFor, type Desk, respond, told } from "../door/Asked.ts"
import { readChoice } from "../door/Choice.ts"
import { addressOf, type Reading } from "../door/Request.ts"
import { routeOf } from "../door/RouteTable.ts"

/** What the API does for L8. */
export interface Routes {
  readonly document: Effect.Effect<Answer, Refused>
  readonly challenge: (request: HttpServerRequest) => Effect.Effect<Answer, Refused>
  /** In Markdown. */
  readonly spec: Effect.Effect<string, Refused>
  readonly list: Effect.Effect<Answer, Refused>
  readonly revoke: (body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly forget: (body: Uint8Array) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = ({ l8 }: Pick<Engine["Service"], "l8">, reading: Reading): Routes => {
  if (l8 === undefined) {
    const off = Effect.fail(refused(404, "not_found", "L8 is off here"))
    return { document: off, challenge: () => off, spec: off, list: off, revoke: () => off, forget: () => off }
  }
  const { limits } = reading
  const { responder, trusts } = l8
  return {
    document: Effect.succeed({ status: 200, headers: {}, body: responder.document }),
    challenge: Effect.fnUntraced(function* (request) {
      yield* Effect.mapError(responder.admit(addressOf(request)), refusalOf)
      const body = yield* bodyFor(routeOf("POST /l8/challenge"), request, reading)
      const answer = Effect.catchTag(responder.answer(body), "ChallengeRefused", (error) =>
        Effect.fail(refusalOf(error))
      )
      return { status: 200, headers: {}, body: yield* orRefused(answer) }
    }),
    spec: Effect.succeed(spec),
    list: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      return json(200, all(yield* orRefused(trusts.list), now, lasts.proof))
    }),
    revoke: Effect.fnUntraced(function* (body) {
      const revoked = yield* orRefused(trusts.revoke(yield* originIn(body, limits)))
      return json(200, trust(revoked, yield* Clock.currentTimeMillis, lasts.proof))
    }),
    forget: Effect.fnUntraced(function* (body) {
      return json(200, forgotten(yield* orRefused(trusts.forget(yield* originIn(body, limits)))))
    })
  }
}

/** The routes. What is asked by dams and receivers needs no key. */
export const group = (routes: Routes, { asking }: Desk) =>
  HttpApiBuilder.group(Api, "l8", (handlers) =>
    handlers
      .handleRaw("document", () => respond(routes.document))
      .handleRaw("challenge", ({ request }) => respond(routes.challenge(request)))
      .handleRaw("spec", () => Effect.match(routes.spec, { onFailure: told, onSuccess: markdown }))
      .handleRaw(
        "trust",
        asking(() => routes.list)
      )
      .handleRaw(
        "revoke",
        asking(({ body }) => routes.revoke(body))
      )
      .handleRaw(
        "forget",
        asking(({ body }) => routes.forget(body))
      )
  )

const markdown = (text: string) => HttpServerResponse.text(text, { contentType: "text/markdown; charset=utf-8" })

/** A challenge that is not answered, as HTTP says it. */
export const refusalOf = ({ field, problem, reason, retryAfterSeconds = 0 }: ChallengeRefused): Refused => {
  switch (reason) {
    case "full":
    case "too_many":
      return later({ status: 429, code: "too_many_challenges", problem, after: retryAfterSeconds })
    case "cannot_sign":
      return refused(500, "internal", problem)
    case "nonce_seen":
      return badField("nonce", problem, "nonce_seen")
    case "not_utf8":
    case "not_a_challenge":
      return badField(field ?? "body", problem)
  }
}

/** What `/health` says of L8. */
export const health = ({ publicKey, trusts }: L8) =>
  Effect.map(orRefused(trusts.list), (known) => ({
    l8_protocol: "0.1",
    l8_public_key: publicKey,
    l8_changed_keys: known.filter(({ changedKey }) => changedKey !== undefined).length
  }))

const originIn = (body: Uint8Array, limits: Limits): Effect.Effect<string, Refused> =>
  Effect.flatMap(readChoice(OriginChoice, body, limits), ({ origin }) => {
    const url = URL.parse(origin)
    return url !== null && url.origin !== "null" && url.href === `${url.origin}/`
      ? Effect.succeed(url.origin)
      : Effect.fail(badField("origin", "Expected an origin such as https://hooks.example.com"))
  })

const { deliveryId, keyId, signature, timestamp } = L8Delivery.headerNames

const spec = `# L8 v0.1, as it is spoken here

- \`GET ${L8Handshake.documentPath}\` publishes the Ed25519 key of this service: 32 raw bytes, base64.
- \`POST ${L8Handshake.challengePath}\` takes \`{"challenge_id","nonce","timestamp","sender_public_key","signature"}\`, the
  signature by the sender's key over \`{challenge_id}:{nonce}\`, and answers
  \`{"challenge_id","nonce","receiver_signature","receiver_public_key"}\` over the same text. Both ids are UUIDs. A
  challenge may be ${L8Handshake.toleranceSeconds} s old and ${bounds.bodyBytes} bytes long, a nonce is answered once, and an address is answered
  ${bounds.perMinute} times a minute.
- Deliveries carry \`${deliveryId}\` (a UUID, the same in every attempt), \`${timestamp}\` (Unix seconds),
  \`${keyId}\` (base64 of the key's first 8 bytes) and \`${signature}\`: base64 of the Ed25519 signature over
  \`{delivery_id}.{timestamp}.{base64(sha256(body))}\`.
- A receiver proves itself by the same two routes, over https, before it gets the first of them and once a day after.
`

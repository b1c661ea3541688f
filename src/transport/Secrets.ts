/**
 * Looks secrets up that headers name, and gives each to its own hosts alone.
 *
 * It is asked for every request that leaves, those that redirects lead to as well, with the URL that it goes to. What may
 * not go there goes nowhere: the request is not sent.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { SecretRefused, TransportError } from "../step/FailureModel.ts"
import type { Request } from "../step/Request.ts"
import * as SecretHeader from "../step/SecretHeader.ts"
import type { Exchanging } from "./HttpTransport.ts"
import * as TimeLimit from "./TimeLimit.ts"

/**
 * Puts secrets in the place of their names.
 *
 * @category models
 * @since 0.1.0
 */
export type Reveal = (request: Request) => Effect.Effect<Request, TransportError>

/**
 * A secret that is kept: where it may go, and what it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kept {
  /** Each as {@link originOf} says it. */
  readonly origins: ReadonlyArray<string>
  /** Asked for only where it may go. */
  readonly value: Effect.Effect<Redacted.Redacted, TransportError>
}

/**
 * Finds a secret by its name.
 *
 * @category models
 * @since 0.1.0
 */
export type Lookup = (name: string) => Effect.Effect<Kept | undefined, TransportError>

/**
 * Reads where a secret may go: `api.example.com`, with a port where it has one of its own, over https unless it is written
 * `http://...`. `undefined`: it is no such place.
 *
 * @category decoding
 * @since 0.1.0
 */
export const originOf = (host: string): string | undefined => {
  if (host.length > longestHost || !HOST.test(host)) return undefined
  const url = URL.parse(host.includes("://") ? host : `https://${host}`)
  return url === null || url.hostname === "" ? undefined : url.origin
}

/**
 * What is expected of a host, in words.
 *
 * @category constants
 * @since 0.1.0
 */
export const expectedHost =
  'a host such as "api.example.com" or "api.example.com:8443", which is called over https, or "http://localhost:3000"'

/**
 * Makes what reveals, over what is kept.
 *
 * @category constructors
 * @since 0.1.0
 */
export const revealing =
  (lookup: Lookup): Reveal =>
  (request) =>
    SecretHeader.names(request.headers) ? revealed(lookup, request) : Effect.succeed(request)

/**
 * Has every exchange of a transport reveal what it names.
 *
 * @category combinators
 * @since 0.1.0
 */
export const over = (transport: Exchanging, reveal: Reveal): Exchanging =>
  TimeLimit.keepingLike(
    { ...transport, keepsSecrets: true, send: (exchange) => transport.send({ ...exchange, reveal }) },
    [transport]
  )

/** Fails as a call does that cannot be given what it names. */
export const refuse = (secret: string, kind: SecretRefused["kind"], detail: string) =>
  Effect.fail(new TransportError({ reason: new SecretRefused({ secret, kind, detail }) }))

/** Finds a secret for an origin that it may go to. */
export const find = Effect.fnUntraced(function* (lookup: Lookup, name: string, origin: string) {
  const kept = yield* lookup(name)
  if (kept === undefined) return yield* refuse(name, "unknown", "none of this name is kept here")
  if (!kept.origins.includes(origin)) return yield* refuse(name, "elsewhere", `it may not go to ${origin}`)
  return yield* kept.value
})

const revealed = Effect.fnUntraced(function* (lookup: Lookup, request: Request) {
  const { origin } = new URL(request.url)
  const headers: Record<string, string> = { ...request.headers }
  for (const [header, { prefix = "", secret }] of SecretHeader.among(request.headers)) {
    headers[header] = prefix + Redacted.value(yield* find(lookup, secret, origin))
  }
  return { ...request, headers }
})

const longestHost = 300
const HOST = /^(?:https?:\/\/)?[^\s/?#@\\]+$/i

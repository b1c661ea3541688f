/**
 * Answers challenges of L8: proves to whoever asks that this dam holds the key it publishes.
 *
 * It signs two UUIDs and nothing else, once for each nonce, so a stranger can neither have a delivery signed nor use an
 * answer again.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SigningKey } from "../../wire/Ed25519.ts"
import type { InvalidL8 } from "../../wire/L8.ts"
import * as L8Handshake from "../../wire/L8Handshake.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { TrustPort } from "../store/TrustRecords.ts"

/**
 * The bounds of answering.
 *
 * @category constants
 * @since 0.1.0
 */
export const bounds = {
  /** Bytes of a challenge. */
  bodyBytes: 4096,
  /** Challenges of one address in a minute; of IPv6 the first 64 bits count. */
  perMinute: 10,
  /** How long a nonce is remembered: longer than a challenge is young enough, either way. */
  nonceMillis: 11 * 60_000,
  /** Nonces that are remembered at once. */
  nonces: 100_000,
  /** Addresses that are counted at once. */
  addresses: 10_000
} as const

/**
 * A challenge that is not answered, and why.
 *
 * **Details** — `not_utf8` and `not_a_challenge` say what is wrong with its bytes and where (`field`), `nonce_seen` that
 * it was answered before. `full` and `too_many` pass: `retryAfterSeconds` says when. `cannot_sign` is this side's fault.
 *
 * @category errors
 * @since 0.1.0
 */
export class ChallengeRefused extends Schema.TaggedError<ChallengeRefused>()("ChallengeRefused", {
  reason: Schema.Literals(["not_utf8", "not_a_challenge", "nonce_seen", "full", "too_many", "cannot_sign"]),
  field: Schema.UndefinedOr(Schema.String),
  problem: Schema.String,
  retryAfterSeconds: Schema.UndefinedOr(Schema.Number)
}) {
  override get message() {
    return this.field === undefined ? this.problem : `${this.field}: ${this.problem}`
  }
}

/**
 * The answering side.
 *
 * @category models
 * @since 0.1.0
 */
export interface Responder {
  /** The document, as JSON. */
  readonly document: string
  /** Counts a challenge of an address before anything of it is read. */
  readonly admit: (address: string) => Effect.Effect<void, ChallengeRefused>
  /** Answers a challenge, as JSON. */
  readonly answer: (body: Uint8Array) => Effect.Effect<string, ChallengeRefused | StoreError>
}

/**
 * Makes the answering side.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: Pick<TrustPort, "takeL8Nonce">,
  key: SigningKey,
  serviceName: string
): Effect.fn.Return<Responder, never, Signature> {
  const crypto = yield* Effect.context<Signature>()
  /** When each address challenged within the last minute, oldest first. */
  const asked = new Map<string, Array<number>>()

  const recent = (address: string, now: number): Array<number> =>
    (asked.get(address) ?? []).filter((at) => at > now - minute)

  const makeRoom = (now: number): void => {
    for (const address of asked.keys()) if (recent(address, now).length === 0) asked.delete(address)
  }

  return {
    document: L8Handshake.encodeDocument({
      serviceName,
      publicKey: key.publicKey,
      challengeEndpoint: L8Handshake.challengePath
    }),
    admit: (address) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const who = networkOf(address)
        const times = recent(who, now)
        if (times.length >= bounds.perMinute)
          return Effect.fail(tooMany("too_many", ((times[0] ?? now) + minute - now) / 1000))
        if (!asked.has(who) && asked.size >= bounds.addresses) makeRoom(now)
        if (!asked.has(who) && asked.size >= bounds.addresses) return Effect.fail(tooMany("too_many", minute / 1000))
        asked.set(who, [...times, now])
        return Effect.void
      }),
    answer: Effect.fnUntraced(
      function* (body) {
        const text = yield* Effect.try({
          try: () => utf8.decode(body),
          catch: () => wrong("not_utf8", "body", "is not UTF-8")
        })
        const challenge = yield* inAnswer(Effect.fromResult(L8Handshake.decodeChallenge(text)))
        const now = yield* Clock.currentTimeMillis
        const answer = yield* inAnswer(L8Handshake.answer(key, challenge, now / 1000))
        // only what has proved itself takes a place, and what was taken before gets no answer
        const nonce = challenge.nonce.toLowerCase()
        const taken = yield* store.takeL8Nonce(nonce, now, bounds.nonceMillis, bounds.nonces)
        if (taken === "Seen") return yield* wrong("nonce_seen", "nonce", "was used before")
        if (taken === "Full") return yield* tooMany("full", minute / 1000)
        return L8Handshake.encodeAnswer(answer)
      },
      (effect) => Effect.provideContext(effect, crypto)
    )
  }
})

const inAnswer = <A, R>(self: Effect.Effect<A, InvalidL8, R>): Effect.Effect<A, ChallengeRefused, R> =>
  Effect.mapError(self, ({ path, problem }) =>
    path === "private_key"
      ? wrong("cannot_sign", undefined, "this dam cannot sign here")
      : wrong("not_a_challenge", path, problem)
  )

const wrong = (reason: ChallengeRefused["reason"], field: string | undefined, problem: string): ChallengeRefused =>
  new ChallengeRefused({ reason, field, problem, retryAfterSeconds: undefined })

const tooMany = (reason: "full" | "too_many", retryAfterSeconds: number): ChallengeRefused =>
  new ChallengeRefused({
    reason,
    field: undefined,
    problem: "too many challenges; try again later",
    retryAfterSeconds
  })

/** Whoever has one address of IPv6 has the rest of its network too. */
const networkOf = (address: string): string => {
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!address.includes(":")) return address
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::")
  const first = head === "" ? [] : head.split(":")
  const last = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0")
  return [...first, ...zeros, ...last].slice(0, 4).join(":")
}

const minute = 60_000
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

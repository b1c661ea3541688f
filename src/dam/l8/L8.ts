/**
 * L8 in the dam: deliveries that prove where they come from without a shared secret. Off unless it is asked for.
 *
 * A delivery is signed for origins that have proved their own key before. What that is worth: the receiver knows which
 * dam made the body and when; it does not know that the delivery was meant for it (see `L8Delivery`).
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { createHash, randomUUID } from "node:crypto"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import * as Ed25519 from "../../wire/Ed25519.ts"
import * as L8Wire from "../../wire/L8.ts"
import * as L8Delivery from "../../wire/L8Delivery.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import type { StoredDelivery } from "../job/Delivery.ts"
import { canonicalLane, receiverLane } from "../job/LaneName.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { StorageFailed } from "../store/StoreError.ts"
import type { TrustPort } from "../store/TrustRecords.ts"
import type { Call, Untrusted } from "./Initiator.ts"
import * as L8Initiator from "./Initiator.ts"
import * as L8Key from "./Key.ts"
import type { Responder } from "./Responder.ts"
import * as L8Responder from "./Responder.ts"
import type { Trusts } from "./Trusts.ts"
import * as L8Trusts from "./Trusts.ts"

/**
 * What becomes of a delivery to an origin: `require` sends it with L8 or not at all, `prefer` with L8 where the origin
 * proves itself, `off` without.
 *
 * @category models
 * @since 0.1.0
 */
export type Mode = (typeof modes)[number]

/**
 * Every {@link Mode}.
 *
 * @category constants
 * @since 0.1.0
 */
export const modes = ["off", "prefer", "require"] as const

/**
 * How L8 is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface L8Options {
  /** For receivers that are not among `hosts`. Defaults to `off`. */
  readonly default?: Mode | undefined
  /** By host, host and port, or origin of a receiver. Defaults to none. */
  readonly hosts?: { readonly [host: string]: Mode } | undefined
  /** The base64 of 64 bytes, seed and public key. Defaults to a key in a file beside the database, made when missing. */
  readonly privateKey?: Redacted.Redacted | undefined
  /** The name in the document. Defaults to `ezthrottle-effect`. */
  readonly serviceName?: string | undefined
}

/**
 * L8 at work.
 *
 * @category models
 * @since 0.1.0
 */
export interface L8 {
  /** Base64 of the raw public key. */
  readonly publicKey: string
  readonly responder: Responder
  readonly trusts: Trusts
  /**
   * Sees to the trust that a delivery needs and answers what signs its attempt, or why nothing does although it is
   * preferred; `undefined`: nobody asks for it. Fails when it must not go without.
   */
  readonly prepare: (
    delivery: StoredDelivery,
    region: string | undefined,
    timeoutMillis: number,
    lanes: Pick<LaneRouter, "acquire" | "observe">
  ) => Effect.Effect<Sign | Unsigned | undefined, Untrusted>
}

/** An attempt goes without a signature, and why. */
export interface Unsigned {
  readonly problem: string
}

/** The headers of an attempt at a moment. */
export type Sign = (at: number) => Effect.Effect<L8Delivery.DeliveryHeaders>

/**
 * What L8 works with.
 *
 * @category models
 * @since 0.1.0
 */
export interface L8Parts {
  /** The dam's database file; the key's own file is beside it. */
  readonly database: string
  readonly store: TrustPort
  /** What asks receivers to prove themselves. */
  readonly transport: Exchanging
  readonly policy: EgressPolicy
}

/**
 * Makes L8; `undefined` when nothing asks for it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: L8Options | undefined,
  { database, policy, store, transport }: L8Parts
): Effect.fn.Return<L8 | undefined, StorageFailed, Scope.Scope> {
  const usual = options?.default ?? "off"
  const hosts = new Map(Object.entries(options?.hosts ?? {}).map(([host, mode]) => [canonicalLane(host) ?? host, mode]))
  if (options === undefined || [usual, ...hosts.values()].every((mode) => mode === "off")) return undefined
  const crypto = yield* Layer.build(Ed25519.layer)
  const key = yield* Effect.provideContext(L8Key.find(database, options.privateKey), crypto)
  const trusts = L8Trusts.make(store)
  const responder = L8Responder.make(store, key, options.serviceName ?? "ezthrottle-effect")

  /** Origins that would be told with L8 if they were trusted, and why they are not. */
  const doubts = new Map<string, string>()
  const sign =
    ({ body, id }: StoredDelivery): Sign =>
    (at) =>
      L8Delivery.sign(key, { body, deliveryId: deliveryIdOf(id), timestamp: Math.floor(at / 1000) }).pipe(
        Effect.provideContext(crypto),
        Effect.orDie
      )

  return {
    publicKey: L8Wire.publicKeyText(key.publicKey),
    responder: yield* Effect.provideContext(responder, crypto),
    trusts,
    prepare: (delivery, region, timeoutMillis, lanes) => {
      const mode = hosts.get(delivery.lane) ?? usual
      if (mode === "off") return Effect.succeed(undefined)
      const { origin } = new URL(delivery.url)
      const lane = receiverLane(delivery.lane)
      const call: Call = (step) =>
        Effect.acquireUseRelease(
          lanes.acquire(lane, ""),
          ({ depart }) =>
            Effect.gen(function* () {
              yield* depart()
              const sentAt = Number(yield* Clock.monotonicTimeNanos) / 1e6
              const attempt = `${delivery.id}/l8/${randomUUID()}`
              const response = yield* transport
                .send({ request: step.request, region, step, timeoutMillis, attempt })
                .pipe(
                  Effect.timeoutOrElse({
                    duration: timeoutMillis,
                    orElse: () => Effect.fail({ message: `no answer within ${timeoutMillis} ms` })
                  })
                )
              yield* lanes.observe({ lane, account: "", response, jobId: delivery.jobId, sentAt })
              return response
            }),
          ({ release }) => release
        )
      const handshake = Effect.provideContext(L8Initiator.handshake(key, policy, origin, call), crypto)
      const trusted = Effect.as(trusts.prove(origin, delivery.jobId, handshake), sign(delivery))
      if (mode === "require") return trusted
      return Effect.matchEffect(trusted, {
        onSuccess: (by): Effect.Effect<Sign | Unsigned> => {
          doubts.delete(origin)
          return Effect.succeed(by)
        },
        onFailure: ({ problem }) => Effect.as(noted(doubts, origin, problem), { problem })
      })
    }
  }
})

/** Says so in the log, once for each reason and not for every delivery. */
const noted = (doubts: Map<string, string>, origin: string, problem: string): Effect.Effect<void> => {
  if (doubts.get(origin) === problem) return Effect.void
  if (doubts.size >= mostUnsigned) doubts.clear()
  doubts.set(origin, problem)
  return Effect.logWarning(`L8: deliveries to ${origin} go unsigned: ${problem}`)
}

const mostUnsigned = 10_000

/** The UUID of a delivery, the same in every attempt: a digest of its id in the free form of RFC 9562, version 8. */
export const deliveryIdOf = (id: string): string => {
  const bytes = createHash("sha256").update(`l8 ${id}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}

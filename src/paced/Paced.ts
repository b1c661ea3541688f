/**
 * Calls of one program that share a pace: a layer between steps and whatever makes their calls.
 *
 * Each call waits in the lane of its host, or of what its host's limits are known to belong to. What answers tell and
 * refuse is obeyed by all that follow, so that one refusal holds back its siblings instead of being found out by each.
 *
 * ```ts
 * const transport = Paced.layer().pipe(Layer.provide(LocalTransport.layerFetch()))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hostOf } from "../engine/HostName.ts"
import { type Response, response } from "../step/ReplyModel.ts"
import type { Request } from "../step/Request.ts"
import { type Exchange, type Exchanging, HttpTransport, type PacedCall } from "../transport/HttpTransport.ts"
import * as TimeLimit from "../transport/TimeLimit.ts"
import type { PresetOptions } from "../presets/Known.ts"
import * as Asking from "./Asking.ts"
import * as Lanes from "./Lanes.ts"
import * as Limits from "../engine/limits/LimitOptions.ts"
import * as Pacing from "./Pacing.ts"
import { type LaneHeld, type Permit, Permits } from "./Permits.ts"

export { type Ask, LaneHeld, type Permit, Permits } from "./Permits.ts"
export type { LimitOptions } from "../engine/limits/LimitOptions.ts"
export type { PaceOptions, PacingOptions } from "./Pacing.ts"

/**
 * How calls are told apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface AskingOptions {
  /**
   * What is known of providers: what their limits belong to, and how they refuse. Presets of your own or without some of
   * ours, or `false` for none. Defaults to `true`.
   */
  readonly presets?: boolean | PresetOptions | undefined
  /** Names the lane of a call; `undefined` for what it would be without. Defaults to what the presets say, else the host. */
  readonly laneOf?: ((request: Request) => string | undefined) | undefined
}

/**
 * How calls are paced in memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface PacedOptions extends AskingOptions, Pacing.PacingOptions {
  /** What steps may draw on by `Step.limit`, by name. Defaults to none: steps that draw on limits are refused. */
  readonly limits?: Readonly<Record<string, Limits.LimitOptions>> | undefined
  /** Lanes that are kept beside those in use. Defaults to 1,000. */
  readonly mostLanes?: number | undefined
}

/**
 * Paces a transport by lanes of its own.
 *
 * **Details** — a wait for a turn counts for `onFailureTimeout`, and neither for the limit of an attempt nor for the
 * `onTimeout` of a fallback. Interruption gives the place up. A lane that is held for longer than the limit of an attempt
 * is not waited for: the call ends as a 429 that was not sent, as it would have by itself, and fallbacks and forwarding
 * follow.
 * **Gotchas** — the hosts that redirects lead to are called in the lane of the first. Around a `RegionalTransport`, not within
 * one: there a wait counts as the time of an attempt.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (transport: Exchanging, options: PacedOptions = {}): Exchanging => {
  const asking = askingOf(options)
  const { limits = {}, mostLanes } = options
  const permits = Lanes.make({
    settingOf: Pacing.settings(options),
    rulesOf: asking.rulesOf,
    limits: Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, Limits.resolve(limit)])),
    mostLanes
  })
  return paced(transport, permits, asking, Object.keys(limits).length > 0)
}

/**
 * Paces a transport by whoever grants permits.
 *
 * @category constructors
 * @since 0.1.0
 */
export const over = (transport: Exchanging, permits: Permits["Service"], options: AskingOptions = {}): Exchanging =>
  paced(transport, permits, askingOf(options), true)

/**
 * Provides the transport of the surroundings, paced. One that hands steps over is passed on as it is: who takes them
 * paces them.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: PacedOptions): Layer.Layer<HttpTransport, never, HttpTransport> =>
  Layer.effect(
    HttpTransport,
    Effect.map(HttpTransport, (transport) => (transport.kind === "delegating" ? transport : make(transport, options)))
  )

/**
 * The same by the permits of the surroundings.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPermits = (options?: AskingOptions): Layer.Layer<HttpTransport, never, HttpTransport | Permits> =>
  Layer.effect(
    HttpTransport,
    Effect.map(Effect.all([HttpTransport, Permits]), ([transport, permits]) =>
      transport.kind === "delegating" ? transport : over(transport, permits, options)
    )
  )

const askingOf = ({ laneOf, presets = true }: AskingOptions): Asking.Asking<PacedCall> =>
  Asking.make<PacedCall>({
    presets,
    laneOf: laneOf && (({ request }) => laneOf(request)),
    draws: ({ step }) => step.limits
  })

/** The permit under which an exchange was begun, or why there is none, and whose it is. */
const Held = Context.Reference<{ readonly of: Permits["Service"]; readonly permit: Permit | LaneHeld } | undefined>(
  "ezthrottle-effect/paced/Held",
  { defaultValue: () => undefined }
)

const paced = (
  transport: Exchanging,
  permits: Permits["Service"],
  { ask, rulesOf }: Asking.Asking<PacedCall>,
  keepsLimits: boolean
): Exchanging => {
  const inTurn = <A, E, R>(call: PacedCall, exchange: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const url = URL.parse(call.request.url)
    // what cannot be called needs no turn
    if (url === null) return exchange
    return Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(permits.acquire({ ...ask({ ...call.request, url }, call), patience: patienceOf(call) }), {
        onFailure: (permit) => restore(Effect.provideService(exchange, Held, { of: permits, permit })),
        onSuccess: (permit) =>
          Effect.ensuring(
            Effect.provideService(restore(Effect.andThen(permit.depart, exchange)), Held, { of: permits, permit }),
            permit.release
          )
      })
    )
  }
  const send = (exchange: Exchange): Effect.Effect<Response, Failed> =>
    Effect.flatMap(Held, (held) => {
      if (held?.of !== permits)
        return inTurn(
          exchange,
          Effect.suspend(() => send(exchange))
        )
      const { permit } = held
      return "forMillis" in permit
        ? Effect.succeed(refusal(permit))
        : Effect.tap(TimeLimit.limited(transport, exchange), (response) => learn(permit, response))
    })
  return TimeLimit.keeping({
    ...transport,
    keepsLimits,
    rules: (request) => {
      const url = URL.parse(request.url)
      return (url === null ? undefined : rulesOf(hostOf(url))) ?? transport.rules?.(request)
    },
    inTurn,
    send
  })
}

type Failed = Effect.Error<ReturnType<Exchanging["send"]>>

const learn = (permit: Permit, response: Response): Effect.Effect<void> =>
  permit.settles === "never" ? permit.hear(response) : Effect.andThen(permit.hear(response), permit.settle(response))

/** What the upstream would have said. */
const refusal = ({ forMillis, message }: LaneHeld): Response =>
  response(429, { "content-type": "text/plain", "retry-after": String(Math.ceil(forMillis / 1000)) }, message)

const patienceOf = ({ step: { localTimeout } }: PacedCall): number =>
  localTimeout === undefined ? 30_000 : Duration.toMillis(localTimeout)

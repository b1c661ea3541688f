/**
 * The dam: a durable EZThrottle in one process on one SQLite file.
 *
 * It takes whole steps, never loses one it has acknowledged, runs each at the pace its upstream can bear with the same
 * interpreter the client uses, and tells the result. Here it runs inside the caller's own process and opens no port.
 *
 * @since 0.1.0
 */
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { Service } from "../run/Service.ts"
import type { InvalidRegion } from "../transport/RegionalTransport.ts"
import * as EmbeddedService from "./EmbeddedService.ts"
import * as Signing from "./deliver/Signing.ts"
import type { EgressPolicy } from "./egress/EgressPolicy.ts"
import * as Region from "./egress/Region.ts"
import type { RegionOptions } from "./egress/Region.ts"
import * as Regions from "./egress/Regions.ts"
import * as Limits from "./intake/Limits.ts"
import * as IntakeId from "./job/JobId.ts"
import { laneOf } from "./job/LaneName.ts"
import * as L8 from "./l8/L8.ts"
import * as KnownSecrets from "./secrets/KnownSecrets.ts"
import * as Vault from "./secrets/Vault.ts"
import * as SqliteJobStore from "./sqlite/SqliteJobStore.ts"
import type { JobStore } from "./store/JobStore.ts"
import type { StoreError } from "./store/StoreError.ts"
import * as Dispatcher from "./work/Dispatcher.ts"
import type { Engine } from "./work/Engine.ts"

/**
 * How a dam is set up. What is left out takes its default.
 *
 * @category models
 * @since 0.1.0
 */
export interface DamOptions extends Partial<
  Omit<
    Dispatcher.DispatcherOptions,
    "egress" | "l8" | "laneOf" | "newId" | "signer" | "store" | "transport" | "webhooks"
  >
> {
  /** The database file, made when it is not there; `:memory:` keeps nothing. */
  readonly path: string
  /** The database does not grow beyond; then submissions fail until jobs are deleted. Unlimited by default. */
  readonly maxBytes?: number | undefined
  /** `sameThread` is for tests in virtual time. Defaults to `worker`, a thread of its own. */
  readonly executor?: "worker" | "sameThread" | undefined
  /**
   * Limits of what is submitted that differ from the default ones. Left out, none hold for what is submitted in process:
   * whoever calls an embedded dam is the user's own code.
   */
  readonly limits?: Partial<Limits.Limits> | undefined
  /** What jobs and webhooks may reach. Defaults to everything: whoever calls an embedded dam is the user's own code. */
  readonly egress?: EgressPolicy | undefined
  /** Names of regions and where they leave from. A name that is not here leaves from this machine. Defaults to none. */
  readonly regions?: { readonly [name: string]: RegionOptions } | undefined
  /** Largest answer that is kept, in bytes. Defaults to 1 MiB. */
  readonly maxResponseBytes?: number | undefined
  /**
   * 32 bytes as base64 or hexadecimal digits, with which webhook secrets and keys are sealed in the file. A file that is
   * sealed does not open without. Defaults to none: they are kept as they are.
   */
  readonly masterKey?: Redacted.Redacted | undefined
  /** Deliveries that prove where they come from without a shared secret. Defaults to none. */
  readonly l8?: L8.L8Options | undefined
  /**
   * Headers that say as whom a call is made, beside those that always do (`Authorization`, `Cookie`, `X-Api-Key` and what
   * `Idempotency.credentials` names): a call is no duplicate of one with other credentials. Defaults to none.
   */
  readonly credentials?: ReadonlyArray<string> | undefined
  /** Follows the 307 and 308 of webhooks, with the same bytes. Defaults to `false`. */
  readonly webhookRedirects?: boolean | undefined
  /** How long a connection may take. Defaults to 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
}

/**
 * A dam at work: its engine, its store, and the service that clients take.
 *
 * @category models
 * @since 0.1.0
 */
export interface Running {
  readonly engine: Engine["Service"]
  readonly store: JobStore["Service"]
  readonly service: Service["Service"]
  readonly regions: Regions.Regions
}

/**
 * Starts a dam; it works until the scope closes. What is running then goes on at the next start.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: DamOptions
): Effect.fn.Return<Running, StoreError | InvalidRegion, Scope.Scope> {
  const opened = yield* SqliteJobStore.make({
    path: options.path,
    executor: options.executor,
    maxBytes: options.maxBytes,
    credentials: options.credentials
  })
  const store = { ...opened, ...KnownSecrets.make(yield* Vault.make(opened, options.masterKey)) }
  const egress = options.egress ?? Dispatcher.defaults.egress
  const regions = yield* Effect.provide(Regions.make({ ...options, egress }), NodeDns.layer)
  const engine = yield* Dispatcher.make({
    ...Dispatcher.defaults,
    ...options,
    egress,
    store,
    transport: regions.transport,
    webhooks: regions.webhooks,
    signer: yield* Signing.make(store),
    l8: yield* L8.make(options.l8, {
      database: options.path,
      store,
      transport: regions.proofs,
      policy: egress
    }),
    newId: IntakeId.fresh,
    laneOf
  })
  return {
    engine,
    store,
    service: EmbeddedService.make(engine, store, options.limits && Limits.make(options.limits), options.credentials),
    regions
  }
})

/**
 * Provides the embedded dam as the service of a client.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: DamOptions): Layer.Layer<Service, StoreError | InvalidRegion> =>
  Layer.effect(
    Service,
    Effect.map(make(options), ({ service }) => service)
  )

/**
 * An embedded dam for the Promise facade: `new EZThrottle({ service: Dam.embedded({ path }) })`.
 *
 * **Details** — it starts with its first use and stops when it is disposed of, which disposing of the client does too.
 * A start that fails (a folder that is not there yet, a file that another process still has) fails the call that asked for
 * it, and the next call tries again.
 * **Gotchas** — a region that cannot be is thrown at once, as `InvalidRegion`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const embedded = (options: DamOptions): Service["Service"] & AsyncDisposable => {
  for (const [name, region] of Object.entries(options.regions ?? {})) Result.getOrThrow(Region.parse(name, region))
  const started = Layer.effect(
    Service,
    Effect.map(Effect.catchTag(make(options), "InvalidRegion", Effect.die), (dam) => dam.service)
  )
  // a runtime keeps how its start ended, so each try has its own
  let runtime = ManagedRuntime.make(started)
  const service = Effect.suspend(() => {
    const tried = runtime
    return Effect.map(tried.contextEffect, Context.get(Service)).pipe(
      Effect.tapError(() =>
        Effect.suspend(() => {
          if (runtime !== tried) return Effect.void
          runtime = ManagedRuntime.make(started)
          return tried.disposeEffect
        })
      )
    )
  })
  return Object.assign(EmbeddedService.lazily(service), { [Symbol.asyncDispose]: () => runtime.dispose() })
}

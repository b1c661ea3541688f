/**
 * The dam: a durable EZThrottle in one process, on one SQLite file or one Postgres database.
 *
 * It takes whole steps, never loses one it has acknowledged, runs each at the pace its upstream can bear with the same
 * interpreter the client uses, and tells the result. Here it runs inside the caller's own process and opens no port.
 *
 * @since 0.1.0
 */
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Service } from "../run/Service.ts"
import type { InvalidRegion } from "../transport/RegionalTransport.ts"
import * as EmbeddedService from "./EmbeddedService.ts"
import * as Links from "./deliver/Links.ts"
import * as Signing from "./deliver/Signing.ts"
import {
  InvalidOption,
  limitProblem,
  nameProblem,
  noticeProblem,
  policyIn,
  said,
  settle,
  type Settings
} from "./embedded/DamOptions.ts"
import { knownBy } from "./embedded/KnownHosts.ts"
import type { InvalidEgressEntry } from "./egress/EgressPolicy.ts"
import * as Region from "./egress/Region.ts"
import type { RegionOptions } from "./egress/Region.ts"
import * as Regions from "./egress/Regions.ts"
import * as Filled from "./intake/Filled.ts"
import * as Limits from "./intake/Limits.ts"
import * as IntakeId from "./job/JobId.ts"
import { laneOf } from "./job/LaneName.ts"
import * as L8 from "./l8/L8.ts"
import * as KnownSecrets from "./secrets/KnownSecrets.ts"
import * as NamedSecrets from "./secrets/NamedSecrets.ts"
import * as SealedJobs from "./secrets/SealedJobs.ts"
import type { JobEvent } from "./observe/Events.ts"
import * as Vault from "./secrets/Vault.ts"
import * as Shared from "./embedded/Shared.ts"
import * as Storage from "./embedded/Storage.ts"
import * as Backup from "./sqlite/Backup.ts"
import type { JobStore } from "./store/JobStore.ts"
import type { SecretPort } from "./store/SecretRecords.ts"
import * as Runtime from "./store/Runtime.ts"
import type { StoreError } from "./store/StoreError.ts"
import * as Dispatcher from "./work/Dispatcher.ts"
import type { Engine } from "./work/Engine.ts"

/**
 * Names from before they were those of the file: both are read, and the file's win.
 *
 * @category models
 * @since 0.1.0
 */
export interface EarlierNames extends Partial<
  Omit<
    Dispatcher.DispatcherOptions,
    | "callLimits"
    | "clockEvery"
    | "copiedAt"
    | "credentials"
    | "drain"
    | "egress"
    | "l8"
    | "laneOf"
    | "names"
    | "limits"
    | "links"
    | "newId"
    | "notices"
    | "pacing"
    | "retention"
    | "secrets"
    | "signer"
    | "store"
    | "textSearch"
    | "transport"
    | "webhooks"
  >
> {
  /** `admission.fileBytes`. */
  readonly maxBytes?: number | undefined
  /** `attempts.responseBytes`. */
  readonly maxResponseBytes?: number | undefined
  /** `attempts.connectTimeout`. */
  readonly connectTimeout?: Duration.Input | undefined
  /** `webhooks.l8`. */
  readonly l8?: L8.L8Options | undefined
  /** `webhooks.followRedirects`. */
  readonly webhookRedirects?: boolean | undefined
  /** `webhooks.linkLifetime`. */
  readonly linkLifetime?: Duration.Duration | undefined
}

/**
 * How a dam is set up. What is left out takes its default.
 *
 * @category models
 * @since 0.1.0
 */
export interface DamOptions extends Settings, EarlierNames {
  /** The database file, made when it is not there; `:memory:` keeps nothing. This or `database`. */
  readonly path?: string | undefined
  /**
   * A Postgres database in place of a file: `postgres://user:password@host:5432/name`. It needs the package
   * `@effect/sql-pg`, and one dam owns it.
   */
  readonly database?: string | Redacted.Redacted | undefined
  /** `sameThread` is for tests in virtual time. Defaults to `worker`, a thread of its own. */
  readonly executor?: "worker" | "sameThread" | undefined
  /** How often the clock is looked at while jobs wait for a moment: it may be set. Defaults to a second. */
  readonly clockEvery?: Duration.Duration | undefined
  /**
   * Limits of what is submitted that differ from the default ones. Left out, none hold for what is submitted in process:
   * whoever calls an embedded dam is the user's own code.
   */
  readonly limits?: Partial<Limits.Limits> | undefined
  /** Names of regions and where they leave from. A name that is not here leaves from this machine. Defaults to none. */
  readonly regions?: { readonly [name: string]: RegionOptions } | undefined
  /**
   * 32 bytes as base64 or hexadecimal digits, with which webhook secrets, keys and job headers that carry credentials are
   * sealed in the file. A file that is sealed does not open without. Defaults to none: they are kept as they are.
   */
  readonly masterKey?: Redacted.Redacted | undefined
  /**
   * Goes on with a database that is a copy: it is one no more. Without, a copy sends and takes nothing, since what ended
   * after it was made would be called again. Defaults to `false`.
   */
  readonly resumeCopy?: boolean | undefined
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
  /** What headers of calls may name. */
  readonly secrets: NamedSecrets.NamedSecrets
  readonly service: Service["Service"]
  readonly regions: Regions.Regions
  /** Since when the database is a copy, in epoch milliseconds; `undefined` when it is none, or goes on as none. */
  readonly copiedAt: number | undefined
  /** Copies the database into a file that is not there yet, while everything goes on. */
  readonly backup: (
    file: string,
    onProgress?: (progress: Backup.Progress) => void
  ) => Effect.Effect<Backup.Copied, Backup.BackupFailed>
}

/**
 * Why a dam does not start.
 *
 * @category errors
 * @since 0.1.0
 */
export type DamError = StoreError | InvalidRegion | InvalidEgressEntry | InvalidOption | Runtime.UnfitRuntime

/**
 * Starts a dam; it works until the scope closes. What is running then goes on at the next start.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (given: DamOptions): Effect.fn.Return<Running, DamError, Scope.Scope> {
  const unfit = Runtime.unfit()
  if (unfit !== undefined) return yield* unfit
  const egress = yield* Effect.fromResult(policyIn(given.egress))
  const denied = limitProblem(given) ?? noticeProblem(given, egress)
  if (denied !== undefined) return yield* new InvalidOption({ problem: denied })
  // what the settings say in their own words is said again in those of the parts
  const options = { ...said(given as Omit<DamOptions, keyof Settings>), ...settle(given), egress }
  const opened = yield* Storage.open(options)
  const secrets = KnownSecrets.make(yield* Vault.make(opened, options.masterKey))
  const sealer = options.masterKey && (yield* Vault.sealer(options.masterKey))
  const store = { ...opened, ...SealedJobs.make(opened, sealer, options.credentials), ...secrets }
  const copiedAt = yield* copyOf(store, options.resumeCopy === true)
  const regions = yield* Effect.provide(Regions.make(options), NodeDns.layer)
  const named = yield* NamedSecrets.make(opened, sealer, { transport: regions.proofs, egress })
  const engine = yield* Dispatcher.make({
    ...Dispatcher.defaults,
    ...options,
    pacing: { ...knownBy(given.presets), ...options.pacing },
    store,
    copiedAt,
    transport: regions.transport,
    webhooks: regions.webhooks,
    secrets: named,
    links: yield* Links.make(store, {
      publicUrl: options.publicUrl,
      lifetime: Duration.toMillis(options.linkLifetime ?? Duration.hours(24))
    }),
    signer: yield* Signing.make(store),
    l8: yield* L8.make(options.l8, {
      database: Storage.nameOf(options),
      store,
      transport: regions.proofs,
      policy: egress
    }),
    breach: Filled.breachIn(Limits.make(options.limits ?? {})),
    newId: IntakeId.fresh,
    laneOf
  })
  return {
    engine,
    store,
    secrets: named,
    service: EmbeddedService.make(engine, store, options.limits && Limits.make(options.limits), options.credentials),
    regions,
    copiedAt,
    backup: (file, onProgress) => Storage.backup(options, file, onProgress)
  }
})

/** The moment that a copy shows; where it is resumed, it is a copy no more. */
const copyOf = Effect.fnUntraced(function* (store: SecretPort, resumes: boolean) {
  const copiedAt = Number((yield* store.setting(Backup.copiedAtSetting)) ?? "")
  if (copiedAt === 0) return undefined
  if (resumes) return yield* Effect.as(store.putSecrets([], [[Backup.copiedAtSetting, ""]]), undefined)
  yield* Effect.logWarning(
    `the database is a copy of ${DateTime.formatIso(DateTime.makeUnsafe(copiedAt))}; nothing is sent or taken, since ` +
      "what ended after it was made would be called again, until it is resumed (--resume-copy)"
  )
  return copiedAt
})

/**
 * The dam of a layer, for who looks at more than a client does.
 *
 * @category services
 * @since 0.1.0
 */
export class AtWork extends Context.Service<AtWork, Running>()("ezthrottle-effect/dam/Dam/AtWork") {}

/**
 * Provides the embedded dam as the service of a client, and itself as `AtWork`.
 *
 * **Details** — `Client.layer().pipe(Layer.provideMerge(Dam.layer(options)))` is a client of it, whose jobs `events`
 * follows.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: DamOptions): Layer.Layer<Service | AtWork, DamError> =>
  Layer.effectContext(
    Effect.map(make(options), (running) => Context.make(AtWork, running).pipe(Context.add(Service, running.service)))
  )

/**
 * What happens to a job of the dam in place from now on, until it has ended.
 *
 * @category streams
 * @since 0.1.0
 */
export const events = (jobId: string): Stream.Stream<JobEvent, never, AtWork> =>
  Stream.unwrap(Effect.map(AtWork, ({ engine }) => engine.events(jobId)))

/**
 * An embedded dam for the Promise facade: `new EZThrottle({ service: Dam.embedded({ path }) })`.
 *
 * **Details** — it starts with its first use and stops when it is disposed of, which disposing of the client does too.
 * A start that fails (a folder that is not there yet, a file that another process still has) fails the call that asked for
 * it, and the next call tries again. Asked for twice in a process, a file's dam is the same one, until everybody has
 * disposed of it.
 * **Gotchas** — thrown at once are a runtime without what a dam needs (`UnfitRuntime`), a region that cannot be (`InvalidRegion`), an egress entry that cannot
 * (`InvalidEgressEntry`), a misspelt option, a limit that cannot be, the URL of a notice that the egress policy refuses, and an option that differs from those the file is open with (`InvalidOption`). A
 * dam that has started keeps the process alive until it is disposed of.
 *
 * @category constructors
 * @since 0.1.0
 */
export const embedded = (options: DamOptions): Embedded => {
  const problem = nameProblem(options) ?? Storage.problemIn({ ...options, ...settle(options) })
  if (problem !== undefined) throw new InvalidOption({ problem })
  const unfit = Runtime.unfit()
  if (unfit !== undefined) throw unfit
  for (const [name, region] of Object.entries(options.regions ?? {})) Result.getOrThrow(Region.parse(name, region))
  const denied = noticeProblem(options, Result.getOrThrow(policyIn(options.egress)))
  if (denied !== undefined) throw new InvalidOption({ problem: denied })
  const started = Effect.catchTags(make(options), {
    InvalidRegion: Effect.die,
    InvalidEgressEntry: Effect.die,
    InvalidOption: Effect.die,
    UnfitRuntime: Effect.die
  })
  const layer = Layer.effect(
    Service,
    Effect.map(started, ({ service }) => service)
  )
  const { leave, service } = Result.getOrThrow(Shared.join(options, layer))
  return Object.assign(EmbeddedService.lazily(Effect.map(service, Context.get(Service))), {
    // started first: a file that is not there yet, or is not ours, is told the same way everywhere
    backup: (file: string) => Effect.runPromise(Effect.andThen(service, Storage.backup(options, file))),
    [Symbol.asyncDispose]: leave
  })
}

/**
 * An embedded dam as a client takes it.
 *
 * @category models
 * @since 0.1.0
 */
export type Embedded = Service["Service"] &
  AsyncDisposable & {
    /** Copies the database into a file that is not there yet, while everything goes on. */
    readonly backup: (file: string) => Promise<Backup.Copied>
  }

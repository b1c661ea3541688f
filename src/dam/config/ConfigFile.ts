/**
 * The dam's configuration file: YAML, every name optional, every mistake told with the place it stands at.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Yaml from "effect/encoding/Yaml"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { BreakerOptions } from "../../engine/BreakerOptions.ts"
import { defaultBounds } from "../../engine/Pacing.ts"
import * as Places from "../../step/Places.ts"
import * as RetryPolicy from "../../step/RetryPolicy.ts"
import type { DamOptions } from "../Dam.ts"
import * as Schedule from "../deliver/Schedule.ts"
import type { EgressOptions } from "../egress/EgressPolicy.ts"
import type { RegionOptions } from "../egress/Region.ts"
import type { HttpOptions } from "../http/HttpServer.ts"
import * as Limits from "../intake/Limits.ts"
import { canonicalLane } from "../job/LaneName.ts"
import type { HostOptions, PaceOptions } from "../lane/Dial.ts"
import { type Config, ConfigSchema } from "./ConfigSchema.ts"

/**
 * A file that cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  /** Where each mistake stands (`pacing.hosts["api.example.com"].rps`, empty for the whole file) and what it is. */
  problems: Schema.Array(Schema.Struct({ path: Schema.String, problem: Schema.String }))
}) {
  override get message() {
    return this.problems.map(({ path, problem }) => (path === "" ? problem : `${path}: ${problem}`)).join("; ")
  }
}

/**
 * What a file says, as the dam takes it. What it does not say is not there.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConfigFile {
  readonly db: string | undefined
  readonly database: string | undefined
  readonly databasePasswordFile: string | undefined
  readonly keysFile: string | undefined
  readonly backupDir: string | undefined
  readonly egress: EgressOptions
  readonly dam: Omit<DamOptions, "path" | "database" | "egress">
  readonly http: Omit<HttpOptions, "backups" | "keys" | "health">
}

/**
 * Reads a file.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (source: string): Result.Result<ConfigFile, InvalidConfig> =>
  Result.try({
    try: () => Yaml.parse(source),
    catch: (error) => invalid([{ path: "", problem: error instanceof Error ? error.message : String(error) }])
  }).pipe(
    // an empty file, or one of comments, says nothing
    Result.flatMap((document) => decode(document ?? {})),
    Result.map(toOptions)
  )

/**
 * What a file says that says nothing.
 *
 * @category constants
 * @since 0.1.0
 */
export const empty: ConfigFile = {
  db: undefined,
  database: undefined,
  databasePasswordFile: undefined,
  keysFile: undefined,
  backupDir: undefined,
  egress: {},
  dam: {},
  http: {}
}

const decodeConfig = Schema.decodeUnknownResult(ConfigSchema, { errors: "all", onExcessProperty: "error" })

const decode = (document: unknown): Result.Result<Config, InvalidConfig> =>
  Result.mapError(decodeConfig(document), ({ issue }) => invalid(Places.problemsOf(issue)))

const invalid = (problems: InvalidConfig["problems"]) => new InvalidConfig({ problems })

const toOptions = (config: Config): ConfigFile => {
  const { admission = {}, attempts = {}, pacing = {}, retry, webhooks = {} } = config
  return {
    db: config.db,
    database: config.database,
    databasePasswordFile: config.database_password_file,
    keysFile: config.keys_file,
    backupDir: config.backup_dir,
    egress: { allowPrivate: config.egress?.allow_private, allowEgress: config.egress?.allow },
    dam: {
      pacing: {
        ...given({ keysPerHost: pacing.keys_per_host, weights: pacing.weights }),
        ...(pacing.breaker === undefined ? {} : { breaker: breakerOf(pacing.breaker) }),
        pace: pacing.default && paceOf(pacing.default),
        receivers: pacing.receivers && paceOf(pacing.receivers),
        hosts: pacing.hosts && hostsOf(pacing.hosts),
        burst: pacing.burst,
        bounds: pacing.bounds && {
          minRps: pacing.bounds.min_rps ?? defaultBounds.minRps,
          maxRps: pacing.bounds.max_rps ?? defaultBounds.maxRps,
          minConcurrent: pacing.bounds.min_concurrent ?? defaultBounds.minConcurrent,
          maxConcurrent: pacing.bounds.max_concurrent ?? defaultBounds.maxConcurrent
        }
      },
      deliveries: {
        schedule: webhooks.schedule ?? Schedule.defaults.schedule,
        timeoutMillis: millisOf(webhooks.timeout) ?? Schedule.defaults.timeoutMillis,
        concurrency: webhooks.concurrency ?? Schedule.defaults.concurrency,
        endpoints: {
          failures: webhooks.disable_after?.failures ?? Schedule.defaults.endpoints.failures,
          failingMillis: millisOf(webhooks.disable_after?.failing_for) ?? Schedule.defaults.endpoints.failingMillis,
          probeMillis: millisOf(webhooks.probe_every) ?? Schedule.defaults.endpoints.probeMillis
        },
        redrive: webhooks.redrive ?? Schedule.defaults.redrive
      },
      ...given({
        unsetPolicy: retry && { ...RetryPolicy.durable, ...given(policyOf(retry)) },
        retryUnsafe: retry?.unsafe,
        attemptTimeout: attempts.timeout,
        connectTimeout: attempts.connect_timeout,
        patience429: attempts.patience_429,
        maxResponseBytes: attempts.response_bytes,
        notices: config.notices && noticesOf(config.notices),
        retention: config.retention,
        textSearch: config.text_search && config.text_search === "on",
        drain: config.drain,
        limits: config.limits && limitsOf(config.limits),
        credentials: config.credentials,
        maxQueued: admission.queued_jobs,
        maxCustomerJobs: admission.customer_jobs,
        maxSchedules: admission.schedules,
        maxRunning: admission.running_jobs,
        maxStoredBytes: admission.stored_bytes,
        maxMemoryBytes: admission.memory_bytes,
        maxBytes: admission.file_bytes,
        callLimits: config.call_limits,
        presets: config.presets,
        regions: config.regions && regionsOf(config.regions),
        webhookRedirects: webhooks.follow_redirects,
        thinAfter413: webhooks.thin_after_413,
        linkLifetime: webhooks.link_lifetime,
        publicUrl: config.public_url,
        l8: webhooks.l8,
        resumeCopy: config.resume_copy
      })
    },
    http: given({
      host: config.host,
      port: config.port,
      allowedHosts: config.allowed_hosts,
      httpsWebhooks: webhooks.https_only
    })
  }
}

type Given<A> = { readonly [Key in keyof A]?: Exclude<A[Key], undefined> }

/** Without what was left out: a field that is there with `undefined` would hide a default. */
const given = <A extends object>(fields: A): Given<A> =>
  // entries lose which value belongs to which key
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<A>

type Written<Name extends "notices" | "pacing" | "regions" | "retry"> = NonNullable<Config[Name]>

const paceOf = ({ max_concurrent, ...pace }: NonNullable<Written<"pacing">["default"]>): PaceOptions =>
  given({ ...pace, maxConcurrent: max_concurrent })

const breakerOf = (breaker: NonNullable<Written<"pacing">["breaker"]>): BreakerOptions | false => {
  if (breaker === false) return false
  const { cool_down: coolDown, failure_rate: failureRate, ...rest } = breaker
  return given({ ...rest, coolDown, failureRate })
}

const hostsOf = (hosts: NonNullable<Written<"pacing">["hosts"]>): Record<string, HostOptions> =>
  Object.fromEntries(
    Object.entries(hosts).map(([host, { lane, refusals, used_up, ...pace }]) => [
      canonicalLane(host) ?? host,
      { ...paceOf(pace), ...given({ lane, refusals, usedUp: used_up }) }
    ])
  )

const regionsOf = (regions: Written<"regions">): Record<string, RegionOptions> =>
  Object.fromEntries(
    Object.entries(regions).map(([name, region]) => [name, region === "direct" ? region : wayOf(region)])
  )

/** The schema lets through a proxy, or a dam with its key. */
const wayOf = ({
  api_key = Redacted.make(""),
  dam = "",
  proxy
}: Exclude<Written<"regions">[string], "direct">): RegionOptions =>
  proxy === undefined ? { dam, apiKey: api_key } : { proxy }

const policyOf = (retry: Written<"retry">): RetryPolicy.RetryPolicy => ({
  maxRetries: retry.max_retries,
  maxReroutes: retry.max_reroutes,
  retryCodes: retry.retry_codes,
  rerouteCodes: retry.reroute_codes,
  base: retry.base,
  cap: retry.cap
})

const noticesOf = ({ thresholds, ...notices }: Written<"notices">): NonNullable<DamOptions["notices"]> => ({
  ...notices,
  ...given({
    thresholds:
      thresholds &&
      given({
        endpointFailures: thresholds.endpoint_failures,
        deadLetters: thresholds.dead_letters,
        laneHeldMillis: millisOf(thresholds.lane_held),
        storedBytes: thresholds.stored_bytes,
        memoryBytes: thresholds.memory_bytes
      })
  })
})

/** Names as `/health` shows them, back to ours. */
const limitsOf = (limits: Readonly<Record<string, number | undefined>>): Partial<Limits.Limits> =>
  Object.fromEntries(
    Object.keys(Limits.defaults).flatMap((name, place) => {
      const value = limits[limitNames[place] ?? name]
      return value === undefined ? [] : [[name, value]]
    })
  )

const limitNames = Object.keys(Limits.toJson(Limits.defaults))

const millisOf = (duration: Duration.Duration | undefined): number | undefined =>
  duration && Duration.toMillis(duration)

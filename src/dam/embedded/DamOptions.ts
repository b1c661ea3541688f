/**
 * The settings of a dam in TypeScript: the names of its configuration file, in camelCase.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Limit } from "../../engine/limits/Limit.ts"
import { type Bounds, defaultBounds } from "../../engine/Pacing.ts"
import * as Presets from "../../presets/Presets.ts"
import type { PresetOptions } from "../../presets/Presets.ts"
import type { RetryPolicyOptions } from "../../step/RetryPolicy.ts"
import * as RetryPolicy from "../../step/RetryPolicy.ts"
import * as Schedule from "../deliver/Schedule.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import * as Egress from "../egress/EgressPolicy.ts"
import { problemIn as problemInWebhooks } from "../egress/Webhook.ts"
import * as Limits from "../intake/Limits.ts"
import { canonicalLane } from "../job/LaneName.ts"
import type { L8Options } from "../l8/L8.ts"
import type { PaceOptions, PacingOptions } from "../lane/Dial.ts"
import { type LimitOptions, make as makeLimit, problemInAll } from "../lane/LimitOptions.ts"
import type { NoticeOptions, Thresholds } from "../observe/Notice.ts"
import type { DispatcherOptions } from "../work/Dispatcher.ts"
import { laneProblems } from "./KnownHosts.ts"
import * as OptionNames from "./OptionNames.ts"

/**
 * An option that cannot be, named.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidOption extends Schema.TaggedError<InvalidOption>()("InvalidOption", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/**
 * Settings by the names of the file: `max_concurrent` there is `maxConcurrent` here.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  readonly pacing?:
    | (Omit<PacingOptions, "bounds"> & {
        /** The pace of a host that has said nothing and is not named in `hosts`. Defaults to 2 per second, 2 at once. */
        readonly default?: PaceOptions | undefined
        readonly bounds?: Partial<Bounds> | undefined
      })
    | undefined
  /** What calls draw on together beside the pace of their hosts, by name. Operators may define more. Defaults to none. */
  readonly callLimits?: { readonly [name: string]: LimitOptions } | undefined
  /** What is known of providers: which of the presets hold, and your own. Defaults to all of them. */
  readonly presets?: PresetOptions | undefined
  /**
   * Of a job without a retry policy of its own; the lists also of one whose policy leaves them out. Defaults to 3 retries
   * on 408, 429, 500, 502, 503, 504, 520 to 524 and 529, and 2 reroutes.
   */
  readonly retry?:
    | (RetryPolicyOptions & {
        /**
         * Whether a call that changes something is made again where it may have been carried out, and its step does not
         * say. Defaults to `true`.
         */
        readonly unsafe?: boolean | undefined
      })
    | undefined
  readonly attempts?:
    | {
        /** Limit of one attempt. Defaults to 60 seconds. */
        readonly timeout?: Duration.Input | undefined
        /** How long a connection may take. Defaults to 5 seconds. */
        readonly connectTimeout?: Duration.Input | undefined
        /** How long a job waits for a host that answers 429, or for what this machine lacks to call it. Defaults to 24 hours. */
        readonly patience429?: Duration.Input | undefined
        /** Largest answer that is kept, in bytes. Defaults to 1 MiB. */
        readonly responseBytes?: number | undefined
      }
    | undefined
  readonly webhooks?:
    | {
        /** Pauses before the attempts; their number is the number of attempts. Defaults to ten over three days. */
        readonly schedule?: ReadonlyArray<Duration.Input> | undefined
        /** Limit of one attempt. Defaults to 15 seconds. */
        readonly timeout?: Duration.Input | undefined
        /** Deliveries to one receiver's host that are under way at once. Defaults to 100. */
        readonly concurrency?: number | undefined
        /** When both are reached an endpoint is disabled. Defaults to 20 failures over 24 hours. */
        readonly disableAfter?:
          { readonly failures?: number | undefined; readonly failingFor?: Duration.Input | undefined } | undefined
        /** How often a disabled endpoint is tried. Defaults to every hour. */
        readonly probeEvery?: Duration.Input | undefined
        /** Follows 307 and 308, with the same bytes. Defaults to `false`. */
        readonly followRedirects?: boolean | undefined
        /** Tells an endpoint that works again what was given up while it failed, if it is younger than 7 days. Defaults to `false`. */
        readonly redrive?: boolean | undefined
        /** Sends a link in place of the answer's body once a receiver has answered 413. Defaults to `false`. */
        readonly thinAfter413?: boolean | undefined
        /** How long a link to an answer holds. Defaults to 24 hours. */
        readonly linkLifetime?: Duration.Input | undefined
        /** Deliveries that prove where they come from without a shared secret. Defaults to none. */
        readonly l8?: L8Options | undefined
      }
    | undefined
  /** Where this dam's API is reached from outside, such as `https://dam.example.com`. Left out, no links are made. */
  readonly publicUrl?: string | undefined
  /** Webhooks of the dam's own. Defaults to none. */
  readonly notices?:
    | (Omit<NoticeOptions, "thresholds"> & {
        readonly thresholds?:
          | (Partial<Thresholds> & {
              /** For how long a lane is held before it is told. Defaults to 10 minutes. */
              readonly laneHeld?: Duration.Input | undefined
            })
          | undefined
      })
    | undefined
  /**
   * Headers that say as whom a call is made, beside those that always do (`Authorization`, `Cookie`, `X-Api-Key` and what
   * `Idempotency.credentials` names): a call is no duplicate of one with other credentials. Defaults to none.
   */
  readonly credentials?: ReadonlyArray<string> | undefined
  /** How long a finished job is kept once its webhooks are settled. Defaults to 24 hours. */
  readonly retention?: Duration.Input | undefined
  /**
   * Keeps an index of the texts of URLs and errors, so that a search for a word need not look at every job. It finds the
   * same without. Defaults to `false`.
   */
  readonly textSearch?: boolean | undefined
  /** How long what runs may take to end when the dam stops. Defaults to none: it goes on at the next start. */
  readonly drain?: Duration.Input | undefined
  /** What jobs and webhooks may reach. Defaults to everything: whoever calls an embedded dam is the user's own code. */
  readonly egress?:
    | EgressPolicy
    | { readonly allowPrivate?: boolean | undefined; readonly allow?: ReadonlyArray<string> | undefined }
    | undefined
  readonly admission?:
    | {
        /** Jobs waiting. Defaults to 5,000,000. */
        readonly queuedJobs?: number | undefined
        /** Unfinished jobs of one customer, so that one producer cannot fill the dam. Defaults to no limit of its own. */
        readonly customerJobs?: number | undefined
        /** Schedules of one customer. Defaults to 1000. */
        readonly schedules?: number | undefined
        /** Jobs running at once, over all hosts. Defaults to 10,000. */
        readonly runningJobs?: number | undefined
        /** What the database holds, in bytes. Defaults to 50 GiB. */
        readonly storedBytes?: number | undefined
        /** Memory of this process, in bytes. Defaults to four fifths of what the machine or the container has. */
        readonly memoryBytes?: number | undefined
        /** The database never grows beyond, in bytes. Defaults to no limit. */
        readonly fileBytes?: number | undefined
      }
    | undefined
}

/** What it all means to the parts of a dam. */
export type Settled = Partial<
  Pick<
    DispatcherOptions,
    | "attemptTimeout"
    | "callLimits"
    | "credentials"
    | "deliveries"
    | "drain"
    | "maxCustomerJobs"
    | "maxMemoryBytes"
    | "maxQueued"
    | "maxRunning"
    | "maxStoredBytes"
    | "notices"
    | "pacing"
    | "patience429"
    | "retention"
    | "retryUnsafe"
    | "textSearch"
    | "thinAfter413"
    | "unsetPolicy"
  >
> & {
  readonly publicUrl?: string
  readonly linkLifetime?: Duration.Duration
  readonly connectTimeout?: Duration.Input
  readonly maxResponseBytes?: number
  readonly maxBytes?: number
  readonly l8?: L8Options
  readonly webhookRedirects?: boolean
}

/** Reads the settings; what they leave out is not there, so that a default, or an earlier name, holds. */
export const settle = (settings: Settings): Settled => {
  const {
    admission = {},
    attempts = {},
    callLimits,
    credentials,
    drain,
    notices,
    pacing,
    publicUrl,
    retention,
    retry,
    textSearch,
    webhooks
  } = settings
  return said({
    pacing: pacing && pacingOf(pacing),
    callLimits: callLimits && limitsOf(callLimits),
    unsetPolicy: retry && { ...RetryPolicy.durable, ...said(policyOf(retry)) },
    retryUnsafe: retry?.unsafe,
    attemptTimeout: spanOf(attempts.timeout),
    connectTimeout: attempts.connectTimeout,
    patience429: spanOf(attempts.patience429),
    maxResponseBytes: attempts.responseBytes,
    deliveries: webhooks && deliveriesOf(webhooks),
    l8: webhooks?.l8,
    webhookRedirects: webhooks?.followRedirects,
    thinAfter413: webhooks?.thinAfter413,
    linkLifetime: spanOf(webhooks?.linkLifetime),
    publicUrl,
    notices: notices && noticesOf(notices),
    credentials,
    retention: spanOf(retention),
    drain: spanOf(drain),
    textSearch,
    maxQueued: admission.queuedJobs,
    maxCustomerJobs: admission.customerJobs,
    maxSchedules: admission.schedules,
    maxRunning: admission.runningJobs,
    maxStoredBytes: admission.storedBytes,
    maxMemoryBytes: admission.memoryBytes,
    maxBytes: admission.fileBytes
  })
}

/** The policy that is meant; fails with the first entry that cannot be read. */
export const policyIn = (egress: Settings["egress"]): Result.Result<EgressPolicy, Egress.InvalidEgressEntry> => {
  if (egress === undefined) return Result.succeed(Egress.open)
  return "ranges" in egress
    ? Result.succeed(egress)
    : Egress.make({ allowPrivate: egress.allowPrivate, allowEgress: egress.allow })
}

/** What is wrong with where notices go. */
export const noticeProblem = ({ notices }: Settings, policy: EgressPolicy): string | undefined =>
  problemInWebhooks({ policy, httpsOnly: false }, "notices.urls", notices?.urls ?? [])

/** What is wrong with limits that calls draw on. */
export const limitProblem = ({ callLimits = {} }: Pick<Settings, "callLimits">): string | undefined => {
  const wrong = problemInAll(callLimits)
  return wrong && `callLimits.${wrong.path.join(".")}: ${wrong.problem}`
}

/** What is wrong with the names of options, whoever wrote them. */
export const nameProblem = (options: object): string | undefined => {
  const limits: unknown = Reflect.get(options, "limits")
  const [preset] = "presets" in options ? Presets.problemsOf(options.presets) : []
  const [lane] = "pacing" in options ? laneProblems(options.pacing) : []
  return (
    OptionNames.problemIn(options, { ...OptionNames.names, ...OptionNames.earlier }) ??
    OptionNames.problemIn(limits, Limits.defaults, "limits.") ??
    limitProblem(options) ??
    (preset && `${preset.path}: ${preset.problem}`) ??
    (lane && `${lane.path}: ${lane.problem}`)
  )
}

const pacingOf = ({ bounds, default: pace, hosts, ...pacing }: NonNullable<Settings["pacing"]>): PacingOptions => ({
  ...pacing,
  pace: pace ?? pacing.pace,
  hosts: hosts && Object.fromEntries(Object.entries(hosts).map(([host, of]) => [canonicalLane(host) ?? host, of])),
  bounds: bounds && { ...defaultBounds, ...said(bounds) }
})

const limitsOf = (limits: NonNullable<Settings["callLimits"]>): Readonly<Record<string, Limit>> =>
  Object.fromEntries(Object.entries(limits).map(([name, options]) => [name, makeLimit(options)]))

const policyOf = ({ base, cap, ...retry }: RetryPolicyOptions): RetryPolicy.RetryPolicy => ({
  maxRetries: retry.maxRetries,
  maxReroutes: retry.maxReroutes,
  retryCodes: retry.retryCodes,
  rerouteCodes: retry.rerouteCodes,
  base: spanOf(base),
  cap: spanOf(cap)
})

const deliveriesOf = ({
  concurrency,
  disableAfter,
  probeEvery,
  redrive,
  schedule,
  timeout
}: NonNullable<Settings["webhooks"]>): Schedule.DeliveryOptions => {
  const { concurrency: usual, endpoints, redrive: usually, schedule: pauses, timeoutMillis } = Schedule.defaults
  return {
    schedule: schedule?.map(Duration.fromInputUnsafe) ?? pauses,
    timeoutMillis: millisOf(timeout) ?? timeoutMillis,
    concurrency: concurrency ?? usual,
    endpoints: {
      failures: disableAfter?.failures ?? endpoints.failures,
      failingMillis: millisOf(disableAfter?.failingFor) ?? endpoints.failingMillis,
      probeMillis: millisOf(probeEvery) ?? endpoints.probeMillis
    },
    redrive: redrive ?? usually
  }
}

const noticesOf = ({ thresholds, ...notices }: NonNullable<Settings["notices"]>): NoticeOptions => {
  if (thresholds === undefined) return notices
  const { laneHeld, ...marks } = thresholds
  return { ...notices, thresholds: said({ ...marks, laneHeldMillis: millisOf(laneHeld) ?? marks.laneHeldMillis }) }
}

const spanOf = (length: Duration.Input | undefined): Duration.Duration | undefined =>
  length === undefined ? undefined : Duration.fromInputUnsafe(length)

const millisOf = (length: Duration.Input | undefined): number | undefined =>
  length === undefined ? undefined : Duration.toMillis(length)

type Said<A> = { readonly [Key in keyof A]?: Exclude<A[Key], undefined> }

/** Without what was left out: a field that is there with `undefined` would hide a default. */
export const said = <A extends object>(fields: A): Said<A> =>
  // entries lose which value belongs to which key
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Said<A>

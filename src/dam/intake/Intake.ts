/**
 * The way in: from the bytes and headers of a submission to a job that may be stored, or to the reason why not.
 *
 * Everything is checked here, before anything is written or called: the JSON, the keys and values of the protocol, the
 * limits, the rules between fields, and where every URL of the tree leads. Both dialects pass the same checks.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Pacing from "../../engine/Pacing.ts"
import type { Step } from "../../step/StepModel.ts"
import type { EgressDoor } from "../egress/Door.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import type { DnsFailed } from "../egress/Resolver.ts"
import type { UrlDenied } from "../egress/Url.ts"
import { httpsRequired, lacksHttps } from "../egress/Webhook.ts"
import type { Dialect, NewJob } from "../job/Job.ts"
import * as JobId from "../job/JobId.ts"
import { scopeOf } from "../job/JobKey.ts"
import { newJob } from "../job/NewJob.ts"
import { readCloud, readJson, valueAt } from "./Body.ts"
import { readFlat } from "./Flat.ts"
import { breachOfDraws, type KnownLimits, placesIn } from "./Draws.ts"
import type { Limits } from "./Limits.ts"
import { badField, later, refused, type Refused } from "./Refusal.ts"
import * as SentHeaders from "./SentHeaders.ts"
import { breachOf, nodesOf, type TreeNode } from "./Tree.ts"

/**
 * A job as it was handed in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submission {
  readonly customer: string
  readonly body: Uint8Array
  /** Of the submission itself; lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The way in, for each dialect.
 *
 * @category models
 * @since 0.1.0
 */
export interface Intake {
  /** `POST /api/v1/jobs`. */
  readonly cloud: (submission: Submission) => Effect.Effect<NewJob, Refused>
  /** `POST /jobs`. */
  readonly flat: (submission: Submission) => Effect.Effect<NewJob, Refused>
  /** The same without a fiber, where nobody has to be asked: the job, or how it is told whether it is one. */
  readonly now: (
    dialect: Dialect,
    submission: Submission,
    context: Context.Context<never>
  ) => NewJob | Effect.Effect<NewJob, Refused>
  /** A job that the dam submits by itself later on: the same checks, and its step as it was said. */
  readonly step: (submission: Submission) => Effect.Effect<Step, Refused>
  /** The URL of a call that belongs to a job which was taken before, in a field of this name. */
  readonly url: (field: string, url: string) => Effect.Effect<void, Refused>
  /** The URL of a webhook that belongs to no job, in a field of this name. */
  readonly webhook: (field: string, url: string) => Effect.Effect<void, Refused>
}

/**
 * What intake goes by.
 *
 * @category models
 * @since 0.1.0
 */
export interface IntakeOptions {
  readonly limits: Limits
  readonly door: EgressDoor
  /** Headers that are credentials beside those that always are. Defaults to none. */
  readonly credentials?: ReadonlyArray<string> | undefined
  /** What jobs may draw on. Defaults to nothing. */
  readonly callLimits?: KnownLimits | undefined
  /** Takes webhooks over https only. Defaults to `false`. */
  readonly httpsWebhooks?: boolean | undefined
}

/**
 * Makes a way in.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: IntakeOptions): Intake => {
  const { callLimits = noLimits, door, limits } = options
  const { admit, isStrange } = makeAdmitting(options)

  /** What can be told without asking anybody, which is everything for hosts that were admitted just now. */
  const take = ({ context, dialect, step, submission, userId }: Taking): NewJob | Effect.Effect<NewJob, Refused> => {
    const now = Context.get(context, Clock.Clock).currentTimeMillisUnsafe()
    const key = keyOf(submission, step)
    if (typeof key === "object") return Effect.fail(key)
    const nodes = nodesOf(step, limits)
    if (!isList(nodes)) return Effect.fail(nodes)
    const breach =
      breachOf(nodes, { limits, now, bodyBytes: submission.body.length }) ??
      breachOfDraws(nodes, callLimits, (...asked) => placesOf(submission)(...asked))
    if (breach !== undefined) return Effect.fail(breach)
    const job = newJob({
      id: JobId.at(now, Context.get(context, WebCrypto.WebCrypto)),
      at: now,
      customer: submission.customer,
      dialect,
      keyScope: scopeOf(submission.customer, userId),
      step: SentHeaders.withoutAgreed(step),
      key,
      credentials: options.credentials,
      isolated: Pacing.parse(submission.headers)?.accountQueue === "enabled",
      traceparent: traceparentIn(submission.headers)
    })
    const strange = urlsOf(nodes).filter((submitted) => isStrange(submitted, now))
    return strange.length === 0
      ? job
      : Effect.as(
          Effect.forEach(strange, (url) => admit(dialect, url, now), { discard: true }),
          job
        )
  }

  const now: Intake["now"] = (dialect, submission, context) => {
    const read = readers[dialect](submission.body, limits, door.policy)
    return Result.isFailure(read) ? Effect.fail(read.failure) : take({ dialect, submission, context, ...read.success })
  }

  const inFiber = (dialect: Dialect, submission: Submission): Effect.Effect<NewJob, Refused> =>
    Effect.contextWith((context: Context.Context<never>) => {
      const taken = now(dialect, submission, context)
      return Effect.isEffect(taken) ? taken : Effect.succeed(taken)
    })

  /** Read again, for whoever is refused: a step holds what it draws on in an order of its own. */
  const placesOf = ({ body }: Submission) => placesIn(Result.getOrUndefined(readJson(body, limits)), valueAt)

  return {
    now,
    cloud: (submission) => inFiber("cloud", submission),
    flat: (submission) => inFiber("flat", submission),
    step: (submission) =>
      Effect.contextWith((context: Context.Context<never>) => {
        const read = readers.cloud(submission.body, limits, door.policy)
        if (Result.isFailure(read)) return Effect.fail(read.failure)
        const { step } = read.success
        const taken = take({ dialect: "cloud", submission, context, ...read.success })
        const asSaid = SentHeaders.withoutAgreed(step)
        return Effect.isEffect(taken) ? Effect.as(taken, asSaid) : Effect.succeed(asSaid)
      }),
    url: (field, url) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => admit("cloud", { field, url, webhook: false }, now)),
    webhook: (field, url) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => admit("cloud", { field, url, webhook: true }, now))
  }
}

interface Read {
  readonly step: Step
  readonly userId: string | undefined
}

interface Taking extends Read {
  readonly dialect: Dialect
  readonly submission: Submission
  readonly context: Context.Context<never>
}

/** How a body is read in each dialect. */
const readers: {
  readonly [D in Dialect]: (body: Uint8Array, limits: Limits, policy: EgressPolicy) => Result.Result<Read, Refused>
} = {
  cloud: (body, limits, policy) => Result.map(readCloud(body, limits, policy), (step) => ({ step, userId: undefined })),
  flat: readFlat
}

const noLimits: KnownLimits = { definition: () => undefined, names: () => [] }

/** Asks the door where URLs lead, and knows for which of them it need not. */
const makeAdmitting = ({ door, httpsWebhooks: httpsOnly = false }: Pick<IntakeOptions, "door" | "httpsWebhooks">) => {
  const passed = makePassed()
  return {
    isStrange: ({ url, webhook }: SubmittedUrl, now: number): boolean =>
      (webhook && httpsOnly) || !passed.has(url, now),
    admit: (dialect: Dialect, { field, url, webhook }: SubmittedUrl, now: number): Effect.Effect<void, Refused> =>
      webhook && lacksHttps({ httpsOnly }, url)
        ? Effect.fail(denied(dialect, field, httpsRequired.reason, httpsRequired.message))
        : Effect.mapBoth(door.admit(url), {
            onFailure: (error) => refusalOf(dialect, field, error),
            onSuccess: () => passed.add(url, now)
          })
  }
}

/**
 * Remembers for some seconds what the door has let through, by what stands before the path. Only for URLs that are
 * written so plainly that nothing after it can lead elsewhere; all others ask the door every time.
 */
const makePassed = () => {
  const until = new Map<string, number>()
  const originIn = (url: string) => PLAIN.exec(url)?.[1]
  return {
    has: (url: string, now: number): boolean => {
      const origin = originIn(url)
      return origin !== undefined && (until.get(origin) ?? 0) > now
    },
    add: (url: string, now: number): void => {
      const origin = originIn(url)
      if (origin === undefined) return
      if (until.size >= PASSED_AT_MOST) until.clear()
      until.set(origin, now + PASSED_MILLIS)
    }
  }
}

const PLAIN = /^(https?:\/\/[a-z0-9.-]+(?::\d{1,5})?)(?:[/?#][!-[\]-~]*)?$/
const PASSED_AT_MOST = 1000
const PASSED_MILLIS = 5000

interface SubmittedUrl {
  readonly field: string
  readonly url: string
  readonly webhook: boolean
}

const urlsOf = (nodes: ReadonlyArray<TreeNode>): Array<SubmittedUrl> => {
  const urls: Array<SubmittedUrl> = []
  for (const { at, step } of nodes) {
    urls.push({ field: `${at}url`, url: step.request.url, webhook: false })
    for (const [index, { url }] of step.webhooks.entries()) {
      urls.push({ field: `${at}webhooks[${index}].url`, url, webhook: true })
    }
  }
  return urls
}

/** The key that was given: in the body, in the header, or alike in both. */
const keyOf = ({ headers }: Submission, { idempotency }: Step): string | undefined | Refused => {
  const inBody = idempotency._tag === "Custom" ? idempotency.key : undefined
  const inHeader = headers["idempotency-key"]
  if (inHeader === undefined) return inBody
  if (!KEY.test(inHeader)) {
    return badField("Idempotency-Key", "Expected 1 to 255 printable ASCII characters", "invalid_header")
  }
  return inBody === undefined || inBody === inHeader
    ? inHeader
    : badField("idempotent_key", "is not what the Idempotency-Key header says", "key_conflict")
}

const refusalOf = (dialect: Dialect, field: string, error: UrlDenied | DnsFailed): Refused =>
  error._tag === "DnsFailed"
    ? later({ status: 503, code: "dns_failed", problem: `${field}: ${error.message}`, after: 1 })
    : denied(dialect, field, error.reason, error.message)

const denied = (dialect: Dialect, field: string, reason: string, problem: string): Refused => {
  const named = dialect === "flat" && field !== "url" ? "webhook_url" : field
  return refused(dialect === "flat" ? 400 : 422, "url_denied", `${named}: ${problem}`, {
    field: named,
    extra: { reason }
  })
}

const traceparentIn = (headers: Readonly<Record<string, string>>): string | undefined => {
  const given = headers["traceparent"]
  return given !== undefined && TRACEPARENT.test(given) ? given : undefined
}

const isList = (value: ReadonlyArray<TreeNode> | Refused): value is ReadonlyArray<TreeNode> => Array.isArray(value)

const KEY = /^[\x20-\x7e]{1,255}$/
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

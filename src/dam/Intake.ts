/**
 * The way in: from the bytes and headers of a submission to a job that may be stored, or to the reason why not.
 *
 * Everything is checked here, before anything is written or called: the JSON, the keys and values of the protocol, the
 * limits, the rules between fields, and where every URL of the tree leads. Both dialects pass the same checks.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Idempotency from "../engine/Idempotency.ts"
import * as Pacing from "../engine/Pacing.ts"
import { makeStep, type Step } from "../step/StepModel.ts"
import type { EgressDoor } from "./EgressDoor.ts"
import type { DnsFailed } from "./EgressResolver.ts"
import type { UrlDenied } from "./EgressUrl.ts"
import { readCloud, readFlat } from "./IntakeBody.ts"
import * as IntakeId from "./IntakeId.ts"
import { accountOf, laneOf, scopeOf } from "./IntakeLane.ts"
import { badField, later, refused, type Refused } from "./IntakeRefusal.ts"
import { breachOf, nodesOf, type TreeNode } from "./IntakeTree.ts"
import type { Dialect, NewJob } from "./Job.ts"
import type { Limits } from "./Limits.ts"

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
  const take = (dialect: Dialect, submission: Submission, step: Step, userId: string | undefined) =>
    Effect.gen(function* () {
      const key = yield* Effect.fromResult(keyOf(submission, step))
      const nodes = nodesOf(step, options.limits)
      if (!isList(nodes)) return yield* Effect.fail(nodes)
      const now = yield* Clock.currentTimeMillis
      const breach = breachOf(nodes, { limits: options.limits, now, bodyBytes: submission.body.length })
      if (breach !== undefined) return yield* Effect.fail(breach)
      for (const { field, url } of urlsOf(nodes)) yield* admit(dialect, field, url)
      const payload = Idempotency.hash(step.request)
      const keyScope = scopeOf(submission.customer, userId)
      return {
        id: yield* IntakeId.fresh,
        customer: submission.customer,
        dialect,
        keyScope,
        key: key ?? payload,
        keyGiven: key !== undefined,
        payload,
        step: key === undefined ? step : keyed(step, key),
        lane: laneOf(step.request.url),
        account: accountOf(keyScope, step.request.headers),
        isolated: Pacing.parse(submission.headers)?.accountQueue === "enabled",
        createdAt: now,
        notBefore: step.retryAt,
        parent: undefined,
        rerunOf: undefined,
        traceparent: traceparentIn(submission.headers)
      } satisfies NewJob
    })

  const admit = (dialect: Dialect, field: string, url: string): Effect.Effect<void, Refused> =>
    options.httpsWebhooks === true && isWebhook(field) && !/^https:/i.test(url)
      ? Effect.fail(denied(dialect, field, "HttpsRequired", "webhooks are told over https only"))
      : Effect.mapError(Effect.asVoid(options.door.admit(url)), (error) => refusalOf(dialect, field, error))

  return {
    cloud: (submission) =>
      Effect.flatMap(Effect.fromResult(readCloud(submission.body, options.limits, options.door.policy)), (step) =>
        take("cloud", submission, step, undefined)
      ),
    flat: (submission) =>
      Effect.flatMap(
        Effect.fromResult(readFlat(submission.body, options.limits, options.door.policy)),
        ({ step, userId }) => take("flat", submission, step, userId)
      )
  }
}

interface SubmittedUrl {
  readonly field: string
  readonly url: string
}

const urlsOf = (nodes: ReadonlyArray<TreeNode>): ReadonlyArray<SubmittedUrl> =>
  nodes.flatMap(({ at, step }) => [
    { field: `${at}url`, url: step.request.url },
    ...step.webhooks.map(({ url }, index) => ({ field: `${at}webhooks[${index}].url`, url }))
  ])

const isWebhook = (field: string): boolean => field.endsWith("].url")

/** The key that was given: in the body, in the header, or alike in both. */
const keyOf = ({ headers }: Submission, { idempotency }: Step): Result.Result<string | undefined, Refused> => {
  const inBody = idempotency._tag === "Custom" ? idempotency.key : undefined
  const inHeader = headers["idempotency-key"]
  if (inHeader === undefined) return Result.succeed(inBody)
  if (!KEY.test(inHeader)) {
    return Result.fail(badField("Idempotency-Key", "Expected 1 to 255 printable ASCII characters", "invalid_header"))
  }
  return inBody === undefined || inBody === inHeader
    ? Result.succeed(inHeader)
    : Result.fail(badField("idempotent_key", "is not what the Idempotency-Key header says", "key_conflict"))
}

const keyed = (step: Step, key: string): Step =>
  step.idempotency._tag === "Custom" ? step : makeStep({ ...step, idempotency: { _tag: "Custom", key } })

const refusalOf = (dialect: Dialect, field: string, error: UrlDenied | DnsFailed): Refused =>
  error._tag === "DnsFailed"
    ? later(503, "dns_failed", `${field}: ${error.message}`, 1)
    : denied(dialect, field, error.reason, error.message)

const denied = (dialect: Dialect, field: string, reason: string, problem: string): Refused => {
  const named = dialect === "flat" && isWebhook(field) ? "webhook_url" : field
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

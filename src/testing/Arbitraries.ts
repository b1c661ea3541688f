/**
 * Random steps, answers and scripts for property tests, with Effect's own `Arbitrary`.
 *
 * Steps are valid, across fields and at every depth, and made of few hosts, regions and statuses, so that random trees
 * and random answers meet. They shrink to small steps.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { Failure } from "../step/Failure.ts"
import { AttemptTimedOut, ConnectionFailed, InvalidResponse, TlsError } from "../step/Failure.ts"
import { isUnsafe } from "../engine/Idempotency.ts"
import * as Fields from "../step/Fields.ts"
import type { Request } from "../step/Request.ts"
import type { RetryPolicy } from "../step/RetryPolicy.ts"
import type { Fallback, Hedge, Step, StepFields, StepType } from "../step/StepModel.ts"
import { changed, makeStep } from "../step/StepValue.ts"
import type { Answer, ReplyLike } from "./Answer.ts"
import * as Answers from "./Answer.ts"
import {
  between,
  bool,
  codes,
  duration,
  fills,
  headers,
  idempotency,
  limits,
  matching,
  nothing,
  oneOf,
  optional,
  text,
  trigger,
  webhook
} from "./Generators.ts"

/**
 * What random steps are made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepOptions {
  /** How deep fallbacks and chains nest at most. Defaults to `3`; `0` is a single call. */
  readonly depth?: number | undefined
  /** Types to choose from; `undefined` stands for a step that names none. Defaults to all three. */
  readonly types?: readonly [StepType | undefined, ...ReadonlyArray<StepType | undefined>] | undefined
  /** Regions to choose from. Defaults to `iad`, `lax`, `ord` and `fra`. */
  readonly regions?: readonly [string, ...ReadonlyArray<string>] | undefined
  /** Whether some draw on limits and stand in an order, which calls that are made here refuse. Defaults to `false`. */
  readonly draws?: boolean | undefined
  /** Whether some chained steps take from the answer before them, which the cloud refuses. Defaults to `false`. */
  readonly takes?: boolean | undefined
  /** Whether some are delayed or expire, which the cloud refuses. Defaults to `false`. */
  readonly times?: boolean | undefined
}

/**
 * Generates steps.
 *
 * @category generators
 * @since 0.1.0
 */
export const step = (options: StepOptions = {}): Arbitrary.Arbitrary<Step> => {
  const single = singleStep(options)
  const tree = (depth: number): Arbitrary.Arbitrary<Step> =>
    depth <= 0 ? Arbitrary.map(single, makeStep) : grown(single, tree(depth - 1), options.takes === true)
  return tree(options.depth ?? 3)
}

/**
 * Generates requests: usual methods, headers, bodies of text or bytes.
 *
 * @category generators
 * @since 0.1.0
 */
export const request: Arbitrary.Arbitrary<Request> = Arbitrary.all({
  method: oneOf(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
  url: Arbitrary.map(
    Arbitrary.all([
      oneOf(["https://api.example", "https://shop.example:8443", "http://127.0.0.1:3000"]),
      matching(/^(\/[a-z0-9._~-]{1,8}){0,3}(\?[a-z]{1,3}=[a-z0-9]{0,4})?$/)
    ]),
    ([origin, rest]) => origin + rest
  ),
  headers,
  body: optional(Arbitrary.schema(Schema.Union([Schema.String, Schema.Uint8Array])))
})

/**
 * Generates retry policies, as given: anything may be left out. Counts stay below 5.
 *
 * @category generators
 * @since 0.1.0
 */
export const retryPolicy: Arbitrary.Arbitrary<RetryPolicy> = Arbitrary.all({
  maxRetries: optional(between(0, 4)),
  maxReroutes: optional(between(0, 4)),
  retryCodes: optional(codes),
  rerouteCodes: optional(codes),
  base: optional(duration),
  cap: optional(duration)
})

/**
 * Generates responses: statuses a policy cares about and others, sometimes with a `Retry-After` of up to two minutes.
 *
 * @category generators
 * @since 0.1.0
 */
export const reply: Arbitrary.Arbitrary<ReplyLike> = Arbitrary.map(
  Arbitrary.all({
    status: oneOf([200, 201, 204, 301, 400, 404, 429, 500, 502, 503, 504]),
    retryAfter: optional(between(0, 120)),
    body: Arbitrary.schema(Schema.Union([Schema.String, Schema.Uint8Array]))
  }),
  ({ body, retryAfter, status }) => ({
    status,
    headers: retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) },
    body
  })
)

/**
 * Generates the ways in which an exchange brings no response.
 *
 * @category generators
 * @since 0.1.0
 */
export const failure: Arbitrary.Arbitrary<Failure> = oneOf<Failure>([
  new ConnectionFailed({ kind: "refused", detail: "generated" }),
  new ConnectionFailed({ kind: "reset", detail: "generated" }),
  new ConnectionFailed({ kind: "notFound", detail: "generated" }),
  new TlsError({ kind: "issuer", detail: "generated" }),
  new InvalidResponse({ received: "generated" }),
  new AttemptTimedOut({ afterMillis: 30_000 })
])

/**
 * Generates what a target does: responses and failures, at once or after up to a minute, and now and then nothing.
 *
 * @category generators
 * @since 0.1.0
 */
export const answer: Arbitrary.Arbitrary<Answer> = Arbitrary.flatMap(
  between(0, 11),
  (choice): Arbitrary.Arbitrary<Answer> => {
    if (choice === 11) return Arbitrary.Constant(Answers.hang)
    if (choice > 7) return Arbitrary.map(failure, Answers.fail)
    if (choice > 4) {
      return Arbitrary.map(Arbitrary.all([between(1, 60_000), reply]), ([delay, like]) => Answers.later(delay, like))
    }
    return Arbitrary.map(reply, Answers.reply)
  }
)

/**
 * Generates a row of answers, given in turn, the last one repeated.
 *
 * @category generators
 * @since 0.1.0
 */
export const answers: Arbitrary.Arbitrary<Answer> = Arbitrary.map(
  Arbitrary.all([answer, Arbitrary.array(answer, { maxLength: 8 })]),
  ([first, rest]) => Answers.inTurn(first, ...rest)
)

const order = Arbitrary.all({ key: oneOf(["a", "b"]), onFailure: oneOf(["continue", "stop"]) })

const hedge: Arbitrary.Arbitrary<Hedge> = Arbitrary.map(
  Arbitrary.all({ after: optional(duration), max: between(1, 3), to: oneOf<Hedge["to"]>(["same", "region"]) }),
  (fields) => ({ ...fields, percentile: fields.after === undefined ? 95 : undefined })
)

/** Whether a target can recognise the call when it is made twice. */
const isKnown = (step: Pick<StepFields, "idempotency" | "request" | "sendIdempotencyKey">): boolean =>
  !isUnsafe(step.request.method) || step.sendIdempotencyKey || step.idempotency._tag !== "Hash"

const singleStep = ({
  draws = false,
  regions = ["iad", "lax", "ord", "fra"],
  times = false,
  types = [undefined, "FRUGAL", "PERFORMANCE"]
}: StepOptions): Arbitrary.Arbitrary<StepFields> =>
  Arbitrary.map(
    Arbitrary.all({
      request,
      type: oneOf(types),
      description: optional(text),
      responseDescription: optional(text),
      fallbackOnError: optional(codes),
      localTimeout: optional(duration),
      attemptTimeout: times ? optional(duration) : nothing,
      timeoutHeader: times ? optional(oneOf(["X-Time-Left"])) : nothing,
      hedge: times ? optional(hedge) : nothing,
      retryPolicy: optional(retryPolicy),
      retryUnsafe: optional(bool),
      limits: draws ? limits : Arbitrary.Constant([]),
      regions: Arbitrary.array(oneOf(regions), { maxLength: 4 }),
      regionPolicy: oneOf(["fallback", "strict"]),
      executionMode: oneOf(["race", "fanout"]),
      webhooks: Arbitrary.array(webhook, { maxLength: 3 }),
      webhookQuorum: between(1, 3),
      idempotency,
      sendIdempotencyKey: bool,
      retryAt: optional(between(0, 86_400_000)),
      delay: times ? optional(duration) : nothing,
      startBefore: times ? optional(between(0, 86_400_000)) : nothing,
      priority: draws ? optional(oneOf(["high", "normal", "low"])) : nothing,
      inOrder: draws ? optional(order) : nothing,
      debounce: nothing,
      coalesce: Arbitrary.Constant(false),
      metadata: Arbitrary.schema(Fields.Metadata),
      onFailureTimeout: optional(duration),
      totalTimeout: times ? optional(duration) : nothing
    }),
    (fields) => {
      const votes = fields.webhooks.filter(({ hasQuorumVote }) => hasQuorumVote).length
      return {
        ...fields,
        regionPolicy: fields.regions.length === 0 ? "fallback" : fields.regionPolicy,
        webhooks: votes === 0 ? fields.webhooks.map((target) => ({ ...target, hasQuorumVote: true })) : fields.webhooks,
        webhookQuorum:
          fields.webhooks.length === 0
            ? fields.webhookQuorum
            : Math.min(fields.webhookQuorum, votes === 0 ? fields.webhooks.length : votes),
        // one that is over before the step may start is refused
        delay: fields.totalTimeout === undefined ? fields.delay : undefined,
        hedge: fields.regions.length > 1 || fields.retryUnsafe === false || !isKnown(fields) ? undefined : fields.hedge,
        fills: [],
        fallbacks: [],
        onSuccess: undefined,
        onFailure: undefined
      }
    }
  )

/** A step with children now and then; what is not chosen is not generated, so deep trees stay affordable. */
const grown = (
  single: Arbitrary.Arbitrary<StepFields>,
  child: Arbitrary.Arbitrary<Step>,
  takes: boolean
): Arbitrary.Arbitrary<Step> =>
  Arbitrary.flatMap(between(0, 9), (shape) =>
    Arbitrary.map(
      Arbitrary.all({
        fields: single,
        fallbacks: Arbitrary.array(Arbitrary.all({ step: child, trigger }), { maxLength: shape > 4 ? 2 : 0 }),
        onSuccess: shape % 4 === 3 ? taking(child, takes) : nothing,
        onFailure: shape % 5 === 4 ? taking(child, takes) : nothing
      }),
      ({ fallbacks, fields, onFailure, onSuccess }) =>
        makeStep({ ...fields, fallbacks: fallbacks.map(turnless), onSuccess, onFailure })
    )
  )

/** A fallback runs in the turn of the step that it stands in for. */
const turnless = ({ step, ...rest }: Fallback): Fallback => ({
  ...rest,
  step: changed(step, { priority: undefined, inOrder: undefined })
})

/** A chained step that takes something, or does not. */
const taking = (child: Arbitrary.Arbitrary<Step>, takes: boolean): Arbitrary.Arbitrary<Step> =>
  takes ? Arbitrary.map(Arbitrary.all([child, fills]), ([one, some]) => changed(one, { fills: some })) : child

/**
 * Every name under which this library reports: spans, their attributes, metrics. Nothing secret is among the values:
 * targets come without query, headers and bodies not at all.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type { Attempt } from "../step/HistoryModel.ts"
import type { Outcome, StepError } from "../step/Outcome.ts"
import { type Request, target } from "../step/Request.ts"
import type { Step } from "../step/StepModel.ts"

/**
 * Span names.
 *
 * @category names
 * @since 0.1.0
 */
export const spans = {
  /** One execution of a step, its fallbacks and its chain included. */
  step: "ezthrottle.step",
  /** One call to a target. */
  attempt: "ezthrottle.attempt",
  /** One hand-over to a service. */
  forward: "ezthrottle.forward",
  /** One start of a job in a dam, to its end or to a pause that the store keeps. */
  job: "ezthrottle.job",
  /** What a job waited in a dam before this start: from acceptance, its moment, or the end of its pause. */
  queueWait: "ezthrottle.queue_wait",
  /** One attempt of a dam to tell a webhook. */
  delivery: "ezthrottle.delivery"
} as const

/**
 * Span attributes.
 *
 * @category names
 * @since 0.1.0
 */
export const attributes = {
  /** Method and URL without query. */
  target: "ezthrottle.target",
  /** `FRUGAL` or `PERFORMANCE`. */
  type: "ezthrottle.type",
  /** `Step.description`. */
  description: "ezthrottle.description",
  /** `Step.responseDescription`. */
  responseDescription: "ezthrottle.response_description",
  /** `Completed`, `Accepted` or the tag of the error's reason. */
  outcome: "ezthrottle.outcome",
  /** The id of the job that took the step over. */
  jobId: "ezthrottle.job_id",
  /** The id of a delivery, the same for each of its attempts. */
  deliveryId: "ezthrottle.delivery_id",
  /** The lane of a dam: canonical host and port. */
  lane: "ezthrottle.lane",
  /** `true` when the service knew the key already. */
  duplicate: "ezthrottle.duplicate",
  /** Place in the line: 0 the step itself, n the n-th fallback. */
  path: "ezthrottle.path",
  /** `start`, `retry`, `reroute`, `forward` or `repeat`. */
  kind: "ezthrottle.kind",
  /** Region the attempt left from. */
  region: "ezthrottle.region",
  /** Milliseconds waited before the attempt. */
  pause: "ezthrottle.pause_ms",
  /** Status of the answer. */
  status: "http.response.status_code",
  /** Tag of the failure when there was no answer. */
  failure: "error.type"
} as const

const endings = ["Answered", "Failed", "Interrupted"] as const
const kinds = ["start", "retry", "reroute", "forward", "repeat", "hedge"] as const

const attemptCounters = Object.fromEntries(
  kinds.map((kind) => [
    kind,
    Object.fromEntries(
      endings.map((ending) => [
        ending,
        Metric.counter("ezthrottle_attempts_total", {
          description:
            "Attempts by kind (start, retry, reroute, forward, repeat, hedge) and ending (answered, failed, interrupted)",
          incremental: true,
          attributes: { kind, ending: ending.toLowerCase() }
        })
      ])
    )
  ])
)

/**
 * Metrics: attempts by kind and ending, their latency, and steps by how they ended.
 *
 * @category names
 * @since 0.1.0
 */
export const metrics = {
  attempts: (kind: Attempt["kind"], ending: Attempt["ending"]["_tag"]) => attemptCounters[kind]?.[ending],
  latency: Metric.histogram("ezthrottle_attempt_latency_seconds", {
    description: "Seconds from sending an attempt to its end",
    boundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
  }),
  steps: {
    Completed: Metric.counter("ezthrottle_steps_total", {
      description: "Executions by how they ended (completed, accepted, failed)",
      incremental: true,
      attributes: { outcome: "completed" }
    }),
    Accepted: Metric.counter("ezthrottle_steps_total", {
      description: "Executions by how they ended (completed, accepted, failed)",
      incremental: true,
      attributes: { outcome: "accepted" }
    }),
    StepError: Metric.counter("ezthrottle_steps_total", {
      description: "Executions by how they ended (completed, accepted, failed)",
      incremental: true,
      attributes: { outcome: "failed" }
    })
  }
} as const

/**
 * Counts an attempt that has ended; synchronous, for the place where it is recorded.
 *
 * @internal
 */
export const countAttempt = (attempt: Attempt, context: Parameters<typeof metrics.latency.updateUnsafe>[1]): void => {
  metrics.attempts(attempt.kind, attempt.ending._tag)?.updateUnsafe(1, context)
  metrics.latency.updateUnsafe(attempt.latency / 1000, context)
}

/**
 * Counts a step that has ended.
 *
 * @internal
 */
export const countStep = (
  { _tag }: Outcome | StepError,
  context: Parameters<typeof metrics.latency.updateUnsafe>[1]
): void => metrics.steps[_tag].updateUnsafe(1, context)

/**
 * The W3C trace context of the span at hand; `undefined` without a tracer.
 *
 * @internal
 */
export const traceparent: Effect.Effect<string | undefined> = Effect.withFiber((fiber) =>
  fiber.cache.tracer === undefined
    ? Effect.undefined
    : Effect.match(Effect.currentParentSpan, {
        onFailure: () => undefined,
        onSuccess: ({ sampled, spanId, traceId }) =>
          `00-${traceId.padStart(32, "0")}-${spanId}-${sampled ? "01" : "00"}`
      })
)

/**
 * Lets a call say which trace it belongs to, where a tracer listens and the call does not say so itself.
 *
 * @internal
 */
export const propagated = <A, E, R>(
  { cache }: Fiber.Fiber<unknown, unknown>,
  request: Request,
  send: (request: Request) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  cache.tracer === undefined || Object.keys(request.headers).some((name) => name.toLowerCase() === "traceparent")
    ? send(request)
    : Effect.flatMap(traceparent, (given) =>
        send(given === undefined ? request : { ...request, headers: { ...request.headers, traceparent: given } })
      )

/**
 * Wraps one execution.
 *
 * @internal
 */
export const step = <A extends Outcome>(self: Step, run: Effect.Effect<A, StepError>): Effect.Effect<A, StepError> =>
  // a span costs about as much as the rest of an attempt, so it is made only where a tracer was provided to see it
  Effect.withFiber(({ cache, context }) => {
    const counted = Effect.onExit(run, (exit) => {
      const end = endOf(exit)
      if (end !== undefined) countStep(end, context)
      return Effect.void
    })
    return cache.tracer === undefined ? counted : tracedStep(self, counted)
  })

const tracedStep = <A extends Outcome>(self: Step, run: Effect.Effect<A, StepError>): Effect.Effect<A, StepError> =>
  Effect.onExit(run, (exit) => Effect.annotateCurrentSpan(describeEnd(endOf(exit)))).pipe(
    Effect.withSpan(spans.step, {
      attributes: {
        [attributes.target]: target(self.request),
        [attributes.type]: self.type ?? "PERFORMANCE",
        ...(self.description === undefined ? {} : { [attributes.description]: self.description }),
        ...(self.responseDescription === undefined
          ? {}
          : { [attributes.responseDescription]: self.responseDescription })
      }
    })
  )

const endOf = (exit: Exit.Exit<Outcome, StepError>): Outcome | StepError | undefined =>
  Exit.isSuccess(exit) ? exit.value : Option.getOrUndefined(Exit.findErrorOption(exit))

const describeEnd = (end: Outcome | StepError | undefined) => {
  switch (end?._tag) {
    case undefined:
      return { [attributes.outcome]: "Interrupted" }
    case "Completed":
      return { [attributes.outcome]: end._tag, [attributes.status]: end.response.status }
    case "Accepted":
      return {
        [attributes.outcome]: end._tag,
        [attributes.jobId]: end.jobId,
        [attributes.duplicate]: end.duplicate
      }
    case "StepError":
      return { [attributes.outcome]: end.reason._tag }
  }
}

/**
 * Wraps one attempt or forward.
 *
 * @internal
 */
export const attempt = <A extends Attempt>(
  self: Step,
  facts: Pick<Attempt, "kind" | "path" | "pause" | "region">,
  run: (fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<A>
): Effect.Effect<A> =>
  Effect.withFiber((fiber) =>
    fiber.cache.tracer === undefined ? run(fiber) : tracedAttempt(self, facts, Effect.withFiber(run))
  )

const tracedAttempt = <A extends Attempt>(
  self: Step,
  facts: Pick<Attempt, "kind" | "path" | "pause" | "region">,
  run: Effect.Effect<A>
): Effect.Effect<A> =>
  run.pipe(
    Effect.tap(({ ending }) =>
      Effect.annotateCurrentSpan(
        ending._tag === "Answered"
          ? { [attributes.status]: ending.status }
          : { [attributes.failure]: ending._tag === "Failed" ? ending.failure._tag : ending._tag }
      )
    ),
    Effect.withSpan(facts.kind === "forward" ? spans.forward : spans.attempt, {
      kind: "client",
      attributes: {
        [attributes.target]: target(self.request),
        [attributes.kind]: facts.kind,
        [attributes.path]: facts.path,
        [attributes.pause]: facts.pause,
        ...(facts.region === undefined ? {} : { [attributes.region]: facts.region })
      }
    })
  )

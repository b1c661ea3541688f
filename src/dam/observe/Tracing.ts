/**
 * The dam's part of a job's trace: what it waited, each of its starts, and the telling of its result. Nothing here costs
 * anything where no tracer was provided.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { hash } from "node:crypto"
import { attributes, spans } from "../../run/Telemetry.ts"
import type { DeliveryAttempt, StoredDelivery } from "../job/Delivery.ts"
import type { StoredJob } from "../job/Job.ts"
import type { JobPort } from "../store/JobRecords.ts"

/** Wraps one start of a job, and notes what it waited before. */
export const started = <A, E, R>(job: StoredJob, run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const { tracer } = fiber.cache
    if (tracer === undefined) return run
    const parent = parentOf(job.id, job.traceparent)
    const facts = { [attributes.jobId]: job.id, [attributes.lane]: job.lane }
    const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
    const since = Math.max(job.createdAt, job.notBefore ?? 0, job.pausedUntil ?? 0)
    const waited = tracer.span({
      name: spans.queueWait,
      parent: Option.some(parent),
      annotations: Context.empty(),
      links: [],
      startTime: nanos(Math.min(since, now)),
      kind: "internal",
      root: false,
      sampled: parent.sampled
    })
    for (const [name, value] of Object.entries(facts)) waited.attribute(name, value)
    waited.end(nanos(now), Exit.void)
    return Effect.withSpan(run, spans.job, { parent, attributes: facts })
  })

/** Wraps one attempt to tell a result; the job's row says which trace it belongs to. */
export const told = <A extends DeliveryAttempt | undefined, E, R>(
  store: Pick<JobPort, "get">,
  { id, jobId, lane }: StoredDelivery,
  run: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    if (fiber.cache.tracer === undefined) return run
    return Effect.flatMap(Effect.option(store.get(jobId)), (job) =>
      run.pipe(
        Effect.tap((made) =>
          Effect.annotateCurrentSpan(
            made?.status === undefined
              ? { [attributes.failure]: made?.error ?? "none" }
              : { [attributes.status]: made.status }
          )
        ),
        Effect.withSpan(spans.delivery, {
          kind: "client",
          parent: parentOf(jobId, Option.getOrUndefined(job)?.traceparent),
          attributes: { [attributes.jobId]: jobId, [attributes.lane]: lane, [attributes.deliveryId]: id }
        })
      )
    )
  })

/** Names the trace that all of a job belongs to. */
export const traceIdOf = ({ id, traceparent }: Pick<StoredJob, "id" | "traceparent">): string =>
  parentOf(id, traceparent).traceId

/** The caller's span; where it had none, one made of the job's id, so that all of a job is one trace all the same. */
const parentOf = (jobId: string, traceparent: string | undefined): Tracer.ExternalSpan => {
  const [, traceId, spanId, flags] = traceparent?.split("-") ?? []
  if (traceId !== undefined && spanId !== undefined && flags !== undefined) {
    return Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 })
  }
  const digest = hash("sha256", jobId, "hex")
  return Tracer.externalSpan({ traceId: digest.slice(0, 32), spanId: digest.slice(32, 48), sampled: true })
}

const nanos = (millis: number): bigint => BigInt(Math.round(millis)) * 1_000_000n

/**
 * Runs one stored job with the interpreter: every exchange behind a permit of its host's lane, every attempt stored
 * before the next decision, long pauses parked.
 *
 * A 429 is no result here unless the step itself speaks of 429: it holds the lane, and the call is repeated without
 * spending anything until a day after the job's own first 429.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Host } from "../run/Host.ts"
import * as Hosts from "../run/Host.ts"
import * as Interpreter from "../run/Interpreter.ts"
import type { Attempt } from "../step/History.ts"
import type { Outcome, StepError } from "../step/Outcome.ts"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"
import { inherit } from "../step/StepInherit.ts"
import type { Step } from "../step/StepModel.ts"
import { makeStep } from "../step/StepModel.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as Strategies from "../transport/Strategies.ts"
import * as WebhookEvent from "../wire/WebhookEvent.ts"
import type { JobResult, NewJob, StoredJob } from "./Job.ts"
import type { Finish, JobStore, StaleEpoch, StoreError } from "./JobStore.ts"
import type { Permit } from "./Lane.ts"
import type { Lanes } from "./Lanes.ts"
import * as Results from "./Results.ts"

/**
 * What running jobs needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunnerOptions {
  readonly store: JobStore["Service"]
  readonly lanes: Lanes
  readonly transport: Exchanging
  /** What a step without a retry policy gets. */
  readonly unsetPolicy: ResolvedRetryPolicy
  /** Limit of one attempt in milliseconds. */
  readonly attemptTimeout: number
  /** How long a job waits for a host that answers 429, in milliseconds after its own first. */
  readonly patience429: number
  readonly newId: Effect.Effect<string>
  readonly laneOf: (url: string) => string
  readonly accountOf: (step: Step, parent: StoredJob) => string
}

/**
 * How a run left its job.
 *
 * @category models
 * @since 0.1.0
 */
export type RunEnd =
  { readonly _tag: "Finished"; readonly finish: Finish } | { readonly _tag: "Parked"; readonly dueAt: number }

/** A pause longer than this ends the run; the job is started again when it is over. */
const parkAfter = 1000

/**
 * Runs a job to its end, or until it is parked. Fails when the store does, or when another start took over.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* (
  options: RunnerOptions,
  job: StoredJob,
  first: Permit
): Effect.fn.Return<RunEnd, StoreError | StaleEpoch> {
  const { store } = options
  const children: Array<NewJob> = []
  let permit: Permit | undefined = first
  let parkedUntil: number | undefined
  let broken: StoreError | StaleEpoch | undefined
  let heldSince = job.heldSince
  // a host call that cannot go on ends the run from inside; why is said here
  const orStop = <A>(write: Effect.Effect<A, StoreError | StaleEpoch>): Effect.Effect<A> =>
    Effect.catch(write, (error) => {
      broken = error
      return Effect.interrupt
    })

  const paced: Host["paced"] = (request, exchange) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const lane = options.laneOf(request.url)
        const mine =
          permit !== undefined && lane === job.lane ? permit : yield* restore(options.lanes.acquire(lane, job.account))
        if (mine === permit) permit = undefined
        const attempt = yield* Effect.ensuring(restore(exchange), mine.release)
        if (attempt.response !== undefined) yield* options.lanes.observe(lane, job.account, attempt.response)
        return attempt
      })
    )

  const host: Host = {
    ...Hosts.client,
    unsetPolicy: options.unsetPolicy,
    attemptTimeout: () => options.attemptTimeout,
    patience: () => Number.POSITIVE_INFINITY,
    hashKey: job.id,
    history: job.history,
    acceptedAt: job.createdAt,
    record: (attempt) => orStop(store.record(job.id, job.epoch, attempt)),
    pause: (millis, alone) =>
      millis <= parkAfter || !alone
        ? Effect.sleep(millis)
        : Effect.gen(function* () {
            const dueAt = Math.ceil((yield* Clock.currentTimeMillis) + millis)
            yield* orStop(store.park(job.id, job.epoch, dueAt, heldSince))
            parkedUntil = dueAt
            return yield* Effect.interrupt
          }),
    paced,
    repeatsAfter: (step, request, attempt) =>
      Effect.gen(function* () {
        if (!isHeld(step, job.step, attempt)) return undefined
        heldSince ??= attempt.at
        const now = yield* Clock.currentTimeMillis
        if (now - heldSince >= options.patience429) return undefined
        return yield* options.lanes.heldFor(options.laneOf(request.url))
      }),
    startChild: (relation, child) =>
      Effect.gen(function* () {
        const id = yield* options.newId
        children.push(
          Results.childJob(job, relation, child, {
            id,
            lane: options.laneOf(child.request.url),
            account: options.accountOf(child, job),
            createdAt: yield* Clock.currentTimeMillis
          })
        )
        return { _tag: "Started" as const, relation, jobId: id }
      })
  }

  // its own fiber, so that a host call that ends the run does not end whoever watches it
  const fiber = yield* Effect.forkChild(Interpreter.run(keyed(job), Strategies.only(options.transport), host))
  const exit = yield* Effect.ensuring(
    Fiber.await(fiber),
    Effect.suspend(() => permit?.release ?? Effect.void)
  )
  if (parkedUntil !== undefined) return { _tag: "Parked", dueAt: parkedUntil }
  if (broken !== undefined) return yield* Effect.fail(broken)
  const end = Exit.isSuccess(exit) ? exit.value : Option.getOrUndefined(Exit.findErrorOption(exit))
  if (end === undefined) return yield* Effect.interrupt
  const finish = finishOf(options, job, end, children, yield* Clock.currentTimeMillis)
  yield* store.finish(job.id, job.epoch, finish)
  return { _tag: "Finished", finish }
})

/** The body of the webhooks that tell how a job ended. */
export const bodyOf = (job: StoredJob, { error, response, responses }: JobResult, succeeded: boolean): Uint8Array =>
  encoder.encode(
    WebhookEvent.encode(
      {
        dialect: job.dialect,
        jobId: job.id,
        idempotentKey: job.key,
        status: succeeded ? "success" : "failed",
        response,
        error: error?.message,
        metadata: job.step.metadata,
        responses:
          responses.length === 0
            ? undefined
            : Object.fromEntries(responses.map((one) => [one.region ?? "default", one.response]))
      },
      job.dialect
    )
  )

const encoder = new TextEncoder()

const finishOf = (
  options: RunnerOptions,
  job: StoredJob,
  end: Outcome | StepError,
  children: ReadonlyArray<NewJob>,
  at: number
): Finish => {
  const good = end._tag === "Completed"
  const result = good ? Results.succeeded(end) : end._tag === "StepError" ? Results.failed(end) : Results.cancelled
  // a fallback that answered tells its own webhooks, where it has some
  const told = good ? inherit(end.answeredBy, job.step) : job.step
  return {
    state: good ? "succeeded" : "failed",
    at,
    result,
    children,
    deliveries: Results.deliveriesOf(job, told, bodyOf(job, result, good), options.laneOf)
  }
}

/** The step as it is run: a key that was given goes to the target, whichever way it came in. */
const keyed = ({ key, keyGiven, step }: StoredJob): Step =>
  keyGiven ? makeStep({ ...step, idempotency: { _tag: "Custom", key } }) : step

/** A 429 counts only where the step itself speaks of it: in its policy's own lists, or in a fallback's trigger. */
const isHeld = (step: Step, root: Step, { ending }: Attempt): boolean => {
  if (ending._tag !== "Answered" || ending.status !== 429) return false
  const { rerouteCodes = [], retryCodes = [] } = step.retryPolicy ?? {}
  const listed = retryCodes.includes(429) || rerouteCodes.includes(429)
  return !listed && !root.fallbacks.some(({ trigger }) => trigger._tag === "OnError" && trigger.codes.includes(429))
}

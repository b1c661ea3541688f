/**
 * Runs one stored job with the interpreter: every exchange behind a permit of its host's lane, every attempt stored
 * before the next decision, long pauses left to the store.
 *
 * A 429 is no result here unless the step itself speaks of 429: it holds the lane, and the call is repeated without
 * spending anything until a day after the job's own first 429.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { isGood } from "../../engine/Decide.ts"
import type { Host } from "../../run/Host.ts"
import * as Hosts from "../../run/Host.ts"
import * as Interpreter from "../../run/Interpreter.ts"
import type { Attempt } from "../../step/History.ts"
import type { Completed, StepError } from "../../step/Outcome.ts"
import type { ResolvedRetryPolicy } from "../../step/RetryPolicy.ts"
import type { Step } from "../../step/StepModel.ts"
import { makeStep } from "../../step/StepValue.ts"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import * as Strategies from "../../transport/Strategies.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import { childJob } from "../job/NewJob.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { Going, Permit } from "../lane/Permit.ts"
import type { JobPort } from "../store/JobRecords.ts"
import { untilWritten } from "../store/StoreError.ts"

/**
 * What running jobs needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunnerOptions {
  readonly store: Pick<JobPort, "record">
  readonly lanes: LaneRouter
  readonly transport: Exchanging
  /** What a step without a retry policy gets. */
  readonly unsetPolicy: ResolvedRetryPolicy
  /** Limit of one attempt in milliseconds. */
  readonly attemptTimeout: number
  /** How long a job waits for a host that answers 429, in milliseconds after its own first. */
  readonly patience429: number
  readonly newId: Effect.Effect<string>
  readonly laneOf: (url: string) => string
}

/**
 * How a run left its job. `Stale`: another start of the job has taken over, or the job was ended from outside.
 *
 * @category models
 * @since 0.1.0
 */
export type RunEnd =
  | {
      readonly _tag: "Ended"
      readonly end: Completed | StepError
      readonly children: ReadonlyArray<NewJob>
      /** The attempt that ended it, to be stored together with the end. */
      readonly attempt: Attempt | undefined
    }
  | { readonly _tag: "Broken"; readonly problem: string }
  | {
      readonly _tag: "Parked"
      readonly dueAt: number
      readonly heldSince: number | undefined
      /** The lane of the host it calls next, which alone it waits for. */
      readonly lane: string
    }
  | { readonly _tag: "Stale" }

/** A pause longer than this ends the run; the job is started again when it is over. */
const parkAfter = 1000

/**
 * Runs a job to its end, or to a pause that the store shall keep. What it answers is not written yet; the attempts are.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* (
  options: RunnerOptions,
  job: StoredJob,
  first: Permit
): Effect.fn.Return<RunEnd> {
  const { lanes, store } = options
  const step = keyed(job)
  const children: Array<NewJob> = []
  const stopped = yield* Deferred.make<RunEnd>()
  let stoppedWith: RunEnd | undefined
  // where nothing runs beside the run, whoever stops it is the run itself, and nobody need wait for the other
  const isLone = step.regions.length < 2 && step.fallbacks.length === 0 && step.onFailureTimeout === undefined
  const stop = (end: RunEnd) =>
    isLone
      ? Effect.suspend(() => {
          stoppedWith = end
          return Effect.interrupt
        })
      : Effect.andThen(Deferred.succeed(stopped, end), Effect.never)
  const held = (attempt: Attempt) => isHeld(step, attempt)
  const isLast = lastIn(step)
  let unwritten: Attempt | undefined
  let heldSince = job.heldSince ?? job.history.find(held)?.at
  let unused: Permit | undefined = first
  const letGo = Effect.suspend(() => {
    const permit = unused
    unused = undefined
    return permit?.release ?? Effect.void
  })
  // what comes next is a call of the path that the last attempt was one of
  let nextLane = job.history.length === 0 ? job.lane : options.laneOf(stepOf(step, job.history).request.url)
  const permitOf = (lane: string, alone: boolean): Effect.Effect<Permit | undefined> =>
    Effect.suspend(() => {
      nextLane = lane
      if (unused === undefined || lane !== job.lane) {
        return Effect.andThen(
          letGo,
          alone ? lanes.seek(lane, job.account, job.id) : lanes.acquire(lane, job.account, job.id)
        )
      }
      const permit = unused
      unused = undefined
      return Effect.succeed(permit)
    })

  // nobody is let through for long: it is queued again, so that it takes no place from others meanwhile
  const comeBack = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    stop({ _tag: "Parked", dueAt: now, heldSince, lane: nextLane })
  )

  // grows with every call, over crashes too: what was in flight at one has left nothing in the history
  let calls = job.history.length + (job.epoch - 1) * atOnceOf(step)
  const transport: Exchanging = {
    ...options.transport,
    send: (exchange) =>
      Clock.clockWith((clock) => {
        const { attempt, request } = exchange
        const sentAt = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
        const lane = options.laneOf(request.url)
        const sent = Effect.flatMap(lanes.load(lane), (load) =>
          options.transport.send({
            ...exchange,
            attempt: attempt && `${job.id}/${attempt}`,
            request: { ...request, headers: headersOf(request.headers, load, ++calls) }
          })
        )
        // learnt before anybody else is let through
        return Effect.tap(sent, (response) =>
          lanes.observe({ lane, account: job.account, response, jobId: job.id, sentAt })
        )
      })
  }

  const host: Host = {
    ...Hosts.client,
    unsetPolicy: options.unsetPolicy,
    attemptTimeout: () => options.attemptTimeout,
    patience: () => Number.POSITIVE_INFINITY,
    hashKey: job.id,
    history: job.history,
    rested: restedOf(job, held),
    acceptedAt: job.createdAt,
    record: (attempt) => {
      if (isLast(attempt)) {
        unwritten = attempt
        return Effect.void
      }
      const write = store.record(job.id, job.epoch, attempt)
      return attempt.ending._tag === "Interrupted"
        ? // for the record only: the run is over, and nobody waits for a store that fails
          Effect.ignore(write)
        : untilWritten(job.id, write).pipe(Effect.catch(() => stop({ _tag: "Stale" })))
    },
    pause: (millis, alone) =>
      Effect.andThen(
        letGo,
        millis <= parkAfter || !alone
          ? Effect.sleep(millis)
          : Effect.flatMap(Clock.currentTimeMillis, (now) =>
              stop({ _tag: "Parked", dueAt: Math.ceil(now + millis), heldSince, lane: nextLane })
            )
      ),
    paced: (request, exchange, alone) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(permitOf(options.laneOf(request.url), alone), (permit) =>
          permit === undefined
            ? restore(comeBack)
            : Effect.ensuring(
                restore(
                  Effect.flatMap(permit.depart(alone ? mayLeave : always), (departed) =>
                    departed ? exchange : Effect.andThen(permit.release, comeBack)
                  )
                ),
                permit.release
              )
        )
      ),
    repeatsAfter: (_, request, attempt) =>
      Effect.gen(function* () {
        if (!held(attempt)) return undefined
        heldSince ??= attempt.at
        const now = yield* Clock.currentTimeMillis
        if (now - heldSince >= options.patience429) return undefined
        return yield* lanes.heldFor(options.laneOf(request.url), job.account)
      }),
    startChild: (relation, child) =>
      Effect.gen(function* () {
        const made = yield* childOf(options, job, relation, child)
        children.push(made)
        return { _tag: "Started" as const, relation, jobId: made.id }
      })
  }

  const ended = Effect.map(Effect.exit(Interpreter.run(step, Strategies.only(transport), host)), (exit): RunEnd => {
    if (stoppedWith !== undefined) return stoppedWith
    const end = Exit.isSuccess(exit) ? exit.value : Option.getOrUndefined(Exit.findErrorOption(exit))
    // nothing here is handed over, so nothing is merely accepted
    if (end !== undefined && end._tag !== "Accepted") return { _tag: "Ended", end, children, attempt: unwritten }
    return { _tag: "Broken", problem: Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "" }
  })
  return yield* (isLone ? ended : Effect.raceFirst(ended, Deferred.await(stopped))).pipe(
    // called off between its last answer and its end: that there was a call is not forgotten
    Effect.onInterrupt(() =>
      unwritten === undefined ? Effect.void : Effect.ignore(store.record(job.id, job.epoch, unwritten))
    ),
    Effect.ensuring(letGo)
  )
})

/**
 * Tells a target how many calls of this job there were, this one included. It grows with every call, also after a crash
 * that left the last one unrecorded; numbers may be left out.
 *
 * @category headers
 * @since 0.1.0
 */
export const attemptHeader = "X-EZThrottle-Attempt"

/** The headers of a call with ours; whatever has the name of one of them gives way, except where a dam stands before. */
const headersOf = (
  given: Readonly<Record<string, string>>,
  load: Readonly<Record<string, string>>,
  attempt: number
): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = { ...load, [attemptHeader]: String(attempt) }
  for (const name in given) {
    const lower = name.toLowerCase()
    if (lower.startsWith("x-aqueduct-") && Object.keys(load).some((own) => own.toLowerCase() === lower)) continue
    if (lower === attemptHeader.toLowerCase()) delete headers[attemptHeader]
    headers[name] = given[name] ?? ""
  }
  return headers
}

/** How many calls of a step may be in flight at once: raced or fanned-out regions. */
const atOnceOf = ({ fallbacks, regions }: Step): number =>
  Math.max(1, regions.length, ...fallbacks.map(({ step }) => step.regions.length))

/**
 * Tells the attempt that ends a run, so that it is stored with the end and not before it: a 2xx, where no other region
 * may still be under way. Nothing is decided after it that a crash could forget: the job would only be run again.
 */
const lastIn = (root: Step): ((attempt: Attempt) => boolean) => {
  const isAlone = [root, ...root.fallbacks.map(({ step }) => step)].every(({ regions }) => regions.length < 2)
  return ({ ending }) => isAlone && ending._tag === "Answered" && isGood(ending.status)
}

/** Makes the job of a chained step. */
export const childOf = Effect.fnUntraced(function* (
  { newId }: Pick<RunnerOptions, "newId">,
  parent: StoredJob,
  relation: "onSuccess" | "onFailure",
  child: Step
) {
  return childJob(parent, relation, child, { id: yield* newId, at: yield* Clock.currentTimeMillis })
})

/** What has been rested of a pause that ended the run before; a hold is no pause of the job's own. */
const restedOf = ({ history, pausedUntil }: StoredJob, held: (attempt: Attempt) => boolean): number | undefined => {
  const last = history.at(-1)
  if (last === undefined || pausedUntil === undefined || held(last)) return undefined
  const rested = pausedUntil - (last.at + last.latency)
  return rested < 0 ? undefined : rested
}

const mayLeave: Going = { canLeave: true }
const always: Going = {}

/** The step of the path that the last attempt was one of. */
const stepOf = (root: Step, history: StoredJob["history"]): Step =>
  root.fallbacks[(history.at(-1)?.path ?? 0) - 1]?.step ?? root

/** The step as it is run: a key that was given goes to the target, whichever way it came in. */
const keyed = ({ key, keyGiven, step }: StoredJob): Step =>
  keyGiven ? makeStep({ ...step, idempotency: { _tag: "Custom", key } }) : step

/** A 429 counts only where the step itself speaks of it: in the path's policy, or in the trigger of a later fallback. */
const isHeld = (root: Step, { ending, path }: Attempt): boolean => {
  if (ending._tag !== "Answered" || ending.status !== 429) return false
  const { rerouteCodes = [], retryCodes = [] } = (root.fallbacks[path - 1]?.step ?? root).retryPolicy ?? {}
  const isListed = retryCodes.includes(429) || rerouteCodes.includes(429)
  const later = root.fallbacks.slice(path)
  return !isListed && !later.some(({ trigger }) => trigger._tag === "OnError" && trigger.codes.includes(429))
}

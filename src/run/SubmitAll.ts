/**
 * Hands over any number of steps as one batch: a part at a time, no part before the one before it was taken, and nothing
 * kept of either.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Idempotency from "../engine/Idempotency.ts"
import type { Step } from "../step/StepModel.ts"
import * as StepRules from "../step/StepRules.ts"
import { TaggedError } from "../step/TaggedError.ts"
import * as Keys from "./Keys.ts"
import type { Batch, BatchOptions } from "./Batch.ts"
import type { ManyJobs, ServiceError } from "./Service.ts"

/** How steps are handed over by the thousand. */
export interface SubmitAllOptions extends BatchOptions {
  /** Names the batch: handed over again under its name, it goes on where it was. Defaults to one that is drawn. */
  readonly batchId?: string | undefined
  /** Steps in one part. Defaults to 500. */
  readonly partSize?: number | undefined
  /** Told after each part how far the batch is. */
  readonly onProgress?: ((batch: Batch) => void) | undefined
}

/**
 * A batch was not handed over to its end. What was taken is taken; the same steps under the same `batchId` go on behind
 * `lines`.
 */
export class BatchBroken extends TaggedError("BatchBroken")<{
  readonly batchId: string
  /** How many steps were taken or refused, as far as is known. */
  readonly lines: number
  readonly reason: ServiceError
}> {
  override get message() {
    return `${this.reason.message} (batch ${this.batchId} has ${this.lines} steps; hand over the same ones under this id to go on)`
  }
}

export const submitAll = <E, R>(
  many: ManyJobs,
  steps: Stream.Stream<Step, E, R>,
  { batchId: given, onProgress, partSize = 500, ...options }: SubmitAllOptions = {}
): Effect.Effect<Batch, E | BatchBroken, R> =>
  Effect.gen(function* () {
    const batchId = given ?? `batch-${yield* Idempotency.freshKey}`
    let lines = 0
    const broken = (reason: ServiceError) => new BatchBroken({ batchId, lines, reason })
    const known = given === undefined ? undefined : yield* Effect.mapError(find(many, given), broken)
    if (known !== undefined && known.status !== "open") return known
    // of one that had steps refused they may be better now: all are looked at again, where they are
    const from = known === undefined || known.refused > 0 ? 0 : known.lines
    lines = known?.lines ?? 0
    let first = from + 1
    const send = (part: ReadonlyArray<Step>, isLast: boolean) =>
      Effect.gen(function* () {
        const settled = yield* Effect.forEach(part, Keys.settle)
        const sent = { batchId, first, steps: settled, isLast, options }
        const batch = yield* Effect.mapError(patiently(many.sendBatch(sent)), broken)
        first += part.length
        lines = batch.lines
        onProgress?.(batch)
        return batch
      })
    yield* steps.pipe(
      Stream.drop(from),
      Stream.mapEffect((step) => {
        const problem = StepRules.check(step)
        return problem === undefined ? Effect.succeed(step) : Effect.die(problem)
      }),
      Stream.grouped(partSize),
      Stream.runForEach((part) => send(part, false))
    )
    return yield* send([], true)
  })

const find = (many: ManyJobs, batchId: string): Effect.Effect<Batch | undefined, ServiceError> =>
  patiently(many.batch(batchId)).pipe(Effect.catchReason("ServiceError", "BatchNotFound", () => Effect.undefined))

/** Waits out what passes: for as long as the service asks for it, and for a while when nothing answers. */
const patiently = <A>(call: Effect.Effect<A, ServiceError>): Effect.Effect<A, ServiceError> => {
  const attempt = (failures: number): Effect.Effect<A, ServiceError> =>
    call.pipe(
      Effect.catch((error) => {
        const { reason } = error
        const isAsked = reason._tag === "ServiceRateLimited"
        const isSilent =
          reason._tag === "ServiceUnreachable" || (reason._tag === "ServiceFailed" && reason.status >= 500)
        if (!isAsked && !(isSilent && failures < patience)) return Effect.fail(error)
        const pause = Math.min(longestPause, shortestPause * 2 ** failures)
        return Effect.flatMap(Random.next, (drawn) => Effect.delay(attempt(failures + 1), pause * (0.5 + drawn / 2)))
      })
    )
  return attempt(0)
}

const patience = 6
const shortestPause = 500
const longestPause = 10_000

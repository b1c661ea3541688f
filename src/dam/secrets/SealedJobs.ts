/**
 * Jobs at rest: the values of headers that carry credentials are sealed before they reach the file, in the step itself,
 * its fallbacks and its children, and opened when the job is read.
 *
 * Each value takes about 5 µs to seal, and as much to open at every start and every look; jobs without such headers cost
 * a look at their names. What was written before there was a master key is read as it stands.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isSecretName } from "../../step/SecretName.ts"
import { secretIn } from "../../step/SecretHeader.ts"
import type { Step } from "../../step/StepModel.ts"
import { makeStep } from "../../step/StepValue.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import { coalesceOf, credentialsDiffer } from "../job/JobKey.ts"
import * as Filing from "../store/Filing.ts"
import type { Added, BatchPort, NewBatch } from "../store/BatchRecords.ts"
import type { Crowded, Enqueued, Finish, JobPort } from "../store/JobRecords.ts"
import type { JoinPort, Moved } from "../store/JoinRecords.ts"
import { readable } from "../store/Readable.ts"
import type { SchedulePort, StoredSchedule } from "../store/ScheduleRecords.ts"
import { StorageFailed, type StoreError } from "../store/StoreError.ts"
import type { Sealer } from "./Vault.ts"

/** A sealed value says so; it is Latin-1, as every value is. */
const mark = "sealed:"

/**
 * Seals the jobs of a store; without a sealer they are kept as they are. `credentials` names headers that are sealed beside
 * those whose name speaks of a secret.
 */
export const make = <S extends JobPort & JoinPort & SchedulePort & BatchPort>(
  store: S,
  sealer: Sealer | undefined,
  credentials: ReadonlyArray<string> = []
): S => {
  if (sealer === undefined) return store
  const named = new Set(credentials.map((name) => name.toLowerCase()))
  const isSealed = (name: string): boolean => isSecretName(name) || named.has(name.toLowerCase())

  const sealed = <J extends Sealable>(job: J): J =>
    withStep(
      job,
      changed(job.step, isSealed, (name, value) => mark + sealer.seal(purposeOf(job, name), value))
    )

  const opened = <J extends Sealable>(job: J): Effect.Effect<J, StorageFailed> =>
    Effect.fromResult(
      Result.try({
        try: () =>
          withStep(
            job,
            changed(job.step, isSealed, (name, value) => open(job, name, value))
          ),
        catch: () => new StorageFailed({ detail: `a sealed header of job ${job.id} was changed` })
      })
    )

  const open = (job: Sealable, name: string, value: string): string => {
    if (!value.startsWith(mark)) return value
    const plain = sealer.open(purposeOf(job, name), value.slice(mark.length))
    if (plain === undefined) throw new Error("it was sealed for something else")
    return plain
  }

  // no two sealed values are alike, so what calls have in common is told before
  const sealedJob = <J extends NewJob | StoredJob>(job: J): J =>
    sealed(job.step.coalesce ? { ...job, sharedBy: coalesceOf(job) } : job)

  const openedIfThere = (job: StoredJob | undefined) => (job === undefined ? Effect.undefined : opened(job))

  const filed = (job: NewJob, enqueued: Enqueued): Effect.Effect<Enqueued, StoreError> => {
    switch (enqueued._tag) {
      case "Duplicate":
        return Effect.map(opened(enqueued.job), (first) => ({ ...enqueued, job: first }))
      case "CredentialsDiffer":
        // no two sealed values are alike: whether they are the same is seen when they are open
        return Effect.map(Effect.flatMap(store.get(enqueued.jobId), openedIfThere), (first) =>
          first === undefined || credentialsDiffer(job.step.request, first.step.request, credentials)
            ? enqueued
            : { _tag: "Duplicate", job: first }
        )
      default:
        return Effect.succeed(enqueued)
    }
  }

  const openedSchedule = (schedule: StoredSchedule): Effect.Effect<StoredSchedule, StorageFailed> =>
    Effect.map(opened({ id: schedule.generation, step: schedule.step }), ({ step }) => ({ ...schedule, step }))

  const eachStep = <B extends NewBatch, E>(
    batch: B,
    change: (whose: Sealable) => Effect.Effect<Sealable, E>
  ): Effect.Effect<B, E> => {
    const of = (step: Step | undefined, name: string) =>
      step === undefined
        ? Effect.undefined
        : Effect.map(change({ id: `${batch.customer} ${batch.id} ${name}`, step }), (changed) => changed.step)
    return Effect.zipWith(
      of(batch.onComplete, "complete"),
      of(batch.onAnyFailure, "failure"),
      (onComplete, onAnyFailure) => ({ ...batch, onComplete, onAnyFailure })
    )
  }
  const openedBatch = <B extends NewBatch>(batch: B) => eachStep(batch, opened)

  const sealedSchedule = (schedule: StoredSchedule): StoredSchedule => ({
    ...schedule,
    step: sealed({ id: schedule.generation, step: schedule.step }).step
  })

  const sealedFinish = (finish: Finish): Finish =>
    finish.children.length === 0 ? finish : { ...finish, children: finish.children.map(sealedJob) }

  return {
    ...store,
    enqueue: Filing.around(store.enqueue, sealedJob, filed),
    enqueueBelow: Filing.around(
      store.enqueueBelow,
      sealedJob,
      (job, enqueued): Effect.Effect<Enqueued | Crowded, StoreError> =>
        enqueued._tag === "Crowded" ? Effect.succeed(enqueued) : filed(job, enqueued)
    ),
    enqueueOver: (job, over, most) =>
      Effect.flatMap(
        store.enqueueOver(sealedJob(job), over, most),
        (enqueued): Effect.Effect<Enqueued | Crowded | Moved, StoreError> =>
          enqueued._tag === "Crowded" || enqueued._tag === "Moved" ? Effect.succeed(enqueued) : filed(job, enqueued)
      ),
    get: (id) => Effect.flatMap(store.get(id), openedIfThere),
    list: (filter) =>
      Effect.flatMap(store.list(filter), ({ cursor, jobs }) =>
        Effect.map(Effect.forEach(jobs, opened), (page) => ({ jobs: page, cursor }))
      ),
    change: (change) => store.change({ ...change, job: sealedJob(change.job) }),
    start: (id, at) => Effect.flatMap(store.start(id, at), openedIfThere),
    finish: (id, epoch, finish) => store.finish(id, epoch, sealedFinish(finish)),
    finishIdle: (id, finish) => store.finishIdle(id, sealedFinish(finish)),
    openBatch: (batch) =>
      Effect.flatMap(
        eachStep(batch, (whose) => Effect.sync(() => sealed(whose))),
        (closed) =>
          Effect.flatMap(store.openBatch(closed), (made) =>
            Effect.map(openedBatch(made.batch), (open) => ({ ...made, batch: open }))
          )
      ),
    batch: (customer, id) =>
      Effect.flatMap(store.batch(customer, id), (found) =>
        found === undefined ? Effect.undefined : openedBatch(found)
      ),
    batches: (customer, cursor, limit) =>
      Effect.flatMap(store.batches(customer, cursor, limit), (page) =>
        Effect.map(readable(page.batches, openedBatch), (batches) => ({ ...page, batches }))
      ),
    dueBatches: (limit) => Effect.flatMap(store.dueBatches(limit), (due) => readable(due, openedBatch)),
    addLines: (group) =>
      Effect.flatMap(
        store.addLines({ ...group, jobs: group.jobs.map(sealedJob) }),
        (added): Effect.Effect<Added, StoreError> =>
          added._tag === "Known"
            ? Effect.map(
                Effect.forEach(added.known, ({ job, place }) =>
                  Effect.map(opened(job), (open) => ({ place, job: open }))
                ),
                (known) => ({ ...added, known })
              )
            : Effect.succeed(added)
      ),
    schedules: (customer) => Effect.flatMap(store.schedules(customer), (all) => readable(all, openedSchedule)),
    schedule: (customer, name) =>
      Effect.flatMap(store.schedule(customer, name), (one) =>
        one === undefined ? Effect.undefined : openedSchedule(one)
      ),
    saveSchedule: (schedule) => store.saveSchedule(sealedSchedule(schedule)),
    applySchedules: (customer, saved, removed) => store.applySchedules(customer, saved.map(sealedSchedule), removed)
  }
}

/** A job, or what makes jobs: whatever has a step and an id that nothing else has. */
interface Sealable {
  readonly id: string
  readonly step: Step
}

/** For which job and header a value is sealed, so that it cannot stand in another's place. */
const purposeOf = ({ id }: Sealable, name: string): string => `header ${id} ${name.toLowerCase()}`

const withStep = <J extends Sealable>(job: J, step: Step): J => (step === job.step ? job : { ...job, step })

/** The same step where no header speaks of a secret. */
const changed = (
  step: Step,
  isSealed: (name: string) => boolean,
  change: (name: string, value: string) => string
): Step => {
  const { headers } = step.request
  const hasSecrets = Object.keys(headers).some(isSealed)
  const fallbacks = step.fallbacks.map((fallback) => ({ ...fallback, step: changed(fallback.step, isSealed, change) }))
  const onSuccess = step.onSuccess && changed(step.onSuccess, isSealed, change)
  const onFailure = step.onFailure && changed(step.onFailure, isSealed, change)
  const isSame =
    !hasSecrets &&
    onSuccess === step.onSuccess &&
    onFailure === step.onFailure &&
    fallbacks.every((fallback, place) => fallback.step === step.fallbacks[place]?.step)
  if (isSame) return step
  return makeStep({
    ...step,
    request: {
      ...step.request,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          isSealed(name) && secretIn(value) === undefined ? change(name, value) : value
        ])
      )
    },
    fallbacks,
    onSuccess,
    onFailure
  })
}

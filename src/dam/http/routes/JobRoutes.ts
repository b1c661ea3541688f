/**
 * What the API does with jobs: file, show, list, wait, cancel, run now, run again.
 */
import * as Clock from "effect/Clock"
import type * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { isTerminal } from "../../../engine/JobState.ts"
import * as Explained from "../../../wire/Explained.ts"
import type { ListQuery } from "../../api/JobShapes.ts"
import * as Views from "../../api/JobShapes.ts"
import type { Intake, Submission } from "../../intake/Intake.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import type { NewJob, StoredJob } from "../../job/Job.ts"
import * as IntakeId from "../../job/JobId.ts"
import type { DeliveryPort } from "../../store/DeliveryRecords.ts"
import type { Enqueued, JobFilter, JobPort } from "../../store/JobRecords.ts"
import type { LanePort } from "../../store/LaneRecords.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import * as HttpWatch from "./Watch.ts"

/** What the handlers work with. */
export interface Host {
  readonly engine: Engine["Service"]
  readonly store: JobPort & Pick<DeliveryPort & LanePort, "deliveries" | "position">
  readonly intake: Intake
  readonly limits: Limits
  /** Done when the dam goes down: whoever waits is answered. */
  readonly leaving: Deferred.Deferred<void>
}

type Query = Schema.Struct<typeof ListQuery>["Type"]

/** What the API does with jobs, for a customer. */
export interface Jobs {
  readonly submit: (submission: Submission) => Effect.Effect<Answer, Refused>
  readonly submitFlat: (submission: Submission) => Effect.Effect<Answer, Refused>
  readonly find: (customer: string, id: string) => Effect.Effect<StoredJob, Refused>
  readonly get: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly getFlat: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly list: (customer: string, query: Query) => Effect.Effect<Answer, Refused>
  readonly wait: (customer: string, id: string, timeout: number | undefined) => Effect.Effect<Answer, Refused>
  readonly explain: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly cancel: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly runNow: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly rerun: (customer: string, id: string) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = ({ engine, intake, leaving, limits, store }: Host): Jobs => {
  const file = (job: NewJob): Effect.Effect<Answer, Refused> =>
    Effect.map(orRefused(engine.submit(job)), (enqueued) => filed(job, enqueued))

  const find = (customer: string, id: string): Effect.Effect<StoredJob, Refused> => {
    if (!IntakeId.isId(id)) return Effect.fail(id.includes("\0") ? badField("id", "holds U+0000") : unknownJob())
    return Effect.flatMap(orRefused(store.get(id)), (job) =>
      // a job of somebody else is as unknown as one that never was
      job === undefined || job.customer !== customer ? Effect.fail(unknownJob()) : Effect.succeed(job)
    )
  }

  const show = (job: StoredJob): Effect.Effect<Answer, Refused> =>
    Effect.map(orRefused(store.deliveries(job.id)), (deliveries) => json(200, Views.whole(job, deliveries)))

  return {
    submit: (submission) => Effect.flatMap(intake.cloud(submission), file),
    submitFlat: (submission) => Effect.flatMap(intake.flat(submission), file),
    find,
    get: (customer, id) => Effect.flatMap(find(customer, id), show),
    getFlat: (customer, id) => Effect.map(find(customer, id), (job) => json(200, Views.flat(job))),
    list: (customer, query) =>
      Effect.map(orRefused(store.list(filterOf(customer, query))), ({ cursor, jobs }) =>
        json(200, { jobs: jobs.map(Views.summary), cursor: cursor ?? null })
      ),
    wait: Effect.fnUntraced(function* (customer, id, timeout = defaultWait) {
      const first = yield* find(customer, id)
      const until = (yield* Clock.currentTimeMillis) + Math.min(timeout, limits.waitMillis)
      return yield* show(isTerminal(first.state) ? first : yield* ended(customer, id, until))
    }),
    explain: (customer, id) =>
      Effect.flatMap(find(customer, id), (job) =>
        Effect.map(orRefused(engine.explain(job)), (explanation) => json(200, Explained.toJson(explanation)))
      ),
    cancel: (customer, id) =>
      Effect.flatMap(find(customer, id), (job) => Effect.flatMap(orRefused(engine.cancel(job)), show)),
    runNow: (customer, id) =>
      Effect.flatMap(find(customer, id), (job) => Effect.flatMap(orRefused(engine.runNow(job)), show)),
    rerun: (customer, id) =>
      Effect.flatMap(find(customer, id), (job) =>
        Effect.map(orRefused(engine.rerun(job)), (made) => json(201, Views.accepted(made)))
      )
  }

  function ended(customer: string, id: string, until: number): Effect.Effect<StoredJob, Refused> {
    return Effect.scoped(
      Effect.gen(function* () {
        const watch = yield* HttpWatch.make(engine, leaving, id)
        while (true) {
          const job = yield* find(customer, id)
          const left = until - (yield* Clock.currentTimeMillis)
          if (isTerminal(job.state) || left <= 0) return job
          if ((yield* watch.change(left)) === "leaving") return job
        }
      })
    )
  }
}

const filed = (job: NewJob, enqueued: Enqueued): Answer => {
  const isFlat = job.dialect === "flat"
  switch (enqueued._tag) {
    case "Stored":
      return json(201, isFlat ? { job_id: job.id, status: "queued" } : Views.accepted(job))
    case "Duplicate":
      return json(200, isFlat ? Views.flatDuplicate(enqueued.job) : Views.duplicate(enqueued.job))
    case "Conflict":
      return json(422, {
        error: `the idempotency key names job ${enqueued.jobId}, which has another url, method or body`,
        code: "key_reused",
        field: "idempotent_key",
        job_id: enqueued.jobId
      })
  }
}

const filterOf = (customer: string, query: Query): JobFilter => ({
  customer,
  states: query.status,
  deliveryStates: query.delivery_status,
  lane: query.lane,
  account: query.account,
  createdFrom: query.created_from,
  createdTo: query.created_to,
  metadata:
    query.metadata &&
    Object.fromEntries(
      query.metadata.map((pair) => [pair.slice(0, pair.indexOf(":")), pair.slice(pair.indexOf(":") + 1)])
    ),
  cursor: query.cursor,
  limit: query.limit ?? defaultPage
})

const unknownJob = (): Refused => refused(404, "job_not_found", "job not found")

const defaultPage = 50
const defaultWait = 20_000

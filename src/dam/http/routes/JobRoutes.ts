/**
 * What the API does with jobs: file, show, list, wait, cancel, run now, run again.
 */
import * as Clock from "effect/Clock"
import type * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import { isTerminal } from "../../../engine/JobState.ts"
import { Api } from "../../api/Api.ts"
import { JobChange } from "../../api/ChangeShapes.ts"
import * as Flat from "../../api/FlatShapes.ts"
import type { ListQuery } from "../../api/JobShapes.ts"
import * as Views from "../../api/JobShapes.ts"
import { changedJob } from "../../intake/Change.ts"
import type { Intake } from "../../intake/Intake.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, later, refused, type Refused } from "../../intake/Refusal.ts"
import type { StoredJob } from "../../job/Job.ts"
import * as IntakeId from "../../job/JobId.ts"
import * as Search from "../../job/Search.ts"
import type { DeliveryPort } from "../../store/DeliveryRecords.ts"
import type { JobPort, JobFilter } from "../../store/JobRecords.ts"
import type { LanePort } from "../../store/LaneRecords.ts"
import { traceIdOf } from "../../observe/Tracing.ts"
import * as Erasing from "../../work/Erasing.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import { readChoice } from "../door/Choice.ts"
import type { Asked, Desk, OfOneJob } from "../door/Asked.ts"
import type * as BulkRoute from "./BulkRoute.ts"
import * as JobFiling from "./JobFiling.ts"
import type { JobStreams } from "./JobStream.ts"
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

type Bulk = ReturnType<typeof BulkRoute.make>

type Query = Schema.Struct<typeof ListQuery>["Type"]

/** What the API does with jobs, for a customer. */
export interface Jobs extends JobFiling.JobFiling {
  readonly find: (customer: string, id: string) => Effect.Effect<StoredJob, Refused>
  readonly get: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly getFlat: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly list: (customer: string, query: Query) => Effect.Effect<Answer, Refused>
  readonly wait: (customer: string, id: string, timeout: number | undefined) => Effect.Effect<Answer, Refused>
  readonly explain: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly cancel: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly change: (customer: string, id: string, change: Changed) => Effect.Effect<Answer, Refused>
  readonly runNow: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly erase: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly rerun: (customer: string, id: string) => Effect.Effect<Answer, Refused>
}

/** A change as it was sent. */
export interface Changed {
  readonly body: Uint8Array
  /** Which revision it is meant for. */
  readonly ifMatch: string | undefined
}

/** Makes the handlers. */
export const make = (host: Host): Jobs => {
  const finding = findingIn(host.store)
  return {
    ...JobFiling.make(host.engine, host.intake),
    find: finding.find,
    ...readingOf(host, finding),
    ...changingOf(host, finding)
  }
}

/** How one is found, and shown. */
interface Finding extends Pick<Jobs, "find"> {
  readonly show: (job: StoredJob) => Effect.Effect<Answer, Refused>
}

const findingIn = (store: Host["store"]): Finding => ({
  find: (customer, id) => {
    if (!IntakeId.isId(id)) return Effect.fail(id.includes("\0") ? badField("id", "holds U+0000") : unknownJob())
    return Effect.flatMap(orRefused(store.get(id)), (job) =>
      // a job of somebody else is as unknown as one that never was
      job === undefined || job.customer !== customer ? Effect.fail(unknownJob()) : Effect.succeed(job)
    )
  },
  show: (job) =>
    Effect.map(orRefused(store.deliveries(job.id)), (deliveries) =>
      json(200, Views.whole(job, { deliveries, traceId: traceIdOf(job) }), { etag: etagOf(job) })
    )
})

/** How jobs are looked at and waited for. */
const readingOf = (
  { engine, leaving, limits, store }: Pick<Host, "engine" | "leaving" | "limits" | "store">,
  { find, show }: Finding
): Pick<Jobs, "explain" | "get" | "getFlat" | "list" | "wait"> => {
  const held = makeWaits(limits)
  const ended = (customer: string, id: string, until: number): Effect.Effect<StoredJob, Refused> =>
    Effect.scoped(
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
  return {
    get: (customer, id) => Effect.flatMap(find(customer, id), show),
    getFlat: (customer, id) => Effect.map(find(customer, id), (job) => json(200, Flat.flat(job))),
    list: (customer, query) =>
      Effect.suspend(() => {
        const filter = filterOf(customer, query)
        return orRefused(store.list(filter)).pipe(
          Effect.bindTo("page"),
          Effect.bind("matches", ({ page }) =>
            query.count === true ? orRefused(countOf(store, filter, page)) : Effect.succeed(undefined)
          ),
          Effect.map(({ matches, page }) => json(200, Views.page(page, matches)))
        )
      }),
    wait: Effect.fnUntraced(function* (customer, id, timeout = defaultWait) {
      const first = yield* find(customer, id)
      const until = (yield* Clock.currentTimeMillis) + Math.min(timeout, limits.waitMillis)
      return yield* show(isTerminal(first.state) ? first : yield* held(ended(customer, id, until)))
    }),
    explain: (customer, id) =>
      Effect.flatMap(find(customer, id), (job) =>
        Effect.map(orRefused(engine.explain(job)), (explanation) => json(200, Views.explanation(job, explanation)))
      )
  }
}

/** What is done to jobs. */
const changingOf = (
  { engine, intake, limits, store }: Pick<Host, "engine" | "intake" | "limits" | "store">,
  { find, show }: Finding
): Pick<Jobs, "cancel" | "change" | "erase" | "rerun" | "runNow"> => ({
  cancel: (customer, id) =>
    Effect.flatMap(find(customer, id), (job) => Effect.flatMap(orRefused(engine.cancel(job)), show)),
  change: Effect.fnUntraced(function* (customer, id, { body, ifMatch }) {
    const job = yield* find(customer, id)
    const revision = yield* revisionIn(ifMatch)
    const given = yield* readChoice(JobChange, body, limits)
    const now = yield* Clock.currentTimeMillis
    const change = changedJob(job, given, { limits, policy: engine.terms.egress, now })
    const { isRetimed, job: after } = yield* Effect.fromResult(change)
    yield* intake.url("url", after.step.request.url)
    return yield* Effect.flatMap(orRefused(engine.change(after, { isRetimed, revision })), show)
  }),
  runNow: (customer, id) =>
    Effect.flatMap(find(customer, id), (job) => Effect.flatMap(orRefused(engine.runNow(job)), show)),
  erase: (customer, id) =>
    Effect.flatMap(find(customer, id), (job) => Effect.flatMap(orRefused(Erasing.erase(store, job)), show)),
  rerun: (customer, id) =>
    Effect.flatMap(find(customer, id), (job) =>
      Effect.map(orRefused(engine.rerun(job)), (made) => json(201, Views.accepted(made)))
    )
})

/** Lets so many wait at the same time, whoever they are. */
const makeWaits = ({ waiting }: Limits) => {
  let open = 0
  return <A>(wait: Effect.Effect<A, Refused>): Effect.Effect<A, Refused> =>
    Effect.suspend(() => {
      if (open >= waiting) {
        const problem = `${open} requests wait for a job already; ask for the job itself, or follow its stream`
        return Effect.fail(later({ status: 503, code: "too_many_waits", problem, after: 5 }))
      }
      open++
      return Effect.ensuring(
        wait,
        Effect.sync(() => open--)
      )
    })
}

/** The routes of both dialects. */
export const groups = (jobs: Jobs, bulk: Bulk, streams: JobStreams, { asking, streaming }: Desk) => {
  const submitting = (submit: Jobs["submit"]) =>
    asking(({ body, customer }, { request }: Asked) => submit({ customer, body, headers: request.headers }))
  const ofOne = (answer: (customer: string, id: string) => Effect.Effect<Answer, Refused>) =>
    asking(({ customer }, { params }: OfOneJob) => answer(customer, params.id))
  const following = streaming((customer, { params, request }: OfOneJob) =>
    Effect.flatMap(jobs.find(customer, params.id), (job) => streams.follow(job, request.headers["last-event-id"]))
  )
  const cloud = HttpApiBuilder.group(Api, "jobs", (handlers) =>
    handlers
      .handleRaw("submit", submitting(jobs.submit))
      .handleRaw(
        "list",
        asking(({ customer }, { query }) => jobs.list(customer, query))
      )
      .handleRaw(
        "bulk",
        asking(({ body, customer }) => bulk(customer, body))
      )
      .handleRaw("get", ofOne(jobs.get))
      .handleRaw(
        "wait",
        asking(({ customer }, { params, query }) => jobs.wait(customer, params.id, query.timeout_ms))
      )
      .handleRaw("stream", following)
      .handleRaw("explain", ofOne(jobs.explain))
      .handleRaw("cancel", ofOne(jobs.cancel))
      .handleRaw(
        "change",
        asking(({ body, customer }, { params, request }: OfOneJob) =>
          jobs.change(customer, params.id, { body, ifMatch: request.headers["if-match"] })
        )
      )
      .handleRaw("runNow", ofOne(jobs.runNow))
      .handleRaw("erase", ofOne(jobs.erase))
      .handleRaw("rerun", ofOne(jobs.rerun))
  )
  const flat = HttpApiBuilder.group(Api, "flat", (handlers) =>
    handlers
      .handleRaw("submit", submitting(jobs.submitFlat))
      .handleRaw("get", ofOne(jobs.getFlat))
      .handleRaw("stream", following)
  )
  return Layer.merge(cloud, flat)
}

/** A first page that holds all of them has counted them, and one that found nothing in all it may look at as well. */
const countOf = (
  store: Pick<JobPort, "count">,
  filter: JobFilter,
  { cursor, jobs }: Effect.Success<ReturnType<JobPort["list"]>>
): ReturnType<JobPort["count"]> =>
  filter.cursor === undefined && (cursor === undefined || jobs.length === 0)
    ? Effect.succeed({ jobs: jobs.length, isExact: cursor === undefined })
    : store.count(filter)

const filterOf = (customer: string, query: Query): JobFilter => ({
  customer,
  states: query.status,
  deliveryStates: query.delivery_status,
  lane: query.lane,
  account: query.account,
  parent: query.parent,
  rerunOf: query.rerun_of,
  order: query.order,
  priority: query.priority,
  batch: query.batch,
  createdFrom: query.created_from,
  createdTo: query.created_to,
  metadata:
    query.metadata &&
    Object.fromEntries(
      query.metadata.map((pair) => [pair.slice(0, pair.indexOf(":")), pair.slice(pair.indexOf(":") + 1)])
    ),
  search: query.q === undefined ? undefined : Search.parse(query.q),
  oldestFirst: query.sort === "oldest",
  cursor: query.cursor,
  limit: query.limit ?? defaultPage
})

/** What changes with every change of a job that waits. */
const etagOf = ({ revision = 0 }: StoredJob): string => `"${revision}"`

/** The revision that is named; nothing where any will do. One that never was is none that matches. */
const revisionIn = (ifMatch: string | undefined): Effect.Effect<number | undefined, Refused> => {
  if (ifMatch === undefined) {
    const problem = "say which revision of the job is meant: its ETag, or * for whichever it is"
    return Effect.fail(refused(428, "precondition_required", `If-Match: ${problem}`, { field: "If-Match" }))
  }
  if (ifMatch.trim() === "*") return Effect.succeed(undefined)
  const found = /^"(\d{1,15})"$/.exec(ifMatch.trim())?.[1]
  return Effect.succeed(found === undefined ? -1 : Number(found))
}

const unknownJob = (): Refused => refused(404, "job_not_found", "job not found")

const defaultPage = 50
const defaultWait = 20_000

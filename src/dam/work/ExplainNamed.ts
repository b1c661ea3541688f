/** Says of a job what its step names: a secret that cannot be sent, the schedule that it came from, its order, its hedges. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as SecretHeader from "../../step/SecretHeader.ts"
import type { Step } from "../../step/StepModel.ts"
import type { Reason } from "../../wire/Explained.ts"
import type { StoredJob } from "../job/Job.ts"
import type { NamedSecrets } from "../secrets/NamedSecrets.ts"
import type { OrderLine } from "../store/OrderRecords.ts"
import type { SchedulePort } from "../store/ScheduleRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { reason } from "./Reasons.ts"
import { firingOf } from "./Schedules.ts"

/** Where it looks. */
export interface Named {
  readonly store: Pick<SchedulePort, "schedules">
  /** `undefined`: none are kept. */
  readonly secrets: Pick<NamedSecrets, "get"> | undefined
}

/** What is said of a job that has not ended, whatever it waits for. */
export const namedReasons = (self: Named, job: StoredJob): Effect.Effect<ReadonlyArray<Reason>, StoreError> =>
  Effect.zipWith(secretReasons(self, job), scheduleReasons(self, job), (secrets, schedules) => [
    ...secrets,
    ...schedules
  ])

/** Where what waits is no call that the job needs: another of it is under way. */
export const hedgeReasons = ({ step }: StoredJob): ReadonlyArray<Reason> =>
  [step, ...step.fallbacks.map((fallback) => fallback.step)].some(
    ({ hedge, regions }) => hedge !== undefined && regions.length < 2
  )
    ? [reason("hedge", "its call is under way and slow; what waits is a further call beside it", {})]
    : []

/** Who is in front of it in its order. */
export const orderReason = (key: string, before: number, first: string): Reason =>
  reason("order", `it is number ${before + 1} in the order of ${key}, where one runs at a time; ${first} is in front`, {
    key,
    before,
    job_id: first
  })

/** What has stopped its order. */
export const stopReason = (key: string, { at, jobId }: NonNullable<OrderLine["stopped"]>): Reason =>
  reason("order", `the order of ${key} stopped when ${jobId} failed; it goes on when somebody resumes it`, {
    key,
    stopped_by: jobId,
    stopped_at: at
  })

/** Secrets that its calls name and would not be given: they are looked up when it is called, and may be put until then. */
const secretReasons = Effect.fnUntraced(function* ({ secrets }: Named, { customer, step }: StoredJob) {
  const reasons: Array<Reason> = []
  for (const { name, origin } of secretsIn([step, ...step.fallbacks.map((fallback) => fallback.step)])) {
    const found = yield* secrets?.get(customer, name) ?? Effect.undefined
    if (found?.hosts.includes(origin) === true) continue
    const words =
      found === undefined
        ? `its call names the secret ${name}, and none of this name is kept here: it will be refused unless somebody puts one`
        : `its call names the secret ${name}, which may not go to ${origin}: it will be refused unless somebody lets it`
    reasons.push(
      reason("secret", words, { secret: name, host: origin, why: found === undefined ? "unknown" : "elsewhere" })
    )
  }
  return reasons
})

/** Each once, with where it would go. */
const secretsIn = (steps: ReadonlyArray<Step>) => [
  ...new Map(
    steps.flatMap(({ request }) =>
      SecretHeader.names(request.headers)
        ? SecretHeader.among(request.headers).map(([, { secret: name }]) => {
            const origin = URL.parse(request.url)?.origin ?? request.url
            return [`${name} ${origin}`, { name, origin }] as const
          })
        : []
    )
  ).values()
]

const scheduleReasons = Effect.fnUntraced(function* ({ store }: Named, job: StoredJob) {
  const firing = firingOf(job)
  if (firing === undefined) return []
  const { generation, moment } = firing
  const kept = (yield* store.schedules(job.customer)).find((one) => one.generation === generation)
  const by = kept === undefined ? "a schedule that is not there any more" : `the schedule ${kept.name}`
  const words =
    moment === undefined ? `${by} was run now` : `${by} fired for ${DateTime.formatIso(DateTime.makeUnsafe(moment))}`
  return [
    reason("schedule", `${words}, and submitted it`, { schedule: kept?.name ?? null, scheduled_for: moment ?? null })
  ]
})

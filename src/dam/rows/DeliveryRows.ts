/** Deliveries and endpoints as rows, and back, and the outbox over them. Rows are read through schemas, as in `JobRows`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type DeliveryState, deliveryStates } from "../../engine/JobState.ts"
import { type Endpoint, deadReasons, type DeadLetter, type StoredDelivery } from "../job/Delivery.ts"
import type { DeadLetterFilter, DeliveryPort, DueDelivery } from "../store/DeliveryRecords.ts"
import type { StorageFailed } from "../store/StoreError.ts"
import type { Wanted } from "./Commands.ts"
import type { Executor } from "./Running.ts"
import { Bit, LoadedJob, Moment } from "./JobRows.ts"
import { readLanes } from "./LaneRows.ts"
import { placeOf, reader } from "./Reader.ts"
import { DeliveryAttempt, DeliveryTerms, encodeDeliveryAttempt, termsOf } from "./RowTexts.ts"
import { readUntried } from "./UntriedDelivery.ts"

/** A loaded dead letter. */
const LoadedDeadLetter = Schema.Struct({
  id: Schema.String,
  job_id: Schema.String,
  customer: Schema.String,
  place: Schema.Number,
  url: Schema.String,
  regions: Schema.fromJsonString(Schema.Array(Schema.String)),
  votes: Bit,
  lane: Schema.String,
  state: Schema.Literals(["pending", "delivered", "dead"]),
  attempts: Schema.fromJsonString(Schema.toCodecJson(Schema.Array(DeliveryAttempt))),
  due_at: Schema.Number,
  begun_at: Moment,
  spent: Schema.Number,
  reason: Schema.NullOr(Schema.Literals(deadReasons)),
  dead_at: Moment,
  terms: Schema.NullOr(Schema.fromJsonString(DeliveryTerms))
})

/** A loaded dead letter as the port knows it. */
const toDeadLetter = ({
  begun_at: begunAt,
  dead_at: deadAt,
  due_at: dueAt,
  job_id: jobId,
  place: index,
  reason,
  terms,
  votes,
  ...row
}: typeof LoadedDeadLetter.Type): DeadLetter => ({
  ...row,
  ...(terms === null ? {} : { terms: termsOf(terms) }),
  jobId,
  index,
  hasQuorumVote: votes === 1,
  dueAt,
  // a file of an earlier version knows only when it is due
  begunAt: begunAt ?? dueAt,
  dead: reason === null ? undefined : { reason, at: deadAt ?? dueAt }
})

/** A loaded delivery. */
const LoadedDelivery = Schema.Struct({ ...LoadedDeadLetter.fields, body: Schema.Uint8Array })

/** A loaded delivery as the port knows it. */
const toDelivery = ({ body, ...row }: typeof LoadedDelivery.Type): StoredDelivery => ({
  ...toDeadLetter(row),
  body
})

const DisabledReason = Schema.NullOr(Schema.Literals(["gone", "failing"]))

/** A loaded delivery that is due, beside its endpoint where that is disabled. */
export const LoadedDueDelivery = Schema.Struct({
  ...LoadedDelivery.fields,
  disabled_reason: DisabledReason,
  probe_at: Moment
})

/** A loaded delivery that is due as the port knows it. */
export const toDueDelivery = ({
  disabled_reason: reason,
  probe_at: probeAt,
  ...row
}: typeof LoadedDueDelivery.Type): DueDelivery => ({
  ...toDelivery(row),
  disabled: reason === null ? undefined : { reason, probeAt: probeAt ?? Number.POSITIVE_INFINITY }
})

/** A loaded endpoint. */
const LoadedEndpoint = Schema.Struct({
  customer: Schema.String,
  url: Schema.String,
  lane: Schema.String,
  status: Schema.Literals(["enabled", "disabled"]),
  reason: DisabledReason,
  since: Schema.Number,
  failures: Schema.Number,
  probe_at: Moment
})

/** A loaded endpoint as the port knows it. */
const toEndpoint = ({ probe_at: probeAt, reason, ...row }: typeof LoadedEndpoint.Type): Endpoint => ({
  ...row,
  reason: reason ?? undefined,
  probeAt: probeAt ?? undefined
})

/** The outbox over any database. */
export const deliveryPort = (run: Executor): DeliveryPort => ({
  deliveryLanes: Effect.flatMap(run("deliveryLanes"), readLanes),
  dueDeliveries: (now, limit, except, lane) =>
    Effect.flatMap(
      run("dueDeliveries", { now, limit, except: JSON.stringify([...except]), lane: lane ?? null }),
      ({ deliveries, nextDueAt }) =>
        Effect.map(readDueDeliveries(deliveries), (due) => ({
          deliveries: due,
          nextDueAt: typeof nextDueAt === "number" ? nextDueAt : undefined
        }))
    ),
  settleDelivery: (id, attempt, next, rule) =>
    Effect.suspend(() => {
      const made = attempt && {
        json: encodeDeliveryAttempt(attempt),
        at: attempt.at,
        isGone: attempt.status === 410
      }
      return Effect.flatMap(run("settleDelivery", id, made, next, rule), ({ deliveryState, ...rest }) =>
        Effect.map(readDeliveryState(deliveryState), (state) => ({ deliveryState: state, ...rest }))
      )
    }),
  deliveries: (jobId) => Effect.flatMap(run("deliveries", jobId), readDeliveries),
  deadLetters: ({ cursor, limit, ...filter }) => {
    const below = placeOf(cursor, Number.MAX_SAFE_INTEGER)
    if (below === undefined) return Effect.succeed({ deadLetters: [], cursor: undefined })
    return Effect.flatMap(run("deadLetters", wantedOf(filter), below, limit), ({ next, rows }) =>
      Effect.map(readDeadLetters(rows), (deadLetters) => ({ deadLetters, cursor: next?.toString() }))
    )
  },
  replay: ({ cursor, limit, ...filter }, now, spacing) => {
    const above = placeOf(cursor, 0)
    if (above === undefined) return Effect.succeed({ replayed: 0, lanes: [], cursor: undefined })
    return Effect.map(
      run("replay", { wanted: wantedOf(filter), above, limit, now, spacing }),
      ({ next, ...replayed }) => ({
        ...replayed,
        cursor: next?.toString()
      })
    )
  },
  purge: (filter, limit) => run("purge", wantedOf(filter), limit),
  endpoints: (customer) => Effect.flatMap(run("endpoints", customer), readEndpoints),
  enableEndpoint: (customer, url, now) =>
    Effect.map(Effect.flatMap(run("enableEndpoint", customer, url, now), readEndpoints), ([known]) => known),
  holdEndpoint: (customer, url, until) => run("holdEndpoint", customer, url, until)
})

const wantedOf = (filter: DeadLetterFilter): Wanted => ({
  customer: filter.customer,
  deliveryId: filter.deliveryId,
  jobId: filter.jobId,
  host: filter.host,
  since: filter.since,
  until: filter.until,
  url: filter.url,
  endedSince: filter.endedSince,
  reasons: filter.reasons && JSON.stringify(filter.reasons)
})

const readDeliveries = reader(Schema.Array(LoadedDelivery), (rows) => rows.map(toDelivery))

/** Nearly all that are due were never tried: those are read by hand, and the schema reads whatever is not as they are. */
const readDueDeliveries = (rows: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<DueDelivery>, StorageFailed> => {
  const untried: Array<DueDelivery> = []
  for (const row of rows) {
    const read = readUntried(row)
    if (read === undefined) return readAllDue(rows)
    untried.push(read)
  }
  return Effect.succeed(untried)
}

const readAllDue = reader(Schema.Array(LoadedDueDelivery), (all) => all.map(toDueDelivery))

const readDeadLetters = reader(Schema.Array(LoadedDeadLetter), (rows) => rows.map(toDeadLetter))

const readEndpoints = reader(Schema.Array(LoadedEndpoint), (rows) => rows.map(toEndpoint))

/** One of a few words, told for every delivery: the schema only says what is wrong with another. */
const readDeliveryState = (state: unknown): Effect.Effect<DeliveryState, StorageFailed> => {
  const known = deliveryStates.find((one) => one === state)
  return known === undefined ? readOtherState(state) : Effect.succeed(known)
}

const readOtherState = reader(LoadedJob.fields.job.fields.delivery_state, (state) => state)

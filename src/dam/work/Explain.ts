/**
 * Says why a job waits and until when, from where it stands in the store and in the lane that decides. Nothing is kept
 * for it: who asks pays.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isTerminal } from "../../engine/JobState.ts"
import { excerpt } from "../../step/Failure.ts"
import type { Attempt } from "../../step/History.ts"
import type { Explanation, Reason } from "../../wire/Explained.ts"
import type { StoredDelivery } from "../job/Delivery.ts"
import type { StoredJob } from "../job/Job.ts"
import { queueOf, receiverLane } from "../job/LaneName.ts"
import { drawsIn, limited } from "./ExplainLimits.ts"
import { callsBefore, type Line, lineOfCall, lineOfJob } from "../lane/Forecast.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { DeliveryPort } from "../store/DeliveryRecords.ts"
import type { NamedSecrets } from "../secrets/NamedSecrets.ts"
import type { LanePort } from "../store/LaneRecords.ts"
import type { OrderPort } from "../store/OrderRecords.ts"
import type { SchedulePort } from "../store/ScheduleRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { hedgeReasons, namedReasons, orderReason, stopReason } from "./ExplainNamed.ts"
import { forecastOf, gateReasons, laneReasons, lasting, reason, wall, type Why } from "./Reasons.ts"

/** Where it looks. */
interface Sources {
  readonly store: Pick<
    LanePort & DeliveryPort & OrderPort & SchedulePort,
    "ahead" | "beforeInOrder" | "deliveries" | "order" | "queueLengths" | "schedules"
  >
  readonly lanes: Pick<LaneRouter, "limits" | "waiting" | "why">
  /** Whether the receiver of a delivery is being called. */
  readonly isCalling: (deliveryId: string) => boolean
  readonly secrets: Pick<NamedSecrets, "get"> | undefined
}

/** Makes it. */
export const make = (
  store: Sources["store"],
  lanes: Sources["lanes"],
  isCalling: Sources["isCalling"],
  secrets?: Sources["secrets"]
): ((job: StoredJob) => Effect.Effect<Explanation, StoreError>) => {
  const sources: Sources = { store, lanes, isCalling, secrets }
  return Effect.fnUntraced(function* (job) {
    if (isTerminal(job.state)) return yield* ofFinished(sources, job)
    const said = yield* ofUnfinished(sources, job)
    return { ...said, reasons: [...said.reasons, ...(yield* namedReasons(sources, job))] }
  })
}

const ofUnfinished = (sources: Sources, job: StoredJob): Effect.Effect<Explanation, StoreError> =>
  Effect.gen(function* (): Effect.gen.Return<Explanation, StoreError> {
    const now = yield* Clock.currentTimeMillis
    switch (job.state) {
      case "scheduled":
        if (job.step.inOrder !== undefined && job.dueAt === undefined) return yield* ofOrder(sources, job)
        if (job.step.coalesce && job.dueAt === undefined) {
          const words = "an identical call is in flight; it ends with the answer of that"
          return { ...bare(job), reasons: [reason("coalesced", words, {})], confidence: "unknown" }
        }
        return yield* ofLater(sources, job, scheduledReason(job, now))
      case "parked":
        return yield* ofLater(sources, job, pauseReason(job, now))
      case "queued":
        return { ...bare(job), ...(yield* inLane(sources, job)) }
      default:
        return yield* ofRunning(sources, job)
    }
  })

/** A job that waits for those before it in its order. */
const ofOrder = Effect.fnUntraced(function* ({ store }: Sources, job: StoredJob) {
  const { key = "" } = job.step.inOrder ?? {}
  const line = yield* store.order(job.customer, key)
  const before = yield* store.beforeInOrder(job.id)
  const { first, stopped } = line ?? {}
  const waits = first === undefined || first === job.id ? [] : [orderReason(key, before, first)]
  return {
    ...bare(job),
    reasons: stopped === undefined ? waits : [stopReason(key, stopped), ...waits],
    confidence: "unknown" as const
  }
})

/** A job that waits for its time, and then for its turn. */
const ofLater = Effect.fnUntraced(function* (sources: Sources, job: StoredJob, first: Reason) {
  const turn = yield* inLane(sources, job)
  const estimatedStart = turn.estimatedStart === undefined ? undefined : Math.max(turn.estimatedStart, first.until ?? 0)
  return {
    ...bare(job),
    reasons: [first, ...turn.reasons],
    estimatedStart,
    // others may come until then
    confidence: turn.confidence === "exact" ? ("likely" as const) : turn.confidence
  }
})

/** What the lane makes a waiting job wait for, and when its turn comes. */
const inLane = Effect.fnUntraced(function* ({ lanes, store }: Sources, job: StoredJob) {
  const ahead = yield* store.ahead(job.id)
  const queue = ahead?.queue ?? queueOf(job, job.step.limits, job.step.priority)
  const why = yield* lanes.why(job.lane, queue)
  const line = ahead === undefined ? noLine : lineOfJob(why, ahead)
  const turn = turnOf({ lane: job.lane, account: job.account, why, line, isNew: true })
  return limited(turn, yield* lanes.limits(drawsIn(job, queue), ahead?.jobs ?? 0), why)
})

const ofRunning = Effect.fnUntraced(function* (
  { lanes, store }: Sources,
  job: StoredJob
): Effect.fn.Return<Explanation, StoreError> {
  const said = reason("running", `it runs; attempt ${job.history.length + 1} is under way or about to begin`, {
    since: job.startedAt ?? null,
    attempt: job.history.length + 1,
    starts: job.epoch
  })
  const place = lanes.waiting(job.id)
  if (place === undefined) return { ...bare(job), reasons: [said], confidence: "exact" }
  const why = yield* lanes.why(place.lane, place.account)
  // in turns nobody else gets more than one call for each of this account's
  const most = callsBefore(why, place.account, job.id) + 1
  const line = lineOfCall(why, place.account, job.id, yield* store.queueLengths(place.lane, most))
  const turn = limited(
    turnOf({ ...place, why, line, isNew: false }),
    yield* lanes.limits(place.draws, callsBefore(why, place.account, job.id)),
    why
  )
  return { ...bare(job), ...turn, reasons: [said, ...(place.isBeside ? hedgeReasons(job) : []), ...turn.reasons] }
})

/** What a delivery waits for: its time, then its turn at its receiver, until it is there. */
const ofDelivery = Effect.fnUntraced(function* ({ isCalling, lanes, store }: Sources, delivery: StoredDelivery) {
  const lane = receiverLane(delivery.lane)
  const why = yield* lanes.why(lane, "")
  if (isCalling(delivery.id)) return [deliveryReason(delivery, "is under way")]
  if (delivery.dueAt > why.epoch) {
    const comes = deliveryReason(delivery, `comes in ${lasting(delivery.dueAt - why.epoch)}`)
    return [comes, ...stopsOf(lane, "", why)]
  }
  const most = callsBefore(why, "", delivery.id) + 1
  const line = lineOfCall(why, "", delivery.id, yield* store.queueLengths(lane, most))
  const { reasons } = turnOf({ lane, account: "", why, line, isNew: false })
  return [deliveryReason(delivery, "waits for its turn there"), ...reasons]
})

const ofFinished = Effect.fnUntraced(function* (
  sources: Sources,
  job: StoredJob
): Effect.fn.Return<Explanation, StoreError> {
  const told = yield* Effect.forEach(yield* sources.store.deliveries(job.id), (delivery) =>
    Effect.map(delivery.state === "pending" ? ofDelivery(sources, delivery) : Effect.succeed([]), (waits) => [
      ...waits,
      ...unsignedReason(delivery)
    ])
  )
  const ended = reason("finished", `it has ${ENDED[job.state] ?? "ended"}`, { at: job.finishedAt ?? null })
  return { ...bare(job), reasons: [ended, ...told.flat()], confidence: "exact" }
})

type Turn = Pick<Explanation, "confidence" | "estimatedStart" | "reasons">

/** A call's place in its lane. */
interface Place {
  readonly lane: string
  readonly account: string
  readonly why: Why
  readonly line: Line
  /** Whether it is a job that has not started. */
  readonly isNew: boolean
}

const turnOf = (place: Place): Turn => {
  const { account, isNew, lane, line, why } = place
  const hasNoRoom = isNew && !why.hasRoom
  const ahead = line.own + line.others
  const seen = why.paused || hasNoRoom ? undefined : forecastOf(why, ahead)
  const estimatedStart = wall(why, seen?.at)
  return {
    reasons: [
      ...stopsOf(lane, account, why),
      ...(hasNoRoom ? [reason("concurrency", "as many jobs run as the dam may run at once", { scope: "dam" })] : []),
      ...gateReasons(lane, why),
      ...lineReasons(lane, line, estimatedStart),
      ...laneReasons(lane, why)
    ],
    estimatedStart,
    confidence: seen === undefined ? "unknown" : seen.byCalls ? "rough" : ahead === 0 ? "exact" : "likely"
  }
}

/** Who comes first. */
const lineReasons = (lane: string, line: Line, estimatedStart: number | undefined): ReadonlyArray<Reason> => {
  const reasons: Array<Reason> = []
  const ahead = line.own + line.others
  if (ahead > 0) {
    const words = `it is number ${ahead + 1} in its lane`
    reasons.push(reason("position", words, { lane, position: ahead + 1, ahead }, estimatedStart))
  }
  if (line.accounts > 0) {
    const words = `${line.accounts} other accounts take turns with its own; ${line.others} calls of theirs come first`
    const details = { lane, accounts: line.accounts, turns_before: line.others, own_before: line.own }
    reasons.push(reason("account_turn", words, details, estimatedStart))
  }
  return reasons
}

/** What stops a lane whoever is next. */
const stopsOf = (lane: string, account: string, why: Why): Array<Reason> => {
  const reasons: Array<Reason> = []
  if (why.pausedBy !== undefined) {
    const { at, by, note } = why.pausedBy
    const words = `${by} has paused ${lane}${note === undefined ? "" : `: ${note}`}`
    reasons.push(reason("paused", words, { lane, by, at, note: note ?? null }))
  }
  if (why.gate.heldUntil > why.now) {
    const until = wall(why, why.gate.heldUntil)
    const mine = why.accountQueues ? account : undefined
    const found = why.holds.find((hold) => hold.account === mine) ?? why.holds[0]
    const { jobId = null, reason: held = "retry_after", status = null } = found ?? {}
    reasons.push(
      reason(
        "hold",
        holdWords(lane, lasting(why.gate.heldUntil - why.now), { held, status }),
        { lane, reason: held, status, job_id: jobId },
        until
      )
    )
  }
  return reasons
}

/** Who holds a lane: whoever was called, or this dam because it was refused. */
const holdWords = (
  lane: string,
  left: string,
  { held, status }: { readonly held: keyof typeof HELD; readonly status: number | null }
): string => {
  const answer = status === null ? "" : `, status ${status}`
  switch (held) {
    case "shortage":
      return `nothing can be sent to ${lane} for another ${left} (${HELD[held]})`
    case "refused":
    case "breaker":
      return `${lane} is left alone for another ${left} (${HELD[held]}${answer})`
    default:
      return `${lane} asked for a pause of another ${left} (${HELD[held]}${answer})`
  }
}

const scheduledReason = ({ dueAt }: StoredJob, now: number): Reason =>
  reason("scheduled", `it must not start for another ${lasting((dueAt ?? now) - now)}`, {}, dueAt)

const pauseReason = ({ dueAt, history }: StoredJob, now: number): Reason => {
  const last = history.at(-1)
  const words = `attempt ${history.length} ${last === undefined ? "ended" : endingOf(last)}; the next comes in ${lasting((dueAt ?? now) - now)}`
  return reason(
    "retry_pause",
    words,
    {
      attempt: history.length,
      ended_at: last === undefined ? null : Math.round(last.at + last.latency),
      response_status: last?.ending._tag === "Answered" ? last.ending.status : null,
      error: last?.ending._tag === "Failed" ? excerpt(last.ending.failure.message) : null
    },
    dueAt
  )
}

const endingOf = ({ ending }: Attempt): string => {
  switch (ending._tag) {
    case "Answered":
      return `was answered ${ending.status}`
    case "Failed":
      return `failed (${excerpt(ending.failure.message)})`
    case "Interrupted":
      return "was interrupted"
  }
}

const deliveryReason = ({ attempts, dueAt, id, lane: host }: StoredDelivery, when: string): Reason => {
  const last = attempts.at(-1)
  const lane = receiverLane(host)
  const before = last === undefined ? "" : `, the last one: ${last.error ?? `answered ${last.status}`}`
  return reason(
    "delivery",
    `its result is still to be told to ${host}; attempt ${attempts.length + 1} ${when}${before}`,
    {
      delivery_id: id,
      lane,
      attempts: attempts.length,
      last_status: last?.status ?? null,
      last_error: last?.error ?? null
    },
    dueAt
  )
}

/** That the last attempt went without L8 although it is preferred, and why. */
const unsignedReason = ({ attempts, id, lane }: StoredDelivery): ReadonlyArray<Reason> => {
  const unsigned = attempts.at(-1)?.unsigned
  return unsigned === undefined
    ? []
    : [
        reason("delivery", `it was told to ${lane} without L8: ${unsigned}`, {
          delivery_id: id,
          lane: receiverLane(lane),
          unsigned
        })
      ]
}

const bare = ({ id, state }: StoredJob) => ({
  jobId: id,
  status: state,
  reasons: [],
  estimatedStart: undefined
})

const noLine: Line = { own: 0, others: 0, accounts: 0 }
const HELD = {
  retry_after: "Retry-After",
  rate_limit: "its rate limit is used up",
  refused: "it refused and named no wait",
  shortage: "this machine lacks what a call needs",
  breaker: "its breaker is open: most calls failed"
} as const
const ENDED: Readonly<Record<string, string>> = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "been cancelled"
}

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
import { forecast, type Line, lineOfCall, lineOfJob } from "../lane/Forecast.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { DeliveryPort } from "../store/DeliveryRecords.ts"
import type { LanePort } from "../store/LaneRecords.ts"
import type { StoreError } from "../store/StoreError.ts"

type Why = Effect.Success<ReturnType<LaneRouter["why"]>>

/** Makes it. */
export const make = (
  store: Pick<LanePort & DeliveryPort, "ahead" | "deliveries">,
  lanes: Pick<LaneRouter, "waiting" | "why">,
  isCalling: (deliveryId: string) => boolean
): ((job: StoredJob) => Effect.Effect<Explanation, StoreError>) => {
  /** What the lane makes a waiting job wait for, and when its turn comes. */
  const inLane = Effect.fnUntraced(function* (job: StoredJob) {
    const ahead = yield* store.ahead(job.id)
    const why = yield* lanes.why(job.lane, queueOf(job))
    const line = ahead === undefined ? noLine : lineOfJob(why, ahead)
    return turnOf(job.lane, job.account, why, line, true)
  })

  const ofRunning = Effect.fnUntraced(function* (job: StoredJob): Effect.fn.Return<Explanation, StoreError> {
    const said = reason("running", `it runs; attempt ${job.history.length + 1} is under way or about to begin`, {
      since: job.startedAt ?? null,
      attempt: job.history.length + 1,
      starts: job.epoch
    })
    const place = lanes.waiting(job.id)
    if (place === undefined) return { ...bare(job), reasons: [said], confidence: "exact" }
    const why = yield* lanes.why(place.lane, place.account)
    const turn = turnOf(place.lane, place.account, why, lineOfCall(why, place.account, job.id), false)
    return { ...bare(job), ...turn, reasons: [said, ...turn.reasons] }
  })

  /** What a delivery waits for: its time, then its turn at its receiver, until it is there. */
  const ofDelivery = Effect.fnUntraced(function* (delivery: StoredDelivery) {
    const lane = receiverLane(delivery.lane)
    const why = yield* lanes.why(lane, "")
    if (isCalling(delivery.id)) return [deliveryReason(delivery, "is under way")]
    if (delivery.dueAt > why.epoch) {
      const comes = deliveryReason(delivery, `comes in ${lasting(delivery.dueAt - why.epoch)}`)
      return [comes, ...stopsOf(lane, "", why)]
    }
    const { reasons } = turnOf(lane, "", why, lineOfCall(why, "", delivery.id), false)
    return [deliveryReason(delivery, "waits for its turn there"), ...reasons]
  })

  const ofFinished = Effect.fnUntraced(function* (job: StoredJob): Effect.fn.Return<Explanation, StoreError> {
    const told = yield* Effect.forEach(yield* store.deliveries(job.id), (delivery) =>
      Effect.map(delivery.state === "pending" ? ofDelivery(delivery) : Effect.succeed([]), (waits) => [
        ...waits,
        ...unsignedReason(delivery)
      ])
    )
    const ended = reason("finished", `it has ${ENDED[job.state] ?? "ended"}`, { at: job.finishedAt ?? null })
    return { ...bare(job), reasons: [ended, ...told.flat()], confidence: "exact" }
  })

  /** A job that waits for its time, and then for its turn. */
  const ofLater = Effect.fnUntraced(function* (
    job: StoredJob,
    first: Reason
  ): Effect.fn.Return<Explanation, StoreError> {
    const turn = yield* inLane(job)
    const estimatedStart =
      turn.estimatedStart === undefined ? undefined : Math.max(turn.estimatedStart, first.until ?? 0)
    return {
      ...bare(job),
      reasons: [first, ...turn.reasons],
      estimatedStart,
      // others may come until then
      confidence: turn.confidence === "exact" ? "likely" : turn.confidence
    }
  })

  return Effect.fnUntraced(function* (job) {
    if (isTerminal(job.state)) return yield* ofFinished(job)
    const now = yield* Clock.currentTimeMillis
    switch (job.state) {
      case "scheduled":
        return yield* ofLater(
          job,
          reason("scheduled", `it must not start for another ${lasting((job.dueAt ?? now) - now)}`, {}, job.dueAt)
        )
      case "parked":
        return yield* ofLater(job, pauseReason(job, now))
      case "queued":
        return { ...bare(job), ...(yield* inLane(job)) }
      default:
        return yield* ofRunning(job)
    }
  })
}

type Turn = Pick<Explanation, "confidence" | "estimatedStart" | "reasons">

const turnOf = (lane: string, account: string, why: Why, line: Line, isNew: boolean): Turn => {
  const reasons = stopsOf(lane, account, why)
  const { callMillis, gate, hasRoom, now, openSince } = why
  if (isNew && !hasRoom) {
    reasons.push(reason("concurrency", "as many jobs run as the dam may run at once", { scope: "dam" }))
  }
  if (gate.open >= gate.pace.maxConcurrent) {
    const [first] = openSince
    const until = first === undefined || callMillis === undefined ? undefined : Math.max(now, first + callMillis)
    reasons.push(
      reason(
        "concurrency",
        `${gate.open} of ${gate.pace.maxConcurrent} calls to ${lane} are open; one must end first`,
        {
          lane,
          scope: why.accountQueues ? "account" : "lane",
          open: gate.open,
          max_concurrent: gate.pace.maxConcurrent
        },
        wall(why, until)
      )
    )
  }
  if (gate.dueAt > now) {
    reasons.push(
      reason(
        "token",
        `${lane} takes ${gate.pace.rps} calls per second; the next may begin in ${lasting(gate.dueAt - now)}`,
        {
          lane,
          rps: gate.pace.rps
        },
        wall(why, gate.dueAt)
      )
    )
  }
  const ahead = line.own + line.others
  const seen = why.paused || (isNew && !hasRoom) ? undefined : forecast(why, ahead, now)
  const estimatedStart = wall(why, seen?.at)
  if (ahead > 0) {
    reasons.push(
      reason("position", `it is number ${ahead + 1} in its lane`, { lane, position: ahead + 1, ahead }, estimatedStart)
    )
  }
  if (line.accounts > 0) {
    reasons.push(
      reason(
        "account_turn",
        `${line.accounts} other accounts take turns with its own; ${line.others} calls of theirs come first`,
        { lane, accounts: line.accounts, turns_before: line.others, own_before: line.own },
        estimatedStart
      )
    )
  }
  return {
    reasons,
    estimatedStart,
    confidence: seen === undefined ? "unknown" : seen.byCalls ? "rough" : ahead === 0 ? "exact" : "likely"
  }
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
        `${lane} asked for a pause of another ${lasting(why.gate.heldUntil - why.now)} (${HELD[held]}${status === null ? "" : `, status ${status}`})`,
        { lane, reason: held, status, job_id: jobId },
        until
      )
    )
  }
  return reasons
}

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

const deliveryReason = ({ attempts, dueAt, id, lane }: StoredDelivery, when: string): Reason => {
  const last = attempts.at(-1)
  return reason(
    "delivery",
    `its result is still to be told to ${lane}; attempt ${attempts.length + 1} ${when}`,
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
    : [reason("delivery", `it was told to ${lane} without L8: ${unsigned}`, { delivery_id: id, lane, unsigned })]
}

const reason = (kind: Reason["kind"], message: string, details: Reason["details"], until?: number): Reason => ({
  kind,
  message,
  until,
  details
})

const bare = ({ id, state }: StoredJob) => ({
  jobId: id,
  status: state,
  reasons: [],
  estimatedStart: undefined
})

const wall = ({ epoch, now }: Why, moment: number | undefined): number | undefined =>
  moment === undefined ? undefined : epoch + Math.ceil(moment - now)

const lasting = (millis: number): string => {
  const seconds = Math.max(0, millis) / 1000
  if (seconds < 100) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 6000) return `${Math.round(seconds / 6) / 10} min`
  return `${Math.round(seconds / 360) / 10} h`
}

const noLine: Line = { own: 0, others: 0, accounts: 0 }
const HELD = {
  retry_after: "Retry-After",
  rate_limit: "its rate limit is used up",
  refused: "it answered 429"
} as const
const ENDED: Readonly<Record<string, string>> = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "been cancelled"
}

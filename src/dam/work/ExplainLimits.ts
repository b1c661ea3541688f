/**
 * Says what the limits make a job wait for on which it draws.
 */
import type { Explanation, Reason } from "../../wire/Explained.ts"
import type { Step } from "../../step/StepModel.ts"
import type { StoredJob } from "../job/Job.ts"
import { queueOf } from "../job/LaneName.ts"
import type { LimitWhy } from "../lane/LimitBook.ts"

/** What the next call of a job that waits in a queue draws on: it may be one of a fallback. */
export const drawsIn = (job: StoredJob, queue: string): Step["limits"] =>
  [job.step, ...job.step.fallbacks.map(({ step }) => step)].find(
    ({ limits }) => queueOf(job, limits, job.step.priority) === queue
  )?.limits ?? []

type Turn = Pick<Explanation, "confidence" | "estimatedStart" | "reasons">

/** A turn with what the limits say of it; moments are monotonic, and `epoch` is what `now` is on the wall. */
export const limited = (
  turn: Turn,
  whys: ReadonlyArray<LimitWhy>,
  { epoch, now }: { readonly now: number; readonly epoch: number }
): Turn => {
  const wall = (at: number): number | undefined => (Number.isFinite(at) ? Math.ceil(epoch + at - now) : undefined)
  const holding = whys.filter(({ opensAt, waiting }) => opensAt > now || waiting > 0)
  if (holding.length === 0) return turn
  const latest = Math.max(...holding.map(({ opensAt }) => opensAt))
  const at = wall(latest)
  const isOpen = latest <= now
  return {
    reasons: [...turn.reasons, ...holding.map((why) => reasonOf(why, wall(why.opensAt), now))],
    estimatedStart:
      turn.estimatedStart === undefined || at === undefined ? undefined : Math.max(turn.estimatedStart, at),
    // others draw on it too, and calls cost what they cost
    confidence: turn.confidence === "unknown" || at === undefined ? "unknown" : isOpen ? turn.confidence : "rough"
  }
}

const reasonOf = (why: LimitWhy, until: number | undefined, now: number): Reason => {
  const { available, cost, key, limit, name, open, opensAt, waiting } = why
  return {
    kind: "limit",
    message: wordsOf(why, now),
    until: opensAt > now ? until : undefined,
    details: {
      limit: name,
      ...(key === "" ? {} : { key }),
      cost,
      available: available ?? null,
      open,
      waiting,
      rate: limit?.rate ?? null,
      per_ms: limit?.per ?? null,
      concurrency: limit?.concurrency ?? null
    }
  }
}

const wordsOf = ({ available = 0, cost, key, limit, name, open, opensAt, waiting }: LimitWhy, now: number): string => {
  const told = key === "" ? `the limit ${name}` : `the limit ${name} for ${key}`
  if (limit === undefined) return `${told} is not defined any more; an operator has to define it again`
  if (limit.concurrency !== undefined && open >= limit.concurrency)
    return `${open} of ${limit.concurrency} calls that draw on ${told} are open; one must end first`
  const others = waiting === 0 ? "" : `; ${waiting} ${waiting === 1 ? "other waits" : "others wait"} for it`
  if (opensAt <= now) return `${told} is shared${others}`
  const left =
    available < 0 ? `is overdrawn by ${rounded(-available)}` : `has ${rounded(available)} left of the ${cost} it costs`
  return `${told} ${left}; it opens in ${Math.ceil((opensAt - now) / 100) / 10} s${others}`
}

const rounded = (units: number): number => Number(units.toPrecision(4))

/**
 * The laws that a dam keeps, whatever goes wrong. Reads what everybody outside wrote down, and asks the dam at the end as
 * a client would.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Incarnation } from "./Dam.ts"
import type { JobState } from "../../src/engine/JobState.ts"
import type { Service, ServiceError } from "../../src/run/Service.ts"
import type { Acknowledged, Call, Ledger, Scheduled } from "./Ledger.ts"
import { epoch, type Loop } from "./Loop.ts"
import { otherPace, receiverPace, targets } from "./Network.ts"

/** A law that was broken, and where. */
export interface Finding {
  readonly law: string
  readonly what: string
}

type Say = (law: string, what: string) => void

/** What the dam says of a job at the end. */
interface Told {
  readonly id: string
  readonly status: string
  readonly answer: { readonly [key: string]: unknown }
}

export const judge = (ledger: Ledger, dam: Incarnation, loop: Loop): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const say: Say = (law, what) => findings.push({ law, what })
  if (dam.up === undefined || !dam.alive) {
    say("it starts again", `the dam is not up: ${dam.failed ?? "nobody knows why"}`)
    return findings
  }
  const ask = asking(dam, loop)
  const calls = Map.groupBy(ledger.calls, ({ isWebhook, job }) => `${isWebhook ? "told" : "called"} ${job}`)
  const callsOf = (id: string) => calls.get(`called ${id}`) ?? []
  const tellingsOf = (id: string) => calls.get(`told ${id}`) ?? []
  const ids = oneEach(ledger, say)
  judgeCounts(ask, dam, say)
  for (const { id, wanted } of ids.values()) {
    const job = told(ask, dam, id)
    if (job === undefined) {
      say("what was acknowledged is found", `job ${wanted.number}, ${id}`)
      continue
    }
    judgeJob(ledger, job, callsOf(id), say)
    judgeBeginning(ledger, wanted, callsOf(id), say)
    judgeTellings(
      ledger,
      job,
      wanted.step.webhooks.map(({ url }) => url),
      tellingsOf(id),
      say
    )
    judgeChildren({ ask, dam, ledger, callsOf, say }, job, wanted.step)
  }
  for (const one of ledger.schedules) judgeSchedule(ask, dam, one, say)
  judgePermits(ask, dam, ledger, say)
  judgePaces(ledger, say)
  return findings
}

/** Asks the dam something, and lets the world go on until it answers. */
const asking =
  ({ fork }: Incarnation, loop: Loop) =>
  <A, E>(question: Effect.Effect<A, E>): A | undefined => {
    let answer: Exit.Exit<A, E> | undefined
    fork(
      Effect.map(Effect.exit(question), (exit) => {
        answer = exit
      })
    )
    for (let looks = 0; looks < 500 && answer === undefined; looks++) loop.run(loop.now + 20)
    return answer !== undefined && Exit.isSuccess(answer) ? answer.value : undefined
  }

type Ask = ReturnType<typeof asking>

const oneEach = ({ acknowledged, wanted }: Ledger, say: Say): ReadonlyMap<number, Acknowledged> => {
  const ids = new Map<number, Acknowledged>()
  for (const one of acknowledged) {
    const known = ids.get(one.wanted.number)
    if (known !== undefined && known.id !== one.id) {
      say("a key is one job", `job ${one.wanted.number} is ${known.id} and ${one.id}`)
    }
    ids.set(one.wanted.number, one)
  }
  for (const { number } of wanted) if (!ids.has(number)) say("the door opens again", `job ${number} was never taken`)
  return ids
}

const told = (ask: Ask, { up }: Incarnation, id: string): Told | undefined => {
  const job = up === undefined ? undefined : ask(up.service.job(id))
  return job && { id, status: job.status, answer: job.answer }
}

const isGood = ({ status = 0 }: Call): boolean => status >= 200 && status < 300

const finals = ["succeeded", "failed", "cancelled"]

const judgeJob = (ledger: Ledger, { id, status }: Told, calls: ReadonlyArray<Call>, say: Say): void => {
  if (!finals.includes(status)) return say("every job ends", `${id} is ${status}`)
  const cancelledAt = ledger.cancels.get(id)
  if (status === "cancelled" && !ledger.cancels.has(id)) say("nobody else cancels", id)
  if (cancelledAt !== undefined) {
    if (status !== "cancelled") say("what is cancelled stays so", `${id} is ${status}`)
    const late = calls.find(({ at }) => at > cancelledAt)
    if (late !== undefined) say("what is cancelled is not called", `${id} at ${late.at}, cancelled at ${cancelledAt}`)
  }
  const good = calls.filter(isGood)
  if (status === "succeeded" && good.length === 0) say("no success is made up", id)
  if (status === "failed" && calls.length === 0) say("it is called at least once", id)
  // one that was begun before a crash and answered well may be made again: nobody could know
  good.slice(0, -1).forEach((call, index) => {
    if (!isExcused(ledger, call)) {
      say("no call is made again after a success", `${id} at ${good[index + 1]?.at}, well answered at ${call.ended}`)
    }
  })
  calls.forEach((call, index) => {
    const next = calls[index + 1]
    if (next !== undefined && (call.ended ?? Infinity) > next.at)
      say("one call of a job at a time", `${id} at ${next.at}`)
  })
}

/** A job that has its time is not called before, as long as the clock was not set. */
const judgeBeginning = (
  { clockSetAt }: Ledger,
  { number, step }: Acknowledged["wanted"],
  calls: ReadonlyArray<Call>,
  say: Say
): void => {
  const due = (step.retryAt ?? 0) - epoch
  const early = calls.find(({ at }) => at < due && at < clockSetAt)
  if (early !== undefined) say("nothing is called before its time", `job ${number} at ${early.at}, due at ${due}`)
}

/** Whether the dam died, or its disk failed, between a call and the moment when its answer was written for sure. */
const isExcused = ({ crashes, diskFaults }: Ledger, { at, ended = at }: Call, within = 3000): boolean => {
  let until = ended + within
  // what is written behind an answer waits for a disk that fails, and some seconds more to be tried again
  for (const fault of diskFaults.toSorted((left, right) => left - right)) {
    if (fault < until && fault + 5000 > at) until = Math.max(until, fault + 9000)
  }
  return crashes.some((crash) => crash.at >= at && crash.at <= until)
}

/** Results are told to whoever asked, until they are heard, and in one sense. */
const judgeTellings = (
  ledger: Ledger,
  { id, status }: Told,
  hooks: ReadonlyArray<string>,
  tellings: ReadonlyArray<Call>,
  say: Say
): void => {
  for (const hook of hooks) {
    const own = tellings.filter(({ url }) => url === hook)
    const heard = own.filter(isGood)
    if (finals.includes(status) && heard.length === 0)
      say("every result is told", `${id} to ${hook}, ${own.length} tries`)
    if (heard.slice(0, -1).some((call) => !isExcused(ledger, call)))
      say("what was heard is not told again", `${id} to ${hook}`)
  }
  if (tellings.some(({ url }) => !hooks.includes(url))) say("nobody is told without asking", id)
  const senses = new Set(tellings.map(({ body }) => statusIn(body)))
  if (senses.size > 1) say("a job ends once", `${id} was told as ${[...senses].join(" and ")}`)
  const bodies = new Set(tellings.map(({ body }) => body))
  if (bodies.size > senses.size) say("it is told in the same bytes", `${id} in ${bodies.size}`)
  const sense = [...senses][0]
  if (sense !== undefined && (sense === "success") !== (status === "succeeded")) {
    say("what is told is what happened", `${id} is ${status} and was told as ${sense}`)
  }
}

const statusIn = (body: string): string => {
  const { status }: { readonly status: string } = JSON.parse(body)
  return status
}

interface Children {
  readonly ask: Ask
  readonly dam: Incarnation
  readonly ledger: Ledger
  readonly callsOf: (id: string) => ReadonlyArray<Call>
  readonly say: Say
}

/** What a dam counts is what it has. */
const judgeCounts = (ask: Ask, { up }: Incarnation, say: Say): void => {
  const counted = up && ask(up.store.stats)
  for (const [state, count] of Object.entries(counted?.jobs ?? {})) {
    const found = up && ask(everyJob(up.service, state))
    if (found !== count) say("counts are right", `${count} jobs are counted as ${state}, there are ${found}`)
  }
}

const everyJob = (service: Service["Service"], state: string): Effect.Effect<number, ServiceError> =>
  Effect.gen(function* () {
    let count = 0
    let cursor: string | undefined
    do {
      const page = yield* service.list({ status: [state as JobState], limit: 1000, cursor })
      count += page.jobs.length
      cursor = page.cursor
    } while (cursor !== undefined)
    return count
  })

/** Each of its moments is one job, whoever was dead meanwhile. */
const judgeSchedule = (ask: Ask, { up }: Incarnation, { end, every, from, name }: Scheduled, say: Say): void => {
  const page = up && ask(up.service.list({ metadata: { schedule: name }, limit: 1000 }))
  const moments = (page?.jobs ?? []).map(({ answer }) => Date.parse(momentIn(answer)) - epoch).sort((a, b) => a - b)
  moments.forEach((moment, index) => {
    const next = moments[index + 1]
    if (next === moment) say("a moment is one call", `${name} at ${moment}`)
    else if (next !== undefined && moment > from && next - moment !== every) {
      say("no moment is left out", `${name} from ${moment} to ${next}, every ${every}`)
    }
  })
  const [first = Infinity] = moments.filter((moment) => moment > from)
  const last = moments.at(-1) ?? 0
  if (first > from + every + 1 || last < end - every) {
    say("no moment is left out", `${name} from ${from} to ${end}: there are ${first} to ${last}, every ${every}`)
  }
}

const momentIn = ({ metadata }: Told["answer"]): string =>
  (metadata as { readonly scheduled_for: string }).scheduled_for

/** One child where the step has one for such an end, and none otherwise. */
const judgeChildren = (
  { ask, callsOf, dam, ledger, say }: Children,
  { id, status }: Told,
  step: Acknowledged["wanted"]["step"]
): void => {
  const page = dam.up === undefined ? undefined : ask(dam.up.service.list({ parent: id }))
  if (page === undefined) return say("children are found", id)
  const due = status === "succeeded" ? step.onSuccess : status === "failed" ? step.onFailure : undefined
  if (page.jobs.length !== (due === undefined ? 0 : 1)) {
    say("a job that ends has the children that it should", `${id} is ${status} and has ${page.jobs.length}`)
  }
  for (const child of page.jobs) {
    judgeJob(ledger, { id: child.jobId, status: child.status, answer: child.answer }, callsOf(child.jobId), say)
  }
}

const judgePermits = (ask: Ask, dam: Incarnation, { calls }: Ledger, say: Say): void => {
  for (const { lane, open } of (dam.up === undefined ? undefined : ask(dam.up.engine.lanes)) ?? []) {
    const really = calls.filter(
      (call) => laneIn(call) === lane && call.ended === undefined && call.incarnation === dam.number
    ).length
    if (open !== really) say("permits come back", `${lane} shows ${open} open calls of ${really}`)
  }
}

/** The lane of a call: receivers have lanes beside those of targets on the same host. */
const laneIn = ({ isWebhook, lane }: Call): string => (isWebhook ? `webhook@${lane}` : lane)

/** No window holds more than its pace, in any incarnation; a refusal holds until its time, over restarts too. */
const judgePaces = (ledger: Ledger, say: Say): void => {
  for (const [lane, calls] of Map.groupBy(ledger.calls, laneIn)) {
    const host = lane.replace(/:443$/, "")
    const pace =
      Object.entries(targets).find(([name]) => name === host)?.[1].pace ??
      (lane.startsWith("webhook@") ? receiverPace : otherPace)
    for (const own of Map.groupBy(calls, ({ incarnation }) => incarnation).values()) {
      judgeWindow(lane, own, pace.rps, say)
      judgeConcurrency(lane, own, pace.maxConcurrent, say)
    }
    judgeHolds(ledger, lane, calls, say)
    for (const { from, lane: paused, until } of ledger.pauses) {
      const late = calls.find(({ at }) => at > from && at < until)
      if (paused === lane && late !== undefined) say("what is paused is not called", `${lane} at ${late.at}`)
    }
  }
}

const judgeWindow = (lane: string, calls: ReadonlyArray<Call>, rps: number, say: Say): void => {
  let from = 0
  for (let at = 0; at < calls.length; at++) {
    const now = calls[at]?.at ?? 0
    while ((calls[from]?.at ?? now) <= now - 1000) from++
    // one may be made up for
    if (at - from + 1 > rps + 1) return say("pace", `${lane}: ${at - from + 1} calls in the second before ${now}`)
  }
}

const judgeConcurrency = (lane: string, calls: ReadonlyArray<Call>, most: number, say: Say): void => {
  let open: ReadonlyArray<Call> = []
  for (const call of calls) {
    open = [...open.filter(({ ended = Infinity }) => ended > call.at), call]
    if (open.length > most) return say("concurrency", `${lane}: ${open.length} calls at ${call.at}`)
  }
}

const judgeHolds = (ledger: Ledger, lane: string, calls: ReadonlyArray<Call>, say: Say): void => {
  for (const refused of calls) {
    const { ended, isSeen, retryAfter, status } = refused
    if (status !== 429 || ended === undefined || retryAfter === undefined || !isSeen) continue
    const until = ended + 1000 * retryAfter
    const early = calls.find((call) => call.at > ended && call.at < until - 1)
    if (early === undefined) continue
    // kept over a restart once it is written, which takes a moment
    if (early.incarnation === refused.incarnation || !isExcused(ledger, refused, 1000)) {
      return say("a refusal holds", `${lane} was called at ${early.at} and is held until ${until}`)
    }
  }
}

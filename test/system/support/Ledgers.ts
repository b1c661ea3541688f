/**
 * Judges a run of the dam by what was written down outside of it: by the client, by the upstream, by the receiver of
 * webhooks, and by whoever killed it. Pure: it runs on recorded runs too.
 *
 * Moments are epoch milliseconds of one machine's clock.
 */
import { canBecome, isTerminal, type JobState, states } from "../../../src/engine/JobState.ts"

/** A submission: noted before it is sent, again when its whole answer was there. */
export interface Submission {
  readonly key: string
  readonly bodyHash: string
  readonly at: number
  /** Absent: nobody knows whether the job exists. */
  readonly answer?: { readonly jobId: string; readonly status: number; readonly state: string; readonly at: number }
}

/** A call that arrived at the upstream. */
export interface Call {
  /** What the job itself carries in its body, and what came in `Idempotency-Key`. */
  readonly key: string
  readonly header: string
  /** What came in `X-EZThrottle-Attempt`. */
  readonly attempt: number
  readonly bodyHash: string
  readonly start: number
  /** When it was answered, or its caller was gone. */
  readonly end: number
}

/** A webhook that arrived at the receiver. */
export interface Hook {
  readonly jobId: string
  readonly key: string
  readonly status: string
  readonly signed: boolean
  /** How the receiver answered. */
  readonly answered: number
  readonly start: number
  readonly end: number
}

/** A job as the dam shows it in the end. */
export interface Final {
  readonly jobId: string
  readonly key: string
  readonly state: JobState
  readonly delivery: string
  readonly attempts: number
  readonly error: string | null
  readonly deliveryAttempts: number
}

export interface Ledgers {
  readonly submissions: ReadonlyArray<Submission>
  readonly calls: ReadonlyArray<Call>
  readonly hooks: ReadonlyArray<Hook>
  /** When the process was killed. */
  readonly kills: ReadonlyArray<number>
  readonly finals: ReadonlyArray<Final>
  readonly store: { readonly integrity: string; readonly sequence: ReadonlyArray<number> }
  readonly pace: { readonly rps: number; readonly maxConcurrent: number; readonly burst: number }
  /** By how much the moments of two events may be off, and how long after an answer it may not be committed yet. */
  readonly slackMillis: number
}

export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "I9" | "I10"

export interface Violation {
  readonly invariant: Invariant
  readonly detail: string
}

type Check = (ledgers: Ledgers) => ReadonlyArray<string>

/** Every invariant that does not hold, with what contradicts it. */
export const check = (ledgers: Ledgers): ReadonlyArray<Violation> =>
  invariants.flatMap(([invariant, holds]) => holds(ledgers).map((detail) => ({ invariant, detail })))

/** Every acknowledged job exists. */
const exists: Check = ({ finals, submissions }) => {
  const known = new Set(finals.map(({ jobId }) => jobId))
  return submissions.flatMap(({ answer, key }) =>
    answer === undefined || known.has(answer.jobId) ? [] : [`${answer.jobId} (${key}) was acknowledged and is gone`]
  )
}

/** What ended well was sent, byte for byte; what ended badly says why. */
const wasSent: Check = ({ calls, finals, submissions }) => {
  const hashes = new Map(submissions.map(({ bodyHash, key }) => [key, bodyHash]))
  const sent = Map.groupBy(calls, ({ key }) => key)
  return finals.flatMap(({ error, jobId, key, state }) => {
    if (!isTerminal(state)) return []
    const exact = (sent.get(key) ?? []).some(({ bodyHash }) => bodyHash === hashes.get(key))
    if (exact) return []
    if (state === "succeeded") return [`${jobId} (${key}) succeeded and its bytes never reached the upstream`]
    return error === null ? [`${jobId} (${key}) ${state} without a call and without a reason`] : []
  })
}

/** Every end was told to a receiver that took it, or is listed as undelivered with its attempts. */
const wasTold: Check = ({ finals, hooks }) => {
  const taken = new Set(hooks.filter(({ answered, signed }) => signed && isGood(answered)).map(({ jobId }) => jobId))
  const unsigned = hooks.filter(({ signed }) => !signed).map(({ jobId }) => `a webhook of ${jobId} is not signed`)
  const missing = finals.flatMap(({ delivery, deliveryAttempts, jobId, state }) => {
    if (!isTerminal(state)) return []
    if (delivery === "undelivered") return deliveryAttempts > 0 ? [] : [`${jobId} is undelivered without an attempt`]
    if (delivery !== "delivered") return [`${jobId} has ended and its delivery is ${delivery}`]
    return taken.has(jobId) ? [] : [`${jobId} counts as delivered and no receiver took it`]
  })
  return [...unsigned, ...missing]
}

/** Nobody is called, or told of, who was not asked for. */
const nobodyElse: Check = ({ calls, finals, hooks, submissions }) => {
  const keys = new Set(submissions.map(({ key }) => key))
  const ids = new Set(finals.map(({ jobId }) => jobId))
  return [
    ...calls.flatMap(({ key }) => (keys.has(key) ? [] : [`a call for ${key}, which nobody submitted`])),
    ...hooks.flatMap(({ jobId }) => (ids.has(jobId) ? [] : [`a webhook of ${jobId}, which does not exist`]))
  ]
}

/** A key names one job, whoever is asked and however often. */
const oneJobPerKey: Check = ({ finals, hooks, submissions }) => {
  const named = new Map<string, Set<string>>()
  const note = (key: string, jobId: string) => named.set(key, (named.get(key) ?? new Set()).add(jobId))
  for (const { answer, key } of submissions) if (answer !== undefined) note(key, answer.jobId)
  for (const { jobId, key } of [...finals, ...hooks]) note(key, jobId)
  return [...named].flatMap(([key, ids]) => (ids.size === 1 ? [] : [`${key} names ${[...ids].join(" and ")}`]))
}

/**
 * A call or a webhook is repeated only when a kill came between, while the one before was under way; a repeated call has
 * the same key and a higher number.
 */
const repeatsAreKills: Check = ({ calls, hooks, kills, slackMillis }) => {
  const explained = (before: { readonly start: number; readonly end: number }, next: { readonly start: number }) =>
    kills.some((at) => before.start <= at + slackMillis && at <= next.start && at <= before.end + slackMillis)
  const unexplained = <A extends { readonly start: number; readonly end: number }>(
    events: ReadonlyArray<A>,
    name: (event: A) => string
  ) =>
    [...Map.groupBy(events, name)].flatMap(([who, group]) => {
      const inOrder = group.toSorted((a, b) => a.start - b.start)
      return inOrder.flatMap((next, place) => {
        const before = inOrder[place - 1]
        return before === undefined || explained(before, next)
          ? []
          : [`${who} was repeated after ${Math.round(next.start - before.start)} ms, and no kill explains it`]
      })
    })
  return [
    ...unexplained(calls, ({ key }) => `the call of ${key}`),
    ...unexplained(hooks, ({ jobId }) => `the webhook of ${jobId}`),
    ...calls.flatMap(({ header, key }) => (header === key ? [] : [`the call of ${key} carried the key ${header}`])),
    ...unnumbered(calls)
  ]
}

/** Calls of a job whose numbers do not grow; the first may have any, since a kill may come before it is made. */
const unnumbered = (calls: ReadonlyArray<Call>): ReadonlyArray<string> =>
  [...Map.groupBy(calls, ({ key }) => key)].flatMap(([key, group]) =>
    group
      .toSorted((a, b) => a.start - b.start)
      .flatMap(({ attempt }, place, all) =>
        Number.isInteger(attempt) && attempt > (all[place - 1]?.attempt ?? 0)
          ? []
          : [`the call of ${key} has the number ${attempt} after ${all[place - 1]?.attempt ?? "none"}`]
      )
  )

/** In any second at most the rate and its burst begin, and never more than allowed are open, across restarts. */
const paced: Check = ({ calls, kills, pace, slackMillis }) => {
  const starts = calls.map(({ start }) => start).toSorted((a, b) => a - b)
  const window = 1000 - slackMillis
  const most = Math.ceil(pace.rps + pace.burst)
  const tooFast = starts.flatMap((start, place) => {
    const first = starts[place - most]
    return first !== undefined && start - first < window ? [`${most + 1} calls within ${start - first} ms`] : []
  })
  const killOf = (call: Call) => kills.find((at) => at >= call.start && at < call.end) ?? Number.POSITIVE_INFINITY
  const changes = calls
    .flatMap((call) => [
      { at: call.start, by: 1 },
      { at: Math.min(call.end, killOf(call)), by: -1 }
    ])
    .toSorted((a, b) => a.at - b.at || a.by - b.by)
  let open = 0
  let highest = 0
  for (const { by } of changes) {
    open += by
    highest = Math.max(highest, open)
  }
  const tooMany = highest > pace.maxConcurrent ? [`${highest} calls were open at once`] : []
  return [...tooFast.slice(0, 1), ...tooMany]
}

/** What was seen of a job at one moment may become what was seen later; what is final stays. */
const edges: Check = ({ finals, hooks, submissions }) => {
  const reach = reachability()
  const seen = new Map<string, Array<{ readonly state: JobState; readonly at: number }>>()
  for (const { answer } of submissions) {
    const state = states.find((one) => one === answer?.state)
    if (answer === undefined || state === undefined) continue
    seen.set(answer.jobId, [...(seen.get(answer.jobId) ?? []), { state, at: answer.at }])
  }
  const ended = new Map(finals.map(({ jobId, state }) => [jobId, state]))
  const broken = finals.flatMap(({ jobId, state }) => {
    const path = (seen.get(jobId) ?? []).toSorted((a, b) => a.at - b.at).map((one) => one.state)
    return [...path, state].flatMap((next, place, all) => {
      const before = all[place - 1]
      return before === undefined || before === next || reach[before].has(next)
        ? []
        : [`${jobId} went from ${before} to ${next}`]
    })
  })
  const told = hooks.flatMap(({ jobId, status }) => {
    const state = ended.get(jobId)
    if (state === undefined) return []
    return (status === "success") === (state === "succeeded") && isTerminal(state)
      ? []
      : [`${jobId} was told as ${status} and is ${state}`]
  })
  return [...broken, ...told]
}

/** The file is whole, and no job is missing from the middle: only a submission of a known key takes a number in vain. */
const whole: Check = ({ finals, store, submissions }) => {
  const { integrity, sequence } = store
  const missing = (sequence.at(-1) ?? 0) - sequence.length
  const repeated = submissions.length - new Set(submissions.map(({ key }) => key)).size
  return [
    ...(integrity === "ok" ? [] : [`the database says: ${integrity}`]),
    ...(sequence.length === finals.length ? [] : [`${sequence.length} jobs are stored and ${finals.length} are shown`]),
    ...(missing > repeated ? [`${missing} numbers are missing, and ${repeated} submissions were repeated`] : [])
  ]
}

/** The run was a test: nearly all ended, and kills fell while something of each kind was under way. */
const somethingHappened: Check = ({ calls, finals, hooks, kills, submissions }) => {
  const ended = finals.filter(({ state }) => isTerminal(state)).length
  const expected = new Set(submissions.flatMap(({ answer, key }) => (answer === undefined ? [] : [key]))).size
  const during = (spans: ReadonlyArray<{ readonly start: number; readonly end: number }>) =>
    spans.some(({ end, start }) => kills.some((at) => start <= at && at <= end))
  const submitting = submissions.map(({ answer, at }) => ({ start: at, end: answer?.at ?? at + 1000 }))
  return [
    ...(expected > 0 && ended >= 0.95 * expected ? [] : [`${ended} of ${expected} jobs ended`]),
    ...(during(submitting) ? [] : ["no kill fell while a job was submitted"]),
    ...(during(calls) ? [] : ["no kill fell while the upstream was called"]),
    ...(during(hooks) ? [] : ["no kill fell while a result was told"])
  ]
}

const invariants: ReadonlyArray<readonly [Invariant, Check]> = [
  ["I1", exists],
  ["I2", wasSent],
  ["I3", wasTold],
  ["I4", nobodyElse],
  ["I5", oneJobPerKey],
  ["I6", repeatsAreKills],
  ["I7", paced],
  ["I8", edges],
  ["I9", whole],
  ["I10", somethingHappened]
]

const isGood = (status: number): boolean => status >= 200 && status < 300

/** Which states can follow a state, over any number of edges. */
const reachability = (): Readonly<Record<JobState, ReadonlySet<JobState>>> => {
  const from = (state: JobState): ReadonlySet<JobState> => {
    const found = new Set<JobState>()
    const visit = (one: JobState) => {
      for (const next of states) {
        if (!canBecome(one, next) || found.has(next)) continue
        found.add(next)
        visit(next)
      }
    }
    visit(state)
    return found
  }
  return {
    scheduled: from("scheduled"),
    queued: from("queued"),
    running: from("running"),
    parked: from("parked"),
    succeeded: from("succeeded"),
    failed: from("failed"),
    cancelled: from("cancelled")
  }
}

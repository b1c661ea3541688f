/**
 * Upstreams with a hidden limit, each of one kind. They are told of calls in the order in which these arrive; moments
 * are virtual milliseconds.
 */
import { seeded, type Chance } from "./Chance.ts"

export interface Upstream {
  /** Milliseconds after which the limit shows its whole self. */
  readonly window: number
  /** What its policy says: so many calls in so many milliseconds; `undefined` where no such words fit. */
  readonly policy: { readonly limit: number; readonly window: number } | undefined
  readonly limit: number
  readonly arrive: (at: number, chance: Chance, cost?: number) => Arrival
  /** An accepted call ends. */
  readonly end?: () => void
  readonly left: (at: number) => number
  /** Milliseconds until a call of a cost would be let through. */
  readonly wait: (at: number, cost?: number) => number
  /** Milliseconds until the amount is told to be whole again. */
  readonly reset: (at: number) => number
  /** The calls that it would have allowed in an interval. */
  readonly allows: (from: number, to: number) => number
  /** A moment not before `at` from which on it can be measured. */
  readonly align: (at: number) => number
  /** The quotas that answers tell, where they are not the one above. */
  readonly quotas?: ReadonlyArray<Upstream & { readonly name: string }>
}

export interface Arrival {
  readonly isOk: boolean
  /** Milliseconds of work. */
  readonly takes: number
}

/** From a moment on the limit is so many times what it was. */
export interface Change {
  readonly at: number
  readonly factor: number
}

const work = 5
const taken: Arrival = { isOk: true, takes: work }
const refusal: Arrival = { isOk: false, takes: work }
const second = 1000

const factorAt = (changes: ReadonlyArray<Change>, at: number): number =>
  changes.reduce((factor, change) => (at >= change.at ? change.factor : factor), 1)

/** So many calls in each window of the wall clock. */
export const fixed = (limit: number, window: number, chance: Chance, changes: ReadonlyArray<Change> = []): Upstream => {
  const phase = chance() * window
  let current = Number.NEGATIVE_INFINITY
  let used = 0
  const limitAt = (at: number) => limit * factorAt(changes, at)
  const turn = (at: number) => {
    const index = Math.floor((at - phase) / window)
    if (index === current) return
    current = index
    used = 0
  }
  const endOf = (at: number) => (Math.floor((at - phase) / window) + 1) * window + phase
  return {
    window,
    policy: { limit, window },
    limit,
    arrive: (at, _, cost = 1) => {
      turn(at)
      if (used + cost > limitAt(at)) return refusal
      used += cost
      return taken
    },
    left: (at) => {
      turn(at)
      return Math.max(0, limitAt(at) - used)
    },
    wait: (at, cost = 1) => {
      turn(at)
      return used + cost <= limitAt(at) ? 0 : endOf(at) - at
    },
    reset: (at) => endOf(at) - at,
    allows: (from, to) => {
      let sum = 0
      for (let at = from; at < to - 1; at += window) sum += limitAt(at + 1) * Math.min(1, (to - at) / window)
      return sum
    },
    align: endOf
  }
}

/** A bucket of `burst` calls that refills by `rps`: a token bucket, a leaky one, or GCRA, which are the same from outside. */
export const bucket = (rps: number, burst: number, changes: ReadonlyArray<Change> = []): Upstream => {
  let level = burst
  let filledAt = 0
  const rateAt = (at: number) => (rps / second) * factorAt(changes, at)
  const fill = (at: number) => {
    if (at <= filledAt) return
    level = Math.min(burst, level + (at - filledAt) * rateAt(at))
    filledAt = at
  }
  const window = (burst / rps) * second
  return {
    window,
    policy: { limit: burst, window },
    limit: burst,
    arrive: (at, _, cost = 1) => {
      fill(at)
      if (level < cost) return refusal
      level -= cost
      return taken
    },
    left: (at) => {
      fill(at)
      return Math.floor(level)
    },
    wait: (at, cost = 1) => {
      fill(at)
      return level >= cost ? 0 : (cost - level) / rateAt(at)
    },
    reset: (at) => {
      fill(at)
      return (burst - level) / rateAt(at)
    },
    allows: (from, to) => {
      let sum = 0
      for (let at = from; at < to; at += second) sum += rateAt(at) * Math.min(second, to - at)
      return sum
    },
    align: (at) => at
  }
}

/** So many calls in any interval of a length; refused ones count too where `countsRefused`. */
export const sliding = (limit: number, window: number, countsRefused = false): Upstream => {
  const log: Array<number> = []
  const trim = (at: number) => {
    while ((log[0] ?? Infinity) <= at - window) log.shift()
  }
  return {
    window,
    policy: { limit, window },
    limit,
    arrive: (at) => {
      trim(at)
      const isOk = log.length < limit
      if (isOk || countsRefused) log.push(at)
      if (log.length > 4 * limit) log.shift()
      return isOk ? taken : refusal
    },
    left: (at) => {
      trim(at)
      return Math.max(0, limit - log.length)
    },
    wait: (at) => {
      trim(at)
      return log.length < limit ? 0 : (log[log.length - limit] ?? at) + window - at
    },
    reset: (at) => {
      trim(at)
      return log[0] === undefined ? 0 : log[0] + window - at
    },
    allows: (from, to) => ((to - from) * limit) / window,
    align: (at) => at
  }
}

/** A window that begins with the first call; whoever exceeds it is shut out, anew with each early call. */
export const blocking = (limit: number, window: number, block: number): Upstream => {
  let since = Number.NEGATIVE_INFINITY
  let used = 0
  let shutUntil = Number.NEGATIVE_INFINITY
  const shut = (at: number): Arrival => {
    shutUntil = at + block
    since = shutUntil - window
    used = 0
    return refusal
  }
  const isOpen = (at: number) => at >= since + window
  return {
    window,
    policy: { limit, window },
    limit,
    arrive: (at) => {
      if (at < shutUntil) {
        shutUntil = at + block
        return refusal
      }
      if (isOpen(at)) {
        since = at
        used = 0
      }
      if (used >= limit) return shut(at)
      used++
      return taken
    },
    left: (at) => (at < shutUntil ? 0 : isOpen(at) ? limit : limit - used),
    wait: (at) => (at < shutUntil ? shutUntil - at : isOpen(at) || used < limit ? 0 : since + window - at),
    reset: (at) => (at < shutUntil ? shutUntil - at : Math.max(0, since + window - at)),
    allows: (from, to) => ((to - from) * limit) / window,
    align: (at) => at
  }
}

/** Two limits at once; the answers tell of `shown`, or of both where they tell of several. */
export const both = (one: Upstream, other: Upstream, shown: Upstream, quotas?: Upstream["quotas"]): Upstream => ({
  window: Math.max(one.window, other.window),
  policy: shown.policy,
  limit: shown.limit,
  arrive: (at, chance, cost = 1) => {
    if (one.left(at) < cost || other.left(at) < cost) return refusal
    one.arrive(at, chance, cost)
    return other.arrive(at, chance, cost)
  },
  left: shown.left,
  wait: (at, cost) => Math.max(one.wait(at, cost), other.wait(at, cost)),
  reset: shown.reset,
  allows: (from, to) => Math.min(one.allows(from, to), other.allows(from, to)),
  align: (at) => Math.max(one.align(at), other.align(at)),
  ...(quotas === undefined ? {} : { quotas })
})

/** So many calls at once. */
export const concurrency = (limit: number, mean: number, roundTrip: number): Upstream => {
  let open = 0
  return {
    window: second,
    policy: undefined,
    limit,
    arrive: (_, chance) => {
      if (open >= limit) return refusal
      open++
      return { isOk: true, takes: mean * (0.67 + 0.66 * chance()) }
    },
    end: () => void open--,
    left: () => limit - open,
    wait: () => (open < limit ? 0 : mean / limit),
    reset: () => mean / limit,
    allows: (from, to) => ((to - from) * limit) / (mean + roundTrip),
    align: (at) => at
  }
}

/** A limit that a stranger draws on too, who is busy for a while and then calm for a while. */
export const shared = (upstream: Upstream, callsPerMinute: number, seed: number): Upstream => {
  const chance = seeded(seed + 77)
  const theirs: Array<number> = []
  let next = 0
  let until = 0
  let isBusy = chance() < 0.5
  const run = (to: number) => {
    while (next <= to) {
      if (next > until) {
        isBusy = !isBusy
        until = next + 60_000 * (0.5 + 2 * chance())
      }
      if ((isBusy || chance() < 0.2) && upstream.arrive(next, chance).isOk) theirs.push(next)
      next += (-Math.log(1 - chance()) * 60_000) / callsPerMinute
    }
  }
  return {
    ...upstream,
    arrive: (at, ours) => {
      run(at)
      return upstream.arrive(at, ours)
    },
    left: (at) => {
      run(at)
      return upstream.left(at)
    },
    allows: (from, to) => {
      run(to)
      return upstream.allows(from, to) - theirs.filter((at) => at >= from && at < to).length
    }
  }
}

/** Refuses nobody, and becomes slow. */
export const loaded = (workers: number, mean: number): Upstream => {
  const free = Array.from({ length: workers }, () => 0)
  return {
    window: second,
    policy: undefined,
    limit: 0,
    arrive: (at, chance) => {
      const worker = free.indexOf(Math.min(...free))
      const done = Math.max(free[worker] ?? 0, at) + mean * (0.8 + 0.4 * chance())
      free[worker] = done
      return { isOk: true, takes: done - at }
    },
    left: () => 1,
    wait: () => 0,
    reset: () => 0,
    allows: (from, to) => ((to - from) * workers) / mean,
    align: (at) => at
  }
}

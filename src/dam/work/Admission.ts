/**
 * Admission control: how much may wait and be stored before new jobs are told to come later.
 *
 * The store is asked once a second, and what is admitted in between is counted, so that a flood does not pass on an old
 * number. Whoever would be refused has the store asked anew, so that nobody is refused on one either.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { totalmem } from "node:os"
import type { Priority } from "../../step/StepModel.ts"
import { IsCopy, type StoreError } from "../store/StoreError.ts"
import type { UpkeepPort, StoreStats } from "../store/Upkeep.ts"

/**
 * The marks beyond which no job is taken.
 *
 * @category models
 * @since 0.1.0
 */
export interface AdmissionOptions {
  /** Jobs waiting. Defaults to 5,000,000. */
  readonly maxQueued: number
  /** Unfinished jobs of one customer, children and reruns among them. Defaults to no mark of its own. */
  readonly maxCustomerJobs?: number | undefined
  /** Bytes that the database holds. Defaults to 50 GiB. */
  readonly maxStoredBytes: number
  /** Bytes of memory that this process has. Defaults to four fifths of what the machine, or the container, has. */
  readonly maxMemoryBytes: number
  /** Tells how many bytes of memory this process has. */
  readonly memoryBytes: () => number
  /** There where the store is a copy, since when: nothing is taken, and nothing started, told or swept. */
  readonly copiedAt?: number | undefined
}

/**
 * The marks where none are configured.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults: AdmissionOptions = {
  maxQueued: 5_000_000,
  maxStoredBytes: 50 * 1024 ** 3,
  // outside of a container the limit is none, or beyond all measure
  maxMemoryBytes: Math.floor(0.8 * Math.min(process.constrainedMemory() || totalmem(), totalmem())),
  memoryBytes: () => process.memoryUsage.rss()
}

/**
 * The guard of the way in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Admission {
  /** Files a job, or so many, if there is room: where it is of low priority, if there is a fifth of the room left. */
  readonly through: <A, E, R>(
    file: Effect.Effect<A, E, R>,
    jobs?: number,
    priority?: Priority
  ) => Effect.Effect<A, E | StoreError | Overloaded, R>
  /**
   * The same at once, where what is known suffices: counts a job on its way, which `left` ends, or knows nothing. Jobs of
   * low priority do not come this way.
   */
  readonly enter: (clock: Clock.Clock) => boolean
  readonly left: () => void
  /** The numbers it goes by, and its marks, as `/health` shows them. */
  readonly view: Effect.Effect<Readonly<Record<string, number>>, StoreError>
}

/** How long the numbers of the store are believed, in milliseconds, and how long by somebody who is to be refused. */
const believedFor = 1000
const believedForNo = 50

/** Whoever is refused may come again after this many seconds. */
const retryAfterSeconds = 10

/** The refusal of a customer who has as many unfinished jobs as it may. */
export const crowded = (limit: number, current: number): Overloaded =>
  new Overloaded({ limitReason: "customer_jobs", limit, current, retryAfterSeconds })

/** What the guard goes by. */
interface Guard {
  readonly store: Pick<UpkeepPort, "stats">
  readonly options: AdmissionOptions
  /** What the store said, when in monotonic milliseconds, and how much memory there was then. */
  seen: StoreStats | undefined
  seenAt: number
  memory: number
  /** Whether the store is being asked. */
  asking: boolean
  /** Jobs on their way into the store, filed in all, and those of them that what the store said knows of. */
  underWay: number
  filed: number
  known: number
}

/**
 * Makes the guard.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (store: Pick<UpkeepPort, "stats">, options: AdmissionOptions): Admission => {
  const guard: Guard = {
    store,
    options,
    seen: undefined,
    seenAt: Number.NEGATIVE_INFINITY,
    memory: 0,
    asking: false,
    underWay: 0,
    filed: 0,
    known: 0
  }
  const [checked, checkedLow] = [check(guard, 1), check(guard, partForLow)]
  return {
    through: (file, jobs = 1, priority) =>
      Effect.flatMap(priority === "low" ? checkedLow : checked, () => counted(guard, file, jobs)),
    enter: (clock) => {
      const isOpen = isSurelyOpen(guard, ageOf(guard, clock), 1)
      if (isOpen) guard.underWay++
      return isOpen
    },
    left: () => left(guard, 1),
    view: Effect.map(ask(guard), (stats) => viewOf(guard, stats))
  }
}

/** How full the dam may be for jobs of low priority, which are refused first. */
const partForLow = 0.8

const check = (self: Guard, part: number): Effect.Effect<void, StoreError | Overloaded> =>
  Effect.gen(function* () {
    const { copiedAt } = self.options
    if (copiedAt !== undefined) return yield* new IsCopy({ copiedAt })
    const age = ageOf(self, yield* Clock.Clock)
    if (isSurelyOpen(self, age, part)) return
    // one asks; the others go by what is known meanwhile
    const known = self.seen === undefined || (age > believedFor && !self.asking) ? yield* ask(self) : self.seen
    const breach = breachOf(self, known, part)
    if (breach === undefined) return
    const again = age > believedForNo && !self.asking ? breachOf(self, yield* ask(self), part) : breach
    if (again !== undefined) return yield* again
  })

/** Milliseconds since the store was asked. */
const ageOf = ({ seenAt }: Guard, clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6 - seenAt

/** Whether there is room by what is known, and that is believed. */
const isSurelyOpen = (self: Guard, age: number, part: number): boolean =>
  self.options.copiedAt === undefined &&
  self.seen !== undefined &&
  (age <= believedFor || self.asking) &&
  breachOf(self, self.seen, part) === undefined

const ask = (self: Guard): Effect.Effect<StoreStats, StoreError> =>
  Effect.suspend(() => {
    self.asking = true
    // what was filed before now is seen by the store, but not known until it has answered
    const { filed } = self
    return Effect.ensuring(
      Effect.flatMap(self.store.stats, (stats) =>
        Effect.map(Clock.monotonicTimeNanos, (nanos) => {
          self.seen = stats
          self.known = filed
          self.seenAt = Number(nanos) / 1e6
          // where files are used up the platform cannot look, and says so: what was known counts then
          self.memory = Result.getOrElse(Result.try(self.options.memoryBytes), () => self.memory)
          return stats
        })
      ),
      Effect.sync(() => void (self.asking = false))
    )
  })

const counted = <A, E, R>(self: Guard, file: Effect.Effect<A, E, R>, jobs: number): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    self.underWay += jobs
    return Effect.onExit(file, () => Effect.sync(() => left(self, jobs)))
  })

const left = (self: Guard, jobs: number): void => {
  self.underWay -= jobs
  self.filed += jobs
}

const breachOf = (
  { filed, known, memory, options, underWay }: Guard,
  stats: StoreStats,
  part: number
): Overloaded | undefined => {
  const refuse = (limitReason: string, most: number, current: number) => {
    const limit = part === 1 ? most : Math.floor(part * most)
    return current < limit ? undefined : new Overloaded({ limitReason, limit, current, retryAfterSeconds })
  }
  return (
    refuse("queued_jobs", options.maxQueued, waiting(stats) + underWay + filed - known) ??
    refuse("stored_bytes", options.maxStoredBytes, stats.bytes) ??
    refuse("memory", options.maxMemoryBytes, memory)
  )
}

const viewOf = ({ memory, options }: Guard, stats: StoreStats): Readonly<Record<string, number>> => ({
  ...stats.jobs,
  pending_deliveries: stats.pendingDeliveries,
  dead_deliveries: stats.deadDeliveries,
  disabled_endpoints: stats.disabledEndpoints,
  waiting_jobs: waiting(stats),
  stored_bytes: stats.bytes,
  memory_bytes: memory,
  max_queued: options.maxQueued,
  max_stored_bytes: options.maxStoredBytes,
  max_memory_bytes: options.maxMemoryBytes,
  ...(options.maxCustomerJobs === undefined ? {} : { max_customer_jobs: options.maxCustomerJobs })
})

const waiting = ({ jobs }: StoreStats): number => jobs.queued + jobs.scheduled + jobs.parked

/**
 * The dam takes no more for now.
 *
 * @category errors
 * @since 0.1.0
 */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", {
  /** `queued_jobs`, `customer_jobs`, `stored_bytes` or `memory`. */
  limitReason: Schema.String,
  limit: Schema.Number,
  current: Schema.Number,
  retryAfterSeconds: Schema.Number
}) {
  override get message() {
    const who = this.limitReason === "customer_jobs" ? "this customer's part of the dam" : "the dam"
    return `${who} is full (${this.limitReason}: ${this.current} of ${this.limit}); try again in ${this.retryAfterSeconds} s`
  }
}

/** The event loop of a simulated world: one queue of tasks and one heap of timers, in virtual time. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"

/** Whose tasks and timers they are: with it they end, without a word to anybody. */
export interface Owner {
  alive: boolean
}

interface Task {
  readonly run: () => void
  readonly owner: Owner | undefined
  gone: boolean
}

interface Timer extends Task {
  readonly at: number
  readonly number: number
}

export class Loop {
  /** Milliseconds since the world began. */
  now = 0
  /** Called after each task. */
  after: (() => void) | undefined
  #queue: Array<Task> = []
  #timers: Array<Timer> = []
  #numbers = 0

  /** Runs something once everything before it has run. Answers what takes it back. */
  task(run: () => void, owner?: Owner): () => void {
    const task = { run, owner, gone: false }
    this.#queue.push(task)
    return () => {
      task.gone = true
    }
  }

  /** Runs something at a moment, after what was asked for at the same one. Answers what takes it back. */
  at(moment: number, run: () => void, owner?: Owner): () => void {
    const timer = { at: Math.max(moment, this.now), number: this.#numbers++, run, owner, gone: false }
    rise(this.#timers, timer)
    return () => {
      timer.gone = true
    }
  }

  in(millis: number, run: () => void, owner?: Owner): () => void {
    return this.at(this.now + millis, run, owner)
  }

  /** Lets the world go on until a moment. */
  run(until: number): void {
    while (true) {
      this.#runTasks()
      const next = this.#timers[0]
      if (next === undefined || next.at > until) break
      removeFirst(this.#timers)
      if (isOver(next)) continue
      this.now = next.at
      next.run()
    }
    this.now = until
  }

  #runTasks(): void {
    // what tasks add is run too
    for (let at = 0; at < this.#queue.length; at++) {
      const task = this.#queue[at]
      if (task === undefined || isOver(task)) continue
      task.run()
      this.after?.()
    }
    this.#queue = []
  }
}

const isOver = ({ gone, owner }: Task): boolean => gone || owner?.alive === false

const isBefore = (left: Timer, right: Timer): boolean =>
  left.at < right.at || (left.at === right.at && left.number < right.number)

const rise = (heap: Array<Timer>, timer: Timer): void => {
  let place = heap.push(timer) - 1
  while (place > 0) {
    const parent = (place - 1) >> 1
    const above = heap[parent]
    if (above === undefined || isBefore(above, timer)) break
    heap[place] = above
    place = parent
  }
  heap[place] = timer
}

const removeFirst = (heap: Array<Timer>): void => {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let place = 0
  while (true) {
    let child = 2 * place + 1
    const right = heap[child + 1]
    let lesser = heap[child]
    if (lesser === undefined) break
    if (right !== undefined && isBefore(right, lesser)) {
      child++
      lesser = right
    }
    if (isBefore(last, lesser)) break
    heap[place] = lesser
    place = child
  }
  heap[place] = last
}

/** The clocks of one incarnation: its monotonic one begins with it, its wall clock may be set. */
export class WorldClock implements Clock.Clock {
  /** Milliseconds that somebody has set the wall clock forward. */
  offset = 0
  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())
  readonly #loop: Loop
  readonly #owner: Owner
  readonly #began: number

  constructor(loop: Loop, owner: Owner) {
    this.#loop = loop
    this.#owner = owner
    this.#began = loop.now
  }

  currentTimeMillisUnsafe(): number {
    return Math.floor(epoch + this.#loop.now + this.offset)
  }

  currentTimeNanosUnsafe(): bigint {
    return nanos(epoch + this.#loop.now + this.offset)
  }

  monotonicTimeNanosUnsafe(): bigint {
    return nanos(this.#loop.now - this.#began)
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.yieldNow
    if (!Number.isFinite(millis)) return Effect.never
    // as Node's timers: whole milliseconds, and one at least
    return Effect.callback((resume) =>
      Effect.sync(this.#loop.in(Math.max(1, Math.trunc(millis)), () => resume(Effect.void), this.#owner))
    )
  }
}

/** When simulated worlds begin, in epoch milliseconds. */
export const epoch = 1_800_000_000_000

const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1000)) * 1000n

/** Fibers of an incarnation are tasks of its world, in the order of Effect's own scheduler. */
export const schedulerOf = (loop: Loop, owner: Owner): Scheduler.Scheduler =>
  new Scheduler.MixedScheduler("async", (run) => loop.task(run, owner))

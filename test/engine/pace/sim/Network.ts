/** One client and one upstream in virtual time, with legs between them that take a while and differ. */
import type { Said } from "../../../../src/engine/pace/Said.ts"
import { seeded, type Chance } from "./Chance.ts"
import { speak, type Dialect } from "./Dialect.ts"
import type { Upstream } from "./Upstream.ts"

/** Who decides when the next call goes. */
export interface Client {
  /** `Infinity`: not before an answer. */
  readonly next: (now: number) => number
  readonly sent: (now: number, id: number) => void
  readonly answered: (now: number, id: number, said: Said) => void
}

/** What arrived at the upstream. */
export interface Trace {
  readonly at: Array<number>
  readonly isOk: Array<boolean>
  readonly cost: Array<number>
}

export interface Setting {
  readonly upstream: Upstream
  readonly client: Client
  readonly dialect: Dialect
  readonly seed: number
  readonly roundTrip: number
  /** Ends the run; asked before each event. */
  readonly stop: (now: number, accepted: number) => boolean
  /** Whether there is something to send after so many calls; always, where it is not given. `until`: when to ask again. */
  readonly hasWork?: (now: number, sent: number) => { readonly isWaiting: boolean; readonly until: number }
  /** What a call costs. Defaults to 1. */
  readonly cost?: ((chance: Chance) => number) | undefined
}

interface Event {
  readonly at: number
  readonly order: number
  readonly happen: () => void
}

const jitter = 20
const hiccup = 100
const mostEvents = 400_000

export const run = ({ client, cost, dialect, hasWork, roundTrip, seed, stop, upstream }: Setting): Trace => {
  const chance = seeded(seed * 31 + 7)
  const skew = chance() < 0.5 ? 2 : -2
  const events = queue()
  const trace: Trace = { at: [], isOk: [], cost: [] }
  let now = 0
  let id = 0
  let accepted = 0
  let wakesAt = Infinity
  const leg = () => roundTrip / 2 + chance() * jitter + (chance() < 0.01 ? hiccup : 0)

  const pump = () => {
    while (true) {
      const work = hasWork?.(now, id)
      const at = work?.isWaiting === false ? Math.max(work.until, now + 1) : client.next(now)
      if (at > now) {
        if (at < Infinity && (at < wakesAt || wakesAt <= now)) {
          wakesAt = at
          events.push(at, wake)
        }
        return
      }
      send(id++)
    }
  }
  const wake = () => {
    if (wakesAt <= now) wakesAt = Infinity
    pump()
  }
  const send = (call: number) => {
    client.sent(now, call)
    events.push(now + leg(), () => arrive(call))
  }
  const arrive = (call: number) => {
    const units = cost?.(chance) ?? 1
    const { isOk, takes } = upstream.arrive(now, chance, units)
    trace.at.push(now)
    trace.isOk.push(isOk)
    trace.cost.push(units)
    if (isOk) accepted++
    const words = speak(dialect, upstream, { at: now, isOk, skew, cost: units })
    events.push(now + takes, () => {
      if (isOk) upstream.end?.()
    })
    events.push(now + takes + leg(), () => {
      client.answered(now, call, words(now))
      pump()
    })
  }

  pump()
  while (events.count() < mostEvents) {
    const event = events.pop()
    if (event === undefined) break
    now = event.at
    if (stop(now, accepted)) break
    event.happen()
  }
  return trace
}

/** Events by their moment, and those of one moment in their order: a binary heap. */
const queue = () => {
  const heap: Array<Event> = []
  let count = 0
  const isBefore = (self: Event, that: Event) => self.at < that.at || (self.at === that.at && self.order < that.order)
  const at = (index: number): Event => heap[index] as Event
  return {
    count: () => count,
    push: (moment: number, happen: () => void) => {
      const event = { at: moment, order: count++, happen }
      let index = heap.length
      heap.push(event)
      while (index > 0) {
        const parent = (index - 1) >> 1
        if (isBefore(at(parent), event)) break
        heap[index] = at(parent)
        index = parent
      }
      heap[index] = event
    },
    pop: (): Event | undefined => {
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined || heap.length === 0) return first
      let index = 0
      while (true) {
        let child = 2 * index + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && isBefore(at(child + 1), at(child))) child++
        if (!isBefore(at(child), last)) break
        heap[index] = at(child)
        index = child
      }
      heap[index] = last
      return first
    }
  }
}

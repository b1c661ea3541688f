/**
 * What goes through each lane over a day and a week: counted in memory, stored once a minute, read back in spans.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { factor, type HistoryEntry, type HistoryPort, resolutions } from "../store/HistoryRecords.ts"
import { hostIn } from "../job/LaneName.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Percentiles } from "./Stats.ts"

/**
 * A span of a lane's history.
 *
 * @category models
 * @since 0.1.0
 */
export interface HistorySpan extends Omit<HistoryEntry, "lane" | "latency"> {
  /** Of calls that were answered, in milliseconds, each within a seventh. */
  readonly latency: Percentiles
}

/**
 * Takes notes of lanes, and reads them back.
 *
 * @category models
 * @since 0.1.0
 */
export interface History {
  readonly accepted: (lane: string) => void
  readonly ended: (lane: string, state: "succeeded" | "failed" | "cancelled") => void
  readonly called: (lane: string, call: HistoryCall) => void
  /** The last hours of a lane's host, or of all together where none is named: a day in spans of five minutes, more in hours. */
  readonly read: (lane: string | undefined, hours: number) => Effect.Effect<LaneHistory, StoreError>
}

/**
 * A call that was answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface HistoryCall {
  readonly latency: number
  readonly isRefused: boolean
  /** Milliseconds by which its answer made the lane wait longer. */
  readonly heldMillis: number
}

/**
 * What went through over some hours.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneHistory {
  readonly spanMillis: number
  readonly from: number
  /** Oldest first, without those in which nothing happened. */
  readonly spans: ReadonlyArray<HistorySpan>
}

/** How often what was counted is stored: so much is forgotten in a crash. */
const saveEvery = 60_000

/** Lanes that are counted apart before the next time they are stored. */
const mostLanes = 1000

interface Counts {
  accepted: number
  succeeded: number
  failed: number
  cancelled: number
  calls: number
  refused: number
  heldMillis: number
  readonly latency: Map<number, number>
}

type State = Map<string, Counts>

/**
 * Makes it; it stores what it counts in the scope until it closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (store: HistoryPort): Effect.fn.Return<History, never, Scope.Scope> {
  const state: State = new Map()
  const both = (lane: string, note: (counts: Counts) => void): void => {
    // the lanes of a host are counted together: there may be many, and none of them stays
    note(countsOf(state, hostIn(lane)))
    note(countsOf(state, ""))
  }
  const saving = save(state, store).pipe(
    Effect.catch((error) => Effect.logWarning(`the history of lanes cannot be stored: ${error.message}`))
  )
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(saveEvery), saving)))
  yield* Effect.addFinalizer(() => saving)
  return {
    accepted: (lane) => both(lane, (counts) => counts.accepted++),
    ended: (lane, ending) => both(lane, (counts) => counts[ending]++),
    called: (lane, call) => both(lane, (counts) => count(counts, call)),
    read: Effect.fnUntraced(function* (lane = "", hours) {
      // what was counted since is seen too
      yield* save(state, store)
      const now = yield* Clock.currentTimeMillis
      const { span } = hours * 3_600_000 <= resolutions[0].keeps ? resolutions[0] : resolutions[1]
      const from = now - hours * 3_600_000
      const entries = yield* store.history(hostIn(lane), span, from - (from % span))
      return {
        spanMillis: span,
        from,
        spans: entries.map(spanOf)
      }
    })
  }
})

const spanOf = (entry: HistoryEntry): HistorySpan => ({
  at: entry.at,
  accepted: entry.accepted,
  succeeded: entry.succeeded,
  failed: entry.failed,
  cancelled: entry.cancelled,
  calls: entry.calls,
  refused: entry.refused,
  heldMillis: entry.heldMillis,
  latency: percentilesOf(entry.latency)
})

const countsOf = (state: State, lane: string): Counts => {
  const name = state.has(lane) || state.size < mostLanes ? lane : "*"
  const known = state.get(name)
  if (known !== undefined) return known
  const made = nothing()
  state.set(name, made)
  return made
}

const nothing = (): Counts => ({
  accepted: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  calls: 0,
  refused: 0,
  heldMillis: 0,
  latency: new Map()
})

const count = (counts: Counts, { heldMillis, isRefused, latency }: HistoryCall): void => {
  const bin = latency <= 1 ? 0 : Math.ceil(Math.log(latency) / Math.log(factor))
  counts.calls++
  counts.heldMillis += heldMillis
  if (isRefused) counts.refused++
  counts.latency.set(bin, (counts.latency.get(bin) ?? 0) + 1)
}

const save = Effect.fnUntraced(function* (state: State, store: HistoryPort) {
  if (state.size === 0) return
  const at = yield* Clock.currentTimeMillis
  const entries = Array.from(state, ([lane, { latency, ...counts }]) => ({
    ...counts,
    lane,
    at,
    heldMillis: Math.round(counts.heldMillis),
    latency: Array.from(latency)
  }))
  state.clear()
  yield* store.noteHistory(entries)
})

const percentilesOf = (latency: HistoryEntry["latency"]): Percentiles => {
  const all = latency.reduce((sum, [, calls]) => sum + calls, 0)
  const at = (share: number): number | null => {
    let left = Math.ceil(all * share)
    for (const [bin, calls] of latency) {
      left -= calls
      if (left <= 0) return Math.round(factor ** (bin - 0.5))
    }
    return null
  }
  return { count: all, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

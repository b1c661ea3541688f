/**
 * What the dam tells by itself: how it stands, and how each lane did since the page was opened. Views are told when
 * there is news of their kind; nothing is asked for that was told already.
 */
import { useEffect, useState } from "preact/hooks"
import { Update } from "../dam/api/OverviewShapes.ts"
import { type Lane, Problem, understood } from "./Api.ts"
import * as Pulse from "./Pulse.ts"
import { now, setClock } from "./Format.ts"

/** How a lane stood at moments that lie `every` apart. */
export interface Past {
  /** Epoch seconds. */
  readonly at: Array<number>
  readonly waiting: Array<number>
  /** Calls per second since the moment before. */
  readonly rate: Array<number>
  calls: number
}

type Listener = (kind: string) => void

/** Lanes the dam tells of, the first by name; of more than these it has to be asked. */
export const lanesAtMost = 1000

const every = 2000
/** The dam counts in spans of this length. */
const spanMillis = 10_000
let lastSpan = 0
const remembered = 90
/** A rate is taken over so many moments. */
const smoothed = 5

const listeners = new Set<Listener>()
const lanes = new Map<string, Lane>()
const pasts = new Map<string, Past>()
let counters: Readonly<Record<string, number>> = {}
let isLive = false
let isKnown = false
let problem: string | undefined

/** As it stands now. */
export const live = {
  lanes: (): ReadonlyMap<string, Lane> => lanes,
  past: (lane: string): Past | undefined => pasts.get(lane),
  counters: () => counters,
  isLive: () => isLive,
  /** When the dam was heard last, where it says nothing any more; `undefined` while it does. */
  silentSince: Pulse.silentSince,
  /** What is wrong with what the dam tells; `undefined` while it is understood. */
  problem: () => problem,
  /** Whether the dam has told anything yet. */
  isKnown: () => isKnown
}

/** Calls per second over the last ten seconds; `undefined` while nobody knows yet. */
export const rateOf = (past: Past | undefined): number | undefined => {
  const last = past?.rate.slice(-smoothed) ?? []
  return last.length === 0 ? undefined : last.reduce((sum, rate) => sum + rate, 0) / last.length
}

/** Says that there is news of this kind. */
export const happened = (kind: string): void => {
  for (const listener of listeners) listener(kind)
}

/** Calls back for all news. */
export const onNews = (listener: Listener): (() => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

const takeIn = (update: typeof Update.Type, isWhole: boolean): void => {
  setClock(update.at)
  if (isWhole) {
    const known = new Set(update.lanes.map(({ lane }) => lane))
    for (const lane of lanes.keys()) if (!known.has(lane)) lanes.delete(lane)
  }
  for (const lane of update.lanes) lanes.set(lane.lane, lane)
  for (const lane of update.removed_lanes) lanes.delete(lane)
  const before = counters
  counters = update.counters
  isKnown = true
  happened("numbers")
  if (update.missed || isWhole || update.jobs.length > 0) happened("jobs")
  if (update.missed || isWhole || update.more_jobs > 0) happened("any job")
  for (const job of update.jobs) happened(job.job_id)
  const isTold = (name: string) => before[name] !== counters[name]
  if (["pending_deliveries", "dead_deliveries", "disabled_endpoints"].some(isTold)) happened("deliveries")
}

const hear = (text: string, isWhole: boolean): void => {
  Pulse.heard()
  const before = problem
  try {
    const update = understood(Update, text, 200)
    problem = undefined
    takeIn(update, isWhole)
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    problem = cause.message
  }
  if (problem !== before) happened("live")
}

const look = (): void => {
  if (document.hidden) return
  const at = Date.now() / 1000
  for (const lane of pasts.keys()) if (!lanes.has(lane)) pasts.delete(lane)
  for (const { calls, lane, parked, queued } of lanes.values()) {
    const past = pasts.get(lane) ?? { at: [], waiting: [], rate: [], calls }
    const last = past.at.at(-1)
    if (last !== undefined) {
      // a lane that nobody needed for a while begins to count anew
      const passed = calls >= past.calls ? calls - past.calls : calls
      past.rate.push(passed / Math.max(0.1, at - last))
    }
    past.calls = calls
    past.at.push(at)
    past.waiting.push(queued + parked)
    // the first moment has no rate
    for (const of of [past.at, past.waiting]) if (of.length > remembered) of.shift()
    if (past.rate.length >= remembered) past.rate.shift()
    pasts.set(lane, past)
  }
  happened("moment")
  const span = Math.floor(now() / spanMillis)
  if (span !== lastSpan) happened("span")
  lastSpan = span
}

/** Listens to the dam while the page is looked at. */
export const useFeed = (on: boolean): void =>
  useEffect(() => {
    if (!on) return undefined
    let source: EventSource | undefined
    const setLive = (now: boolean) => {
      isLive = now
      if (now) Pulse.heard()
      happened("live")
    }
    const stop = () => {
      source?.close()
      source = undefined
      setLive(false)
    }
    const start = () => {
      source = new EventSource("/api/v1/events")
      source.onopen = () => setLive(true)
      source.onerror = () => {
        setLive(false)
        void Pulse.feel()
        // turned away, and not only broken off: the key is no longer good, or too many look
        if (source?.readyState === EventSource.CLOSED) happened("refused")
      }
      source.addEventListener("snapshot", ({ data }) => hear(String(data), true))
      source.addEventListener("update", ({ data }) => hear(String(data), false))
    }
    const onVisibility = () => {
      if (document.hidden) stop()
      else if (source === undefined) start()
    }
    onVisibility()
    document.addEventListener("visibilitychange", onVisibility)
    const timer = setInterval(look, every)
    const unfelt = Pulse.watch(() => happened("live"))
    return () => {
      unfelt()
      stop()
      document.removeEventListener("visibilitychange", onVisibility)
      clearInterval(timer)
    }
  }, [on])

/** Shows the view again when there is news of these kinds. */
export const useNews = (...kinds: ReadonlyArray<string>): void => {
  const [, setRound] = useState(0)
  const key = kinds.join(" ")
  useEffect(
    () =>
      onNews((kind) => {
        if (kinds.includes(kind)) setRound((round) => round + 1)
      }),
    [key]
  )
}

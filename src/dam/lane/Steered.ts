/** Operators' settings of all lanes: kept in memory as the store has them, and what is shown of lanes. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { LanePort, StoredPace, LaneCounts, LaneLogEntry, StoredSteering } from "../store/LaneRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Pace } from "../../engine/pace/Gate.ts"
import type { Setting } from "../../engine/pace/Meter.ts"
import { nameOf } from "../../presets/LaneRule.ts"
import { hostIn, means } from "../job/LaneName.ts"
import { steeredOf, type Settings } from "./Settings.ts"
import type { Lane } from "./Lane.ts"
import type { LaneNames, RuleShown } from "./LaneNames.ts"
import { ownerIn } from "./Paces.ts"
import type { BreakerStatus, Found, Hold, LaneAction, Learnt, LaneStatus, Steering } from "./Steering.ts"

/** The lanes that are steered. */
export interface Steered {
  readonly settings: Settings
  /** Lanes in memory. */
  readonly names: () => Iterable<string>
  readonly find: (lane: string) => Lane | undefined
  /** Lanes whose upstream has taught something. */
  readonly taught: () => Iterable<string>
  readonly pacesOf: (lane: string) => ReadonlyArray<StoredPace>
  readonly forget: (lane: string) => void
  readonly settingOf: (lane: string) => Setting
  readonly isConfigured: (lane: string) => boolean
  /** Permits that are held in a lane. Defaults to none. */
  readonly permitsIn?: ((lane: string) => number) | undefined
  readonly ruleOf: (lane: string) => RuleShown
  readonly setRule: LaneNames["setRule"]
  /** The breaker of a lane at a monotonic moment, with moments like that. */
  readonly breakerOf: (lane: string, now: number) => BreakerStatus | undefined
  readonly setBreaker: (lane: string, to: "open" | "closed", why: string) => Effect.Effect<void>
  /** What all lanes of a lane's host together may not exceed; `undefined` where it has one, or nothing is set. */
  readonly ceilingOf: (lane: string) => Partial<Pace> | undefined
  /** Is told that what operators have said of a host is another than before; `lifts` ends what holds all of its lanes. */
  readonly steeredHost: (host: string, lifts: boolean) => void
}

/** Reads what is stored. */
export const load = (store: LanePort): Effect.Effect<Settings, StoreError> =>
  Effect.map(store.steering, (all) => new Map(all.map((one) => [one.lane, one])))

/** Makes what operators work with. */
export const make = (store: LanePort, steered: Steered): Steering => {
  const { settings } = steered
  // an action builds on what the one before has left
  const turn = Semaphore.makeUnsafe(1)

  const status = (lane: string, counts: LaneCounts | undefined, now: number, monotonic: number) =>
    statusOf(steered, lane, { counts, now, monotonic })

  const changeOne = Effect.fnUntraced(function* (lane: string, by: string, action: LaneAction) {
    const at = yield* Clock.currentTimeMillis
    const next = settled(settings.get(lane), lane, { by, at, action })
    const forgets = action._tag === "Reset"
    // an unlearnt pace must not come back by a write that is under way: it is forgotten before and after
    if (forgets) steered.forget(lane)
    yield* store.steer(entryOf(lane, by, at, action), next, forgets)
    if (next === undefined) settings.delete(lane)
    else settings.set(lane, next)
    if (forgets) steered.forget(lane)
  })

  const change = Effect.fnUntraced(function* (lane: string, by: string, action: LaneAction) {
    if (action._tag === "Rule") yield* steered.setRule(lane, action.choice)
    yield* changeOne(lane, by, action)
    if (action._tag === "Breaker" && action.to !== "isolated") {
      yield* steered.setBreaker(lane, action.to, action.note ?? `by ${by}`)
    }
    // what was said of one lane of a host is taken back with what was said of the host
    const takesBack = action._tag === "Reset" || action._tag === "Resume"
    const known = takesBack ? [...settings.keys(), ...steered.taught()] : []
    for (const other of new Set(known)) if (isLaneOf(lane, other)) yield* changeOne(other, by, action)
    const now = yield* monotonicMillis
    steered.steeredHost(lane, action._tag === "Reset")
    for (const name of steered.names()) {
      if (!means(lane, name)) continue
      const inMemory = steered.find(name)
      inMemory?.repace(action._tag === "Reset", now)
      inMemory?.pause(steeredOf(settings, name).paused !== undefined, now)
    }
  })

  const get = Effect.fnUntraced(function* (lane: string) {
    const counts = new Map(yield* store.laneCounts)
    const now = yield* Clock.currentTimeMillis
    const monotonic = yield* monotonicMillis
    const own = status(lane, counts.get(lane), now, monotonic)
    const names = new Set([...counts.keys(), ...steered.names()])
    const others = Array.from(names).filter((name) => isLaneOf(lane, name))
    return others.length === 0
      ? own
      : together(
          own,
          others.map((name) => status(name, counts.get(name), now, monotonic))
        )
  })

  return {
    list: Effect.fnUntraced(function* ({ after = "", limit, prefix = "" }) {
      const counts = new Map(yield* store.laneCounts)
      const names = new Set([...counts.keys(), ...steered.names(), ...settings.keys(), ...steered.taught()])
      const wanted = Array.from(names)
        .filter((lane) => lane > after && lane.startsWith(prefix))
        .toSorted()
      const page = wanted.slice(0, limit)
      const now = yield* Clock.currentTimeMillis
      const monotonic = yield* monotonicMillis
      return {
        lanes: page.map((lane) => status(lane, counts.get(lane), now, monotonic)),
        next: wanted.length > limit ? page.at(-1) : undefined
      }
    }),
    get,
    // whoever asked may lose patience, but memory and store do not part
    change: (lane, by, action) =>
      Effect.andThen(Effect.uninterruptible(turn.withPermits(1)(change(lane, by, action))), get(lane)),
    log: store.laneLog
  }
}

/** A host's own lane with what stands in its others. */
const together = (own: LaneStatus, others: ReadonlyArray<LaneStatus>): LaneStatus => {
  const sum = (count: (lane: LaneStatus) => number) => others.reduce((total, lane) => total + count(lane), count(own))
  return {
    ...own,
    lanes: others.length + 1,
    scheduled: sum(({ scheduled }) => scheduled),
    queued: sum(({ queued }) => queued),
    parked: sum(({ parked }) => parked),
    running: sum(({ running }) => running),
    accounts: sum(({ accounts }) => accounts),
    waiting: sum(({ waiting }) => waiting),
    calls: sum(({ calls }) => calls)
  }
}

/** Whether a lane is one of a host's beside its own. */
const isLaneOf = (host: string, lane: string): boolean => host !== lane && hostIn(lane) === host

interface Sight {
  readonly counts: LaneCounts | undefined
  /** Epoch milliseconds, and the same moment by the monotonic clock. */
  readonly now: number
  readonly monotonic: number
}

const statusOf = (steered: Steered, lane: string, { counts, monotonic, now }: Sight): LaneStatus => {
  const inMemory = steered.find(lane)
  const view = inMemory?.view(monotonic)
  const paces = steered.pacesOf(lane)
  const holds = holdsOf(paces, now)
  const { paused } = steeredOf(steered.settings, lane)
  const { finds, pace } = steered.settingOf(lane)
  const hold = holds.find(({ account }) => account === undefined)?.until
  const opensIn = view?.opensIn ?? Math.max(0, (hold ?? 0) - now)
  return {
    lane,
    rule: steered.ruleOf(lane),
    ceiling: steered.ceilingOf(lane),
    lanes: undefined,
    ...(counts ?? none),
    ...pace,
    finds,
    found:
      view === undefined ? keptIn(paces, pace) : { ...view.pace, isAsking: view.isAsking, quotas: view.quotas(now) },
    source: sourceOf(steered, lane),
    learnt: learntOf(paces),
    holds,
    paused,
    breaker: breakerOf(steered, lane, { now, monotonic }),
    nextAt: paused !== undefined || opensIn === Number.POSITIVE_INFINITY ? undefined : Math.ceil(now + opensIn),
    accounts: inMemory?.accounts() ?? 0,
    waiting: view?.waiting ?? 0,
    calls: view?.calls ?? 0,
    permits: steered.permitsIn?.(lane) ?? 0
  }
}

const breakerOf = (steered: Steered, lane: string, { monotonic, now }: Omit<Sight, "counts">) => {
  const found = steered.breakerOf(lane, monotonic)
  const wall = (at: number) => Math.round(now + at - monotonic)
  return (
    found && { ...found, since: wall(found.since), until: found.until === undefined ? undefined : wall(found.until) }
  )
}

/** What a lane at rest has found, and will go on from. */
const keptIn = (paces: ReadonlyArray<StoredPace>, pace: Pace): Found | undefined => {
  const { kept } = paces.find(({ account }) => account === "") ?? {}
  return kept === undefined
    ? undefined
    : {
        rps: Math.min(kept.rate, pace.rps),
        maxConcurrent: Math.max(1, Math.min(Math.floor(kept.cap), kept.top, pace.maxConcurrent)),
        isAsking: false,
        quotas: []
      }
}

/** The holds that are not over yet, as the paces of a lane know them. */
export const holdsOf = (paces: ReadonlyArray<StoredPace>, now: number): ReadonlyArray<Hold> =>
  paces.flatMap(({ account, heldBy, heldUntil }) =>
    heldUntil === undefined || heldUntil <= now
      ? []
      : [
          {
            until: heldUntil,
            reason: heldBy?.reason ?? "retry_after",
            status: heldBy?.status,
            jobId: heldBy?.jobId,
            account: account === "" || ownerIn(account) !== undefined ? undefined : account,
            ...(ownerIn(account) === undefined ? {} : { isWider: true })
          }
        ]
  )

/** What the host itself has taught: where each account has a pace of its own, there is no other. */
const learntOf = (paces: ReadonlyArray<StoredPace>): Learnt | undefined => {
  const { maxConcurrent, rps, taughtAt: at } = paces.find(({ account }) => account === "") ?? {}
  return rps === undefined && maxConcurrent === undefined ? undefined : { rps, maxConcurrent, at }
}

const sourceOf = ({ isConfigured, pacesOf, settings }: Steered, lane: string): LaneStatus["source"] => {
  const { find, maxConcurrent, rps } = steeredOf(settings, lane)
  if (rps !== undefined || maxConcurrent !== undefined || find !== undefined) return "operator"
  if (pacesOf(lane).some((pace) => pace.rps !== undefined || pace.maxConcurrent !== undefined)) return "learnt"
  return isConfigured(lane) ? "configured" : "default"
}

/** What holds after an action; `undefined` when nothing does. */
const settled = (
  before: StoredSteering | undefined,
  lane: string,
  { action, at, by }: { readonly by: string; readonly at: number; readonly action: LaneAction }
): StoredSteering | undefined => {
  const now = before ?? { lane, rps: undefined, maxConcurrent: undefined, find: undefined, paused: undefined }
  switch (action._tag) {
    case "Pause":
      return { ...now, paused: { by, at, note: action.note } }
    case "Resume":
      return orNothing({ ...now, paused: undefined })
    case "Pace":
      return {
        ...now,
        rps: action.rps ?? now.rps,
        maxConcurrent: action.maxConcurrent ?? now.maxConcurrent,
        find: action.find ?? now.find
      }
    case "Breaker":
      if (action.to === "open") return orNothing(now)
      return orNothing({
        ...now,
        paused: action.to === "closed" ? undefined : { by, at, note: action.note ?? "isolated" }
      })
    case "Rule":
      return orNothing(now)
    case "Reset":
      return orNothing({ ...now, rps: undefined, maxConcurrent: undefined, find: undefined })
  }
}

const orNothing = (self: StoredSteering): StoredSteering | undefined =>
  (self.paused ?? self.rps ?? self.maxConcurrent ?? self.find) === undefined ? undefined : self

const entryOf = (lane: string, by: string, at: number, action: LaneAction): LaneLogEntry => {
  const entry = { lane, by, at }
  switch (action._tag) {
    case "Pause":
      return { ...entry, action: "pause", detail: action.note ?? "" }
    case "Resume":
      return { ...entry, action: "resume", detail: "" }
    case "Pace": {
      const { find, maxConcurrent, rps } = action
      const said = [
        ...(find === undefined ? [] : [find ? "found out" : "as it is set"]),
        ...(rps === undefined ? [] : [`${rps} per second`]),
        ...(maxConcurrent === undefined ? [] : [`${maxConcurrent} at once`])
      ]
      return { ...entry, action: "pace", detail: said.join(", ") }
    }
    case "Reset":
      return { ...entry, action: "reset", detail: "" }
    case "Breaker": {
      const { note, to } = action
      return { ...entry, action: "breaker", detail: note === undefined ? to : `${to}: ${note}` }
    }
    case "Rule":
      return { ...entry, action: "rule", detail: ruleText(action.choice) }
  }
}

const ruleText = (choice: Extract<LaneAction, { readonly _tag: "Rule" }>["choice"]): string =>
  choice === undefined ? "as it is known" : choice === "host" ? choice : nameOf({ lane: choice })

const none: LaneCounts = { scheduled: 0, queued: 0, parked: 0, running: 0 }

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

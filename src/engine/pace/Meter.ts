/**
 * What decides when one upstream, or one account's queue of it, may be called next: a gate that keeps to the pace which
 * somebody has set or told, and a finder that goes below it where answers say so.
 *
 * All moments are monotonic milliseconds.
 *
 * @since 0.1.0
 */
import * as Finder from "./Finder.ts"
import * as Kept from "./Kept.ts"
import * as Levels from "./Levels.ts"
import type { Said } from "./Said.ts"
import * as Gate from "./Gate.ts"

/**
 * A gate and a finder.
 *
 * @category models
 * @since 0.1.0
 */
export interface Meter {
  readonly gate: Gate.Gate
  readonly finder: Finder.Finder
}

/**
 * How fast an upstream may be called at most, and whether that is its pace or has to be found first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting {
  readonly pace: Gate.Pace
  /** Whether the pace is a ceiling under which the upstream's own is searched for, from a slow start. */
  readonly finds: boolean
  /** Whether what is left of a told quota is spent at once, and not spread over its window. */
  readonly bursts: boolean
}

const optionsOf = ({ bursts, finds, pace }: Setting): Finder.FinderOptions => ({
  ceiling: pace,
  isKnown: !finds,
  isSpread: !bursts
})

/**
 * Makes a meter that is open now, and goes on from what was found before.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (setting: Setting, burst?: number, kept?: Kept.Kept): Meter => {
  const finder = Finder.make(optionsOf(setting))
  return {
    gate: Gate.make(setting.pace, burst),
    finder: kept === undefined ? finder : Kept.recall(finder, kept)
  }
}

/**
 * Makes meters that share what they have in common: where most upstreams are set alike, a meter that nobody has used
 * takes no memory of its own. A meter is never changed, so nobody can tell.
 *
 * @category constructors
 * @since 0.1.0
 */
export const maker = (burst?: number): ((setting: Setting, kept?: Kept.Kept) => Meter) => {
  let last: { readonly setting: Setting; readonly meter: Meter } | undefined
  return (setting, kept) => {
    if (kept !== undefined) return make(setting, burst, kept)
    if (last === undefined || !isAlike(last.setting, setting)) last = { setting, meter: make(setting, burst) }
    return last.meter
  }
}

const isAlike = (one: Setting, other: Setting): boolean =>
  one.finds === other.finds &&
  one.bursts === other.bursts &&
  one.pace.rps === other.pace.rps &&
  one.pace.maxConcurrent === other.pace.maxConcurrent

/**
 * The moment from which a call may pass; `Infinity` while an answer has to come first.
 *
 * @category accessors
 * @since 0.1.0
 */
export const opensAt = ({ finder, gate }: Meter, now: number): number =>
  Math.max(Gate.opensAt(gate), Finder.opensAt(finder, now))

/**
 * Lets one call pass. `beside` are calls whose answers were heard and have not ended yet.
 *
 * @category verbs
 * @since 0.1.0
 */
export const pass = ({ finder, gate }: Meter, id: number, now: number, beside = 0): Meter => ({
  gate: Gate.pass(gate, now),
  finder: Finder.pass(finder, id, now, beside)
})

/**
 * Notes a call that another meter has let pass.
 *
 * @category verbs
 * @since 0.1.0
 */
export const note = ({ finder, gate }: Meter, now: number): Meter => ({ gate: Gate.note(gate, now), finder })

/**
 * Notes that a call which has passed is sent.
 *
 * @category verbs
 * @since 0.1.0
 */
export const send = ({ finder, gate }: Meter, id: number, now: number): Meter => ({
  gate: Gate.send(gate, now),
  finder: Finder.depart(finder, id, now)
})

/**
 * The moment before which a call that has passed is not sent; `Infinity` while another one asks whether the upstream
 * takes calls again.
 *
 * @category accessors
 * @since 0.1.0
 */
export const sendsAt = ({ finder, gate }: Meter, id: number): number =>
  Finder.mayDepart(finder, id) ? gate.sendDueAt : Number.POSITIVE_INFINITY

/** How a call has ended: whether its turn is used up, and when. */
interface Leaving {
  readonly isTurnKept: boolean
  readonly now: number
}

/**
 * Whether a refusal is not over yet, and one call at a time asks.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isAsking = ({ finder }: Meter): boolean => finder.search.episode !== undefined

/**
 * Notes that a call has ended. One that was never sent leaves its turn to the next one, at the gate that let it pass.
 *
 * @category verbs
 * @since 0.1.0
 */
export const leave = (self: Meter, id: number, { isTurnKept, now }: Leaving): Meter => ({
  gate: Gate.leave(isTurnKept ? self.gate : Gate.back(self.gate)),
  finder: Finder.lost(self.finder, id, now)
})

/**
 * Takes in an answer to a call that was sent at `sentAt`.
 *
 * @category verbs
 * @since 0.1.0
 */
export const hear = (self: Meter, said: Said, at: { readonly sentAt: number; readonly now: number }): Meter => ({
  ...self,
  finder: Finder.answered(self.finder, at.sentAt, said, at.now)
})

/**
 * Nothing may pass before a moment; an earlier hold never shortens a later one.
 *
 * @category verbs
 * @since 0.1.0
 */
export const hold = (self: Meter, until: number): Meter => ({ ...self, gate: Gate.hold(self.gate, until) })

/**
 * The moment before which nothing passes, whatever the pace.
 *
 * @category accessors
 * @since 0.1.0
 */
export const heldUntil = ({ finder, gate }: Meter): number => Math.max(gate.heldUntil, finder.heldUntil)

/**
 * The moment before which nothing passes by what was heard: a refusal, or a quota that is used up.
 *
 * @category accessors
 * @since 0.1.0
 */
export const holdsUntil = ({ finder }: Meter, now: number): number =>
  finder.search.episode === undefined
    ? Math.max(finder.heldUntil, Finder.usedUpUntil(finder, now) ?? Number.NEGATIVE_INFINITY)
    : finder.heldUntil

/**
 * Takes over a pace that the upstream tells: it is no longer searched for.
 *
 * @category verbs
 * @since 0.1.0
 */
export const learn = (
  self: Meter,
  told: { readonly rps: number | undefined; readonly maxConcurrent: number | undefined }
): Meter => {
  const { finder, gate } = self
  const pace: Gate.Pace = {
    rps: told.rps ?? gate.pace.rps,
    maxConcurrent: told.maxConcurrent ?? gate.pace.maxConcurrent
  }
  // how many at once says nothing of how often
  const finds = told.rps === undefined && !finder.isKnown
  return repace(self, { pace, finds, bursts: !finder.isSpread })
}

/**
 * Takes over a pace or a ceiling that was set.
 *
 * @category verbs
 * @since 0.1.0
 */
export const repace = (self: Meter, setting: Setting): Meter => ({
  gate: Gate.learn(self.gate, setting.pace),
  finder:
    setting.finds === self.finder.isKnown
      ? Finder.forget(self.finder, optionsOf(setting))
      : Finder.limit(self.finder, setting.pace)
})

/**
 * Ends the hold that was set, and leaves what was heard.
 *
 * @category verbs
 * @since 0.1.0
 */
export const release = ({ finder, gate }: Meter): Meter => ({
  gate: { ...gate, heldUntil: Number.NEGATIVE_INFINITY },
  finder
})

/**
 * Forgets every hold and all that was found.
 *
 * @category verbs
 * @since 0.1.0
 */
export const lift = (self: Meter, setting: Setting): Meter => ({
  gate: { ...Gate.learn(self.gate, setting.pace), heldUntil: Number.NEGATIVE_INFINITY },
  finder: Finder.forget(self.finder, optionsOf(setting))
})

/**
 * The pace that holds now, with what was found and told below the ceiling.
 *
 * @category accessors
 * @since 0.1.0
 */
export const paceOf = ({ finder, gate }: Meter, now: number): Gate.Pace => ({
  rps: Math.min(gate.pace.rps, Finder.rateOf(finder, now)),
  maxConcurrent: Math.min(gate.pace.maxConcurrent, Levels.capOf(finder.levels))
})

/**
 * A gate of that pace alone, which a forecast can turn forward.
 *
 * @category conversions
 * @since 0.1.0
 */
export const plain = (self: Meter, now: number): Gate.Gate => {
  const { finder, gate } = self
  const opens = Finder.opensAt(finder, now)
  const held = Math.max(gate.heldUntil, holdsUntil(self, now))
  return {
    ...gate,
    pace: paceOf(self, now),
    // what a hold explains is no matter of the pace
    dueAt: Number.isFinite(opens) && opens > held ? Math.max(gate.dueAt, opens) : gate.dueAt,
    heldUntil: held
  }
}

/**
 * Whether a meter made anew with the same setting would let through no more than this one.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isQuiet = ({ finder, gate }: Meter, now: number): boolean =>
  Gate.isQuiet(gate, now) && finder.open.length === 0 && Finder.opensAt(finder, now) <= now

/**
 * What holds for all lanes of a host together: a ceiling that somebody has set, and holds that are wider than a lane.
 *
 * Calls count here as they count at the gates of their lanes, from the first one on, so that a ceiling which is set later
 * knows of those that are open. It closes only where the host has several lanes: one alone keeps to the same pace by
 * itself. Lanes that find it closed stand in a line and take turns, one call a turn.
 */
import * as Gate from "../../engine/pace/Gate.ts"

/** The gate of a host. */
export interface HostGate {
  /** The share of a lane, which is told when it is its turn. */
  readonly join: (key: string, told: () => void) => Share
  /** Sets the ceiling. */
  readonly repace: (ceiling: Partial<Gate.Pace>) => void
  /** Holds the lanes of an owner until a moment, or all where none is named. */
  readonly hold: (owner: string, until: number) => void
  /** Ends every hold. */
  readonly lift: () => void
  /** Whether one made anew would let through no more. */
  readonly isQuiet: (now: number) => boolean
}

/** A lane's share of it. Moments are monotonic milliseconds. */
export interface Share {
  /** When a call of the lane may pass; `Infinity` while as many as may be are open, or others come first. */
  readonly opensAt: () => number
  /** The moment before which nothing of the lane passes, whatever the pace. */
  readonly heldUntil: () => number
  /** Says that the lane waits for it. */
  readonly ask: () => void
  /** Says that the lane waits for nothing here: whoever stands behind it comes first. */
  readonly yield: () => void
  readonly pass: (now: number) => void
  /** When a call that has passed may be sent. */
  readonly sendsAt: (now: number) => number
  readonly send: (now: number) => void
  /** Notes that a call has ended. One that was never sent leaves its turn to the next one. */
  readonly leave: (isTurnKept: boolean) => void
  /** The lane is gone. */
  readonly part: () => void
  /** The gate, where it counts. */
  readonly gate: () => Gate.Gate | undefined
}

/** As good as no pace at all. */
const free: Gate.Pace = { rps: 1e9, maxConcurrent: Number.MAX_SAFE_INTEGER }

interface State {
  gate: Gate.Gate
  /** Whether somebody has set a ceiling. */
  isSet: boolean
  /** Of owners, and of all under the empty name. */
  readonly holds: Map<string, number>
  readonly lanes: Set<Member>
  /** Those that wait, in the order of their turns. */
  readonly line: Set<Member>
}

interface Member {
  readonly owner: string
  readonly told: () => void
}

/** Makes the gate of a host; `ownerOf` says whose a lane is, by its key. */
export const make = (
  ceiling: Partial<Gate.Pace>,
  { burst, ownerOf }: { readonly burst: number; readonly ownerOf: (key: string) => string }
): HostGate => {
  const self: State = {
    gate: Gate.make({ ...free, ...ceiling }, burst),
    isSet: isSet(ceiling),
    holds: new Map(),
    lanes: new Set(),
    line: new Set()
  }
  return {
    join: (key, told) => shareOf(self, { owner: ownerOf(key), told }),
    repace: (next) => {
      self.isSet = isSet(next)
      self.gate = Gate.learn(self.gate, { ...free, ...next })
      for (const { told } of self.lanes) told()
    },
    hold: (owner, until) => {
      self.holds.set(owner, Math.max(until, self.holds.get(owner) ?? until))
      for (const { told } of self.lanes) told()
    },
    lift: () => self.holds.clear(),
    isQuiet: (now) =>
      self.lanes.size === 0 && Gate.isQuiet(self.gate, now) && [...self.holds.values()].every((until) => until <= now)
  }
}

const isSet = ({ maxConcurrent, rps }: Partial<Gate.Pace>): boolean => (rps ?? maxConcurrent) !== undefined

const shareOf = (self: State, member: Member): Share => {
  self.lanes.add(member)
  return {
    opensAt: () => {
      if (!counts(self)) return Number.NEGATIVE_INFINITY
      return (first(self) ?? member) === member ? Gate.opensAt(self.gate) : Number.POSITIVE_INFINITY
    },
    heldUntil: () =>
      self.holds.size === 0
        ? Number.NEGATIVE_INFINITY
        : Math.max(self.holds.get("") ?? never, self.holds.get(member.owner) ?? never),
    ask: () => void self.line.add(member),
    yield: () => leaveLine(self, member),
    pass: (now) => {
      self.gate = Gate.pass(self.gate, now)
      leaveLine(self, member)
    },
    sendsAt: (now) => {
      if (!counts(self)) return never
      const { pace, sendDueAt } = self.gate
      // timers know whole milliseconds
      return 1000 / pace.rps < 1 && sendDueAt - now < 1 ? now : sendDueAt
    },
    send: (now) => void (self.gate = Gate.send(self.gate, now)),
    leave: (isTurnKept) => {
      self.gate = Gate.leave(isTurnKept ? self.gate : Gate.back(self.gate))
      first(self)?.told()
    },
    part: () => {
      self.lanes.delete(member)
      leaveLine(self, member)
    },
    gate: () => (counts(self) ? self.gate : undefined)
  }
}

const never = Number.NEGATIVE_INFINITY

const counts = ({ isSet: isCeiling, lanes }: State): boolean => isCeiling && lanes.size > 1

const first = ({ line }: State): Member | undefined => line.values().next().value

const leaveLine = (self: State, member: Member): void => {
  if (self.line.delete(member)) first(self)?.told()
}

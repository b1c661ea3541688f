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

/** The share of a lane that has its host for itself, and nothing that holds for it. */
export const alone: Share = {
  opensAt: () => never,
  heldUntil: () => never,
  ask: () => {},
  yield: () => {},
  pass: () => {},
  sendsAt: () => never,
  send: () => {},
  leave: () => {},
  part: () => {},
  gate: () => undefined
}

interface Member {
  readonly owner: string
  readonly told: () => void
}

/** Makes the gate of a host; `ownerOf` says whose a lane is, by its key. */
export const make = (ceiling: Partial<Gate.Pace>, options: HostGateOptions): HostGate => new GateOf(ceiling, options)

interface HostGateOptions {
  readonly burst: number
  readonly ownerOf: (key: string) => string
}

// classes: there may be ten thousand hosts, and each would have functions of its own
class GateOf implements HostGate {
  counted: Gate.Gate
  private readonly ownerOf: HostGateOptions["ownerOf"]
  /** Whether somebody has set a ceiling. */
  private isSet: boolean
  /** Of owners, and of all under the empty name; none while there are none. */
  private holds: Map<string, number> | undefined = undefined
  private lanes: Array<Member> = []
  /** Those that wait, in the order of their turns. */
  private line: Set<Member> | undefined = undefined

  constructor(ceiling: Partial<Gate.Pace>, { burst, ownerOf }: HostGateOptions) {
    this.isSet = isSet(ceiling)
    this.counted = Gate.make(this.isSet ? { ...free, ...ceiling } : free, burst)
    this.ownerOf = ownerOf
  }

  join(key: string, told: () => void): Share {
    const member = { owner: this.ownerOf(key), told }
    // an array that grows by itself grows to seventeen, and most hosts have one lane
    if (this.lanes.length === 0) this.lanes = [member]
    else this.lanes.push(member)
    return new ShareOf(this, member)
  }

  part(member: Member): void {
    const place = this.lanes.indexOf(member)
    if (place >= 0) this.lanes.splice(place, 1)
    this.leaveLine(member)
  }

  repace(next: Partial<Gate.Pace>): void {
    this.isSet = isSet(next)
    this.counted = Gate.learn(this.counted, { ...free, ...next })
    this.tellAll()
  }

  hold(owner: string, until: number): void {
    this.holds ??= new Map()
    this.holds.set(owner, Math.max(until, this.holds.get(owner) ?? until))
    this.tellAll()
  }

  lift(): void {
    this.holds = undefined
  }

  isQuiet(now: number): boolean {
    const isHeld = this.holds !== undefined && [...this.holds.values()].some((until) => until > now)
    return this.lanes.length === 0 && Gate.isQuiet(this.counted, now) && !isHeld
  }

  heldUntil(owner: string): number {
    return this.holds === undefined ? never : Math.max(this.holds.get("") ?? never, this.holds.get(owner) ?? never)
  }

  counts(): boolean {
    return this.isSet && this.lanes.length > 1
  }

  first(): Member | undefined {
    return this.line?.values().next().value
  }

  ask(member: Member): void {
    this.line = (this.line ?? new Set()).add(member)
  }

  leaveLine(member: Member): void {
    if (this.line?.delete(member) === true) this.first()?.told()
  }

  private tellAll(): void {
    for (const { told } of this.lanes.slice()) told()
  }
}

class ShareOf implements Share {
  private readonly host: GateOf
  private readonly member: Member

  constructor(host: GateOf, member: Member) {
    this.host = host
    this.member = member
  }

  opensAt(): number {
    const { host, member } = this
    if (!host.counts()) return never
    return (host.first() ?? member) === member ? Gate.opensAt(host.counted) : Number.POSITIVE_INFINITY
  }

  heldUntil(): number {
    return this.host.heldUntil(this.member.owner)
  }

  ask(): void {
    this.host.ask(this.member)
  }

  yield(): void {
    this.host.leaveLine(this.member)
  }

  pass(now: number): void {
    this.host.counted = Gate.pass(this.host.counted, now)
    this.host.leaveLine(this.member)
  }

  sendsAt(now: number): number {
    if (!this.host.counts()) return never
    const { pace, sendDueAt } = this.host.counted
    // timers know whole milliseconds
    return 1000 / pace.rps < 1 && sendDueAt - now < 1 ? now : sendDueAt
  }

  send(now: number): void {
    this.host.counted = Gate.send(this.host.counted, now)
  }

  leave(isTurnKept: boolean): void {
    this.host.counted = Gate.leave(isTurnKept ? this.host.counted : Gate.back(this.host.counted))
    this.host.first()?.told()
  }

  part(): void {
    this.host.part(this.member)
  }

  gate(): Gate.Gate | undefined {
    return this.host.counts() ? this.host.counted : undefined
  }
}

const isSet = ({ maxConcurrent, rps }: Partial<Gate.Pace>): boolean => (rps ?? maxConcurrent) !== undefined

/** As good as no pace at all. */
const free: Gate.Pace = { rps: 1e9, maxConcurrent: Number.MAX_SAFE_INTEGER }

const never = Number.NEGATIVE_INFINITY

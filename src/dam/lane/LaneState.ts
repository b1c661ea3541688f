/**
 * What one lane remembers. Everything in it is taken and changed by the lane's own functions, without a wait between
 * looking and changing.
 */
import type * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import type { Ticket } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Accounts from "./Accounts.ts"
import type { Account } from "./Accounts.ts"
import type { Kept } from "../../engine/pace/Kept.ts"
import * as LaneCalls from "./Calls.ts"
import type * as Gate from "../../engine/pace/Gate.ts"
import * as Meter from "../../engine/pace/Meter.ts"
import * as HostGate from "./HostGate.ts"
import type { LimitBook } from "./LimitBook.ts"
import * as LimitBooks from "./LimitBook.ts"
import type { Permit, Room } from "./Permit.ts"
import { Signal, type Fork } from "./Signal.ts"

/**
 * What a lane needs from its surroundings.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneOptions {
  /** Runs what the lane does beside, as long as it is needed. */
  readonly fork: Fork
  readonly burst: number
  /** Makes meters, for several lanes at once. Defaults to meters of its own. */
  readonly meters?: ReturnType<typeof Meter.maker> | undefined
  /** How the host is paced, or one account of it where each has a pace of its own. */
  readonly settingOf: (account: string | undefined) => Meter.Setting
  /** What was found of that before. Defaults to nothing. */
  readonly keptOf?: ((account: string | undefined) => Kept | undefined) | undefined
  /** Whether the upstream has enabled account queues. Defaults to `false`. */
  readonly accountQueues?: boolean | undefined
  /** How many calls the turns of customers are for. Defaults to one each. */
  readonly weights?: Accounts.Weights | undefined
  /** The queues that have queued jobs: accounts, and what `queueOf` makes of them. */
  readonly queues: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** The first queued jobs of a queue. */
  readonly page: (queue: string, limit: number) => Effect.Effect<ReadonlyArray<Ticket>, StoreError>
  /** Starts a job with its first permit. Answers once the job is no longer queued. */
  readonly start: (ticket: Ticket, permit: Permit, giveBack: Room["giveBack"]) => Effect.Effect<void, StoreError>
  /** The limits of the dam. Defaults to none: whoever draws on one waits for it to be defined. */
  readonly limits?: LimitBook | undefined
  /** Its share of the places for running jobs; `told` says that it may be its turn. */
  readonly room: (told: () => void) => Room
  /** Its share of what holds for all lanes of its host; `told` says that it may be its turn. Defaults to nothing that holds. */
  readonly host?: ((told: () => void) => HostGate.Share) | undefined
}

/** A call that waits for a pause or a hold to end. */
export interface Held {
  readonly account: string
  readonly woken: Latch.Latch
}

/** The state of a lane. */
export interface LaneState {
  readonly options: LaneOptions
  /** Its share of the places for running jobs. */
  readonly room: Room
  readonly host: HostGate.Share
  readonly limits: LimitBook
  /** Jobs that are on their way out of the queue: the store may still name them. */
  starting: Set<string> | undefined
  /** Opens when it has to be looked whose turn it is. */
  readonly signal: Signal
  readonly calls: LaneCalls.LaneCalls
  readonly accounts: Accounts.Accounts
  /** Calls that wait to be sent, in their order, where the host's gate counts. */
  readonly line: Array<Latch.Latch>
  /** Calls that were let through and wait for a pause or a hold to end before they are sent. */
  apart: Set<Held> | undefined
  /** The host's. */
  meter: Meter.Meter
  /** Whether each account has a pace of its own. */
  accountQueues: boolean
  paused: boolean
  /** Whether any queue may have got jobs. */
  anyQueue: boolean
  /** When a store that has failed is asked again. */
  askAgainAt: number
  /** Whether somebody here asked for room in vain since it was last looked. */
  starved: boolean
  /** Whether somebody here waited for the host's gate when it was last looked. */
  asksHost: boolean
  /** Headers that spoke of pace and made no sense. */
  ignored: number
}

/** Makes the state of a lane that nobody has used; `look` lets everybody through who may go, and says when to look again. */
export const make = (options: LaneOptions, look: (self: LaneState) => Effect.Effect<number>): LaneState => {
  const told = () => self.signal.openUnsafe()
  const self: LaneState = {
    options,
    room: options.room(told),
    host: options.host?.(told) ?? HostGate.alone,
    limits: options.limits ?? LimitBooks.make(),
    starting: undefined,
    signal: new Signal(options.fork, () => look(self)),
    calls: LaneCalls.make(),
    accounts: Accounts.make((name) => {
      const meter = meterOf(options, name)
      return { ...meter, gate: { ...meter.gate, open: self.calls.since(name).length } }
    }, options.weights),
    line: [],
    apart: undefined,
    meter: meterOf(options, undefined),
    accountQueues: options.accountQueues ?? false,
    paused: false,
    anyQueue: true,
    askAgainAt: Number.POSITIVE_INFINITY,
    starved: false,
    asksHost: false,
    ignored: 0
  }
  return self
}

const meterOf = (options: LaneOptions, account: string | undefined): Meter.Meter => {
  const setting = options.settingOf(account)
  const kept = options.keptOf?.(account)
  return options.meters?.(setting, kept) ?? Meter.make(setting, options.burst, kept)
}

/**
 * The moment before which nothing of an account is sent: a hold of its own and one of the whole lane both count, whichever
 * gate gives the pace, so that neither is lost when the upstream makes the other one count, and one that is wider too.
 */
export const heldUntil = (self: LaneState, name: string): number =>
  Math.max(Meter.heldUntil(self.meter), heldUntilOf(self.accounts.find(name)), self.host.heldUntil())

const heldUntilOf = (account: Account | undefined): number =>
  account === undefined ? Number.NEGATIVE_INFINITY : Meter.heldUntil(account.meter)

/** When the meter that counts for an account opens; `Infinity` while nobody can tell. */
export const opensAt = ({ accountQueues, host, meter }: LaneState, account: Account, now: number): number =>
  accountQueues
    ? Math.max(Meter.opensAt(account.meter, now), Meter.heldUntil(meter), host.heldUntil())
    : Math.max(Meter.opensAt(meter, now), Meter.heldUntil(account.meter), host.heldUntil())

/** The gate that counts for the account of a name, which may be unknown here, as it is for that account. */
export const gateFor = (self: LaneState, name: string, now: number): Gate.Gate => {
  const gate = Meter.plain((self.accountQueues && self.accounts.find(name)?.meter) || self.meter, now)
  const until = heldUntil(self, name)
  return until === gate.heldUntil ? gate : { ...gate, heldUntil: until }
}

/** Whether nobody is let through for so long that whoever can had better come back by the store. */
export const isLong = (self: LaneState, name: string, now: number): boolean =>
  self.paused || heldUntil(self, name) > now + longWait

/** Up to this long, in milliseconds, a run waits in memory. */
const longWait = 1000

/** Whether nobody has a turn here who would have to be looked for. */
export const isLeftAlone = ({ accounts, anyQueue }: LaneState, account: Account): boolean =>
  !anyQueue && accounts.size() === 1 && accounts.find(account.name) === account && !Accounts.isNeeded(account)

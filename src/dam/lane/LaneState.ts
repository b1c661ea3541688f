/**
 * What one lane remembers. Everything in it is taken and changed by the lane's own functions, without a wait between
 * looking and changing.
 */
import type * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Ticket } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Accounts from "./Accounts.ts"
import type { Account } from "./Accounts.ts"
import * as LaneCalls from "./Calls.ts"
import * as LaneDepartures from "./Departures.ts"
import * as Gate from "./Gate.ts"
import * as Pages from "./Pages.ts"
import type { Permit, Room } from "./Permit.ts"

/**
 * What a lane needs from its surroundings.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneOptions {
  readonly burst: number
  /** The pace of the host, or of one account of it where each has its own. */
  readonly paceOf: (account: string | undefined) => Gate.Pace
  /** Whether the upstream has enabled account queues. Defaults to `false`. */
  readonly accountQueues?: boolean | undefined
  /** The queues that have queued jobs: accounts, and what `queueOf` makes of them. */
  readonly queues: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** The first queued jobs of a queue. */
  readonly page: (queue: string, limit: number) => Effect.Effect<ReadonlyArray<Ticket>, StoreError>
  /** Starts a job with its first permit. Answers once the job is no longer queued. */
  readonly start: (ticket: Ticket, permit: Permit) => Effect.Effect<void, StoreError>
  readonly room: Room
}

/** The state of a lane. */
export interface LaneState {
  readonly options: LaneOptions
  /** Jobs that are on their way out of the queue: the store may still name them. */
  readonly starting: Set<string>
  /** Opens when it has to be looked whose turn it is. */
  readonly signal: Latch.Latch
  readonly calls: LaneCalls.LaneCalls
  readonly accounts: Accounts.Accounts
  readonly departures: LaneDepartures.Departures
  readonly pages: Pages.Pages
  /** The host's gate. */
  gate: Gate.Gate
  /** Whether each account has a pace of its own. */
  accountQueues: boolean
  paused: boolean
  /** Whether any queue may have got jobs. */
  anyQueue: boolean
  /** When a store that has failed is asked again. */
  askAgainAt: number
  /** Whether somebody here waits for room. */
  starved: boolean
  /** Headers that spoke of pace and made no sense. */
  ignored: number
}

/** Makes the state of a lane that nobody has used. */
export const make = (options: LaneOptions): LaneState => {
  const starting = new Set<string>()
  const signal = Latch.makeUnsafe(false)
  const calls = LaneCalls.make()
  const accounts = Accounts.make((name) => ({
    ...Gate.make(options.paceOf(name), options.burst),
    open: calls.since(name).length
  }))
  const self: LaneState = {
    options,
    starting,
    signal,
    calls,
    accounts,
    departures: LaneDepartures.make(
      () => self.gate,
      (gate) => void (self.gate = gate)
    ),
    pages: Pages.make(options.page, {
      starting,
      rps: () => self.gate.pace.rps,
      queues: accounts.size,
      read: () => signal.openUnsafe()
    }),
    gate: Gate.make(options.paceOf(undefined), options.burst),
    accountQueues: options.accountQueues ?? false,
    paused: false,
    anyQueue: true,
    askAgainAt: Number.POSITIVE_INFINITY,
    starved: false,
    ignored: 0
  }
  return self
}

/** The gate that counts for an account. */
export const gateOf = (self: LaneState, account: Account): Gate.Gate => (self.accountQueues ? account.gate : self.gate)

/** The gate that counts for the account of a name, which may be unknown here. */
export const gateFor = (self: LaneState, name: string): Gate.Gate =>
  (self.accountQueues && self.accounts.find(name)?.gate) || self.gate

/** Whether nobody has a turn here who would have to be looked for. */
export const isLeftAlone = ({ accounts, anyQueue }: LaneState, account: Account): boolean =>
  !anyQueue && accounts.size() === 1 && accounts.find(account.name) === account && !Accounts.isNeeded(account)

/** A path while it runs. */
import type { Attempt } from "../step/HistoryModel.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import type * as Judge from "./Judge.ts"
import type { Guard } from "./Guard.ts"
import type { Waiting } from "./Turns.ts"

/** A path under way: what its racers share. */
export interface Path extends Judge.Policy, Waiting {
  readonly transport: Exchanging
  /** Who may keep its calls from being made. */
  readonly guard: Guard | undefined
  readonly index: number
  readonly timeoutMillis: number
  /** How each racer that has given up ended. */
  readonly lost: Array<Attempt>
}

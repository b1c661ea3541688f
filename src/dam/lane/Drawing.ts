/**
 * What those that wait in a lane draw on beside its pace.
 */
import type { Draw } from "../../step/StepModel.ts"
import { customerIn } from "../job/LaneName.ts"
import type { Account, Queue } from "./Accounts.ts"
import { opensAt, type LaneState } from "./LaneState.ts"
import type { Drawing } from "./LimitBook.ts"
import * as Shares from "./Shares.ts"

/** What a call draws on; `undefined` where it is nothing. */
export const drawingOf = (
  self: LaneState,
  account: Account,
  draws: ReadonlyArray<Draw> | undefined
): Drawing | undefined =>
  draws === undefined || draws.length === 0
    ? undefined
    : {
        draws,
        claim: Shares.claim({
          customer: customerIn(account.name),
          isReady: (now) => isOpen(self, account, now),
          wake: () => self.signal.openUnsafe()
        })
      }

/** What the first job of a queue draws on. */
export const firstOf = (self: LaneState, account: Account, queue: Queue): Drawing | undefined => {
  const draws = queue.tickets[0]?.draws
  if (draws === undefined || draws.length === 0) return undefined
  queue.claim ??= Shares.claim({
    customer: customerIn(account.name),
    isReady: (now) => queue.tickets.length > 0 && !self.room.isFull() && isOpen(self, account, now),
    wake: () => self.signal.openUnsafe()
  })
  return { draws, claim: queue.claim }
}

/** Whoever stood before others somewhere and is kept back here leaves the turn to them. */
export const giveWay = ({ accounts }: LaneState, now: number): void => {
  for (const { queues, waiters } of accounts.all()) {
    for (const { claim } of queues) if (claim !== undefined) Shares.giveWay(claim, now)
    for (const { drawing } of waiters) if (drawing !== undefined) Shares.giveWay(drawing.claim, now)
  }
}

/** Nothing of an account waits any more. */
export const forsake = ({ queues }: Account, now: number): void => {
  for (const { claim } of queues) if (claim !== undefined) Shares.withdraw(claim, now)
}

/** Whoever waits for the gate of the host could not come either, and keeps nothing from the lanes of others. */
const isOpen = (self: LaneState, account: Account, now: number): boolean =>
  !self.paused && opensAt(self, account, now) <= now && self.host.opensAt() <= now

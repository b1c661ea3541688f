/**
 * How long a path has waited for permits while nothing of it was being sent: time that its fallback's `onTimeout` leaves
 * out. All moments are monotonic milliseconds.
 */
export interface Stopwatch {
  waiting: number
  sending: number
  since: number
  waited: number
}

export const make = (): Stopwatch => ({ waiting: 0, sending: 0, since: 0, waited: 0 })

/** Changes how many are waiting and sending. */
export const turn = (
  self: Stopwatch,
  now: number,
  change: { readonly waiting: number; readonly sending: number }
): void => {
  if (isIdle(self)) self.waited += now - self.since
  self.waiting += change.waiting
  self.sending += change.sending
  self.since = now
}

/** Milliseconds waited up to now. */
export const waited = (self: Stopwatch, now: number): number => self.waited + (isIdle(self) ? now - self.since : 0)

const isIdle = ({ sending, waiting }: Stopwatch): boolean => waiting > 0 && sending === 0

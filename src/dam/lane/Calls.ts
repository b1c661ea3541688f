/**
 * The calls that are open in a lane, and how long one takes: what a forecast needs where concurrency decides.
 */

/** A call under way. Moments are monotonic milliseconds. */
export interface OpenCall {
  readonly account: string
  readonly since: number
}

/** Calls as they begin and end. */
export interface LaneCalls {
  readonly begin: (account: string, now: number) => OpenCall
  readonly end: (call: OpenCall, now: number) => void
  /** When the open calls began, of one account or of all, the oldest first. */
  readonly since: (account: string | undefined) => ReadonlyArray<number>
  /** How many have begun. */
  readonly count: () => number
  /** How many milliseconds a call takes, the last ones counting most; `undefined` while none has ended. */
  readonly usual: () => number | undefined
}

/** How much the last call counts. */
const weight = 0.2

/** Makes it with no calls. */
export const make = (): LaneCalls => {
  // in the order in which they began
  const open = new Set<OpenCall>()
  let usual: number | undefined
  let count = 0
  return {
    begin: (account, since) => {
      count++
      const call = { account, since }
      open.add(call)
      return call
    },
    end: (call, now) => {
      open.delete(call)
      const took = now - call.since
      usual = usual === undefined ? took : usual + weight * (took - usual)
    },
    since: (account) =>
      Array.from(open).flatMap((call) => (account === undefined || call.account === account ? [call.since] : [])),
    count: () => count,
    usual: () => usual
  }
}

/**
 * The calls that are open in a lane, and how long one takes: what a forecast needs where concurrency decides.
 */

/** A call under way. Moments are monotonic milliseconds. */
export interface OpenCall {
  /** Tells it from the others of its lane. */
  readonly id: number
  readonly account: string
  readonly since: number
  /** Whether it was let through by a gate of its account. */
  readonly own: boolean
  /** Whether it was sent. */
  departed: boolean
  ended: boolean
}

/** Calls as they begin and end. */
export interface LaneCalls {
  readonly begin: (account: string, now: number, own: boolean) => OpenCall
  /** Notes that it is sent. */
  readonly depart: (call: OpenCall) => void
  readonly end: (call: OpenCall, now: number) => void
  /** When the open calls began, of one account or of all, the oldest first. */
  readonly since: (account: string | undefined) => ReadonlyArray<number>
  /** How many were sent. */
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
  let id = 0
  return {
    begin: (account, since, own) => {
      const call = { id: id++, account, since, own, departed: false, ended: false }
      open.add(call)
      return call
    },
    depart: (call) => {
      call.departed = true
      count++
    },
    end: (call, now) => {
      call.ended = true
      open.delete(call)
      // what was never sent says nothing of how long a call takes
      if (!call.departed) return
      const took = now - call.since
      usual = usual === undefined ? took : usual + weight * (took - usual)
    },
    since: (account) =>
      Array.from(open).flatMap((call) => (account === undefined || call.account === account ? [call.since] : [])),
    count: () => count,
    usual: () => usual
  }
}

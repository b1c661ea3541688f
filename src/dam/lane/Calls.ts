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
export const make = (): LaneCalls => new CallsOf()

// a class: each lane has one, and nearly all of them are at rest
class CallsOf implements LaneCalls {
  // in the order in which they began
  private open: Set<OpenCall> | undefined = undefined
  private took: number | undefined = undefined
  private departed = 0
  private id = 0

  begin(account: string, since: number, own: boolean): OpenCall {
    const call = { id: this.id++, account, since, own, departed: false, ended: false }
    this.open = (this.open ?? new Set()).add(call)
    return call
  }

  depart(call: OpenCall): void {
    call.departed = true
    this.departed++
  }

  end(call: OpenCall, now: number): void {
    call.ended = true
    this.open?.delete(call)
    if (this.open?.size === 0) this.open = undefined
    // what was never sent says nothing of how long a call takes
    if (!call.departed) return
    const took = now - call.since
    this.took = this.took === undefined ? took : this.took + weight * (took - this.took)
  }

  since(account: string | undefined): ReadonlyArray<number> {
    return Array.from(this.open ?? []).flatMap((call) =>
      account === undefined || call.account === account ? [call.since] : []
    )
  }

  count(): number {
    return this.departed
  }

  usual(): number | undefined {
    return this.took
  }
}

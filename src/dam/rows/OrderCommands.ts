/** What a database must do for jobs that stand in an order, in plain data: a part of `Commands`. */

/** What orders need; ending a job lets the next one of its key go by itself. */
export interface OrderCommands {
  /** A key that has unfinished jobs or is stopped: the job in front, how many there are, and who stopped it when. */
  readonly order: (customer: string, key: string) => unknown
  /** Keys that are stopped, in their order. */
  readonly stoppedOrders: (customer: string, limit: number) => ReadonlyArray<unknown>
  /** How many unfinished jobs of its key stand before a job. */
  readonly beforeInOrder: (id: string) => number
  /** Lets a key go on; whether it was stopped. */
  readonly resumeOrder: (customer: string, key: string) => boolean
}

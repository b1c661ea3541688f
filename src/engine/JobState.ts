/**
 * The life of a job, as two tables.
 *
 * A job is in exactly one state and moves only along an edge of the first table; whether its result reached anybody is
 * the second table's matter and never changes the first. What other dialects call these states is projected from here,
 * and so are the diagrams in the reference.
 */
import * as Record from "effect/Record"

const edges = {
  scheduled: ["queued", "failed", "cancelled"],
  // back to `scheduled` is what happens to a job that somebody gives another time
  queued: ["running", "scheduled", "failed", "cancelled"],
  // back to `queued` is what happens to a job whose host died under it
  running: ["parked", "succeeded", "failed", "queued", "cancelled"],
  parked: ["queued", "failed", "cancelled"],
  succeeded: [],
  failed: [],
  cancelled: []
} as const

const deliveryEdges = {
  // a job that had no webhook can still be replayed to one
  none: ["pending"],
  pending: ["delivered", "undelivered"],
  // a replay delivers a stored result once more
  delivered: ["pending"],
  undelivered: ["pending"]
} as const

/**
 * Where a job is: waiting for its time (`scheduled`), for its turn (`queued`), for its next attempt (`parked`), under
 * way (`running`), or done.
 *
 * @category models
 * @since 0.1.0
 */
export type JobState = keyof typeof edges

/**
 * Where the result of a job is: nobody waits for it (`none`), on its way, arrived, or given up (a dead letter).
 *
 * @category models
 * @since 0.1.0
 */
export type DeliveryState = keyof typeof deliveryEdges

/**
 * The name of a state in the self-hosted `/jobs` dialect.
 *
 * @category models
 * @since 0.1.0
 */
export type FlatStatus = "queued" | "in_flight" | "completed" | "failed"

/**
 * The name of a final state in the webhook body of EZThrottle Cloud.
 *
 * @category models
 * @since 0.1.0
 */
export type WebhookStatus = "success" | "failed"

/**
 * Every job state, in the order of a job's life.
 *
 * @category tables
 * @since 0.1.0
 */
export const states: ReadonlyArray<JobState> = Record.keys(edges)

/**
 * The states a new job may be in.
 *
 * @category tables
 * @since 0.1.0
 */
export const initialStates: ReadonlyArray<JobState> = ["scheduled", "queued"]

/**
 * Every delivery state.
 *
 * @category tables
 * @since 0.1.0
 */
export const deliveryStates: ReadonlyArray<DeliveryState> = Record.keys(deliveryEdges)

/**
 * Tells whether a job may go from one state straight to another. Staying is not a move.
 *
 * @category edges
 * @since 0.1.0
 */
export const canBecome = (from: JobState, to: JobState): boolean => leadsTo(edges, from, to)

/**
 * Tells whether a state is final.
 *
 * @category edges
 * @since 0.1.0
 */
export const isTerminal = (state: JobState): boolean => edges[state].length === 0

/**
 * Tells whether a delivery may go from one state straight to another.
 *
 * **Details** — nothing is final here: a replay makes any settled delivery `pending` again.
 *
 * @category edges
 * @since 0.1.0
 */
export const deliveryCanBecome = (from: DeliveryState, to: DeliveryState): boolean => leadsTo(deliveryEdges, from, to)

/**
 * Names a state as the self-hosted `/jobs` dialect does.
 *
 * **Details** — there, a final answer below 500 is a completed job even where we call it failed, so a failed job needs
 * the status of its last answer: leave it out, or pass `0`, where there was none. A cancelled job is `failed`, and its
 * reason is the word `cancelled`.
 *
 * @category projections
 * @since 0.1.0
 */
export const toFlat = (state: JobState, lastStatus?: number): FlatStatus =>
  state === "failed" && lastStatus !== undefined && lastStatus >= 100 && lastStatus < 500 ? "completed" : flat[state]

/**
 * Names a state as the webhook body of EZThrottle Cloud does; a state that is not final has no webhook.
 *
 * @category projections
 * @since 0.1.0
 */
export const toWebhook = (state: JobState): WebhookStatus | undefined =>
  isTerminal(state) ? (state === "succeeded" ? "success" : "failed") : undefined

/**
 * Draws the states of a job and its edges as a Mermaid state diagram.
 *
 * @category diagrams
 * @since 0.1.0
 */
export const diagram = (): string => mermaid(edges, initialStates)

/**
 * Draws the states of a delivery and its edges as a Mermaid state diagram.
 *
 * @category diagrams
 * @since 0.1.0
 */
export const deliveryDiagram = (): string => mermaid(deliveryEdges, ["none", "pending"])

type Edges<State extends string> = { readonly [From in State]: ReadonlyArray<State> }

const leadsTo = <State extends string>(table: Edges<State>, from: State, to: State): boolean => table[from].includes(to)

const flat: { readonly [State in JobState]: FlatStatus } = {
  scheduled: "queued",
  queued: "queued",
  parked: "queued",
  running: "in_flight",
  succeeded: "completed",
  failed: "failed",
  cancelled: "failed"
}

const mermaid = <State extends string>(table: Edges<State>, initial: ReadonlyArray<State>): string => {
  const rows = Object.entries<ReadonlyArray<State>>(table)
  return [
    "stateDiagram-v2",
    ...initial.map((state) => `    [*] --> ${state}`),
    ...rows.flatMap(([from, to]) => to.map((state) => `    ${from} --> ${state}`)),
    ...rows.filter(([, to]) => to.length === 0).map(([state]) => `    ${state} --> [*]`)
  ].join("\n")
}

/**
 * Reads by hand the row of a delivery that is due for the first time, from nowhere in particular, to an endpoint that is
 * not disabled, which is what nearly every job ends with. A property test holds it against the schema.
 */
import type { DueDelivery } from "../store/DeliveryRecords.ts"

/** Such a delivery; `undefined` for every other row, and for one that makes no sense. */
export const readUntried = (row: unknown): DueDelivery | undefined => {
  if (typeof row !== "object" || row === null || !hasAll(row)) return undefined
  const {
    begun_at: begunAt,
    body,
    customer,
    due_at: dueAt,
    id,
    job_id: jobId,
    lane,
    place: index,
    spent,
    url,
    votes
  } = row
  const isUntried =
    row.attempts === "[]" &&
    row.regions === "[]" &&
    row.state === "pending" &&
    row.reason === null &&
    row.terms === null &&
    row.dead_at === null &&
    row.disabled_reason === null &&
    row.probe_at === null
  const isSound =
    typeof id === "string" &&
    typeof jobId === "string" &&
    typeof customer === "string" &&
    typeof index === "number" &&
    typeof url === "string" &&
    (votes === 0 || votes === 1) &&
    typeof lane === "string" &&
    typeof dueAt === "number" &&
    typeof begunAt === "number" &&
    typeof spent === "number" &&
    body instanceof Uint8Array
  if (!isUntried || !isSound) return undefined
  return {
    id,
    jobId,
    customer,
    index,
    url,
    regions: none,
    hasQuorumVote: votes === 1,
    lane,
    state: "pending",
    attempts: none,
    dueAt,
    begunAt,
    spent,
    dead: undefined,
    body,
    disabled: undefined
  }
}

type Column =
  | "attempts"
  | "begun_at"
  | "body"
  | "customer"
  | "dead_at"
  | "disabled_reason"
  | "due_at"
  | "id"
  | "job_id"
  | "lane"
  | "place"
  | "probe_at"
  | "reason"
  | "regions"
  | "spent"
  | "state"
  | "terms"
  | "url"
  | "votes"

/** Whether it has columns at all; what is in them is looked at then. */
const hasAll = (row: object): row is Readonly<Record<Column, unknown>> => "attempts" in row

const none: ReadonlyArray<never> = []

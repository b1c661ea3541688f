/** What a job has sent and received, taken out of the dam: its id, its key, its end and its times are left. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { StoredJob } from "../job/Job.ts"
import type { JobPort } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { WrongState } from "./WrongState.ts"

/** Erases an ended job whose webhooks are settled, and answers with what is left of it. */
export const erase = Effect.fnUntraced(function* (
  store: Pick<JobPort, "erase" | "get">,
  job: StoredJob
): Effect.fn.Return<StoredJob, StoreError | WrongState> {
  const outcome = yield* store.erase(job.id, yield* Clock.currentTimeMillis)
  const now = yield* store.get(job.id)
  if (outcome === "erased" && now !== undefined) return now
  return yield* new WrongState({ jobId: job.id, state: now?.state ?? "unknown", wanted: reasons[outcome ?? "unended"] })
})

const reasons = {
  erased: "only what has ended can be erased",
  unended: "only what has ended can be erased: cancel it first",
  untold: "its webhooks are still being told: wait, or purge them once they are dead letters"
}

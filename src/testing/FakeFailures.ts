/** Failed jobs of a fake by what they have in common, as a dam groups them. */
import { hostOf } from "../engine/HostName.ts"
import type { FailureFilter, FailureGroup, Failures, JobResult } from "../run/Service.ts"
import type { Step } from "../step/StepModel.ts"

/** A job of the fake that failed, and when. */
export interface FakeFailure {
  readonly job: { readonly jobId: string; readonly step: Step; readonly result: JobResult | undefined }
  /** Epoch milliseconds. */
  readonly at: number
}

/** Groups them, oldest first as they come; an answer that was not wanted is a rejection, anything else has no answer. */
export const grouped = (
  failed: ReadonlyArray<FakeFailure>,
  { from = 0, host, limit = 50, sort = "newest", to = Number.POSITIVE_INFINITY }: FailureFilter = {}
): Failures => {
  const seen = failed.filter(({ at }) => at >= from && at <= to)
  const groups = new Map<string, FailureGroup>()
  for (const { at, job } of seen) {
    const lane = hostOf(new URL(job.step.request.url))
    if (host !== undefined && lane !== host && lane.replace(/:\d+$/, "") !== host) continue
    const status = job.result?.response?.status
    const key = JSON.stringify([lane, status])
    const before = groups.get(key)
    groups.set(key, {
      lane,
      responseStatus: status,
      errorTag: status === undefined ? undefined : "Rejected",
      errorKind: undefined,
      error: job.result?.error,
      jobs: (before?.jobs ?? 0) + 1,
      firstSeen: before?.firstSeen ?? at,
      lastSeen: at,
      newestJobId: job.jobId
    })
  }
  const order = (one: FailureGroup, other: FailureGroup) =>
    sort === "largest" ? other.jobs - one.jobs : other.lastSeen - one.lastSeen
  return {
    failures: [...groups.values()].toSorted(order).slice(0, limit),
    groups: groups.size,
    seen: { jobs: seen.length, isExact: true, since: seen[0]?.at }
  }
}

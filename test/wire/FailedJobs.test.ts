import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as FailedJobs from "../../src/wire/FailedJobs.ts"

const group = {
  lane: "a.example:443",
  response_status: null,
  error_tag: "ConnectionFailed",
  error_kind: "refused",
  error: null,
  jobs: 3,
  first_seen: 1,
  last_seen: 2,
  newest_job_id: "job_1"
}

const read = (body: unknown) => FailedJobs.read(typeof body === "string" ? body : JSON.stringify(body))

describe("FailedJobs", () => {
  it("reads groups, and what was looked at to find them", () => {
    const seen = { jobs: 9, is_exact: false, since: 1 }
    assert.deepStrictEqual(Result.getOrThrow(read({ failures: [{ ...group, newer: true }], groups: 2, seen })), {
      failures: [
        {
          lane: "a.example:443",
          responseStatus: undefined,
          errorTag: "ConnectionFailed",
          errorKind: "refused",
          error: undefined,
          jobs: 3,
          firstSeen: 1,
          lastSeen: 2,
          newestJobId: "job_1"
        }
      ],
      groups: 2,
      seen: { jobs: 9, isExact: false, since: 1 }
    })
  })

  it("says what it expected instead of what makes no sense", () => {
    const problemOf = (body: unknown) => Result.merge(Result.mapError(read(body), ({ problem }) => problem))
    assert.strictEqual(problemOf("<html>"), "expected failures as JSON, got an HTML page")
    assert.strictEqual(problemOf({ failures: [{ lane: "a" }] }), "expected failures, each with its jobs")
  })
})

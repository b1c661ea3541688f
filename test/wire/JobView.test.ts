import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Reply from "../../src/step/Reply.ts"
import * as JobView from "../../src/wire/JobView.ts"

const read = (body: unknown) => Result.getOrThrow(JobView.read(JSON.stringify(body)))

describe("JobView", () => {
  it("reads a job that has ended", () => {
    const answer = {
      job_id: "j",
      status: "succeeded",
      idempotent_key: "k",
      response: { status_code: 200, headers: { ETag: "x" }, body: "done" },
      metadata: { order_id: 1 },
      attempts: []
    }
    assert.deepStrictEqual(read(answer), {
      jobId: "j",
      status: "succeeded",
      idempotentKey: "k",
      response: Reply.response(200, { etag: "x" }, "done"),
      error: undefined,
      metadata: { order_id: 1 },
      answer
    })
  })

  it("keeps a binary body byte for byte", () => {
    const { response } = read({ status: "succeeded", response: { status_code: 200, body: "", body_base64: "iVD/" } })
    assert.deepStrictEqual(response?.body, Uint8Array.of(0x89, 0x50, 0xff))
  })

  it("takes a status code of 0 for no answer", () => {
    const view = read({ status: "failed", error: "refused", response: { status_code: 0, headers: {}, body: "" } })
    assert.deepStrictEqual([view.response, view.error], [undefined, "refused"])
  })

  it("reads null as not there", () => {
    const view = read({ status: "queued", idempotent_key: null, response: null, error: null, metadata: null })
    assert.deepStrictEqual(
      [view.jobId, view.idempotentKey, view.response, view.error, view.metadata],
      [undefined, undefined, undefined, undefined, {}]
    )
  })

  it.each(["", "nothing", "null", "[]", "{}", '{"status":5}', '{"status":"failed","response":"none"}'])(
    "cannot read %j",
    (body) => {
      assert.isTrue(Result.isFailure(JobView.read(body)))
    }
  )

  it.each(["succeeded", "failed", "cancelled"])("has ended when %s", (status) => {
    assert.strictEqual(JobView.endOf({ status }), status)
    assert.isTrue(JobView.isLastEvent(status))
  })

  it.each(["scheduled", "queued", "racing", "running", "parked", "position", "dispatching", "message"])(
    "goes on while %s",
    (status) => {
      assert.isUndefined(JobView.endOf({ status }))
      assert.isFalse(JobView.isLastEvent(status))
    }
  )
})

import { assert, describe, it } from "@effect/vitest"
import Default, * as promise from "../../src/promise.ts"

describe("the surface", () => {
  it("has the names of the official SDK, and the three ideas of its siblings", () => {
    assert.deepStrictEqual(Object.keys(promise).toSorted(), [
      "EZThrottle",
      "EZThrottleError",
      "ForwardToEZThrottle",
      "IdempotentStrategy",
      "RateLimitError",
      "Step",
      "StepType",
      "TimeoutError",
      "WebhookVerificationError",
      "default",
      "executeWithForwarding",
      "tryVerifyWithSecrets",
      "verifyWebhookSignature",
      "verifyWebhookSignatureStrict",
      "withAutoForward"
    ])
    assert.strictEqual(Default, promise.EZThrottle)
  })

  it("has the methods of the official client and step, and those that follow jobs", () => {
    const methods = (of: object) => Object.getOwnPropertyNames(of).filter((name) => name !== "constructor")
    assert.deepStrictEqual(methods(promise.EZThrottle.prototype), [
      "submitJob",
      "submitMany",
      "submitAll",
      "getBatch",
      "awaitBatch",
      "cancelBatch",
      "rerunBatch",
      "bulkJobs",
      "queueRequest",
      "queueAndWait",
      "getJob",
      "awaitJob",
      "runJobNow",
      "changeJob",
      "cancelJob",
      "rerunJob",
      "eraseJob",
      "listJobs",
      "listFailures",
      "putSchedule",
      "getSchedule",
      "listSchedules",
      "deleteSchedule",
      "pauseSchedule",
      "resumeSchedule",
      "runScheduleNow",
      "putCredential",
      "listCredentials",
      "deleteCredential",
      "listStoppedOrders",
      "resumeOrder",
      "idle",
      "explainJob",
      "request",
      "createWebhookSecret",
      "getWebhookSecret",
      "deleteWebhookSecret",
      "rotateWebhookSecret",
      "forwardOrFallback"
    ])
    assert.includeMembers(
      methods(promise.Step.prototype),
      "type url method headers body metadata webhooks webhookQuorum regions regionPolicy executionMode retryPolicy retryAt idempotentKey idempotentStrategy fallbackOnError timeout localTimeout fallback onSuccess onFailure onFailureTimeout execute".split(
        " "
      )
    )
  })

  it("has the official values of its two lists", () => {
    assert.deepStrictEqual(promise.StepType, { FRUGAL: "frugal", PERFORMANCE: "performance" })
    assert.deepStrictEqual(promise.IdempotentStrategy, { HASH: "hash", UNIQUE: "unique" })
  })

  it("has error classes that can be made and told apart as the official ones", () => {
    const plain = new promise.EZThrottleError("m")
    assert.deepStrictEqual([plain.message, plain.retryAt, plain.name], ["m", null, "EZThrottleError"])
    assert.strictEqual(new promise.EZThrottleError("m", 5).retryAt, 5)
    const limited = new promise.RateLimitError("m", 5)
    assert.isTrue(limited instanceof promise.EZThrottleError && limited instanceof Error)
    assert.deepStrictEqual([limited.retryAt, limited.name], [5, "RateLimitError"])
    for (const make of [promise.TimeoutError, promise.WebhookVerificationError]) {
      const error = new make("m")
      assert.instanceOf(error, Error)
      assert.notInstanceOf(error, promise.EZThrottleError)
      assert.deepStrictEqual([error.name, error.message], [make.name, "m"])
    }
  })
})

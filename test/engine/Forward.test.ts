import { assert, describe, it } from "@effect/vitest"
import { forwardCodes, forwards, hadNoAnswer } from "../../src/engine/Forward.ts"
import * as Failure from "../../src/step/Failure.ts"
import { InvalidStep } from "../../src/step/InvalidStep.ts"
import type { StepReason } from "../../src/step/Outcome.ts"
import { DeadlineExceeded, FanoutIncomplete, PathTimedOut, Rejected } from "../../src/step/Outcome.ts"
import { response } from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"

const rejected = (status: number) =>
  new Rejected({ status, region: undefined, retryAfter: undefined, response: response(status) })
const step = Step.get("https://api.example/").pipe(Step.frugal())

const noAnswer: ReadonlyArray<StepReason> = [
  new Failure.ConnectionFailed({ kind: "refused", detail: "" }),
  new Failure.TlsError({ kind: "issuer", detail: "" }),
  new Failure.AttemptTimedOut({ afterMillis: 30_000 }),
  new Failure.InvalidResponse({ received: "half" }),
  new Failure.InvalidEncoding({ received: "half" }),
  new Failure.TooManyInterim({ limit: 10 }),
  new PathTimedOut({ afterMillis: 10 }),
  new Failure.ServiceUnreachable({ detail: "", maybeAccepted: false })
]
const final: ReadonlyArray<StepReason> = [
  new InvalidStep({ field: "url", problem: "bad" }),
  new DeadlineExceeded({ afterMillis: 10 }),
  new FanoutIncomplete({ failed: ["iad"], responses: [] }),
  new Failure.ResponseTooLarge({ status: 200, limitBytes: 1 }),
  new Failure.HeadersTooLarge(),
  new Failure.UnsupportedEncoding({ status: 200, layers: 6 }),
  new Failure.Unsendable({ problem: "GET with a body" }),
  new Failure.MissingApiKey({ variable: "EZTHROTTLE_API_KEY" }),
  new Failure.ServiceDenied({ detail: "" }),
  new Failure.ServiceRateLimited({ detail: "", retryAt: undefined }),
  new Failure.ServiceFailed({ status: 500, received: "" }),
  new Failure.JobRefused({ status: 400, received: "" }),
  new Failure.MalformedAnswer({ problem: "", received: "" })
]

describe("forwarding", () => {
  it.each(forwardCodes)("takes over a %i by default", (status) => {
    assert.isTrue(forwards(step, rejected(status)))
  })

  it.each([400, 404, 501])("leaves a %i alone by default", (status) => {
    assert.isFalse(forwards(step, rejected(status)))
  })

  it("listens to fallbackOnError instead of the default list", () => {
    const chosen = Step.fallbackOnError(step, [404])
    assert.isTrue(forwards(chosen, rejected(404)))
    assert.isFalse(forwards(chosen, rejected(500)))
    assert.isFalse(forwards(Step.fallbackOnError(step, []), rejected(500)))
  })

  it.each(noAnswer)("takes over without an answer: $_tag", (reason) => {
    assert.isTrue(hadNoAnswer(reason))
    assert.isTrue(forwards(Step.fallbackOnError(step, []), reason))
  })

  it.each(final)("does not take over $_tag", (reason) => {
    assert.isFalse(hadNoAnswer(reason))
    assert.isFalse(forwards(step, reason))
  })
})

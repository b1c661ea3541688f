import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { triggers } from "../../src/engine/Trigger.ts"
import { AttemptTimedOut, ConnectionFailed, Unsendable } from "../../src/step/Failure.ts"
import { PathTimedOut, Rejected } from "../../src/step/Outcome.ts"
import { response } from "../../src/step/Reply.ts"
import type { Trigger } from "../../src/step/StepModel.ts"

const rejected = (status: number) =>
  new Rejected({ status, region: undefined, retryAfter: undefined, response: response(status) })
const refused = new ConnectionFailed({ kind: "refused", detail: "" })
const any: Trigger = { _tag: "Any" }
const onError: Trigger = { _tag: "OnError", codes: [500, 503] }
const onTimeout: Trigger = { _tag: "OnTimeout", after: Duration.seconds(1) }

describe("a fallback", () => {
  it("without a trigger runs on any failure", () => {
    for (const reason of [rejected(404), refused, new Unsendable({ problem: "" })]) {
      assert.isTrue(triggers(any, reason, 0))
    }
  })

  it("on errors runs on its codes or without an answer", () => {
    assert.isTrue(triggers(onError, rejected(503), 0))
    assert.isFalse(triggers(onError, rejected(502), 0))
    assert.isTrue(triggers(onError, refused, 0))
    assert.isTrue(triggers(onError, new AttemptTimedOut({ afterMillis: 30_000 }), 30_000))
    assert.isTrue(triggers(onError, new PathTimedOut({ afterMillis: 5 }), 5))
  })

  it("on errors does not run when nothing could be sent", () => {
    assert.isFalse(triggers(onError, new Unsendable({ problem: "GET with a body" }), 0))
  })

  it("on a time-out runs when the path took that long, whatever its error, and never before", () => {
    assert.isTrue(triggers(onTimeout, rejected(404), 1000))
    assert.isTrue(triggers(onTimeout, refused, 2000))
    assert.isFalse(triggers(onTimeout, refused, 999))
    assert.isFalse(triggers(onTimeout, rejected(503), 0))
  })
})

import { assert, describe, it } from "@effect/vitest"
import { frame, stillHere } from "../../../../src/dam/http/door/EventText.ts"

describe("the text of an event stream", () => {
  it("is an id, a name and one line of JSON, whatever the JSON holds", () => {
    assert.strictEqual(
      frame({ id: "job_1.3", event: "completed", data: { body: "one\ntwo\r\nthree", name: "\u2028" } }),
      'id: job_1.3\nevent: completed\ndata: {"body":"one\\ntwo\\r\\nthree","name":"\u2028"}\n\n'
    )
  })

  it("has no id where the client has seen nothing new", () => {
    assert.strictEqual(frame({ event: "position", data: { position: 2 } }), 'event: position\ndata: {"position":2}\n\n')
  })

  it("keeps a stream open with a comment", () => {
    assert.strictEqual(stillHere, ": still here\n")
  })
})

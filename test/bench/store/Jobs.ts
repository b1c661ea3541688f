/** Jobs as a busy dam sees them: ids that grow with time, keys that are hashes, a body of about 400 bytes. */
import type { NewJob } from "../../../src/dam/job/Job.ts"
import type { Finish } from "../../../src/dam/store/JobRecords.ts"
import type { Attempt } from "../../../src/step/History.ts"
import { response, type Response } from "../../../src/step/Reply.ts"
import * as Step from "../../../src/step/Step.ts"

export const lane = "api.example.com:443"

let made = 0

/** Sixteen random digits, cheaper than the hash they stand for: that cost is not the store's. */
const hex = () =>
  Math.trunc(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0") +
  Math.trunc(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0")

export const job = (): NewJob => {
  const key = hex() + hex() + hex() + hex()
  made++
  return {
    id: `0192f0c1-${String(made).padStart(8, "0")}-${key.slice(0, 18)}`,
    customer: "local",
    dialect: "cloud",
    keyScope: "local",
    key,
    keyGiven: false,
    payload: key,
    step: Step.post("https://api.example.com/orders", {
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ order: made, note: "x".repeat(350) })
    }),
    lane,
    account: "",
    isolated: false,
    createdAt: made,
    notBefore: undefined,
    parent: undefined,
    rerunOf: undefined,
    traceparent: undefined
  }
}

export const answered: Response = response(200, { "content-type": "application/json" }, "x".repeat(200))

export const attempt = (response: Response): Attempt => ({
  path: 0,
  racer: 0,
  kind: "start",
  region: undefined,
  at: 1,
  pause: 0,
  latency: 1,
  ending: { _tag: "Answered", status: response.status, retryAfter: undefined },
  response
})

export const ended = (response: Response): Finish => ({
  state: "succeeded",
  at: 2,
  result: { response, responses: [], region: undefined, path: 0, error: undefined },
  children: [],
  deliveries: []
})

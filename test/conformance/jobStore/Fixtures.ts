/** Jobs, attempts and deliveries to store. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import type { NewJob } from "../../../src/dam/job/Job.ts"
import type { NewDelivery } from "../../../src/dam/job/Delivery.ts"
import type { StoredSecrets } from "../../../src/dam/store/SecretRecords.ts"
import type { Finish } from "../../../src/dam/store/JobRecords.ts"
import { ConnectionFailed } from "../../../src/step/Failure.ts"
import type { Attempt } from "../../../src/step/History.ts"
import type { Response } from "../../../src/step/Reply.ts"
import * as Step from "../../../src/step/Step.ts"

/** A job with a key of its own, in one lane and account. */
export const job = (id: string, change: Partial<NewJob> = {}): NewJob => ({
  id,
  customer: "local",
  dialect: "cloud",
  keyScope: "local",
  key: `key of ${id}`,
  keyGiven: false,
  payload: "payload",
  step: Step.get("https://a.example/"),
  lane: "a.example:443",
  account: "acc",
  isolated: false,
  createdAt: 1,
  notBefore: undefined,
  parent: undefined,
  rerunOf: undefined,
  traceparent: undefined,
  ...change
})

/** A job with everything: no field may be lost. */
export const rich = (id: string): NewJob =>
  job(id, {
    dialect: "flat",
    keyScope: "local\u0000user é",
    keyGiven: true,
    isolated: true,
    createdAt: 1_700_000_000_123,
    notBefore: 1_700_000_000_000,
    parent: { id: "parent", relation: "onFailure" },
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    step: Step.post("https://a.example/x?y=ü", {
      headers: { "X-Mixed": "Case" },
      body: Uint8Array.from([0, 255, 128, 10])
    }).pipe(
      Step.retryPolicy({ maxRetries: 0, retryCodes: [429] }),
      Step.metadata({ text: 'quote " and \u2028', deep: { list: [1, null, true] }, lone: "\ud800" }),
      Step.limit("tokens", { key: "ü", cost: 0.5 }),
      Step.onFailureTimeout(Duration.seconds(9)),
      Step.onSuccess(Step.get("https://b.example/").pipe(Step.idempotentKey("child")))
    )
  })

export const answered = (status: number, body: Uint8Array): Response => ({
  _tag: "Response",
  status,
  headers: { "content-type": "text/plain" },
  body
})

/** Secrets as the store takes them. */
export const secretsOf = (primary: string, secondary?: string): StoredSecrets => ({
  primary: Redacted.make(primary),
  secondary: secondary === undefined ? undefined : Redacted.make(secondary)
})

/** What secrets hide: two of them look the same to every comparison. */
export const revealed = (secrets: StoredSecrets | undefined) =>
  secrets && {
    primary: Redacted.value(secrets.primary),
    secondary: secrets.secondary && Redacted.value(secrets.secondary)
  }

export const attempt = (change: Partial<Attempt> = {}): Attempt => ({
  path: 0,
  racer: 0,
  kind: "start",
  region: undefined,
  at: 1000,
  pause: 0,
  latency: 1.25,
  ending: { _tag: "Answered", status: 503, retryAfter: undefined },
  response: undefined,
  ...change
})

/** How an attempt without an answer ends. */
export const fails = { _tag: "Failed", failure: new ConnectionFailed({ kind: "refused", detail: "no" }) } as const

export const ended = (change: Partial<Finish> = {}): Finish => ({
  state: "succeeded",
  at: 10,
  result: {
    response: answered(200, new TextEncoder().encode("done")),
    responses: [],
    region: undefined,
    path: 0,
    error: undefined
  },
  children: [],
  deliveries: [],
  ...change
})

/** The delivery of a job's result to one of its webhooks; its id is `job-index`. */
export const delivery = (jobId: string, index: number, change: Partial<NewDelivery> = {}): NewDelivery => ({
  id: `${jobId}-${index}`,
  jobId,
  customer: "local",
  index,
  url: `https://hook.example/${index}`,
  regions: ["iad"],
  hasQuorumVote: true,
  lane: "hook.example:443",
  body: Uint8Array.from([123, 255, 125]),
  ...change
})

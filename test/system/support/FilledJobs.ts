/** Jobs of a dam that has been at work, and how they ended; each known by its number. */
import type { NewDelivery } from "../../../src/dam/job/Delivery.ts"
import type { NewJob } from "../../../src/dam/job/Job.ts"
import * as JobId from "../../../src/dam/job/JobId.ts"
import type { Finish } from "../../../src/dam/store/JobRecords.ts"
import type { Attempt } from "../../../src/step/History.ts"
import * as Step from "../../../src/step/Step.ts"

export interface Numbers {
  readonly jobs: number
  readonly lanes: number
  readonly port: number
  readonly now: number
}

/** Finished ones are kept for a day: all were accepted within twenty hours. */
const reach = 20 * 3_600_000

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

/** What becomes of a job: in every lane of everything. */
export const kindOf = (n: number, { lanes }: Numbers): "succeeded" | "failed" | "queued" => {
  const kind = (n + Math.floor(n / lanes)) % 10
  return kind < 6 ? "succeeded" : kind === 6 ? "failed" : "queued"
}

/** A job as it was submitted. */
export const submitted = (n: number, numbers: Numbers): NewJob => {
  const { jobs, lanes, now, port } = numbers
  const createdAt = Math.floor(now - reach + (reach * (n + 1)) / (jobs + 1))
  const lane = `host-${String(n % lanes).padStart(3, "0")}.example:${port}`
  const id = JobId.at(createdAt, crypto)
  const order = { order: String(40_000 + n), shop: `shop-${n % 50}` }
  return {
    id,
    customer: "local",
    dialect: "cloud",
    keyScope: "local",
    key: `order-${n}`,
    keyGiven: true,
    payload: "payload",
    step: Step.post(`http://${lane}/v1/orders/${40_000 + n}?page=${n % 7}`, {
      headers: { "content-type": "application/json", authorization: "Bearer token-of-the-shop" },
      body: text({
        ...order,
        amount: "19.90",
        currency: "EUR",
        lines: Array.from({ length: 6 }, (_, line) => ({ line }))
      })
    }).pipe(
      Step.metadata(order),
      kindOf(n, numbers) === "failed" || n % 5 === 0
        ? Step.webhooks([{ url: `http://hooks.example:${port}/done/${n % 9}` }])
        : (step) => step
    ),
    lane,
    account: `shop-${n % 3}`,
    isolated: false,
    createdAt,
    notBefore: undefined,
    parent: undefined,
    rerunOf: undefined,
    traceparent: undefined
  }
}

const attempt = (change: Partial<Attempt>): Attempt => ({
  path: 0,
  racer: 0,
  kind: "start",
  region: undefined,
  at: 0,
  pause: 0,
  latency: 120,
  ending: { _tag: "Answered", status: 200, retryAfter: undefined },
  response: undefined,
  ...change
})

const deliveriesOf = (job: NewJob, n: number, port: string): ReadonlyArray<NewDelivery> =>
  job.step.webhooks.map(({ url }, index) => ({
    id: `${job.id}:${index}`,
    jobId: job.id,
    customer: "local",
    index,
    url,
    regions: [],
    hasQuorumVote: true,
    lane: `hooks.example:${port}`,
    body: text({ job_id: job.id, n })
  }))

const portOf = ({ lane }: NewJob) => lane.slice(lane.lastIndexOf(":") + 1)

/** The end of one that was answered. */
export const ended = (job: NewJob, n: number): Finish => ({
  state: "succeeded",
  at: job.createdAt + 160 + (n % 7) * 300,
  attempt: attempt({ at: job.createdAt + 40, latency: 120 + (n % 7) * 300 }),
  result: {
    response: {
      _tag: "Response",
      status: 200,
      headers: { "content-type": "application/json" },
      body: text({ ok: true, order: 40_000 + n })
    },
    responses: [],
    region: undefined,
    path: 0,
    error: undefined
  },
  children: [],
  deliveries: deliveriesOf(job, n, portOf(job))
})

/** The end of one that nobody answered. */
export const failed = (job: NewJob, n: number): Finish => ({
  ...ended(job, n),
  state: "failed",
  attempt: attempt({ at: job.createdAt + 40, ending: { _tag: "Answered", status: 422, retryAfter: undefined } }),
  result: {
    response: undefined,
    responses: [],
    region: undefined,
    path: 0,
    error: { tag: "Rejected", message: `the target answered 422 to order ${40_000 + n}` }
  }
})

import * as NodeDns from "@effect/platform-node/NodeDns"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { connect } from "node:net"
import * as Dam from "../../../src/dam/Dam.ts"
import * as HttpServer from "../../../src/dam/http/HttpServer.ts"
import { JobStore } from "../../../src/dam/store/JobStore.ts"
import { Engine } from "../../../src/dam/work/Engine.ts"
import * as Double from "./HttpDouble.ts"

type Verbs = Engine["Service"]

/** Submitting as it is, and as an engine does it that knows nothing of callbacks. */
const ways: ReadonlyArray<readonly [name: string, through: (engine: Verbs) => Verbs]> = [
  ["without a fiber", (engine) => engine],
  ["in a fiber", (engine) => ({ ...engine, submit: (one) => engine.submit(one) })]
]

/** A dam whose jobs wait: nothing they name is called. */
const served = Effect.fnUntraced(function* (
  through: (engine: Verbs) => Verbs,
  options: Partial<Dam.DamOptions> = {},
  http: HttpServer.HttpOptions = {}
) {
  const pacing = { pace: { rps: 0.001, maxConcurrent: 1 } }
  const { engine, store } = yield* Dam.make({ path: ":memory:", egress: Double.trusting, pacing, ...options })
  const server = yield* HttpServer.make({ port: 0, ...http }).pipe(
    Effect.provideContext(Context.make(Engine, through(engine)).pipe(Context.add(JobStore, store))),
    Effect.provide(NodeDns.layer)
  )
  return { ...server, engine, store }
})

interface Told {
  readonly status: number
  readonly retryAfter: string | null
  readonly json: Readonly<Record<string, unknown>>
}

const post = (url: string, body: object): Effect.Effect<Told> =>
  Effect.promise(async () => {
    const headers = { "content-type": "application/json" }
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })
    return { status: answer.status, retryAfter: answer.headers.get("retry-after"), json: await answer.json() }
  })

/** So many at once, on connections of their own. */
const flood = (url: string, count: number, body: (n: number) => object): Effect.Effect<ReadonlyArray<Told>> =>
  Effect.forEach(
    Array.from({ length: count }, (_, n) => n),
    (n) => post(`${url}/api/v1/jobs`, body(n)),
    { concurrency: "unbounded" }
  )

const statuses = (told: ReadonlyArray<Told>): Readonly<Record<number, number>> => {
  const counted: Record<number, number> = {}
  for (const { status } of told) counted[status] = (counted[status] ?? 0) + 1
  return counted
}

const target = "http://127.0.0.1:9/"

describe.each(ways)("jobs submitted %s", (_, through) => {
  it.live("makes one job of equal keys that come at once, and answers the others with it", () =>
    Effect.gen(function* () {
      const { store, url } = yield* served(through)
      const told = yield* flood(url, 40, () => ({ url: target, idempotent_key: "k" }))
      assert.deepStrictEqual(statuses(told), { 200: 39, 201: 1 })
      assert.lengthOf(new Set(told.map(({ json }) => json["job_id"])), 1)
      const { jobs } = yield* store.stats
      assert.strictEqual(jobs.queued + jobs.running, 1)
      const other = yield* flood(url, 2, (n) => ({
        url: `${target}other`,
        idempotent_key: "k",
        body: `${n}`,
        method: "POST"
      }))
      assert.deepStrictEqual(
        other.map(({ json, status }) => [status, json["code"], json["job_id"]]),
        other.map(() => [422, "key_reused", told[0]?.json["job_id"]])
      )
    })
  )

  it.live("answers each with its own job, stored, the flat dialect among them, and says of faults what they are", () =>
    Effect.gen(function* () {
      const { store, url } = yield* served(through)
      const told = yield* flood(url, 20, (n) =>
        n % 4 === 3 ? { url: target, retry_at: 5 } : { url: `${target}${n}`, idempotent_key: `k${n}` }
      )
      for (const [n, { json, status }] of told.entries()) {
        if (n % 4 === 3) assert.deepInclude(json, { code: "invalid_field", field: "retry_at" })
        else assert.deepInclude(yield* store.get(String(json["job_id"])), { key: `k${n}`, lane: "127.0.0.1:9" })
        assert.strictEqual(status, n % 4 === 3 ? 400 : 201)
      }
      const flat = { user_id: "u", idempotent_key: "f", url: target, method: "GET", webhook_url: target }
      assert.deepInclude(yield* post(`${url}/jobs`, flat), { status: 201 })
      assert.deepInclude(yield* post(`${url}/jobs`, flat), { status: 200 })
    })
  )

  it.live("takes as many as may wait and not one more, however many come at once", () =>
    Effect.gen(function* () {
      const { engine, store, url } = yield* served(through, { maxQueued: 10 })
      // before the store was asked for the first time everybody asks
      yield* engine.admission
      const told = yield* flood(url, 60, (n) => ({ url: target, idempotent_key: `k${n}` }))
      const { 201: taken = 0, 429: refused = 0 } = statuses(told)
      const { jobs } = yield* store.stats
      assert.strictEqual(taken + refused, 60)
      // one may have begun meanwhile
      assert.include([10, 11], taken)
      assert.strictEqual(jobs.queued + jobs.running, taken)
      for (const { json, retryAfter, status } of told) {
        if (status !== 429) continue
        assert.strictEqual(json["limit_reason"], "queued_jobs")
        assert.strictEqual(retryAfter, "10")
      }
    })
  )

  it.live("takes so many unfinished jobs of a customer and not one more", () =>
    Effect.gen(function* () {
      const { url } = yield* served(through, { maxCustomerJobs: 5 })
      const told = yield* flood(url, 30, (n) => ({ url: target, idempotent_key: `k${n}` }))
      assert.deepStrictEqual(statuses(told), { 201: 5, 429: 25 })
      const full = told.find(({ status }) => status === 429)
      assert.deepInclude(full?.json, { limit_reason: "customer_jobs", limit: 5, current: 5 })
      assert.strictEqual(full?.retryAfter, "10")
    })
  )

  it.live("seals credentials, and knows a job by its key all the same", () =>
    Effect.gen(function* () {
      const masterKey = Redacted.make("0f".repeat(32))
      const { store, url } = yield* served(through, { masterKey })
      const order = (token: string) => ({ url: target, headers: { authorization: token } })
      const told = yield* flood(url, 6, () => order("Bearer one"))
      assert.deepStrictEqual(statuses(told), { 200: 5, 201: 1 })
      const kept = yield* store.get(String(told[0]?.json["job_id"]))
      assert.strictEqual(kept?.step.request.headers["authorization"], "Bearer one")
      assert.deepInclude((yield* post(`${url}/api/v1/jobs`, order("Bearer other"))).json, { status: "queued" })
    })
  )

  it.live("keeps a job whose sender hung up before it was answered", () =>
    Effect.gen(function* () {
      const { engine, port } = yield* served(through)
      const body = JSON.stringify({ url: target, idempotent_key: "gone" })
      const head = `POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
      yield* Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            const socket = connect(port, "127.0.0.1", () =>
              socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy())
            )
            socket.once("close", () => resolve())
          })
      )
      yield* Effect.repeat(engine.admission, { until: ({ queued = 0, running = 0 }) => queued + running === 1 })
    })
  )
})

import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Built, build, root } from "./support/Built.ts"
import { ask, type DamProcess, endAll, start } from "./support/DamProcess.ts"
import * as Loopback from "./support/Loopback.ts"

interface Recorded {
  readonly client: string
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly envelope: { readonly body: string }
}

const recorded: ReadonlyArray<Recorded> = JSON.parse(
  readFileSync(join(root, "test/fixtures/official-requests.json"), "utf8")
).requests

const clients = [...new Set(recorded.map(({ client }) => client))]

let built: Built
let dam: DamProcess
let upstream: Loopback.Loopback
let receiver: Loopback.Loopback

beforeAll(async () => {
  built = await build()
  upstream = await Loopback.upstream()
  receiver = await Loopback.receiver()
  // by their names, as people write them
  dam = await start(built.bin, ["--port", "0", "--db", join(built.folder, "dam.db"), "--allow-private"])
})

afterAll(async () => {
  await endAll()
  await Promise.all([upstream.close(), receiver.close()])
  built.remove()
})

const replay = ({ envelope, headers, method, path }: Recorded) => {
  const text = JSON.stringify(envelope)
    .replaceAll("{{UPSTREAM}}", upstream.url)
    .replaceAll("{{RECEIVER}}", receiver.url)
  return ask(dam.url + path, { method, headers, body: JSON.parse(text) })
}

const testOf = (job: { readonly url: string }): string => new URL(job.url).searchParams.get("test") ?? ""

describe("the official clients' requests, as they really send them", () => {
  it("are all there", () => assert.deepStrictEqual(clients, ["official Node SDK 1.4", "official Python SDK 1.3"]))

  for (const client of clients) {
    it(`are accepted, run and told: ${client}`, async () => {
      const jobs: Array<{ readonly test: string; readonly id: string; readonly key: string; readonly job: any }> = []
      for (const request of recorded.filter((one) => one.client === client)) {
        const job = JSON.parse(request.envelope.body.replaceAll("{{UPSTREAM}}", upstream.url))
        const { body, status } = await replay(request)
        assert.strictEqual(status, 200)
        assert.strictEqual(body.status, "allowed")
        const { forwarded_response: forwarded } = body
        assert.isTrue(forwarded.status_code >= 200 && forwarded.status_code < 300, forwarded.body)
        const answer = JSON.parse(forwarded.body)
        if (job.idempotent_key !== undefined) assert.strictEqual(answer.idempotent_key, job.idempotent_key)
        assert.isString(answer.idempotent_key)
        const isRepeated = jobs.some(({ id }) => id === answer.job_id)
        if (!isRepeated) assert.strictEqual(answer.status, job.regions === undefined ? "queued" : "racing")
        jobs.push({ test: testOf(job), id: answer.job_id, key: answer.idempotent_key, job })
      }

      const [first, second, ...more] = jobs.filter(({ test }) => test === "idempotent_hash")
      assert.isEmpty(more)
      assert.strictEqual(first?.id, second?.id, "equal requests without a key are one job")
      const unique = new Set(jobs.filter(({ test }) => test === "idempotent_unique").map(({ id }) => id))
      assert.strictEqual(unique.size, 2, "two keys are two jobs")

      const told = await receiver.until((seen) => {
        const ids = new Set(seen.map(({ body }) => JSON.parse(body).job_id))
        const children = jobs.filter(({ job }) => job.on_success !== undefined)
        return (
          jobs.every(({ id }) => ids.has(id)) &&
          children.every(({ job }) => seen.some(({ body }) => JSON.parse(body).idempotent_key === childKey(job)))
        )
      })
      const hooks = told.map(({ body }) => JSON.parse(body))
      for (const { id, key } of jobs) {
        const mine = hooks.filter((hook) => hook.job_id === id)
        assert.deepStrictEqual(
          mine.map((hook) => [hook.idempotent_key, hook.status]),
          [[key, "success"]],
          "one webhook for each job, with its key"
        )
      }
      for (const { job } of jobs.filter(({ job }) => job.on_success !== undefined)) {
        const child = hooks.filter((hook) => hook.idempotent_key === childKey(job))
        assert.deepStrictEqual(
          child.map(({ status }) => status),
          ["success"],
          "one more webhook for the chained child"
        )
        assert.notInclude(
          jobs.map(({ id }) => id),
          child[0].job_id
        )
      }
    }, 60_000)
  }

  it("reach the upstream as often as their job says: a race in each region, a fallback after its primary", () => {
    const calls = (test: string) => upstream.seen.filter(({ path }) => path.includes(`test=${test}`)).length
    assert.strictEqual(calls("performance_basic"), clients.length)
    assert.strictEqual(calls("idempotent_hash"), clients.length)
    assert.strictEqual(calls("idempotent_unique"), 2 * clients.length)
    assert.strictEqual(calls("fallback_1"), clients.length)
    assert.strictEqual(calls("on_success_child"), clients.length)
  })
})

/** The Node client nests in camelCase. */
const childKey = ({ on_success: child }: any): string => child.idempotent_key ?? child.idempotentKey

/** Jobs followed from promises: over the fake of the test client, and over a dam in this process. */
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { deliveryStates, states } from "../../src/engine/JobState.ts"
import * as Dam from "../../src/dam/Dam.ts"
import { EZThrottle, EZThrottleError, TimeoutError } from "../../src/promise.ts"
import type { JobView } from "../../src/promise.ts"
import { createTestClient } from "../../src/testing.ts"
import { listen, listenAsEzthrottle, rejection } from "./Loopback.ts"

const url = "https://api.example.com/orders"
const tomorrow = () => Date.now() + 86_400_000

const collected = async (jobs: AsyncIterable<JobView>): Promise<ReadonlyArray<JobView>> => {
  const all: Array<JobView> = []
  for await (const job of jobs) all.push(job)
  return all
}

describe("over a dam in this process", () => {
  const setUp = async (options: Partial<Dam.DamOptions> = {}) => {
    const stack = new AsyncDisposableStack()
    const target = stack.use(await listen(({ path }) => ({ status: path === "/bad" ? 400 : 200, body: "done" })))
    const service = Dam.embedded({
      path: ":memory:",
      pacing: { pace: { rps: 1000, maxConcurrent: 100 } },
      ...options
    })
    const client = stack.use(new EZThrottle({ service }))
    return { target, client, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  it("a job is shown, awaited, and run again", async () => {
    await using at = await setUp()
    const { job_id } = await at.client.submitJob({ url: at.target.url, metadata: { order: "7" } })
    const result = await at.client.awaitJob(job_id)
    assert.deepStrictEqual([result.status, result.response.body, result.metadata], ["success", "done", { order: "7" }])
    const shown = await at.client.getJob(job_id)
    assert.deepStrictEqual([shown.job_id, shown.status, shown["attempts_made"]], [job_id, "succeeded", 1])
    const again = await at.client.rerunJob(job_id)
    assert.notStrictEqual(again.job_id, job_id)
    assert.strictEqual(again["rerun_of"], job_id)
    assert.strictEqual((await at.client.awaitJob(again.job_id)).status, "success")
    const reruns = await collected(at.client.listJobs({ rerunOf: job_id }))
    assert.deepStrictEqual(
      reruns.map((job) => job.job_id),
      [again.job_id]
    )
  })

  it("what an ended job has sent and received is erased", async () => {
    await using at = await setUp()
    const { job_id } = await at.client.submitJob({ url: at.target.url, body: "private" })
    await at.client.awaitJob(job_id)
    const erased = await at.client.eraseJob(job_id)
    assert.deepStrictEqual([erased.status, typeof erased["erased_at"]], ["succeeded", "number"])
    assert.notInclude(JSON.stringify(await at.client.getJob(job_id)), "private")
    const waiting = await at.client.submitJob({ url: at.target.url, retryAt: tomorrow() })
    assert.include((await rejection(at.client.eraseJob(waiting.job_id))).message, "cancel it first")
  })

  it("credentials are kept for their hosts, sent by name, and never read back", async () => {
    await using at = await setUp({ masterKey: Redacted.make("07".repeat(32)) })
    const { client, target } = at
    const put = await client.putCredential("shop", { hosts: [new URL(target.url).origin], value: "s3cret" })
    assert.deepInclude(put, { name: "shop", kind: "value", hosts: [new URL(target.url).origin] })
    assert.notInclude(JSON.stringify([put, await client.listCredentials()]), "s3cret")
    const { job_id } = await client.submitJob({ url: target.url, headers: { "x-key": { secret: "shop" } } })
    assert.strictEqual((await client.awaitJob(job_id)).status, "success")
    assert.strictEqual(target.seen.at(-1)?.headers["x-key"], "s3cret")
    await client.deleteCredential("shop")
    assert.deepStrictEqual(await client.listCredentials(), [])
    const said = async (call: Promise<unknown>) => (await rejection(call)).message
    assert.strictEqual(await said(client.deleteCredential("shop")), 'there is no credential "shop"')
    const misspelt: object = { hosts: ["a.example"], valeu: "s3cret" }
    const putAs = (name: string, given: object) => said(client.putCredential(name, given as never))
    assert.include(await putAs("shop", misspelt), "putCredential.valeu: is not known here")
    assert.include(await putAs("shop", { hosts: [], value: "s3cret" }), "hosts: Expected at least one host")
    assert.include(await putAs("a b", { hosts: ["a.example"], value: "s3cret" }), "name: Expected")
    assert.include(await putAs("shop", { hosts: ["a.example"] }), "value: Expected value, or token_url")
  })

  it("credentials are kept by no dam that cannot seal them", async () => {
    await using at = await setUp()
    const put = at.client.putCredential("shop", { hosts: ["a.example"], value: "s3cret" })
    assert.include((await rejection(put)).message, "EZTHROTTLE_MASTER_KEY")
    assert.deepStrictEqual(await at.client.listCredentials(), [])
  })

  it("an order that a failure has stopped is listed, and goes on", async () => {
    await using at = await setUp()
    const { client, target } = at
    const inOrder = { key: "customer-7", onFailure: "stop" } as const
    const first = await client.submitJob({ url: `${target.url}/bad`, inOrder })
    const second = await client.submitJob({ url: target.url, inOrder })
    await client.awaitJob(first.job_id)
    const [line, ...others] = await client.listStoppedOrders()
    assert.deepStrictEqual(others, [])
    assert.deepInclude(line, { key: "customer-7", jobs: 1, first: second.job_id, stopped_by: first.job_id })
    assert.deepInclude(await client.resumeOrder("customer-7"), { first: second.job_id, stopped_by: null })
    assert.strictEqual((await client.awaitJob(second.job_id)).status, "success")
    assert.include((await rejection(client.resumeOrder("customer-7"))).message, "no unfinished job stands")
  })

  it("what failed is grouped", async () => {
    await using at = await setUp()
    const { job_id } = await at.client.submitJob({ url: `${at.target.url}/bad` })
    await at.client.awaitJob(job_id)
    const { failures, groups, seen } = await at.client.listFailures({ from: new Date(0), sort: "largest", limit: 1 })
    const { first_seen, last_seen, ...group } = failures[0] ?? assert.fail("nothing")
    assert.deepStrictEqual(group, {
      lane: new URL(at.target.url).host,
      response_status: 400,
      error_tag: "Rejected",
      error: `GET ${at.target.url}/bad failed: answered 400`,
      jobs: 1,
      newest_job_id: job_id
    })
    assert.strictEqual(first_seen, last_seen)
    assert.deepStrictEqual([groups, seen], [1, { jobs: 1, is_exact: true, since: first_seen }])
    assert.lengthOf((await at.client.listFailures({ host: "127.0.0.1:1" })).failures, 0)
    const nobody = await at.client.submitJob({ url: "http://127.0.0.1:1/", retryPolicy: { maxRetries: 0 } })
    await at.client.awaitJob(nobody.job_id)
    const refused = await at.client.listFailures({ host: "127.0.0.1:1" })
    assert.deepInclude(refused.failures[0], {
      response_status: null,
      error_tag: "ConnectionFailed",
      error_kind: "refused"
    })
  })

  it("the jobs that one has started are listed by it", async () => {
    await using at = await setUp()
    const onSuccess = { url: at.target.url, metadata: { next: "1" } }
    const { job_id } = await at.client.submitJob({ url: at.target.url, onSuccess })
    await at.client.awaitJob(job_id)
    const [child, ...others] = await collected(at.client.listJobs({ parent: job_id }))
    assert.deepStrictEqual(child?.["parent"], { job_id, relation: "on_success" })
    assert.lengthOf(others, 0)
    assert.lengthOf(await collected(at.client.listJobs({ parent: String(child?.job_id) })), 0)
  })

  it("one that waits is cancelled, once", async () => {
    await using at = await setUp()
    const { job_id } = await at.client.submitJob({ url: at.target.url, retryAt: tomorrow() })
    assert.strictEqual((await at.client.cancelJob(job_id)).status, "cancelled")
    const error = await rejection(at.client.cancelJob(job_id))
    assert.instanceOf(error, EZThrottleError)
    assert.strictEqual(error.jobId, job_id)
    assert.include(error.message, "is cancelled")
    assert.include((await rejection(at.client.getJob("no-such-job"))).message, "knows no job no-such-job")
  })

  it("one that waits is let go, and one that has ended is not", async () => {
    await using at = await setUp()
    const { job_id } = await at.client.submitJob({ url: at.target.url, retryAt: tomorrow() })
    assert.include(["queued", "running", "succeeded"], (await at.client.runJobNow(job_id)).status)
    assert.strictEqual((await at.client.awaitJob(job_id)).status, "success")
    const error = await rejection(at.client.runJobNow(job_id))
    assert.instanceOf(error, EZThrottleError)
    assert.strictEqual(error.jobId, job_id)
    assert.include(error.message, "is succeeded")
  })

  it("all of them are listed, page after page, and only as far as they are asked for", async () => {
    await using at = await setUp()
    await at.client.submitMany(
      Array.from({ length: 230 }, (_, n) => ({
        url: `${at.target.url}/${n}`,
        retryAt: tomorrow(),
        metadata: { n: `${n % 2}` }
      }))
    )
    assert.lengthOf(await collected(at.client.listJobs()), 230)
    assert.lengthOf(await collected(at.client.listJobs({ metadata: { n: "1" }, status: ["scheduled", "queued"] })), 115)
    assert.lengthOf(await collected(at.client.listJobs({ q: "n=1", status: ["scheduled", "queued"] })), 115)
    assert.lengthOf(await collected(at.client.listJobs({ q: "no.example" })), 0)
    const oldest = await collected(at.client.listJobs({ sort: "oldest" }))
    const newest = await collected(at.client.listJobs())
    assert.deepStrictEqual(oldest.toReversed(), newest)
    assert.lengthOf(await collected(at.client.listJobs({ status: "failed" })), 0)
    assert.lengthOf(await collected(at.client.listJobs({ createdFrom: new Date(tomorrow()) })), 0)
    for await (const job of at.client.listJobs()) {
      assert.strictEqual(job["url"], `${at.target.url}/229`)
      break
    }
  })

  it("a schedule is put, shown, paused, run, resumed and deleted", async () => {
    await using at = await setUp()
    const { client, target } = at
    const start = new Date(tomorrow())
    const put = await client.putSchedule("nightly", {
      cron: "30 2 * * *",
      zone: "Europe/Berlin",
      jitterMs: 1500,
      start,
      overlap: "queue",
      job: { url: `${target.url}/report`, method: "POST", body: new Uint8Array([255]) }
    })
    assert.deepInclude(put, { name: "nightly", jitter_ms: 1500, start: +start, overlap: "queue", catch_up: "last" })
    assert.lengthOf(put.next, 5)
    assert.isAtLeast(put.next[0] ?? 0, +start)
    assert.deepStrictEqual(await client.getSchedule("nightly"), put)
    assert.strictEqual((await client.pauseSchedule("nightly")).state, "paused")
    const run = await client.runScheduleNow("nightly")
    assert.deepStrictEqual([run.state, run.fired], ["paused", 1])
    await client.awaitJob(run.last?.job_id ?? "")
    assert.deepStrictEqual(
      target.seen.map(({ path }) => path),
      ["/report"]
    )
    assert.strictEqual((await client.resumeSchedule("nightly")).state, "active")
    assert.deepStrictEqual(
      (await client.listSchedules()).map(({ name, fired }) => [name, fired]),
      [["nightly", 1]]
    )
    await client.deleteSchedule("nightly")
    assert.deepStrictEqual(await client.listSchedules(), [])
    assert.strictEqual((await rejection(client.getSchedule("nightly"))).message, 'there is no schedule "nightly"')
  })

  it("a schedule that cannot be is refused with the place and what was expected", async () => {
    await using at = await setUp()
    const job = { url: at.target.url }
    const said = async (schedule: object) =>
      (await rejection(at.client.putSchedule("odd", { cron: "@daily", job, ...schedule }))).message
    assert.match(await said({ cron: "0 22-2 * * *" }), /^cron: hour: range goes backwards; write 22-23,0-2/)
    assert.match(await said({ cron: undefined, everyMs: 1 }), /^every_ms: Expected .* 1000/)
    assert.match(await said({ zone: "Europe/Nowhere" }), /^zone: unknown time zone/)
    assert.match(await said({ job: { ...job, retryAt: tomorrow() } }), /^job\.retry_at: is left out/)
    assert.match(
      await said({ job: { ...job, onSuccess: { ...job, idempotentKey: "k" } } }),
      /^job\.on_success\.idempotent_key: /
    )
    assert.match(await said({ job: { ...job, limits: [{ name: "none" }] } }), /^job\.limits\[0\]\.name: /)
    assert.match(await said({ every: 1 }), /^putSchedule\.every: is not known here; did you mean everyMs\?/)
    assert.match(
      (await rejection(at.client.putSchedule("a:b", { cron: "@daily", job }))).message,
      /^name: Expected 1 to 128/
    )
  })

  it("idle waits for calls and for jobs, and for what follows them", async () => {
    await using at = await setUp()
    await at.client.submitJob({ url: at.target.url, onSuccess: { url: `${at.target.url}/then` } })
    const waiting = at.client.queueAndWait({ url: `${at.target.url}/bad` })
    await at.client.idle()
    assert.strictEqual((await waiting).status, "failed")
    assert.sameMembers(
      at.target.seen.map(({ path }) => path),
      ["/", "/bad", "/then"]
    )
    assert.deepStrictEqual(await collected(at.client.listJobs({ status: ["queued", "running"] })), [])
  })

  it("idle ends when its signal does", async () => {
    await using at = await setUp()
    await at.client.submitJob({ url: at.target.url, retryAt: tomorrow() })
    const abort = new AbortController()
    const waiting = rejection(at.client.idle({ signal: abort.signal }))
    abort.abort(new Error("enough"))
    assert.strictEqual((await waiting).message, "enough")
  })

  it("queueAndWait takes everything that submitJob takes", async () => {
    await using at = await setUp()
    const { status } = await at.client.queueAndWait({
      url: `${at.target.url}/bad`,
      retryPolicy: { maxRetries: 0 },
      fallbackJob: { url: `${at.target.url}/good` },
      idempotentKey: "mine",
      webhooks: [{ url: `${at.target.url}/a`, hasQuorumVote: false }],
      webhookUrl: `${at.target.url}/b`,
      timeout: 20_000
    })
    assert.strictEqual(status, "success")
    await at.client.idle()
  })
})

describe("over a service", () => {
  it("awaitJob runs out of time, and the job goes on", async () => {
    const test = createTestClient()
    const { job_id } = await test.client.submitJob({ url })
    const waiting = rejection(test.client.awaitJob(job_id, { timeout: 1000 }))
    await test.clock.adjust("1 second")
    const error = await waiting
    assert.instanceOf(error, TimeoutError)
    assert.strictEqual(error.jobId, job_id)
    assert.include((await rejection(test.client.awaitJob(job_id, { timeout: 0 }))).message, "timeout:")
    await test.service.complete(job_id, { status: 200 })
    assert.strictEqual((await test.client.awaitJob(job_id)).status, "success")
    await test[Symbol.asyncDispose]()
  })

  it("the fake cancels, runs again and lists too", async () => {
    const test = createTestClient()
    const first = await test.client.submitJob({ url })
    assert.strictEqual((await test.client.cancelJob(first.job_id)).status, "cancelled")
    const again = await test.client.rerunJob(first.job_id)
    assert.include((await rejection(test.client.rerunJob(again.job_id))).message, "only a finished job")
    assert.include((await rejection(test.client.eraseJob(again.job_id))).message, "cancel it first")
    await test.client.eraseJob(first.job_id)
    assert.strictEqual((await test.service.jobs())[0]?.step.request.body, undefined)
    assert.deepStrictEqual(
      (await collected(test.client.listJobs())).map(({ job_id, status }) => [job_id, status]),
      [
        ["job-2", "queued"],
        ["job-1", "cancelled"]
      ]
    )
    await test[Symbol.asyncDispose]()
  })

  it("the fake keeps credentials without what is secret of them, and no order of it is stopped", async () => {
    const { client } = createTestClient()
    await client.putCredential("b", { hosts: ["api.example.com"], value: "s3cret" })
    await client.putCredential("a", { hosts: ["api.example.com"], tokenUrl: "https://id.example.com/token" })
    const kept = await client.listCredentials()
    assert.deepStrictEqual(
      kept.map(({ hosts, kind, name }) => [name, kind, hosts[0]]),
      [
        ["a", "oauth2", "https://api.example.com"],
        ["b", "value", "https://api.example.com"]
      ]
    )
    assert.notInclude(JSON.stringify(kept), "s3cret")
    assert.include((await rejection(client.putCredential("c", { hosts: ["a b"], value: "x" }))).message, "hosts[0]:")
    await client.deleteCredential("a")
    assert.include((await rejection(client.deleteCredential("a"))).message, 'no credential "a"')
    assert.deepStrictEqual(await client.listStoppedOrders(), [])
    assert.include((await rejection(client.resumeOrder("k"))).message, "no unfinished job stands")
  })

  it("the cloud does not list, cancel or run again, and idle does not mind", async () => {
    await using proxy = await listenAsEzthrottle()
    await using client = new EZThrottle({ apiKey: "key", tracktagsUrl: proxy.url, ezthrottleUrl: proxy.url })
    const { job_id } = await client.submitJob({ url })
    assert.match((await rejection(client.runJobNow(job_id))).message, /does not offer running a job now; a dam does/)
    assert.match((await rejection(client.cancelJob(job_id))).message, /does not offer cancelling a job; a dam does/)
    assert.match((await rejection(client.rerunJob(job_id))).message, /does not offer running a job again; a dam does/)
    assert.match((await rejection(collected(client.listJobs()))).message, /does not offer listing jobs; a dam does/)
    assert.match((await rejection(client.listFailures())).message, /does not offer grouping failures; a dam does/)
    assert.match((await rejection(client.listSchedules())).message, /does not offer schedules; a dam does/)
    assert.match((await rejection(client.eraseJob(job_id))).message, /does not offer erasing a job; a dam does/)
    assert.match((await rejection(client.listCredentials())).message, /does not offer keeping credentials; a dam does/)
    const put = client.putCredential("shop", { hosts: ["a.example"], value: "s3cret" })
    assert.match((await rejection(put)).message, /does not offer keeping credentials; a dam does/)
    assert.match((await rejection(client.listStoppedOrders())).message, /does not offer orders of jobs; a dam does/)
    await client.idle()
  })

  it("what failures are asked by is refused by name", async () => {
    const { client } = createTestClient()
    const said = async (filter: object) => (await rejection(client.listFailures(filter))).message
    assert.include(await said({ limits: 1 }), "listFailures.limits: is not known here; did you mean limit?")
    assert.strictEqual(await said({ sort: "oldest" }), "listFailures.sort: Expected newest, largest")
    assert.strictEqual(await said({ limit: 0 }), "listFailures.limit: Expected a whole number from 1 to 200")
    assert.include(await said({ from: new Date("no") }), "listFailures.from: Expected epoch milliseconds")
  })

  it("what a list is asked by is refused by name", async () => {
    const { client } = createTestClient()
    const misspelt: object = { stats: "queued" }
    assert.include(
      (await rejection(collected(client.listJobs(misspelt)))).message,
      "listJobs.stats: is not known here; did you mean status?"
    )
    const unknown: object = { status: "done" }
    const said = async (filter: object) => (await rejection(collected(client.listJobs(filter)))).message
    assert.strictEqual(await said(unknown), `listJobs.status: Expected ${states.join(", ")}`)
    assert.strictEqual(
      await said({ deliveryStatus: ["lost"] }),
      `listJobs.deliveryStatus: Expected ${deliveryStates.join(", ")}`
    )
    assert.include(
      (await rejection(collected(client.listJobs({ createdTo: new Date("no") })))).message,
      "listJobs.createdTo:"
    )
  })
})

import { assert, describe, it } from "@effect/vitest"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpTest from "effect/ai/McpTest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as McpCall from "../../../src/cli/mcp/Call.ts"
import * as McpTools from "../../../src/cli/mcp/Tools.ts"
import * as McpView from "../../../src/cli/mcp/View.ts"
import * as Double from "../../dam/http/HttpDouble.ts"

/** An agent with its tools over a dam, and what a tool said. */
const agent = (dam: McpCall.Dam) =>
  Effect.gen(function* () {
    const call = yield* McpCall.make(dam)
    const client = yield* McpTest.makeClient(McpTools.layer(call), { protocols: [McpProtocol.v2025_11_25] })
    const use = (name: string, given: { readonly [name: string]: unknown } = {}) =>
      Effect.map(client.callTool({ name, arguments: given }), ({ content, isError, structuredContent }) => {
        const [said] = content
        return {
          isError: isError === true,
          said: said !== undefined && "text" in said ? said.text : "",
          structuredContent
        }
      })
    return { client, use }
  }).pipe(Effect.provide(FetchHttpClient.layer))

/** As far as it is looked at. */
interface JsonSchema {
  readonly description?: string
  readonly properties?: { readonly [name: string]: JsonSchema }
  readonly additionalProperties?: unknown
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly items?: JsonSchema
}

const url = "https://api.example.com/orders?key=canary-in-url"

const jobIdOf = (answer: { readonly structuredContent?: unknown }): string => {
  const content = answer.structuredContent
  assert.isTrue(typeof content === "object" && content !== null && "job_id" in content)
  return typeof content === "object" && content !== null && "job_id" in content ? String(content.job_id) : ""
}

describe("the tools of an agent", () => {
  it.live("say of each whether it changes anything", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { client } = yield* agent({ url: dam.url, apiKey: undefined })
      const { tools } = yield* client.listTools()
      const reading = tools.filter(({ annotations }) => annotations?.readOnlyHint === true).map(({ name }) => name)
      assert.deepStrictEqual(reading, [
        "get_batch",
        "get_job",
        "wait_for_job",
        "explain_job",
        "list_jobs",
        "list_failures",
        "list_lanes",
        "list_limits",
        "health",
        "list_schedules",
        "get_schedule"
      ])
      assert.deepStrictEqual(
        tools.map(({ name }) => name).filter((name) => !reading.includes(name)),
        [
          "enqueue_job",
          "enqueue_batch",
          "bulk_jobs",
          "change_job",
          "put_schedule",
          "pause_schedule",
          "resume_schedule",
          "run_schedule",
          "delete_schedule"
        ]
      )
      const destroying = tools
        .filter(({ annotations }) => annotations?.destructiveHint === true)
        .map(({ name }) => name)
      assert.deepStrictEqual(destroying, ["bulk_jobs", "delete_schedule"])
    })
  )

  it.live("describe every argument, at every depth, and take no other", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { client, use } = yield* agent({ url: dam.url, apiKey: undefined })
      const { tools } = yield* client.listTools()
      const bare: Array<string> = []
      const look = (path: string, schema: JsonSchema): void => {
        for (const [name, property] of Object.entries(schema.properties ?? {})) {
          if (property.description === undefined) bare.push(`${path}.${name}`)
          look(`${path}.${name}`, property)
        }
        if (schema.properties !== undefined) assert.isFalse(schema.additionalProperties, path)
        for (const part of schema.anyOf ?? []) look(path, part)
        if (schema.items !== undefined) look(`${path}[]`, schema.items)
      }
      for (const { inputSchema, name } of tools) look(name, JSON.parse(JSON.stringify(inputSchema)))
      assert.deepStrictEqual(bare, [])
      const misspelt = yield* use("enqueue_job", { url, metod: "POST" })
      assert.isTrue(misspelt.isError)
      assert.match(misspelt.said, /"metod"/)
    })
  )

  it.live("take null for what is left out", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: dam.url, apiKey: undefined })
      const id = jobIdOf(yield* use("enqueue_job", { url, method: null, headers: null, body: null, webhooks: null }))
      assert.include((yield* use("get_job", { job_id: id })).said, '"method":"GET"')
      assert.include((yield* use("list_jobs", { status: null, lane: null, limit: null, cursor: null })).said, id)
      assert.isFalse((yield* use("list_lanes", { cursor: null })).isError)
      assert.include((yield* use("list_limits", {})).said, '"limits":[]')
      const drawing = yield* use("enqueue_job", { url, limits: [{ name: "none", key: null, cost: 5 }] })
      assert.match(drawing.said, /limits\[0\]/)
    })
  )

  it.live("hand several calls over as a batch, and act on all of it after looking", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: dam.url, apiKey: undefined })
      const jobs = [{ url }, { url, method: "POST", body: null }, { url: "http://127.0.0.1/" }]
      const batch = yield* use("enqueue_batch", { batch_id: "b", together: null, jobs })
      assert.match(batch.said, /"accepted":2.*"refused":1/)
      assert.include((yield* use("get_batch", { batch_id: "b" })).said, '"line":3')
      assert.match((yield* use("bulk_jobs", { action: "cancel", dry_run: true, batch: "b", q: null })).said, /"jobs":2/)
      assert.match((yield* use("bulk_jobs", { action: "cancel", dry_run: false, batch: "b" })).said, /"jobs":2/)
      assert.strictEqual((yield* dam.store.stats).jobs.cancelled, 2)
    })
  )

  it.live("delay a job, and define, show, pause, run and delete schedules", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: dam.url, apiKey: undefined })
      const told = (name: string, given: { readonly [name: string]: unknown } = {}) =>
        Effect.map(use(name, given), ({ isError, said }) => (isError ? assert.fail(said) : JSON.parse(said)))
      const delayed = yield* told("enqueue_job", { url, delay_ms: 60_000, start_before: Date.now() + 86_400_000 })
      assert.strictEqual((yield* told("get_job", { job_id: delayed.job_id })).status, "scheduled")
      const job = { url, headers: { authorization: "Bearer s3cret" }, delay_ms: null, limits: null }
      const put = yield* told("put_schedule", {
        name: "a b",
        cron: "30 2 * * *",
        zone: "Europe/Berlin",
        every_ms: null,
        job
      })
      assert.deepInclude(put, { name: "a b", state: "active" })
      assert.lengthOf(put.next, 5)
      assert.strictEqual((yield* told("list_schedules")).schedules[0].name, "a b")
      assert.strictEqual((yield* told("pause_schedule", { name: "a b" })).state, "paused")
      assert.strictEqual((yield* told("run_schedule", { name: "a b" })).fired, 1)
      assert.strictEqual((yield* told("resume_schedule", { name: "a b" })).state, "active")
      assert.deepInclude(yield* told("get_schedule", { name: "a b" }), { fired: 1 })
      assert.deepStrictEqual(yield* told("delete_schedule", { name: "a b" }), { deleted: "a b" })
      const gone = yield* use("get_schedule", { name: "a b" })
      assert.match(gone.said, /there is no schedule of this name/)
      const odd = yield* use("put_schedule", { name: "odd", cron: "0 22-2 * * *", job: { url } })
      assert.match(odd.said, /cron: hour: range goes backwards; write 22-23,0-2 \(field cron\)/)
    })
  )

  it.live("wait no longer than clients do, and say what to do about a job that is not there", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: dam.url, apiKey: undefined })
      assert.isTrue((yield* use("wait_for_job", { job_id: "any", timeout_seconds: 46 })).isError)
      const unknown = yield* use("wait_for_job", { job_id: "job_00000000000000000000000000", timeout_seconds: 45 })
      assert.match(unknown.said, /job not found; look for its id with list_jobs, or enqueue it again/)
    })
  )

  it.live("hand a call over once for one key, and find the job again", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: `${dam.url}/`, apiKey: undefined })
      const job = { url, method: "POST", body: "b", idempotent_key: "k", metadata: { order: 7 } }
      const id = jobIdOf(yield* use("enqueue_job", job))
      assert.strictEqual(jobIdOf(yield* use("enqueue_job", job)), id)
      const shown = yield* use("get_job", { job_id: id })
      assert.include(shown.said, '"status":"queued"')
      const listed = yield* use("list_jobs", { status: ["queued", "running"], limit: 5 })
      assert.include(listed.said, id)
      assert.notInclude((yield* use("list_jobs", { status: ["failed"] })).said, id)
      assert.notInclude((yield* use("list_jobs", { parent: id })).said, id)
      assert.notInclude((yield* use("list_jobs", { rerun_of: id, lane: "api.example.com:443" })).said, id)
    })
  )

  it.live("tell what fails", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: dam.url, apiKey: undefined })
      const id = jobIdOf(yield* use("enqueue_job", { url }))
      yield* dam.runs.end(id, yield* dam.runs.start(id), 503)
      const { said } = yield* use("list_failures", { host: "api.example.com", sort: "largest", from: 1, to: null })
      assert.include(said, `"newest_job_id":"${id}"`)
      assert.include((yield* use("list_failures", { host: "other.example.com" })).said, '"failures":[]')
      assert.isTrue((yield* use("list_failures", { limit: 101 })).isError)
    })
  )

  it.live("wait for the result", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: dam.url, apiKey: undefined })
      const id = jobIdOf(yield* use("enqueue_job", { url }))
      const waiting = yield* Effect.forkChild(use("wait_for_job", { job_id: id, timeout_seconds: 45 }))
      yield* dam.runs.end(id, yield* dam.runs.start(id), 200)
      const { said } = yield* Fiber.join(waiting)
      assert.include(said, '"status":"succeeded"')
    })
  )

  it.effect("ask again while the job goes on, in polls that no proxy gives up on, until the time is over", () =>
    Effect.gen(function* () {
      const polls = yield* Queue.unbounded<number>()
      const call: McpCall.Call = (_, path) =>
        Effect.gen(function* () {
          const wait = Number(path.split("=")[1])
          yield* Effect.andThen(Queue.offer(polls, wait), Effect.sleep(wait))
          return { job_id: "j", status: "queued" }
        })
      const client = yield* McpTest.makeClient(McpTools.layer(call), { protocols: [McpProtocol.v2025_11_25] })
      const wait = { name: "wait_for_job", arguments: { job_id: "j", timeout_seconds: 45 } }
      const waiting = yield* Effect.forkChild(client.callTool(wait))
      for (const expected of [20_000, 20_000, 5_000]) {
        assert.strictEqual(yield* Queue.take(polls), expected)
        yield* TestClock.adjust(expected)
      }
      const { structuredContent } = yield* Fiber.join(waiting)
      assert.deepStrictEqual(structuredContent, { job_id: "j", status: "queued" })
    })
  )

  it.live("say what was wrong and what to do", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: dam.url, apiKey: undefined })
      const unknown = yield* use("get_job", { job_id: "nobody" })
      assert.deepInclude(unknown, { isError: true })
      assert.match(unknown.said, /job/)
      const refused = yield* use("enqueue_job", { url: "http://127.0.0.1/" })
      assert.isTrue(refused.isError)
      assert.match(refused.said, /127\.0\.0\.1/)
      const gone = yield* agent({ url: "http://127.0.0.1:1", apiKey: Redacted.make("canary-key") })
      assert.deepStrictEqual(yield* gone.use("health"), {
        isError: true,
        said: 'the dam at http://127.0.0.1:1 cannot be reached; start it with "ezthrottle dam", then repeat',
        structuredContent: undefined
      })
    })
  )

  it.live("show no secret, though it is in a URL", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { use } = yield* agent({ url: dam.url, apiKey: undefined })
      const headers = { authorization: "Bearer canary-token" }
      const id = jobIdOf(yield* use("enqueue_job", { url, headers }))
      for (const name of ["get_job", "list_jobs"]) {
        const { said } = yield* use(name, name === "get_job" ? { job_id: id } : {})
        assert.include(said, "https://api.example.com/orders?key=redacted")
        assert.notInclude(said, "canary")
      }
    })
  )
})

describe("what an agent is shown", () => {
  it("hides secrets by name at any depth, credentials in URLs, and cuts long texts", () => {
    assert.deepStrictEqual(
      McpView.shown({
        response: { headers: { "set-cookie": "s", "X-Api-Key": "k", server: "x" }, body: "y".repeat(4010) },
        deliveries: [{ url: "https://me:pw@hooks.example/a?b=c" }, { url: "no url" }],
        count: 1
      }),
      {
        response: {
          headers: { "set-cookie": "<redacted>", "X-Api-Key": "<redacted>", server: "x" },
          body: `${"y".repeat(4000)}… (10 characters left out)`
        },
        deliveries: [{ url: "https://redacted@hooks.example/a?b=redacted" }, { url: "no url" }],
        count: 1
      }
    )
  })
})

describe("a refusal", () => {
  const answering = (status: number, headers: Readonly<Record<string, string>>, body: string) =>
    Effect.flip(
      Effect.flatMap(McpCall.make({ url: "http://dam.example", apiKey: Redacted.make("canary-key") }), (call) =>
        call("GET", "/health")
      ).pipe(
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, () => Promise.resolve(new Response(body, { status, headers })))
      )
    )

  it.effect.each([
    [
      429,
      { "retry-after": "12" },
      '{"error":"full","limit_reason":"queued_jobs","limit":5,"current":5}',
      "full (queued_jobs: 5 of 5); retry in 12 s"
    ],
    [503, {}, '{"error":"the disk is full","code":"storage_full"}', "the disk is full; retry in 10 s"],
    [
      401,
      {},
      '{"error":"canary-key is no key"}',
      "<redacted> is no key; set EZTHROTTLE_API_KEY to a key of this dam, or pass --api-key"
    ],
    [502, {}, "<html>", "the dam answered 502"],
    [200, {}, "<html>", "what answers at http://dam.example is no dam: its answer is no JSON object"]
  ] as const)("of %d tells a model what to do", ([status, headers, body, said]) =>
    Effect.map(answering(status, headers, body), ({ message }) => assert.strictEqual(message, said))
  )
})

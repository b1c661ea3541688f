import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Idempotency from "../../../../src/engine/Idempotency.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const url = "https://api.example.com/orders"

const ask = (dam: Dam, path: string, body?: object, headers: Readonly<Record<string, string>> = {}, method?: string) =>
  Effect.promise(async () => {
    const answer = await fetch(dam.url + path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { "content-type": "application/json", ...headers }
    })
    return { status: answer.status, json: JSON.parse(await answer.text()) }
  })

const post = (dam: Dam, path: string) => ask(dam, path, undefined, {}, "POST")

const submit = (dam: Dam, body: object, headers?: Readonly<Record<string, string>>) =>
  ask(dam, "/api/v1/jobs", body, headers)

const flatJob = { user_id: "u1", idempotent_key: "k1", url, method: "POST", webhook_url: "https://hooks.example.com/" }

describe("POST /api/v1/jobs", () => {
  it.live("answers 201 with the id, the status and the key", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json, status } = yield* submit(dam, { url, method: "POST", body: "b" })
      assert.strictEqual(status, 201)
      assert.deepStrictEqual(json, {
        job_id: json.job_id,
        status: "queued",
        idempotent_key: Idempotency.hash({ method: "POST", url, body: "b" }),
        queued_at: (yield* dam.store.get(json.job_id))?.createdAt
      })
      assert.strictEqual((yield* dam.store.get(json.job_id))?.state, "queued")
    })
  )

  it.live("makes a call of its own for each who asks, and joins only the same caller's", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const me = (authorization: string) => submit(dam, { url, headers: { authorization } })
      const first = yield* me("first")
      const second = yield* me("second")
      assert.deepStrictEqual([first.status, second.status], [201, 201])
      const again = yield* me("first")
      assert.deepStrictEqual([again.status, again.json.job_id], [200, first.json.job_id])
      const nobody = yield* submit(dam, { url })
      assert.strictEqual(nobody.status, 201)
      const own = yield* submit(dam, {
        url,
        headers: { authorization: "third" },
        idempotent_key: first.json.idempotent_key
      })
      assert.deepStrictEqual([own.status, own.json.code], [422, "credentials_differ"])
    })
  )

  it.live("neither runs nor answers an unsafe call that was submitted with other credentials", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      for (const [path, more] of [
        ["/api/v1/jobs", {}],
        ["/jobs", { user_id: "u1", webhook_url: "https://hooks.example.com/" }]
      ] as const) {
        const order = (token: string, key?: string) =>
          ask(dam, path, {
            ...more,
            url: `${url}${path}`,
            method: "POST",
            body: "1",
            headers: { "Private-Token": token },
            idempotent_key: key ?? Idempotency.hash({ method: "POST", url: `${url}${path}`, body: "1" })
          })
        const first = yield* order("ann")
        yield* dam.runs.end(first.json.job_id, yield* dam.runs.start(first.json.job_id), 200, "ann's page")
        const { json, status } = yield* order("bob")
        assert.deepStrictEqual([status, json.code, json.job_id], [422, "credentials_differ", first.json.job_id])
        assert.notInclude(JSON.stringify(json), "page")
        assert.strictEqual((yield* order("ann")).json.job_id, first.json.job_id)
        assert.notStrictEqual((yield* order("bob", "bobs")).json.job_id, first.json.job_id)
      }
    })
  )

  it.live("says racing for several regions in race mode only", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const regions = ["iad", "lax"]
      const statusOf = (more: object) =>
        Effect.map(submit(dam, { url: `${url}/${JSON.stringify(more).length}`, ...more }), ({ json }) => json.status)
      assert.strictEqual(yield* statusOf({ regions }), "racing")
      assert.strictEqual(yield* statusOf({ regions, execution_mode: "fanout" }), "queued")
      assert.strictEqual(yield* statusOf({ regions: ["iad"] }), "queued")
    })
  )

  it.live("calls a job that waits for its time queued, and shows it as scheduled", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const later = Date.now() + 3_600_000
      const { json } = yield* submit(dam, { url, retry_at: later })
      assert.strictEqual(json.status, "queued")
      const shown = (yield* ask(dam, `/api/v1/jobs/${json.job_id}`)).json
      assert.deepStrictEqual([shown.status, shown.due_at], ["scheduled", later])
    })
  )

  it.live("answers a duplicate with 200, how the first job stands, and its result when it has one", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json: first } = yield* submit(dam, { url })
      const again = yield* submit(dam, { url })
      assert.deepStrictEqual([again.status, again.json], [200, { ...first, duplicate: true }])
      const epoch = yield* dam.runs.start(first.job_id)
      assert.strictEqual((yield* submit(dam, { url })).json.status, "running")
      yield* dam.runs.end(first.job_id, epoch, 200, "fine")
      const { json } = yield* submit(dam, { url })
      assert.deepInclude(json, { job_id: first.job_id, status: "succeeded", duplicate: true, error: null })
      assert.deepStrictEqual(json.response, {
        status_code: 200,
        headers: { "content-type": "text/plain" },
        body: "fine"
      })
    })
  )

  it.live("refuses a given key with another url, method or body", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const key = { "Idempotency-Key": "mine" }
      const { json } = yield* submit(dam, { url }, key)
      for (const other of [{ url: `${url}?a` }, { url, method: "PUT" }, { url, body: "b" }]) {
        const refused = yield* submit(dam, other, key)
        assert.strictEqual(refused.status, 422)
        assert.deepInclude(refused.json, { code: "key_reused", job_id: json.job_id })
      }
      assert.strictEqual((yield* submit(dam, { url }, key)).status, 200)
    })
  )

  it.live("makes one job of 1,000 equal submissions at once", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const answers = yield* Effect.forEach(Array.from({ length: 1000 }), () => submit(dam, { url }), {
        concurrency: 100
      })
      assert.strictEqual(new Set(answers.map(({ json }) => json.job_id)).size, 1)
      assert.strictEqual(answers.filter(({ status }) => status === 201).length, 1)
    })
  )

  it.live("takes a body that is not text, and shows an answer that is not text", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* submit(dam, { url, method: "PUT", body_base64: "AP/+" })
      assert.deepStrictEqual((yield* dam.store.get(json.job_id))?.step.request.body, Uint8Array.of(0, 255, 254))
    })
  )
})

describe("one job", () => {
  it.live("is shown with its state, its answer and nothing of its headers", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* submit(dam, {
        url,
        headers: { authorization: "Bearer s3cret" },
        metadata: { order: "7" }
      })
      yield* dam.runs.end(json.job_id, yield* dam.runs.start(json.job_id), 503, "no")
      const shown = yield* ask(dam, `/api/v1/jobs/${json.job_id}`)
      assert.deepInclude(shown.json, {
        job_id: json.job_id,
        status: "failed",
        delivery_status: "none",
        method: "GET",
        url,
        lane: "api.example.com:443",
        error: "the target answered 503",
        error_tag: "Rejected",
        response_status: 503,
        metadata: { order: "7" },
        attempts: [],
        deliveries: []
      })
      assert.notInclude(JSON.stringify(shown.json), "s3cret")
    })
  )

  it.live("is waited for until it has ended", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* submit(dam, { url })
      const epoch = yield* dam.runs.start(json.job_id)
      const waiting = yield* Effect.forkChild(ask(dam, `/api/v1/jobs/${json.job_id}/wait?timeout_ms=60000`), {
        startImmediately: true
      })
      yield* dam.runs.end(json.job_id, epoch, 200)
      const { json: ended, status } = yield* Fiber.join(waiting)
      assert.deepStrictEqual([status, ended.status, ended.response.body], [200, "succeeded", "done"])
    })
  )

  it.live("is shown as it stands when the wait is over before it", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* submit(dam, { url })
      const { json: shown, status } = yield* ask(dam, `/api/v1/jobs/${json.job_id}/wait?timeout_ms=20`)
      assert.deepStrictEqual([status, shown.status], [200, "queued"])
      assert.strictEqual((yield* ask(dam, `/api/v1/jobs/${json.job_id}/wait?timeout_ms=-1`)).status, 400)
    })
  )

  it.live("is cancelled once", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* submit(dam, { url })
      const first = yield* post(dam, `/api/v1/jobs/${json.job_id}/cancel`)
      assert.deepStrictEqual([first.status, first.json.status], [200, "cancelled"])
      const second = yield* post(dam, `/api/v1/jobs/${json.job_id}/cancel`)
      assert.deepStrictEqual([second.status, second.json.code, second.json.state], [409, "wrong_state", "cancelled"])
    })
  )

  it.live("is let go before its time, and refused where it does not wait", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* submit(dam, { url, retry_at: Date.now() + 3_600_000 })
      const path = `/api/v1/jobs/${json.job_id}/run-now`
      const first = yield* post(dam, path)
      assert.deepStrictEqual([first.status, first.json.status], [200, "queued"])
      yield* dam.runs.start(json.job_id)
      const second = yield* post(dam, path)
      assert.deepStrictEqual([second.status, second.json.code, second.json.state], [409, "wrong_state", "running"])
    })
  )

  it.live("is run again as a new job that leaves the key with the first", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* submit(dam, { url, on_success: { url } }, { "Idempotency-Key": "mine" })
      yield* dam.runs.end(json.job_id, yield* dam.runs.start(json.job_id), 500)
      const again = yield* post(dam, `/api/v1/jobs/${json.job_id}/rerun`)
      assert.strictEqual(again.status, 201)
      assert.deepStrictEqual(again.json, {
        job_id: again.json.job_id,
        status: "queued",
        idempotent_key: "mine",
        queued_at: (yield* dam.store.get(again.json.job_id))?.createdAt,
        rerun_of: json.job_id
      })
      assert.notStrictEqual(again.json.job_id, json.job_id)
      assert.isDefined((yield* dam.store.get(again.json.job_id))?.step.onSuccess)
      const related = yield* ask(dam, `/api/v1/jobs?rerun_of=${json.job_id}`)
      assert.deepStrictEqual(
        related.json.jobs.map(({ job_id, rerun_of }: Record<string, string>) => [job_id, rerun_of]),
        [[again.json.job_id, json.job_id]]
      )
      assert.deepStrictEqual((yield* ask(dam, `/api/v1/jobs?parent=${json.job_id}`)).json.jobs, [])
      const named = yield* submit(dam, { url }, { "Idempotency-Key": "mine" })
      assert.strictEqual(named.json.job_id, json.job_id)
    })
  )
})

describe("the list of jobs", () => {
  it.live("is filtered, and read page by page", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const ids: Array<string> = []
      for (const order of ["1", "2", "3"]) {
        ids.unshift((yield* submit(dam, { url: `${url}/${order}`, metadata: { order, shop: "a" } })).json.job_id)
      }
      yield* dam.runs.start(ids[0] ?? "")
      const listed = (query: string) =>
        Effect.map(ask(dam, `/api/v1/jobs${query}`), ({ json }) => ({
          ids: json.jobs.map((job: { readonly job_id: string }) => job.job_id),
          cursor: json.cursor
        }))
      assert.deepStrictEqual((yield* listed("")).ids, ids)
      assert.deepStrictEqual((yield* listed("?status=running")).ids, ids.slice(0, 1))
      assert.deepStrictEqual((yield* listed("?status=running&status=queued")).ids, ids)
      assert.deepStrictEqual((yield* listed("?metadata=order:2&metadata=shop:a")).ids, ids.slice(1, 2))
      assert.deepStrictEqual((yield* listed("?lane=other.example.com:443")).ids, [])
      const page = yield* listed("?limit=2")
      assert.deepStrictEqual(page.ids, ids.slice(0, 2))
      assert.deepStrictEqual(yield* listed(`?limit=2&cursor=${page.cursor}`), { ids: ids.slice(2), cursor: null })
      for (const bad of ["?status=done", "?limt=1", "?created_from=-1", "?metadata=novalue", "?limit=1&limit=2"]) {
        const refused = yield* ask(dam, `/api/v1/jobs${bad}`)
        assert.deepStrictEqual([refused.status, refused.json.code], [400, "invalid_field"], bad)
      }
    })
  )
})

describe("the flat dialect", () => {
  it.live("answers 201, then 200 for the same key whatever the payload, and shows the job", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const first = yield* ask(dam, "/jobs", flatJob)
      assert.deepStrictEqual(
        [first.status, first.json],
        [
          201,
          {
            job_id: first.json.job_id,
            status: "queued",
            queued_at: (yield* dam.store.get(first.json.job_id))?.createdAt
          }
        ]
      )
      const again = yield* ask(dam, "/jobs", { ...flatJob, body: "another" })
      assert.deepStrictEqual([again.status, again.json], [200, { ...first.json, duplicate: true }])
      assert.strictEqual((yield* ask(dam, "/jobs", { ...flatJob, user_id: "u2" })).status, 201)
      const shown = yield* ask(dam, `/jobs/${first.json.job_id}`)
      assert.strictEqual(shown.status, 200)
      const { queued_at: _, ...state } = first.json
      assert.deepStrictEqual(shown.json, { ...state, url, method: "POST", created_at: shown.json.created_at })
      const unknown = yield* ask(dam, "/jobs/job_00000000000000000000000000")
      assert.deepStrictEqual([unknown.status, unknown.json.error], [404, "job not found"])
    })
  )

  it.live("names states in its own words", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* ask(dam, "/jobs", flatJob)
      const status = Effect.map(ask(dam, `/jobs/${json.job_id}`), (shown) => shown.json.status)
      const epoch = yield* dam.runs.start(json.job_id)
      assert.strictEqual(yield* status, "in_flight")
      yield* dam.runs.end(json.job_id, epoch, 404, "gone")
      assert.strictEqual(yield* status, "completed")
      const again = yield* ask(dam, "/jobs", flatJob)
      assert.deepInclude(again.json, { status: "completed", response_status: 404, body: "gone" })
    })
  )

  it.live("streams what happens, over HTTP", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* ask(dam, "/jobs", flatJob)
      const opened = yield* Effect.promise(() => fetch(`${dam.url}/jobs/${json.job_id}/stream`))
      assert.strictEqual(opened.headers.get("content-type"), "text/event-stream")
      yield* dam.runs.end(json.job_id, yield* dam.runs.start(json.job_id), 201, "made")
      const text = yield* Effect.promise(() => opened.text())
      const events = [...text.matchAll(/^event: (\w+)$/gm)]
        .map(([, name]) => name)
        .filter((name) => name !== "position")
      assert.deepStrictEqual(events, ["queued", "dispatching", "completed"])
      assert.include(text, `data: {"job_id":"${json.job_id}","response_status":201,"body":"made"}`)
    })
  )
})

describe("GET /api/v1/jobs?q=", () => {
  it.live("finds what somebody types, in either order, and counts it", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const filed = (path: string, metadata = {}) =>
        Effect.map(submit(dam, { url: `https://api.example.com${path}`, metadata }), ({ json }) => json.job_id)
      const one = yield* filed("/orders/1", { order: "1" })
      const two = yield* filed("/orders/2", { order: "2" })
      const list = (query: string) =>
        Effect.map(ask(dam, `/api/v1/jobs?${query}`), ({ json, status }) => {
          assert.strictEqual(status, 200)
          return { ids: json.jobs.map((job: { job_id: string }) => job.job_id), matches: json.matches }
        })
      assert.deepStrictEqual(yield* list("q=api.example.com/orders/&count=true"), {
        ids: [two, one],
        matches: { jobs: 2, is_exact: true }
      })
      assert.deepStrictEqual(yield* list("q=api.example.com&sort=oldest&limit=1&count=true"), {
        ids: [one],
        matches: { jobs: 2, is_exact: true }
      })
      assert.deepStrictEqual(yield* list(`q=${one}`), { ids: [one], matches: undefined })
      assert.deepStrictEqual((yield* list("q=order%3D2")).ids, [two])
      assert.deepStrictEqual((yield* list("q=orders%2F1")).ids, [one])
      assert.strictEqual((yield* ask(dam, "/api/v1/jobs?sort=best")).status, 400)
      assert.strictEqual((yield* ask(dam, `/api/v1/jobs?q=${"x".repeat(501)}`)).status, 400)
    })
  )
})

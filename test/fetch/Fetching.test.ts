import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fetching from "../../src/fetch/Fetching.ts"
import { fake, fed, json, refused, turn } from "./support.ts"

const url = "https://api.example.com/things"

describe("fetch, paced", () => {
  it.effect("holds back what was to follow a refusal, and makes the refused call again", () =>
    Effect.gen(function* () {
      const { fetch, sent } = yield* fake((nth) => (nth === 1 ? refused(5) : new Response("ok")))
      const call = Fetching.make({ fetch, pace: { rps: 20, maxConcurrent: 5 } })
      const calls = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 40 }, () => call(url)),
          { concurrency: 40 }
        )
      )
      yield* turn(4900)
      assert.isAtMost(sent.length, 2)
      yield* turn(10_000)
      const answers = yield* Fiber.join(calls)
      assert.isTrue(answers.every(({ status }) => status === 200))
      assert.isAtMost(sent.length, 42)
    })
  )

  it.effect("answers a refusal that lasts as it came", () =>
    Effect.gen(function* () {
      const { fetch, sent } = yield* fake(() => refused())
      const calls = yield* Effect.forkChild(Fetching.make({ fetch, retry: { maxRetries: 2 } })(url))
      yield* turn(60_000, 500)
      const answer = yield* Fiber.join(calls)
      assert.strictEqual(answer.status, 429)
      assert.strictEqual(yield* Effect.promise(() => answer.text()), "slow down")
      assert.strictEqual(sent.length, 3)
    })
  )

  it.effect("makes no call again that a wait longer than the patience is asked for, nor those behind it", () =>
    Effect.gen(function* () {
      const { fetch, sent } = yield* fake(() => refused(600))
      const call = Fetching.make({ fetch })
      const calls = yield* Effect.forkChild(Effect.all([call(url), call(url)]))
      yield* turn(1000)
      const [first, second] = yield* Fiber.join(calls)
      assert.deepStrictEqual([first?.status, second?.status], [429, 429])
      assert.strictEqual(sent.length, 1)
      assert.isAtLeast(Number(second?.headers.get("retry-after")), 599)
    })
  )

  it.effect("repeats an unsafe call after a refusal, and after anything else only with a key that is sent", () =>
    Effect.gen(function* () {
      const attempts = Effect.fnUntraced(function* (first: Response | Error, init: RequestInit) {
        const { fetch, sent } = yield* fake((nth) => (nth === 1 ? first : new Response("ok")))
        const calls = yield* Effect.forkChild(Effect.exit(Fetching.make({ fetch })(url, init)))
        yield* turn(10_000)
        yield* Fiber.join(calls)
        return sent.length
      })
      const post = { method: "POST", body: "{}" }
      const keyed = { ...post, headers: { "Idempotency-Key": "one" } }
      const later = { status: 503, headers: { "retry-after": "1" } }
      assert.strictEqual(yield* attempts(refused(1), post), 2)
      assert.strictEqual(yield* attempts(new Response("", later), post), 2)
      assert.strictEqual(yield* attempts(new Response("", { status: 503 }), post), 1)
      assert.strictEqual(yield* attempts(new Response("", { status: 500 }), post), 1)
      assert.strictEqual(yield* attempts(new Response("", { status: 500 }), keyed), 2)
      assert.strictEqual(yield* attempts(new TypeError("fetch failed"), post), 1)
      assert.strictEqual(yield* attempts(new TypeError("fetch failed"), keyed), 2)
      assert.strictEqual(yield* attempts(new TypeError("fetch failed"), {}), 2)
      assert.strictEqual(yield* attempts(new Response("", { status: 404 }), {}), 1)
      const expired = new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "CERT_HAS_EXPIRED" }) })
      assert.strictEqual(yield* attempts(expired, {}), 1)
    })
  )

  it.effect("never sends a streamed body twice, and everything else as it was", () =>
    Effect.gen(function* () {
      const bodies = Effect.fnUntraced(function* (make: () => readonly [string | Request, RequestInit?]) {
        const { fetch, sent } = yield* fake((nth) => (nth === 1 ? refused(1) : new Response("ok")))
        const calls = yield* Effect.forkChild(Fetching.make({ fetch })(...make()))
        yield* turn(5000)
        yield* Fiber.join(calls)
        return sent.map(({ body }) => body)
      })
      const post = { method: "POST" }
      const stream = () => new Blob(["streamed"]).stream()
      const half = { ...post, duplex: "half" }
      const typed = { ...post, body: "{}", headers: { "content-type": "application/json" } }
      assert.deepStrictEqual(yield* bodies(() => [url, { ...half, body: stream() }]), ["streamed"])
      assert.deepStrictEqual(yield* bodies(() => [new Request(url, { ...half, body: stream() } as RequestInit)]), [
        "streamed"
      ])
      assert.deepStrictEqual(yield* bodies(() => [url, { ...post, body: "text" }]), ["text", "text"])
      assert.deepStrictEqual(yield* bodies(() => [url, { ...post, body: new URLSearchParams({ a: "1" }) }]), [
        "a=1",
        "a=1"
      ])
      assert.deepStrictEqual(yield* bodies(() => [url, { ...post, body: new Uint8Array([104, 105]) }]), ["hi", "hi"])
      assert.deepStrictEqual(yield* bodies(() => [url, { ...post, body: new Blob(["file"]) }]), ["file", "file"])
      assert.deepStrictEqual(yield* bodies(() => [new Request(url, typed)]), ["{}", "{}"])
    })
  )

  it.effect("streams an answer while it comes, and counts the call as open until its body has ended", () =>
    Effect.gen(function* () {
      const body = fed()
      const { fetch, sent } = yield* fake((nth) =>
        nth === 1
          ? new Response(body.stream, { headers: { "content-type": "text/event-stream" } })
          : new Response("next")
      )
      const call = Fetching.make({ fetch, pace: { rps: 100, maxConcurrent: 1 } })
      const answer = yield* call(url)
      const second = yield* Effect.forkChild(call(url))
      yield* turn(500)
      assert.strictEqual(sent.length, 1)
      const reader = answer.body?.getReader()
      const read = () => Effect.promise(async () => new TextDecoder().decode((await reader?.read())?.value))
      body.say("data: 1\n\n")
      assert.strictEqual(yield* read(), "data: 1\n\n")
      body.say("data: 2\n\n")
      assert.strictEqual(yield* read(), "data: 2\n\n")
      yield* turn(500)
      assert.strictEqual(sent.length, 1)
      body.end()
      yield* turn(500)
      assert.strictEqual(sent.length, 2)
      assert.strictEqual(
        yield* Effect.promise(async () => (await Effect.runPromise(Fiber.join(second))).text()),
        "next"
      )
    })
  )

  it.effect("gives the place of a call back when its body is cancelled, breaks off, or is short and not read", () =>
    Effect.gen(function* () {
      const broken = fed()
      const cancelled = fed()
      const { fetch, sent } = yield* fake((nth) =>
        nth === 1 ? new Response(cancelled.stream) : nth === 2 ? new Response(broken.stream) : new Response("short")
      )
      const call = Fetching.make({ fetch, pace: { rps: 100, maxConcurrent: 1 } })
      const first = yield* call(url)
      yield* Effect.promise(async () => first.body?.cancel())
      const second = yield* Effect.forkChild(call(url))
      yield* turn(100)
      const answer = yield* Fiber.join(second)
      broken.fail(new Error("broken"))
      const message = yield* Effect.promise(() => answer.text().then(String, (error: Error) => error.message))
      assert.strictEqual(message, "broken")
      const rest = yield* Effect.forkChild(Effect.all([call(url), call(url), call(url)]))
      yield* turn(200)
      yield* Fiber.join(rest)
      assert.strictEqual(sent.length, 5)
    })
  )

  it.effect("gives the place of a call back when nobody reads its long body for half a minute", () =>
    Effect.gen(function* () {
      const long = () => new Response(new Blob(["x".repeat(500_000)]).stream())
      const { fetch, sent } = yield* fake(long)
      const call = Fetching.make({ fetch, pace: { rps: 100, maxConcurrent: 1 } })
      const first = yield* call(url)
      yield* Effect.forkChild(call(url))
      yield* turn(29_000, 500)
      assert.strictEqual(sent.length, 1)
      yield* turn(2000, 500)
      assert.strictEqual(sent.length, 2)
      assert.strictEqual((yield* Effect.promise(() => first.text())).length, 500_000)
    })
  )

  it.effect("keeps what an answer is: its URL, its cookies, whether it was redirected, in a copy too", () =>
    Effect.gen(function* () {
      const made = new Response("hello", {
        status: 201,
        statusText: "Made",
        headers: [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"]
        ]
      })
      Object.defineProperties(made, { url: { value: `${url}?page=2` }, redirected: { value: true } })
      const { fetch } = yield* fake(() => made)
      const answer = yield* Fetching.make({ fetch })(url)
      const copy = answer.clone()
      for (const { headers, redirected, status, statusText, url: where } of [answer, copy]) {
        assert.deepStrictEqual([status, statusText, where, redirected], [201, "Made", `${url}?page=2`, true])
        assert.deepStrictEqual(headers.getSetCookie(), ["a=1", "b=2"])
      }
      assert.isTrue(answer instanceof Response)
      assert.deepStrictEqual(yield* Effect.promise(() => Promise.all([answer.text(), copy.text()])), ["hello", "hello"])
    })
  )

  it.effect("understands a refusal in a body, and leaves the body to be read", () =>
    Effect.gen(function* () {
      const slack = "https://slack.com/api/chat.postMessage"
      const { fetch, sent } = yield* fake((nth) =>
        nth === 1 ? json({ ok: false, error: "ratelimited" }, { headers: { "retry-after": "2" } }) : json({ ok: true })
      )
      const calls = yield* Effect.forkChild(Fetching.make({ fetch })(slack, { method: "POST", body: "{}" }))
      yield* turn(5000)
      const answer = yield* Fiber.join(calls)
      assert.deepStrictEqual(yield* Effect.promise(() => answer.json()), { ok: true })
      assert.strictEqual(sent.length, 2)
      assert.isAtLeast(sent[1]?.at ?? 0, 2000)
    })
  )

  it.effect("lets calls draw on limits by a table or a function, and settles by JSON, events and headers", () =>
    Effect.gen(function* () {
      const timesOf = Effect.fnUntraced(function* (
        answer: () => Response,
        settle: { readonly json: string } | { readonly header: string },
        isTable: boolean
      ) {
        const { fetch, sent } = yield* fake(answer)
        const limits = { tokens: { rate: 10, burst: 20, settle } }
        const draw = { name: "tokens", cost: 10 }
        const draws = isTable ? { "api.example.com": [draw] } : () => [draw]
        const call = Fetching.make({ fetch, limits, draws })
        const read = Effect.flatMap(call(url), (response) => Effect.promise(() => response.text()))
        const calls = yield* Effect.forkChild(Effect.all([read, read]))
        yield* turn(6000)
        yield* Fiber.join(calls)
        return Math.round(((sent[1]?.at ?? 0) - (sent[0]?.at ?? 0)) / 100)
      })
      const path = { json: "usage.total_tokens" }
      const body = { usage: { total_tokens: 40 } }
      assert.strictEqual(yield* timesOf(() => json(body), path, true), 30)
      assert.strictEqual(yield* timesOf(() => json(body), path, false), 30)
      const events = `data: {"usage":null}\n\ndata: ${JSON.stringify(body)}\n\ndata: [DONE]\n\n`
      const stream = () => new Response(events, { headers: { "content-type": "text/event-stream" } })
      assert.strictEqual(yield* timesOf(stream, path, true), 30)
      const header = () => new Response("", { headers: { "x-cost": "30" } })
      assert.strictEqual(yield* timesOf(header, { header: "X-Cost" }, true), 20)
      assert.isBelow(yield* timesOf(() => json({}), path, true), 10)
    })
  )

  it.effect("leaves to the platform what is no call over HTTP", () =>
    Effect.gen(function* () {
      const { fetch, sent } = yield* fake(() => new Response("ok"))
      const call = Fetching.make({ fetch })
      assert.strictEqual((yield* call("data:text/plain,hi")).status, 200)
      assert.strictEqual(sent.length, 1)
      const rejected = yield* Effect.flip(call("no url at all"))
      assert.isTrue(rejected.cause instanceof TypeError)
    })
  )
})

import type { ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as RemoteService from "../../src/run/RemoteService.ts"
import type { JobResult, ResultSource } from "../../src/run/Service.ts"
import { ServiceError } from "../../src/run/Service.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as EzthrottleApi from "../../src/transport/EzthrottleApi.ts"
import { type Handler, reply, type Seen, serve } from "../transport/RemoteServer.ts"

type Calls = EzthrottleApi.EzthrottleApi["Service"]
type Options = RemoteService.ServiceOptions & EzthrottleApi.Options

const overFetch = (options: Options): Effect.Effect<Calls, never, HttpClient.HttpClient> =>
  Effect.succeed(EzthrottleApi.makeFetch(options))

const overClient = (options: Options): Effect.Effect<Calls, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) => EzthrottleApi.make(client, options))

/** Turns the virtual clock little by little, letting sockets work in between, until the effect is done. */
const turning = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.raceFirst(
    effect,
    Effect.forever(
      Effect.andThen(
        TestClock.adjust("20 millis"),
        Effect.callback<void>((resume) => {
          setImmediate(() => resume(Effect.void))
        })
      )
    )
  )

const done = {
  job_id: "j-1",
  status: "succeeded",
  idempotent_key: "k",
  response: { status_code: 200, headers: { "Content-Type": "image/png" }, body: "", body_base64: "iVD/" },
  metadata: { order_id: 7 }
}

const result: JobResult = {
  jobId: "j-1",
  idempotentKey: "k",
  status: "success",
  response: Reply.response(200, { "content-type": "image/png" }, Uint8Array.of(0x89, 0x50, 0xff)),
  error: undefined,
  metadata: { order_id: 7 }
}

const notFound = { error: "no such job", code: "job_not_found" }

const openStream = (response: ServerResponse, text = "") =>
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" }).write(text)

const event = (id: number, name: string, data: unknown = {}) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`

/** Routes of a service that tells everything, to be replaced one by one. */
const routes =
  (some: { readonly stream?: Handler; readonly wait?: Handler; readonly job?: Handler }): Handler =>
  (seen, response) => {
    const none: Handler = (_, answer) => reply(answer, 404, { error: "not found" })
    const kind = seen.path.endsWith("/stream") ? some.stream : seen.path.includes("/wait?") ? some.wait : some.job
    ;(kind ?? none)(seen, response)
  }

const paths = (requests: ReadonlyArray<Seen>) => requests.map(({ path }) => path)

describe.each([
  ["fetch", overFetch],
  ["an HttpClient", overClient]
])("waiting for the result of a job over %s", (_, make) => {
  const awaiting = (url: string, jobId = "j-1", options: Options = {}) =>
    make({ apiKey: Redacted.make("ck_0123456789"), tracktagsUrl: url, ezthrottleUrl: url, ...options }).pipe(
      Effect.flatMap((calls) => RemoteService.make(calls, options)),
      Effect.flatMap(({ results }) => results.await(jobId))
    )

  it.effect("follows the stream to its last event and takes the result from the job itself", () =>
    Effect.gen(function* () {
      const server = yield* serve(
        routes({
          stream: (_, response) =>
            openStream(
              response,
              `: hello\n\n${event(1, "queued")}${event(2, "position", { position: 1 })}${event(3, "dispatching")}` +
                event(4, "completed", { job_id: "j-1", response_status: 200, body: "not this one" })
            ),
          job: (_, response) => reply(response, 200, done)
        })
      )
      assert.deepStrictEqual(yield* awaiting(server.url), result)
      assert.deepStrictEqual(paths(server.requests), ["/api/v1/jobs/j-1/stream", "/api/v1/jobs/j-1"])
      const [stream] = server.requests
      assert.strictEqual(stream?.headers.accept, "text/event-stream")
      assert.strictEqual(stream?.headers.authorization, "Bearer ck_0123456789")
      assert.isUndefined(stream?.headers["last-event-id"])
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect.each([
    ["failed with an answer", { status: "failed", response: { status_code: 404, body: "gone" } }, 404, undefined],
    [
      "failed without an answer",
      { status: "failed", error: "refused", response: { status_code: 0, headers: {}, body: "" } },
      undefined,
      "refused"
    ],
    ["was cancelled", { status: "cancelled" }, undefined, "cancelled"]
  ] as const)("answers a job that %s as a result too", ([, view, status, error]) =>
    Effect.gen(function* () {
      const server = yield* serve(
        routes({
          stream: (_, response) => openStream(response, event(1, "failed", { job_id: "j-1", reason: "x" })),
          job: (_, response) => reply(response, 200, view)
        })
      )
      const { jobId, ...ended } = yield* awaiting(server.url)
      assert.strictEqual(jobId, "j-1")
      assert.deepStrictEqual([ended.status, ended.response?.status, ended.error], ["failed", status, error])
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("attaches again after a disconnect, from the last event it saw", () =>
    Effect.gen(function* () {
      let attached = 0
      const server = yield* serve(
        routes({
          stream: (_, response) => {
            attached++
            if (attached === 1) openStream(response, event(1, "queued") + event(2, "position") + "event: half")
            if (attached === 2) openStream(response, event(3, "dispatching"))
            if (attached === 3) return openStream(response, event(4, "completed"))
            return attached === 1 ? setImmediate(() => response.destroy()) : response.end()
          },
          job: (_, response) => reply(response, 200, done)
        })
      )
      assert.deepStrictEqual(yield* turning(awaiting(server.url)), result)
      assert.deepStrictEqual(
        server.requests.map(({ headers }) => headers["last-event-id"]),
        [undefined, "2", "3", undefined]
      )
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("waits a second before it attaches again, or as long as the stream asked", () =>
    Effect.gen(function* () {
      let attached = 0
      const server = yield* serve(
        routes({
          stream: (_, response) => {
            attached++
            openStream(response, attached === 1 ? `retry: 5000\n\n${event(1, "queued")}` : event(2, "completed"))
            response.end()
          },
          job: (_, response) => reply(response, 200, done)
        })
      )
      const began = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      yield* turning(awaiting(server.url))
      const took = (yield* Effect.clockWith((clock) => clock.currentTimeMillis)) - began
      assert.isAtLeast(took, 5_000)
      assert.isBelow(took, 8_000)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("leaves a stream that has gone silent for 90 seconds, and attaches again", () =>
    Effect.gen(function* () {
      let attached = 0
      const server = yield* serve(
        routes({
          stream: (_, response) => openStream(response, ++attached === 1 ? event(1, "queued") : event(2, "completed")),
          job: (_, response) => reply(response, 200, done)
        })
      )
      const began = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      assert.deepStrictEqual(yield* turning(awaiting(server.url)), result)
      assert.isAtLeast((yield* Effect.clockWith((clock) => clock.currentTimeMillis)) - began, 90_000)
      assert.strictEqual(attached, 2)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("polls where there is no stream, for less time than one call may take", () =>
    Effect.gen(function* () {
      let asked = 0
      const server = yield* serve(
        routes({
          wait: (_, response) => reply(response, 200, ++asked < 3 ? { job_id: "j-1", status: "running" } : done)
        })
      )
      assert.deepStrictEqual(yield* turning(awaiting(server.url, "j-1", { timeout: "9 seconds" })), result)
      const wait = "/api/v1/jobs/j-1/wait?timeout_ms=6000"
      assert.deepStrictEqual(paths(server.requests), ["/api/v1/jobs/j-1/stream", wait, wait, wait])
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("polls where streams open and say nothing", () =>
    Effect.gen(function* () {
      const server = yield* serve(
        routes({
          stream: (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).end(),
          wait: (_, response) => reply(response, 200, done)
        })
      )
      assert.deepStrictEqual(yield* turning(awaiting(server.url)), result)
      assert.strictEqual(server.requests.at(-1)?.path, "/api/v1/jobs/j-1/wait?timeout_ms=20000")
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("polls on through trouble that passes", () =>
    Effect.gen(function* () {
      const trouble: ReadonlyArray<Handler> = [
        (_, response) => reply(response, 503, "busy"),
        (_, response) => reply(response, 429, { error: "slow down" }),
        (_, response) => response.destroy(),
        (_, response) => reply(response, 200, done)
      ]
      let asked = 0
      const server = yield* serve(routes({ wait: (seen, response) => trouble[asked++]?.(seen, response) }))
      assert.deepStrictEqual(yield* turning(awaiting(server.url)), result)
      assert.strictEqual(asked, 4)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect.each([
    ["the stream knows no such job", { stream: (_, response) => reply(response, 404, notFound) }, "JobNotFound", 1],
    ["the poll knows no such job", { wait: (_, response) => reply(response, 404, notFound) }, "JobNotFound", 2],
    ["nothing tells results", {}, "CannotAwait", 2],
    [
      "no method tells results",
      { stream: (_, response) => reply(response, 405, ""), wait: (_, response) => reply(response, 405, "") },
      "CannotAwait",
      2
    ],
    [
      "the stream refuses the key",
      { stream: (_, response) => reply(response, 401, { error: "no" }) },
      "ServiceDenied",
      1
    ],
    ["the poll refuses the key", { wait: (_, response) => reply(response, 403, { error: "no" }) }, "ServiceDenied", 2],
    ["the poll makes no sense", { wait: (_, response) => reply(response, 200, "<html>") }, "MalformedAnswer", 2]
  ] satisfies ReadonlyArray<readonly [string, Parameters<typeof routes>[0], string, number]>)(
    "fails at once when %s",
    ([, some, tag, requests]) =>
      Effect.gen(function* () {
        const server = yield* serve(routes(some))
        const error = yield* Effect.flip(awaiting(server.url))
        assert.instanceOf(error, ServiceError)
        assert.strictEqual(error.reason._tag, tag)
        assert.strictEqual(server.requests.length, requests)
      }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("leaves it to the receiver where the service tells nothing, and only there", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const receiver: ResultSource = {
        await: (jobId) => {
          asked.push(jobId)
          return Effect.succeed(result)
        }
      }
      const mute = yield* serve(routes({}))
      assert.deepStrictEqual(yield* awaiting(mute.url, "j-1", { receiver }), result)
      assert.deepStrictEqual(asked, ["j-1"])
      const telling = yield* serve(routes({ stream: (_, response) => reply(response, 404, notFound) }))
      const error = yield* Effect.flip(awaiting(telling.url, "j-2", { receiver }))
      assert.strictEqual(error.reason._tag, "JobNotFound")
      assert.deepStrictEqual(asked, ["j-1"])
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("gives up on a service that stays away ten times in a row, with the reason", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => undefined)
      yield* server.stop
      const began = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      const error = yield* Effect.flip(turning(awaiting(server.url)))
      assert.strictEqual(error.reason._tag, "ServiceUnreachable")
      assert.isAtLeast((yield* Effect.clockWith((clock) => clock.currentTimeMillis)) - began, 9_000)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("needs a key", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => undefined)
      const error = yield* Effect.flip(awaiting(server.url, "j-1", { apiKey: undefined }))
      assert.strictEqual(error.reason._tag, "MissingApiKey")
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect.each(["", ".", ".."])("does not take %j for a job", (jobId) =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, done))
      const error = yield* Effect.flip(awaiting(server.url, jobId))
      assert.strictEqual(error.reason._tag, "JobNotFound")
      assert.deepStrictEqual(server.requests, [])
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("closes the stream when it is interrupted", () =>
    Effect.gen(function* () {
      let closed: (() => void) | undefined
      const close = new Promise<void>((resolve) => (closed = resolve))
      const server = yield* serve((_, response) => {
        response.on("close", () => closed?.())
        openStream(response, event(1, "queued"))
      })
      const fiber = yield* Effect.forkChild(awaiting(server.url))
      yield* server.requested(1)
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(() => close)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})

import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Redacted from "effect/Redacted"
import * as RemoteService from "../../src/run/RemoteService.ts"
import { Service, type Secrets } from "../../src/run/Service.ts"
import * as Step from "../../src/step/Step.ts"
import { allowed, type Handler, reply, serve } from "../transport/RemoteServer.ts"

const key = "ck_0123456789"
const one = Redacted.make("whsec_number_one_0123456789")
const two = Redacted.make("whsec_number_two_0123456789")
const short = Redacted.make("fifteen_letters")

/** Runs against a service of its own; answers what the service was sent, beside the result. */
const against = <A, E>(handler: Handler, use: (service: Service["Service"]) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const server = yield* serve(handler)
    const value = yield* Effect.flatMap(Service, use).pipe(
      Effect.provide(
        RemoteService.layer({ apiKey: Redacted.make(key), tracktagsUrl: server.url, ezthrottleUrl: server.url })
      )
    )
    return { value, requests: server.requests, calls: server.requests.map(({ body }) => body && JSON.parse(body)) }
  }).pipe(Effect.provide(FetchHttpClient.layer))

const secrets = <A, E>(handler: Handler, use: (secrets: Secrets) => Effect.Effect<A, E>) =>
  against(handler, (service) => use(service.secrets))

const answering =
  (status: number, body: unknown): Handler =>
  (_, response) =>
    reply(response, 200, allowed(status, body))

const stored = answering(200, { status: "ok", message: "Webhook secrets configured" })

describe("RemoteService: jobs", () => {
  it.effect("hands steps over and shows jobs", () =>
    Effect.gen(function* () {
      const view = { job_id: "j/1", status: "queued", url: "https://api.example/", attempts: [] }
      const { requests, value } = yield* against(
        ({ method }, response) =>
          method === "POST" ? reply(response, 200, allowed(201, { job_id: "j/1" })) : reply(response, 200, view),
        ({ job, transport }) =>
          Effect.flatMap(
            transport.submit({ step: Step.get("https://api.example/"), key: undefined, retryAt: undefined }),
            ({ jobId }) => job(jobId)
          )
      )
      assert.deepStrictEqual(value, { jobId: "j/1", status: "queued", answer: view })
      assert.deepStrictEqual(
        requests.map(({ method, path }) => `${method} ${path}`),
        ["POST /api/v1/proxy", "GET /api/v1/jobs/j%2F1"]
      )
    })
  )

  it.effect.each([
    [404, { error: "no", code: "job_not_found" }, "JobNotFound"],
    [404, { error: "no route" }, "NotOffered"],
    [404, "<html>", "NotOffered"],
    [405, "", "NotOffered"],
    [200, { job_id: "j" }, "MalformedAnswer"]
  ] as const)("cannot explain a job where the service answers %s %j", ([status, body, tag]) =>
    Effect.gen(function* () {
      const { value } = yield* against(
        (_, response) => reply(response, status, body),
        ({ explain }) => Effect.flip(explain("j"))
      )
      assert.strictEqual(value.reason._tag, tag)
    })
  )

  it.effect.each([
    [404, { error: "no", code: "job_not_found" }, "JobNotFound"],
    [404, { error: "no route" }, "CannotAwait"],
    [404, "<html>", "CannotAwait"],
    [405, "", "CannotAwait"],
    [401, { error: "who" }, "ServiceDenied"],
    [429, { error: "slow" }, "ServiceRateLimited"],
    [500, "boom", "ServiceFailed"],
    [302, "", "ServiceFailed"],
    [200, "<html>", "MalformedAnswer"],
    [200, "", "MalformedAnswer"],
    [200, [], "MalformedAnswer"]
  ] as const)("looks once, and %i with %j is %s", ([status, body, tag]) =>
    Effect.gen(function* () {
      const { requests, value } = yield* against(
        (_, response) => reply(response, status, body),
        ({ job }) => Effect.flip(job("j"))
      )
      assert.strictEqual(value.reason._tag, tag)
      assert.strictEqual(requests.length, 1)
    })
  )
})

describe("RemoteService: webhook secrets", () => {
  it.effect("creates them through the proxy", () =>
    Effect.gen(function* () {
      const { calls, value } = yield* secrets(stored, ({ create }) => create(one, two))
      assert.deepStrictEqual(value, { status: "ok", message: "Webhook secrets configured" })
      assert.strictEqual(calls[0].method, "POST")
      assert.match(calls[0].target_url, /\/api\/v1\/webhook-secrets$/)
      assert.deepStrictEqual(JSON.parse(calls[0].body), {
        primary_secret: Redacted.value(one),
        secondary_secret: Redacted.value(two)
      })
    })
  )

  it.effect("sends no second secret that is not there", () =>
    Effect.gen(function* () {
      const { calls } = yield* secrets(stored, ({ create }) => create(one))
      assert.deepStrictEqual(JSON.parse(calls[0].body), { primary_secret: Redacted.value(one) })
    })
  )

  it.effect.each([
    ["primarySecret", (secrets: Secrets) => secrets.create(short)],
    ["primarySecret", (secrets: Secrets) => secrets.create(short, short)],
    ["secondarySecret", (secrets: Secrets) => secrets.create(one, short)],
    ["primarySecret", (secrets: Secrets) => secrets.rotate(short, one)],
    ["primarySecret", (secrets: Secrets) => secrets.rotate(short)],
    ["secondarySecret", (secrets: Secrets) => secrets.rotate(one, short)]
  ] as const)("refuses a %s under 16 characters before it is sent", ([name, use]) =>
    Effect.gen(function* () {
      const { requests, value } = yield* secrets(stored, (given) => Effect.flip(use(given)))
      assert.strictEqual(value.reason._tag, "WeakSecret")
      assert.strictEqual(value.message, `${name} must be at least 16 characters`)
      assert.deepStrictEqual(requests, [])
    })
  )

  it.effect("shows them masked", () =>
    Effect.gen(function* () {
      const { calls, value } = yield* secrets(
        answering(200, {
          customer_id: "c",
          primary_secret: "whse****6789",
          secondary_secret: null,
          has_secondary: false
        }),
        ({ get }) => get
      )
      assert.deepStrictEqual(value, {
        customerId: "c",
        primarySecret: "whse****6789",
        secondarySecret: undefined,
        hasSecondary: false
      })
      assert.strictEqual(calls[0].method, "GET")
    })
  )

  it.effect("says how to set them when there are none", () =>
    Effect.gen(function* () {
      const { value } = yield* secrets(answering(404, { error: "none" }), ({ get }) => Effect.flip(get))
      assert.strictEqual(value.reason._tag, "NoSecrets")
      assert.strictEqual(value.message, "No webhook secrets configured. Call createWebhookSecret() first.")
    })
  )

  it.effect.each([
    [400, { error: "too common", code: "weak_secret" }, "WeakSecret"],
    [401, { error: "who" }, "ServiceDenied"],
    [500, "boom", "ServiceFailed"],
    [200, "<html>", "MalformedAnswer"],
    [200, {}, "MalformedAnswer"]
  ] as const)("tells %i with %j apart as %s", ([status, body, tag]) =>
    Effect.gen(function* () {
      const { value } = yield* secrets(answering(status, body), ({ create }) => Effect.flip(create(one)))
      assert.strictEqual(value.reason._tag, tag)
    })
  )

  it.effect("keeps secrets out of every error, also when the service quotes them", () =>
    Effect.gen(function* () {
      const quoting: Handler = (_, response) =>
        reply(response, 200, allowed(400, { error: `not ${Redacted.value(one)} after ${Redacted.value(two)}` }))
      const { value } = yield* secrets(quoting, ({ rotate }) => Effect.flip(rotate(one, two)))
      assert.notMatch(JSON.stringify(value) + String(value), /whsec_number/)
    })
  )

  it.effect("rotates with the old secret it is given", () =>
    Effect.gen(function* () {
      const { calls } = yield* secrets(stored, ({ rotate }) => rotate(two, one))
      assert.deepStrictEqual(JSON.parse(calls[0].body), {
        primary_secret: Redacted.value(two),
        secondary_secret: Redacted.value(one)
      })
    })
  )

  it.effect("rotates with the secret this client set last, and never reads the masked one back", () =>
    Effect.gen(function* () {
      const three = Redacted.make("whsec_number_three_0123456789")
      const { calls } = yield* secrets(stored, ({ create, rotate }) =>
        Effect.andThen(create(one), Effect.andThen(rotate(two), rotate(three)))
      )
      assert.deepStrictEqual(
        calls.map(({ body, method }) => [method, JSON.parse(body).secondary_secret]),
        [
          ["POST", undefined],
          ["POST", Redacted.value(one)],
          ["POST", Redacted.value(two)]
        ]
      )
    })
  )

  it.effect("cannot rotate what it does not know", () =>
    Effect.gen(function* () {
      const { requests, value } = yield* secrets(stored, ({ rotate }) => Effect.flip(rotate(two)))
      assert.strictEqual(value.reason._tag, "OldSecretUnknown")
      assert.deepStrictEqual(requests, [])
    })
  )

  it.effect("forgets a secret with its deletion", () =>
    Effect.gen(function* () {
      const { calls, value } = yield* secrets(stored, ({ create, delete: remove, rotate }) =>
        Effect.andThen(create(one), Effect.andThen(remove, Effect.flip(rotate(two))))
      )
      assert.strictEqual(value.reason._tag, "OldSecretUnknown")
      assert.deepStrictEqual(
        calls.map(({ method }) => method),
        ["POST", "DELETE"]
      )
    })
  )

  it.effect("remembers nothing that the service refused", () =>
    Effect.gen(function* () {
      const { value } = yield* secrets(answering(500, "boom"), ({ create, rotate }) =>
        Effect.andThen(Effect.flip(create(one)), Effect.flip(rotate(two)))
      )
      assert.strictEqual(value.reason._tag, "OldSecretUnknown")
    })
  )

  it.effect("does not rotate a secret to itself, though setting it again is fine", () =>
    Effect.gen(function* () {
      const { requests, value } = yield* secrets(stored, ({ create, rotate }) =>
        Effect.andThen(Effect.andThen(create(one), create(one)), Effect.flip(rotate(one)))
      )
      assert.strictEqual(value.reason._tag, "WeakSecret")
      assert.strictEqual(requests.length, 2)
    })
  )
})

describe("RemoteService.layerConfig", () => {
  it.effect("builds without a key and asks for one when a call is made", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flatMap(Service, ({ job }) => Effect.flip(job("j"))).pipe(
        Effect.provide(RemoteService.layerConfig()),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: {} }))
      )
      assert.include(error.message, "set the environment variable EZTHROTTLE_API_KEY")
    })
  )

  it.effect("finds the service where the environment says", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, { status: "queued" }))
      const { jobId } = yield* Effect.flatMap(Service, ({ job }) => job("j")).pipe(
        Effect.provide(RemoteService.layerConfig()),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(
          ConfigProvider.ConfigProvider,
          ConfigProvider.fromEnv({ env: { EZTHROTTLE_API_KEY: key, EZTHROTTLE_URL: server.url } })
        )
      )
      assert.strictEqual(jobId, "j")
    })
  )
})

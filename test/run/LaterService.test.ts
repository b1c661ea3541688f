import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as LaterService from "../../src/run/LaterService.ts"
import * as Step from "../../src/step/Step.ts"
import { NotOffered, ServiceError, type Service } from "../../src/run/Service.ts"
import { ServiceUnreachable, TransportError } from "../../src/step/Failure.ts"

const delegation = { step: Step.get("https://a.example"), key: undefined, retryAt: undefined }

/** A service that fails with what was asked of it. */
const echo = (): Service["Service"] => {
  const said = (operation: string) => Effect.fail(new ServiceError({ reason: new NotOffered({ operation }) }))
  return {
    transport: {
      kind: "delegating",
      submit: ({ step }) => Effect.fail(new TransportError({ reason: unreachable(`submit ${step.request.url}`) }))
    },
    results: { await: (jobId) => said(`await ${jobId}`) },
    job: (jobId) => said(`job ${jobId}`),
    explain: (jobId) => said(`explain ${jobId}`),
    runNow: (jobId) => said(`runNow ${jobId}`),
    change: (jobId, { priority }) => said(`change ${jobId} ${priority}`),
    cancel: (jobId) => said(`cancel ${jobId}`),
    rerun: (jobId) => said(`rerun ${jobId}`),
    erase: (jobId) => said(`erase ${jobId}`),
    list: (filter) => said(`list ${filter?.q}`),
    failures: (filter) => said(`failures ${filter?.host}`),
    many: {
      sendBatch: ({ batchId }) => said(`sendBatch ${batchId}`),
      batch: (id) => said(`batch ${id}`),
      awaitBatch: (id) => said(`awaitBatch ${id}`),
      cancelBatch: (id) => said(`cancelBatch ${id}`),
      rerunBatch: (id) => said(`rerunBatch ${id}`),
      bulk: ({ action }) => said(`bulk ${action}`)
    },
    secrets: {
      create: (primary, secondary) =>
        said(`create ${Redacted.value(primary)} ${secondary && Redacted.value(secondary)}`),
      get: said("get"),
      delete: said("delete"),
      rotate: (next, old) => said(`rotate ${Redacted.value(next)} ${old && Redacted.value(old)}`)
    },
    schedules: {
      put: (name, { cron }) => said(`put ${name} ${cron}`),
      get: (name) => said(`get ${name}`),
      list: said("all"),
      delete: (name) => said(`delete ${name}`),
      pause: (name) => said(`pause ${name}`),
      resume: (name) => said(`resume ${name}`),
      runNow: (name) => said(`fire ${name}`)
    },
    credentials: {
      put: (name, { hosts }) => said(`keep ${name} ${hosts}`),
      list: said("kept"),
      delete: (name) => said(`drop ${name}`)
    },
    orders: {
      stopped: said("stopped"),
      resume: (key) => said(`go on ${key}`)
    }
  }
}

const unreachable = (detail: string) => new ServiceUnreachable({ detail, maybeAccepted: false })

const calls: ReadonlyArray<readonly [string, (service: Service["Service"]) => Effect.Effect<unknown, ServiceError>]> = [
  ["await j", ({ results }) => results.await("j")],
  ["job j", ({ job }) => job("j")],
  ["explain j", ({ explain }) => explain("j")],
  ["runNow j", ({ runNow }) => runNow("j")],
  ["cancel j", ({ cancel }) => cancel("j")],
  ["rerun j", ({ rerun }) => rerun("j")],
  ["erase j", ({ erase }) => erase("j")],
  ["failures a.example", ({ failures }) => failures({ host: "a.example" })],
  ["list a.example", ({ list }) => list({ q: "a.example" })],
  ["sendBatch b", ({ many }) => many.sendBatch({ batchId: "b", first: 1, steps: [], isLast: true, options: {} })],
  ["batch b", ({ many }) => many.batch("b")],
  ["awaitBatch b", ({ many }) => many.awaitBatch("b")],
  ["cancelBatch b", ({ many }) => many.cancelBatch("b")],
  ["rerunBatch b", ({ many }) => many.rerunBatch("b")],
  ["bulk cancel", ({ many }) => many.bulk({ action: "cancel", filter: {} })],
  ["create a b", ({ secrets }) => secrets.create(Redacted.make("a"), Redacted.make("b"))],
  ["get", ({ secrets }) => secrets.get],
  ["delete", ({ secrets }) => secrets.delete],
  ["rotate a b", ({ secrets }) => secrets.rotate(Redacted.make("a"), Redacted.make("b"))],
  ["put s @daily", ({ schedules }) => schedules.put("s", { cron: "@daily", step: delegation.step })],
  ["get s", ({ schedules }) => schedules.get("s")],
  ["all", ({ schedules }) => schedules.list],
  ["delete s", ({ schedules }) => schedules.delete("s")],
  ["pause s", ({ schedules }) => schedules.pause("s")],
  ["resume s", ({ schedules }) => schedules.resume("s")],
  ["fire s", ({ schedules }) => schedules.runNow("s")],
  ["keep c a.example", ({ credentials }) => credentials.put("c", { hosts: ["a.example"] })],
  ["kept", ({ credentials }) => credentials.list],
  ["drop c", ({ credentials }) => credentials.delete("c")],
  ["stopped", ({ orders }) => orders.stopped],
  ["go on o", ({ orders }) => orders.resume("o")]
]

describe("a service that is loaded later", () => {
  it.effect("is not loaded before something is asked of it, and once then", () =>
    Effect.gen(function* () {
      let loads = 0
      const service = LaterService.make(Effect.sync(() => (loads++, echo())))
      assert.strictEqual(loads, 0)
      for (const [asked, call] of calls) {
        const { reason } = yield* Effect.flip(call(service))
        assert.isTrue(reason._tag === "NotOffered" && reason.operation === asked)
      }
      const { message } = yield* Effect.flip(service.transport.submit(delegation))
      assert.include(message, "submit https://a.example")
      assert.strictEqual(loads, 1)
    })
  )

  it.effect("is one service for all who ask while it is loaded: it remembers what it is told", () =>
    Effect.gen(function* () {
      const loaded = yield* Deferred.make<void>()
      const made: Array<Service["Service"]> = []
      const asked: Array<Service["Service"]> = []
      const one = (): Service["Service"] => {
        const service: Service["Service"] = {
          ...echo(),
          job: () => Effect.sync(() => (asked.push(service), { jobId: "j", status: "queued", answer: {} }))
        }
        made.push(service)
        return service
      }
      const service = LaterService.make(Effect.map(Deferred.await(loaded), one))
      const fibers = [yield* Effect.forkChild(service.job("a")), yield* Effect.forkChild(service.job("b"))]
      yield* Effect.yieldNow
      yield* Deferred.succeed(loaded, undefined)
      for (const fiber of fibers) yield* Fiber.join(fiber)
      yield* service.job("c")
      assert.deepStrictEqual(
        asked.map((of) => of === made[0]),
        [true, true, true]
      )
    })
  )

  it.effect("that cannot be loaded is unreachable, and is loaded again for the next who asks", () =>
    Effect.gen(function* () {
      let loads = 0
      const service = LaterService.make(
        Effect.suspend(() => (loads++ < 2 ? Effect.fail(unreachable("no part")) : Effect.succeed(echo())))
      )
      const submitted = yield* Effect.flip(service.transport.submit(delegation))
      assert.isTrue(submitted.reason._tag === "ServiceUnreachable" && submitted.reason.detail === "no part")
      const looked = yield* Effect.flip(service.job("j"))
      assert.isTrue(looked.reason._tag === "ServiceUnreachable" && !looked.reason.maybeAccepted)
      assert.isTrue((yield* Effect.flip(service.job("j"))).reason._tag === "NotOffered")
    })
  )
})

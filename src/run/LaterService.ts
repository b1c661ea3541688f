/** A service that is loaded when something is first asked of it. */
import * as Effect from "effect/Effect"
import type { ServiceUnreachable } from "../step/FailureModel.ts"
import { TransportError } from "../step/FailureModel.ts"
import type { Schedules, Secrets, Service } from "./Service.ts"
import { ServiceError } from "./Service.ts"

type Offered = Service["Service"]

/** Asks whatever `load` brings; it is asked for once, and again only where it failed. */
export const make = (load: Effect.Effect<Offered, ServiceUnreachable>): Offered => {
  let loaded: Offered | undefined
  const loading = Effect.suspend(() =>
    loaded === undefined
      ? // whoever comes first makes it: it may remember what it was asked
        Effect.map(load, (service) => (loaded ??= service))
      : Effect.succeed(loaded)
  )
  const service = Effect.mapError(loading, (reason) => new ServiceError({ reason }))
  const use = <A>(call: (service: Offered) => Effect.Effect<A, ServiceError>) => Effect.flatMap(service, call)
  const secrets = <A>(call: (secrets: Secrets) => Effect.Effect<A, ServiceError>) => use((of) => call(of.secrets))
  const schedules = <A>(call: (schedules: Schedules) => Effect.Effect<A, ServiceError>) =>
    use((of) => call(of.schedules))
  return {
    transport: {
      kind: "delegating",
      submit: (delegation) =>
        Effect.flatMap(
          Effect.mapError(loading, (reason) => new TransportError({ reason })),
          ({ transport }) => transport.submit(delegation)
        )
    },
    results: { await: (jobId) => use(({ results }) => results.await(jobId)) },
    job: (jobId) => use((of) => of.job(jobId)),
    explain: (jobId) => use((of) => of.explain(jobId)),
    runNow: (jobId) => use((of) => of.runNow(jobId)),
    change: (jobId, change) => use((of) => of.change(jobId, change)),
    cancel: (jobId) => use((of) => of.cancel(jobId)),
    rerun: (jobId) => use((of) => of.rerun(jobId)),
    erase: (jobId) => use((of) => of.erase(jobId)),
    list: (filter) => use((of) => of.list(filter)),
    failures: (filter) => use((of) => of.failures(filter)),
    many: {
      sendBatch: (part) => use(({ many }) => many.sendBatch(part)),
      batch: (id) => use(({ many }) => many.batch(id)),
      awaitBatch: (id) => use(({ many }) => many.awaitBatch(id)),
      cancelBatch: (id) => use(({ many }) => many.cancelBatch(id)),
      rerunBatch: (id) => use(({ many }) => many.rerunBatch(id)),
      bulk: (request) => use(({ many }) => many.bulk(request))
    },
    secrets: {
      create: (primary, secondary) => secrets((of) => of.create(primary, secondary)),
      get: secrets((of) => of.get),
      delete: secrets((of) => of.delete),
      rotate: (next, old) => secrets((of) => of.rotate(next, old))
    },
    schedules: {
      put: (name, schedule) => schedules((of) => of.put(name, schedule)),
      get: (name) => schedules((of) => of.get(name)),
      list: schedules((of) => of.list),
      delete: (name) => schedules((of) => of.delete(name)),
      pause: (name) => schedules((of) => of.pause(name)),
      resume: (name) => schedules((of) => of.resume(name)),
      runNow: (name) => schedules((of) => of.runNow(name))
    },
    credentials: {
      put: (name, credential) => use(({ credentials }) => credentials.put(name, credential)),
      list: use(({ credentials }) => credentials.list),
      delete: (name) => use(({ credentials }) => credentials.delete(name))
    },
    orders: {
      stopped: use(({ orders }) => orders.stopped),
      resume: (key) => use(({ orders }) => orders.resume(key))
    }
  }
}

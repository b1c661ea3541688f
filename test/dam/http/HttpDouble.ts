/** A dam for tests: the real way in over HTTP, a store in memory, and an engine whose jobs go where the test says. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as DeadLetters from "../../../src/dam/deliver/DeadLetters.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import { Engine, type Terms } from "../../../src/dam/work/Engine.ts"
import { WrongState } from "../../../src/dam/work/WrongState.ts"
import * as Events from "../../../src/dam/observe/Events.ts"
import * as Explain from "../../../src/dam/work/Explain.ts"
import * as Gate from "../../../src/engine/pace/Gate.ts"
import * as Permits from "../../../src/dam/lane/Permits.ts"
import * as LaneNames from "../../../src/dam/lane/LaneNames.ts"
import * as LimitsInMemory from "../lane/LimitsInMemory.ts"
import * as LaneSteering from "../../../src/dam/lane/Steered.ts"
import * as HttpServer from "../../../src/dam/http/HttpServer.ts"
import type { JobResult } from "../../../src/dam/job/Job.ts"
import { JobStore } from "../../../src/dam/store/JobStore.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as NamedSecrets from "../../../src/dam/secrets/NamedSecrets.ts"
import * as Vault from "../../../src/dam/secrets/Vault.ts"
import { isTerminal } from "../../../src/engine/JobState.ts"
import * as Reply from "../../../src/step/Reply.ts"
import * as JobId from "../../../src/dam/job/JobId.ts"
import * as Bulk from "../../../src/dam/work/Bulk.ts"
import * as Batches from "../../../src/dam/work/Batches.ts"
import type { Ends } from "../../../src/dam/work/Ends.ts"
import * as Noticing from "../../../src/dam/work/Noticing.ts"
import * as Changing from "../../../src/dam/work/Changing.ts"
import * as Orders from "../../../src/dam/work/Orders.ts"
import * as Reruns from "../../../src/dam/work/Reruns.ts"
import * as Schedules from "../../../src/dam/work/Schedules.ts"
import { fixed } from "../support.ts"

type Store = JobStore["Service"]

/** Everybody's address, unless a test says otherwise. */
export const dns = Dns.make({
  lookup: (name) =>
    Effect.succeed([
      Result.getOrThrow(NetAddress.ipFromString(name.endsWith("loop.example.com") ? "127.0.0.1" : "93.184.215.14"))
    ])
})

const usual: Terms = { egress: EgressPolicy.publicOnly, limits: undefined, drain: Duration.seconds(2) }

/** Nobody looks around: what is chosen is kept. */
const noticesOver = (store: Store) =>
  Noticing.make({
    store,
    lanes: { views: Effect.succeed([]) },
    deliver: () => undefined,
    configured: {},
    marks: { maxMemoryBytes: 1000, maxStoredBytes: 1000, memoryBytes: () => 0 },
    newId: JobId.fresh,
    laneOf: (url) => url,
    leaving: () => true
  })

/** Nothing is fired but what is run now. */
const schedulesOver = (store: Store) =>
  Schedules.make({
    store,
    submit: (job) => store.enqueue(job),
    newId: JobId.fresh,
    clockEvery: 1000,
    noticeClock: Effect.void,
    leaving: () => true,
    admit: (file) => file,
    maxSchedules: 1000,
    credentials: undefined
  })

/** Lines become jobs, and nothing else is done for a batch. */
const batchesOver = (store: Store) =>
  Batches.make({
    store,
    // of a world of its own only what filing asks of it
    ends: {
      runner: { names: Effect.runSync(LaneNames.make(store, { ruleOf: () => undefined })) },
      lanes: { wake: () => Effect.void },
      told: () => Effect.void,
      lookAround: () => undefined
    } as unknown as Ends,
    admit: (file) => file,
    submit: (job) => store.enqueue(job),
    cancelJob: () => Effect.die("nobody is called off here"),
    newId: JobId.fresh,
    signal: Latch.makeUnsafe(false),
    maxCustomerJobs: undefined,
    credentials: undefined,
    leaving: () => true
  })

/** Sealed, and kept for as long as the test runs; nothing asks for tokens here. */
const secretsOver = (store: Store) =>
  Effect.gen(function* () {
    const sealer = yield* Vault.sealer(Redacted.make(Buffer.alloc(32, 7).toString("base64")))
    const transport = { kind: "exchanging", regions: Effect.succeed([]), send: () => Effect.never } as const
    return yield* NamedSecrets.make(store, sealer, { transport, egress: EgressPolicy.open })
  }).pipe(Scope.provide(Effect.runSync(Scope.make())))

/** Rules that operators set, and none that is known. */
const ruled = (store: Store) => {
  const { ruleOf, setRule } = Effect.runSync(LaneNames.make(store, { ruleOf: () => undefined }))
  return { ruleOf, setRule }
}

const reruns = (store: Store) => Reruns.make((job) => store.enqueue(job), JobId.fresh)

const cancelling =
  (store: Store, events: Events.Events): Engine["Service"]["cancel"] =>
  (job) =>
    Effect.gen(function* () {
      if (isTerminal(job.state)) {
        return yield* Effect.fail(new WrongState({ jobId: job.id, state: job.state, wanted: "it has ended already" }))
      }
      yield* store.finishIdle(
        job.id,
        finish("cancelled", { ...none, error: { tag: "Cancelled", message: "cancelled" } })
      )
      events.publish({ jobId: job.id, state: "cancelled", at: 0, customer: job.customer, lane: job.lane })
      return (yield* store.get(job.id)) ?? job
    })

/** An engine that files jobs and runs none; `Runs` moves them. */
export const engine = (store: Store, events: Events.Events, terms: Terms = usual): Engine["Service"] => ({
  submit: (job) => store.enqueue(job),
  orders: Orders.make(store, () => undefined),
  change: Changing.make(
    { store, lanes: { reread: () => Effect.void }, told: () => Effect.void, lookAround: () => undefined },
    LaneNames.byHost
  ),
  rerun: reruns(store),
  bulk: Bulk.make(store, { rerun: reruns(store), cancel: cancelling(store, events) }),
  runNow: (job) =>
    Effect.gen(function* () {
      const hastened = yield* store.hasten(job.id, 1)
      if (hastened === undefined) {
        return yield* Effect.fail(
          new WrongState({ jobId: job.id, state: job.state, wanted: "only a job that waits can be run now" })
        )
      }
      return (yield* store.get(job.id)) ?? job
    }),
  cancel: cancelling(store, events),
  events: events.follow,
  recent: events.recent,
  notices: Effect.runSync(Effect.scoped(noticesOver(store))),
  schedules: Effect.runSync(Effect.scoped(schedulesOver(store))),
  batches: Effect.runSync(Effect.scoped(batchesOver(store))),
  stats: Effect.succeed([]),
  history: (_, hours) => Effect.succeed({ spanMillis: 300_000, from: hours, spans: [] }),
  lanes: Effect.succeed([]),
  explain: Explain.make(
    store,
    { waiting: () => undefined, limits: () => Effect.succeed([]), why: () => Effect.succeed(still) },
    () => false
  ),
  steering: LaneSteering.make(store, {
    settings: new Map(),
    names: () => [],
    find: () => undefined,
    taught: () => [],
    pacesOf: () => [],
    forget: () => undefined,
    settingOf: () => fixed(Gate.defaultPace),
    isConfigured: () => false,
    ...ruled(store),
    ceilingOf: () => undefined,
    breakerOf: () => undefined,
    setBreaker: () => Effect.void,
    steeredHost: () => {}
  }),
  permits: Effect.runSync(Effect.scoped(Permits.make({ lanes: open, newId: JobId.fresh, most: 2 }))),
  callLimits: LimitsInMemory.make(),
  webhookKey: "whpk_of the double",
  l8: undefined,
  links: undefined,
  secrets: Effect.runSync(secretsOver(store)),
  deadLetters: DeadLetters.make(store, () => {}),
  admission: Effect.map(store.stats, ({ bytes, jobs }) => ({ queued: jobs.queued, bytes })),
  leave: Effect.void,
  shortage: Effect.succeed(undefined),
  terms
})

/** Lanes that let everybody through and learn nothing. */
const open: Permits.PermitsOptions["lanes"] = {
  acquire: () =>
    Effect.succeed({
      draws: [],
      depart: () => Effect.succeed(true),
      sent: Effect.void,
      settle: () => Effect.void,
      release: Effect.void
    }),
  heldFor: () => Effect.succeed(0),
  observe: () => Effect.void
}

const none: JobResult = { response: undefined, responses: [], region: undefined, path: 0, error: undefined }

const finish = (state: "succeeded" | "failed" | "cancelled", result: JobResult) => ({
  state,
  at: 2,
  result,
  children: [],
  deliveries: []
})

/** A lane in which nothing happens. */
const still = {
  gate: Gate.make(),
  accountQueues: false,
  paused: false,
  hasRoom: true,
  openSince: [],
  callMillis: undefined,
  turns: [],
  now: 0,
  epoch: 0,
  holds: [],
  pausedBy: undefined
}

const whose = { customer: "local", lane: "api.example.com:443" }

/** Moves jobs by hand. */
export const runs = (store: Store, events: Events.Events) => ({
  start: (id: string) =>
    Effect.gen(function* () {
      const job = yield* store.start(id, 1)
      events.publish({ jobId: id, state: "running", at: 1, ...whose })
      return job?.epoch ?? 0
    }),
  end: (id: string, epoch: number, status: number, body = "done") =>
    Effect.gen(function* () {
      const state = status < 300 ? "succeeded" : "failed"
      const error = status < 300 ? undefined : { tag: "Rejected", message: `the target answered ${status}` }
      const response = Reply.response(status, { "content-type": "text/plain" }, body)
      yield* store.finish(id, epoch, finish(state, { ...none, response, error }))
      events.publish({ jobId: id, state, at: 2, ...whose })
    })
})

/** How the double is served, and on which terms. */
export interface Options extends HttpServer.HttpOptions, Partial<Terms> {
  readonly dns?: Dns.Dns["Service"]
  readonly wrapStore?: (store: Store) => Store
  readonly wrapEngine?: (engine: Engine["Service"]) => Engine["Service"]
}

/** The whole of it, listening on a free port of loopback. */
export const make = (options: Options = {}) =>
  Effect.gen(function* () {
    const kept = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
    const store = options.wrapStore?.(kept) ?? kept
    const events = Events.make()
    const { drain = usual.drain, egress = usual.egress, limits } = options
    const running = engine(store, events, { drain, egress, limits })
    const http = yield* HttpServer.make({ port: 0, ...options }).pipe(
      Effect.provideService(JobStore, store),
      Effect.provideService(Engine, options.wrapEngine?.(running) ?? running),
      Effect.provideService(Dns.Dns, options.dns ?? dns)
    )
    return { ...http, store, events, runs: runs(store, events) }
  })

/** Private addresses are open, as on a trusted network. */
export const trusting = Result.getOrThrow(EgressPolicy.make({ allowPrivate: true }))

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Dam } from "../../src/dam.ts"
import * as EmbeddedService from "../../src/dam/EmbeddedService.ts"
import * as LimitOptions from "../../src/dam/lane/LimitOptions.ts"
import type * as Presets from "../../src/presets/Presets.ts"
import { EZThrottle as Facade, Step as FacadeStep } from "../../src/promise.ts"
import * as Client from "../../src/run/Client.ts"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import * as NodeClient from "../../src/run/NodeClient.ts"
import * as PathPolicy from "../../src/run/PathPolicy.ts"
import { Service } from "../../src/run/Service.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import { ok, setUp, url } from "./support.ts"

/** A client whose PERFORMANCE steps run in a dam of scripted targets. */
const client = Effect.fnUntraced(function* (target: Script.Script = Script.always(ok)) {
  const dam = yield* setUp({ target })
  const service = EmbeddedService.make(dam.engine, dam.store)
  const local = yield* Script.make(Script.always(Script.refuse))
  return { ...dam, service, ez: EZThrottle.make(Strategies.client(local, service.transport), service) }
})

describe("a dam that several clients ask for", () => {
  const open = async (use: (path: string) => Promise<void>) => {
    const folder = mkdtempSync(join(tmpdir(), "shared-"))
    await use(join(folder, "orders.db")).finally(() => rmSync(folder, { recursive: true }))
  }
  const job = { url: "http://127.0.0.1:1/", retryAt: 4_000_000_000_000 }
  const refused = (act: () => unknown): string => {
    try {
      act()
    } catch (error) {
      return String(error)
    }
    throw new Error("it was not refused")
  }

  it("is one dam, and stays until the last of them has left", () =>
    open(async (path) => {
      const one = new Facade({ service: Dam.embedded({ path }) })
      const service = Dam.embedded({ path })
      const two = new Facade({ service })
      const { job_id } = await one.submitJob(job)
      assert.strictEqual((await two.getJob(job_id)).status, "scheduled")
      await one[Symbol.asyncDispose]()
      // a second time changes nothing for the others
      await one[Symbol.asyncDispose]()
      assert.strictEqual((await two.getJob(job_id)).status, "scheduled")
      const gone = service[Symbol.asyncDispose]()
      // while it is on its way out the file is still its own
      await using three = new Facade({ service: Dam.embedded({ path, retention: "1 hour" }) })
      assert.strictEqual((await three.getJob(job_id)).status, "scheduled")
      await gone
      await two[Symbol.asyncDispose]()
    }))

  it("is refused to who asks for it with other options, by their names", () =>
    open(async (path) => {
      await using _ = Dam.embedded({ path, retention: "1 hour", pacing: { default: { rps: 5 } } })
      await using same = Dam.embedded({ pacing: { default: { rps: 5 } }, retention: "1 hour", path })
      assert.isDefined(same)
      const said = refused(() =>
        Dam.embedded({ path, retention: "2 hours", pacing: { default: { rps: 5 } }, limits: {} })
      )
      assert.match(said, /^InvalidOption: retention, limits: the dam of .*orders\.db is open in this process/)
    }))

  it("is not shared where it is in memory", async () => {
    await using one = new Facade({ service: Dam.embedded({ path: ":memory:" }) })
    await using two = new Facade({ service: Dam.embedded({ path: ":memory:", retention: "1 hour" }) })
    const { job_id } = await one.submitJob(job)
    assert.match(String(await two.getJob(job_id).catch((error: unknown) => error)), /knows no job/)
  })

  it("refuses what is misspelt, with the name that is near", () => {
    const options: object = { path: ":memory:", retenton: "1 hour" }
    assert.match(
      refused(() => Dam.embedded(options as { path: string })),
      /retenton: is not known here; did you mean retention\?/
    )
    const nested: object = { path: ":memory:", attempts: { timout: "1 second" } }
    assert.match(
      refused(() => Dam.embedded(nested as { path: string })),
      /attempts\.timout: .*did you mean timeout\?/
    )
    assert.match(
      refused(() => Dam.embedded({ path: ":memory:", egress: { allow: ["10.0.0.0/99"] } })),
      /InvalidEgressEntry/
    )
  })

  it("does what its egress says", async () => {
    await using client = new Facade({ service: Dam.embedded({ path: ":memory:", egress: {} }) })
    const { error, status } = await client.queueAndWait({ url: "http://127.0.0.1:1/", retryPolicy: { maxRetries: 0 } })
    assert.strictEqual(status, "failed")
    assert.match(String(error), /egress|allow|forbid|PortNotAllowed|denied/i)
  })
})

describe("the embedded service", () => {
  it.effect("takes a step and tells its result when it is there", () =>
    Effect.gen(function* () {
      const { ez } = yield* client(Script.always(Script.later("1 hour", { status: 200, body: "late" })))
      const step = Step.get(url).pipe(Step.metadata({ order: 7 }), Step.onFailureTimeout("2 hours"))
      const accepted = yield* ez.submit(step)
      assert.deepInclude(accepted, { status: "queued", duplicate: false })
      const waiting = yield* Effect.forkChild(ez.awaitJob(accepted.jobId, { timeout: "3 hours" }))
      yield* TestClock.adjust("30 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("2 hours")
      const result = yield* Fiber.join(waiting)
      assert.deepInclude(result, { jobId: accepted.jobId, metadata: { order: 7 } })
      // one attempt is limited to a minute, so the target's hour is a failure, and a failure is a result
      assert.strictEqual(result.status, "failed")
      assert.isString(result.error)
    })
  )

  it.effect("gives nobody the answer of another, from a step or from the facade", () =>
    Effect.gen(function* () {
      const page = Script.inTurn(
        { status: 200, body: "1 ann" },
        { status: 200, body: "2 bob" },
        { status: 200, body: "3 ann" }
      )
      const { ez, sent, service } = yield* client(Script.always(page))
      const ask = (authorization: string, method = "GET") =>
        Effect.gen(function* () {
          const step = Step.method(Step.get(url, { headers: { authorization } }), method)
          const { jobId } = yield* ez.submit(step)
          const waiting = yield* Effect.forkChild(ez.awaitJob(jobId))
          yield* TestClock.adjust("1 second")
          const { response } = yield* Fiber.join(waiting)
          return new TextDecoder().decode(response?.body)
        })
      assert.strictEqual(yield* ask("ann"), "1 ann")
      assert.strictEqual(yield* ask("bob"), "2 bob")
      assert.strictEqual(yield* ask("ann"), "1 ann")
      assert.strictEqual(yield* ask("ann", "POST"), "3 ann")
      const { reason } = yield* Effect.flip(ask("bob", "POST"))
      assert(reason._tag === "JobRefused" && reason.status === 422)
      assert.match(reason.message, /other credentials as job/)
      const facade = new Facade({ service })
      const asked = (authorization: string) =>
        Effect.promise(() => facade.submitJob({ url, headers: { authorization } }))
      const jobs = [yield* asked("ann"), yield* asked("carl")]
      assert.notStrictEqual(jobs[0]?.job_id, jobs[1]?.job_id)
      assert.lengthOf(yield* sent, 3)
      yield* Effect.promise(() => facade[Symbol.asyncDispose]())
    })
  )

  it.effect("tells why a job waits, to the facade as the API spells it", () =>
    Effect.gen(function* () {
      const { engine, ez, service } = yield* client()
      yield* engine.steering.change("api.example:443", "ann", { _tag: "Pause", note: undefined })
      const { jobId } = yield* ez.submit(Step.get(url))
      yield* TestClock.adjust("1 second")
      const said = yield* ez.explain(jobId)
      assert.deepStrictEqual(
        said.reasons.map(({ kind }) => kind),
        ["paused"]
      )
      const facade = new Facade({ service })
      const told = yield* Effect.promise(() => facade.explainJob(jobId))
      assert.deepInclude(told, { job_id: jobId, status: "queued", estimated_start: null, confidence: "unknown" })
      assert.deepInclude(told.reasons[0], { kind: "paused", by: "ann", note: null, until: null })
      const error = yield* Effect.flip(ez.explain("job_nobody"))
      assert.strictEqual(error.reason._tag, "JobNotFound")
    })
  )

  it.effect("tells the result of a job that has ended already, and knows no other jobs", () =>
    Effect.gen(function* () {
      const { ez } = yield* client()
      const { jobId } = yield* ez.submit(Step.get(url))
      yield* TestClock.adjust("1 second")
      const result = yield* ez.awaitJob(jobId)
      assert.strictEqual(result.status, "success")
      assert.strictEqual(new TextDecoder().decode(result.response?.body), "fine")
      assert.strictEqual((yield* ez.job(jobId)).status, "succeeded")
      const error = yield* Effect.flip(ez.awaitJob("job_nobody"))
      assert.strictEqual(error.reason._tag, "JobNotFound")
    })
  )

  it.effect("listens to nothing any more once a wait has ended, however it ended", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.hang) })
      let open = 0
      const counted = {
        ...dam.engine,
        events: (jobId: string) =>
          Stream.unwrap(
            Effect.map(
              Effect.acquireRelease(
                Effect.sync(() => void open++),
                () => Effect.sync(() => void open--)
              ),
              () => dam.engine.events(jobId)
            )
          )
      }
      const { results } = EmbeddedService.make(counted, dam.store)
      const waiting = yield* Effect.forkChild(results.await(yield* dam.submit(Step.get(url))))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(open, 1)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(open, 0)
      yield* Effect.flip(results.await("job_nobody"))
      assert.strictEqual(open, 0)
    })
  )

  it.effect("makes one job of equal steps, and answers its result once there is one", () =>
    Effect.gen(function* () {
      const { exchanges, ez } = yield* client()
      const first = yield* ez.submit(Step.post(url, { body: "x" }))
      yield* TestClock.adjust("1 second")
      const again = yield* ez.submit(Step.post(url, { body: "x" }))
      assert.deepInclude(again, { jobId: first.jobId, duplicate: true, status: "succeeded" })
      assert.deepInclude(again.receipt.answer["response"], { status_code: 200, body: "fine" })
      assert.lengthOf(yield* exchanges, 1)
    })
  )

  it.effect("makes two jobs of a step that wants each execution to be one", () =>
    Effect.gen(function* () {
      const { exchanges, ez } = yield* client()
      const step = Step.post(url).pipe(Step.idempotentStrategy("UNIQUE"))
      const jobs = [yield* ez.submit(step), yield* ez.submit(step)]
      yield* TestClock.adjust("1 second")
      assert.strictEqual(new Set(jobs.map(({ jobId }) => jobId)).size, 2)
      const keys = (yield* exchanges).map(({ asked }) => asked.request.headers["Idempotency-Key"])
      assert.deepStrictEqual(
        keys,
        jobs.map(({ key }) => key)
      )
    })
  )

  it.effect("refuses a key that names another step", () =>
    Effect.gen(function* () {
      const { ez } = yield* client()
      yield* ez.submit(Step.post(url, { body: "one" }).pipe(Step.idempotentKey("k")))
      const same = yield* ez.submit(Step.post(url, { body: "one" }).pipe(Step.idempotentKey("k")))
      assert.isTrue(same.duplicate)
      const error = yield* Effect.flip(ez.submit(Step.post(url, { body: "two" }).pipe(Step.idempotentKey("k"))))
      assert.deepInclude(error.reason, { _tag: "JobRefused", status: 422 })
    })
  )

  it.effect("takes over what a FRUGAL step could not do, once", () =>
    Effect.gen(function* () {
      const { exchanges, ez } = yield* client()
      const outcome = yield* ez.execute(Step.get(url).pipe(Step.frugal()))
      assert.strictEqual(outcome._tag, "Accepted")
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* exchanges, 1)
    })
  )

  it.effect("refuses headers that cannot be sent, and leaves out those that are sent anyway", () =>
    Effect.gen(function* () {
      const { ez, store } = yield* client()
      const refused = Step.post(url).pipe(Step.onSuccess(Step.get(url).pipe(Step.header("Upgrade", "h2c"))))
      const error = yield* Effect.flip(ez.submit(refused))
      assert.isTrue(error.reason._tag === "JobRefused" && error.reason.status === 400)
      assert.include(error.message, "on_success.headers.Upgrade")
      const step = Step.get(url).pipe(Step.header("Host", new URL(url).host), Step.header("Accept", "*/*"))
      const { jobId } = yield* ez.submit(step)
      assert.deepStrictEqual((yield* store.get(jobId))?.step.request.headers, { Accept: "*/*" })
    })
  )

  it.effect("refuses what draws on a limit that is not there, and what could never go", () =>
    Effect.gen(function* () {
      const callLimits = { tokens: LimitOptions.make({ rate: 100 }) }
      const { engine, store } = yield* setUp({ target: Script.always(ok), callLimits })
      const { transport } = EmbeddedService.make(engine, store)
      const submit = (step: Step.Step) => transport.submit({ step, key: undefined, retryAt: undefined })
      const refused = (step: Step.Step) => Effect.flip(submit(step))
      const unknown = yield* refused(Step.onSuccess(Step.get(url), Step.limit(Step.get(url), "token")))
      assert.isTrue(unknown.reason._tag === "JobRefused" && unknown.reason.status === 400)
      assert.include(
        unknown.message,
        "on_success.limits[0].name: this dam has no such limit; the nearest one is tokens"
      )
      const dear = yield* refused(Step.limit(Step.get(url), "tokens", { cost: 101 }))
      assert.include(dear.message, "limits[0].cost: is more than the limit ever holds, which is 100")
      const { jobId } = yield* submit(Step.limit(Step.get(url), "tokens", { cost: 100 }))
      assert.deepStrictEqual((yield* store.get(jobId))?.step.limits, [{ name: "tokens", key: "", cost: 100 }])
    })
  )

  it.effect("keeps, shows masked, rotates and removes webhook secrets", () =>
    Effect.gen(function* () {
      const { secrets } = (yield* client()).service
      const long = (text: string) => Redacted.make(`${text} and enough characters`)
      assert.strictEqual((yield* Effect.flip(secrets.get)).reason._tag, "NoSecrets")
      assert.strictEqual((yield* Effect.flip(secrets.rotate(long("new")))).reason._tag, "OldSecretUnknown")
      assert.strictEqual((yield* Effect.flip(secrets.create(Redacted.make("short")))).reason._tag, "WeakSecret")
      yield* secrets.create(long("one!"))
      yield* secrets.rotate(long("two!"))
      assert.deepStrictEqual(yield* secrets.get, {
        customerId: "local",
        primarySecret: "two!****ters",
        secondarySecret: "one!****ters",
        hasSecondary: true
      })
      assert.strictEqual((yield* Effect.flip(secrets.rotate(long("two!")))).reason._tag, "WeakSecret")
      yield* secrets.delete
      assert.strictEqual((yield* Effect.flip(secrets.get)).reason._tag, "NoSecrets")
    })
  )
})

/** A target on loopback, whose calls are met by events, and a folder for the database. */
const surroundings = Effect.acquireRelease(
  Effect.callback<{
    readonly url: string
    readonly calls: Array<string>
    readonly folder: string
    readonly close: () => void
  }>((resume) => {
    const calls: Array<string> = []
    const folder = mkdtempSync(join(tmpdir(), "dam-"))
    const server = createServer((request, response) => {
      calls.push(`${request.method} ${request.url}`)
      response.end("from the target")
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      const close = () => {
        server.closeAllConnections()
        server.close()
        rmSync(folder, { recursive: true })
      }
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, calls, folder, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("a dam in the caller's own process, on a file", () => {
  it.live("serves an Effect program as a layer, and opens its file again after a restart", () =>
    Effect.gen(function* () {
      const world = yield* surroundings
      const path = join(world.folder, "jobs.db")
      const inDam = <A, E>(program: Effect.Effect<A, E, EZThrottle.EZThrottle>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { service } = yield* Dam.make({ path })
            return yield* Effect.provide(program, NodeClient.layer({ service }))
          })
        )
      const first = yield* inDam(
        Effect.gen(function* () {
          const { jobId } = yield* EZThrottle.submit(Step.get(`${world.url}/order`))
          const result = yield* EZThrottle.awaitJob(jobId)
          assert.strictEqual(new TextDecoder().decode(result.response?.body), "from the target")
          const later = Step.get(`${world.url}/later`).pipe(Step.retryAt(Date.now() + 3_600_000))
          return { jobId, later: (yield* EZThrottle.submit(later)).jobId }
        })
      )
      assert.isTrue(existsSync(path))
      yield* inDam(
        Effect.gen(function* () {
          const again = yield* EZThrottle.submit(Step.get(`${world.url}/order`))
          assert.deepInclude(again, { jobId: first.jobId, duplicate: true, status: "succeeded" })
          assert.strictEqual((yield* EZThrottle.job(first.later)).status, "scheduled")
        })
      )
      assert.deepStrictEqual(world.calls, ["GET /order"])
    })
  )

  it.live("knows the hosts of its presets: a 2xx of one may be a refusal", () =>
    Effect.gen(function* () {
      const { folder, url } = yield* surroundings
      const used_up = [{ status: [200], body: [{ has: "from the target" }] }]
      const ended = (name: string, presets: Presets.PresetOptions) =>
        Effect.gen(function* () {
          const { service } = yield* Dam.make({ path: join(folder, name), presets })
          return yield* Effect.gen(function* () {
            const { jobId } = yield* EZThrottle.submit(Step.get(url))
            return yield* EZThrottle.awaitJob(jobId)
          }).pipe(Effect.provide(NodeClient.layer({ service })))
        }).pipe(Effect.scoped)
      const known = yield* ended("known.db", { own: [{ name: "mine", hosts: ["127.0.0.1"], used_up }] })
      assert.include(known.error, "the quota is used up")
      assert.strictEqual((yield* ended("unknown.db", {})).status, "success")
    })
  )

  it.live("composes the schedules of its jobs with a layer that is provided below it", () =>
    Effect.gen(function* () {
      const { folder } = yield* surroundings
      const asked: Array<string> = []
      const schedules = PathPolicy.layer((schedule, { request }) => {
        asked.push(request.url)
        return Schedule.upTo(schedule, { times: 0 })
      })
      const step = Step.get("http://127.0.0.1:1/").pipe(Step.retryPolicy({ maxRetries: 3, base: "1 hour" }))
      const result = yield* Effect.gen(function* () {
        const { results, transport } = yield* Service
        const { jobId } = yield* transport.submit({ step, key: undefined, retryAt: undefined })
        return yield* results.await(jobId)
      }).pipe(Effect.provide(Dam.layer({ path: join(folder, "jobs.db") }).pipe(Layer.provide(schedules))))
      assert.strictEqual(result.status, "failed")
      assert.deepStrictEqual(asked, ["http://127.0.0.1:1/"])
    })
  )

  it.live("is the service of a client that it is provided to, and tells what happens to a job", () =>
    Effect.gen(function* () {
      const { calls, folder, url } = yield* surroundings
      const states = yield* Effect.gen(function* () {
        const { jobId } = yield* EZThrottle.submit(Step.get(`${url}/told`).pipe(Step.retryAt(Date.now() + 60_000)))
        const following = yield* Effect.forkChild(Stream.runCollect(Dam.events(jobId)), { startImmediately: true })
        yield* EZThrottle.runNow(jobId)
        return (yield* Fiber.join(following)).map(({ state }) => state)
      }).pipe(Effect.provide(Client.layer().pipe(Layer.provideMerge(Dam.layer({ path: join(folder, "jobs.db") })))))
      assert.deepStrictEqual([...new Set(states)], ["queued", "running", "succeeded"])
      assert.include(calls, "GET /told")
    })
  )

  it.live("serves the facade, starts with its first use and closes with the client", () =>
    Effect.gen(function* () {
      const world = yield* surroundings
      const path = join(world.folder, "jobs.db")
      const service = Dam.embedded({ path })
      assert.isFalse(existsSync(path))
      yield* Effect.promise(async () => {
        await using client = new Facade({ service })
        const answer = await client.queueAndWait({ url: `${world.url}/one` })
        assert.deepInclude(answer, { status: "success" })
        const step = await new FacadeStep(client).url(`${world.url}/two`).execute()
        assert.isTrue(typeof step === "object")
      })
      // the file is free again
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { store } = yield* Dam.make({ path })
          const { jobs } = yield* store.list({ customer: "local", limit: 9 })
          assert.lengthOf(jobs, 2)
        })
      )
      assert.include(world.calls, "GET /one")
    })
  )

  it.live("opens again at the next call when its folder came late, or another process had its file", () =>
    Effect.gen(function* () {
      const folder = join(mkdtempSync(join(tmpdir(), "ezthrottle-")), "late")
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(dirname(folder), { recursive: true })))
      const open = Effect.acquireRelease(
        Effect.sync(() => new Facade({ service: Dam.embedded({ path: join(folder, "jobs.db") }) })),
        (client) => Effect.promise(() => client[Symbol.asyncDispose]())
      )
      const later = Date.now() + 3_600_000
      const submit = (client: Facade) =>
        Effect.promise(() =>
          client.submitJob({ url: "http://127.0.0.1:9/", retryAt: later }).then(
            ({ status }) => String(status),
            (error: Error) => error.name
          )
        )
      const client = yield* open
      assert.match(yield* submit(client), /Error/)
      // who joins it meanwhile has the same dam, and the same next try
      const second = yield* open
      mkdirSync(folder)
      const other = yield* Scope.make()
      // no dam of the facade's: its file is another owner's, as if by another process
      yield* Scope.provide(Dam.make({ path: join(folder, "jobs.db") }), other)
      // asked twice at once: both are refused, and one try is enough for both
      const refused = yield* Effect.all([submit(client), submit(second)], { concurrency: 2 })
      for (const said of refused) assert.match(said, /Error/)
      yield* Scope.close(other, Exit.void)
      assert.include(["queued", "scheduled"], yield* submit(second))
      assert.include(["queued", "duplicate", "scheduled"], yield* submit(client))
    })
  )

  it.live("says what is wrong with its file at the first use", () =>
    Effect.gen(function* () {
      const { folder } = yield* surroundings
      const service = Dam.embedded({ path: join(folder, "no", "such", "folder.db") })
      const error = yield* Effect.flip(service.job("job_x"))
      assert.include(error.message, "folder.db")
      yield* Effect.promise(() => service[Symbol.asyncDispose]())
    })
  )
})

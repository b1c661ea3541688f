import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { EventStore } from "../../src/receive/EventStore.ts"
import * as Inbox from "../../src/receive/Inbox.ts"
import * as MemoryEventStore from "../../src/receive/MemoryEventStore.ts"
import * as Receiver from "../../src/receive/Receiver.ts"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import { toldTo } from "../../src/run/Service.ts"
import { ServiceUnreachable } from "../../src/step/Failure.ts"
import type { Chained } from "../../src/step/Outcome.ts"
import * as Step from "../../src/step/Step.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import * as Script from "../../src/testing/Script.ts"
import type { Delegating } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import type { WebhookEvent } from "../../src/wire/WebhookEvent.ts"
import { delivery, secret } from "./support.ts"

const here = "https://me.example/hooks"
const child = Step.post("https://child.example/after", { body: "x" }).pipe(Step.frugal())
const sorry = Step.post("https://child.example/sorry", { body: "x" }).pipe(Step.frugal())
const parent = Step.post("https://api.example/orders", { body: "order 7" }).pipe(
  Step.metadata({ order: 7 }),
  Step.onSuccess(child),
  Step.onFailure(sorry)
)

/** A store whose contents outlive the programs of a test. */
const durable = (): EventStore => ({ ...MemoryEventStore.make(), isDurable: true })

/** One life of a program: a client and a receiver over the same store. */
const program = Effect.fnUntraced(function* (
  fake: FakeService["Service"],
  store: EventStore,
  options: { readonly url?: string | undefined; readonly script?: Script.Input } = { url: here }
) {
  const local = yield* Script.make(Script.always(options.script ?? { status: 200 }))
  const inbox = Inbox.make({ store, url: options.url })
  const transport = toldTo(fake.transport, inbox)
  const client = EZThrottle.make(Strategies.client(local, transport), { ...fake, transport })
  const chained: Array<Chained> = []
  const handled: Array<WebhookEvent> = []
  const receiver = yield* Receiver.make(
    { secrets: secret, inbox, client, onChild: (ended) => Effect.sync(() => void chained.push(ended)) },
    (event) => Effect.sync(() => void handled.push(event))
  )
  return {
    client,
    chained,
    handled,
    calls: Effect.map(local.exchanges, (calls) =>
      calls.map(({ asked: { request } }) => `${new URL(request.url).pathname} ${request.headers["Idempotency-Key"]}`)
    ),
    /** What the service posts when a job has ended. */
    arrive: Effect.fnUntraced(function* (status: "success" | "failed" = "success", error?: string) {
      const job = (yield* fake.jobs)[0]
      const received = yield* Effect.flatMap(
        delivery({ jobId: job?.jobId ?? "", status, error, metadata: job?.json.metadata ?? {} }),
        ([header, body]) => receiver.receive(header, body)
      )
      return received._tag
    })
  }
})

const setup = Effect.tap(FakeService.make(), () => TestClock.setTime(1_760_000_000_000))
const jobOf = (fake: FakeService["Service"]) => Effect.map(fake.jobs, ([job]) => job?.json)

describe("a FRUGAL child of a job", () => {
  it.effect("is kept back over a durable store, and the job tells its result here", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { calls, client } = yield* program(fake, durable())
      const end = yield* client.execute(parent)
      assert.strictEqual(end._tag, "Accepted")
      const job = yield* jobOf(fake)
      assert.isUndefined(job?.on_success)
      assert.isUndefined(job?.on_failure)
      assert.deepStrictEqual(job?.webhooks, [{ url: here }])
      assert.deepStrictEqual(Object.keys(job?.metadata ?? {}), ["order", "ezthrottle_children"])
      assert.deepStrictEqual(yield* calls, [])
    })
  )

  it.effect("runs here when the webhook comes, once per event, with the key a service would give it", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { arrive, calls, chained, client, handled } = yield* program(fake, durable())
      yield* client.execute(parent)
      assert.strictEqual(yield* arrive(), "Handled")
      assert.strictEqual(yield* arrive(), "Duplicate")
      assert.deepStrictEqual(yield* calls, ["/after job-1:success"])
      assert.deepStrictEqual(
        chained.map(({ _tag, relation }) => `${_tag} ${relation}`),
        ["Ended onSuccess"]
      )
      assert.deepStrictEqual(handled[0]?.metadata, { order: 7 })
    })
  )

  it.effect("is the one for the end that came", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { arrive, calls, client } = yield* program(fake, durable())
      yield* client.execute(parent)
      assert.strictEqual(yield* arrive("failed"), "Handled")
      assert.deepStrictEqual(yield* calls, ["/sorry job-1:failure"])
    })
  )

  it.effect("does not run for a job that was cancelled", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { arrive, calls, client } = yield* program(fake, durable())
      yield* client.execute(parent)
      assert.strictEqual(yield* arrive("failed", "cancelled"), "Handled")
      assert.deepStrictEqual(yield* calls, [])
    })
  )

  it.effect("runs after a restart between handing over and the webhook", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const store = durable()
      const before = yield* program(fake, store)
      yield* before.client.execute(parent)
      const after = yield* program(fake, store)
      assert.strictEqual(yield* after.arrive(), "Handled")
      assert.deepStrictEqual(yield* after.calls, ["/after job-1:success"])
      assert.deepStrictEqual(yield* before.calls, [])
    })
  )

  it.effect("is stored before the job is handed over, so that no crash between the two loses it", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const store = durable()
      // the job is taken over, and the program is killed before it learns of it
      const submit: Delegating["submit"] = (delegation) =>
        Effect.andThen(fake.transport.submit(delegation), Effect.never)
      const cut = { ...fake, transport: { ...fake.transport, submit } }
      const killed = yield* program(cut, store)
      yield* Effect.forkChild(killed.client.execute(parent))
      yield* TestClock.adjust("1 second")
      const after = yield* program(fake, store)
      assert.strictEqual(yield* after.arrive(), "Handled")
      assert.deepStrictEqual(yield* after.calls, ["/after job-1:success"])
    })
  )

  it.effect("runs again after a crash in its midst, under the same key, and not after its end", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const store = durable()
      const before = yield* program(fake, store, { url: here, script: Script.hang })
      yield* before.client.execute(parent)
      yield* Effect.forkChild(before.arrive())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* before.calls, ["/after job-1:success"])
      // killed: what it claimed ends by itself, since its fibers no longer renew it
      const left = {
        ...store,
        claim: (given: Parameters<EventStore["claim"]>[0]) =>
          store.claim({ ...given, now: given.now + 3_600_000, claimedUntil: given.claimedUntil + 3_600_000 })
      }
      const after = yield* program(fake, left)
      assert.strictEqual(yield* after.arrive(), "Handled")
      assert.deepStrictEqual(yield* after.calls, ["/after job-1:success"])
      assert.strictEqual(yield* after.arrive(), "Duplicate")
      assert.lengthOf(yield* after.calls, 1)
    })
  )

  it.effect("does not run a second time because the handler after it failed", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const store = durable()
      const { client } = yield* program(fake, store)
      yield* client.execute(parent)
      const local = yield* Script.make(Script.always({ status: 200 }))
      const runner = EZThrottle.make(Strategies.client(local, fake.transport), fake)
      let calls = 0
      const receiver = yield* Receiver.make(
        { secrets: secret, inbox: Inbox.make({ store, url: here }), client: runner },
        () => (calls++ === 0 ? Effect.fail("no") : Effect.void)
      )
      const metadata = (yield* jobOf(fake))?.metadata ?? {}
      const post = Effect.flatMap(delivery({ jobId: "job-1", metadata }), ([header, body]) =>
        receiver.receive(header, body)
      )
      assert.strictEqual((yield* post)._tag, "HandlerFailed")
      assert.strictEqual((yield* post)._tag, "Handled")
      assert.lengthOf(yield* local.exchanges, 1)
    })
  )

  it.effect("that fails is told, and is no reason to send the event again", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { arrive, chained, client } = yield* program(fake, durable(), { url: here, script: { status: 404 } })
      yield* client.execute(parent)
      assert.strictEqual(yield* arrive(), "Handled")
      assert.deepStrictEqual(
        chained.map(({ _tag }) => _tag),
        ["Failed"]
      )
    })
  )

  it.effect("that was not found makes the sender come again instead of passing in silence", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { client } = yield* program(fake, durable())
      yield* client.execute(parent)
      const { arrive } = yield* program(fake, durable())
      assert.strictEqual(yield* arrive(), "HandlerFailed")
    })
  )

  for (const [name, store, url] of [
    ["without a durable store", () => MemoryEventStore.make(), here],
    ["without an address of the receiver", durable, undefined]
  ] as const) {
    it.effect(`travels inside the job ${name}, and does not run here`, () =>
      Effect.gen(function* () {
        const fake = yield* setup
        const { arrive, calls, client } = yield* program(fake, store(), { url })
        yield* client.execute(parent)
        const job = yield* jobOf(fake)
        assert.strictEqual(job?.on_success?.url, "https://child.example/after")
        assert.strictEqual(job?.on_failure?.url, "https://child.example/sorry")
        assert.strictEqual(yield* arrive(), "Handled")
        assert.deepStrictEqual(yield* calls, [])
      })
    )
  }

  it.effect("travels where a fallback has a chain of its own: the webhook does not tell who answered", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { client } = yield* program(fake, durable())
      const backup = Step.get("https://backup.example/").pipe(Step.onSuccess(sorry))
      yield* client.execute(parent.pipe(Step.fallback(backup)))
      assert.isDefined((yield* jobOf(fake))?.on_success)
    })
  )

  it.effect("of a PERFORMANCE child is kept back from that child", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { client } = yield* program(fake, durable())
      const middle = Step.post("https://middle.example/", { body: "y" }).pipe(Step.onSuccess(child))
      yield* client.execute(Step.post("https://api.example/", { body: "z" }).pipe(Step.onSuccess(middle)))
      const job = yield* jobOf(fake)
      assert.strictEqual(job?.on_success?.url, "https://middle.example/")
      assert.isUndefined(job?.on_success?.on_success)
      assert.isDefined(job?.on_success?.metadata?.["ezthrottle_children"])
      assert.deepStrictEqual(job?.on_success?.webhooks, [{ url: here }])
      assert.isUndefined(job?.metadata)
    })
  )

  it.effect("of a job that could not be handed over runs here at once, as ever", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { calls, client } = yield* program(fake, durable())
      yield* fake.deny()
      yield* Effect.flip(client.execute(parent))
      assert.deepStrictEqual(yield* calls, ["/sorry undefined"])
    })
  )

  it.effect("is the same in a submission that is repeated, and in a duplicate", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { arrive, calls, client } = yield* program(fake, durable())
      yield* fake.failWith(new ServiceUnreachable({ detail: "gone", maybeAccepted: true }), 1)
      const run = yield* Effect.forkChild(client.execute(parent))
      yield* TestClock.adjust("1 minute")
      yield* Effect.andThen(client.execute(parent), run.pollUnsafe() ?? Effect.die("still running"))
      assert.lengthOf(yield* fake.jobs, 1)
      assert.strictEqual(yield* arrive(), "Handled")
      assert.lengthOf(yield* calls, 1)
    })
  )
})

describe("the receiver's own webhook", () => {
  it.effect("is added without a vote where others have one, and not twice", () =>
    Effect.gen(function* () {
      const fake = yield* setup
      const { client } = yield* program(fake, durable())
      const plain = Step.post("https://api.example/", { body: "1" })
      yield* client.execute(plain.pipe(Step.webhooks([{ url: "https://other.example/" }])))
      yield* client.execute(Step.body(plain, "2").pipe(Step.webhooks([{ url: here }])))
      assert.deepStrictEqual(
        (yield* fake.jobs).map(({ json }) => json.webhooks),
        [[{ url: "https://other.example/" }, { url: here, has_quorum_vote: false }], [{ url: here }]]
      )
    })
  )

  it.effect("needs a client where children are kept back", () =>
    Effect.gen(function* () {
      const inbox = Inbox.make({ store: durable(), url: here })
      const error = yield* Effect.flip(Receiver.make({ secrets: secret, inbox }, () => Effect.void))
      assert.include(error.message, "set client")
    })
  )
})

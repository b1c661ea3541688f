import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, rmSync } from "node:fs"
import type { IncomingHttpHeaders, RequestListener } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Webhook } from "standardwebhooks"
import * as Dam from "../../../src/dam/Dam.ts"
import { defaults } from "../../../src/dam/deliver/Schedule.ts"
import * as Inbox from "../../../src/receive/Inbox.ts"
import { nodeListener } from "../../../src/receive/NodeListener.ts"
import * as SqliteEventStore from "../../../src/receive/SqliteEventStore.ts"
import * as EZThrottle from "../../../src/run/EZThrottle.ts"
import { toldTo } from "../../../src/run/Service.ts"
import * as Step from "../../../src/step/Step.ts"
import * as LocalTransport from "../../../src/transport/LocalTransport.ts"
import * as Strategies from "../../../src/transport/Strategies.ts"
import { verify } from "../../../src/webhook.ts"
import { listening, settled } from "./DeliverySockets.ts"

const primary = `whsec_${Buffer.alloc(32, 1).toString("base64")}`
const secondary = `whsec_${Buffer.alloc(32, 2).toString("base64")}`

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "deliver-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

interface Told {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A place on the network behind which programs come and go; it keeps what it is told. */
const place = Effect.gen(function* () {
  const told: Array<Told> = []
  const first = Promise.withResolvers<void>()
  let program: RequestListener = (_, response) => response.writeHead(503).end()
  const { url } = yield* listening((request, response) => {
    const pieces: Array<Buffer> = []
    request.on("data", (piece: Buffer) => pieces.push(piece))
    request.on("end", () => {
      told.push({ headers: request.headers, body: Buffer.concat(pieces) })
      first.resolve()
    })
    program(request, response)
  })
  return {
    url,
    told,
    arrived: Effect.promise(() => first.promise),
    become: (next: RequestListener) => {
      program = next
    }
  }
})

/** What a sender posts, once more. */
const again = (url: string, { body, headers }: Told) =>
  Effect.promise(async () => {
    const signatures = Object.entries(headers).filter(([name]) => /^(?:x-ezthrottle|webhook)-/.test(name))
    const answer = await fetch(url, {
      method: "POST",
      headers: Object.fromEntries(signatures.map(([name, value]) => [name, String(value)])),
      body: new Uint8Array(body)
    })
    return { status: answer.status, json: await answer.json() }
  })

/** One life of a program: a client over the dam, and a receiver over a store that outlives it. */
const life = Effect.fnUntraced(function* (dam: Dam.Running, events: string, url: string) {
  const store = yield* Effect.acquireRelease(
    Effect.sync(() => SqliteEventStore.open(events)),
    (open) => Effect.sync(() => open[Symbol.dispose]())
  )
  const inbox = Inbox.make({ store, url })
  const transport = toldTo(dam.service.transport, inbox)
  const client = EZThrottle.make(Strategies.client(LocalTransport.makeFetch(), transport), {
    ...dam.service,
    transport
  })
  const handled: Array<string> = []
  const listener = yield* Effect.acquireRelease(
    Effect.sync(() => nodeListener({ secrets: primary, inbox, client, handle: (event) => handled.push(event.jobId) })),
    (made) => Effect.promise(() => made[Symbol.asyncDispose]())
  )
  return { client, listener, handled }
})

describe("a dam that delivers to a receiver", () => {
  it.live("is believed by either scheme, and the child that was kept back runs once, also after a restart", () =>
    Effect.gen(function* () {
      const events = join(yield* folder, "events.db")
      const children: Array<string> = []
      const target = yield* listening((request, response) => {
        if (request.url === "/after") children.push(String(request.headers["idempotency-key"]))
        response.end("fine")
      })
      const hooks = yield* place
      const dam = yield* Dam.make({
        path: ":memory:",
        pacing: { pace: { rps: 1000, maxConcurrent: 10 } },
        deliveries: {
          ...defaults,
          schedule: [Duration.zero, ...Array.from({ length: 500 }, () => Duration.millis(20))]
        }
      })
      yield* dam.service.secrets.create(Redacted.make(primary), Redacted.make(secondary))

      // the first life hands the job over and ends before its result is told
      const jobId = yield* Effect.scoped(
        Effect.gen(function* () {
          const { client } = yield* life(dam, events, hooks.url)
          const child = Step.post(`${target.url}after`, { body: "x" }).pipe(Step.frugal())
          const end = yield* client.execute(Step.post(`${target.url}orders`, { body: "7" }).pipe(Step.onSuccess(child)))
          yield* hooks.arrived
          return end._tag === "Accepted" ? end.receipt.jobId : ""
        })
      )
      assert.deepStrictEqual(children, [])

      yield* Effect.scoped(
        Effect.gen(function* () {
          const second = yield* life(dam, events, hooks.url)
          hooks.become((request, response) => void second.listener(request, response))
          const delivery = yield* settled(dam.store, jobId)
          assert.strictEqual(delivery.state, "delivered")
          assert.deepInclude(delivery.attempts[0], { status: 503 })
          assert.deepStrictEqual(children, [`${jobId}:success`])
          assert.deepStrictEqual(second.handled, [jobId])
          const [told] = hooks.told
          assert.isDefined(told)
          assert.deepInclude(yield* again(hooks.url, told), { status: 200, json: { status: "duplicate" } })
        })
      )

      // and a third life, which knows that it has been done
      const third = yield* life(dam, events, hooks.url)
      hooks.become((request, response) => void third.listener(request, response))
      for (const told of hooks.told.slice()) {
        assert.deepInclude(yield* again(hooks.url, told), { status: 200, json: { status: "duplicate" } })
        const header = String(told.headers["x-ezthrottle-signature"])
        const now = Number(told.headers["webhook-timestamp"])
        for (const secret of [primary, secondary]) {
          assert.strictEqual(verify({ header, body: told.body, secrets: secret, now })._tag, "Valid")
          assert.deepInclude(new Webhook(secret).verify(told.body.toString("utf8"), headersOf(told)), {
            job_id: jobId
          })
        }
      }
      assert.deepStrictEqual(children, [`${jobId}:success`])
      assert.deepStrictEqual(third.handled, [])
    }).pipe(Effect.scoped)
  )
})

const headersOf = ({ headers }: Told) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

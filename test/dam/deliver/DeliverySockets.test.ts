import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { createServer as createNetServer, type Socket } from "node:net"
import * as Dam from "../../../src/dam/Dam.ts"
import { defaults } from "../../../src/dam/deliver/Schedule.ts"
import * as Step from "../../../src/step/Step.ts"
import { listening as http, settled } from "./DeliverySockets.ts"

const portOf = (address: unknown): number =>
  typeof address === "object" && address !== null && "port" in address ? Number(address.port) : 0

/** Takes connections and does with them what it is told. */
const raw = (meet: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly stop: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      const server = createNetServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => undefined)
        meet(socket)
      })
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${portOf(server.address())}/`,
            stop: () => {
              server.close()
              for (const socket of sockets) socket.destroy()
            }
          })
        )
      )
    }),
    ({ stop }) => Effect.sync(stop)
  )

/** A dam whose deliveries have two attempts of half a second at most, and a target that answers at once. */
const setUp = Effect.gen(function* () {
  const target = yield* http((_, response) => response.end("fine"))
  const dam = yield* Dam.make({
    path: ":memory:",
    pacing: { pace: { rps: 1000, maxConcurrent: 2 } },
    deliveries: { ...defaults, timeoutMillis: 500, schedule: [Duration.zero, Duration.zero] }
  })
  const submit = (key: string, hook: string) =>
    Effect.map(
      dam.service.transport.submit({
        step: Step.webhooks(Step.get(target.url), [{ url: hook }]),
        key,
        retryAt: undefined
      }),
      ({ jobId }) => jobId
    )
  return { ...dam, submit }
})

describe("a receiver", () => {
  it.live("that sends without end has taken the delivery with its status, and little of it is read", () =>
    Effect.gen(function* () {
      let sent = 0
      const gone = Promise.withResolvers<void>()
      const chunk = Buffer.alloc(65_536, "x")
      const receiver = yield* http((request, response) => {
        response.on("close", () => gone.resolve())
        response.writeHead(200)
        const more = () => {
          while (!response.destroyed && sent < 4 * 1024 ** 3) {
            sent += chunk.length
            if (!response.write(chunk)) return
          }
        }
        response.on("drain", more)
        request.resume()
        more()
      })
      const dam = yield* setUp
      const delivery = yield* settled(dam.store, yield* dam.submit("gigabytes", receiver.url))
      assert.strictEqual(delivery.state, "delivered")
      assert.strictEqual(delivery.attempts[0]?.excerpt?.length, 4096)
      yield* Effect.promise(() => gone.promise)
      // what fits into the buffers of two sockets
      assert.isBelow(sent, 64 * 1024 ** 2)
    })
  )

  const bad: Readonly<Record<string, (socket: Socket) => void>> = {
    "that takes the request and says nothing": () => undefined,
    "that sends its headers and then nothing": (socket) =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"),
    "that dribbles its headers": (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n")
      const timer = setInterval(() => socket.write("x: y\r\n"), 50)
      socket.on("close", () => clearInterval(timer))
    },
    "that resets": (socket) => socket.once("data", () => socket.resetAndDestroy())
  }
  for (const [which, meet] of Object.entries(bad)) {
    it.live(`${which} holds its own slots for the time-out and delays nobody else`, () =>
      Effect.gen(function* () {
        const open = new Set<Socket>()
        const receiver = yield* raw((socket) => {
          open.add(socket)
          socket.on("close", () => open.delete(socket))
          meet(socket)
        })
        const good = yield* http((_, response) => response.writeHead(204).end())
        const dam = yield* setUp
        const stuck = yield* Effect.forEach(["1", "2", "3"], (key) => dam.submit(key, receiver.url))
        const started = performance.now()
        const quick = yield* settled(dam.store, yield* dam.submit("good", good.url))
        assert.strictEqual(quick.state, "delivered")
        // the slowest machine of all needs no half second for this
        assert.isBelow(quick.attempts[0]?.latency ?? Infinity, 450)
        const dead = yield* Effect.forEach(stuck, (id) => settled(dam.store, id), { concurrency: 3 })
        for (const { attempts, state } of dead) {
          assert.strictEqual(state, "dead")
          assert.lengthOf(attempts, 2)
          for (const { latency, status } of attempts) {
            assert.isUndefined(status)
            assert.isBelow(latency, 1500)
          }
        }
        // three of two attempts, two at a time: three rounds of half a second, and some room
        assert.isBelow(performance.now() - started, 6000)
      })
    )
  }
})

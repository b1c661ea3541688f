import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from "node:net"

/** A server on a free loopback port; what it does with a call is up to the test. */
export interface Upstream {
  readonly origin: string
  readonly url: string
  /** How many connections were ever accepted. */
  readonly connections: () => number
}

export interface Heard {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
}

const listening = <S extends Server>(server: S): Effect.Effect<Upstream, never, Scope.Scope> => {
  const sockets = new Set<Socket>()
  let accepted = 0
  server.on("connection", (socket: Socket) => {
    accepted++
    sockets.add(socket)
    // what a client does to a connection is the test's business, not an error of the server
    socket.on("error", () => {})
    socket.on("close", () => sockets.delete(socket))
  })
  return Effect.acquireRelease(
    Effect.callback<Upstream>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed({ origin, url: `${origin}/target?token=secret`, connections: () => accepted }))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )
}

/** Speaks HTTP: answers each call once its body is in. */
export const http = (answer: (heard: Heard, response: ServerResponse) => void) =>
  listening(
    createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const heard = {
          method: request.method ?? "",
          path: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(chunks)
        }
        answer(heard, response)
      })
    })
  )

/** Speaks whatever the test writes, once the head of a request is in. */
export const raw = (answer: (socket: Socket) => void) =>
  listening(
    createSocketServer((socket) => {
      let head = ""
      const listen = (chunk: Buffer) => {
        head += chunk.toString("latin1")
        if (!head.includes("\r\n\r\n")) return
        socket.off("data", listen)
        socket.resume()
        answer(socket)
      }
      socket.on("data", listen)
    })
  )

/** Speaks whatever the test writes, from the first moment of a connection on. */
export const bytes = (answer: (socket: Socket) => void) => listening(createSocketServer(answer))

/** Says `beginning` and nothing more; tells when it was asked and when the caller hung up. */
export const stalling = Effect.fnUntraced(function* (beginning: string) {
  const asked = yield* Deferred.make<void>()
  const hungUp = yield* Deferred.make<void>()
  const upstream = yield* raw((socket) => {
    socket.on("close", () => Deferred.doneUnsafe(hungUp, Effect.void))
    socket.write(beginning, () => Deferred.doneUnsafe(asked, Effect.void))
    if (beginning === "") Deferred.doneUnsafe(asked, Effect.void)
  })
  return { ...upstream, asked: Deferred.await(asked), hungUp: Deferred.await(hungUp) }
})

/** A port that nobody listens on: one that was free a moment ago. */
export const nobody: Effect.Effect<Upstream> = Effect.scoped(http(() => {}))

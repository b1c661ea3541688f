/** A proxy on loopback that knows CONNECT and nothing else, and does as it is told. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"

/** What to do with a CONNECT: let it through, to a port of loopback, whatever address it names; answer; or neither. */
export type Habit = { readonly to: number } | { readonly status: number } | { readonly raw: string } | "hang" | "close"

/** Starts a proxy; it ends with the scope, connections included. */
export const make = Effect.fnUntraced(function* (habit: Habit | ((authority: string) => Habit)) {
  const asked: Array<string> = []
  const authorizations: Array<string | undefined> = []
  const sockets = new Set<Socket>()
  const first = Deferred.makeUnsafe<void>()
  const left = Deferred.makeUnsafe<void>()
  let connections = 0
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined)
    socket.on("close", () => {
      sockets.delete(socket)
      Deferred.doneUnsafe(left, Effect.void)
    })
    return socket
  }
  const server = createServer()
  server.on("connection", (socket) => {
    connections++
    keep(socket)
  })
  server.on("connect", ({ headers, url = "" }, client: Socket) => {
    asked.push(url)
    authorizations.push(headers["proxy-authorization"])
    Deferred.doneUnsafe(first, Effect.void)
    const now = typeof habit === "function" ? habit(url) : habit
    // a server's socket stays half open, and a paused one does not hear that the other side has left
    if (now === "hang") return void client.once("end", () => client.destroy()).resume()
    if (now === "close") return void client.destroy()
    if ("status" in now) return void client.end(`HTTP/1.1 ${now.status} No\r\nContent-Length: 0\r\n\r\n`)
    if ("raw" in now) return void client.end(now.raw)
    const target = keep(connect(now.to, "127.0.0.1"))
    target.once("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n")
      client.pipe(target).pipe(client)
    })
    target.once("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"))
    target.once("close", () => client.destroy())
    client.once("close", () => target.destroy())
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        sockets.forEach((socket) => socket.destroy())
      })
  )
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Every authority that a way was asked to. */
    asked,
    authorizations,
    connections: () => connections,
    /** Waits for the first CONNECT. */
    reached: Deferred.await(first),
    /** Waits for the first connection to end. */
    left: Deferred.await(left)
  }
})

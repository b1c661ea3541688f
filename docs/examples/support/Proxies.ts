/** Three ways out on loopback: proxies that know CONNECT, one of them well, one slow, one that refuses. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

export interface Proxy {
  readonly url: string
  /** Every address that the proxy was asked to connect to. */
  readonly asked: ReadonlyArray<string>
}

/** Starts a proxy that thinks this long before it connects, or that never does. */
export const proxy = (after: number | "never"): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => start(after)),
      ({ close }) => Effect.promise(close)
    ),
    ({ asked, url }) => ({ asked, url })
  )

const start = (after: number | "never"): Promise<Proxy & { readonly close: () => Promise<void> }> => {
  const asked: Array<string> = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket =>
    sockets.add(socket) && socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket))
  const server = createServer().on("connection", keep)
  server.on("connect", async ({ url = "" }, client: Socket) => {
    asked.push(url)
    if (after === "never") return client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    await sleep(after, undefined, { ref: false })
    if (client.destroyed) return
    const { hostname, port } = new URL(`http://${url}`)
    const target = keep(connect(Number(port), hostname))
    target.once("connect", () => client.write("HTTP/1.1 200 Connection established\r\n\r\n"))
    target.once("close", () => client.destroy())
    client.once("close", () => target.destroy())
    client.pipe(target).pipe(client)
  })
  const close = () =>
    new Promise<void>((closed) => {
      server.close(() => closed())
      sockets.forEach((socket) => socket.destroy())
    })
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resolve({ url: `http://127.0.0.1:${port}`, asked, close })
    })
  })
}

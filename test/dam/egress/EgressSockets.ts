import * as Effect from "effect/Effect"
import { createServer, type LookupFunction, type Server, Socket } from "node:net"
import { vi } from "@effect/vitest"

/** One connection that was about to be opened. */
export interface Opening {
  readonly host: string
  readonly port: number
  /** What the socket would have connected to, in order, as its own `lookup` answered. */
  readonly addresses: ReadonlyArray<string>
}

interface SocketOptions {
  readonly host: string
  readonly port: number | string
  readonly lookup?: LookupFunction | undefined
}

/**
 * Stands where Node hands a connection to the system. Connections to loopback are let through, to a sentinel that
 * listens on both loopback addresses, whatever their port; all others are recorded and refused, so nothing can leave.
 */
export const watchSockets = Effect.gen(function* () {
  let reached = 0
  const openings: Array<Opening> = []
  const sentinel = createServer((socket) => {
    reached++
    socket.on("error", () => undefined)
    socket.once("data", () => socket.end("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
  })
  yield* Effect.acquireRelease(listen(sentinel), () => close(sentinel))
  const { port } = sentinel.address() as { readonly port: number }
  const connect = Socket.prototype.connect
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      vi.spyOn(Socket.prototype, "connect").mockImplementation(function (this: Socket, ...args: Array<unknown>) {
        // `net.connect` passes its arguments as one normalized list, `tls.connect` as they are
        const [given, ...rest] = (Array.isArray(args[0]) ? args[0] : args) as [SocketOptions, ...Array<unknown>]
        const addresses = answersOf(given)
        openings.push({ host: given.host, port: Number(given.port), addresses })
        if (addresses.every((address) => LOOPBACK.has(address))) {
          return Reflect.apply(connect, this, [{ ...given, port }, ...rest])
        }
        process.nextTick(() => this.destroy(Object.assign(new Error("recorded"), { code: "ECONNREFUSED" })))
        return this
      })
    ),
    (spy) => Effect.sync(() => spy.mockRestore())
  )
  return { openings, reached: () => reached }
})

const answersOf = ({ host, lookup }: SocketOptions): ReadonlyArray<string> => {
  let addresses: ReadonlyArray<string> = [host]
  lookup?.(host, { all: true }, (_, found) => {
    addresses = Array.isArray(found) ? found.map(({ address }) => address) : []
  })
  return addresses
}

const listen = (server: Server) =>
  Effect.callback<Server>((resume) => {
    // `::` takes IPv4 connections too
    server.listen(0, "::", () => resume(Effect.succeed(server)))
  })

const close = (server: Server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))

const LOOPBACK = new Set(["127.0.0.1", "::1"])

import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** A request as the server saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

export type Handler = (seen: Seen, response: ServerResponse) => void

/** A real server on loopback for the length of a scope: what it saw, and a signal for each request that came. */
export const serve = (handler: Handler) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const requests: Array<Seen> = []
      const waiting: Array<{ readonly count: number; readonly came: Deferred.Deferred<void> }> = []
      const server = createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          const seen = {
            method: request.method ?? "",
            path: request.url ?? "",
            headers: request.headers,
            body: Buffer.concat(chunks).toString()
          }
          requests.push(seen)
          handler(seen, response)
          for (const { came, count } of waiting) {
            if (requests.length >= count) Deferred.doneUnsafe(came, Effect.void)
          }
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(
          Effect.succeed({
            url: `http://127.0.0.1:${port}`,
            requests,
            requested: (count) =>
              Effect.suspend(() => {
                if (requests.length >= count) return Effect.void
                const came = Deferred.makeUnsafe<void>()
                waiting.push({ count, came })
                return Deferred.await(came)
              }),
            stop: Effect.callback<void>((stopped) => {
              server.close(() => stopped(Effect.void))
              server.closeAllConnections()
            })
          })
        )
      })
    }),
    (server) => server.stop
  )

export interface Server {
  readonly url: string
  readonly requests: ReadonlyArray<Seen>
  /** Waits until so many requests were handled. */
  readonly requested: (count: number) => Effect.Effect<void>
  readonly stop: Effect.Effect<void>
}

export const reply = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(typeof body === "string" ? body : JSON.stringify(body))

/** The proxy's answer around an answer of the service. */
export const allowed = (status: number, body: unknown) => ({
  status: "allowed",
  forwarded_response: { status_code: status, headers: {}, body: typeof body === "string" ? body : JSON.stringify(body) }
})

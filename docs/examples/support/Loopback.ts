/** Plain HTTP servers on 127.0.0.1, closed with their scope, connections included. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"

const open = (handler: RequestListener): Effect.Effect<{ readonly url: string; readonly close: () => Promise<void> }> =>
  Effect.promise(
    () =>
      new Promise((resolve) => {
        const server = createServer(handler)
        const close = () =>
          new Promise<void>((closed) => {
            server.close(() => closed())
            server.closeAllConnections()
          })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          resolve({ url: `http://127.0.0.1:${port}`, close })
        })
      })
  )

/** Starts a server and answers its base URL. */
export const serve = (handler: RequestListener): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(open(handler), ({ close }) => Effect.promise(close)),
    ({ url }) => url
  )

/** A base URL where nobody listens: the port was open a moment ago. */
export const dead: Effect.Effect<string> = Effect.flatMap(
  open(() => {}),
  ({ close, url }) => Effect.as(Effect.promise(close), url)
)

/** The whole body as text. */
export const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

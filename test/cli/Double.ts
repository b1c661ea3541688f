/** A service that answers by a script, and writes down what it was asked. */
import * as Effect from "effect/Effect"
import { createServer, type Server } from "node:http"

export interface Asked {
  readonly route: string
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
}

export type Script = Readonly<Record<string, { readonly status?: number; readonly body: unknown }>>

/** Every route by its method and path; whatever is not there is 404, as an older dam would say. */
export const make = (script: Script) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => start(script)),
      ({ server }) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    ),
    ({ asked, url }) => ({ asked, url })
  )

const start = (script: Script) =>
  new Promise<{ readonly server: Server; readonly url: string; readonly asked: ReadonlyArray<Asked> }>((resolve) => {
    const asked: Array<Asked> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk) => chunks.push(chunk))
      request.on("end", () => {
        const url = new URL(request.url ?? "/", "http://double")
        const route = `${request.method} ${decodeURIComponent(url.pathname)}`
        const text = Buffer.concat(chunks).toString()
        asked.push({
          route,
          query: Object.fromEntries(url.searchParams),
          body: text === "" ? undefined : JSON.parse(text)
        })
        const { body, status = 200 } = script[route] ?? { status: 404, body: { error: "not found" } }
        response.writeHead(status, { "content-type": "application/json" })
        response.end(JSON.stringify(body))
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve({ server, asked, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}` })
    })
  })

/** Servers on loopback that write down who came: an upstream like httpbin, and a receiver of webhooks. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Loopback {
  readonly url: string
  readonly seen: ReadonlyArray<Seen>
  /** Resolves as soon as what was seen fulfils this. */
  readonly until: (enough: (seen: ReadonlyArray<Seen>) => boolean) => Promise<ReadonlyArray<Seen>>
  readonly close: () => Promise<void>
}

const start = (answer: (seen: Seen, response: ServerResponse) => void): Promise<Loopback> => {
  const seen: Array<Seen> = []
  const waiting = new Set<() => void>()
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => {
      const { headers, method = "", url = "" } = request
      const one = { method, path: url, headers, body: Buffer.concat(chunks).toString() }
      seen.push(one)
      answer(one, response)
      for (const look of waiting) look()
    })
  })
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resolve({
        url: `http://127.0.0.1:${port}`,
        seen,
        until: (enough) =>
          new Promise((done) => {
            const look = () => {
              if (!enough(seen)) return
              waiting.delete(look)
              done(seen)
            }
            waiting.add(look)
            look()
          }),
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          })
      })
    })
  })
}

/** `/status/N` answers N, `/delay/S` after S seconds, everything else 200; always with the path as JSON. */
export const upstream = (): Promise<Loopback> =>
  start(({ path }, response) => {
    const [, kind, value = "0"] = /^\/(status|delay)\/([\d.]+)/.exec(path) ?? []
    const answer = () => {
      response.writeHead(kind === "status" ? Number(value) : 200, { "content-type": "application/json" })
      response.end(JSON.stringify({ path }))
    }
    if (kind === "delay") setTimeout(answer, Number(value) * 1000)
    else answer()
  })

/** Takes every webhook. */
export const receiver = (): Promise<Loopback> =>
  start((_, response) => {
    response.writeHead(204)
    response.end()
  })

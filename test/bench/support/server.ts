/** A plain HTTP server in a thread of its own, so that the measured side keeps its core. */
import { once } from "node:events"
import { createServer } from "node:http"
import { isMainThread, parentPort, Worker } from "node:worker_threads"

if (!isMainThread) {
  const answer = JSON.stringify({ ok: true, text: "x".repeat(100) })
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { "content-type": "application/json", "content-length": answer.length })
    response.end(answer)
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    parentPort?.postMessage(typeof address === "object" && address !== null ? address.port : 0)
  })
}

export const startServer = async (): Promise<{ readonly url: string; readonly stop: () => Promise<unknown> }> => {
  const worker = new Worker(new URL(import.meta.url))
  const [port] = await once(worker, "message")
  return { url: `http://127.0.0.1:${port}/resource`, stop: () => worker.terminate() }
}

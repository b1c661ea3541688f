/**
 * The upstream and the receiver of a kill test, in a process that nobody kills: each answers after a few milliseconds
 * and writes down what came. `GET /ledger` of either tells both ledgers.
 */
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Call, Hook } from "./Ledgers.ts"
import { isSigned } from "./Signed.ts"

const secret = process.argv[2] ?? ""
const calls: Array<{ -readonly [Key in keyof Call]: Call[Key] }> = []
const hooks: Array<{ -readonly [Key in keyof Hook]: Hook[Key] }> = []

const now = () => performance.timeOrigin + performance.now()

type Answer = (body: string, request: IncomingMessage, response: ServerResponse, start: number) => void

const serve = (answer: Answer): Promise<number> => {
  const server = createServer((request, response) => {
    const start = now()
    if (request.url === "/ledger") {
      response.end(JSON.stringify({ calls, hooks }))
      return
    }
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => answer(Buffer.concat(chunks).toString(), request, response, start))
  })
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  )
}

/** Between 5 and 45 milliseconds, so that kills find calls in every stage. */
const pause = () => 5 + 40 * Math.random()

const upstream = await serve((body, request, response, start) => {
  const call = {
    key: JSON.parse(body).key,
    header: String(request.headers["idempotency-key"]),
    attempt: Number(request.headers["x-ezthrottle-attempt"]),
    bodyHash: createHash("sha256").update(body).digest("hex"),
    start,
    end: Number.MAX_SAFE_INTEGER
  }
  calls.push(call)
  response.on("close", () => (call.end = Math.min(call.end, now())))
  setTimeout(() => {
    call.end = Math.min(call.end, now())
    response.end('{"done":true}')
  }, pause())
})

const receiver = await serve((body, request, response, start) => {
  const event = JSON.parse(body)
  const hook = {
    jobId: event.job_id,
    key: event.idempotent_key,
    status: event.status,
    signed: isSigned(body, request.headers["x-ezthrottle-signature"], secret),
    answered: 200,
    start,
    end: Number.MAX_SAFE_INTEGER
  }
  hooks.push(hook)
  response.on("close", () => (hook.end = Math.min(hook.end, now())))
  setTimeout(() => {
    hook.end = Math.min(hook.end, now())
    response.end()
  }, pause())
})

process.send?.({ upstream, receiver })
// whoever started it is gone
process.on("disconnect", () => process.exit())

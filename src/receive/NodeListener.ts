/**
 * A receiver as a listener of Node's HTTP server, which is also a middleware of Express, Connect and their like.
 *
 * @since 0.1.0
 */
import type { Answer } from "./Answer.ts"
import { answerTo, methodNotAllowed } from "./Answer.ts"
import * as Collected from "./Collected.ts"
import type { HandlerOptions } from "./Detached.ts"
import * as Detached from "./Detached.ts"
import type { Received } from "./Receiver.ts"

/**
 * The part of Node's `IncomingMessage` that is needed here. `body` and `rawBody` are what frameworks add.
 *
 * @category models
 * @since 0.1.0
 */
export interface IncomingMessageLike {
  readonly method?: string | undefined
  readonly headers: { readonly [name: string]: string | ReadonlyArray<string> | undefined }
  readonly readableDidRead?: boolean | undefined
  readonly body?: unknown
  readonly rawBody?: unknown
  readonly on: (event: "data" | "end" | "error" | "close", listener: (piece: unknown) => void) => unknown
  readonly pause: () => unknown
}

/**
 * The part of Node's `ServerResponse` that is needed here.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerResponseLike {
  statusCode: number
  readonly setHeader: (name: string, value: string) => unknown
  readonly end: (body: string) => unknown
}

/**
 * Answers requests. Disposing it interrupts the handlers that still run.
 *
 * @category models
 * @since 0.1.0
 */
export interface NodeListener extends AsyncDisposable {
  (request: IncomingMessageLike, response: ServerResponseLike): Promise<void>
}

/**
 * Makes a receiver that listens to Node's requests.
 *
 * **Details** — it reads the body itself, or takes the bytes that `express.raw()` or a platform (`rawBody`) has read.
 * Throws `InvalidReceiver` when it cannot work as it is set up: without a secret, for instance.
 * **Gotchas** — a body parsed by `express.json()` is no longer what was signed: it answers 500 and says so. Put it in
 * front of such a parser.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nodeListener = (options: HandlerOptions): NodeListener => {
  const detached = Detached.make(options)
  const listen = async (request: IncomingMessageLike, response: ServerResponseLike): Promise<void> => {
    if (request.method !== "POST") return write(response, methodNotAllowed)
    const { receive, receiver } = detached()
    const { maxBodyBytes, refuse } = receiver
    const header = (name: string) => request.headers[name.toLowerCase()]
    const refused = refuse(header) ?? Collected.tooLong(header("content-length"), maxBodyBytes)
    const body = refused ?? (await read(request, maxBodyBytes))
    write(response, answerTo(body instanceof Uint8Array ? await receive(header, body) : body))
  }
  return Object.assign(listen, { [Symbol.asyncDispose]: () => detached().close() })
}

const read = async (request: IncomingMessageLike, limit: number): Promise<Uint8Array | Received> => {
  const raw = [request.rawBody, request.body].find((given) => given instanceof Uint8Array)
  const body = Collected.make(limit)
  if (raw !== undefined) return body.add(raw) ? raw : body.tooLarge
  if (request.body !== undefined || request.readableDidRead === true) return parsed
  return new Promise((resolve) => {
    request.on("data", (piece) => {
      // somebody has told the stream to decode: what was signed are bytes
      const isGood = piece instanceof Uint8Array
      if (isGood && body.add(piece)) return
      request.pause()
      resolve(isGood ? body.tooLarge : parsed)
    })
    request.on("end", () => resolve(body.bytes()))
    request.on("error", () => resolve(Collected.cutOff))
    request.on("close", () => resolve(Collected.cutOff))
  })
}

const write = (response: ServerResponseLike, { body, headers, status }: Answer): void => {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  // what was not read is not waited for
  if (status === 413) response.setHeader("connection", "close")
  response.end(body)
}

const parsed: Received = {
  _tag: "Unreadable",
  problem:
    "The body was read or parsed before the webhook receiver, so its signature cannot be checked; put the receiver in " +
    "front of express.json() and its like, or use express.raw() on its path",
  isOurs: true
}

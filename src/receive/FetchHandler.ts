/**
 * A receiver as a function from `Request` to `Response`: for Hono, Next, Bun, Deno, Workers and everything else that
 * speaks the fetch API.
 *
 * @since 0.1.0
 */
import { answerTo, methodNotAllowed } from "./Answer.ts"
import * as Collected from "./Collected.ts"
import type { HandlerOptions } from "./Detached.ts"
import * as Detached from "./Detached.ts"
import type { Received, Receiver } from "./Receiver.ts"

/**
 * Answers requests. Disposing it interrupts the handlers that still run.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchHandler extends AsyncDisposable {
  (request: Request): Promise<Response>
}

/**
 * Makes a receiver that answers requests.
 *
 * **Details** — throws `InvalidReceiver` when it cannot work as it is set up: without a secret, for instance.
 * **Gotchas** — it needs the body as it was sent. Where something has read it before, it answers 500 and says so.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fetchHandler = (options: HandlerOptions): FetchHandler => {
  const detached = Detached.make(options)
  const respond = async (request: Request): Promise<Response> => {
    if (request.method !== "POST") return toResponse(methodNotAllowed)
    const { receive, receiver } = detached()
    const header = (name: string) => request.headers.get(name)
    const body = await read(request, receiver)
    return toResponse(answerTo(body instanceof Uint8Array ? await receive(header, body) : body))
  }
  return Object.assign(respond, { [Symbol.asyncDispose]: () => detached().close() })
}

const read = async (request: Request, { maxBodyBytes, refuse }: Receiver): Promise<Uint8Array | Received> => {
  const header = (name: string) => request.headers.get(name)
  if (request.bodyUsed) return alreadyRead
  const refused = refuse(header) ?? Collected.tooLong(header("content-length"), maxBodyBytes)
  if (refused !== undefined) return refused
  const body = Collected.make(maxBodyBytes)
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = request.body?.getReader()
  if (reader === undefined) return body.bytes()
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return body.bytes()
      if (!body.add(value)) {
        await reader.cancel()
        return body.tooLarge
      }
    }
  } catch {
    return Collected.cutOff
  }
}

const toResponse = ({ body, headers, status }: ReturnType<typeof answerTo>): Response =>
  new Response(body, { status, headers })

const alreadyRead: Received = {
  _tag: "Unreadable",
  problem: "The body was read before the webhook receiver; give it the request untouched, without json() or text()",
  isOurs: true
}

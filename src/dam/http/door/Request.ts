/**
 * What is checked of a request before any route looks at it, and how its body is read.
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type { IncomingHttpHeaders } from "node:http"
import type { Readable } from "node:stream"
import { badField, later, refused, type Refused } from "../../intake/Refusal.ts"
import type { Limits } from "../../intake/Limits.ts"

/** What of Node's message is looked at. */
export interface Head {
  readonly httpVersion: string
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: ReadonlyArray<string>
}

/** What decides who is let in. */
export interface Threshold {
  readonly limits: Limits
  /** Names that `Host` may say; `undefined` where any may. */
  readonly hosts: ReadonlySet<string> | undefined
}

/** What bodies are read by. */
export interface Reading {
  readonly limits: Limits
  readonly room: Room
}

/** Room for bodies that are being read, whoever sends them: it is taken as they come, and given back with the whole. */
export interface Room {
  /** Takes room for more bytes; `false` where there is none. */
  readonly take: (bytes: number) => boolean
  readonly give: (bytes: number) => void
}

/** Makes the room. */
export const makeRoom = ({ readingBytes }: Limits): Room => {
  let taken = 0
  return {
    take: (bytes) => {
      if (taken + bytes > readingBytes) return false
      taken += bytes
      return true
    },
    give: (bytes) => {
      taken -= bytes
    }
  }
}

/** A message with its body still to come. */
export interface Message extends Head, Readable {
  readonly socket: { readonly pause: () => unknown }
}

/** The message as Node has it. */
export const sourceOf = (request: HttpServerRequest): Message => NodeHttpServerRequest.toIncomingMessage(request)

/** The address a request came from; a proxy's, where one stands before the dam. */
export const addressOf = (request: HttpServerRequest): string =>
  NodeHttpServerRequest.toIncomingMessage(request).socket.remoteAddress ?? ""

/** Finds what is wrong with the head of a request. */
export const faultIn = (head: Head, { hosts, limits }: Threshold): Refused | undefined => {
  const { httpVersion, rawHeaders } = head
  // 1.0 is what reverse proxies speak that nobody has told otherwise
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return refused(505, "http_version", "HTTP/1.1 is spoken here", CLOSE)
  }
  if (httpVersion === "1.0" && head.headers["transfer-encoding"] !== undefined) {
    return refused(400, "invalid_header", "Transfer-Encoding: HTTP/1.0 has none, send Content-Length", {
      ...CLOSE,
      field: "Transfer-Encoding"
    })
  }
  if (rawHeaders.length > 2 * limits.requestHeaders) {
    return refused(431, "headers_too_large", `more than ${limits.requestHeaders} headers`, CLOSE)
  }
  const doubled = doubledIn(rawHeaders)
  if (doubled !== undefined) return badField(doubled, "stands there twice", "duplicate_header")
  return hosts === undefined || isAmong(hosts, head) ? undefined : refused(421, "misdirected_request", UNSERVED)
}

/** Finds what is wrong with the body's description. */
export const faultInContent = (headers: IncomingHttpHeaders): Refused | undefined => {
  const type = headers["content-type"]
  if (type !== "application/json" && !JSON_TYPE.test(type ?? "")) {
    return refused(415, "unsupported_media_type", "send application/json")
  }
  const encoding = headers["content-encoding"]
  return encoding === undefined || encoding === "identity"
    ? undefined
    : refused(415, "unsupported_encoding", "send the body as it is, without Content-Encoding")
}

/** Reads a body. One that is too large is refused as soon as that is known, and no more of it is read. */
export const readBody = (request: HttpServerRequest, reading: Reading): Effect.Effect<Uint8Array, Refused> =>
  Effect.callback((resume) => {
    const leave = collect(sourceOf(request), reading, (body) =>
      resume(body instanceof Uint8Array ? Effect.succeed(body) : Effect.fail(body))
    )
    return Effect.sync(leave)
  })

/** Reads a body where there may be none; then it is empty, whatever the request says of its type. */
export const readOptionalBody = (request: HttpServerRequest, reading: Reading): Effect.Effect<Uint8Array, Refused> => {
  const { headers } = sourceOf(request)
  const isEmpty = headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0
  return isEmpty ? Effect.succeed(EMPTY) : readBody(request, reading)
}

/** Reads a body and hands it over, or the reason why not, once. What it answers ends the reading. */
export const collect = (
  source: Message,
  { limits, room }: Reading,
  done: (body: Uint8Array | Refused) => void
): (() => void) => {
  const fault =
    faultInContent(source.headers) ??
    (Number(source.headers["content-length"] ?? 0) > limits.bodyBytes ? tooLarge(limits) : undefined)
  if (fault !== undefined) {
    done(fault)
    return () => undefined
  }
  let chunks: Array<Uint8Array> | undefined
  let first: Uint8Array | undefined
  let bytes = 0
  let held = 0
  const leave = () => {
    room.give(held)
    held = 0
    source.off("data", onData).off("end", onEnd).off("error", onError)
  }
  const end = (body: Uint8Array | Refused) => {
    leave()
    done(body)
  }
  const onData = (chunk: Uint8Array) => {
    bytes += chunk.length
    if (bytes > limits.bodyBytes) {
      stopReading(source)
      return end(tooLarge(limits))
    }
    if (!room.take(chunk.length)) {
      stopReading(source)
      return end(noRoom(limits))
    }
    held += chunk.length
    if (first === undefined) first = chunk
    else (chunks ??= [first]).push(chunk)
  }
  const onEnd = () => end(chunks === undefined ? (first ?? EMPTY) : Buffer.concat(chunks, bytes))
  // the connection is gone; nobody reads what is answered
  const onError = () => end(refused(400, "incomplete_body", "the connection ended before the body did", CLOSE))
  source.on("data", onData).on("end", onEnd).on("error", onError)
  return leave
}

/** A message that is only paused goes on filling its buffer from the socket, so that is full first. */
const stopReading = (source: Message): void => {
  source.pause()
  source.unshift(Buffer.alloc(source.readableHighWaterMark))
  source.socket.pause()
}

const noRoom = ({ readingBytes }: Limits): Refused => {
  const problem = `bodies of ${readingBytes} bytes in all are being read, more than that are not`
  const { headers, ...refusal } = later({ status: 503, code: "busy_reading", problem, after: 1 })
  return refused(refusal.status, refusal.code, refusal.problem, { headers: { ...headers, ...CLOSE.headers } })
}

const tooLarge = ({ bodyBytes }: Limits) =>
  refused(413, "body_too_large", `the body is larger than ${bodyBytes} bytes`, CLOSE)

/** Node keeps the first of some and joins others: either way two readers could see two requests. */
const doubledIn = (rawHeaders: ReadonlyArray<string>): string | undefined => {
  let seen = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ""
    const index = SINGLE_LENGTHS.has(name.length) ? SINGLE.indexOf(name.toLowerCase()) : -1
    if (index < 0) continue
    if ((seen & (1 << index)) !== 0) return SINGLE[index]
    seen |= 1 << index
  }
  return undefined
}

const isAmong = (hosts: ReadonlySet<string>, { headers, url = "/" }: Head): boolean => {
  // HTTP/1.0 needs no Host, but then nobody knows by which name it came
  if (headers.host === undefined || !isHost(hosts, headers.host)) return false
  return url.startsWith("/") || isHost(hosts, URL.parse(url)?.host ?? "")
}

const isHost = (hosts: ReadonlySet<string>, host: string): boolean => {
  const name = nameIn(host)
  return hosts.has(name) || LOOPBACK.test(name)
}

/** Whether a `Host` names this machine. */
export const isLoopbackName = (host: string): boolean => LOOPBACK_NAMES.has(nameIn(host)) || LOOPBACK.test(nameIn(host))

/** Without its port. */
const nameIn = (host: string): string => (/^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1] ?? "").toLowerCase()

const LOOPBACK = /^127(?:\.\d{1,3}){3}$/
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "[::1]"])
const UNSERVED = "this Host is not served here; an operator can allow it under allowed_hosts in the file of --config"
const CLOSE = { headers: { connection: "close" } }
const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i
const EMPTY = new Uint8Array(0)
const SINGLE = [
  "authorization",
  "content-type",
  "content-encoding",
  "content-length",
  "host",
  "idempotency-key",
  "last-event-id",
  "traceparent"
]
const SINGLE_LENGTHS: ReadonlySet<number> = new Set(SINGLE.map(({ length }) => length))

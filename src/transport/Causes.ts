/**
 * Reads the errors of HTTP clients as failures of ours.
 *
 * Node, undici, `fetch` and Effect's `HttpClient` wrap what happened in several layers; somewhere inside is a code. The
 * code decides; wording counts only where a runtime attaches none. A client's own message is not passed on: it may quote
 * a URL with its query.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import {
  ConnectionFailed,
  excerpt,
  HeadersTooLarge,
  InvalidEncoding,
  InvalidResponse,
  TlsError,
  Unsendable
} from "../step/FailureModel.ts"
import type { CallFailure } from "./CutShort.ts"

/**
 * Finds out why a call brought no answer. Total: whatever was thrown, there is a failure for it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failureOf = (cause: unknown): CallFailure => {
  const layers = unwrap(cause)
  const lacking = shortageIn(layers)
  if (lacking !== undefined) return lacking
  for (const reading of [fromCode, fromName, fromWording]) {
    for (const layer of layers) {
      const failure = reading(layer, layers)
      if (failure !== undefined) return failure
    }
  }
  const code = layers.map((layer) => textOf(layer, "code")).find((found) => found !== undefined)
  return new ConnectionFailed({
    kind: "other",
    detail: code === undefined ? "the HTTP client failed without saying why" : `the HTTP client failed (${code})`
  })
}

/**
 * Tells whether a code says that this machine lacks what a call needs, whoever was to be called.
 *
 * @category guards
 * @since 0.1.0
 */
export const isShortage = (code: string): boolean => Object.hasOwn(shortages, code)

/** A shortage, unless another address of the target has failed for a reason of its own. */
const shortageIn = (layers: ReadonlyArray<object>): ConnectionFailed | undefined => {
  let lacking: string | undefined
  for (const layer of layers) {
    // what several addresses have in common has the code of the first of them
    const code = Array.isArray(read(layer, "errors")) ? undefined : textOf(layer, "code")
    if (code === undefined) continue
    if (!isShortage(code)) return undefined
    lacking ??= code
  }
  return lacking === undefined
    ? undefined
    : new ConnectionFailed({ kind: "shortage", detail: `${entry(shortages, lacking)} (${lacking})` })
}

/** Outermost first; an `AggregateError` (one entry per address tried) counts before its parts. */
const unwrap = (cause: unknown): ReadonlyArray<object> => {
  const found = new Set<object>()
  const queue: Array<unknown> = [cause]
  while (queue.length > 0 && found.size < MAX_LAYERS) {
    const next = queue.shift()
    if (typeof next !== "object" || next === null || found.has(next)) continue
    found.add(next)
    const parts = read(next, "errors")
    queue.push(read(next, "reason"), read(next, "cause"), ...(Array.isArray(parts) ? parts.slice(0, MAX_LAYERS) : []))
  }
  return [...found]
}

const fromCode = (layer: object, layers: ReadonlyArray<object>): CallFailure | undefined => {
  const code = textOf(layer, "code")
  if (code === undefined) return undefined
  if (code === "UND_ERR_SOCKET" && BAD_ANSWER.test(textOf(layer, "message") ?? "")) {
    return new InvalidResponse({ received: "an answer that HTTP does not allow here (UND_ERR_SOCKET)" })
  }
  if (code === "UND_ERR_ABORTED" && (textOf(layer, "message") ?? "").startsWith("Proxy response")) {
    return new ConnectionFailed({ kind: PROXY.kind, detail: `${PROXY.detail} (${code})` })
  }
  // an error of ours, in words of ours
  if (code === "EZ_PROXY") {
    return new ConnectionFailed({ kind: PROXY.kind, detail: textOf(layer, "message") ?? PROXY.detail })
  }
  if (OVERFLOW.has(code)) return new HeadersTooLarge()
  const tls = entry(TLS_CODES, code) ?? (TLS.test(code) ? OTHER_TLS : undefined)
  if (tls !== undefined) return new TlsError({ kind: tls.kind, detail: `${tls.detail} (${code})` })
  const encoding = entry(encodings, code)
  if (encoding !== undefined) return new InvalidEncoding({ received: `${encoding} (${code})` })
  const connection = entry(connections, code)
  if (connection !== undefined) {
    const place = placeOf(layers)
    return new ConnectionFailed({
      kind: connection.kind,
      detail: `${connection.detail} (${place === undefined ? code : `${code} ${place}`})`
    })
  }
  const invalid = entry(answers, code) ?? (code.startsWith("HPE_") ? "something that is not HTTP" : undefined)
  if (invalid !== undefined) return new InvalidResponse({ received: `${invalid} (${code})${beginningOf(layer)}` })
  const unsendable = entry(requests, code)
  if (unsendable === undefined) return undefined
  // undici names the field it refuses ("invalid x-name header") and never quotes a value
  const named = code === "UND_ERR_INVALID_ARG" ? textOf(layer, "message") : undefined
  return new Unsendable({ problem: `${unsendable} (${named === undefined ? code : `${code}: ${excerpt(named)}`})` })
}

/** Errors of Effect's `HttpClient`, by tag, and of the platform, by name. */
const fromName = (layer: object): CallFailure | undefined => {
  switch (textOf(layer, "_tag")) {
    case "EncodeError":
      return new Unsendable({ problem: "the HTTP client cannot encode the request's body" })
    case "InvalidUrlError":
      return new Unsendable({ problem: "the HTTP client cannot read the request's URL" })
  }
  switch (textOf(layer, "name")) {
    // undici leaves the code of some parser errors out
    case "HTTPParserError":
      return new InvalidResponse({ received: `something that is not HTTP${beginningOf(layer)}` })
    case "AbortError":
      return new ConnectionFailed({ kind: "other", detail: "the HTTP client gave the call up" })
    case "TimeoutError":
      return new ConnectionFailed({ kind: "other", detail: "the HTTP client's own time limit was over" })
  }
  return undefined
}

/** Runtimes that attach no code: Deno and workers say it in words, `fetch` refuses some ports. */
const fromWording = (layer: object): CallFailure | undefined => {
  const message = textOf(layer, "message") ?? ""
  if (message === "bad port") {
    return new Unsendable({ problem: "fetch refuses the port of this URL: use another one, or the Node transport" })
  }
  if (WORDED_TLS.test(message)) return new TlsError(OTHER_TLS)
  const connection = wordings.find(([wording]) => wording.test(message))
  if (connection === undefined) return undefined
  const { kind, detail } = connection[1]
  return new ConnectionFailed({ kind, detail })
}

/** Where the connection was meant to go, from the fields that Node and undici fill in. */
const placeOf = (layers: ReadonlyArray<object>): string | undefined => {
  for (const layer of layers) {
    const socket = read(layer, "socket")
    const address = textOf(layer, "address") ?? (isObject(socket) ? textOf(socket, "remoteAddress") : undefined)
    const port = read(layer, "port") ?? (isObject(socket) ? read(socket, "remotePort") : undefined)
    if (address !== undefined) return typeof port === "number" ? `${address}:${port}` : address
    const hostname = textOf(layer, "hostname")
    if (hostname !== undefined) return hostname
  }
  return undefined
}

/** Where not even a status line came, the first bytes say what the peer speaks; later ones may be anybody's data. */
const beginningOf = (layer: object): string => {
  if (!NO_STATUS_LINE.test(textOf(layer, "message") ?? "")) return ""
  const data = read(layer, "data")
  const bytes = typeof data === "string" ? data : data instanceof Uint8Array ? latin1.decode(data.subarray(0, 40)) : ""
  const line = bytes.slice(0, 40).split(LINE_END, 1)[0] ?? ""
  return line === "" ? "" : `, beginning with ${JSON.stringify(line)}`
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

// an error's getter may throw; what cannot be read is not there
const read = (layer: object, field: string): unknown =>
  Result.getOrUndefined(Result.try((): unknown => Reflect.get(layer, field)))

const entry = <A>(table: { readonly [code: string]: A }, code: string): A | undefined =>
  Object.hasOwn(table, code) ? table[code] : undefined

const textOf = (layer: object, field: string): string | undefined => {
  const value = read(layer, field)
  return typeof value === "string" && value !== "" ? value : undefined
}

const MAX_LAYERS = 16
const BAD_ANSWER = /^bad (response|upgrade)$/
const NO_STATUS_LINE = /expected HTTP\//i
const LINE_END = /[\r\n]/
const latin1 = new TextDecoder("latin1")
const TLS =
  /^(CERT_|CRL_|ERR_TLS|ERR_SSL|ERR_OSSL|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_EXCEEDED)|_CERT_|^EPROTO$/

const WORDED_TLS = /invalid peer certificate|certificate verify failed/i
const OVERFLOW: ReadonlySet<string> = new Set(["HPE_HEADER_OVERFLOW", "UND_ERR_HEADERS_OVERFLOW"])

type Tls = Pick<TlsError, "kind" | "detail">

const OTHER_TLS: Tls = { kind: "other", detail: "check the target's certificate and which TLS it speaks" }
const EXPIRED: Tls = {
  kind: "expired",
  detail: "the target's certificate is not valid now; check its dates and the clock"
}
const NAME: Tls = { kind: "name", detail: "the target's certificate is for other names; check the URL's host" }
const ISSUER: Tls = { kind: "issuer", detail: "nobody who is trusted here has signed the target's certificate" }

const TLS_CODES: { readonly [code: string]: Tls } = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: EXPIRED,
  ERR_TLS_CERT_ALTNAME_INVALID: NAME,
  HOSTNAME_MISMATCH: NAME,
  DEPTH_ZERO_SELF_SIGNED_CERT: ISSUER,
  SELF_SIGNED_CERT_IN_CHAIN: ISSUER,
  UNABLE_TO_GET_ISSUER_CERT: ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ISSUER,
  CERT_UNTRUSTED: ISSUER,
  CERT_REJECTED: ISSUER,
  INVALID_CA: ISSUER
}

type Connection = Pick<ConnectionFailed, "kind" | "detail">

const REFUSED: Connection = { kind: "refused", detail: "nothing accepts connections there; check host and port" }
const NOT_FOUND: Connection = { kind: "notFound", detail: "the host name has no address; check its spelling" }
const CLOSED: Connection = { kind: "reset", detail: "the target closed the connection before it had answered" }
const NO_ROUTE: Connection = { kind: "unreachable", detail: "there is no route to the target" }
const SLOW_CONNECT: Connection = { kind: "unreachable", detail: "the target did not accept a connection in time" }
const OWN_LIMIT: Connection = { kind: "other", detail: "the target kept silent for longer than the HTTP client waits" }
const SHUT: Connection = { kind: "other", detail: "the HTTP client was shut down" }
const PROXY: Connection = { kind: "unreachable", detail: "the proxy did not open a way to the target" }

const connections: { readonly [code: string]: Connection } = {
  ECONNREFUSED: REFUSED,
  ConnectionRefused: REFUSED,
  ENOENT: { kind: "refused", detail: "there is no such socket file" },
  ENOTFOUND: NOT_FOUND,
  ENODATA: NOT_FOUND,
  EAI_NONAME: NOT_FOUND,
  EAI_NODATA: NOT_FOUND,
  EAI_FAIL: { kind: "notFound", detail: "the name server failed; check the network's DNS" },
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  EHOSTDOWN: NO_ROUTE,
  ENETDOWN: NO_ROUTE,
  EADDRNOTAVAIL: NO_ROUTE,
  FailedToOpenSocket: NO_ROUTE,
  ETIMEDOUT: SLOW_CONNECT,
  UND_ERR_CONNECT_TIMEOUT: SLOW_CONNECT,
  ECONNRESET: CLOSED,
  ECONNABORTED: CLOSED,
  EPIPE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  ConnectionClosed: CLOSED,
  ConnectionReset: CLOSED,
  UND_ERR_INFO: CLOSED,
  UND_ERR_PRX_TLS: PROXY,
  UND_ERR_PRX_CONN: PROXY,
  UND_ERR_SOCKS5: PROXY,
  UND_ERR_HEADERS_TIMEOUT: OWN_LIMIT,
  UND_ERR_BODY_TIMEOUT: OWN_LIMIT,
  UND_ERR_ABORTED: { kind: "other", detail: "the HTTP client gave the call up" },
  UND_ERR_ABORT: { kind: "other", detail: "the HTTP client gave the call up" },
  UND_ERR_DESTROYED: SHUT,
  UND_ERR_CLOSED: SHUT,
  EACCES: { kind: "other", detail: "this process may not open the connection" },
  EPERM: { kind: "other", detail: "this process may not open the connection" }
}

/** What this machine can lack. A call that could not be made for one of these says nothing of its target. */
const shortages: { readonly [code: string]: string } = {
  EMFILE: "this process has too many files and sockets open",
  ENFILE: "this machine has too many files and sockets open",
  ENOMEM: "this machine has no memory left for a connection",
  ENOBUFS: "this machine has no buffers left for a connection",
  EADDRNOTAVAIL: "this machine has no address or port left to connect from",
  EAI_AGAIN: "the name server gave no answer; check the network's DNS"
}

const answers: { readonly [code: string]: string } = {
  HPE_INVALID_EOF_STATE: "an answer whose end never came",
  HPE_UNEXPECTED_EOF: "an answer whose end never came",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "a body of another length than announced",
  UND_ERR_RES_EXCEEDED_MAX_SIZE: "a body larger than the HTTP client reads",
  // undici asserts what a sane answer would fulfil
  ERR_ASSERTION: "an answer that the HTTP client cannot make sense of",
  UND_ERR_REDIRECT_MAX: "more redirects than the HTTP client follows"
}

const encodings: { readonly [code: string]: string } = {
  Z_DATA_ERROR: "a body that is not in its Content-Encoding",
  Z_BUF_ERROR: "a body that ends in the middle of its Content-Encoding",
  ERR__ERROR_FORMAT_PADDING_1: "a body that is not in its Content-Encoding",
  ZlibError: "a body that is not in its Content-Encoding"
}

const requests: { readonly [code: string]: string } = {
  UND_ERR_INVALID_ARG: "the HTTP client refuses the request",
  UND_ERR_NOT_SUPPORTED: "the HTTP client refuses the request: the Expect header is not supported",
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: "the step's Content-Length header is not the length of its body",
  UND_ERR_MAX_ORIGINS_REACHED: "the HTTP client may not talk to more origins",
  ERR_INVALID_ARG_TYPE: "the HTTP client refuses the request",
  ERR_INVALID_ARG_VALUE: "the HTTP client refuses the request",
  ERR_INVALID_CHAR: "a header holds a character that HTTP does not allow",
  ERR_INVALID_HTTP_TOKEN: "the method or a header name is not an HTTP token",
  ERR_HTTP_INVALID_HEADER_VALUE: "a header has no value that HTTP allows",
  ERR_UNESCAPED_CHARACTERS: "the URL's path holds characters that must be escaped",
  ERR_INVALID_URL: "the HTTP client cannot read the request's URL",
  ERR_INVALID_PROTOCOL: "the HTTP client does not speak the protocol of this URL"
}

const wordings: ReadonlyArray<readonly [RegExp, Connection]> = [
  [/connection refused/i, REFUSED],
  [/dns error|failed to lookup address|name or service not known/i, NOT_FOUND],
  [/network connection lost|connection reset|connection closed/i, CLOSED],
  [/no route to host|network is unreachable/i, NO_ROUTE]
]

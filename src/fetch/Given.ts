/**
 * A call as `fetch` is given it: what its lane and its retries depend on, and how it is sent once more.
 *
 * What is passed on is what was passed in: whatever else a platform takes there reaches it.
 */
import * as Result from "effect/Result"
import type { FetchCall } from "./FetchOptions.ts"

/** What `fetch` takes. */
export type Input = Parameters<typeof globalThis.fetch>[0]
export type Init = Parameters<typeof globalThis.fetch>[1]

/** A call. */
export interface Given extends FetchCall {
  readonly signal: AbortSignal | undefined
  /** Whether it can be sent more than once. */
  readonly isRepeatable: boolean
  /** The arguments for one more sending; `isLast`: there will be none after it. */
  readonly sent: (isLast: boolean) => readonly [Input, Init]
}

/** Reads it; `undefined` where `fetch` itself is to say what is wrong, and where it is no call over HTTP. */
export const read = (input: Input, init: Init): Given | undefined => {
  const request = isRequest(input) ? input : undefined
  const url = URL.parse(request?.url ?? String(input), globalThis.location?.href)
  const headers = Result.try(() => new Headers(init?.headers ?? request?.headers))
  if (url === null || !/^https?:$/.test(url.protocol) || Result.isFailure(headers)) return undefined
  const ofInit = init?.body ?? undefined
  const isOfRequest = ofInit === undefined && request !== undefined && request.body !== null
  const body = known(ofInit)
  const isRepeatable = isOfRequest
    ? isText.test(headers.success.get("content-type") ?? "")
    : body !== undefined || ofInit === undefined || isKept(ofInit)
  return {
    url,
    method: (init?.method ?? request?.method ?? "GET").toUpperCase(),
    headers: Object.fromEntries(headers.success),
    body,
    signal: init?.signal ?? request?.signal ?? undefined,
    isRepeatable,
    sent: (isLast) => [isOfRequest && isRepeatable && !isLast ? request.clone() : input, init]
  }
}

// of another realm or library, too
const isRequest = (input: Input): input is Request => typeof input === "object" && "url" in input && "method" in input

const known = (body: unknown): string | Uint8Array | undefined => {
  if (typeof body === "string") return body
  if (body instanceof URLSearchParams) return body.toString()
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  return ArrayBuffer.isView(body) ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength) : undefined
}

/** Forms and files are read anew for each sending; streams are gone after the first. */
const isKept = (body: unknown): boolean => body instanceof FormData || body instanceof Blob

/** A `Request` does not say whether its body is a stream. What is text is short, and may be kept for another sending. */
const isText = /^\s*(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|xml)\b|application\/x-www-form-urlencoded\b)/i

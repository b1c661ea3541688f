/** What came back from EZThrottle, or instead of an answer, before anybody reads what it means. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { excerpt, type Failure, MalformedAnswer, ServiceUnreachable } from "../step/FailureModel.ts"
import { type CallFailure, cutShort } from "./CutShort.ts"
import type { Opened } from "./OpenCall.ts"
import { announcedLength, Collected } from "./ResponseBody.ts"

/** Why there is no answer. Only what surely never left is surely not accepted. */
export const unreachable = (failure: CallFailure): Failure => {
  switch (failure._tag) {
    case "Unsendable":
      return failure
    case "TlsError":
      return new ServiceUnreachable({ detail: failure.message, maybeAccepted: false })
    case "HeadersTooLarge":
    case "InvalidEncoding":
      return new MalformedAnswer({ problem: failure.message, received: "" })
    case "InvalidResponse":
      return new MalformedAnswer({ problem: "expected HTTP", received: excerpt(failure.received) })
    case "ConnectionFailed": {
      const unsent = failure.kind === "refused" || failure.kind === "notFound" || failure.kind === "unreachable"
      return new ServiceUnreachable({ detail: failure.message, maybeAccepted: !unsent })
    }
  }
}

/** The body as text, no further than the limit. */
export const readBody = Effect.fnUntraced(function* (
  answer: Opened,
  maxBytes: number
): Effect.fn.Return<{ readonly body: string; readonly isWhole: boolean }, ServiceUnreachable> {
  const collected = new Collected()
  const next = Effect.mapError(answer.next, () => broken(answer, collected.length))
  while (collected.length <= maxBytes) {
    const piece = yield* next
    if (piece === undefined) break
    collected.add(piece)
  }
  return { body: decoder.decode(collected.bytes()), isWhole: collected.length <= maxBytes }
})

/** The body as pieces of text; `undefined` at its end. */
export const readText = ({ next }: Opened): Effect.Effect<string | undefined, Failure> => {
  const pieces = new TextDecoder()
  return Effect.mapBoth(next, {
    onSuccess: (piece) => piece && pieces.decode(piece, { stream: true }),
    onFailure: unreachable
  })
}

/** An answer that is larger than anything the protocol has to say. */
export const oversized = (body: string, maxBytes: number): MalformedAnswer =>
  new MalformedAnswer({ problem: `more than ${maxBytes} bytes`, received: excerpt(body) })

/**
 * Reads an answer. When that fails, it is read again without the secrets the peer may have quoted, so that no error
 * repeats them; what succeeds stays as it came.
 */
export const flatMapCleaned =
  <In extends { readonly body: string }, A, E>(
    secrets: ReadonlyArray<Redacted.Redacted | undefined>,
    read: (answer: In) => Result.Result<A, E>
  ) =>
  <E1, R>(self: Effect.Effect<In, E1, R>): Effect.Effect<A, E | E1, R> =>
    Effect.flatMap(self, (answer) => {
      const result = read(answer)
      return Effect.fromResult(
        Result.isSuccess(result) ? result : read({ ...answer, body: cleaned(answer.body, secrets) })
      )
    })

/** A text without the secrets that the peer may have quoted. */
export const cleaned = (text: string, secrets: ReadonlyArray<Redacted.Redacted | undefined>): string =>
  secrets.reduce(hide, text)

const hide = (body: string, secret: Redacted.Redacted | undefined): string => {
  const clear = secret === undefined ? "" : Redacted.value(secret)
  // so few letters guard nothing, and stand in every other word
  if (clear.length < shortest) return body
  // a body in a body in JSON: the answer of the service as text within the answer of the proxy
  const quoted = inJson(clear)
  return [inJson(quoted), quoted, clear].reduce((text, spelling) => text.replaceAll(spelling, "<redacted>"), body)
}

const shortest = 4

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

const broken = ({ headers, status }: Opened, received: number): ServiceUnreachable => {
  const encoded = headers["content-encoding"] !== undefined
  const { message } = cutShort(status, received, encoded ? undefined : announcedLength(headers["content-length"]))
  return new ServiceUnreachable({ detail: message, maybeAccepted: true })
}

const decoder = new TextDecoder()

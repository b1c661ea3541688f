/** Looks into the body of an answer that somebody else is to read. */
import * as Effect from "effect/Effect"
import { mostCollected } from "./Watched.ts"

/** Whether it is JSON, or a stream of events. */
export const isData = ({ headers }: Response): boolean => {
  const type = headers.get("content-type") ?? ""
  return isJson.test(type) || /^\s*text\/event-stream/i.test(type)
}

const isJson = /^\s*application\/(?:[\w.+-]+\+)?json\b/i

/** JSON that is short, from a copy; `undefined` where it is neither, or breaks off. */
export const bodyOf = (response: Response): Effect.Effect<Uint8Array | undefined> => {
  const { body, headers } = response
  const announced = Number(headers.get("content-length") ?? 0)
  if (body === null || !isJson.test(headers.get("content-type") ?? "") || announced > mostCollected) {
    return Effect.succeed(undefined)
  }
  const copy = response.clone().body?.getReader()
  return copy === undefined
    ? Effect.succeed(undefined)
    : Effect.tryPromise(() => readUpTo(copy, [], 0)).pipe(Effect.catch(() => Effect.succeed(undefined)))
}

const readUpTo = (
  reader: ReadableStreamDefaultReader<Uint8Array>,
  parts: ReadonlyArray<Uint8Array<ArrayBuffer>>,
  length: number
): Promise<Uint8Array | undefined> =>
  reader.read().then(({ done, value }) => {
    if (done) return new Blob([...parts]).arrayBuffer().then((buffer) => new Uint8Array(buffer))
    if (length + value.byteLength <= mostCollected) {
      return readUpTo(reader, [...parts, value as Uint8Array<ArrayBuffer>], length + value.byteLength) // no body is in shared memory
    }
    // the copy alone is given up
    reader.cancel().then(undefined, () => undefined)
    return undefined
  })

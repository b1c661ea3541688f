/**
 * Reads a body as lines, however long it is: a line is bounded, the whole is not, and no more is read than is taken.
 *
 * Lines end where they do in NDJSON; of a body that is one JSON list each member is a line.
 */
import * as Effect from "effect/Effect"
import type { Readable } from "node:stream"
import type { Limits } from "../../intake/Limits.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"

/** Reads what has come of the lines; nothing at the end of them. A line that is too long has no text. */
export type ReadLines = Effect.Effect<ReadonlyArray<Uint8Array | undefined> | undefined, Refused>

/** How the body is cut. */
export interface LinesOptions {
  readonly limits: Pick<Limits, "bodyBytes" | "requestTimeout">
  readonly form: "list" | "lines"
}

const unhurried = new WeakSet<object>()

/** Whether a connection carries a body that is read by lines, and may take as long as it comes. */
export const isUnhurried = (socket: object): boolean => unhurried.has(socket)

/** Says that the body of a message may take as long as it comes. */
export const unhurry = (source: Readable & { readonly socket: object }): void => {
  unhurried.add(source.socket)
  source.once("close", () => unhurried.delete(source.socket))
}

/** Reads the lines of a body. */
export const lines = (source: Readable, { form, limits }: LinesOptions): ReadLines => {
  const cut = form === "lines" ? byBreaks(limits.bodyBytes) : byMembers(limits.bodyBytes)
  let isOver = false
  return Effect.gen(function* () {
    while (!isOver) {
      const chunk = yield* nextChunk(source, limits.requestTimeout)
      isOver = chunk === undefined
      const texts = chunk === undefined ? cut.end() : cut.add(chunk)
      if (texts === undefined) return yield* refused(400, "invalid_json", "the body is no list of jobs in JSON", CLOSE)
      if (texts.length > 0) return texts
    }
    return undefined
  })
}

/** What a body of JSON begins with; it is still to be read, without the spaces that came alone. `undefined`: it is empty. */
export const beginningOf = (
  source: Readable,
  limits: LinesOptions["limits"]
): Effect.Effect<number | undefined, Refused> =>
  Effect.gen(function* () {
    while (true) {
      const chunk = yield* nextChunk(source, limits.requestTimeout)
      const beginning = chunk?.find((byte) => !isBlank(byte))
      if (chunk === undefined) return undefined
      if (beginning === undefined) continue
      source.unshift(chunk)
      return beginning
    }
  })

/** Cuts bytes into lines; `undefined`: they are not what they should be. */
interface Cut {
  readonly add: (chunk: Uint8Array) => ReadonlyArray<Uint8Array | undefined> | undefined
  readonly end: () => ReadonlyArray<Uint8Array | undefined> | undefined
}

const NEWLINE = 0x0a

const byBreaks = (most: number): Cut => {
  const held = makeHeld(most)
  return {
    add: (chunk) => {
      const found: Array<Uint8Array | undefined> = []
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        found.push(held.take(chunk.subarray(from, at)))
        from = at + 1
      }
      held.keep(chunk.subarray(from))
      return found
    },
    end: () => (held.isEmpty() ? [] : [held.take(NOTHING)])
  }
}

/** Members of one list: told apart by commas outside of everything, and otherwise not looked at. */
const byMembers = (most: number): Cut => {
  const held = makeHeld(most)
  let depth = 0
  let inText = false
  let isEscaped = false
  let isOver = false
  let isFirst = true
  return {
    add: (chunk) => {
      const found: Array<Uint8Array | undefined> = []
      let from = 0
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at] ?? 0
        if (inText) {
          if (isEscaped) isEscaped = false
          else if (byte === 0x5c) isEscaped = true
          else if (byte === 0x22) inText = false
          continue
        }
        if (isBlank(byte)) continue
        if (isOver || (depth === 0 && byte !== 0x5b)) return undefined
        if (byte === 0x22) inText = true
        else if (byte === 0x5b || byte === 0x7b) {
          if (depth++ === 0) from = at + 1
        } else if (byte === 0x5d || byte === 0x7d) {
          if (--depth === 0 && byte !== 0x5d) return undefined
        }
        if (depth === 0 || (depth === 1 && byte === 0x2c)) {
          isOver = depth === 0
          const member = held.take(chunk.subarray(from, at))
          from = at + 1
          // nothing between the brackets is no member
          if (isOver && isFirst && member !== undefined && member.every(isBlank)) continue
          isFirst = false
          found.push(member)
        }
      }
      if (!isOver && depth > 0) held.keep(chunk.subarray(from))
      return found
    },
    end: () => (isOver ? [] : undefined)
  }
}

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** What has come of a line that is not whole yet; of one that is too long nothing is kept. */
const makeHeld = (most: number) => {
  let chunks: Array<Uint8Array> = []
  let bytes = 0
  return {
    isEmpty: () => bytes === 0,
    keep: (chunk: Uint8Array): void => {
      bytes += chunk.length
      if (bytes > most) chunks = []
      // a copy, so that no small rest holds the whole chunk
      else if (chunk.length > 0) chunks.push(chunk.slice())
    },
    take: (last: Uint8Array): Uint8Array | undefined => {
      const line = bytes + last.length > most ? undefined : bytes === 0 ? last : Buffer.concat([...chunks, last])
      chunks = []
      bytes = 0
      return line
    }
  }
}

/** The next bytes; `undefined` at the end. A client that sends nothing for so long is not waited for. */
const nextChunk = (source: Readable, patience: number): Effect.Effect<Uint8Array | undefined, Refused> =>
  Effect.callback<Uint8Array | undefined, Refused>((resume) => {
    const leave = () => {
      source.off("readable", look).off("end", onEnd).off("close", onClose).off("error", onClose)
    }
    const done = (result: Effect.Effect<Uint8Array | undefined, Refused>) => {
      leave()
      resume(result)
    }
    const look = () => {
      const chunk: unknown = source.read()
      if (chunk instanceof Uint8Array) done(Effect.succeed(chunk))
    }
    const onEnd = () => done(Effect.succeed(undefined))
    const onClose = () => done(source.readableEnded ? Effect.succeed(undefined) : Effect.fail(cutOff()))
    if (source.readableEnded) return resume(Effect.succeed(undefined))
    if (source.destroyed) return resume(Effect.fail(cutOff()))
    source.on("readable", look).on("end", onEnd).on("close", onClose).on("error", onClose)
    look()
    return Effect.sync(leave)
  }).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(refused(408, "request_timeout", `nothing came for ${patience / 1000} seconds`, CLOSE))
    })
  )

const cutOff = () => refused(400, "incomplete_body", "the connection ended before the body did", CLOSE)

const CLOSE = { headers: { connection: "close" } }
const NOTHING = new Uint8Array(0)

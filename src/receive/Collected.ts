/** A body as it comes in, piece by piece, up to a limit. */
import type { HeaderValue } from "../wire/Signature.ts"
import type { Received } from "./Receiver.ts"

export interface Collected {
  /** Takes a piece; answers whether it may go on. */
  readonly add: (piece: Uint8Array) => boolean
  readonly isTooLarge: () => boolean
  readonly tooLarge: Received
  readonly bytes: () => Uint8Array
}

export const make = (limit: number): Collected => {
  const pieces: Array<Uint8Array> = []
  let length = 0
  return {
    add: (piece) => {
      length += piece.length
      if (length <= limit) pieces.push(piece)
      return length <= limit
    },
    isTooLarge: () => length > limit,
    tooLarge: { _tag: "TooLarge", limit },
    bytes: () => {
      const all = new Uint8Array(length)
      let at = 0
      for (const piece of pieces) {
        all.set(piece, at)
        at += piece.length
      }
      return all
    }
  }
}

/** Whether the sender itself says that it is too long. */
export const tooLong = (contentLength: HeaderValue, limit: number): Received | undefined =>
  Number(contentLength) > limit ? { _tag: "TooLarge", limit } : undefined

export const cutOff: Received = { _tag: "Unreadable", problem: "The body broke off", isOurs: false }

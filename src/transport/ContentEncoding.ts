/**
 * Undoes `Content-Encoding` on Node, within limits: five layers, and no more decoded bytes than are kept.
 *
 * @since 0.1.0
 */
// as a whole: older runtimes lack zstd, and would not load what names it
import * as zlib from "node:zlib"

/** What became of an encoded body. */
export type Decoding =
  | { readonly _tag: "Decoded"; readonly bytes: Uint8Array }
  | { readonly _tag: "TooLarge" }
  | { readonly _tag: "Unsupported"; readonly layers: number }
  | { readonly _tag: "Broken"; readonly problem: string }

/** Encoding makes a body that cannot be compressed a little longer: what to take from the wire for a limit. */
export const roomForEncoded = (limit: number): number => limit + Math.ceil(limit / 64) + 1_024

/**
 * Decodes off the event loop and calls back once. A coding it does not know ends the work as `fetch` does: the body
 * stays as it came, its header tells.
 */
export const decodeContent = (
  body: Uint8Array,
  encoding: string,
  limit: number,
  done: (decoding: Decoding) => void
): void => {
  const codings = encoding
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity")
  if (codings.length > MAX_LAYERS) {
    return done({ _tag: "Unsupported", layers: codings.length })
  }
  if (codings.some((coding) => !KNOWN.has(coding))) return done({ _tag: "Decoded", bytes: body })
  peel(body, codings, limit, done)
}

/** The coding applied last is named last and undone first. */
const peel = (
  body: Uint8Array,
  codings: ReadonlyArray<string>,
  limit: number,
  done: (decoding: Decoding) => void
): void => {
  const coding = codings.at(-1)
  if (coding === undefined) {
    return done(body.length > limit ? { _tag: "TooLarge" } : { _tag: "Decoded", bytes: body })
  }
  const rest = codings.slice(0, -1)
  const room = rest.length === 0 ? Math.max(1, limit) : roomForEncoded(limit)
  decoderOf(coding, body)(body, { maxOutputLength: room }, (error, decoded) => {
    if (error === null) return peel(new Uint8Array(decoded), rest, limit, done)
    if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") return done({ _tag: "TooLarge" })
    done({ _tag: "Broken", problem: `a body that is not whole ${coding}, as its Content-Encoding says` })
  })
}

type Decoder = (
  body: Uint8Array,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, decoded: Uint8Array) => void
) => void

const decoderOf = (coding: string, body: Uint8Array): Decoder => {
  switch (coding) {
    case "br":
      return zlib.brotliDecompress
    case "zstd":
      return zlib.zstdDecompress
    case "deflate":
      // some servers leave the zlib wrapper out; its first byte always names the method
      return ((body[0] ?? 0) & 0x0f) === 8 ? zlib.inflate : zlib.inflateRaw
    default:
      return zlib.gunzip
  }
}

const MAX_LAYERS = 5
const KNOWN = new Set(["gzip", "x-gzip", "deflate", "br", ...("zstdDecompress" in zlib ? ["zstd"] : [])])

/**
 * Keys of lanes: short, readable, safe in a URL, and without secrets.
 *
 * @since 0.1.0
 */
import { createHmac } from "node:crypto"
import * as Idempotency from "../../engine/Idempotency.ts"

/** Longer pieces are cut, and end with a hash of the whole. */
const longestPiece = 32

const longest = 120

const between = "~"
const none = "none"

/** Joins the pieces of a key; empty where there are none at all. */
export const join = (key: string, pieces: ReadonlyArray<string | undefined>): string => {
  if (pieces.every((piece) => piece === undefined)) return ""
  const whole = pieces.map((piece) => piece ?? none).join(between)
  return whole.length <= longest ? whole : `${whole.slice(0, longest - 9)}-${hashed(key, whole).slice(0, 8)}`
}

/** The first piece of a key. */
export const firstOf = (key: string): string => key.split(between)[0] ?? key

/** A hash of a secret, which nobody without the dam's own key can guess back. */
export const hashed = (key: string, secret: string): string =>
  createHmac("sha256", key).update(secret).digest("hex").slice(0, 12)

/** A text as it is, where it can stand in a name; else what is left of it, and a hash of the whole. */
export const readable = (key: string, text: string): string => {
  const clean = text.replace(/[^\w.-]+/g, "-")
  return clean === text && text.length <= longestPiece
    ? text
    : `${clean.slice(0, longestPiece - 9)}-${hashed(key, text).slice(0, 8)}`
}

/** The kind of a path: its words and versions, with `_` for whatever looks like somebody's id, so that none is told. */
export const route = (path: string): string => {
  const pieces = path.split("/").filter((piece) => piece !== "")
  const kind = pieces.map((piece) => (WORD.test(piece) ? piece : "_")).join(".")
  return kind === "" ? "_" : kind.length <= 60 ? kind : kind.slice(0, 60)
}

/** Whether a header is known to carry a credential. */
export const isCredential = (name: string, more: ReadonlyArray<string> = []): boolean =>
  [...Idempotency.credentials, ...more].some((known) => known.toLowerCase() === name)

/** `messages`, `chat.postMessage`, `v2`, `2`, `2021-06-30`. */
const WORD = /^(?:[A-Za-z][A-Za-z_.-]{0,29}|v?\d{1,2}(?:\.\d+)?|\d{4}-\d{2}(?:-\d{2})?)$/

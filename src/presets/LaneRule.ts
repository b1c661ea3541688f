/**
 * What a limit belongs to, as a key: two calls with one key share it.
 *
 * @since 0.1.0
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import { type Answered, headerIn, jsonIn } from "./Answered.ts"
import * as JsonPath from "./JsonPath.ts"
import type { LanePart, Preset } from "./Preset.ts"

/**
 * A call, as far as it is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly url?: string | undefined
  /** Where no more of the URL is known. */
  readonly host?: string | undefined
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Uint8Array | string | undefined
}

/**
 * The rule of a preset by its parts: `credential/model`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const nameOf = (preset: Preset): string => partsOf(preset).map(nameOfPart).join("/")

/**
 * The key of a call: its preset, and behind it each part. A part that a call does not have is `none`, and a credential is
 * told as a hash of it. `undefined` where the call is not known well enough.
 *
 * @category accessors
 * @since 0.1.0
 */
export const keyOf = (preset: Preset, call: Call, answered: Answered): string | undefined => {
  const values = partsOf(preset).map((part) => valueOf(part, preset, call, answered))
  return values.some((value) => value === undefined) ? undefined : [preset.name, ...values].join("/")
}

const partsOf = ({ lane = ["host"] }: Preset): ReadonlyArray<LanePart> => lane

const nameOfPart = (part: LanePart): string => (typeof part === "string" ? part : part.name)

const none = "none"

const valueOf = (part: LanePart, preset: Preset, call: Call, answered: Answered): string | undefined => {
  if (typeof part === "string") {
    switch (part) {
      case "host":
        return (urlOf(call) ?? (call.host === undefined ? undefined : URL.parse(`https://${call.host}`)))?.host
      case "method":
        return call.method?.toUpperCase()
      case "path":
        return urlOf(call)?.pathname
      case "credential":
        return call.headers && credentialIn(call.headers, preset)
    }
  }
  if ("answer" in part) return headerIn(answered.headers, part.answer) ?? none
  if ("header" in part) return call.headers && (headerIn(lower(call.headers), part.header) ?? none)
  if ("after" in part) return pieceAfter(part.after, urlOf(call))
  return call.body === undefined ? undefined : fieldIn(call.body, part.body)
}

const urlOf = ({ url }: Call): URL | undefined => (url === undefined ? undefined : (URL.parse(url) ?? undefined))

/** A model is often followed by what is wanted of it: `models/small:generate`. */
const pieceAfter = (words: ReadonlyArray<string>, url: URL | undefined): string | undefined => {
  if (url === undefined) return undefined
  const pieces = url.pathname.split("/")
  const at = pieces.findIndex((piece) => words.includes(piece))
  return (at === -1 ? undefined : pieces[at + 1]?.split(":")[0]) || none
}

const fieldIn = (body: Uint8Array | string, path: string): string => {
  const [value] = JsonPath.valuesAt(jsonIn(typeof body === "string" ? body : decoder.decode(body)), path)
  return typeof value === "string" || typeof value === "number" ? String(value) : none
}

const credentialIn = (
  headers: Readonly<Record<string, string>>,
  { credential = ["authorization"] }: Preset
): string => {
  const given = lower(headers)
  const value = credential.map((name) => headerIn(given, name)).find((found) => found !== undefined)
  return value === undefined ? none : bytesToHex(sha256(utf8ToBytes(value))).slice(0, 16)
}

const lower = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const decoder = new TextDecoder()

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
  /** That of its job. */
  readonly metadata?: { readonly [name: string]: unknown } | undefined
}

/**
 * The rule of a preset by its parts: `credential/model`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const nameOf = (self: Ruled): string => partsOf(self).map(nameOfPart).join("/")

/**
 * The parts of a preset's rule.
 *
 * @category accessors
 * @since 0.1.0
 */
export const partsOf = ({ lane = ["host"] }: Ruled): ReadonlyArray<LanePart> => lane

interface Ruled {
  readonly lane?: ReadonlyArray<LanePart>
}

/**
 * The key of a call: its preset, and behind it each part. A part that a call does not have is `none`, and a credential is
 * told as a hash of it. `undefined` where the call is not known well enough.
 *
 * @category accessors
 * @since 0.1.0
 */
export const keyOf = (preset: Preset, call: Call, answered: Answered): string | undefined => {
  const values = partsOf(preset).map((part) => {
    const value = valueOf(part, preset.credential, call, answered.headers)
    return part === "credential" && value !== undefined && value !== none ? hashOf(value) : value
  })
  return values.some((value) => value === undefined) ? undefined : [preset.name, ...values].join("/")
}

const nameOfPart = (part: LanePart): string => (typeof part === "string" ? part : part.name)

/**
 * What a part is that a call does not have.
 *
 * @category constants
 * @since 0.1.0
 */
export const none = "none"

/**
 * What a part of a rule is for a call, {@link none} where it does not have it, and `undefined` where the call is not known
 * well enough. A credential is told as it is. `answered` holds headers of the answer in lower case.
 *
 * @category accessors
 * @since 0.1.0
 */
export const valueOf = (
  part: LanePart,
  credential: ReadonlyArray<string> | undefined,
  call: Call,
  answered: Readonly<Record<string, string>>
): string | undefined => {
  if (typeof part === "string") {
    switch (part) {
      case "host":
        return (urlOf(call) ?? (call.host === undefined ? undefined : URL.parse(`https://${call.host}`)))?.host
      case "method":
        return call.method?.toUpperCase()
      case "path":
        return urlOf(call)?.pathname
      case "credential":
        return call.headers && credentialIn(call.headers, credential)
    }
  }
  if ("answer" in part) return headerIn(answered, part.answer) ?? kindOf(part, urlOf(call)) ?? none
  if ("header" in part) return call.headers && (headerIn(lower(call.headers), part.header) ?? none)
  if ("metadata" in part) return call.metadata && textOf(call.metadata[part.metadata])
  if ("paths" in part) return urlOf(call) && (kindOf(part, urlOf(call)) ?? none)
  if ("after" in part) return pieceAfter(part.after, urlOf(call))
  return call.body === undefined ? undefined : fieldIn(call.body, part.body)
}

interface ByPath {
  readonly paths?: { readonly [pattern: string]: string } | undefined
  readonly otherwise?: string | undefined
}

const kindOf = ({ otherwise, paths = {} }: ByPath, url: URL | undefined): string | undefined => {
  const pieces = url?.pathname.split("/")
  const found = pieces && Object.entries(paths).find(([pattern]) => fits(pattern.split("/"), pieces))
  return found?.[1] ?? otherwise
}

const fits = (pattern: ReadonlyArray<string>, pieces: ReadonlyArray<string>): boolean => {
  const isOpen = pattern.at(-1) === "**"
  const fixed = isOpen ? pattern.slice(0, -1) : pattern
  return (
    (isOpen ? pieces.length >= fixed.length : pieces.length === fixed.length) &&
    fixed.every((piece, at) => piece === "*" || piece === pieces[at])
  )
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
  return textOf(value)
}

const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : none

const hashOf = (text: string): string => bytesToHex(sha256(utf8ToBytes(text))).slice(0, 16)

const credentialIn = (
  headers: Readonly<Record<string, string>>,
  names: ReadonlyArray<string> = ["authorization"]
): string => {
  const given = lower(headers)
  return names.map((name) => headerIn(given, name)).find((found) => found !== undefined) ?? none
}

const lower = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const decoder = new TextDecoder()

/**
 * What somebody types to find jobs, read into what a store looks for.
 *
 * One line, words between spaces: `job_01j9` is the beginning of an id, `order=7` metadata, `api.example.com`,
 * `localhost:3000` or `https://api.example.com/v1/` a host with or without the beginning of a path, and
 * `api.example.com:443#key` one of its lanes. Every other word, and whatever stands between quotation marks, is text of the URL or of the error. All of it must hold.
 *
 * @since 0.1.0
 */
import { canonicalLane, laneOf } from "./LaneName.ts"

/**
 * What is looked for; what is left out does not restrict.
 *
 * @category models
 * @since 0.1.0
 */
export interface Search {
  /** How the id begins. */
  readonly id?: string | undefined
  /** The lane, where the line names a port or a scheme. */
  readonly lane?: string | undefined
  /** The host in normal form, on any port. */
  readonly host?: string | undefined
  /** How path and query of the URL begin. */
  readonly path?: string | undefined
  readonly metadata: ReadonlyArray<readonly [name: string, value: string]>
  /** Text of the URL or of the error, in small letters. */
  readonly texts: ReadonlyArray<string>
}

/**
 * Reads a line. Every line means something: what is nothing else is text.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (line: string): Search =>
  Array.from(line.matchAll(WORD)).reduce<Search>(
    (search, [word, quoted]) => (quoted === undefined ? withWord(search, word) : withText(search, quoted)),
    { metadata: [], texts: [] }
  )

const withWord = (search: Search, word: string): Search => {
  if (ID.test(word) && search.id === undefined) return { ...search, id: word.toLowerCase() }
  const place = search.lane === undefined && search.host === undefined ? placeIn(word) : undefined
  if (place !== undefined) return { ...search, ...place }
  const at = word.indexOf("=")
  return at > 0 && !word.includes("://")
    ? { ...search, metadata: [...search.metadata, [word.slice(0, at), word.slice(at + 1).replace(QUOTED, "$1")]] }
    : withText(search, word)
}

const withText = (search: Search, text: string): Search =>
  text === "" ? search : { ...search, texts: [...search.texts, text.toLowerCase()] }

/** The place that a word names, if it looks like one: a scheme, a dot, a port, or this machine. */
const placeIn = (word: string): Pick<Search, "lane" | "host" | "path"> | undefined => {
  const keyed = KEYED.test(word) ? canonicalLane(word) : undefined
  if (keyed !== undefined) return { lane: keyed }
  const [, scheme, host = "", port, path] = PLACE.exec(word) ?? []
  const isPlace = scheme !== undefined || port !== undefined || host.includes(".") || /^(?:localhost|\[)/i.test(host)
  const url = isPlace ? URL.parse(`${scheme ?? "https://"}${host}${port ?? ""}${path ?? ""}`) : null
  if (url === null || url.hostname === "") return undefined
  const lane = laneOf(url.href)
  return {
    ...(scheme === undefined && port === undefined ? { host: lane.slice(0, lane.lastIndexOf(":")) } : { lane }),
    ...(path === undefined || path === "/" ? {} : { path: url.pathname + url.search })
  }
}

// a value of metadata may be quoted too
const WORD = /"([^"]*)"|[^\s"=]+="[^"]*"|\S+/gu
const QUOTED = /^"(.*)"$/u
const KEYED = /:\d{1,5}#./u
const ID = /^job_[0-9a-z]*$/iu
const PLACE = /^(https?:\/\/)?([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?(\/[^\s]*)?$/iu

/**
 * Reads the pace that an upstream dictates in its answers.
 *
 * Three generations of servers use three prefixes for the same headers. The first prefix that occurs decides alone, so
 * that two authors along the way cannot each set half of a pace. What is understood is brought within bounds; what is
 * not is ignored and named, so that it can be counted and shown to whoever runs the upstream.
 */

/**
 * Limits of a pace that may be learnt from outside.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  /** Slowest pace, in requests per second. */
  readonly minRps: number
  /** Fastest pace, in requests per second. */
  readonly maxRps: number
  /** Fewest requests in flight at once. */
  readonly minConcurrent: number
  /** Most requests in flight at once. */
  readonly maxConcurrent: number
}

/**
 * What one answer said about pace; a field is there when its header was, and could be read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pacing {
  /** Requests per second, within the bounds. */
  readonly rps?: number
  /** Requests in flight at once, within the bounds. */
  readonly maxConcurrent?: number
  /** Whether each account gets a queue of its own. */
  readonly accountQueue?: "enabled" | "disabled"
  /** Lower-case names of the headers whose values made no sense. */
  readonly ignored: ReadonlyArray<string>
}

/**
 * The bounds used where none are configured: 0.01 to 1,000 requests per second, 1 to 100 in flight.
 *
 * @category bounds
 * @since 0.1.0
 */
export const defaultBounds: Bounds = { minRps: 0.01, maxRps: 1000, minConcurrent: 1, maxConcurrent: 100 }

/**
 * The prefixes of pacing headers in lower case, strongest first.
 *
 * @category models
 * @since 0.1.0
 */
export const namespaces = ["x-aqueduct-", "x-ezthrottle-", "x-aquifer-"] as const

/**
 * Reads the pacing headers of an answer, or of a submission, which uses the same names.
 *
 * **Details** — `-Rps` takes decimals, `-Max-Concurrent` whole numbers, `-Account-Queue` the words `enabled` and
 * `disabled`. Zero, signs, exponents and trailing text are ignored; too much and too little are clamped.
 * **Gotchas** — names are expected in lower case. A namespace counts as present even when all its values are
 * nonsense. Who may set what is not decided here: a submitter may ask for isolation, never for speed.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (
  headers: Readonly<Record<string, string>>,
  bounds: Bounds = defaultBounds
): Pacing | undefined => {
  const place = names.findIndex((own) => own.some((name) => headers[name] !== undefined))
  const namespace = namespaces[place]
  if (namespace === undefined) return undefined

  const ignored: Array<string> = []
  const read = <A>(suffix: (typeof suffixes)[number], decode: (value: string) => A | undefined): A | undefined => {
    const value = headers[namespace + suffix]
    if (value === undefined) return undefined
    const decoded = decode(value.trim())
    if (decoded === undefined) ignored.push(namespace + suffix)
    return decoded
  }

  const rps = read("rps", positive(decimal, bounds.minRps, bounds.maxRps))
  const maxConcurrent = read("max-concurrent", positive(whole, bounds.minConcurrent, bounds.maxConcurrent))
  const accountQueue = read("account-queue", onOrOff)
  return {
    ...(rps === undefined ? {} : { rps }),
    ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
    ...(accountQueue === undefined ? {} : { accountQueue }),
    ignored
  }
}

const suffixes = ["rps", "max-concurrent", "account-queue"] as const

// put together once: nearly every answer has none of them
const names = namespaces.map((prefix) => suffixes.map((suffix) => prefix + suffix))

// Patterns rather than `Number`, which also reads "1e9", "0x10" and the empty text.
const decimal = /^\d+(?:\.\d+)?$/
const whole = /^\d+$/

const positive =
  (pattern: RegExp, min: number, max: number) =>
  (value: string): number | undefined => {
    const number = pattern.test(value) ? Number(value) : 0
    return number > 0 ? Math.min(Math.max(number, min), max) : undefined
  }

const onOrOff = (value: string): "enabled" | "disabled" | undefined => {
  const word = value.toLowerCase()
  return word === "enabled" || word === "disabled" ? word : undefined
}

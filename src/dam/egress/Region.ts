/**
 * What a region of the dam may be: a way out of its own.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { InvalidRegion } from "../../transport/RegionalTransport.ts"

/**
 * Where the calls of a region leave from.
 *
 * **Details** — `direct` is this machine. `proxy` is an HTTP proxy such as `http://user:password@proxy.example.com:3128`;
 * it is asked to connect (CONNECT) to the address that was resolved and checked here. `dam` is the origin of another dam
 * such as `https://dam.example.com`, which makes each call as a job of its own.
 *
 * @category models
 * @since 0.1.0
 */
export type RegionOptions =
  | "direct"
  | { readonly proxy: string | Redacted.Redacted }
  | { readonly dam: string; readonly apiKey: string | Redacted.Redacted }

/**
 * An HTTP proxy.
 *
 * @category models
 * @since 0.1.0
 */
export interface Proxy {
  readonly _tag: "Proxy"
  /** A name, or an address without brackets. The operator named it: the egress policy does not concern it. */
  readonly host: string
  readonly port: number
  /** The value of `Proxy-Authorization`. */
  readonly authorization: Redacted.Redacted | undefined
}

/**
 * Another dam.
 *
 * @category models
 * @since 0.1.0
 */
export interface OtherDam {
  readonly _tag: "Dam"
  /** Its origin. */
  readonly url: string
  readonly apiKey: Redacted.Redacted
}

/**
 * A way out.
 *
 * @category models
 * @since 0.1.0
 */
export type Way = { readonly _tag: "Direct" } | Proxy | OtherDam

/**
 * The kinds of ways out, as `/health` names them.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "direct" | "proxy" | "dam"

/**
 * Reads a region.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (region: string, options: RegionOptions): Result.Result<Way, InvalidRegion> => {
  if (options === "direct") return Result.succeed({ _tag: "Direct" })
  const way =
    "proxy" in options
      ? proxyOf(plain(options.proxy))
      : damOf(options.dam, Redacted.isRedacted(options.apiKey) ? options.apiKey : Redacted.make(options.apiKey))
  return typeof way === "string" ? Result.fail(new InvalidRegion({ region, problem: way })) : Result.succeed(way)
}

/**
 * Tells the kind of a region.
 *
 * @category accessors
 * @since 0.1.0
 */
export const kindOf = (options: RegionOptions): Kind =>
  options === "direct" ? "direct" : "proxy" in options ? "proxy" : "dam"

/** Two ways with the same identity are one place to leave from. */
export const identityOf = (way: Way): string => {
  switch (way._tag) {
    case "Direct":
      return "direct"
    case "Proxy":
      return JSON.stringify([way.host, way.port, way.authorization && Redacted.value(way.authorization)])
    case "Dam":
      return JSON.stringify([way.url, Redacted.value(way.apiKey)])
  }
}

/** What is expected of a proxy. */
export const PROXY_EXPECTED = "a proxy as http://host:port or http://user:password@host:port"

/** What is expected of another dam. */
export const DAM_EXPECTED = "the origin of another dam, such as https://dam.example.com"

/** What is expected of an API key. */
export const KEY_EXPECTED = "an API key: visible ASCII characters without spaces"

/** Whether a text is the URL of a proxy. */
export const isProxy = (text: string): boolean => typeof proxyOf(text) !== "string"

/** Whether a text is the origin of a dam. */
export const isDam = (text: string): boolean => originOf(text) !== undefined

/** Whether a text can be sent as an API key. */
export const isKey = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** No problem ever quotes what was given: it may hold a password. */
const proxyOf = (text: string): Proxy | string => {
  const url = URL.parse(text)
  const isPlain = url !== null && url.protocol === "http:" && url.pathname + url.search + url.hash === "/"
  if (!isPlain) return `expected ${PROXY_EXPECTED}`
  const credentials = Result.try(() => [url.username, url.password].map(decodeURIComponent).join(":"))
  if (Result.isFailure(credentials)) return "the proxy's user or password is not percent-encoded"
  return {
    _tag: "Proxy",
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 80 : Number(url.port),
    authorization:
      credentials.success === ":" ? undefined : Redacted.make(`Basic ${Base64.encode(credentials.success)}`)
  }
}

const damOf = (text: string, apiKey: Redacted.Redacted): OtherDam | string => {
  const url = originOf(text)
  if (url === undefined) return `expected ${DAM_EXPECTED}`
  return isKey(Redacted.value(apiKey)) ? { _tag: "Dam", url, apiKey } : `expected ${KEY_EXPECTED}`
}

const originOf = (text: string): string | undefined => {
  const url = URL.parse(text)
  const isOrigin =
    url !== null &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.pathname + url.search + url.hash + url.username + url.password === "/"
  return isOrigin ? url.origin : undefined
}

const plain = (text: string | Redacted.Redacted): string => (Redacted.isRedacted(text) ? Redacted.value(text) : text)

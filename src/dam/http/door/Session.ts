/**
 * Signing in to the page: a browser's event stream cannot send a key, so a key is exchanged for a cookie.
 *
 * The cookie is drawn at random, kept hashed in memory, out of reach of scripts and of other sites, and ends after
 * twelve hours or with the dam. What it may do is bound to requests that only the page itself can make.
 */
import * as Clock from "effect/Clock"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type { IncomingHttpHeaders } from "node:http"
import { hash } from "node:crypto"
import { refused, type Refused } from "../../intake/Refusal.ts"

/** Sessions of one dam. */
export interface Sessions {
  /** Opens a session; answers the `Set-Cookie`. */
  readonly open: (keyId: string, isSecure: boolean) => Effect.Effect<string>
  /** Ends the session of a request; answers the `Set-Cookie` that forgets it. */
  readonly close: (headers: IncomingHttpHeaders) => string
  /** The key, by what it is known by, of the session a request carries, where it may act in its name. */
  readonly keyOf: (method: string, headers: IncomingHttpHeaders) => Effect.Effect<string | undefined>
}

/** How long a session lasts, in seconds. */
const lasting = 12 * 3600

/** More than this many are not kept: the oldest goes. */
const most = 1000

/** The header that the page sends with whatever changes something; another site would have to ask first, in vain. */
const pageHeader = "x-ezthrottle-page"

interface Session {
  readonly keyId: string
  readonly endsAt: number
}

/** Makes an empty set of sessions. */
export const make = (): Sessions => {
  const sessions = new Map<string, Session>()
  return {
    open: Effect.fnUntraced(function* (keyId, isSecure) {
      const token = Base64Url.encode((yield* WebCrypto.WebCrypto).getRandomValues(new Uint8Array(32)))
      const now = yield* Clock.currentTimeMillis
      for (const [name, { endsAt }] of sessions) if (endsAt <= now || sessions.size >= most) sessions.delete(name)
      sessions.set(digestOf(token), { keyId, endsAt: now + lasting * 1000 })
      return cookie(token, lasting, isSecure)
    }),
    close: (headers) => {
      const token = tokenIn(headers)
      if (token !== undefined) sessions.delete(digestOf(token))
      return cookie("", 0, false)
    },
    keyOf: Effect.fnUntraced(function* (method, headers) {
      if (!SAFE.has(method) && headers[pageHeader] === undefined) return undefined
      const token = tokenIn(headers)
      const session = token === undefined ? undefined : sessions.get(digestOf(token))
      return session !== undefined && session.endsAt > (yield* Clock.currentTimeMillis) ? session.keyId : undefined
    })
  }
}

/**
 * Finds what is wrong with a request that changes something and comes from a browser: another site's page may send
 * simple requests to a dam on loopback, though it never sees the answer.
 */
export const faultInOrigin = (method: string, headers: IncomingHttpHeaders): Refused | undefined => {
  const { host, origin } = headers
  if (origin === undefined || SAFE.has(method)) return undefined
  return URL.parse(origin)?.host === host
    ? undefined
    : refused(403, "cross_origin", "a page of another site may not change anything here")
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

const NAME = "ezthrottle_session"

const cookie = (token: string, seconds: number, isSecure: boolean): string =>
  `${NAME}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${isSecure ? "; Secure" : ""}`

const tokenIn = ({ cookie: given }: IncomingHttpHeaders): string | undefined =>
  given
    ?.split(/; */)
    .find((pair) => pair.startsWith(`${NAME}=`))
    ?.slice(NAME.length + 1)

// found by its hash: how long the search takes says nothing about the token
const digestOf = (token: string): string => hash("sha256", token, "base64url")

/**
 * Under which lane and whose account a call is filed.
 *
 * @since 0.1.0
 */
import { hash } from "node:crypto"
import type { Request } from "../../step/Request.ts"
import { defaultPort } from "../egress/Url.ts"

/**
 * Names the lane of a URL: host in normal form and effective port, such as `api.example.com:443`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const laneOf = (url: string): string => {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname
  return `${host}:${port === "" ? defaultPort(protocol) : port}`
}

/**
 * Names the account whose turn a call takes: a hash of who submitted it and the credential it carries.
 *
 * **Details** — `scope` is the customer, with its `user_id` in the flat dialect (see `scopeOf`). The credential is the
 * first of `Authorization`, `x-api-key` and `api-key` among the call's own headers.
 *
 * @category accessors
 * @since 0.1.0
 */
export const accountOf = (scope: string, headers: Readonly<Record<string, string>>): string =>
  hash("sha256", `${scope.length}:${scope}${credentialIn(headers)}`, "hex").slice(0, 32)

/**
 * Computes the HASH key of a call: what `Idempotency.hash` computes, at the speed of Node's own SHA-256.
 *
 * @category keys
 * @since 0.1.0
 */
export const payloadOf = ({ body = "", method, url }: Request): string => {
  if (typeof body === "string") return hash("sha256", framed(method) + framed(url) + framed(body), "hex")
  return hash("sha256", Buffer.concat([Buffer.from(`${framed(method)}${framed(url)}${body.length}:`), body]), "hex")
}

/**
 * Names what keys are unique within: a customer, or a user of it.
 *
 * @category accessors
 * @since 0.1.0
 */
export const scopeOf = (customer: string, userId?: string): string =>
  // no customer and no user has a line break in its name
  userId === undefined ? customer : `${customer}\n${userId}`

const credentialIn = (headers: Readonly<Record<string, string>>): string => {
  let best = CREDENTIALS.length
  let found = ""
  for (const name in headers) {
    const rank = CREDENTIALS.indexOf(name.toLowerCase())
    if (rank >= 0 && rank < best) {
      best = rank
      found = `${CREDENTIALS[rank]}:${headers[name]}`
    }
  }
  return found
}

const framed = (text: string): string => `${Buffer.byteLength(text)}:${text}`

const CREDENTIALS = ["authorization", "x-api-key", "api-key"]

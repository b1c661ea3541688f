/**
 * Under which key a call is filed, and whom that key belongs to.
 *
 * @since 0.1.0
 */
import { hash } from "node:crypto"
import type { Request } from "../../step/Request.ts"

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

const framed = (text: string): string => `${Buffer.byteLength(text)}:${text}`

/**
 * The customer of a dam without keys.
 *
 * @category constants
 * @since 0.1.0
 */
export const localCustomer = "local"

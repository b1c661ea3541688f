/**
 * Under which key a call is filed, and whom that key belongs to.
 *
 * @since 0.1.0
 */
import { hash } from "node:crypto"
import * as Idempotency from "../../engine/Idempotency.ts"
import type { NewJob } from "./Job.ts"
import type { Request } from "../../step/Request.ts"

/**
 * Computes the HASH key of a call: what `Idempotency.hash` computes, at the speed of Node's own SHA-256.
 *
 * @category keys
 * @since 0.1.0
 */
export const payloadOf = (
  request: Request,
  more?: ReadonlyArray<string>,
  /** What {@link callOf} says, where it was asked already. */
  call?: string
): string => {
  const holders = Idempotency.answersItsCaller(request.method) ? Idempotency.credentialsIn(request.headers, more) : []
  if (holders.length === 0) return call ?? callOf(request)
  const { body = "", method, url } = request
  const tail = holders.flat().map(framed).join("")
  const whole =
    typeof body === "string"
      ? framed(method) + framed(url) + framed(body) + tail
      : Buffer.concat([Buffer.from(`${framed(method)}${framed(url)}${body.length}:`), body, Buffer.from(tail)])
  return hash("sha256", whole, "hex")
}

/**
 * Tells whether two calls are made as somebody else, or for another tenant.
 *
 * @category keys
 * @since 0.1.0
 */
export const credentialsDiffer = (self: Request, that: Request, more?: ReadonlyArray<string>): boolean => {
  const own = Idempotency.credentialsIn(self.headers, more)
  const others = Idempotency.credentialsIn(that.headers, more)
  return (
    own.length !== others.length ||
    own.some(([name, value], at) => {
      const [otherName, otherValue] = others[at] ?? []
      return name !== otherName || value !== otherValue
    })
  )
}

/**
 * Computes what makes two calls under one given key the same: the hash of method, URL and body.
 *
 * @category keys
 * @since 0.1.0
 */
export const callOf = ({ body = "", method, url }: Request): string => {
  if (typeof body === "string") return hash("sha256", framed(method) + framed(url) + framed(body), "hex")
  return hash("sha256", Buffer.concat([Buffer.from(`${framed(method)}${framed(url)}${body.length}:`), body]), "hex")
}

/**
 * Names what identical calls of a customer have in common: all of the call, and where it may leave from.
 *
 * @category keys
 * @since 0.1.0
 */
export const coalesceOf = ({ customer, step }: Pick<NewJob, "customer" | "step">): string => {
  const { executionMode, regionPolicy, regions, request } = step
  const headers = Object.entries(request.headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
  return hash(
    "sha256",
    JSON.stringify([customer, callOf(request), headers, executionMode, regionPolicy, regions]),
    "hex"
  )
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

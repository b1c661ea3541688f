/** A receiver's own check of `X-EZThrottle-Signature`, written against the protocol and not against this package. */
import { createHmac } from "node:crypto"

export const isSigned = (body: string, header: string | ReadonlyArray<string> | undefined, secret: string): boolean => {
  const [, time, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(header)) ?? []
  return given !== undefined && given === createHmac("sha256", secret).update(`${time}.${body}`).digest("hex")
}

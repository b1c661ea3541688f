/** Where a dam is, given as one URL: it is its own proxy, and on this machine it asks for no key. */
import { ServiceUnreachable, type Failure, ServiceFailed, excerpt } from "../step/FailureModel.ts"
import type { CallFailure } from "./Causes.ts"
import { unreachable } from "./RemoteAnswer.ts"

/** What is wrong with a dam's URL; `undefined` when it can be one. */
export const problemOf = (dam: unknown): string | undefined =>
  typeof dam === "string" && /^https?:\/\/[^/?#@\s]+\/*$/i.test(dam.trim()) && URL.canParse(dam.trim())
    ? undefined
    : `${expected}, the address that a dam tells when it starts`

const expected = "Expected the http:// or https:// URL of a dam, such as http://127.0.0.1:8080"

/** Whether a URL stays on this machine. */
export const isLoopback = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { hostname } = new URL(url)
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

/** Why a dam gave no answer; nobody at its address is told as that. */
export const silenceOf = (dam: string, failure: CallFailure): Failure =>
  failure._tag === "ConnectionFailed" && failure.kind === "refused"
    ? new ServiceUnreachable({
        detail: `nothing listens at ${dam}: start a dam there with \`npx ezthrottle-effect dam\`, or check the port (${failure.detail})`,
        maybeAccepted: false
      })
    : unreachable(failure)

/** Whoever answers a job with this has never heard of jobs: another program on that port. */
export const strangerAt = (
  dam: string,
  { body, status }: { readonly status: number; readonly body: string }
): ServiceFailed | undefined =>
  (status === 404 || status === 405 || status === 501) && !body.trimStart().startsWith("{")
    ? new ServiceFailed({
        status,
        received: `what listens at ${dam} is no dam; check the port. It answered ${status}: ${excerpt(body)}`
      })
    : undefined

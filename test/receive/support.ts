/** Deliveries as EZThrottle makes them, signed at the time of the clock in place. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Reply from "../../src/step/Reply.ts"
import * as EzthrottleSignature from "../../src/wire/EzthrottleSignature.ts"
import * as WebhookEvent from "../../src/wire/WebhookEvent.ts"

export const secret = "whk_a_secret_of_this_test"

export const event = (changes: Partial<WebhookEvent.WebhookEvent> = {}): WebhookEvent.WebhookEvent => ({
  dialect: "cloud",
  jobId: "job_1",
  idempotentKey: "key-1",
  status: "success",
  response: Reply.response(200, { "content-type": "text/plain" }, "done"),
  error: undefined,
  metadata: { order: 7 },
  responses: undefined,
  ...changes
})

export const bodyOf = (changes?: Partial<WebhookEvent.WebhookEvent>): string => WebhookEvent.encode(event(changes))

export const headersFor = (body: string | Uint8Array, seconds: number, secrets: string = secret) => ({
  "content-type": "application/json",
  [EzthrottleSignature.headerName.toLowerCase()]: EzthrottleSignature.sign({ body, secrets, timestamp: seconds })
})

/** The two arguments of `receive`. */
export const delivery = (changes?: Partial<WebhookEvent.WebhookEvent>, secrets?: string) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const body = bodyOf(changes)
    const headers: Record<string, string> = headersFor(body, Math.floor(now / 1000), secrets)
    return [(name: string) => headers[name.toLowerCase()], new TextEncoder().encode(body)] as const
  })

/** What a sender is answered: 2xx for what it need not send again, 4xx for what would not get better, 5xx for the rest. */
import { explain } from "../wire/Signature.ts"
import type { Received } from "./Receiver.ts"

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const answerTo = (received: Received): Answer => {
  switch (received._tag) {
    case "Handled":
      return json(200, { status: "handled" })
    case "Duplicate":
      return json(200, { status: "duplicate" })
    case "Busy":
      return failed(503, "in_progress", "Another attempt of this event is being handled", { "retry-after": "5" })
    case "Rejected":
      // the fault is the receiver's own: what was sent may be right, so let it be sent again
      return isOurs(received.reason._tag)
        ? failed(500, "receiver_misconfigured", "The receiver cannot check signatures")
        : failed(401, "invalid_signature", `Not accepted: ${explain(received.reason)}`)
    case "Undecodable":
      return json(400, { error: received.error.message, code: "invalid_event", field: received.error.path })
    case "TooLarge":
      return failed(413, "body_too_large", `The body is larger than the ${received.limit} bytes read here`)
    case "Unreadable":
      return failed(
        received.isOurs ? 500 : 400,
        received.isOurs ? "body_already_read" : "body_cut_off",
        received.problem
      )
    case "HandlerFailed":
      return failed(500, "handler_failed", "The event could not be handled; send it again")
    case "StoreFailed":
      return failed(503, "store_unavailable", "The event could not be written down; send it again")
  }
}

export const methodNotAllowed: Answer = {
  status: 405,
  headers: { "content-type": "application/json", allow: "POST" },
  body: JSON.stringify({ error: "Webhooks are posted", code: "method_not_allowed" })
}

const isOurs = (tag: string): boolean => tag === "WeakSecret" || tag === "InvalidClock" || tag === "Unsupported"

const failed = (
  status: number,
  code: string,
  error: string,
  headers: Readonly<Record<string, string>> = {}
): Answer => {
  const answer = json(status, { error, code })
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

const json = (status: number, body: object): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body)
})

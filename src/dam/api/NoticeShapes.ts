/**
 * What operators are told, as it is chosen and shown.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Delivery, delivery } from "./DeliveryShapes.ts"
import { nameOf, type NoticeEvent, noticeEvents } from "../observe/Notice.ts"
import type { NoticeOptions, SentNotice, Thresholds } from "../observe/Notice.ts"
import type { Told } from "../store/NoticeRecords.ts"
import type { Endpoint } from "../job/Delivery.ts"
import { between, Count, length, Moment, nullable, optional, word } from "./Parts.ts"

const mark = between(1, Number.MAX_SAFE_INTEGER)

/** Who is told what, from when on; a body of nothing goes back to what is configured. */
export const NoticeChoice = Schema.Struct({
  urls: optional(Schema.Array(length(1, 8192)).check(Schema.isMaxLength(10))),
  events: optional(Schema.Array(Schema.Literals(noticeEvents))),
  thresholds: optional(
    Schema.Struct({
      endpoint_failures: optional(mark),
      dead_letters: optional(Count),
      lane_held_ms: optional(mark),
      stored_bytes: optional(mark),
      memory_bytes: optional(mark)
    })
  )
}).annotate({ identifier: "NoticeChoice" })

/** The choice as the dam takes it; `undefined` where nothing is chosen. */
export const chosen = ({ events, thresholds, urls }: typeof NoticeChoice.Type): NoticeOptions | undefined =>
  events === undefined && thresholds === undefined && urls === undefined
    ? undefined
    : {
        urls,
        events,
        thresholds: thresholds && {
          endpointFailures: thresholds.endpoint_failures,
          deadLetters: thresholds.dead_letters,
          laneHeldMillis: thresholds.lane_held_ms,
          storedBytes: thresholds.stored_bytes,
          memoryBytes: thresholds.memory_bytes
        }
      }

/** What is told, what was told and is not over, and which of its own endpoints fail. */
export const Notices = Schema.Struct({
  urls: Schema.Array(Schema.String),
  events: Schema.Array(word(noticeEvents)),
  thresholds: Schema.Struct({
    endpoint_failures: Count,
    dead_letters: Count,
    lane_held_ms: Count,
    stored_bytes: Count,
    memory_bytes: Count
  }),
  /** Where it is from: the configuration, or this API. */
  source: word(["configured", "chosen"]),
  open: Schema.Array(Schema.Struct({ subject: Schema.String, phase: Schema.String, since: Moment })),
  /** The last that were sent, the newest first, and where each has got to. */
  sent: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      event: word(noticeEvents),
      state: word(["begun", "over"]),
      at: Moment,
      since: Moment,
      details: Schema.JsonObject,
      deliveries: Schema.Array(Delivery)
    })
  ),
  endpoints: Schema.Array(
    Schema.Struct({
      url: Schema.String,
      status: word(["enabled", "disabled"]),
      reason: nullable(word(["gone", "failing"])),
      since: Moment,
      failures: Count
    })
  )
}).annotate({ identifier: "Notices" })

/** What is shown of. */
interface View {
  readonly urls: ReadonlyArray<string>
  readonly events: ReadonlyArray<NoticeEvent>
  readonly thresholds: Thresholds
  readonly chosen: boolean
  readonly told: ReadonlyArray<Told>
  readonly sent: ReadonlyArray<SentNotice>
  readonly endpoints: ReadonlyArray<Endpoint>
}

/** Shows it. */
export const shown = ({ endpoints, events, sent, thresholds, told, urls, ...view }: View): typeof Notices.Encoded => ({
  urls,
  events,
  thresholds: {
    endpoint_failures: thresholds.endpointFailures,
    dead_letters: thresholds.deadLetters,
    lane_held_ms: thresholds.laneHeldMillis,
    stored_bytes: thresholds.storedBytes,
    memory_bytes: thresholds.memoryBytes
  },
  source: view.chosen ? "chosen" : "configured",
  open: told.map(({ subject, ...one }) => ({ subject: nameOf(subject), ...one })),
  sent: sent.map(({ at, deliveries, details, event, id, since, state }) => ({
    id,
    event,
    state,
    at,
    since,
    details,
    deliveries: deliveries.map(delivery)
  })),
  endpoints: endpoints.map(({ failures, reason = null, since, status, url }) => ({
    url,
    status,
    reason,
    since,
    failures
  }))
})

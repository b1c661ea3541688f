/**
 * What operators are told without asking: which events there are, when each begins, and when it is over. Pure.
 *
 * A mark is over only well below where it began, so that what swings around it is told once.
 *
 * @since 0.1.0
 */
import type { StoredDelivery } from "../job/Delivery.ts"
import { endpointSubject, type Told, type Troubled } from "../store/NoticeRecords.ts"

/**
 * Every {@link NoticeEvent}.
 *
 * @category constants
 * @since 0.1.0
 */
export const noticeEvents = [
  "endpoint_failing",
  "endpoint_disabled",
  "endpoint_recovered",
  "dead_letters",
  "lane_held",
  "stored_bytes",
  "memory_bytes"
] as const

/**
 * What a notice may be about.
 *
 * @category models
 * @since 0.1.0
 */
export type NoticeEvent = (typeof noticeEvents)[number]

/**
 * From where on something is worth telling.
 *
 * @category models
 * @since 0.1.0
 */
export interface Thresholds {
  /** Failed deliveries in a row to one endpoint. Defaults to 5. */
  readonly endpointFailures: number
  /** Dead letters of all customers; told above it. Defaults to 100. */
  readonly deadLetters: number
  /** Milliseconds for which a lane is held. Defaults to 10 minutes. */
  readonly laneHeldMillis: number
  /** Bytes that the database holds. Defaults to four fifths of those beyond which no job is taken. */
  readonly storedBytes: number
  /** Bytes of memory of this process. Defaults to four fifths of those beyond which no job is taken. */
  readonly memoryBytes: number
}

/**
 * Who is told what; what is left out takes its default.
 *
 * @category models
 * @since 0.1.0
 */
export interface NoticeOptions {
  /** Where notices go. Defaults to nowhere. */
  readonly urls?: ReadonlyArray<string> | undefined
  /** What is told. Defaults to everything. */
  readonly events?: ReadonlyArray<NoticeEvent> | undefined
  readonly thresholds?: { readonly [Name in keyof Thresholds]?: number | undefined } | undefined
}

/**
 * The customer that notices belong to. No key can have this name.
 *
 * @category constants
 * @since 0.1.0
 */
export const noticeCustomer = "dam:notices"

/** What the dam looks like at a moment. */
export interface Sight {
  /** Epoch milliseconds. */
  readonly at: number
  readonly endpoints: ReadonlyArray<Troubled>
  /** Lanes that are held, since when and until when. */
  readonly lanes: ReadonlyArray<{ readonly lane: string; readonly since: number; readonly until: number }>
  readonly deadLetters: number
  readonly storedBytes: number
  readonly memoryBytes: number
}

/** Something to be told. */
export interface Notice {
  readonly event: NoticeEvent
  readonly state: "begun" | "over"
  /** Epoch milliseconds of its beginning. */
  readonly since: number
  readonly details: Readonly<Record<string, string | number>>
}

/**
 * A notice that was filed, and where it has got to.
 *
 * @category models
 * @since 0.1.0
 */
export interface SentNotice extends Notice {
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly deliveries: ReadonlyArray<StoredDelivery>
}

/** What follows from a look: what is to be told, and what was told from then on. */
export interface Verdict {
  readonly notices: ReadonlyArray<Notice>
  readonly begun: ReadonlyArray<Told>
  readonly over: ReadonlyArray<string>
}

/** Compares what is seen with what was told. */
export const judge = (sight: Sight, told: ReadonlyArray<Told>, marks: Thresholds): Verdict => {
  const known = new Map(told.map((one) => [one.subject, one]))
  const verdicts = [
    ...sight.endpoints.map((endpoint) => ofEndpoint(endpoint, known)),
    ...recovered(sight, told),
    ...sight.lanes
      .filter(({ since }) => sight.at - since >= marks.laneHeldMillis)
      .map(({ lane, since, until }) =>
        known.has(laneSubject(lane))
          ? nothing
          : began("lane_held", { subject: laneSubject(lane), since, details: { lane, held_until: until } })
      ),
    ...released(sight, told),
    ofMark("dead_letters", sight.deadLetters, {
      mark: marks.deadLetters,
      begins: sight.deadLetters > marks.deadLetters
    }),
    ofMark("stored_bytes", sight.storedBytes, {
      mark: marks.storedBytes,
      begins: sight.storedBytes >= marks.storedBytes
    }),
    ofMark("memory_bytes", sight.memoryBytes, {
      mark: marks.memoryBytes,
      begins: sight.memoryBytes >= marks.memoryBytes
    })
  ].map((verdict) => (typeof verdict === "function" ? verdict(sight.at, known) : verdict))
  return {
    notices: verdicts.flatMap(({ notices }) => notices),
    begun: verdicts.flatMap(({ begun }) => begun),
    over: verdicts.flatMap(({ over }) => over)
  }
}

/** What a lane is called among what was told. */
const laneSubject = (lane: string): string => `lane ${lane}`

/** The lane that was told of under this name. */
export const laneIn = (subject: string): string | undefined =>
  subject.startsWith("lane ") ? subject.slice("lane ".length) : undefined

const nothing: Verdict = { notices: [], begun: [], over: [] }

/** What an event is about, and since when. */
interface Beginning {
  readonly subject: string
  readonly since: number
  readonly details: Notice["details"]
  readonly phase?: string
}

const began = (event: NoticeEvent, { details, phase = "begun", since, subject }: Beginning) => ({
  notices: [{ event, state: "begun", since, details } as const],
  begun: [{ subject, phase, since }],
  over: []
})

const ended = (event: NoticeEvent, { since, subject }: Told, details: Notice["details"]): Verdict => ({
  notices: [{ event, state: "over", since, details }],
  begun: [],
  over: [subject]
})

const ofEndpoint = (endpoint: Troubled, known: ReadonlyMap<string, Told>): Verdict => {
  const subject = endpointSubject(endpoint.customer, endpoint.url)
  const phase = endpoint.status === "disabled" ? "disabled" : "failing"
  const before = known.get(subject)
  // one that was disabled and fails again after it was enabled by hand is the same trouble
  if (before?.phase === phase || before?.phase === "disabled") return nothing
  const details = {
    ...addressOf(endpoint.customer, endpoint.url),
    failures: endpoint.failures,
    ...(endpoint.reason === undefined ? {} : { reason: endpoint.reason })
  }
  return began(`endpoint_${phase}`, { subject, since: endpoint.failingSince, details, phase })
}

const recovered = ({ endpoints }: Sight, told: ReadonlyArray<Told>): ReadonlyArray<Verdict> => {
  const troubled = new Set(endpoints.map(({ customer, url }) => endpointSubject(customer, url)))
  return told
    .filter(({ subject }) => subject.startsWith("endpoint ") && !troubled.has(subject))
    .map((one) => {
      const [, customer = "", url = ""] = one.subject.split(" ")
      return ended("endpoint_recovered", one, addressOf(customer, url))
    })
}

/** What a subject is called before people: as it is, but for the path of an endpoint. */
export const nameOf = (subject: string): string => {
  const [kind, customer = "", url = ""] = subject.split(" ")
  return kind === "endpoint" ? `endpoint ${customer} ${addressOf(customer, url).origin}` : subject
}

/** The path of a webhook may be a secret; where it goes is none. */
const addressOf = (customer: string, url: string) => ({
  customer_id: customer,
  origin: URL.canParse(url) ? new URL(url).origin : "unknown"
})

const released = ({ lanes }: Sight, told: ReadonlyArray<Told>): ReadonlyArray<Verdict> => {
  const held = new Set(lanes.map(({ lane }) => lane))
  return told.flatMap((one) => {
    const lane = laneIn(one.subject)
    return lane === undefined || held.has(lane) ? [] : [ended("lane_held", one, { lane })]
  })
}

/** A mark is over a tenth below it. */
const lingers = 0.9

const ofMark =
  (event: "dead_letters" | "stored_bytes" | "memory_bytes", value: number, { begins, mark }: Mark) =>
  (at: number, known: ReadonlyMap<string, Told>): Verdict => {
    const before = known.get(event)
    const details = { value, mark }
    if (before === undefined) return begins ? began(event, { subject: event, since: at, details }) : nothing
    return value <= lingers * mark ? ended(event, before, details) : nothing
  }

interface Mark {
  readonly mark: number
  readonly begins: boolean
}

/** The bytes of a notice: the same for every receiver and every repetition. */
export const bodyOf = (id: string, at: number, { details, event, since, state }: Notice): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ type: "notice", id, event, state, at, since, details }))

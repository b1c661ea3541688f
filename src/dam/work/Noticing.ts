/**
 * Tells operators what they would otherwise have to look for: looks at the dam from time to time, compares it with what
 * was told, and files what is news as deliveries like any other.
 *
 * A notice is a job of the dam's own that has ended, so that the outbox, its schedule and its retention are those of
 * results. What was told is written with it: it is told once, whatever happens in between. The endpoints of notices are
 * told of to nobody: that one fails stands in the log, and in what is shown.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Step from "../../step/Step.ts"
import type { Endpoint } from "../job/Delivery.ts"
import { hostIn, receiverLane } from "../job/LaneName.ts"
import * as NewJob from "../job/NewJob.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import * as Notice from "../observe/Notice.ts"
import type { Finish } from "../store/JobRecords.ts"
import type { Store } from "../store/JobStore.ts"
import type { Told } from "../store/NoticeRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { AdmissionOptions } from "./Admission.ts"

/**
 * What operators are told, and where.
 *
 * @category models
 * @since 0.1.0
 */
export interface Notices {
  /** What holds now, what was told and is not over, and those of its endpoints that fail. */
  readonly view: Effect.Effect<NoticeView, StoreError>
  /** Chooses anew, over the configuration and over restarts; `undefined` goes back to the configuration. */
  readonly choose: (options: Notice.NoticeOptions | undefined) => Effect.Effect<void, StoreError>
}

/**
 * What is shown of notices.
 *
 * @category models
 * @since 0.1.0
 */
export interface NoticeView extends Settled {
  /** Whether it was chosen over the API, not configured. */
  readonly chosen: boolean
  readonly told: ReadonlyArray<Told>
  /** The last that were sent, the newest first. */
  readonly sent: ReadonlyArray<Notice.SentNotice>
  readonly endpoints: ReadonlyArray<Endpoint>
}

/** What is told, with every default. */
interface Settled {
  readonly urls: ReadonlyArray<string>
  readonly events: ReadonlyArray<Notice.NoticeEvent>
  readonly thresholds: Notice.Thresholds
}

/**
 * What the duty works with.
 *
 * @category models
 * @since 0.1.0
 */
export interface NoticeParts {
  readonly store: Store
  readonly lanes: Pick<LaneRouter, "views">
  /** Says that deliveries are due in these lanes. */
  readonly deliver: (lanes: Iterable<string>) => void
  readonly configured: Notice.NoticeOptions
  readonly marks: Pick<AdmissionOptions, "maxMemoryBytes" | "maxStoredBytes" | "memoryBytes">
  readonly newId: Effect.Effect<string>
  readonly laneOf: (url: string) => string
  /** Whether nothing is begun any more. */
  readonly leaving: () => boolean
}

/** How often the dam is looked at. */
const lookEvery = "10 seconds"

/** A lane that was let go for less than this is held on. */
const heldAgainMillis = 60_000

/** How many of those that were sent are shown. */
const shownAtMost = 20

/** Where the store keeps what was chosen. */
const setting = "notices"

const Chosen = Schema.fromJsonString(
  Schema.Struct({
    urls: Schema.optionalKey(Schema.Array(Schema.String)),
    events: Schema.optionalKey(Schema.Array(Schema.Literals(Notice.noticeEvents))),
    thresholds: Schema.optionalKey(
      Schema.Struct({
        endpointFailures: Schema.optionalKey(Schema.Number),
        deadLetters: Schema.optionalKey(Schema.Number),
        laneHeldMillis: Schema.optionalKey(Schema.Number),
        storedBytes: Schema.optionalKey(Schema.Number),
        memoryBytes: Schema.optionalKey(Schema.Number)
      })
    )
  })
)

/** What the job of a notice says of it, beside the bytes that are sent. */
const Filed = Schema.Struct({
  event: Schema.Literals(Notice.noticeEvents),
  state: Schema.Literals(["begun", "over"]),
  since: Schema.Number,
  details: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Number]))
})

const readFiled = Schema.decodeUnknownOption(Filed)

interface Noticing extends NoticeParts {
  chosen: Notice.NoticeOptions | undefined
  /** Since when lanes have been held, and when each was seen so last. */
  readonly held: Map<string, { readonly since: number; seen: number; until: number }>
}

/**
 * Makes the duty; it looks in the scope until it closes, while there is somebody to tell.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  parts: NoticeParts
): Effect.fn.Return<Notices, StoreError, Scope.Scope> {
  const { store } = parts
  const text = yield* store.setting(setting)
  const chosen = Option.getOrUndefined(Schema.decodeUnknownOption(Chosen)(text))
  const self: Noticing = { ...parts, chosen, held: new Map() }
  for (const { since, subject } of yield* store.told) {
    const lane = Notice.laneIn(subject)
    if (lane !== undefined) self.held.set(lane, { since, seen: yield* Clock.currentTimeMillis, until: since })
  }
  const wanted = Latch.makeUnsafe(settle(self).urls.length > 0)
  yield* Effect.forkScoped(
    Effect.gen(function* () {
      while (true) {
        yield* wanted.await
        yield* look(self).pipe(Effect.catch((error) => Effect.logWarning(`notices: ${error.message}`)))
        yield* Effect.sleep(lookEvery)
      }
    })
  )
  return {
    view: Effect.gen(function* () {
      const told = yield* store.told
      const endpoints = yield* store.endpoints(Notice.noticeCustomer)
      return { ...settle(self), chosen: self.chosen !== undefined, told, sent: yield* sentBy(store), endpoints }
    }),
    choose: Effect.fnUntraced(function* (options) {
      yield* store.putSecrets([], [[setting, options === undefined ? "" : JSON.stringify(options)]])
      self.chosen = options
      if (settle(self).urls.length > 0) wanted.openUnsafe()
      else wanted.closeUnsafe()
    })
  }
})

const sentBy = Effect.fnUntraced(function* (
  store: Store
): Effect.fn.Return<ReadonlyArray<Notice.SentNotice>, StoreError> {
  const { jobs } = yield* store.list({ customer: Notice.noticeCustomer, limit: shownAtMost })
  const sent = yield* Effect.forEach(jobs, ({ createdAt: at, id, step }) =>
    Effect.map(store.deliveries(id), (deliveries) =>
      Option.map(readFiled(step.metadata), (notice) => ({ ...notice, id, at, deliveries }))
    )
  )
  return Arr.getSomes(sent)
})

const settle = ({ chosen, configured, marks }: Noticing): Settled => {
  const { events = Notice.noticeEvents, thresholds = {}, urls = [] } = chosen ?? configured
  return {
    urls,
    events,
    thresholds: {
      endpointFailures: thresholds.endpointFailures ?? 5,
      deadLetters: thresholds.deadLetters ?? 100,
      laneHeldMillis: thresholds.laneHeldMillis ?? 600_000,
      storedBytes: thresholds.storedBytes ?? Math.floor(0.8 * marks.maxStoredBytes),
      memoryBytes: thresholds.memoryBytes ?? Math.floor(0.8 * marks.maxMemoryBytes)
    }
  }
}

const look = Effect.fnUntraced(function* (self: Noticing) {
  if (self.leaving()) return
  const { events, thresholds, urls } = settle(self)
  const at = yield* Clock.currentTimeMillis
  const sight = yield* see(self, at, thresholds, urls)
  const verdict = Notice.judge(sight, yield* self.store.told, thresholds)
  if (verdict.begun.length === 0 && verdict.over.length === 0) return
  const wanted = verdict.notices.filter(({ event }) => events.includes(event))
  const notices = yield* Effect.forEach(wanted, (notice) =>
    Effect.map(self.newId, (id) => noticeOf(self, { id, at, notice, urls }))
  )
  // what is filed is looked after
  yield* Effect.uninterruptible(
    Effect.andThen(
      self.store.tell({ begun: verdict.begun, over: verdict.over, notices }),
      Effect.sync(() => self.deliver(new Set(urls.map(self.laneOf))))
    )
  )
  for (const { details, event, state } of wanted) {
    yield* Effect.logInfo(`notice: ${event} ${state === "begun" ? "begins" : "is over"} ${JSON.stringify(details)}`)
  }
})

const see = Effect.fnUntraced(function* (
  self: Noticing,
  at: number,
  { endpointFailures }: Notice.Thresholds,
  urls: ReadonlyArray<string>
): Effect.fn.Return<Notice.Sight, StoreError> {
  const { lanes, marks, store } = self
  const { bytes, deadDeliveries } = yield* store.stats
  const own = new Set(urls.map((url) => receiverLane(self.laneOf(url))))
  for (const { heldFor, lane } of yield* lanes.views) {
    if (heldFor <= 0 || own.has(lane)) continue
    // a host may have very many lanes, and is told of once
    const name = hostIn(lane)
    const { seen, since = at, until = 0 } = self.held.get(name) ?? {}
    self.held.set(name, { since, seen: at, until: Math.max(seen === at ? until : 0, Math.ceil(at + heldFor)) })
  }
  for (const [lane, { seen }] of self.held) if (at - seen >= heldAgainMillis) self.held.delete(lane)
  return {
    at,
    endpoints: yield* store.troubled(endpointFailures, Notice.noticeCustomer),
    lanes: Array.from(self.held, ([lane, { since, until }]) => ({ lane, since, until })),
    deadLetters: deadDeliveries - (yield* store.deadOf(Notice.noticeCustomer)),
    storedBytes: bytes,
    memoryBytes: marks.memoryBytes()
  }
})

interface Filing {
  readonly id: string
  readonly at: number
  readonly notice: Notice.Notice
  readonly urls: ReadonlyArray<string>
}

const noticeOf = ({ laneOf }: Noticing, { at, id, notice, urls }: Filing) => {
  const { details, event, since, state } = notice
  const body = Notice.bodyOf(id, at, notice)
  const step = Step.post(urls[0] ?? "").pipe(
    Step.webhooks(urls.map((url) => ({ url }))),
    Step.metadata({ event, state, since, details })
  )
  const job = NewJob.newJob({
    id,
    at,
    step,
    key: id,
    customer: Notice.noticeCustomer,
    dialect: "cloud",
    keyScope: Notice.noticeCustomer,
    isolated: false,
    traceparent: undefined
  })
  const deliveries = urls.map((url, index) => ({
    id: `${id}:${index}`,
    jobId: id,
    customer: Notice.noticeCustomer,
    index,
    url,
    regions: [],
    hasQuorumVote: true,
    lane: laneOf(url),
    body
  }))
  const finish: Finish = { state: "succeeded", at, result: told, children: [], deliveries, quorum: 1 }
  return { job, finish }
}

/** A notice has called nobody. */
const told = { response: undefined, responses: [], region: undefined, path: 0, error: undefined }

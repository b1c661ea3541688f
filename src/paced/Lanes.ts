/**
 * Lanes in memory: the calls of one program share a pace, and one refusal holds back all that were to follow it.
 *
 * Nothing runs beside the calls, so there is nothing to close: whoever waits for its turn looks at the clock itself. A lane
 * that has rested is forgotten.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Bucket from "../engine/limits/Bucket.ts"
import type { Limit } from "../engine/limits/Limit.ts"
import { heard } from "../engine/pace/Hearing.ts"
import * as Meter from "../engine/pace/Meter.ts"
import * as Pacing from "../engine/Pacing.ts"
import * as Refusal from "../engine/Refusal.ts"
import * as Settling from "../presets/Settling.ts"
import * as Limits from "./Limits.ts"
import type { Drawn, Lane, Passed, Waiter } from "./Line.ts"
import * as Line from "./Line.ts"
import { monotonic } from "./Line.ts"
import type { Ask, LaneHeld, Permit, Permits } from "./Permits.ts"

/**
 * What lanes in memory are made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface LanesOptions {
  /** How a host is paced. */
  readonly settingOf: (host: string) => Meter.Setting
  /** What is known of how a host refuses. */
  readonly rulesOf: (host: string) => Refusal.Rules | undefined
  /** Limits by name. */
  readonly limits: Readonly<Record<string, Limit>>
  /** Lanes that are kept beside those in use. Defaults to 1,000. */
  readonly mostLanes?: number | undefined
}

interface State {
  readonly options: LanesOptions
  /** Those used last come last. */
  readonly lanes: Map<string, Lane>
  readonly limits: Limits.Limits<Waiter>
  seq: number
}

/**
 * Makes lanes that know nothing yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: LanesOptions): Permits["Service"] => {
  const self: State = { options, lanes: new Map(), limits: Limits.make(options.limits), seq: 0 }
  return { acquire: (ask) => acquire(self, ask) }
}

const acquire = (self: State, ask: Ask): Effect.Effect<Permit, LaneHeld> =>
  Effect.map(
    Line.pass((now): Waiter => {
      const draws = ask.draws.map((draw): Drawn => ({ share: self.limits.share(draw, now), cost: draw.cost }))
      const lane = laneOf(self, ask, now)
      return { lane, draws, patience: ask.patience, seq: self.seq++, woken: Latch.makeUnsafe(false) }
    }),
    (passed) => permitOf(self, passed)
  )

const laneOf = (self: State, { host, lane: key }: Ask, now: number): Lane => {
  const { lanes, options } = self
  const known = lanes.get(key)
  if (known === undefined) forget(self, now)
  const lane: Lane = known ?? {
    key,
    host,
    meter: Meter.make(options.settingOf(host)),
    lines: new Map(),
    departing: new Set(),
    count: 0,
    unavailable: 0,
    unavailableAt: Number.NEGATIVE_INFINITY,
    usedAt: now
  }
  lane.usedAt = now
  lanes.delete(key)
  lanes.set(key, lane)
  return lane
}

/** As long without a call, in milliseconds, and what was found is found anew. */
const restedAfter = 3_600_000

/** Room for one more: what has rested goes first, then what was used longest ago and nobody uses now. */
const forget = ({ lanes, options: { mostLanes = 1000 } }: State, now: number): void => {
  for (const lane of lanes.values()) {
    if (lane.usedAt + restedAfter > now) break
    if (isUnused(lane) && Meter.isQuiet(lane.meter, now)) lanes.delete(lane.key)
  }
  if (lanes.size < mostLanes) return
  const unused = Array.from(lanes.values()).filter(isUnused)
  const first = unused.find(({ meter }) => Meter.isQuiet(meter, now)) ?? unused[0]
  if (first !== undefined) lanes.delete(first.key)
}

const isUnused = ({ lines, meter }: Lane): boolean => lines.size === 0 && meter.gate.open === 0

/** How far a permit has come. */
interface Course {
  sentAt: number | undefined
  isSettled: boolean
  isOver: boolean
}

const permitOf = (self: State, passed: Passed): Permit => {
  const course: Course = { sentAt: undefined, isSettled: false, isOver: false }
  const ways = passed.draws.flatMap(({ share }) => share.bucket.limit.settle ?? [])
  return {
    depart: depart(passed, course),
    hear: (answer) => Clock.clockWith((clock) => Effect.sync(() => hear(self, passed, course, answer, clock))),
    settles: ways.some((way) => "json" in way) ? "by body" : ways.length > 0 ? "by header" : "never",
    settle: (answer) => Clock.clockWith((clock) => Effect.sync(() => settle(passed, course, answer, monotonic(clock)))),
    release: Clock.clockWith((clock) => Effect.sync(() => release(passed, course, monotonic(clock))))
  }
}

/** What was let through before a refusal came is not sent in spite of it. */
const depart = Effect.fnUntraced(function* ({ id, lane }: Passed, course: Course) {
  while (course.sentAt === undefined) {
    const now = monotonic(yield* Clock.Clock)
    const at = Math.max(Meter.sendsAt(lane.meter, id), Meter.heldUntil(lane.meter))
    // timers know whole milliseconds: a pace that has less between its calls cannot wait for less
    if (at <= now || (at - now < 1 && lane.meter.gate.pace.rps > 1000)) {
      lane.meter = Meter.send(lane.meter, id, now)
      course.sentAt = now
      return
    }
    const woken = Latch.makeUnsafe(false)
    lane.departing.add(woken)
    yield* Effect.ensuring(
      Line.sleepOr(woken, at - now),
      Effect.sync(() => void lane.departing.delete(woken))
    )
  }
})

const hear = (
  { options }: State,
  { lane }: Passed,
  { isOver, sentAt }: Course,
  answer: Refusal.Answer,
  clock: Clock.Clock
): void => {
  if (sentAt === undefined || isOver) return
  const now = monotonic(clock)
  const nowMillis = clock.currentTimeMillisUnsafe()
  const said = Refusal.read(answer, nowMillis, options.rulesOf(lane.host))
  const news = heard(said, answer.headers, nowMillis)
  if (news !== undefined) lane.meter = Meter.hear(lane.meter, news, { sentAt, now })
  const pacing = Pacing.parse(answer.headers)
  if (pacing?.rps !== undefined || pacing?.maxConcurrent !== undefined) {
    lane.meter = Meter.learn(lane.meter, { rps: pacing.rps, maxConcurrent: pacing.maxConcurrent })
  }
  if (said.kind === "Unavailable") holdBack(lane, said.wait ?? 0, { sentAt, now })
  else lane.unavailable = 0
  Line.wake(lane)
}

/** One 503 may be a hiccup: only those in a row hold for longer than they say. Calls that were out together are one. */
const holdBack = (
  lane: Lane,
  wait: number,
  { now, sentAt }: { readonly sentAt: number; readonly now: number }
): void => {
  const isNews = sentAt >= lane.unavailableAt
  const floor = isNews && lane.unavailable > 0 ? Refusal.backOff(lane.unavailable - 1) : 0
  lane.meter = Meter.hold(lane.meter, now + Math.max(wait, floor))
  if (!isNews) return
  lane.unavailable++
  lane.unavailableAt = now
}

const settle = ({ draws }: Passed, course: Course, answer: Refusal.Answer, now: number): void => {
  if (course.isSettled || course.sentAt === undefined) return
  for (const { cost, share } of draws) {
    const way = share.bucket.limit.settle
    const actual = way && Settling.costIn(answer, way)
    if (actual === undefined) continue
    course.isSettled = true
    share.bucket = Bucket.settle(share.bucket, cost, actual, now)
    Line.wakeShare(share)
  }
}

const release = ({ draws, id, lane }: Passed, course: Course, now: number): void => {
  if (course.isOver) return
  course.isOver = true
  const isTurnKept = course.sentAt !== undefined
  lane.meter = Meter.leave(lane.meter, id, { isTurnKept, now })
  for (const { cost, share } of draws) {
    share.bucket = Bucket.leave(isTurnKept ? share.bucket : Bucket.settle(share.bucket, cost, 0, now))
    Line.wakeShare(share)
  }
  Line.wake(lane)
}

/**
 * Which pace a host is called at: what is configured, over it what its answers have taught, over it what an operator
 * says.
 */
import type * as Clock from "effect/Clock"
import * as Pacing from "../../engine/Pacing.ts"
import * as Refusal from "../../engine/Refusal.ts"
import type { LanePart } from "../../presets/Preset.ts"
import { credentialHeaders, hostIn, isReceiverLane } from "../job/LaneName.ts"
import { ceilingPace, defaultPace, receiverPace, type Pace } from "../../engine/pace/Gate.ts"
import { heard } from "../../engine/pace/Hearing.ts"
import type { BreakerOptions } from "../../engine/BreakerOptions.ts"
import { paceOf, type Breakers } from "./Breaker.ts"
import type { Lane } from "./Lane.ts"
import type { Rule } from "./LaneNames.ts"
import { learn, type Lesson, silent } from "./Learning.ts"
import type { Setting } from "../../engine/pace/Meter.ts"
import type { Answer } from "./LaneRouter.ts"
import type { Paces } from "./Paces.ts"
import type { StoredSteering } from "../store/LaneRecords.ts"
import { steeredOf, type Settings } from "./Settings.ts"

/**
 * How upstreams are paced.
 *
 * @category models
 * @since 0.1.0
 */
export interface PacingOptions {
  /** The pace of a host that has said nothing and is not named in `hosts`. Defaults to 2 per second, 2 at once. */
  readonly pace?: PaceOptions | undefined
  /** The pace of a receiver of webhooks, likewise. Defaults to 100 per second, 20 at once. */
  readonly receivers?: PaceOptions | undefined
  /** Paces, and what is known of refusals, by canonical `host:port`, for receivers of webhooks with `webhook@` before it. */
  readonly hosts?: Readonly<Record<string, HostOptions>> | undefined
  /** What else is known of how an upstream refuses, by the name of its lane. Defaults to nothing. */
  readonly rules?: ((lane: string) => Refusal.Rules | undefined) | undefined
  /** What is known of how its calls find their lanes, likewise. Defaults to nothing: a host has one lane. */
  readonly lanes?: ((lane: string) => Rule | undefined) | undefined
  /** Keys by which the calls to one host may be told apart; further ones share a lane. Defaults to 1,000. */
  readonly keysPerHost?: number | undefined
  /** Calls that a customer may make in each of its turns in a lane, by customer: whole numbers. Defaults to 1 each. */
  readonly weights?: Readonly<Record<string, number>> | undefined
  /** Calls that being late may give back. Defaults to 1. */
  readonly burst?: number | undefined
  /** When a lane whose calls fail is left alone; `false`: never. */
  readonly breaker?: BreakerOptions | false | undefined
  /** What an upstream may raise or lower its pace to. Defaults to 0.01 to 1,000 per second and 1 to 100 at once. */
  readonly bounds?: Pacing.Bounds | undefined
}

/**
 * How an upstream is paced.
 *
 * @category models
 * @since 0.1.0
 */
export interface PaceOptions extends Partial<Pace> {
  /**
   * Whether the pace is found out, from a slow start; `rps` and `maxConcurrent` are then the ceiling, by default 50 per
   * second and 10 at once. Where it is not, the pace is what `rps` and `maxConcurrent` say, and refusals alone bring it
   * down. Defaults to `false`.
   */
  readonly find?: boolean | undefined
  /** Whether what is left of a quota that answers tell of is spread over its window, or spent at once. Defaults to `spread`. */
  readonly told?: "spread" | "burst" | undefined
}

/**
 * What is known of one upstream beforehand.
 *
 * @category models
 * @since 0.1.0
 */
export interface HostOptions extends PaceOptions, Refusal.Rules {
  /** How its calls find their lanes: `host` for one lane, or the parts by which they are told apart. Defaults to what is known of it. */
  readonly lane?: "host" | ReadonlyArray<LanePart> | undefined
}

/** Everything that has a say in the pace of a host. */
export interface Dial {
  readonly options: PacingOptions
  readonly paces: Paces
  readonly settings: Settings
  readonly breakers: Breakers
  /** Is told of each answer. */
  readonly called?: Called | undefined
}

/** Takes note of an answer: how long its call took, whether it was refused, and for how much longer the lane waits. */
export type Called = (
  lane: string,
  call: { readonly latency: number; readonly isRefused: boolean; readonly heldMillis: number }
) => void

/** How a lane is paced, or one account of it. What was said of its host is said of each of its lanes. */
export const settingOf = (self: Dial, lane: string, account = ""): Setting => {
  const setting = wholly(self, lane, account)
  return self.breakers.known.has(lane) ? { ...setting, pace: paceOf(self.breakers, lane, setting.pace) } : setting
}

/** The same where no breaker is in the way. */
const wholly = ({ options, paces, settings }: Dial, lane: string, account: string): Setting => {
  const taught = paces.get(lane, account)
  const learnt = {
    rps: taught?.rps ?? paces.get(lane, "")?.rps,
    maxConcurrent: taught?.maxConcurrent ?? paces.get(lane, "")?.maxConcurrent
  }
  const steered = steeredOf(settings, lane)
  const rps = steered.rps ?? learnt.rps
  const maxConcurrent = steered.maxConcurrent ?? learnt.maxConcurrent
  const usual = isReceiverLane(lane) ? options.receivers : options.pace
  const own = ownOf(options, lane)
  // whoever names a pace for a host has said that it is none to be found
  const isNamed = own?.rps !== undefined || own?.maxConcurrent !== undefined
  const isConfigured = own?.find ?? (!isNamed && usual?.find === true)
  // what the upstream tells is not searched for, and what an operator pins is kept
  const isTold = learnt.rps !== undefined && steered.rps === undefined
  const finds = !isTold && (steered.find ?? (steered.rps === undefined && isConfigured))
  return {
    pace: {
      ...(finds ? ceilingPace : isReceiverLane(lane) ? receiverPace : defaultPace),
      // a pace that others are called at is no ceiling for one that is found
      ...(finds && usual?.find !== true ? {} : paceIn(usual)),
      ...paceIn(own),
      ...(rps === undefined ? {} : { rps }),
      ...(maxConcurrent === undefined ? {} : { maxConcurrent })
    },
    finds,
    bursts: (own?.told ?? usual?.told) === "burst"
  }
}

const ownOf = ({ hosts }: Pick<PacingOptions, "hosts">, lane: string): HostOptions | undefined => {
  const host = hostIn(lane)
  return host === lane || hosts?.[lane] === undefined ? hosts?.[host] : { ...hosts[host], ...hosts[lane] }
}

/** What all lanes of a host together may not exceed, as far as somebody has set it. */
export const ceilingOf = ({ options, settings }: Pick<Dial, "options" | "settings">, host: string): Partial<Pace> => {
  const own = options.hosts?.[host]
  const steered = settings.get(host)
  return paceIn({
    rps: steered?.rps ?? own?.rps,
    maxConcurrent: steered?.maxConcurrent ?? own?.maxConcurrent
  })
}

/** How the calls to a host find their lanes: what is configured goes before what is known of it. */
export const ruleOf = ({ hosts, lanes }: Pick<PacingOptions, "hosts" | "lanes">, host: string): Rule | undefined => {
  const configured = hosts?.[host]?.lane
  if (configured === undefined) return lanes?.(host)
  return configured === "host"
    ? undefined
    : { parts: configured, credential: lanes?.(host)?.credential ?? credentialHeaders, by: "configured" }
}

/** How an upstream refuses: what is configured of it goes before what is known of it. */
export const rulesOf = (
  { hosts, rules }: Pick<PacingOptions, "hosts" | "rules">,
  lane: string
): Refusal.Rules | undefined => {
  const configured = ownOf({ hosts }, lane)
  const known = rules?.(hostIn(lane))
  return known === undefined || configured === undefined ? (configured ?? known) : { ...known, ...configured }
}

const paceIn = ({
  maxConcurrent,
  rps
}: { readonly [Name in keyof Pace]?: number | undefined } = {}): Partial<Pace> => ({
  ...(rps === undefined ? {} : { rps }),
  ...(maxConcurrent === undefined ? {} : { maxConcurrent })
})

/** What an answer says of more than its lane. */
export interface Wider {
  readonly lanes: "credential" | "host"
  readonly lesson: Lesson
}

/** Takes in what an answer teaches: the lane obeys it at once, and it is kept. Answers what it says of more than its lane. */
export const observe = (
  self: Dial,
  lane: Lane,
  { account, jobId, lane: host, response, sentAt }: Answer,
  clock: Clock.Clock
): Wider | undefined => {
  const { called, options, paces, settings } = self
  const nowMillis = clock.currentTimeMillisUnsafe()
  const now = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const owner = { lane: host, account }
  const said = Refusal.read(response, nowMillis, rulesOf(options, host))
  const isRefusal = said.kind === "TooMany" || said.kind === "Unavailable"
  // an account that has used up its quota says nothing about how busy the upstream is
  const refusalsInARow = said.kind === "UsedUp" ? 0 : paces.refusals(owner, isRefusal, { sentAt, now })
  const bounds = options.bounds ?? Pacing.defaultBounds
  const latency = Math.max(0, now - sentAt)
  if (said.wider !== undefined && said.kind === "TooMany") {
    const hold = said.wait ?? Refusal.backOff(refusalsInARow)
    const reason = said.wait === undefined ? "refused" : (said.by ?? "refused")
    called?.(host, { latency, isRefused: true, heldMillis: hold })
    return { lanes: said.wider, lesson: { ...silent, hold, heldBy: { reason, status: response.status, jobId } } }
  }
  const held = lane.heldFor(account, now)
  const found = heard(said, response.headers, nowMillis)
  const became = found === undefined ? undefined : lane.hear(account, found, { sentAt, now })
  const hold = became?.until === undefined ? undefined : became.until - now
  const lesson = learn(response, { nowMillis, bounds, refusalsInARow, jobId, said, hold })
  // who says for the first time that accounts have a pace of their own was heard as the host
  const isSameOwner = lesson.accountQueues === undefined
  const kept =
    became !== undefined && isSameOwner && paces.isDue(owner, became.isFound, nowMillis) ? { kept: became.kept() } : {}
  const news = paces.learn(owner, { ...lesson, ...kept }, { sentAt, now: nowMillis })
  lane.learn(account, obeyed(news, steeredOf(settings, host)), now)
  const heldMillis = Math.max(0, lane.heldFor(account, now) - held)
  called?.(host, { latency, isRefused: isRefusal || said.kind === "UsedUp", heldMillis })
  return undefined
}

/** What an operator says goes before what the upstream says, which is kept for when the operator takes it back. */
const obeyed = (lesson: Lesson, steered: Partial<StoredSteering>): Lesson =>
  steered.rps === undefined && steered.maxConcurrent === undefined
    ? lesson
    : {
        ...lesson,
        rps: steered.rps === undefined ? lesson.rps : undefined,
        maxConcurrent: steered.maxConcurrent === undefined ? lesson.maxConcurrent : undefined
      }

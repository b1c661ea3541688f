/**
 * Whether a target is called at all: state in, what happened, state out. No clock and no chance in it.
 *
 * A breaker opens when too many of the calls of late have failed. After a cool-down, which grows each time, one call goes
 * as a probe; a target that answers it gets a share of its calls, which grows in steps, before it gets all of them again.
 * Every change of state begins a new era, and a call counts for the era that it left in alone: what comes back late says
 * nothing of how the target is now.
 */
import type { Ended } from "./Decide.ts"
import { isTooMany } from "./Decide.ts"

/**
 * When a breaker opens, and how it closes again. Times are in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /** The share of failures from which on it opens. */
  readonly failureRate: number
  /** Calls within the window before a rate means anything. */
  readonly minimum: number
  readonly window: number
  /** How long it stays open the first time; each time after a probe that failed it is twice as long. */
  readonly coolDown: number
  readonly longest: number
  /** The shares of calls that go after the probe, one after the other. */
  readonly ramp: ReadonlyArray<number>
  /** How long each of them lasts. */
  readonly step: number
}

/**
 * What is known of a target. The era grows with every change of state.
 *
 * @category models
 * @since 0.1.0
 */
export type Breaker =
  | { readonly _tag: "Closed"; readonly era: number; readonly seen: Seen }
  | Opened
  | (Recovering & { readonly _tag: "HalfOpen"; readonly isProbed: boolean })
  | (Recovering & {
      readonly _tag: "Ramping"
      readonly seen: Seen
      /** The share of calls that go now. */
      readonly share: number
      /** What the calls that asked have earned; a call that goes costs one. */
      readonly credit: number
    })
  | { readonly _tag: "Isolated"; readonly era: number; readonly since: number; readonly why: string | undefined }

/**
 * No call goes before a moment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened extends Recovering {
  readonly _tag: "Open"
  readonly until: number
}

interface Recovering {
  readonly era: number
  readonly since: number
  /** How often it has opened since it was last closed. */
  readonly times: number
  /** Why it opened. */
  readonly why: string
}

/** Calls and failures of this half of the window and of the one before. */
interface Seen {
  readonly from: number
  readonly calls: number
  readonly failures: number
  readonly callsBefore: number
  readonly failuresBefore: number
}

/** What a call is told: it may go, as part of an era, or not, and not before a moment. @category models @since 0.1.0 */
export type Answer =
  | { readonly _tag: "Go"; readonly era: number }
  | {
      readonly _tag: "Wait"
      /** Whoever waits asks again then; `Infinity`: nothing but a hand ends it. */
      readonly until: number
    }

/** A moment, and what was drawn for it, from 0 to 1. @category models @since 0.1.0 */
export interface Drawn {
  readonly now: number
  readonly draw: number
}

/** Half of at least 20 calls within 30 seconds. @category bounds @since 0.1.0 */
export const defaults: Settings = {
  failureRate: 0.5,
  minimum: 20,
  window: 30_000,
  coolDown: 5000,
  longest: 120_000,
  ramp: [0.1, 0.25, 0.5],
  step: 5000
}
/** The share of a cool-down that is drawn, so that many do not come back at once. @category bounds @since 0.1.0 */
export const jitter = 0.25
/** Calls that are enough for a rate while it recovers. @category bounds @since 0.1.0 */
export const minimumOfRamp = 5

/** Nothing is known yet. @category constructors @since 0.1.0 */
export const closed: Breaker = { _tag: "Closed", era: 0, seen: nothing(0) }

/**
 * What an ending says of its target: that it is down, that it is there, or nothing, since nothing was sent to it.
 *
 * @category decisions
 * @since 0.1.0
 */
export const saidBy = (ended: Ended): "down" | "there" | "nothing" => {
  // who asks to be called less is there
  if (ended._tag === "Answered") return ended.status >= 500 && !isTooMany(ended) ? "down" : "there"
  const { failure } = ended
  switch (failure._tag) {
    case "ConnectionFailed":
      return failure.kind === "shortage" ? "nothing" : "down"
    case "TlsError":
    case "AttemptTimedOut":
    case "InvalidResponse":
    case "InvalidEncoding":
    case "TooManyInterim":
      return "down"
    case "HeadersTooLarge":
    case "UnsupportedEncoding":
    case "ResponseTooLarge":
      return "there"
    default:
      return "nothing"
  }
}

/**
 * Tells a call whether it may go. Asking moves it: a cool-down that is over lets a probe go, and a ramp takes its steps.
 *
 * @category decisions
 * @since 0.1.0
 */
export const ask = (given: Breaker, settings: Settings, now: number): readonly [Breaker, Answer] => {
  const self = at(given, settings, now)
  switch (self._tag) {
    case "Closed":
      return [self, { _tag: "Go", era: self.era }]
    case "Isolated":
      return [self, { _tag: "Wait", until: Number.POSITIVE_INFINITY }]
    case "Open":
      return [self, { _tag: "Wait", until: self.until }]
    case "HalfOpen":
      return self.isProbed
        ? [self, { _tag: "Wait", until: now + settings.step }]
        : [
            { ...self, isProbed: true },
            { _tag: "Go", era: self.era }
          ]
    case "Ramping": {
      const credit = Math.min(1, self.credit + self.share)
      return credit < 1 - slack
        ? [
            { ...self, credit },
            { _tag: "Wait", until: now + settings.step / 10 }
          ]
        : [
            { ...self, credit: 0 },
            { _tag: "Go", era: self.era }
          ]
    }
  }
}

/**
 * The state at a moment, without anybody asking: an open one whose cool-down is over is half open, and a ramp that has taken
 * its last step is closed.
 *
 * @category transitions
 * @since 0.1.0
 */
export const at = (self: Breaker, settings: Settings, now: number): Breaker => {
  if (self._tag === "Open" && now >= self.until) {
    const { era, times, until, why } = self
    return { _tag: "HalfOpen", era: era + 1, since: until, times, why, isProbed: false }
  }
  if (self._tag !== "Ramping") return self
  const share = settings.ramp[Math.floor(Math.max(0, now - self.since) / settings.step)]
  return share === undefined ? shut(self, now) : share === self.share ? self : { ...self, share }
}

/**
 * The share of its calls that a target gets at a moment.
 *
 * @category decisions
 * @since 0.1.0
 */
export const share = (given: Breaker, settings: Settings, now: number): number => {
  const self = at(given, settings, now)
  return self._tag === "Closed" ? 1 : self._tag === "Ramping" ? self.share : 0
}

/**
 * A call of an era has ended.
 *
 * @category transitions
 * @since 0.1.0
 */
export const ended = (
  given: Breaker,
  settings: Settings,
  { era, isDown, ...drawn }: Drawn & { readonly era: number; readonly isDown: boolean }
): Breaker => {
  const self = at(given, settings, drawn.now)
  if (self.era !== era) return self
  switch (self._tag) {
    case "HalfOpen": {
      if (isDown) return opened(self, settings, { ...drawn, why: self.why })
      const { times, why } = self
      const ramping = { era: era + 1, since: drawn.now, times, why, seen: nothing(drawn.now), share: 0, credit: 0 }
      return at({ _tag: "Ramping", ...ramping }, settings, drawn.now)
    }
    case "Closed":
    case "Ramping": {
      const seen = observe(self.seen, settings, isDown, drawn.now)
      const calls = seen.calls + seen.callsBefore
      const failures = seen.failures + seen.failuresBefore
      const least = self._tag === "Closed" ? settings.minimum : Math.min(minimumOfRamp, settings.minimum)
      if (!isDown || calls < least || failures < calls * settings.failureRate) return { ...self, seen }
      return opened(self, settings, { ...drawn, why: `${failures} of ${calls} calls failed` })
    }
    default:
      return self
  }
}

/** A call of an era has not been made after all, or says nothing. @category transitions @since 0.1.0 */
export const givenBack = (self: Breaker, era: number): Breaker =>
  self._tag === "HalfOpen" && self.era === era ? { ...self, isProbed: false } : self

/** Opens it, as too many failures do; an open one begins anew. @category transitions @since 0.1.0 */
export const opened = (
  self: Breaker,
  settings: Settings,
  { draw, now, why }: Drawn & { readonly why: string }
): Opened => {
  const times = "times" in self ? self.times + 1 : 1
  const length = Math.min(settings.longest, settings.coolDown * 2 ** Math.min(times - 1, 60))
  const until = now + Math.ceil(length * (1 - jitter * draw))
  return { _tag: "Open", era: self.era + 1, since: now, times, why, until }
}

/** Closes it, whatever it was. @category transitions @since 0.1.0 */
export const shut = ({ era }: Breaker, now: number): Breaker => ({ _tag: "Closed", era: era + 1, seen: nothing(now) })

/** Keeps all calls away until it is closed by hand. @category transitions @since 0.1.0 */
export const isolated = ({ era }: Breaker, now: number, why: string | undefined): Breaker => ({
  _tag: "Isolated",
  era: era + 1,
  since: now,
  why
})

/** The states that each state may become. @category tables @since 0.1.0 */
export const edges: { readonly [From in Breaker["_tag"]]: ReadonlyArray<Breaker["_tag"]> } = {
  Closed: ["Open", "Isolated"],
  Open: ["HalfOpen", "Closed", "Isolated"],
  HalfOpen: ["Open", "Ramping", "Closed", "Isolated"],
  Ramping: ["Open", "Closed", "Isolated"],
  Isolated: ["Open", "Closed"]
}

function nothing(from: number): Seen {
  return { from, calls: 0, failures: 0, callsBefore: 0, failuresBefore: 0 }
}

const observe = (given: Seen, { window }: Settings, isDown: boolean, now: number): Seen => {
  const seen = turned(given, window / 2, now)
  return { ...seen, calls: seen.calls + 1, failures: seen.failures + (isDown ? 1 : 0) }
}

const turned = (self: Seen, half: number, now: number): Seen => {
  const passed = now - self.from
  if (passed < half) return self
  if (passed >= 2 * half) return nothing(now)
  return { ...nothing(self.from + half), callsBefore: self.calls, failuresBefore: self.failures }
}

const slack = 1e-9

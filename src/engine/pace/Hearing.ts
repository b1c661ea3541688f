/**
 * What a finder hears of an answer: quotas, policies and refusals, whatever headers told them.
 */
import * as Duration from "effect/Duration"
import type { Policy, Reset, Said, ToldQuota } from "./Said.ts"
import * as RateLimitHeaders from "../RateLimitHeaders.ts"
import type * as Refusal from "../Refusal.ts"
import * as Moment from "../Moment.ts"

/** Epoch milliseconds, ours and the upstream's. */
interface Clock {
  readonly now: number
  readonly theirs: number | undefined
}

/**
 * What an answer says of the pace; `undefined` where it says nothing of it: a 503 may be a hiccup, and a quota that is
 * used up for good may be that of one account.
 */
export const heard = (
  { kind, quotas, wait }: Refusal.Said,
  headers: Readonly<Record<string, string>>,
  nowMillis: number
): Said | undefined => {
  if (kind === "Unavailable" || kind === "UsedUp") return undefined
  const isAccepted = kind === "Taken"
  const told = quotas ?? RateLimitHeaders.quotas(headers, nowMillis)
  const said: Said = isAccepted || wait === undefined ? { isAccepted } : { isAccepted, wait }
  if (told.length === 0) return said
  const clock = { now: nowMillis, theirs: Moment.epochIn(headers["date"] ?? "") }
  return {
    ...said,
    quotas: told.flatMap((quota) => quotaOf(quota, clock)).map((quota) => (isAccepted ? waited(quota, wait) : quota)),
    policies: told.flatMap(policyOf)
  }
}

/** A success with nothing left that says no more than when to come again. */
const waited = (quota: ToldQuota, wait: number | undefined): ToldQuota =>
  wait === undefined || quota.remaining > 0 || quota.reset !== undefined
    ? quota
    : { ...quota, reset: { by: "delta", millis: wait, unit: 1 } }

const quotaOf = (
  { limit, name = "", remaining, resetMillis, resetText, window }: RateLimitHeaders.Quota,
  clock: Clock
): ReadonlyArray<ToldQuota> => {
  if (remaining === undefined) return []
  const reset = resetMillis === undefined ? undefined : resetOf(resetMillis, resetText ?? "", clock)
  return [
    {
      name,
      limit,
      remaining,
      ...(reset === undefined ? {} : { reset }),
      ...(window === undefined ? {} : { window: Duration.toMillis(window) })
    }
  ]
}

/** A policy counts where nobody says what is left of it. */
const policyOf = ({ limit, remaining, resetMillis, window }: RateLimitHeaders.Quota): ReadonlyArray<Policy> =>
  remaining !== undefined || resetMillis !== undefined || limit === undefined || window === undefined
    ? []
    : [{ limit, window: Duration.toMillis(window) }]

/** A moment by the upstream's clock is read against the upstream's own time, where that is told. */
const resetOf = (millis: number, text: string, { now, theirs }: Clock): Reset => {
  const at = Moment.epochIn(text)
  if (at === undefined) return { by: "delta", millis: believed(millis), unit: /\.\d|ms\s*$/.test(text) ? 1 : 1000 }
  return theirs === undefined
    ? { by: "clock", millis: believed(at - now) }
    : { by: "dated", millis: believed(at - theirs) }
}

/** No wait is believed that is longer than a day. */
const believed = (millis: number): number => Math.min(millis, Duration.toMillis(Moment.cap))

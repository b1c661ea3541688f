/**
 * What an answer says about calling again: the one reader for calls made here and for lanes.
 *
 * A header alone says little. Some limiters send `Retry-After` with every success, others say "too many" with 403, and
 * the status 503 may mean a limit or a deploy. What counts is whether the call was refused, so that is settled first.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { RateLimit } from "./RateLimitHeaders.ts"
import * as RateLimitHeaders from "./RateLimitHeaders.ts"
import * as RetryAfter from "./RetryAfter.ts"

/**
 * What is known of how an upstream refuses, beside what every upstream does.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rules {
  /** Statuses with which it says "too many", beside 429. Defaults to none. */
  readonly refusals?: ReadonlyArray<number> | undefined
  /** Texts that say, in the body of an answer of 400 or more, that a quota is used up. Defaults to none. */
  readonly usedUp?: ReadonlyArray<string> | undefined
  /** Reads its answers, the 2xx among them too; the two above go before. Defaults to what every upstream does. */
  readonly read?: ((answer: Answer, nowMillis: number) => Said) | undefined
}

/**
 * What an answer says.
 *
 * **Details** — `Taken`: the call was not refused, whatever became of it. `Unavailable`: a 503, which may be a refusal.
 * `TooMany`: refused, and worth repeating later. `UsedUp`: refused, and waiting will not help.
 *
 * @category models
 * @since 0.1.0
 */
export interface Said {
  readonly kind: "Taken" | "Unavailable" | "TooMany" | "UsedUp"
  /** Milliseconds until the next call may be made, where it says so. */
  readonly wait: number | undefined
  /** Where that was read. */
  readonly by: "retry_after" | "rate_limit" | undefined
  readonly limit: RateLimit | undefined
  /** All quotas it tells of, where they stand elsewhere than in the common headers. */
  readonly quotas?: ReadonlyArray<RateLimitHeaders.Quota> | undefined
  /** Whether nothing is left of the quota. */
  readonly isExhausted: boolean
  /** Of a refusal that holds more than its own lane: all lanes of its credential, or all of its host. */
  readonly wider?: "credential" | "host" | undefined
}

/**
 * An answer, as far as it is read here.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
}

/**
 * Reads an answer.
 *
 * **Details** — refused is a 429, a status that the rules name, and a 403 that announces a wait or an exhausted quota.
 * `Retry-After` is believed of a refusal and of a 503; of any other answer only where nothing is left and no reset is
 * told. The reset is believed where nothing is left, or where a refusal tells nothing else. `x-should-retry: false` on a
 * refusal, or a text of the rules, says that the quota is used up.
 * **Gotchas** — names are expected in lower case.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (answer: Answer, nowMillis: number, rules: Rules = noRules): Said =>
  rules.read === undefined || isNamed(answer, rules)
    ? readPlainly(answer, nowMillis, rules)
    : rules.read(answer, nowMillis)

/** Whether the rules themselves say what an answer is. */
const isNamed = (answer: Answer, rules: Rules): boolean =>
  rules.refusals?.includes(answer.status) === true || hasSign(answer, rules)

const readPlainly = (answer: Answer, nowMillis: number, rules: Rules): Said => {
  const { headers, status } = answer
  const limit = RateLimitHeaders.parse(headers, nowMillis)
  const isExhausted = limit?.remaining === 0
  const retryAfter = RetryAfter.parse(headers, nowMillis)
  const isRefused =
    status === 429 ||
    rules.refusals?.includes(status) === true ||
    (status === 403 && (retryAfter !== undefined || isExhausted))
  if (isUsedUp(answer, isRefused, rules)) return { kind: "UsedUp", wait: undefined, by: undefined, limit, isExhausted }
  const counts = isRefused || status === 503
  const reset = isExhausted || (counts && limit?.remaining === undefined) ? limit?.resetAfter : undefined
  const wait = counts ? (retryAfter ?? reset) : (reset ?? (isExhausted ? retryAfter : undefined))
  return {
    kind: isRefused ? "TooMany" : status === 503 ? "Unavailable" : "Taken",
    wait: wait && Duration.toMillis(wait),
    by: wait === undefined ? undefined : wait === reset ? "rate_limit" : "retry_after",
    limit,
    isExhausted
  }
}

/**
 * Our own wait in milliseconds after the n-th refusal in a row, counted from 0: a second, doubling up to a minute.
 *
 * @category decisions
 * @since 0.1.0
 */
export const backOff = (inARow: number): number => Math.min(60_000, 1000 * 2 ** inARow)

const isUsedUp = (answer: Answer, isRefused: boolean, rules: Rules): boolean =>
  (isRefused && answer.headers["x-should-retry"]?.trim().toLowerCase() === "false") || hasSign(answer, rules)

const hasSign = ({ body, status }: Answer, { usedUp = [] }: Rules): boolean => {
  if (status < 400 || body === undefined || usedUp.length === 0) return false
  const text = decoder.decode(body)
  return usedUp.some((sign) => text.includes(sign))
}

const noRules: Rules = {}

const decoder = new TextDecoder()

/** The words in which an upstream tells of its limit, as they come out of the headers of its answers. */
import type { Reset, Said, ToldQuota } from "../../../../src/engine/pace/Said.ts"
import type { Upstream } from "./Upstream.ts"

export const dialects = [
  "bare",
  "retry-after",
  "retry-after, rounded down",
  "retry-after, always 1 s",
  "retry-after, always 60 s",
  "delta",
  "delta, rounded down",
  "epoch with date",
  "epoch, clock 2 s off",
  "policy",
  "remaining"
] as const

export type Dialect = (typeof dialects)[number]

/** Dialects that tell of calls per time, which some limits are not. */
export const tellsOfCalls = (dialect: Dialect): boolean => !dialect.startsWith("bare") && !dialect.startsWith("retry")

const second = 1000

/** What an answer given at `at` says when it is read; `skew` is by how many seconds the upstream's clock is off. */
export const speak = (
  dialect: Dialect,
  upstream: Upstream,
  {
    at,
    cost,
    isOk,
    skew
  }: { readonly at: number; readonly isOk: boolean; readonly skew: number; readonly cost: number }
): ((readAt: number) => Said) => {
  const said: Said = { isAccepted: isOk }
  const up = (millis: number) => Math.ceil(millis / second) * second
  const down = (millis: number) => Math.floor(millis / second) * second
  const refused = (wait: number) => () => (isOk ? said : { ...said, wait })
  switch (dialect) {
    case "bare":
      return () => said
    case "retry-after":
      return refused(up(upstream.wait(at, cost)))
    case "retry-after, rounded down":
      return refused(down(upstream.wait(at, cost)))
    case "retry-after, always 1 s":
      return refused(second)
    case "retry-after, always 60 s":
      return refused(60 * second)
    case "policy":
      return () => (upstream.policy === undefined ? said : { ...said, policies: [upstream.policy] })
    case "remaining":
      return told(said, upstream, at, () => undefined)
    case "delta":
      return told({ ...said, ...waitOf(isOk, up(upstream.wait(at, cost))) }, upstream, at, (quota) => {
        const millis = up(quota.reset(at))
        return () => ({ by: "delta", millis })
      })
    case "delta, rounded down":
      return told({ ...said, ...waitOf(isOk, down(upstream.wait(at, cost))) }, upstream, at, (quota) => {
        const millis = down(quota.reset(at))
        return () => ({ by: "delta", millis })
      })
    case "epoch with date":
      return told({ ...said, ...waitOf(isOk, up(upstream.wait(at, cost))) }, upstream, at, (quota) => {
        const millis = down(at + quota.reset(at) + skew * second) - down(at + skew * second)
        return () => ({ by: "dated", millis })
      })
    case "epoch, clock 2 s off":
      return told(said, upstream, at, (quota) => {
        const moment = down(at + quota.reset(at) + skew * second)
        return (readAt) => ({ by: "clock", millis: moment - readAt })
      })
  }
}

const waitOf = (isOk: boolean, wait: number): Pick<Said, "wait"> => (isOk ? {} : { wait })

const told = (
  said: Said,
  upstream: Upstream,
  at: number,
  resetOf: (quota: Upstream) => ((readAt: number) => Reset) | undefined
): ((readAt: number) => Said) => {
  const quotas = (upstream.quotas ?? [{ ...upstream, name: "", left: upstream.left, reset: upstream.reset }]).map(
    (quota) => {
      const base: ToldQuota = { name: quota.name, limit: quota.limit, remaining: quota.left(at) }
      return { base, reset: resetOf(quota) }
    }
  )
  return (readAt) => ({
    ...said,
    quotas: quotas.map(({ base, reset }) => (reset === undefined ? base : { ...base, reset: reset(readAt) }))
  })
}

/**
 * What a finder takes from the words of an answer: quotas and policies, for as long as they are told.
 */
import { mostOf, type Call, type Finder } from "./FinderModel.ts"
import * as Quota from "./Quota.ts"
import * as Said from "./Said.ts"
import * as Search from "./Search.ts"

/** The share of a told policy that is used. */
const policyShare = 0.98

/** Words that never say more than this say nothing: the limit is finer than they are. */
const coarse = 1000

/** So many quotas are kept of one upstream; the names are its own. */
const mostQuotas = 16

/** Calls in flight once a policy is known. */
const policyCap = 4

/** Takes in what the answer tells of policies and quotas. */
export const hear = (before: Finder, call: Call, said: Said.Said, now: number): Finder => {
  const { policies = [], quotas: told = [] } = said
  let self = before
  if (policies.length > 0) self = obey(self, policies, call.at)
  else if (said.isAccepted && call.at - self.policyAt > Quota.believedFor) self = disobey(self)
  for (const quota of told) self = hearQuota(self, call, { said, told: quota, now })
  const isLeft = (quota: Quota.Quota) =>
    !said.isAccepted || !Quota.isForgotten(quota, call.at) || told.some(({ name }) => name === quota.name)
  return self.quotas.every(isLeft) ? self : { ...self, quotas: self.quotas.filter(isLeft) }
}

const obey = (self: Finder, policies: ReadonlyArray<Said.Policy>, policyAt: number): Finder => {
  let policy = Number.POSITIVE_INFINITY
  for (const { limit, window } of policies) policy = Math.min(policy, (policyShare * limit * 1000) / window)
  if (!(policy > 0)) return self
  if (policy === self.policy) return { ...self, policyAt }
  const { ceiling, isKnown, levels, search } = self
  const next = { ...self, policy, policyAt }
  // what a policy alone has slowed down goes as fast as the next one allows
  const isSlowed = isKnown && search.rate >= Math.min(ceiling.rps, self.policy)
  const most = mostOf(next)
  if (!search.isStarting) {
    return { ...next, search: isSlowed ? Search.settle(search, most) : Search.clamp(search, most) }
  }
  return {
    ...next,
    search: Search.settle(search, most),
    levels: { ...levels, cap: Math.min(levels.top, Math.max(levels.cap, policyCap)) }
  }
}

/** Nobody tells of a policy any more. */
const disobey = (self: Finder): Finder => {
  if (self.policy === Number.POSITIVE_INFINITY) return self
  const { ceiling, isKnown, policy, search } = self
  const isSlowed = isKnown && search.rate >= Math.min(ceiling.rps, policy)
  return {
    ...self,
    policy: Number.POSITIVE_INFINITY,
    search: isSlowed ? Search.settle(search, ceiling.rps) : search
  }
}

const hearQuota = (
  before: Finder,
  call: Call,
  { now, said, told }: { readonly said: Said.Said; readonly told: Said.ToldQuota; readonly now: number }
): Finder => {
  const ends = told.reset === undefined ? undefined : Said.endsOf(told.reset, call.at, now)
  const longestTold = Math.max(before.longestTold, ends?.told ?? Number.POSITIVE_INFINITY)
  const known = before.quotas.find(({ name }) => name === told.name)
  if (longestTold <= coarse || (known !== undefined && call.seq < known.seq)) return { ...before, longestTold }
  const quota = Quota.hear(known, { told, call, ends, isAccepted: said.isAccepted, now })
  const quotas =
    known === undefined
      ? [...before.quotas.slice(1 - mostQuotas), quota]
      : before.quotas.map((one) => (one === known ? quota : one))
  return { ...before, longestTold, quotas, ...lifted(before, ends !== undefined) }
}

/** A told end makes the search needless: only a refusal with calls left shows a limit that is not told. */
const lifted = ({ ceiling, levels, search }: Finder, isToldEnd: boolean) =>
  search.isStarting && isToldEnd
    ? { search: Search.settle(search, ceiling.rps), levels: { ...levels, cap: levels.top } }
    : {}

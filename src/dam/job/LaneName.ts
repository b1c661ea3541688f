/**
 * Where a call waits for its turn: a lane of its host, its account there, and the queue of that account.
 *
 * A host has one lane, `host:port`, unless a rule tells its calls apart: then it has one for each key, `host:port#key`. The
 * host's name means all of them.
 *
 * @since 0.1.0
 */
import { hash } from "node:crypto"
import { hostOf } from "../../engine/HostName.ts"
import type { Draw, Priority } from "../../step/StepModel.ts"
import type { NewJob } from "./Job.ts"

/**
 * Names the lane of a URL: host in normal form and effective port, such as `api.example.com:443`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const laneOf = (url: string): string => {
  const known = hosts.get(url)
  if (known !== undefined) return known
  const host = hostOf(new URL(url))
  if (url.length > longestKept) return host
  if (hosts.size >= mostKept) hosts.clear()
  hosts.set(url, host)
  return host
}

/** Hosts of URLs that were asked for lately: on its way a job asks several times. */
const hosts = new Map<string, string>()
const mostKept = 1000
const longestKept = 500

/**
 * Names a lane of a host by its key; without one the host's own.
 *
 * @category accessors
 * @since 0.1.0
 */
export const keyedLane = (host: string, key: string): string => (key === "" ? host : `${host}${keySign}${key}`)

/**
 * Names the host of a lane, which is the lane itself where it has no key.
 *
 * @category accessors
 * @since 0.1.0
 */
export const hostIn = (lane: string): string => {
  const at = lane.indexOf(keySign)
  return at < 0 ? lane : lane.slice(0, at)
}

/**
 * The key of a lane, empty where it is the host's own.
 *
 * @category accessors
 * @since 0.1.0
 */
export const keyIn = (lane: string): string => {
  const at = lane.indexOf(keySign)
  return at < 0 ? "" : lane.slice(at + 1)
}

/**
 * Whether a name means a lane: its own, and that of its host.
 *
 * @category guards
 * @since 0.1.0
 */
export const means = (name: string, lane: string): boolean => name === lane || name === hostIn(lane)

/**
 * Between which names the lanes of a host stand that have keys: behind the first, before the second.
 *
 * @category accessors
 * @since 0.1.0
 */
export const keyedRange = (host: string): readonly [behind: string, before: string] => [
  `${host}${keySign}`,
  `${host}${afterKeySign}`
]

const keySign = "#"
const afterKeySign = "$"

/** No key is longer, and none has a sign that a URL would have to hide. */
const KEY = /^[\w.~-]{1,120}$/

/**
 * Names the lane of a receiver of webhooks: `webhook@` and the lane of its host. What results are told at and what jobs
 * call are paced apart, also where both stand on one host.
 *
 * @category accessors
 * @since 0.1.0
 */
export const receiverLane = (lane: string): string => `${receiverSign}${lane}`

/**
 * Whether a lane is a receiver's.
 *
 * @category guards
 * @since 0.1.0
 */
export const isReceiverLane = (lane: string): boolean => lane.startsWith(receiverSign)

// no name of a host has such a sign
const receiverSign = "webhook@"

/**
 * Names the lane of `api.example.com` (https), `localhost:3000` or `http://localhost`, with a `#key` behind it or not, and
 * with `webhook@` before it that of a receiver there; `undefined` when it is none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const canonicalLane = (name: string): string | undefined => {
  const at = name.indexOf(keySign)
  if (at < 0) return canonicalHost(name)
  const key = name.slice(at + 1)
  const host = canonicalHost(name.slice(0, at))
  return host === undefined || isReceiverLane(host) || !KEY.test(key) ? undefined : keyedLane(host, key)
}

const canonicalHost = (host: string): string | undefined => {
  if (isReceiverLane(host)) {
    const lane = canonicalHost(host.slice(receiverSign.length))
    return lane === undefined ? undefined : receiverLane(lane)
  }
  const url = URL.parse(host.includes("://") ? host : `https://${host}`)
  const isOrigin =
    url !== null &&
    (url.protocol === "https:" || url.protocol === "http:") &&
    url.hostname !== "" &&
    url.pathname + url.search + url.hash + url.username + url.password === "/"
  return isOrigin ? laneOf(url.href) : undefined
}

/**
 * Names the account whose turn a call takes: a hash of who submitted it and the credential it carries, behind one of the
 * customer, whose accounts share the customer's turn.
 *
 * **Details** — `scope` is the customer, with its `user_id` in the flat dialect (see `scopeOf`). The credential is the
 * first of `Authorization`, `x-api-key` and `api-key` among the call's own headers.
 *
 * @category accessors
 * @since 0.1.0
 */
export const accountOf = (scope: string, headers: Readonly<Record<string, string>>): string => {
  const credential = credentialIn(headers)
  if (credential !== "") return accountBy(scope, credential)
  // most calls carry none: their account is the scope's
  const known = bare.get(scope)
  if (known !== undefined) return known
  const account = accountBy(scope, credential)
  if (bare.size >= mostBare) bare.clear()
  bare.set(scope, account)
  return account
}

/** Accounts of calls without a credential, by scope: a memory of what is computed, and no more. */
const bare = new Map<string, string>()
const mostBare = 10_000

const accountBy = (scope: string, credential: string): string =>
  `${customerOf(scope)}${hash("sha256", `${scope.length}:${scope}${credential}`, "hex").slice(customerLength, 32)}`

/**
 * Names the customer of an account, as far as turns need it.
 *
 * @category accessors
 * @since 0.1.0
 */
export const customerIn = (account: string): string => account.slice(0, customerLength)

const customerLength = 8

/** FNV-1a: a customer is no secret, and this is on the way of every submission. */
const customerOf = (scope: string): string => {
  let sum = 0x811c9dc5
  for (let n = 0; n < scope.length; n++) {
    const unit = scope.charCodeAt(n)
    // a user of the customer stands behind it, in the next line
    if (unit === 10) break
    sum = Math.imul(sum ^ unit, 0x01000193)
  }
  return (sum >>> 0).toString(16).padStart(customerLength, "0")
}

/**
 * Names the queue of a job: its account's, or the one beside it for jobs that asked for isolation; for each set of limits
 * one of its own, so that a job which waits for a limit keeps none waiting that does not draw on it; and for each priority.
 *
 * @category accessors
 * @since 0.1.0
 */
export const queueOf = (
  { account, isolated }: Pick<NewJob, "account" | "isolated">,
  draws: ReadonlyArray<Draw> = [],
  priority: Priority = "normal"
): string => {
  const own = isolated ? `${account}${beside}` : account
  const queue = draws.length === 0 ? own : `${own}${drawing}${drawnBy(draws)}`
  return priority === "normal" ? queue : `${queue}${classes[priority]}`
}

/** The queue in which a job of this one waits that goes over to another account, or another priority. */
export const requeued = (queue: string, account: string, priority: Priority = "normal"): string => {
  const usual = priorityIn(queue) === "normal" ? queue : queue.slice(0, -classes.low.length)
  const moved = `${account}${usual.slice(accountIn(usual).length)}`
  return priority === "normal" ? moved : `${moved}${classes[priority]}`
}

/** The priority of the jobs of a queue. */
export const priorityIn = (queue: string): Priority =>
  queue.endsWith(classes.high) ? "high" : queue.endsWith(classes.low) ? "low" : "normal"

/** How often a class that waits is passed over before it goes first; see `lane/Classes`. The highest never is. */
export const patience = { high: 0, normal: 4, low: 16 } as const

/** The same for the jobs of a queue. */
export const patienceIn = (queue: string): number => patience[priorityIn(queue)]

/** How the names of queues end that are not of the usual priority. */
export const classes = { high: "!h", low: "!l" } as const

/** What a job costs says nothing of where it waits. */
const drawnBy = (draws: ReadonlyArray<Draw>): string =>
  hash("sha256", draws.map(({ key, name }) => `${name}\n${key}`).join("\n\n"), "hex").slice(0, 12)

/** Names the account of a queue. */
export const accountIn = (queue: string): string => {
  const end = queue.search(SIGN)
  return end < 0 ? queue : queue.slice(0, end)
}

/** Whether its jobs draw on limits. */
export const isDrawing = (queue: string): boolean => queue.includes(drawing)

// accounts are named by hashes, which have no such signs
const beside = "+"
const drawing = "~"
const SIGN = /[+~!]/

/**
 * Headers of a call that say as whom it is made, the first that is there.
 *
 * @category constants
 * @since 0.1.0
 */
export const credentialHeaders: ReadonlyArray<string> = ["authorization", "x-api-key", "api-key"]

const credentialIn = (headers: Readonly<Record<string, string>>): string => {
  let best = credentialHeaders.length
  let found = ""
  for (const name in headers) {
    const rank = credentialHeaders.indexOf(name.toLowerCase())
    if (rank >= 0 && rank < best) {
      best = rank
      found = `${credentialHeaders[rank]}:${headers[name]}`
    }
  }
  return found
}

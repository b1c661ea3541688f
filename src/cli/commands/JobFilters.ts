/** Which jobs a command is about: flags that several commands take, and the query that they become. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { deliveryStates, states } from "../../engine/JobState.ts"
import { type Problem, problem } from "../output/Problem.ts"
import type { Query } from "../service/Query.ts"
import * as Flags from "./Flags.ts"
import { laneOf } from "./Jobs.ts"

/** Every command that is about some jobs takes these. */
export const flags = {
  q: Flags.text(
    "q",
    "TEXT",
    "Only jobs that this finds: the beginning of an id, a host with or without a path, name=value, text of URL or error"
  ).pipe(Flag.optional),
  status: Flag.Literals("status", states).pipe(
    Flag.withDescription("Only jobs in this state; may be repeated"),
    Flag.atLeast(0)
  ),
  webhooks: Flag.Literals("webhooks", deliveryStates).pipe(
    Flag.withDescription("Only jobs whose webhooks are in this state; may be repeated"),
    Flag.atLeast(0)
  ),
  host: Flags.text("host", "HOST", "Only jobs for this host: a name, name:port, or a URL").pipe(Flag.optional),
  account: Flags.text("account", "ACCOUNT", "Only jobs of this account").pipe(Flag.optional),
  parent: Flags.text("parent", "JOB-ID", "Only jobs that this one started").pipe(Flag.optional),
  rerunOf: Flags.text("rerun-of", "JOB-ID", "Only jobs that run this one again").pipe(Flag.optional),
  order: Flags.text("order", "KEY", "Only jobs that stand in this order").pipe(Flag.optional),
  priority: Flag.Literals("priority", ["high", "normal", "low"]).pipe(
    Flag.withDescription("Only jobs of this priority"),
    Flag.optional
  ),
  batch: Flags.text("batch", "BATCH-ID", "Only jobs of this batch").pipe(Flag.optional),
  metadata: Flags.text("metadata", "NAME=VALUE", "Only jobs with this metadata; may be repeated").pipe(Flag.atLeast(0)),
  ...Flags.window("Only jobs created")
}

/** The order of a list. */
export const oldest = Flag.Boolean("oldest").pipe(Flag.withDescription("The oldest first"), Flag.withDefault(false))

export interface Given extends Flags.Window {
  readonly q: Option.Option<string>
  readonly status: ReadonlyArray<string>
  readonly webhooks: ReadonlyArray<string>
  readonly host: Option.Option<string>
  readonly account: Option.Option<string>
  readonly parent: Option.Option<string>
  readonly rerunOf: Option.Option<string>
  readonly order: Option.Option<string>
  readonly priority: Option.Option<string>
  readonly batch: Option.Option<string>
  readonly metadata: ReadonlyArray<string>
}

/** Whether anything restricts. */
export const isAny = (given: Given): boolean => {
  const { account, batch, host, metadata, order, parent, priority, q, rerunOf, since, status, until, webhooks } = given
  return (
    [q, host, account, parent, rerunOf, batch, order, priority].some(Option.isSome) ||
    Option.isSome(since) ||
    Option.isSome(until) ||
    [...status, ...webhooks, ...metadata].length > 0
  )
}

/** The query of `GET /api/v1/jobs`. */
export const queryOf = Effect.fnUntraced(function* (given: Given): Effect.fn.Return<Query, Problem> {
  const pairs: Array<string> = []
  for (const pair of given.metadata) {
    const at = pair.indexOf("=")
    if (at < 1) {
      return yield* Effect.fail(
        problem("usage", `--metadata ${pair}: there is no "=" after a name`, { next: "write it like order=7" })
      )
    }
    pairs.push(`${pair.slice(0, at)}:${pair.slice(at + 1)}`)
  }
  const { since, until } = yield* Flags.settleWindow(given)
  return {
    q: Option.getOrUndefined(given.q),
    status: given.status,
    delivery_status: given.webhooks,
    lane: Option.isNone(given.host) ? undefined : yield* laneOf(given.host.value),
    account: Option.getOrUndefined(given.account),
    parent: Option.getOrUndefined(given.parent),
    rerun_of: Option.getOrUndefined(given.rerunOf),
    order: Option.getOrUndefined(given.order),
    priority: Option.getOrUndefined(given.priority),
    batch: Option.getOrUndefined(given.batch),
    metadata: pairs,
    created_from: since,
    created_to: until
  }
})

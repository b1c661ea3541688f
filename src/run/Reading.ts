/** What an attempt comes to: how an answer is read, and what it says of the call. */
import * as Duration from "effect/Duration"
import type { Ended } from "../engine/Decide.ts"
import { isGood } from "../engine/Decide.ts"
import * as Refusal from "../engine/Refusal.ts"
import * as RetryAfter from "../engine/RetryAfter.ts"
import type { Ending } from "../step/HistoryModel.ts"
import type { StepReason } from "../step/Outcome.ts"
import { QuotaUsedUp, Rejected } from "../step/Outcome.ts"
import type { Response } from "../step/ReplyModel.ts"

/** Reads what a target's answer means for the history. */
export const readResponse =
  (rules: Refusal.Rules | undefined) =>
  (response: Response, nowMillis: number): { readonly ending: Ended; readonly response: Response } => {
    const { status } = response
    // most 2xx are what they say they are
    if (isGood(status) && rules?.read === undefined)
      return { ending: { _tag: "Answered", status, retryAfter: undefined }, response }
    const said = Refusal.read(response, nowMillis, rules)
    if (isGood(status) && said.kind === "Taken")
      return { ending: { _tag: "Answered", status, retryAfter: undefined }, response }
    const wait = said.wait ?? ownWait(said, response, nowMillis)
    const ending: Ended = { _tag: "Answered", status, retryAfter: wait }
    if (said.kind === "UsedUp") return { ending: { ...ending, says: "used_up" }, response }
    const isPlain = said.kind !== "TooMany" || status === 429
    return { ending: isPlain ? ending : { ...ending, says: "too_many" }, response }
  }

/** An answer that is no refusal asks nobody to stay away, but this one call may come back when it says. */
const ownWait = ({ kind }: Refusal.Said, { headers }: Response, nowMillis: number): number | undefined => {
  const retryAfter = kind === "UsedUp" ? undefined : RetryAfter.parse(headers, nowMillis)
  return retryAfter && Duration.toMillis(retryAfter)
}

/** Why a path ends with an answer that is no success. */
export const rejection = (
  { retryAfter, says, status }: Extract<Ending, { readonly _tag: "Answered" }>,
  region: string | undefined,
  response: Response
): StepReason =>
  says === "used_up"
    ? new QuotaUsedUp({ status, region, response })
    : new Rejected({ status, region, retryAfter, ...(says === undefined ? {} : { tooMany: true }), response })

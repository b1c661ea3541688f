/** Flags that several commands take, each said once. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Moments from "../output/Moments.ts"

/** One that takes text; `metavar` is what the help writes in its place. */
export const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description))

/** How much of a list. */
export const limit = Flag.Int("limit").pipe(
  Flag.filter(
    (limit) => limit > 0,
    () => "a limit is at least 1"
  ),
  Flag.withMetavar("N"),
  Flag.withDescription("How many at most (50)"),
  Flag.withDefault(50)
)

/** How many a second. */
export const rps = (description: string) =>
  Flag.Finite("rps").pipe(
    Flag.filter(
      (rps) => rps > 0,
      () => "a rate is above 0"
    ),
    Flag.withMetavar("N"),
    Flag.withDescription(description),
    Flag.optional
  )

/** How long to wait for the end of a job. */
export const timeout = (description: string) =>
  Moments.span("timeout", `${description} (5m)`).pipe(Flag.withDefault(300_000))

/** From when until when; `what` begins the sentence of each. */
export const window = (what: string) => ({
  since: Moments.flag("since", `${what} since then: an age (2h) or a date`),
  until: Moments.flag("until", `${what} before then: an age (7d) or a date`)
})

/** A window as it was given. */
export interface Window {
  readonly since: Option.Option<Moments.When>
  readonly until: Option.Option<Moments.When>
}

/** Epoch milliseconds of a window. */
export const settleWindow = ({ since, until }: Window) =>
  Effect.all({ since: Moments.resolve(since), until: Moments.resolve(until) })

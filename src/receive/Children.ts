/**
 * Children of a job that run here: kept back when the job is handed over, run when its webhook arrives.
 *
 * A FRUGAL child is a call that this program wants to make itself. It is taken out of the job and stored under a name;
 * the name travels in the job's metadata and comes back with its webhook. Stored before the job is handed over and found
 * by what the webhook itself says, it is not lost in a crash between the two, and a submission that is repeated, or that
 * turns out to be a duplicate of a job with its own children, starts nothing twice: what runs is what the job that ran
 * carried, either inside it or by name, never both.
 *
 * Where a fallback of the job has a chain of its own, all children travel: the webhook does not tell which path answered.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as JsonTextSchema from "../step/JsonTextSchema.ts"
import { takes } from "../step/Fills.ts"
import * as Step from "../step/Step.ts"
import { makeStep } from "../step/StepValue.ts"
import type { WebhookEvent } from "../wire/WebhookEvent.ts"

/** The key of a job's metadata that names its children. */
export const metadataKey = "ezthrottle_children"

export interface Kept {
  readonly name: string
  readonly text: string
}

/** The step as it is handed over, and what is kept of it, nested jobs included. */
export const keepBack = (
  step: Step.Step,
  url: string
): { readonly step: Step.Step; readonly kept: ReadonlyArray<Kept> } => {
  const isTold = step.fallbacks.every((fallback) => !hasChain(fallback.step))
  const [success, failure] = [split(step.onSuccess, url, isTold), split(step.onFailure, url, isTold)]
  const deeper = [...success.deeper, ...failure.deeper]
  if (success.kept === undefined && failure.kept === undefined) {
    return deeper.length === 0
      ? { step, kept: deeper }
      : { step: makeStep({ ...step, onSuccess: success.inside, onFailure: failure.inside }), kept: deeper }
  }
  const text = JSON.stringify({
    onSuccess: success.kept && Step.toJson(success.kept),
    onFailure: failure.kept && Step.toJson(failure.kept)
  })
  const name = Hex.encode(sha256(new TextEncoder().encode(text)))
  const rest = makeStep({
    ...step,
    metadata: { ...step.metadata, [metadataKey]: name },
    onSuccess: success.inside,
    onFailure: failure.inside
  })
  return { step: telling(rest, url), kept: [...deeper, { name, text }] }
}

/** The step with a webhook to a URL. It votes only where nobody else would. */
export const telling = (step: Step.Step, url: string): Step.Step =>
  step.webhooks.some((webhook) => webhook.url === url)
    ? step
    : makeStep({
        ...step,
        webhooks: [...step.webhooks, { url, regions: [], hasQuorumVote: step.webhooks.length === 0 }]
      })

/** The child that an event starts, with a key that stays the same however often the event comes. */
export const childOf = (
  event: WebhookEvent,
  text: string
): Effect.Effect<{ readonly relation: "onSuccess" | "onFailure"; readonly step: Step.Step } | undefined, string> =>
  Effect.gen(function* () {
    // a job that somebody cancelled has not failed
    if (event.status === "failed" && event.error === "cancelled") return undefined
    const relation = event.status === "success" ? "onSuccess" : "onFailure"
    const json = yield* Effect.mapError(readKept(text), () => "what was kept of the job cannot be read")
    if (json[relation] === undefined) return undefined
    const step = yield* Effect.mapError(Step.decode(json[relation]), ({ message }) => message)
    const key = `${event.jobId}:${relation === "onSuccess" ? "success" : "failure"}`
    return { relation, step: step.idempotency._tag === "Custom" ? step : Step.idempotentKey(step, key) }
  })

/** The name that an event brings back, and the event as it was before it was added. */
export const named = (event: WebhookEvent): { readonly name: string | undefined; readonly event: WebhookEvent } => {
  const { [metadataKey]: name, ...metadata } = event.metadata
  return typeof name === "string" ? { name, event: { ...event, metadata } } : { name: undefined, event }
}

const split = (child: Step.Step | undefined, url: string, isTold: boolean) => {
  if (child === undefined) return { inside: undefined, kept: undefined, deeper: [] }
  // what takes from an answer travels: it is filled where the answer is
  if (child.type === "FRUGAL" && !takes(child)) {
    return isTold ? { inside: undefined, kept: child, deeper: [] } : { inside: child, kept: undefined, deeper: [] }
  }
  const { kept, step } = keepBack(child, url)
  return { inside: step, kept: undefined, deeper: kept }
}

const hasChain = (step: Step.Step): boolean => step.onSuccess !== undefined || step.onFailure !== undefined

const decodeKept = Schema.decodeUnknownResult(
  JsonTextSchema.schema(
    Schema.Struct({ onSuccess: Schema.optionalKey(Schema.Json), onFailure: Schema.optionalKey(Schema.Json) })
  )
)

const readKept = (text: string) => Effect.fromResult(Result.mapError(decodeKept(text), () => "unreadable"))

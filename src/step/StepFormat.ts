/** A step in the words a person would use, one line per thing it says. Headers, query and body stay out of it. */
import * as Duration from "effect/Duration"
import { target } from "./Request.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import type { Hedge, Step, StepType, Trigger } from "./StepModel.ts"

/** Prints a step, chained steps indented below it. */
export const format = (self: Step): string => lines(self, "PERFORMANCE").join("\n")

const lines = (self: Step, type: StepType): ReadonlyArray<string> => [
  `${self.type ?? type} ${target(self.request)}${self.description === undefined ? "" : ` (${self.description})`}`,
  ...facts(self).map((fact) => `  ${fact}`),
  ...self.fallbacks.flatMap(({ step, trigger }) => child(`fallback ${when(trigger)}`, step, self.type ?? type)),
  ...(self.onSuccess === undefined ? [] : child("on success", self.onSuccess, "PERFORMANCE")),
  ...(self.onFailure === undefined ? [] : child("on failure", self.onFailure, "PERFORMANCE"))
]

const facts = (self: Step): ReadonlyArray<string> => {
  const said: Array<string> = []
  if (self.responseDescription !== undefined) said.push(`answers ${self.responseDescription}`)
  if (self.fallbackOnError !== undefined) said.push(`forwards on ${self.fallbackOnError.join(", ")}`)
  if (self.localTimeout !== undefined) said.push(`each local attempt ends after ${Duration.format(self.localTimeout)}`)
  if (self.attemptTimeout !== undefined) said.push(`each attempt ends after ${Duration.format(self.attemptTimeout)}`)
  if (self.timeoutHeader !== undefined) said.push(`tells the target its time in ${self.timeoutHeader}`)
  if (self.hedge !== undefined) said.push(hedged(self.hedge))
  if (self.retryPolicy !== undefined) said.push(RetryPolicy.format(self.retryPolicy))
  if (self.retryUnsafe !== undefined) {
    said.push(self.retryUnsafe ? "may be carried out twice" : "is never made again where it may have been carried out")
  }
  for (const { cost, key, name } of self.limits) said.push(`draws ${cost} on ${name}${key === "" ? "" : ` for ${key}`}`)
  for (const { from, into } of self.fills) said.push(`takes ${from} into ${into}`)
  if (self.regions.length > 0) said.push(`${self.executionMode} over ${self.regions.join(", ")} (${self.regionPolicy})`)
  if (self.webhooks.length > 0) {
    said.push(`tells ${self.webhooks.map(({ url }) => new URL(url).host).join(", ")}, quorum ${self.webhookQuorum}`)
  }
  if (self.idempotency._tag !== "Hash") {
    said.push(self.idempotency._tag === "Unique" ? "a key of its own per execution" : `key ${self.idempotency.key}`)
  }
  if (self.sendIdempotencyKey) said.push("sends its key to the target")
  if (self.retryAt !== undefined) said.push(`not before epoch millisecond ${self.retryAt}`)
  if (self.delay !== undefined) said.push(`starts ${Duration.format(self.delay)} later`)
  if (self.startBefore !== undefined) said.push(`expires unless started before epoch millisecond ${self.startBefore}`)
  if (self.priority) said.push(`priority ${self.priority}`)
  if (self.inOrder) said.push(`in order of ${self.inOrder.key}, on failure ${self.inOrder.onFailure}`)
  if (self.debounce) said.push(`the newest of ${self.debounce.key}, ${Duration.format(self.debounce.wait)} later`)
  if (self.coalesce) said.push("one answer for identical calls")
  const metadata = Object.keys(self.metadata)
  if (metadata.length > 0) said.push(`metadata ${metadata.join(", ")}`)
  if (self.onFailureTimeout !== undefined) said.push(`has failed after ${Duration.format(self.onFailureTimeout)}`)
  if (self.totalTimeout !== undefined) said.push(`is over ${Duration.format(self.totalTimeout)} after it was taken up`)
  return said
}

const child = (relation: string, step: Step, type: StepType): ReadonlyArray<string> => {
  const [first, ...rest] = lines(step, type)
  return [`  ${relation}: ${first}`, ...rest.map((line) => `  ${line}`)]
}

const hedged = ({ after, max, percentile, to }: Hedge): string =>
  `calls ${max} more when slower than ${after === undefined ? `p${percentile}` : Duration.format(after)}${to === "same" ? "" : ", from another region"}`

const when = (trigger: Trigger): string => {
  switch (trigger._tag) {
    case "Any":
      return "on any failure"
    case "OnError":
      return `on ${trigger.codes.join(", ")} or no answer`
    case "OnTimeout":
      return `after ${Duration.format(trigger.after)}`
  }
}

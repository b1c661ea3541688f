/**
 * Reads the flat dialect: a job with one webhook, in which every field but headers, body and limits is required.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { invalid } from "../../step/StepIssue.ts"
import type { Step } from "../../step/StepModel.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import { readJson, isObject, stepIn } from "./Body.ts"
import type { Limits } from "./Limits.ts"
import { type Refused, badField, refused } from "./Refusal.ts"

/** Reads the flat dialect. */
export const readFlat = (
  body: Uint8Array,
  limits: Limits,
  policy: EgressPolicy
): Result.Result<{ readonly step: Step; readonly userId: string }, Refused> =>
  Result.flatMap(readJson(body, limits), (json) => {
    if (!isObject(json)) return Result.fail(badField("job", "Expected object"))
    if (Object.hasOwn(json, "pool_id")) {
      return Result.fail(badField("pool_id", "pools are not supported here; name the url itself"))
    }
    return Result.flatMap(
      Result.mapError(decode(json), refusalOf),
      ({ idempotent_key, method, url, user_id: userId, webhook_url, ...rest }) => {
        const job = { ...rest, url, method, idempotent_key, webhooks: [{ url: webhook_url }] }
        return Result.mapBoth(stepIn(job, { limits, policy, deniedAs: 400 }), {
          onFailure: inFlatWords,
          onSuccess: (step) => ({ step, userId })
        })
      }
    )
  })

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x1f\x7f]/

const missing = "is required, as text that is not empty"

const text = Schema.String.annotate({ message: missing }).check(
  Schema.makeFilter((value: string) => value !== "", { message: missing })
)

const required = text.annotateKey({ messageMissingKey: missing })

const UserId = text
  .check(
    Schema.makeFilter((value: string) => value.length <= 255 && !CONTROL.test(value), {
      expected: "1 to 255 characters, none of them a control character"
    })
  )
  .annotateKey({ messageMissingKey: missing })

/** Headers, body and limits are read with the job that is made of it. */
const FlatJob = Schema.Struct({
  user_id: UserId,
  idempotent_key: required,
  url: required,
  method: required,
  webhook_url: required,
  headers: Schema.optionalKey(Schema.Json),
  body: Schema.optionalKey(Schema.Json),
  limits: Schema.optionalKey(Schema.Json)
})

const decode = Schema.decodeUnknownResult(FlatJob, { onExcessProperty: "error" })

const refusalOf = ({ issue }: Schema.SchemaError): Refused => {
  const { field, problem } = invalid("", issue)
  return problem === "Expected no excess property"
    ? badField(
        field.slice(0, 64),
        `is not a key of this dialect; it knows ${Object.keys(FlatJob.fields).join(", ")}`,
        "unknown_field"
      )
    : badField(field, problem)
}

const inFlatWords = (refusal: Refused): Refused =>
  refusal.field === "webhooks[0].url"
    ? refused(refusal.status, refusal.code, refusal.problem.replace("webhooks[0].url", "webhook_url"), {
        field: "webhook_url",
        extra: refusal.extra
      })
    : refusal

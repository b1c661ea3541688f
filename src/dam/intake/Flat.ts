import * as Result from "effect/Result"
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
    const fault = faultInFlat(json)
    if (fault !== undefined) return Result.fail(fault)
    const { idempotent_key, method, url, user_id, webhook_url, ...rest } = json
    const job = { ...rest, url, method, idempotent_key, webhooks: [{ url: webhook_url }] }
    return Result.mapBoth(stepIn(job, { limits, policy, deniedAs: 400 }), {
      onFailure: inFlatWords,
      onSuccess: (step) => ({ step, userId: String(user_id) })
    })
  })
const faultInFlat = (json: Readonly<Record<string, unknown>>): Refused | undefined => {
  if (Object.hasOwn(json, "pool_id")) {
    return badField("pool_id", "pools are not supported here; name the url itself")
  }
  const unknown = Object.keys(json).find((key) => !FLAT.has(key))
  if (unknown !== undefined) {
    const field = unknown.slice(0, 64)
    return badField(field, `is not a key of this dialect; it knows ${[...FLAT].join(", ")}`, "unknown_field")
  }
  const missing = REQUIRED.find((key) => typeof json[key] !== "string" || json[key] === "")
  if (missing !== undefined) return badField(missing, "is required, as text that is not empty")
  const userId = String(json["user_id"])
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return userId.length > 255 || /[\x00-\x1f\x7f]/.test(userId)
    ? badField("user_id", "Expected 1 to 255 characters, none of them a control character")
    : undefined
}
const inFlatWords = (refusal: Refused): Refused =>
  refusal.field === "webhooks[0].url"
    ? refused(refusal.status, refusal.code, refusal.problem.replace("webhooks[0].url", "webhook_url"), {
        field: "webhook_url",
        extra: refusal.extra
      })
    : refusal
const REQUIRED = ["user_id", "idempotent_key", "url", "method", "webhook_url"]
const FLAT: ReadonlySet<string> = new Set([...REQUIRED, "headers", "body"])

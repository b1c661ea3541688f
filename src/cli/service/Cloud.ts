/** What the cloud and a dam both answer; the cloud says less of it. */
import * as Schema from "effect/Schema"
import * as JobShapes from "../../dam/api/JobShapes.ts"
import { nullable } from "../../dam/api/Parts.ts"
import * as SecretShapes from "../../dam/api/SecretShapes.ts"

const { duplicate, job_id, status } = JobShapes.Receipt.fields

/** The answer to a submission or a rerun. */
export const Receipt = Schema.Struct({ job_id, status, duplicate, idempotent_key: nullable(Schema.String) })
export type Receipt = typeof Receipt.Type

export const Done = Schema.Struct({ ...SecretShapes.Done.fields, message: nullable(Schema.String) })

const { customer_id, primary_secret } = SecretShapes.MaskedSecrets.fields

export const MaskedSecrets = Schema.Struct({
  customer_id,
  primary_secret,
  secondary_secret: nullable(Schema.String)
})

/**
 * What webhooks are signed with, as it is set and shown.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { mask } from "../secrets/Secrets.ts"
import type { StoredSecrets } from "../store/SecretRecords.ts"
import { nullable, optional, word } from "./Parts.ts"

// how long it has to be is judged with the other rules of secrets (`SecretRules`), in words of their own
const secret = Schema.String.check(
  Schema.makeFilter(() => true, { toJsonSchema: () => ({ minLength: 16, maxLength: 1024 }) })
)

/** The secrets that are wanted; with `rotate` the stored primary one becomes the secondary. */
export const SecretChoice = Schema.Struct({
  primary_secret: secret,
  secondary_secret: nullable(secret),
  rotate: optional(Schema.Boolean)
}).annotate({ identifier: "SecretChoice" })

/** Says that it is done. */
export const Done = Schema.Struct({ status: word(["ok"]), message: Schema.String }).annotate({ identifier: "Done" })

/** Says that it is done. */
export const done = (message: string): typeof Done.Encoded => ({ status: "ok", message })

/** Secrets, masked. */
export const MaskedSecrets = Schema.Struct({
  customer_id: Schema.String,
  primary_secret: Schema.String,
  secondary_secret: Schema.NullOr(Schema.String),
  has_secondary: Schema.Boolean
}).annotate({ identifier: "MaskedSecrets" })

/** Shows secrets, masked. */
export const masked = (customer: string, { primary, secondary }: StoredSecrets): typeof MaskedSecrets.Encoded => ({
  customer_id: customer,
  primary_secret: mask(primary),
  secondary_secret: secondary === undefined ? null : mask(secondary),
  has_secondary: secondary !== undefined
})

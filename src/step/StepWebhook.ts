/** Webhooks as the verb is given them. */
import * as FieldReader from "./FieldReader.ts"
import * as Rules from "./FieldRules.ts"
import { InvalidStep } from "./InvalidStep.ts"
import { type HeaderValue, kept } from "./SecretHeader.ts"
import type { Webhook } from "./StepModel.ts"
import { headerValue } from "./StepSecret.ts"

/**
 * A webhook as `webhooks` takes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions {
  readonly url: string | URL
  /** Regions a delivery may leave from, tried in order. */
  readonly regions?: ReadonlyArray<string> | undefined
  /** Whether it counts towards the quorum. Defaults to `true`. */
  readonly hasQuorumVote?: boolean | undefined
  /** Headers beside those of every delivery; one that holds a secret names it. Defaults to none. */
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined
  /** The credential that signs it. Defaults to the webhook secrets that are set. */
  readonly secret?: string | undefined
  /** `link`: the answer without its body, and a link to that. Defaults to the whole answer. */
  readonly body?: "link" | undefined
}

/** Reads webhooks, and keeps them as a step does. */
export const readWebhooks = (targets: ReadonlyArray<WebhookOptions>): ReadonlyArray<Webhook> =>
  readList(
    Array.isArray(targets)
      ? targets.map((target: WebhookOptions, index) => {
          const { hasQuorumVote = true, regions = [], url, ...terms } = known(target, `webhooks[${index}]`)
          return { url: String(url), regions, hasQuorumVote, ...terms }
        })
      : targets,
    "webhooks"
  )

const names = ["url", "regions", "hasQuorumVote", "headers", "secret", "body"]

// a misspelt option would be lost in silence
const known = (target: WebhookOptions, field: string): WebhookOptions => {
  if (typeof target !== "object" || target === null) throw new InvalidStep({ field, problem: "Expected an object" })
  for (const name of Object.keys(target)) {
    if (!names.includes(name)) {
      throw new InvalidStep({ field: `${field}.${name}`, problem: `is not known here; expected ${names.join(", ")}` })
    }
  }
  return target
}

const told = FieldReader.struct<Pick<Webhook, "hasQuorumVote" | "regions" | "url">>({
  url: FieldReader.text(Rules.url),
  regions: FieldReader.list(FieldReader.text(Rules.region)),
  hasQuorumVote: FieldReader.flag
})
const readHeaders = FieldReader.record(headerValue, Rules.webhookHeaders)
const readSecret = FieldReader.text(Rules.secretName)
const readBody = FieldReader.oneOf("link")

const readList = FieldReader.list((value, field): Webhook => {
  const { body, headers, secret } = value as WebhookOptions // each is read as what it is
  return {
    ...told(value, field),
    ...(headers === undefined ? {} : { headers: kept(readHeaders(headers, `${field}.headers`)) }),
    ...(secret === undefined ? {} : { secret: readSecret(secret, `${field}.secret`) }),
    ...(body === undefined ? {} : { body: readBody(body, `${field}.body`) })
  }
})

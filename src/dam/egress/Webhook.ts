/**
 * What holds for the URL of a webhook beyond the egress policy, and what of both can be told without asking for its name.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { EgressPolicy } from "./EgressPolicy.ts"
import { checkUrl } from "./Url.ts"

/**
 * Where webhooks may go.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookTerms {
  readonly policy: EgressPolicy
  /** Over https only. */
  readonly httpsOnly: boolean
}

/**
 * Why a webhook is not told over http, where it must not.
 *
 * @category constants
 * @since 0.1.0
 */
export const httpsRequired = { reason: "HttpsRequired", message: "webhooks are told over https only" } as const

/**
 * Tells whether a URL is not https where it has to be.
 *
 * @category guards
 * @since 0.1.0
 */
export const lacksHttps = ({ httpsOnly }: Pick<WebhookTerms, "httpsOnly">, url: string): boolean =>
  httpsOnly && !/^https:/i.test(url)

/**
 * Says what is wrong with the first of these webhooks that is refused, behind the name of its field.
 *
 * **Gotchas** — only half of the door: a name may lead to an address that is refused once it is called.
 *
 * @category decoding
 * @since 0.1.0
 */
export const problemIn = (terms: WebhookTerms, field: string, urls: ReadonlyArray<string>): string | undefined => {
  for (const [index, url] of urls.entries()) {
    const problem = problemOf(terms, url)
    if (problem !== undefined) return `${field}[${index}]: ${problem}`
  }
  return undefined
}

const problemOf = (terms: WebhookTerms, url: string): string | undefined => {
  if (lacksHttps(terms, url)) return httpsRequired.message
  const checked = checkUrl(terms.policy, url)
  return Result.isFailure(checked) ? checked.failure.message : undefined
}

/** The credentials of the fake EZThrottle: what is secret of them is forgotten at once. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Credential, Credentials } from "../run/Service.ts"
import { CredentialNotFound, CredentialRefused, ServiceError } from "../run/Service.ts"
import { originOf } from "../transport/Secrets.ts"

/** Makes a keeper of none. */
export const make = (): Credentials => {
  const kept = new Map<string, Credential>()
  return {
    put: Effect.fnUntraced(function* (name, { hosts, tokenUrl, value }) {
      if ((value === undefined) === (tokenUrl === undefined)) {
        return yield* refused("value", "Expected value, or token_url with client_id")
      }
      if (hosts.length === 0) return yield* refused("hosts", "Expected at least one host")
      const wrong = hosts.findIndex((host) => originOf(host) === undefined)
      if (wrong >= 0) return yield* refused(`hosts[${wrong}]`, "Expected a host")
      const now = yield* Clock.currentTimeMillis
      const shown = {
        name,
        kind: value === undefined ? "oauth2" : "value",
        hosts: [...new Set(hosts.map((host) => originOf(host) ?? host))]
      }
      const credential = { ...shown, rotatedAt: now, answer: { ...shown, rotated_at: now } }
      kept.set(name, credential)
      return credential
    }),
    list: Effect.sync(() => [...kept.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))),
    delete: (name) =>
      Effect.suspend(() =>
        kept.delete(name)
          ? Effect.void
          : Effect.fail(new ServiceError({ reason: new CredentialNotFound({ credential: name }) }))
      )
  }
}

const refused = (field: string, problem: string) =>
  new ServiceError({
    reason: new CredentialRefused({ code: "invalid_field", field, problem: `${field}: ${problem}` })
  })

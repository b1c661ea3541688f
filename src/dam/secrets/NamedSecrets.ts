/**
 * The credentials that calls name: kept sealed, given to their hosts alone, and looked up when a call is sent, so that one
 * that was rotated counts for every job that still waits.
 *
 * Nobody reads one back. A dam without a master key keeps none: it could not seal them.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { TransportError } from "../../step/FailureModel.ts"
import * as Secrets from "../../transport/Secrets.ts"
import type { CredentialPort, StoredCredential, TokenSource } from "../store/CredentialRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as SealedCredentials from "./SealedCredentials.ts"
import * as Tokens from "./Tokens.ts"
import type { Sealer } from "./Vault.ts"

/**
 * A credential without what is secret of it.
 *
 * @category models
 * @since 0.1.0
 */
export type Shown = Omit<StoredCredential, "secret">

/**
 * What is said of a credential: all of it, each time. Who may set one could else send a secret that he does not know where
 * he pleases.
 *
 * @category models
 * @since 0.1.0
 */
export interface Given {
  /** Origins, as `Secrets.originOf` reads them. */
  readonly hosts: ReadonlyArray<string>
  readonly secret: Redacted.Redacted
  readonly tokens: TokenSource | undefined
}

/**
 * Named secrets at work.
 *
 * @category models
 * @since 0.1.0
 */
export interface NamedSecrets {
  /** Whether any can be kept. */
  readonly isSealed: boolean
  readonly list: (customer: string) => Effect.Effect<ReadonlyArray<Shown>, StoreError>
  readonly get: (customer: string, name: string) => Effect.Effect<Shown | undefined, StoreError>
  readonly set: (customer: string, name: string, given: Given) => Effect.Effect<Shown, StoreError>
  /** Whether there was one. Jobs that wait for it fail with `SecretRefused`. */
  readonly remove: (customer: string, name: string) => Effect.Effect<boolean, StoreError>
  /** What a call of a customer is given. */
  readonly call: (customer: string) => Revealed
}

/**
 * What one call is given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Revealed {
  /** Puts secrets in the place of their names. */
  readonly reveal: Secrets.Reveal
  /** A secret that signs, for what stands at a URL; no token does. */
  readonly secret: (name: string, url: string) => Effect.Effect<Redacted.Redacted, TransportError>
  /** A target has not accepted what it was sent (401). Whether the call is worth making again, with another token. */
  readonly refused: Effect.Effect<boolean>
}

/**
 * Makes them over a store that nobody else writes to.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  port: CredentialPort,
  sealer: Sealer | undefined,
  options: Tokens.TokensOptions
): Effect.fn.Return<NamedSecrets, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const store = sealer === undefined ? port : SealedCredentials.make(port, sealer)
  const known = new Map<string, Known>()
  let changes = 0
  const changing = <A, E>(key: string, write: Effect.Effect<A, E>): Effect.Effect<A, E> => {
    const forget = Effect.sync(() => {
      changes++
      known.delete(key)
    })
    return Effect.andThen(forget, Effect.ensuring(write, forget))
  }

  const find = (customer: string, name: string): Effect.Effect<Known | undefined, StoreError> =>
    Effect.suspend(() => {
      const key = keyOf(customer, name)
      const kept = known.get(key)
      if (kept !== undefined) return Effect.succeed(kept)
      const before = changes
      return Effect.map(store.credential(customer, name), (found) => {
        if (found === undefined) return undefined
        const { tokens } = found
        const made = known.get(key) ?? {
          stored: found,
          tokens: tokens && Tokens.make(found, tokens, options, scope)
        }
        if (before === changes) {
          if (known.size >= mostKnown) known.clear()
          known.set(key, made)
        }
        return made
      })
    })

  const call = (customer: string): Revealed => {
    const sent: Array<readonly [Tokens.Tokens, Redacted.Redacted]> = []
    const noted = (tokens: Tokens.Tokens) =>
      Effect.tap(tokens.token, (token) => Effect.sync(() => sent.push([tokens, token])))
    const lookup: Secrets.Lookup = (name) =>
      find(customer, name).pipe(
        Effect.catch(() => Secrets.refuse(name, "unsealed", "what is kept of it cannot be read")),
        Effect.map(
          (found) =>
            found && {
              origins: found.stored.hosts,
              value: found.tokens === undefined ? Effect.succeed(found.stored.secret) : noted(found.tokens)
            }
        )
      )
    return {
      reveal: Secrets.revealing(lookup),
      secret: (name, url) =>
        Effect.flatMap(
          Effect.orElseSucceed(find(customer, name), () => undefined),
          (found) =>
            found?.tokens === undefined
              ? Secrets.find(lookup, name, new URL(url).origin)
              : Secrets.refuse(name, "unfit", "tokens that are fetched sign nothing; name a credential with a value")
        ),
      refused: Effect.suspend(() =>
        Effect.map(
          Effect.forEach(sent.splice(0), ([tokens, token]) => tokens.refused(token)),
          (again) => again.includes(true)
        )
      )
    }
  }

  return {
    isSealed: sealer !== undefined,
    list: (customer) => Effect.map(store.credentials(customer), (all) => all.map(shown)),
    get: (customer, name) => Effect.map(store.credential(customer, name), (found) => found && shown(found)),
    set: (customer, name, given) =>
      changing(
        keyOf(customer, name),
        Effect.gen(function* () {
          // one that cannot be opened is replaced all the same
          const before = yield* Effect.orElseSucceed(store.credential(customer, name), () => undefined)
          const now = yield* Clock.currentTimeMillis
          const made: StoredCredential = {
            customer,
            name,
            ...given,
            madeAt: before?.madeAt ?? now,
            rotatedAt: now
          }
          yield* store.saveCredential(made)
          return shown(made)
        })
      ),
    remove: (customer, name) => changing(keyOf(customer, name), store.removeCredential(customer, name)),
    call
  }
})

/** A credential that was looked up, with its tokens. */
interface Known {
  readonly stored: StoredCredential
  readonly tokens: Tokens.Tokens | undefined
}

const shown = ({ customer, hosts, madeAt, name, rotatedAt, tokens }: StoredCredential): Shown => ({
  customer,
  name,
  hosts,
  tokens,
  madeAt,
  rotatedAt
})

// no customer and no name has a line break
const keyOf = (customer: string, name: string): string => `${customer}\n${name}`

/** Looked up at most; beyond, all are looked up anew. */
const mostKnown = 10_000

/**
 * Tokens by the client credentials grant of OAuth 2.0 (RFC 6749, 4.4): fetched when a call needs one, kept in memory alone.
 *
 * Whoever needs a token while one is being fetched waits for that one. A token is fetched anew shortly before it ends, and
 * once when a target does not accept it. Where none is given, the next attempt to get one waits, for longer each time.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Refusal from "../../engine/Refusal.ts"
import { type Failure, SecretRefused, TokenUnavailable, TransportError } from "../../step/FailureModel.ts"
import * as Reply from "../../step/Reply.ts"
import { post } from "../../step/Step.ts"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import * as TimeLimit from "../../transport/TimeLimit.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import { checkUrl } from "../egress/Url.ts"
import type { StoredCredential, TokenSource } from "../store/CredentialRecords.ts"

/** What tokens are fetched with. */
export interface TokensOptions {
  readonly transport: Exchanging
  readonly egress: EgressPolicy
}

/** The tokens of one credential as it stands. */
export interface Tokens {
  readonly token: Effect.Effect<Redacted.Redacted, TransportError>
  /** Has the next one asked for be another. Whether that may help: one that came of a refusal is not given up at once. */
  readonly refused: (token: Redacted.Redacted) => Effect.Effect<boolean>
}

/** Makes the tokens of a credential; what is being fetched is fetched in the scope. */
export const make = (
  { name, secret }: StoredCredential,
  source: TokenSource,
  options: TokensOptions,
  scope: Scope.Scope
): Tokens => {
  let known: Known | undefined
  let failed: Failed | undefined
  let fetching: Fiber.Fiber<Known, TransportError> | undefined
  let isRenewal = false

  const fetched = Effect.gen(function* () {
    const exit = yield* Effect.result(fetch(name, secret, source, options))
    const now = yield* monotonicMillis
    if (Result.isFailure(exit)) {
      const times = failed === undefined ? 0 : failed.times + 1
      failed = { reason: exit.failure, times, until: now + Refusal.backOff(times) }
      return yield* new TransportError({ reason: exit.failure })
    }
    failed = undefined
    const { lifetime, token } = exit.success
    known = {
      token,
      renewAt: now + lifetime - Math.min(mostLeeway, lifetime / 10),
      endsAt: now + lifetime,
      bornOfRefusalAt: isRenewal ? now : undefined
    }
    isRenewal = false
    return known
  })

  return {
    token: Effect.gen(function* () {
      const now = yield* monotonicMillis
      if (known !== undefined && now < known.renewAt) return known.token
      // one that still holds is better than none
      const spare = known !== undefined && now < known.endsAt ? known.token : undefined
      if (fetching === undefined && failed !== undefined && now < failed.until) {
        return spare ?? (yield* new TransportError({ reason: failed.reason }))
      }
      const under = fetching ?? (yield* Effect.forkIn(fetched, scope))
      if (fetching === undefined) {
        fetching = under
        under.addObserver(() => void (fetching = undefined))
      }
      const { token } = yield* Fiber.join(under).pipe(
        Effect.catch((error) => (spare === undefined ? Effect.fail(error) : Effect.succeed({ token: spare })))
      )
      return token
    }),
    refused: (token) =>
      Effect.map(monotonicMillis, (now) => {
        // somebody else has seen to it
        if (known?.token !== token) return true
        if (known.bornOfRefusalAt !== undefined && now - known.bornOfRefusalAt < patience) return false
        known = undefined
        isRenewal = true
        return true
      })
  }
}

interface Known {
  readonly token: Redacted.Redacted
  /** Monotonic milliseconds. */
  readonly renewAt: number
  readonly endsAt: number
  readonly bornOfRefusalAt: number | undefined
}

interface Failed {
  readonly reason: Failure
  readonly times: number
  /** Monotonic milliseconds. */
  readonly until: number
}

interface Fetched {
  readonly token: Redacted.Redacted
  /** Milliseconds. */
  readonly lifetime: number
}

const fetch = Effect.fnUntraced(function* (
  name: string,
  secret: Redacted.Redacted,
  source: TokenSource,
  { egress, transport }: TokensOptions
): Effect.fn.Return<Fetched, Failure> {
  const denied = (detail: string) => new SecretRefused({ secret: name, kind: "denied", detail })
  const lacking = (detail: string) => new TokenUnavailable({ secret: name, detail })
  const checked = checkUrl(egress, source.tokenUrl)
  if (Result.isFailure(checked)) {
    return yield* Effect.fail(denied(`its token_url is where the dam may not call: ${checked.failure.message}`))
  }
  const step = requestFor(source, secret)
  const exchange = { request: step.request, region: undefined, step, timeoutMillis: longestFetch }
  const response = yield* TimeLimit.within(transport.send(exchange), longestFetch).pipe(
    Effect.mapError(({ reason }) => lacking(`its token endpoint gives none: ${reason.message}`))
  )
  const { status } = response
  const answer = Result.getOrElse(decodeAnswer(Reply.text(response)), () => ({}) as typeof Answer.Type)
  const error = ERROR.exec(answer.error ?? "")?.[0]
  const said = `its token endpoint answered ${status}${error === undefined ? "" : ` (${error})`}`
  if (status >= 400 && status < 500 && !passing.has(status) && error !== "temporarily_unavailable") {
    return yield* Effect.fail(denied(said))
  }
  if (status < 200 || status > 299) return yield* Effect.fail(lacking(said))
  const { access_token: token, expires_in: seconds = unsaid } = answer
  if (token === undefined || !TOKEN.test(token)) return yield* Effect.fail(lacking(`${said} without a token`))
  return { token: Redacted.make(token), lifetime: 1000 * Math.min(Math.max(Number(seconds) || unsaid, 1), longestLife) }
})

const requestFor = ({ audience, clientAuth, clientId, scope, tokenUrl }: TokenSource, secret: Redacted.Redacted) => {
  const form = new URLSearchParams({ grant_type: "client_credentials" })
  if (scope !== undefined) form.set("scope", scope)
  if (audience !== undefined) form.set("audience", audience)
  const headers: Record<string, string> = { Accept: "application/json" }
  if (clientAuth === "basic") {
    // RFC 6749, 2.3.1: both are encoded as in a form first
    const pair = `${inForm(clientId)}:${inForm(Redacted.value(secret))}`
    headers["Authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`
  } else {
    form.set("client_id", clientId)
    form.set("client_secret", Redacted.value(secret))
  }
  return post(tokenUrl, { headers, body: form })
}

const inForm = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1)

const Answer = Schema.Struct({
  access_token: Schema.optionalKey(Schema.String),
  expires_in: Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.Number, Schema.String]))),
  error: Schema.optionalKey(Schema.NullOr(Schema.String))
})

const decodeAnswer = Schema.decodeUnknownResult(Schema.fromJsonString(Answer))

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** Statuses of a client's own doing that pass all the same. */
const passing: ReadonlySet<number> = new Set([408, 425, 429])
const ERROR = /^[\w-]{1,64}$/
const TOKEN = /^[\x21-\x7e]{1,16384}$/
const longestFetch = 10_000
/** How long before its end a token is fetched anew at most, in milliseconds. */
const mostLeeway = 60_000
/** How long a token that came of a refusal is not given up for another, in milliseconds. */
const patience = 60_000
/** How long a token holds that does not say, and at most, in seconds. */
const unsaid = 300
const longestLife = 86_400

/**
 * What a dam is asked about permits, one request each; whatever goes wrong is an answer too.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import type { Answer } from "../engine/Refusal.ts"
import { jsonIn } from "../presets/Answered.ts"
import * as DamAnswer from "../transport/DamAnswer.ts"
import * as DamUrl from "../transport/DamUrl.ts"
import * as FetchCall from "../transport/FetchCall.ts"
import { readBody } from "../transport/RemoteAnswer.ts"

/**
 * Where it is asked, and as whom.
 *
 * @category models
 * @since 0.1.0
 */
export interface DamCallsOptions {
  readonly dam: string
  readonly apiKey?: Redacted.Redacted | undefined
  readonly timeout?: Duration.Input | undefined
  readonly fetch?: FetchCall.Fetch | undefined
}

/**
 * What came of asking for a permit.
 *
 * @category models
 * @since 0.1.0
 */
export type Turn =
  | { readonly _tag: "Granted"; readonly id: string }
  /** Not yet; `isHeld`: nothing is let through for so many milliseconds. */
  | { readonly _tag: "Later"; readonly retryAfter: number; readonly isHeld: boolean }
  /** The dam grants permits, but none for this. */
  | { readonly _tag: "Refused"; readonly problem: string }
  /** Nobody is there who grants any. */
  | { readonly _tag: "Away"; readonly problem: string }

/**
 * The calls. All but the first are for the dam's sake, and nobody minds when they fail.
 *
 * @category models
 * @since 0.1.0
 */
export interface DamCalls {
  readonly acquire: (asked: Readonly<Record<string, Schema.Json | undefined>>, wait: number) => Effect.Effect<Turn>
  readonly renew: (id: string) => Effect.Effect<void>
  /** `excerpts`: with the beginning of the body. */
  readonly report: (
    id: string,
    answer: Answer | undefined,
    sentAt: number | undefined,
    excerpts: boolean
  ) => Effect.Effect<void>
  readonly giveBack: (id: string) => Effect.Effect<void>
}

/**
 * Makes them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ apiKey, dam, fetch, timeout = 5000 }: DamCallsOptions): DamCalls => {
  const open = FetchCall.opening(fetch ?? FetchCall.platform, {})
  const base = `${dam.trim().replace(/\/+$/, "")}/api/v1/permits`
  const limit = Duration.toMillis(Duration.fromInputUnsafe(timeout))
  const problem = DamUrl.problemOf(dam)
  const headers = {
    "content-type": "application/json",
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${Redacted.value(apiKey)}` })
  }

  const ask = (method: string, path: string, body: unknown, millis: number): Effect.Effect<Told> => {
    const request = { method, url: base + path, headers, body: body === undefined ? undefined : JSON.stringify(body) }
    const answered = Effect.flatMap(
      Effect.mapError(open(request), (failure) => DamAnswer.silenceOf(dam, failure)),
      (answer) => Effect.map(readBody(answer, mostBytes), (read) => ({ status: answer.status, body: read.body }))
    )
    return Effect.scoped(answered).pipe(
      Effect.timeoutOrElse({
        duration: millis,
        orElse: () => Effect.succeed({ problem: `no answer in ${millis} ms` })
      }),
      Effect.catch((failure) => Effect.succeed({ problem: failure.message })),
      Effect.interruptible
    )
  }

  const tell = (method: string, path: string, body: unknown): Effect.Effect<void> =>
    Effect.asVoid(ask(method, path, body, limit))

  return {
    acquire: (asked, wait) =>
      problem === undefined
        ? Effect.map(ask("POST", "", asked, wait + limit), turnIn)
        : Effect.succeed({ _tag: "Away", problem: `dam: ${problem}` }),
    renew: (id) => tell("POST", `/${id}/renew`, {}),
    report: (id, answer, sentAt, excerpts) =>
      tell("POST", `/${id}/report`, {
        ...(answer === undefined ? {} : { status: answer.status, headers: told(answer.headers) }),
        ...(excerpts && answer?.body !== undefined ? { body: excerptOf(answer.body) } : {}),
        ...(sentAt === undefined ? {} : { sent_at: sentAt })
      }),
    giveBack: (id) => tell("DELETE", `/${id}`, undefined)
  }
}

/** What the dam said, or why it said nothing. */
type Told = { readonly status: number; readonly body: string } | { readonly problem: string }

const mostBytes = 65_536

/** Characters of a body, at most; what the dam takes. */
const longestExcerpt = 16_384

const turnIn = (told: Told): Turn => {
  if ("problem" in told) return { _tag: "Away", problem: told.problem }
  const { status } = told
  const { code, error, permit_id: id, retry_after_ms: millis } = fieldsIn(told.body)
  if (status === 200) return typeof id === "string" ? { _tag: "Granted", id } : strange(status)
  if (status === 429) {
    const retryAfter = typeof millis === "number" ? millis : soonest
    return { _tag: "Later", retryAfter, isHeld: retryAfter > soonest || code !== "no_turn" }
  }
  return status === 400 ? { _tag: "Refused", problem: String(error) } : strange(status)
}

/** What a dam says at least where nothing but the turn has not come. */
const soonest = 1000

const strange = (status: number): Turn => ({ _tag: "Away", problem: `it answered ${status}` })

/** By a reader and not by a schema, which is more than all else that a paced call loads. */
const fieldsIn = (body: string): Readonly<Record<string, unknown>> => {
  const json = jsonIn(body)
  return typeof json === "object" && json !== null ? { ...json } : {}
}

/** What says nothing of a pace, and is nobody's business. */
const hidden = new Set(["set-cookie", "set-cookie2", "location", "content-location", "authorization"])

/** The headers that a dam is told. */
const told = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => !hidden.has(name.toLowerCase()) && value.length <= 1024)
  )

const excerptOf = (body: Uint8Array): string => decoder.decode(body.subarray(0, longestExcerpt))

const decoder = new TextDecoder()

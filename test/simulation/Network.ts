/** Everybody that the dam calls: targets and receivers of results, each with a temper of its own. */
import * as Effect from "effect/Effect"
import { ConnectionFailed, TransportError } from "../../src/step/FailureModel.ts"
import { response } from "../../src/step/ReplyModel.ts"
import type { Exchange, Exchanging } from "../../src/transport/HttpTransport.ts"
import { laneOf } from "../../src/dam/job/LaneName.ts"
import { below, between, type Chance, chanceOf } from "./Chance.ts"
import type { Call, Ledger, Trace } from "./Ledger.ts"
import type { Loop } from "./Loop.ts"
import type { Process } from "./Store.ts"

/** What becomes of a call: an answer after a while, a connection that is reset, or nothing ever. */
type Fate =
  | { readonly _tag: "Answer"; readonly after: number; readonly status: number; readonly retryAfter?: number }
  | { readonly _tag: "Reset"; readonly after: number }
  | { readonly _tag: "Hang" }

const answer = (after: number, status: number, retryAfter?: number): Fate => ({
  _tag: "Answer",
  after: Math.round(after),
  status,
  ...(retryAfter === undefined ? {} : { retryAfter })
})
const reset = (after: number): Fate => ({ _tag: "Reset", after: Math.round(after) })
const hang: Fate = { _tag: "Hang" }

type Temper = (chance: Chance, now: number) => Fate

const flaky: Temper = (chance) => {
  const lot = chance()
  if (lot < 0.1) return answer(between(chance, 5, 80), 503, 1 + below(chance, 5))
  if (lot < 0.2) return answer(between(chance, 5, 80), 503)
  if (lot < 0.3) return answer(between(chance, 5, 200), 500)
  if (lot < 0.36) return reset(between(chance, 1, 50))
  if (lot < 0.38) return hang
  return answer(between(chance, 20, 900), 200)
}

/** Three calls a second, five at once from rest. */
const limiting = (): Temper => {
  let tokens = 5
  let at = 0
  return (chance, now) => {
    tokens = Math.min(5, tokens + ((now - at) / 1000) * 3)
    at = now
    if (tokens < 1) return answer(5, 429, 1 + below(chance, 8))
    tokens--
    return answer(between(chance, 50, 400), 200)
  }
}

const receiving: Temper = (chance) => {
  const lot = chance()
  if (lot < 0.15) return answer(20, 500)
  if (lot < 0.2) return answer(20, 503, 1 + below(chance, 30))
  if (lot < 0.23) return hang
  if (lot < 0.26) return reset(5)
  return answer(between(chance, 5, 800), 204)
}

/** The targets that jobs go to, with their paces. */
export const targets = {
  "fast.example": {
    pace: { rps: 1000, maxConcurrent: 100 },
    temper: (chance: Chance) => answer(between(chance, 5, 300), 200)
  },
  "flaky.example": { pace: { rps: 50, maxConcurrent: 5 }, temper: flaky },
  "limit.example": { pace: { rps: 5, maxConcurrent: 3 }, temper: limiting() },
  "narrow.example": { pace: { rps: 20, maxConcurrent: 1 }, temper: flaky },
  "refusing.example": {
    pace: { rps: 50, maxConcurrent: 10 },
    temper: (chance: Chance) => answer(between(chance, 5, 50), 422)
  },
  "dead.example": {
    pace: { rps: 10, maxConcurrent: 4 },
    temper: (chance: Chance) => (chance() < 0.5 ? reset(3) : hang)
  }
} as const

/** A receiver of its own for few jobs each: a result that was forgotten is not told by chance with the next one. */
export const receiverOf = (number: number): string => `https://r${number}.hooks.example/`

/** The pace of targets that have none of their own. */
export const otherPace = { rps: 50, maxConcurrent: 10 }

export const receiverPace = { rps: 50, maxConcurrent: 10 }

export interface Network {
  /** The network as one process of the dam sees it. */
  readonly of: (process: Process, incarnation: number, isWebhook: boolean) => Exchanging
  /** Cuts off what a process that is no more had under way. */
  readonly cutOff: (incarnation: number) => void
  /** From now on everybody answers well, but a limit is a limit. */
  readonly calm: () => void
}

export const make = (seed: number, { ledger, loop, trace }: { ledger: Ledger; loop: Loop; trace: Trace }): Network => {
  const tempers = new Map<string, Temper>(Object.entries(targets).map(([host, { temper }]) => [host, temper]))
  tempers.set("limit.example", limiting())
  const open = new Set<Call>()
  const times = new Map<string, number>()
  let isCalm = false

  const fateOf = (url: string, label: string, isWebhook: boolean): Fate => {
    const host = new URL(url).hostname
    const time = times.get(label) ?? 0
    times.set(label, time + 1)
    if (isCalm && host !== "limit.example") return answer(20, 200)
    const temper = tempers.get(host) ?? (isWebhook ? receiving : flaky)
    return temper(chanceOf(seed, `call ${label} ${time}`), loop.now)
  }

  const end = (call: Call): boolean => {
    if (call.ended !== undefined) return false
    call.ended = loop.now
    open.delete(call)
    return true
  }

  const send = (process: Process, incarnation: number, isWebhook: boolean, { attempt = "", request }: Exchange) =>
    Effect.callback<ReturnType<typeof response>, TransportError>((resume) => {
      const call: Call = {
        number: ledger.calls.length,
        isWebhook,
        job: headerOf(request.headers, "webhook-id") ?? attempt.split("/")[0] ?? "",
        lane: laneOf(request.url),
        url: request.url,
        at: loop.now,
        incarnation,
        body: isWebhook ? textOf(request.body) : "",
        ended: undefined,
        status: undefined,
        isSeen: false,
        retryAfter: undefined
      }
      ledger.calls.push(call)
      open.add(call)
      trace.note(`call ${call.number} ${call.lane} ${attempt}`)
      const stop = carryOut(
        call,
        fateOf(request.url, isWebhook ? `${request.url} ${toldOf(call.body)}` : request.url, isWebhook),
        process,
        resume
      )
      return Effect.sync(() => {
        if (!end(call)) return
        stop()
        trace.note(`stopped ${call.number}`)
      })
    })

  const carryOut = (
    call: Call,
    fate: Fate,
    process: Process,
    resume: (effect: Effect.Effect<ReturnType<typeof response>, TransportError>) => void
  ): (() => void) => {
    if (fate._tag === "Hang") return () => undefined
    return loop.in(fate.after, () => {
      if (!end(call)) return
      if (fate._tag === "Answer") {
        call.status = fate.status
        call.retryAfter = fate.retryAfter
      }
      trace.note(`answered ${call.number} ${call.status ?? "reset"}`)
      call.isSeen = process.alive
      if (process.alive) resume(answered(fate))
    })
  }

  return {
    of: (process, incarnation, isWebhook) => ({
      kind: "exchanging",
      regions: Effect.succeed([]),
      send: (exchange) => send(process, incarnation, isWebhook, exchange)
    }),
    cutOff: (incarnation) => {
      for (const call of open) if (call.incarnation === incarnation) end(call)
    },
    calm: () => {
      isCalm = true
    }
  }
}

const answered = (fate: Exclude<Fate, { _tag: "Hang" }>) =>
  fate._tag === "Reset"
    ? Effect.fail(new TransportError({ reason: new ConnectionFailed({ kind: "reset", detail: "simulated" }) }))
    : Effect.succeed(
        response(fate.status, fate.retryAfter === undefined ? {} : { "retry-after": String(fate.retryAfter) }, "ok")
      )

const headerOf = (headers: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]

const textOf = (body: string | Uint8Array | undefined): string =>
  typeof body === "string" || body === undefined ? (body ?? "") : new TextDecoder().decode(body)

/** Whose result it is, by the number that its client gave it: ids follow from all that happened before. */
const toldOf = (body: string): string => {
  const { metadata = {} }: { readonly metadata?: { readonly number?: string } } = JSON.parse(body)
  return metadata.number ?? ""
}

/**
 * Calls over `fetch` that wait for their turn and are made again: the whole of it as an effect, so that tests turn its
 * clock.
 *
 * A permit is held for the pace until the head of an answer is there, and for the calls at once until its body has ended.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { hostOf } from "../engine/HostName.ts"
import { isUnsafe } from "../engine/Idempotency.ts"
import * as Pause from "../engine/Pause.ts"
import * as Refusal from "../engine/Refusal.ts"
import * as Asking from "../paced/Asking.ts"
import * as Lanes from "../paced/Lanes.ts"
import * as Limits from "../engine/limits/LimitOptions.ts"
import * as Pacing from "../paced/Pacing.ts"
import type { LaneHeld, Permit, Permits } from "../paced/Permits.ts"
import * as HostRules from "../presets/HostRules.ts"
import * as RetryPolicy from "../step/RetryPolicy.ts"
import type { FetchCall, FetchForwardOptions, FetchOptions } from "./FetchOptions.ts"
import * as Given from "./Given.ts"
import * as Later from "./Later.ts"
import * as Peek from "./Peek.ts"
import * as Watched from "./Watched.ts"

/** A `fetch` that could not answer rejects with this. */
export interface Rejected {
  readonly cause: unknown
}

interface Retries extends RetryPolicy.ResolvedRetryPolicy {
  /** Milliseconds. */
  readonly patience: number
}

interface Fetching {
  readonly permits: Permits["Service"]
  readonly asking: Asking.Asking<FetchCall>
  readonly retries: Retries
  readonly fetch: typeof globalThis.fetch
  readonly forward: FetchForwardOptions | undefined
}

/** How one attempt ended. */
type Ended =
  | { readonly _tag: "Answered"; readonly response: Response; readonly said: Refusal.Said }
  | { readonly _tag: "Failed"; readonly cause: unknown }

/** Makes what makes calls. */
export const make = (
  options: FetchOptions
): ((input: Given.Input, init?: Given.Init) => Effect.Effect<Response, Rejected>) => {
  const { draws, forward, laneOf, limits = {}, presets = true, retry } = options
  const fetch = options.fetch ?? ((...sent: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...sent))
  const asking = Asking.make<FetchCall>({ presets, laneOf, draws: draws === undefined ? undefined : drawing(draws) })
  const permits =
    options.permits ??
    Lanes.make({
      settingOf: Pacing.settings(options),
      rulesOf: asking.rulesOf,
      limits: Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, Limits.resolve(limit)]))
    })
  const self: Fetching = { permits, asking, retries: retriesOf(retry), fetch, forward }
  return (input, init) => {
    const given = Given.read(input, init)
    return given === undefined ? promised(() => fetch(input, init)) : run(self, given)
  }
}

const drawing = (
  draws: NonNullable<FetchOptions["draws"]>
): ((call: FetchCall) => ReadonlyArray<Asking.DrawOptions>) => {
  if (typeof draws === "function") return draws
  const table = Pacing.byHost(draws)
  return ({ url }) => table(hostOf(url)) ?? []
}

const retriesOf = (retry: FetchOptions["retry"]): Retries => {
  const {
    base,
    cap,
    maxRetries,
    patience = "1 minute",
    retryCodes
  } = retry === false ? { maxRetries: 0 } : (retry ?? {})
  return {
    ...RetryPolicy.defaults,
    maxRetries: maxRetries ?? RetryPolicy.defaults.maxRetries,
    retryCodes: retryCodes ?? [429, 500, 502, 503, 504],
    base: Duration.fromInputUnsafe(base ?? RetryPolicy.defaults.base),
    cap: Duration.fromInputUnsafe(cap ?? RetryPolicy.defaults.cap),
    patience: Duration.toMillis(Duration.fromInputUnsafe(patience))
  }
}

const run = Effect.fnUntraced(function* (self: Fetching, given: Given.Given) {
  const { asking, forward, retries } = self
  const mayRepeat = repeating(given, asking.presetOf(hostOf(given.url))?.idempotency?.header)
  for (let retriesSoFar = 0; ; retriesSoFar++) {
    const isLast = forward === undefined && (retriesSoFar >= retries.maxRetries || !given.isRepeatable)
    const ended = yield* attempt(self, given, isLast)
    const isRepeated = fails(retries, ended) && mayRepeat(ended)
    if (isRepeated && retriesSoFar < retries.maxRetries && waitOf(ended) <= retries.patience) {
      yield* pause(retries, retriesSoFar, ended)
      continue
    }
    if (isRepeated && forward !== undefined) {
      const accepted = yield* Later.forward(forward, given, waitOf(ended))
      if (accepted !== undefined) {
        discard(ended)
        return accepted
      }
    }
    return ended._tag === "Answered" ? ended.response : yield* Effect.fail<Rejected>(ended)
  }
})

/** What is refused has not been carried out; of anything else that went wrong nobody knows. */
const repeating = (given: Given.Given, keyHeader = "idempotency-key") => {
  const isKeyed = ["idempotency-key", keyHeader.toLowerCase()].some((name) => Object.hasOwn(given.headers, name))
  const isSafe = isKeyed || !isUnsafe(given.method)
  return (ended: Ended): boolean => given.isRepeatable && (isSafe || isRefused(ended))
}

const isRefused = (ended: Ended): boolean =>
  ended._tag === "Answered" &&
  (ended.said.kind === "TooMany" || (ended.said.kind === "Unavailable" && ended.said.wait !== undefined))

const fails = ({ retryCodes }: Retries, ended: Ended): boolean => {
  if (ended._tag === "Failed") return !isOdd(ended.cause)
  const { response, said } = ended
  if (said.kind === "UsedUp") return false
  return said.kind === "TooMany" ? retryCodes.includes(429) : retryCodes.includes(response.status)
}

/** What the caller's signal says, and a certificate that is wrong now, would be no other way in a second. */
const isOdd = (cause: unknown): boolean => {
  const { code, name }: { readonly code?: unknown; readonly name?: unknown } = {
    ...Object(Object(cause).cause),
    name: Object(cause).name
  }
  return name === "AbortError" || name === "TimeoutError" || /CERT|TLS|SIGNATURE/.test(String(code))
}

const waitOf = (ended: Ended): number => (ended._tag === "Answered" ? (ended.said.wait ?? 0) : 0)

/** A wait that was told is the lane's to keep, in which the call takes its place again. */
const pause = Effect.fnUntraced(function* (retries: Retries, retriesSoFar: number, ended: Ended) {
  discard(ended)
  if (waitOf(ended) > 0) return
  const millis = Pause.draw(Pause.beforeRetry(retries, retriesSoFar, undefined), yield* Random.next)
  yield* Effect.sleep(millis)
})

const discard = (ended: Ended): void => {
  if (ended._tag !== "Answered" || ended.response.body === null) return
  // a connection that is not read is not free
  ended.response.body.cancel().then(undefined, () => undefined)
}

const attempt = (self: Fetching, given: Given.Given, isLast: boolean): Effect.Effect<Ended> =>
  Effect.uninterruptibleMask((restore) => {
    const ask = { ...self.asking.ask(given, given), patience: self.retries.patience }
    return Effect.matchEffect(self.permits.acquire(ask), {
      onFailure: (held) => Effect.succeed(refusal(held)),
      onSuccess: (permit) =>
        Effect.onExit(restore(Effect.andThen(permit.depart, exchange(self, given, permit, isLast))), (exit) =>
          // what was answered gives its permit back when its body has ended
          exit._tag === "Success" && exit.value._tag === "Answered" ? Effect.void : permit.release
        )
    })
  })

const exchange = (self: Fetching, given: Given.Given, permit: Permit, isLast: boolean): Effect.Effect<Ended> =>
  Effect.matchEffect(
    promised(() => self.fetch(...given.sent(isLast))),
    {
      onFailure: ({ cause }): Effect.Effect<Ended> => Effect.succeed({ _tag: "Failed", cause }),
      onSuccess: (response) => heard(self, given, permit, response)
    }
  )

const heard = Effect.fnUntraced(function* (
  { asking }: Fetching,
  given: Given.Given,
  permit: Permit,
  response: Response
) {
  const host = hostOf(given.url)
  const headers = Object.fromEntries(response.headers)
  const preset = asking.presetOf(host)
  const now = yield* Clock.currentTimeMillis
  const head = { status: response.status, headers }
  const body =
    preset !== undefined && HostRules.asksForBody(preset, head, now) ? yield* Peek.bodyOf(response) : undefined
  const answer: Refusal.Answer = body === undefined ? head : { ...head, body }
  yield* permit.hear(answer)
  if (permit.settles === "by header") yield* permit.settle(answer)
  const ended: Ended = {
    _tag: "Answered",
    said: Refusal.read(answer, now, asking.rulesOf(host)),
    response: yield* watched(permit, head, response)
  }
  return ended
})

/** So long nobody reads a body, and its call counts as open no more. */
const unreadFor = Duration.seconds(30)

const watched = (permit: Permit, head: Refusal.Answer, response: Response): Effect.Effect<Response> =>
  Effect.withFiber((fiber) => {
    const runFork = Effect.runForkWith(fiber.context)
    const over = () => void runFork(permit.release)
    return Effect.sync(() =>
      Watched.watch(response, {
        over,
        stalled: () => {
          const waiting = runFork(Effect.andThen(Effect.sleep(unreadFor), permit.release))
          return () => void runFork(Fiber.interrupt(waiting))
        },
        whole:
          permit.settles === "by body" && Peek.isData(response)
            ? (body) => void runFork(permit.settle({ ...head, body }))
            : undefined
      })
    )
  })

/** What the upstream would have said. */
const refusal = ({ forMillis, message }: LaneHeld): Ended => {
  const headers = { "content-type": "text/plain", "retry-after": String(Math.ceil(forMillis / 1000)) }
  return {
    _tag: "Answered",
    response: new Response(message, { status: 429, statusText: "Too Many Requests", headers }),
    said: { kind: "TooMany", wait: forMillis, by: "retry_after", limit: undefined, isExhausted: false }
  }
}

const promised = (call: () => Promise<Response>): Effect.Effect<Response, Rejected> =>
  Effect.tryPromise({ try: call, catch: (cause): Rejected => ({ cause }) })

/**
 * A target that misbehaves on purpose. The first part of a path says how; what follows tells calls apart, so
 * `/flaky/a` and `/flaky/b` each fail once.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { setTimeout as sleep } from "node:timers/promises"
import { bodyOf, dead, serve } from "./Loopback.ts"

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds it takes. */
  readonly after?: number
}

const habits: Readonly<Record<string, (nth: number, region: string | undefined) => Answer>> = {
  orders: () => ({ status: 201 }),
  stock: () => ({ status: 200 }),
  backup: () => ({ status: 200 }),
  hooks: () => ({ status: 200 }),
  flaky: (nth) => ({ status: nth === 1 ? 503 : 200 }),
  limited: (nth) => (nth === 1 ? { status: 429, headers: { "Retry-After": "1" } } : { status: 200 }),
  paced: () => ({ status: 200, headers: { "X-Aqueduct-Rps": "10" } }),
  closed: () => ({ status: 429, headers: { "Retry-After": "120" } }),
  broken: () => ({ status: 500 }),
  uneven: (_, region) => ({ status: region === "iad" ? 502 : 200 }),
  leisurely: () => ({ status: 200, after: 500 }),
  slow: () => ({ status: 200, after: 5_000 })
}

const distance: Readonly<Record<string, number>> = { iad: 20, lax: 600 }

/** A call as it arrived. */
export interface Call {
  readonly region: string | undefined
  readonly method: string
  readonly path: string
  /** Milliseconds on the process's own clock. */
  readonly at: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
  /** The caller hung up before it had its answer. */
  abandoned: boolean
}

export interface Upstream {
  readonly url: string
  /** The same target under a host of its own, whose pace is nobody else's. */
  readonly other: string
  /** The same target from three places: `iad` is well, `lax` is slow, `ord` is dead. */
  readonly regions: { readonly iad: string; readonly lax: string; readonly ord: string }
  /** Every call to a path so far. */
  readonly calls: (path: string) => ReadonlyArray<Call>
  /** Waits for the first call to a path. */
  readonly called: (path: string) => Effect.Effect<Call>
  /** Waits for a caller of this path to hang up. */
  readonly abandoned: (path: string) => Effect.Effect<Call>
  /** Hears of every call from now on, when it was answered or the caller had hung up. */
  readonly listen: (listener: (call: Call, status: number) => void) => Effect.Effect<void, never, Scope.Scope>
}

export const make: Effect.Effect<Upstream, never, Scope.Scope> = Effect.gen(function* () {
  const ledger: Array<Call> = []
  const watchers = new Set<() => void>()
  const listeners = new Set<(call: Call, status: number) => void>()
  const changed = () => watchers.forEach((look) => look())

  const first = (wanted: (call: Call) => boolean): Effect.Effect<Call> =>
    Effect.callback((resume) => {
      const look = () => {
        const call = ledger.find(wanted)
        if (call !== undefined) resume(Effect.succeed(call))
      }
      watchers.add(look)
      look()
      return Effect.sync(() => watchers.delete(look))
    })

  const server = (region?: string) =>
    serve(async (request, response) => {
      const at = performance.now()
      const { pathname: path } = new URL(request.url ?? "/", "http://upstream")
      const body = await bodyOf(request)
      const call: Call = {
        region,
        method: request.method ?? "",
        path,
        at,
        headers: request.headers,
        body,
        abandoned: false
      }
      ledger.push(call)
      changed()
      response.on("close", () => {
        call.abandoned = !response.writableFinished
        listeners.forEach((listener) => listener(call, response.statusCode))
        changed()
      })
      const nth = ledger.filter((other) => other.path === path && other.region === region).length
      const answer = habits[path.split("/")[1] ?? ""]?.(nth, region) ?? { status: 404 }
      await sleep((answer.after ?? 0) + (distance[region ?? ""] ?? 0), undefined, { ref: false })
      if (response.destroyed) return
      response.writeHead(answer.status, { "Content-Type": "application/json", ...answer.headers })
      response.end(JSON.stringify({ path, region, status: answer.status }))
    })

  return {
    url: yield* server(),
    other: yield* server(),
    regions: { iad: yield* server("iad"), lax: yield* server("lax"), ord: yield* dead },
    calls: (path) => ledger.filter((call) => call.path === path),
    called: (path) => first((call) => call.path === path),
    abandoned: (path) => first((call) => call.path === path && call.abandoned),
    listen: (listener) =>
      Effect.acquireRelease(
        Effect.sync(() => void listeners.add(listener)),
        () => Effect.sync(() => listeners.delete(listener))
      )
  }
})

/** Limited upstreams on loopback, in a thread of their own: one for each client, so that no two draw on the same limit. */
import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import * as Upstream from "../../engine/pace/sim/Upstream.ts"

export const limit = 25
export const windowMillis = 5000
export const rps = (1000 * limit) / windowMillis

const makers = {
  "fixed window": () => Upstream.fixed(limit, windowMillis, () => 0),
  "sliding window": () => Upstream.sliding(limit, windowMillis),
  "token bucket": () => Upstream.bucket(rps, 2 * rps),
  "refused calls count": () => Upstream.sliding(limit, windowMillis, true)
}

export interface Place {
  readonly client: string
  readonly limiter: keyof typeof makers
  /** Whether answers tell of the limit; where they do not, a refusal is a 429 and nothing else. */
  readonly isTold: boolean
}

export interface Seen extends Place {
  readonly accepted: number
  readonly refused: number
  /** Milliseconds from the first call to the last one that was needed, or to the end of the run. */
  readonly took: number
}

export const limiters = Object.keys(makers) as ReadonlyArray<Place["limiter"]>

/** The milliseconds that so many calls take at least: each as soon as it is let through. */
export const least = (limiter: Place["limiter"], calls: number): number => {
  const upstream = makers[limiter]()
  let at = 0
  for (let n = 0; n < calls; n++) {
    // the end of a window still belongs to it
    while (upstream.wait(at) > 0) at += upstream.wait(at) + 1e-3
    upstream.arrive(at, Math.random)
  }
  return at
}

/** A service is not next door. */
const roundTripMillis = 30

const headersOf = (upstream: Upstream.Upstream, now: number, isOk: boolean): Readonly<Record<string, string>> => {
  const seconds = (millis: number) => String(Math.ceil(millis / 1000))
  return {
    "x-ratelimit-limit": String(upstream.limit),
    "x-ratelimit-remaining": String(upstream.left(now)),
    "x-ratelimit-reset": seconds(upstream.reset(now)),
    ...(isOk ? {} : { "retry-after": seconds(upstream.wait(now)) })
  }
}

const serve = async (place: Place, calls: number, ended: () => void) => {
  const upstream = makers[place.limiter]()
  let began: number | undefined
  let accepted = 0
  let refused = 0
  let took: number | undefined
  const answer = (response: ServerResponse) => {
    const at = performance.now()
    began ??= at
    const now = at - began
    const { isOk } = upstream.arrive(now, Math.random)
    if (took === undefined && isOk) accepted++
    if (took === undefined && !isOk) refused++
    response.writeHead(isOk ? 200 : 429, place.isTold ? headersOf(upstream, now, isOk) : {})
    setTimeout(() => response.end(), roundTripMillis)
    if (isOk && accepted === calls && took === undefined) {
      took = now
      ended()
    }
  }
  const server = createServer((request, response) => {
    request.resume()
    answer(response)
  })
  server.keepAliveTimeout = 3_600_000
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`,
    seen: (): Seen => ({ ...place, accepted, refused, took: took ?? performance.now() - (began ?? performance.now()) })
  }
}

if (!isMainThread && workerData.places !== undefined) {
  const { calls, places }: { readonly calls: number; readonly places: ReadonlyArray<Place> } = workerData
  let left = places.length
  const ended = () => {
    if (--left === 0) parentPort?.postMessage("all")
  }
  const served = await Promise.all(places.map((place) => serve(place, calls, ended)))
  parentPort?.postMessage(served.map(({ url }) => url))
  parentPort?.on("message", () => parentPort?.postMessage(served.map(({ seen }) => seen())))
}

/** Starts them, and answers where each is. */
export const start = async (places: ReadonlyArray<Place>, calls: number) => {
  const worker = new Worker(new URL(import.meta.url), { workerData: { places, calls } })
  const [urls]: Array<ReadonlyArray<string>> = await once(worker, "message")
  return {
    urls: urls ?? [],
    /** Resolves when every client has got through with its calls. */
    all: once(worker, "message"),
    seen: async (): Promise<ReadonlyArray<Seen>> => {
      const answered = once(worker, "message")
      worker.postMessage("seen")
      const [seen] = await answered
      return seen
    },
    stop: () => worker.terminate()
  }
}

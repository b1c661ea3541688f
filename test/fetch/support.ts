/** A `fetch` that answers as a test says, after a while of the test's clock. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

export interface Sent {
  readonly at: number
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: string
}

type Answer = (nth: number, sent: Sent) => Response | Error

export const fake = Effect.fnUntraced(function* (answer: Answer, takes = 0) {
  const context = yield* Effect.context<never>()
  const clock = yield* Clock.Clock
  const sent: Array<Sent> = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const at = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    const one = { at, url: request.url, method: request.method, headers: request.headers, body: "" }
    const nth = sent.push(one)
    sent[nth - 1] = { ...one, body: await request.text() }
    if (takes > 0) await Effect.runPromiseWith(context)(Effect.sleep(takes))
    const answered = answer(nth, one)
    if (answered instanceof Error) throw answered
    return answered
  }
  return { fetch, sent }
})

/** Turns the clock in steps, letting promises go on between them. */
export const turn = Effect.fnUntraced(function* (millis: number, step = 50) {
  for (let n = 0; n < millis; n += step) {
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    yield* TestClock.adjust(step)
  }
  yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
})

export const json = (value: unknown, init: ResponseInit = {}): Response =>
  new Response(JSON.stringify(value), { ...init, headers: { "content-type": "application/json", ...init.headers } })

export const refused = (seconds?: number): Response =>
  new Response("slow down", { status: 429, headers: seconds === undefined ? {} : { "retry-after": String(seconds) } })

/** A body that a test feeds. */
export const fed = () => {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (own) => void (controller = own) })
  return {
    stream,
    say: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    fail: (cause: unknown) => controller?.error(cause)
  }
}

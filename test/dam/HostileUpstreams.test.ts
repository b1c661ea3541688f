import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import type { AddressInfo, Socket } from "node:net"
import * as tls from "node:tls"
import { gzipSync } from "node:zlib"
import * as Dam from "../../src/dam/Dam.ts"
import { laneOf } from "../../src/dam/job/LaneName.ts"
import type { StoredJob } from "../../src/dam/job/Job.ts"
import * as Step from "../../src/step/Step.ts"
import * as Upstream from "../conformance/upstream.ts"

const limit = 1_048_576

/** A dam whose jobs are tried once more, soon. */
const start = (options: Partial<Dam.DamOptions> = {}) =>
  Effect.map(
    Dam.make({
      path: ":memory:",
      pacing: { pace: { rps: 1000, maxConcurrent: 100 } },
      connectTimeout: "200 millis",
      ...options
    }),
    (dam) => ({
      ...dam,
      run: Effect.fnUntraced(function* (
        url: string,
        change: (step: ReturnType<typeof Step.get>) => Step.Step = (it) => it
      ) {
        const step = change(Step.retryPolicy(Step.get(url), { maxRetries: 1, maxReroutes: 0, base: "1 millis" }))
        const { jobId } = yield* dam.service.transport.submit({ step, key: undefined, retryAt: undefined })
        yield* dam.service.results.await(jobId)
        return (yield* dam.store.get(jobId)) ?? (yield* Effect.die(new Error("the job is gone")))
      })
    })
  )

/** How a job ended, and how often its target was called. */
const endOf = ({ history, result }: StoredJob) => [result?.error?.tag, history.length]

const head = (...lines: ReadonlyArray<string>) =>
  `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`
const packed = (encoding: string, body: Uint8Array) =>
  Buffer.concat([Buffer.from(head(`Content-Encoding: ${encoding}`, `Content-Length: ${body.length}`)), body])
const layers = (count: number) => Array.from({ length: count }, () => "gzip").join(", ")

const pour = (socket: Socket) => {
  socket.write(head("Transfer-Encoding: chunked"))
  const more = () => {
    while (!socket.destroyed && socket.write(`4000\r\n${"a".repeat(16_384)}\r\n`)) {
      // until the buffers are full
    }
  }
  socket.on("drain", more)
  more()
}

interface Row {
  readonly answer: (socket: Socket) => void
  readonly tag: string
  /** Calls: 2 where the policy's one retry is used. */
  readonly calls: 1 | 2
  /** What of the answer is kept: its status and how many bytes. */
  readonly kept?: readonly [status: number, bytes: number]
}

const says =
  (what: string | Uint8Array): Row["answer"] =>
  (socket) =>
    socket.end(what)

const rows: Readonly<Record<string, Row>> = {
  "U01 garbage instead of a status line": { answer: says("220 smtp\r\n\r\n"), tag: "InvalidResponse", calls: 2 },
  "U02 status 099": { answer: says("HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n"), tag: "InvalidResponse", calls: 2 },
  "U02 status 600": { answer: says("HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n"), tag: "InvalidResponse", calls: 2 },
  "U02 status 1000": {
    answer: says("HTTP/1.1 1000 Odd\r\nContent-Length: 0\r\n\r\n"),
    tag: "InvalidResponse",
    calls: 2
  },
  "U04 100,000 headers": {
    answer: says(head(...Array.from({ length: 100_000 }, (_, index) => `X-${index}: a`))),
    tag: "HeadersTooLarge",
    calls: 1
  },
  "U05 1,000 interim answers": {
    answer: (socket) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000)),
    tag: "TooManyInterim",
    calls: 2
  },
  "U07 an endless body": { answer: pour, tag: "ResponseTooLarge", calls: 1, kept: [200, limit] },
  "U07 a body that is announced too large": {
    answer: (socket) => {
      socket.write(head("Content-Length: 99999999"))
      socket.write(Buffer.alloc(limit + 1))
    },
    tag: "ResponseTooLarge",
    calls: 1,
    kept: [200, limit]
  },
  "U08 a byte now and then": {
    answer: (socket) => socket.write(head("Content-Length: 100") + "a"),
    tag: "AttemptTimedOut",
    calls: 2
  },
  "U10 accepts and resets": { answer: (socket) => socket.resetAndDestroy(), tag: "ConnectionFailed", calls: 2 },
  "U10 accepts and hangs up": { answer: (socket) => socket.end(), tag: "ConnectionFailed", calls: 2 },
  "U13 six layers of Content-Encoding": {
    answer: says(packed(layers(6), Buffer.from("x"))),
    tag: "UnsupportedEncoding",
    calls: 1,
    kept: [200, 1]
  },
  "U14 what is no gzip": {
    answer: says(packed("gzip", Buffer.alloc(100_000, "x"))),
    tag: "InvalidEncoding",
    calls: 2,
    kept: [200, 65_536]
  },
  "U14 half a gzip": {
    answer: says(packed("gzip", gzipSync("the body of the answer").subarray(0, 20))),
    tag: "InvalidEncoding",
    calls: 2,
    kept: [200, 20]
  }
}

describe("a hostile upstream", () => {
  for (const [name, { answer, calls, kept, tag }] of Object.entries(rows)) {
    it.live(`${name}: ${tag}, called ${calls === 1 ? "once" : "twice"}`, () =>
      Effect.gen(function* () {
        const { url } = yield* Upstream.raw(answer)
        const dam = yield* start(tag === "AttemptTimedOut" ? { attemptTimeout: Duration.millis(100) } : {})
        const job = yield* dam.run(url)
        assert.deepStrictEqual(endOf(job), [tag, calls])
        const response = job.result?.response
        assert.deepStrictEqual(response && [response.status, response.body.length], kept && [...kept])
      })
    )
  }

  it.live("U11 that refuses, and one that accepts and never shakes hands, are told apart", () =>
    Effect.gen(function* () {
      const dam = yield* start()
      const nobody = yield* Upstream.nobody
      const hole = yield* Upstream.raw(() => {})
      const failures = yield* Effect.forEach([nobody.url, hole.url.replace("http:", "https:")], (url) =>
        Effect.map(dam.run(url), ({ history }) =>
          history.map(({ ending }) =>
            ending._tag === "Failed" && "kind" in ending.failure ? ending.failure.kind : ending
          )
        )
      )
      assert.deepStrictEqual(failures, [
        ["refused", "refused"],
        ["unreachable", "unreachable"]
      ])
    })
  )

  for (const [method, status] of [
    ["GET", 204],
    ["GET", 304],
    ["HEAD", 200]
  ] as const) {
    it.live(`U25 a body after ${status} to ${method} is ignored, and the connection closed`, () =>
      Effect.gen(function* () {
        const closed = yield* Deferred.make<void>()
        const { url } = yield* Upstream.raw((socket) => {
          socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
          socket.write(`HTTP/1.1 ${status} Odd\r\nContent-Length: 5\r\n\r\nhello`)
        })
        const dam = yield* start()
        const job = yield* dam.run(url, (step) => Step.method(step, method))
        assert.deepStrictEqual([job.result?.response?.status, job.result?.response?.body.length], [status, 0])
        yield* Deferred.await(closed)
      })
    )
  }
})

describe("what a hostile upstream says of its pace", () => {
  const day = 24 * 60 * 60 * 1000
  const http = (millis: number) => new Date(millis).toUTCString()
  const asctime = (millis: number) => {
    const [weekday, date, month, year, time] = http(millis).replace(",", "").split(" ")
    return `${weekday} ${month} ${date?.replace(/^0/, " ")} ${time} ${year}`
  }
  const rfc850 = (millis: number) => {
    const [, date, month, year, time] = http(millis).split(" ")
    const weekday = new Date(millis).toLocaleDateString("en-US", { weekday: "long", timeZone: "UTC" })
    return `${weekday}, ${date}-${month}-${year?.slice(2)} ${time} GMT`
  }

  /** Headers, and how long the lane is then held for; nobody is quicker than ten seconds. */
  const waits: Readonly<Record<string, readonly [lines: (now: number) => ReadonlyArray<string>, held: number]>> = {
    "U16 seconds": [() => ["Retry-After: 120"], 120_000],
    "U17 a date": [(now) => [`Retry-After: ${http(now + 100_000)}`], 100_000],
    "U17 a date as C writes it": [(now) => [`Retry-After: ${asctime(now + 100_000)}`], 100_000],
    "U17 a date with a weekday in full": [(now) => [`Retry-After: ${rfc850(now + 100_000)}`], 100_000],
    "U17 a date that has passed": [(now) => [`Retry-After: ${http(now - 100_000)}`], 0],
    "U19 more than a day": [() => ["Retry-After: 99999999999"], day],
    "U20 two that differ": [() => ["Retry-After: 100", "Retry-After: 200"], 0]
  }
  const told = Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
    const { url } = yield* Upstream.raw((socket) =>
      socket.end(`HTTP/1.1 503 Busy\r\n${lines.join("\r\n")}\r\nContent-Length: 0\r\n\r\n`)
    )
    const dam = yield* start()
    yield* dam.run(url, Step.retryPolicy({ maxRetries: 0 }))
    const lane = (yield* dam.engine.lanes).find((it) => it.lane === laneOf(url))
    return lane ?? (yield* Effect.die(new Error("there is no lane")))
  })

  for (const [name, [lines, held]] of Object.entries(waits)) {
    it.live(`${name} holds the lane for ${held / 1000} seconds`, () =>
      Effect.gen(function* () {
        const { heldFor, ignored } = yield* told(lines(yield* Clock.currentTimeMillis))
        assert.isAtMost(heldFor, held)
        assert.isAtLeast(heldFor, Math.max(0, held - 10_000))
        assert.strictEqual(ignored, name.startsWith("U20") ? 1 : 0)
      })
    )
  }

  const paces: Readonly<Record<string, readonly [line: string, rps: number, maxConcurrent: number, ignored: number]>> =
    {
      "U22 a rate above the ceiling": ["X-Aqueduct-Rps: 99999", 1000, 100, 0],
      "U23 concurrency 0": ["X-Aqueduct-Max-Concurrent: 0", 1000, 100, 1],
      "U23 concurrency 1.5": ["X-Aqueduct-Max-Concurrent: 1.5", 1000, 100, 1],
      "U23 concurrency -1": ["X-Aqueduct-Max-Concurrent: -1", 1000, 100, 1],
      "U23 concurrency 2e9": ["X-Aqueduct-Max-Concurrent: 2e9", 1000, 100, 1],
      "U23 concurrency 2000000000": ["X-Aqueduct-Max-Concurrent: 2000000000", 1000, 100, 0]
    }
  for (const [name, [line, rps, maxConcurrent, ignored]] of Object.entries(paces)) {
    it.live(`${name} is ${ignored === 0 ? "brought to the ceiling" : "ignored, and counted"}`, () =>
      Effect.map(told([line]), (lane) => {
        assert.deepStrictEqual([lane.pace, lane.ignored], [{ rps, maxConcurrent }, ignored])
      })
    )
  }
})

describe("TLS that cannot be trusted (U26)", () => {
  const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), "utf8")

  /** A server with one of the certificates, all of one key; `good` proves that the others fail for their own fault. */
  const secure = (name: string) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.callback<tls.Server>((resume) => {
          const server = tls.createServer({ cert: pem(name), key: pem("key") }, (socket) => {
            socket.on("error", () => {})
            socket.once("data", () => socket.end(head("Content-Length: 0")))
          })
          server.on("tlsClientError", () => {})
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      ),
      (server) => `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    )

  const trusting = Effect.acquireRelease(
    Effect.sync(() => {
      const before = tls.getCACertificates("default")
      tls.setDefaultCACertificates([...before, pem("ca")])
      return before
    }),
    (before) => Effect.sync(() => tls.setDefaultCACertificates(before))
  )

  const failuresOf = ({ history }: StoredJob) =>
    history.map(({ ending }): string =>
      ending._tag === "Failed" && ending.failure._tag === "TlsError" ? ending.failure.kind : ending._tag
    )

  const certificates = { expired: ["expired", "expired"], name: ["name"], issuer: ["issuer"] }
  for (const [name, failures] of Object.entries(certificates)) {
    it.live(`for its ${name} is called ${failures.length === 1 ? "once" : "again"}`, () =>
      Effect.gen(function* () {
        yield* trusting
        const dam = yield* start({ connectTimeout: "5 seconds" })
        assert.deepStrictEqual(failuresOf(yield* dam.run(yield* secure(name))), failures)
      })
    )
  }

  it.live("is told from a certificate that is good", () =>
    Effect.gen(function* () {
      yield* trusting
      const dam = yield* start({ connectTimeout: "5 seconds" })
      assert.strictEqual((yield* dam.run(yield* secure("good"))).result?.response?.status, 200)
    })
  )

  it.live("for its age is refused: TLS 1.0", () =>
    Effect.gen(function* () {
      // the answer of a server that speaks nothing newer: a fatal alert, protocol_version
      const { url } = yield* Upstream.bytes((socket) => socket.end(Buffer.from("15030100020246", "hex")))
      const dam = yield* start({ connectTimeout: "5 seconds" })
      assert.deepStrictEqual(failuresOf(yield* dam.run(url.replace("http:", "https:"))), ["other", "other"])
    })
  )
})

describe("a kept connection that is closed in the moment of its use (U32)", () => {
  /** Answers the first call of the first connections, and hangs up on their second. */
  const fickle = (connections: number) => {
    const heard: Array<string> = []
    let opened = 0
    return Effect.map(
      Upstream.bytes((socket) => {
        const isFickle = ++opened <= connections
        let calls = 0
        socket.on("data", (chunk) => {
          heard.push(/idempotency-key: (.*)\r/i.exec(chunk.toString("latin1"))?.[1] ?? "")
          if (isFickle && ++calls > 1) socket.resetAndDestroy()
          else socket.write(head("Content-Length: 0"))
        })
      }),
      ({ url }) => ({ url, heard, opened: () => opened })
    )
  }

  it.live("is replaced at once: one attempt, the same key", () =>
    Effect.gen(function* () {
      const { heard, opened, url } = yield* fickle(1)
      const dam = yield* start()
      const post = (step: Step.Step) => Step.method(step, "POST")
      yield* dam.run(`${url}&first`, post)
      const job = yield* dam.run(`${url}&second`, post)
      assert.deepStrictEqual(
        job.history.map(({ ending }) => ending._tag),
        ["Answered"]
      )
      assert.deepStrictEqual([heard.length, opened()], [3, 2])
      assert.strictEqual(heard[1], job.id)
      assert.strictEqual(heard[2], job.id)
    })
  )

  it.live("is replaced once: a new one that breaks too is a failed attempt", () =>
    Effect.gen(function* () {
      const { url } = yield* Upstream.bytes((socket) => {
        let calls = 0
        socket.on("data", () => {
          if (++calls === 1 && !broken) socket.write(head("Content-Length: 0"))
          else socket.resetAndDestroy()
          broken ||= calls > 1
        })
      })
      let broken = false
      const dam = yield* start()
      yield* dam.run(`${url}&first`)
      assert.deepStrictEqual(endOf(yield* dam.run(`${url}&second`)), ["ConnectionFailed", 2])
    })
  )
})

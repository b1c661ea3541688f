import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Double from "./HttpDouble.ts"
import { open } from "./HttpWire.ts"

const post = (path: string, body: unknown, more = ""): string => {
  const text = JSON.stringify(body)
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}

const job = (n: number) => ({ url: `https://api.example.com/${n}`, idempotent_key: `key ${n}` })
const flat = (n: number) => ({
  user_id: "u",
  idempotent_key: `key ${n}`,
  url: `https://api.example.com/${n}`,
  method: "GET",
  webhook_url: "https://hooks.example.com/"
})
const health = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

/** Sends bytes and reads until the pattern has come as often as asked, or the connection is closed. */
const until = (port: number, bytes: string, pattern: RegExp, times: number) =>
  Effect.promise(async () => {
    const socket = await open(port)
    let text = ""
    const done = new Promise<string>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8")
        if ((text.match(pattern) ?? []).length >= times) resolve(text)
      })
      socket.on("close", () => resolve(text))
    })
    socket.write(bytes)
    return done.finally(() => socket.destroy())
  })

describe("a connection to the dam", () => {
  it.live("answers requests that were sent at once in their order, whichever way each of them takes", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const requests = [
        post("/api/v1/jobs", job(1)),
        health,
        post("/jobs", flat(2)),
        post("/api/v1/jobs?", job(3)),
        post("/api/v1/jobs", job(1)),
        health
      ]
      const text = yield* until(dam.port, requests.join(""), /HTTP\/1\.1 \d+/g, 6)
      assert.deepStrictEqual(
        [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)),
        [201, 200, 201, 201, 200, 200]
      )
    })
  )

  for (const path of ["/api/v1/jobs", "/jobs", "/api/v1/proxy"]) {
    it.live(`tells a client that asks first to go on, once (${path})`, () =>
      Effect.gen(function* () {
        const dam = yield* Double.make()
        const body =
          path === "/api/v1/proxy"
            ? {
                scope: "customer",
                metric_name: "",
                target_url: "https://x.example/api/v1/jobs",
                method: "POST",
                headers: {},
                body: JSON.stringify(job(1))
              }
            : path === "/jobs"
              ? flat(1)
              : job(1)
        const text = yield* until(dam.port, post(path, body, "Expect: 100-continue\r\n"), /job_id/g, 1)
        assert.lengthOf([...text.matchAll(/HTTP\/1\.1 100/g)], 1)
        assert.match(text, /HTTP\/1\.1 20[01] /)
      })
    )
  }

  it.live("stays open for the next request after a refusal whose body was read, and not after one that was not", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ limits: { bodyBytes: 200 } })
      const read = yield* until(dam.port, post("/api/v1/jobs", { url: 7 }) + health, /HTTP\/1\.1 \d+/g, 2)
      assert.deepStrictEqual(
        [...read.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)),
        [400, 200]
      )
      const smuggled = { url: "https://api.example.com/", body: `${"x".repeat(300)}${health}` }
      const large = yield* until(dam.port, post("/api/v1/jobs", smuggled) + health, /HTTP\/1\.1 \d+/g, 2)
      assert.deepStrictEqual(
        [...large.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)),
        [413]
      )
      const wrong = post("/api/v1/jobs", smuggled).replace("application/json", "text/plain")
      const typed = yield* until(dam.port, wrong + health, /HTTP\/1\.1 \d+/g, 2)
      assert.isAtMost([...typed.matchAll(/HTTP\/1\.1 200/g)].length, 1)
      assert.include(typed, "HTTP/1.1 415")
    })
  )
})

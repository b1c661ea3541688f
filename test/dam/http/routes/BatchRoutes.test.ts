/** Batches over HTTP: handed in line by line, gone on with, shown, and refused where something is wrong. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { connect } from "node:net"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import { answerOf, faultsIn } from "../../api/Document.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

interface Asked {
  readonly body?: string
  readonly type?: string
  readonly key?: string
}

const ask = (dam: Pick<Dam, "url">, method: string, path: string, { body, key, type }: Asked = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(`${dam.url}/api/v1/batches${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
      headers: {
        ...(body === undefined ? {} : { "content-type": type ?? "application/x-ndjson" }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
      }
    })
    const json = JSON.parse(await answer.text())
    const described = `/api/v1/batches${path.replace(/\?.*$/, "").replace(/^\/[^/]+/, "/{id}")}`
    assert.deepStrictEqual(faultsIn(json, answerOf(method, described, answer.status)), [], `${method} ${path}`)
    return { status: answer.status, json }
  })

const line = (path: string, more: object = {}) => JSON.stringify({ url: `https://api.example.com/${path}`, ...more })

const handIn = (dam: Dam, lines: ReadonlyArray<string>, query = "") =>
  ask(dam, "POST", query, { body: `${lines.join("\n")}\n` })

const jobsIn = ({ jobs }: { readonly jobs: Readonly<Record<string, number>> }) =>
  Object.values(jobs).reduce((sum, n) => sum + n, 0)

describe("batches over HTTP", () => {
  it.live("take lines, and tell the bad ones by number and path without spoiling the others", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const lines = [line("a"), "nonsense", "", line("a"), line("b", { methid: "GET" }), line("c"), '{"url":"ftp://x"}']
      const { json, status } = yield* handIn(dam, lines, "?batch_id=may")
      assert.strictEqual(status, 201)
      assert.deepInclude(json, { batch_id: "may", status: "running", lines: 7, accepted: 2, duplicates: 1, refused: 3 })
      assert.strictEqual(json.jobs.queued, 2)
      const bad = json.refused_lines.map((one: any) => [one.line, one.code, one.field])
      assert.deepStrictEqual(bad, [
        [2, "invalid_json", undefined],
        [5, "unknown_field", "methid"],
        [7, "url_denied", "url"]
      ])
      assert.deepStrictEqual(
        json.duplicate_lines.map((one: any) => one.line),
        [4]
      )
      const first = yield* ask(dam, "GET", "/may/lines?kind=refused&limit=1")
      assert.deepInclude(first.json, { behind: 2 })
      const rest = yield* ask(dam, "GET", "/may/lines?kind=refused&behind=2")
      assert.deepStrictEqual([rest.json.lines.map((one: any) => one.line), rest.json.behind], [[5, 7], null])
    })
  )

  it.live("go on where they were: lines that are there are not taken twice, corrected ones are", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const unique = (n: number) =>
        line(`n${n}`, { idempotent_key: `drawn ${Math.trunc(performance.now() * 1000)} ${n}` })
      yield* handIn(dam, [unique(1), "bad", unique(3)], "?batch_id=b&open=true")
      const again = yield* handIn(dam, [unique(1), unique(2), unique(3), unique(4)], "?batch_id=b&open=true")
      assert.strictEqual(again.status, 200)
      assert.deepInclude(again.json, { status: "open", lines: 4, accepted: 4, duplicates: 0, refused: 0 })
      const part = yield* handIn(dam, [unique(5)], "?batch_id=b&first=5")
      assert.deepInclude(part.json, { status: "running", lines: 5, accepted: 5 })
      assert.strictEqual(jobsIn(part.json), 5)
      const late = yield* handIn(dam, [unique(6)], "?batch_id=b&first=6")
      assert.deepInclude(late.json, { lines: 5, accepted: 5 })
    })
  )

  it.live("go on after their client has died in the middle of a line", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { hostname, port } = new URL(dam.url)
      const lines = Array.from({ length: 700 }, (_, n) => line(`n${n}`))
      yield* Effect.callback<void>((resume) => {
        const socket = connect(Number(port), hostname, () => {
          socket.write(
            "POST /api/v1/batches?batch_id=b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n" +
              `Content-Length: 9999999\r\n\r\n${lines.slice(0, 600).join("\n")}`,
            () => socket.destroy()
          )
        })
        socket.on("close", () => resume(Effect.void))
      })
      const { json } = yield* handIn(dam, lines, "?batch_id=b")
      assert.deepInclude(json, { lines: 700, accepted: 700, duplicates: 0, refused: 0 })
      assert.strictEqual(jobsIn(json), 700)
    })
  )

  it.live("take a list, however it is spaced, and one document with all that is said", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const type = "application/json"
      const body = ` [ ${line("a", { body: '],"[{\\' })} ,\n ${line("b")}, 3]\n`
      const list = yield* ask(dam, "POST", "?batch_id=l", { type, body })
      assert.deepInclude(list.json, { lines: 3, accepted: 2, refused: 1 })
      assert.deepInclude((yield* ask(dam, "POST", "?batch_id=n", { type, body: "[ ]" })).json, {
        status: "ended",
        lines: 0
      })
      const whole = { batch_id: "w", metadata: { month: "may" }, jobs: [JSON.parse(line("c")), { url: 3 }] }
      const { json } = yield* ask(dam, "POST", "", { type, body: JSON.stringify(whole) })
      assert.deepInclude(json, { batch_id: "w", metadata: { month: "may" }, accepted: 1, refused: 1 })
      const page = yield* ask(dam, "GET", "?limit=2")
      assert.deepStrictEqual(
        page.json.batches.map((one: any) => one.batch_id),
        ["w", "n"]
      )
      const rest = yield* ask(dam, "GET", `?limit=2&cursor=${page.json.cursor}`)
      assert.deepStrictEqual(
        rest.json.batches.map((one: any) => one.batch_id),
        ["l"]
      )
    })
  )

  it.live("take all or none where they are handed in together", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const lines = [line("a"), line("b", { methid: "GET" })]
      const bad = yield* handIn(dam, lines, "?batch_id=t&together=true")
      assert.strictEqual(bad.status, 400)
      assert.deepInclude(bad.json, { code: "unknown_field", field: "methid", line: 2 })
      assert.strictEqual((yield* dam.store.stats).jobs.queued, 0)
      const good = yield* handIn(dam, [lines[0]!, line("b")], "?batch_id=t&together=true")
      assert.deepInclude(good.json, { status: "showing", accepted: 2, refused: 0 })
      const other = yield* handIn(dam, lines, "?batch_id=o&together=true&open=true")
      assert.strictEqual(other.status, 400)
      assert.strictEqual((yield* handIn(dam, lines, "?batch_id=o")).json.code, "batch_differs")
    })
  )

  it.live("say what is wrong with what is said of all", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const refusal = (head: unknown, query = "") =>
        Effect.map(handIn(dam, [JSON.stringify({ batch: head }), line("a")], query), ({ json, status }) => [
          status,
          json.code,
          json.field
        ])
      assert.deepStrictEqual(yield* refusal(3), [400, "invalid_field", "batch"])
      assert.deepStrictEqual(yield* refusal({ onComplete: {} }), [400, "unknown_field", "batch.onComplete"])
      assert.deepStrictEqual(yield* refusal({ on_complete: { url: 3 } }), [400, "invalid_field", "on_complete.url"])
      assert.deepStrictEqual(yield* refusal({ webhook_url: "http://127.0.0.1/" }), [422, "url_denied", "webhook_url"])
      assert.deepStrictEqual(yield* refusal({ batch_id: "a/b" }), [400, "invalid_field", "batch_id"])
      assert.deepStrictEqual(yield* refusal({}, "?batch_id=gap&first=3"), [409, "lines_missing", undefined])
      assert.strictEqual((yield* ask(dam, "POST", "", { body: "a", type: "text/csv" })).status, 415)
      assert.strictEqual(
        (yield* ask(dam, "POST", "", { body: '"text"', type: "application/json" })).json.code,
        "invalid_json"
      )
      assert.strictEqual(
        (yield* ask(dam, "POST", "", { body: '{"jobs":3}', type: "application/json" })).json.field,
        "jobs"
      )
      assert.strictEqual((yield* ask(dam, "GET", "/nobody")).json.code, "batch_not_found")
    })
  )

  it.live("take more lines at a time than a call takes arguments", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const body = `{"jobs":[${"0,".repeat(200_000)}0]}`
      const { json, status } = yield* ask(dam, "POST", "?batch_id=c", { type: "application/json", body })
      assert.deepStrictEqual([status, json.code], [400, "too_many_refused"])
    })
  )

  it.live("bound each line and not the whole", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ limits: { bodyBytes: 1000 } })
      const lines = Array.from({ length: 100 }, (_, n) => line(`n${n}`, { body: "x".repeat(n === 50 ? 1000 : 500) }))
      const { json } = yield* handIn(dam, lines)
      assert.deepInclude(json, { accepted: 99, refused: 1 })
      assert.deepInclude(json.refused_lines[0], { line: 51, code: "body_too_large" })
      assert.match(json.batch_id, /^batch_/)
    })
  )

  it.live("take as long as lines come, and no longer", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ limits: { requestTimeout: 400, headTimeout: 200 } })
      const { hostname, port } = new URL(dam.url)
      const head = (path: string, type: string) =>
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`
      const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
      /** Sends something, then a line every so often; answers what is answered. */
      const slowly = (begin: string, lines: number) =>
        Effect.callback<string>((resume) => {
          let answer = ""
          const socket = connect(Number(port), hostname, () => socket.write(begin))
          let sent = 0
          const timer = setInterval(() => {
            if (sent++ < lines) socket.write(chunk(`${line(`n${sent}`)}\n`))
            else if (sent === lines + 1 && lines > 0) socket.write("0\r\n\r\n")
          }, 150)
          socket.on("data", (bytes) => (answer += String(bytes)))
          socket.on("error", () => undefined)
          socket.on("close", () => {
            clearInterval(timer)
            resume(Effect.succeed(answer))
          })
        })
      const [long, silent, other] = yield* Effect.all(
        [
          slowly(head("/api/v1/batches?batch_id=long", "application/x-ndjson"), 10),
          slowly(head("/api/v1/batches?batch_id=silent", "application/x-ndjson") + chunk(line("a")), 0),
          slowly(head("/api/v1/jobs", "application/json"), 10)
        ],
        { concurrency: 3 }
      )
      assert.match(long, /^HTTP\/1\.1 201 [^]*"accepted":10,/)
      assert.match(silent, /^HTTP\/1\.1 408 [^]*request_timeout/)
      assert.match(other, /^HTTP\/1\.1 408 /)
    })
  )

  it.live("belong to their customers", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(
        Keys.make(["acme", "other"].map((customer) => ({ customer, key: Redacted.make(`key-of-${customer}`) })))
      )
      const dam = yield* Double.make({ keys })
      const mine = { key: "key-of-acme", body: line("a") }
      assert.strictEqual((yield* ask(dam, "POST", "?batch_id=b", mine)).status, 201)
      assert.strictEqual((yield* ask(dam, "GET", "/b", { key: "key-of-other" })).status, 404)
      assert.strictEqual((yield* ask(dam, "POST", "?batch_id=b", { ...mine, key: "key-of-other" })).status, 201)
    })
  )
})

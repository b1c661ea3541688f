import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { type Built, build } from "./support/Built.ts"
import { ask, endAll, start } from "./support/DamProcess.ts"
import * as Loopback from "./support/Loopback.ts"

let built: Built
let upstream: Loopback.Loopback
let receiver: Loopback.Loopback
let collector: Loopback.Loopback

beforeAll(async () => {
  built = await build()
  upstream = await Loopback.upstream()
  receiver = await Loopback.receiver()
  collector = await Loopback.upstream()
})

afterEach(endAll)

afterAll(async () => {
  await Promise.all([upstream, receiver, collector].map(({ close }) => close()))
  built.remove()
})

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
}

/** The spans a collector was sent, in the JSON of OTLP. */
const spansIn = (seen: ReadonlyArray<Loopback.Seen>): ReadonlyArray<Span> =>
  seen
    .filter(({ path }) => path === "/v1/traces")
    .flatMap(({ body }) => JSON.parse(body).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

describe("a dam that is told of a collector", () => {
  it("reports the wait, the call and the webhook of a job in the trace of whoever submitted it", async () => {
    const dam = await start(built.bin, ["--port", "0", "--db", join(built.folder, "otlp.db"), "--allow-private"], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_SERVICE_NAME: "a dam that is watched"
      }
    })
    const headers = { traceparent: `00-${traceId}-${spanId}-01`, authorization: "Bearer canary-of-the-target" }
    const job = {
      url: `${upstream.url}/watched?token=canary-in-the-query`,
      method: "POST",
      headers: { authorization: headers.authorization },
      webhooks: [{ url: `${receiver.url}/hook` }]
    }
    const { body } = await ask(`${dam.url}/api/v1/jobs`, { body: job, headers: { traceparent: headers.traceparent } })
    await receiver.until((seen) => seen.some((hook) => hook.body.includes(body.job_id)))
    // what is under way is reported before it stops
    dam.signal("SIGTERM")
    await dam.ended

    const spans = spansIn(collector.seen).filter((span) => span.traceId === traceId)
    const names = new Set(spans.map(({ name }) => name))
    for (const name of ["ezthrottle.queue_wait", "ezthrottle.job", "ezthrottle.attempt", "ezthrottle.delivery"]) {
      assert.isTrue(names.has(name), `${name} is among ${[...names].join(", ")}`)
    }
    const known = new Set([spanId, ...spans.map((span) => span.spanId)])
    for (const { name, parentSpanId } of spans) assert.isTrue(known.has(parentSpanId ?? ""), name)

    const call = upstream.seen.find(({ path }) => path.startsWith("/watched"))
    assert.match(String(call?.headers["traceparent"]), new RegExp(`^00-${traceId}-`))
    const paths = new Set(collector.seen.map(({ path }) => path))
    assert.isTrue(paths.has("/v1/metrics"))
    const sent = collector.seen.map((one) => one.body).join("\n")
    assert.include(sent, "a dam that is watched")
    assert.notInclude(sent, "canary")
  })
})

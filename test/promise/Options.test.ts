/** How a client is set up, and what it says when it cannot work so. */
import { assert, describe, it } from "@effect/vitest"
import { EZThrottle, EZThrottleError, Step, StepType } from "../../src/promise.ts"
import { listen, listenAsEzthrottle, nowhere, rejection } from "./Loopback.ts"

const url = "https://api.example.com/orders"

describe("a client of a dam", () => {
  it("needs one argument, and no key on this machine", async () => {
    await using dam = await listenAsEzthrottle({
      direct: () => ({ status: 200, body: { job_id: "job-1", status: "queued" } })
    })
    await using client = new EZThrottle({ apiKey: "", dam: `${dam.url}/` })
    assert.strictEqual((await client.submitJob({ url })).job_id, "job-1")
    assert.strictEqual((await client.getJob("job-1")).status, "queued")
    assert.deepStrictEqual(
      dam.calls.map(({ authorization, targetUrl }) => [authorization, targetUrl]),
      [[undefined, `${dam.url}/api/v1/jobs`]]
    )
  })

  it("brings its key along where it has one, and misses it elsewhere", async () => {
    await using dam = await listenAsEzthrottle()
    await using client = new EZThrottle({ apiKey: "key-1", dam: dam.url })
    await client.submitJob({ url })
    assert.strictEqual(dam.calls[0]?.authorization, "Bearer key-1")
    await using far = new EZThrottle({ apiKey: "", dam: "https://dam.example.com" })
    assert.match((await rejection(far.submitJob({ url }))).message, /apiKey is required/)
  })

  it("carries bytes, as a dam can", async () => {
    await using dam = await listenAsEzthrottle()
    await using client = new EZThrottle({ dam: dam.url })
    await client.submitJob({ url, method: "POST", body: new Uint8Array([0xff]) })
    assert.strictEqual(dam.jobs[0].body_base64, "/w==")
  })

  it("is told when nobody listens there, or another program does", async () => {
    const dam = await nowhere()
    await using client = new EZThrottle({ dam, apiKey: "" })
    const refused = await rejection(client.getJob("job-1"))
    assert.include(
      refused.message,
      `nothing listens at ${dam}: start a dam there with \`npx ezthrottle-effect dam\`, or check the port`
    )
    await using web = await listen(() => ({ status: 404, body: "<html>not here</html>" }))
    await using lost = new EZThrottle({ dam: web.url, apiKey: "" })
    assert.include(
      (await rejection(lost.submitJob({ url }))).message,
      `what listens at ${web.url} is no dam; check the port`
    )
  })

  it("is refused at once when the URL cannot be one, or is said twice", () => {
    for (const dam of ["localhost:8080", "http://127.0.0.1:8080/api", "ftp://a.example", ""]) {
      assert.throws(() => new EZThrottle({ dam }), /^dam: Expected the http/)
    }
    assert.throws(
      () => new EZThrottle({ dam: "http://127.0.0.1:8080", tracktagsUrl: "http://127.0.0.1:8080" }),
      /dam: Expected no service/
    )
  })
})

describe("an option", () => {
  it.each([
    ["apikey", "apiKey"],
    ["api_key", "apiKey"],
    ["servce", "service"],
    ["ezThrottleUrl", "ezthrottleUrl"],
    ["tracktagUrl", "tracktagsUrl"]
  ])("that is misspelt is refused by name: %s", (name, meant) => {
    const options: object = { [name]: "x" }
    assert.throws(() => new EZThrottle(options), `${name}: is not known here; did you mean ${meant}?`)
  })

  it("that nobody knows is refused with those that are known", () => {
    const options: object = { retries: 3 }
    assert.throws(() => new EZThrottle(options), /^retries: is not known here; expected apiKey, dam, /)
  })
})

describe("a FRUGAL step that fails without a key", () => {
  const failing = async (target: string) => {
    await using client = new EZThrottle({ apiKey: "" })
    return await rejection(new Step(client).url(target).type(StepType.FRUGAL).execute())
  }

  it.each([429, 503])("says first what it was answered, then what was missing: %d", async (status) => {
    await using target = await listen(() => ({ status }))
    const error = await failing(target.url)
    assert.instanceOf(error, EZThrottleError)
    assert.match(
      error.message,
      new RegExp(
        `^answered ${status}; it was not forwarded, because there is no API key: set EZTHROTTLE_API_KEY, or .*EZTHROTTLE_DAM_URL`
      )
    )
  })

  it("says that nobody listened, or that the name has no address", async () => {
    assert.match((await failing(await nowhere())).message, /^no connection \(refused\): .*; it was not forwarded/)
    assert.match(
      (await failing("http://no-such-name.invalid/")).message,
      /^no connection \(notFound\): .*; it was not forwarded/
    )
  })
})

describe("a call after disposal", () => {
  it("names the client", async () => {
    const client = new EZThrottle({ apiKey: "key" })
    await client[Symbol.asyncDispose]()
    const error = await rejection(client.submitJob({ url }))
    assert.instanceOf(error, EZThrottleError)
    assert.match(error.message, /^This EZThrottle client was disposed before the call/)
    const step = new Step(client).url(url).type(StepType.FRUGAL)
    assert.match((await rejection(step.execute())).message, /^This EZThrottle client was disposed/)
  })
})

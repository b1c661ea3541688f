import { assert, describe, it } from "@effect/vitest"
import { EZThrottle, executeWithForwarding, ForwardToEZThrottle, StepType, withAutoForward } from "../../src/promise.ts"
import type { Answer, Seen } from "./Loopback.ts"
import { listen, listenAsEzthrottle, rejection } from "./Loopback.ts"

const setUp = async (answer: (seen: Seen) => Answer = () => ({ status: 200, body: "fine" })) => {
  const stack = new AsyncDisposableStack()
  const target = stack.use(await listen(answer))
  const proxy = stack.use(await listenAsEzthrottle())
  const client = stack.use(new EZThrottle({ apiKey: "key-1", tracktagsUrl: proxy.url }))
  return { target, proxy, client, url: `${target.url}/order`, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe("executeWithForwarding", () => {
  it.each([[7], [undefined], [null], [{ forward: 7 }], [{ forward: null }], [{ data: [] }]])(
    "passes %j through",
    async (value) => {
      await using at = await setUp()
      assert.strictEqual(await executeWithForwarding(at.client, () => value), value)
      assert.strictEqual(await executeWithForwarding(at.client, async () => value), value)
      assert.deepStrictEqual(at.proxy.calls, [])
    }
  )

  it("passes other errors through, thrown or rejected", async () => {
    await using at = await setUp()
    const error = new Error("mine")
    const thrower = (): number => {
      throw error
    }
    assert.strictEqual(await rejection(executeWithForwarding(at.client, thrower)), error)
    assert.strictEqual(await rejection(executeWithForwarding(at.client, () => Promise.reject(error))), error)
  })

  it("executes what { forward } asks for as a FRUGAL step", async () => {
    await using at = await setUp()
    const result = await executeWithForwarding(at.client, async () => ({
      forward: { url: at.url, method: "POST", body: "b" }
    }))
    assert.deepStrictEqual(result, { status: "success", executed_locally: true, status_code: 200, response: "fine" })
    assert.deepStrictEqual(
      at.target.seen.map(({ body, method }) => [method, body]),
      [["POST", "b"]]
    )
  })

  it("takes along everything a forward can say", async () => {
    await using at = await setUp(() => ({ status: 418 }))
    const forward = {
      url: at.url,
      method: "POST",
      headers: { A: "1" },
      body: "b",
      idempotentKey: "k",
      metadata: { m: 1 },
      webhooks: [{ url: at.url, hasQuorumVote: true }],
      regions: ["iad"],
      fallbackOnError: [418]
    }
    const result = await executeWithForwarding(at.client, () => ({ forward }))
    assert.isObject(result)
    assert.strictEqual(result.job_id, "job-1")
    assert.deepStrictEqual(at.proxy.jobs, [
      {
        url: at.url,
        method: "POST",
        headers: { A: "1" },
        body: "b",
        metadata: { m: 1 },
        webhooks: [{ url: at.url }],
        regions: ["iad"],
        idempotent_key: "k"
      }
    ])
  })

  it("executes it over the step type it names", async () => {
    await using at = await setUp()
    await executeWithForwarding(at.client, () => ({ forward: { url: at.url, stepType: StepType.PERFORMANCE } }))
    assert.deepStrictEqual([at.target.seen.length, at.proxy.jobs.length], [0, 1])
  })

  it("hands over what a ForwardToEZThrottle asks for, thrown from however deep", async () => {
    await using at = await setUp()
    const deep = async (): Promise<string> => {
      throw new ForwardToEZThrottle(at.url, "POST", { A: "1" }, "b", "k", { m: 1 }, [{ url: at.url }], ["iad"])
    }
    const result = await executeWithForwarding(at.client, async () => `never ${await deep()}`)
    assert.isObject(result)
    assert.deepStrictEqual(result, { job_id: "job-1", status: "queued", idempotent_key: "k" })
    assert.deepStrictEqual(at.proxy.jobs, [
      {
        url: at.url,
        method: "POST",
        headers: { A: "1" },
        body: "b",
        metadata: { m: 1 },
        webhooks: [{ url: at.url }],
        regions: ["iad"],
        idempotent_key: "k"
      }
    ])
    assert.deepStrictEqual(at.target.seen, [])
  })

  it("takes null for what a ForwardToEZThrottle leaves out", async () => {
    await using at = await setUp()
    const fail = () => {
      throw new ForwardToEZThrottle(at.url, null, null, "b", null, null, null, null)
    }
    await executeWithForwarding(at.client, fail)
    assert.deepStrictEqual(at.proxy.jobs, [{ url: at.url, method: "GET", body: "b" }])
  })

  it("takes a ForwardToEZThrottle made of one object, its step type included", async () => {
    await using at = await setUp()
    const fail = () => {
      throw new ForwardToEZThrottle({ url: at.url, stepType: StepType.FRUGAL })
    }
    const result = await executeWithForwarding(at.client, fail)
    assert.strictEqual(result.executed_locally, true)
  })

  it("rejects when the forward is refused", async () => {
    await using at = await setUp()
    assert.match(
      (await rejection(executeWithForwarding(at.client, () => ({ forward: { url: "no url" } })))).message,
      /^url:/
    )
  })

  it("stops when its signal is aborted", async () => {
    const abort = new AbortController()
    await using at = await setUp(() => {
      abort.abort()
      return "hang"
    })
    const running = executeWithForwarding(at.client, () => ({ forward: { url: at.url } }), { signal: abort.signal })
    assert.strictEqual((await rejection(running)).name, "AbortError")
  })
})

describe("withAutoForward", () => {
  it("returns a function with the same arguments that does the same", async () => {
    await using at = await setUp()
    const half = withAutoForward(at.client, async (count: number, unit: string) => {
      if (count < 0) throw new ForwardToEZThrottle({ url: at.url })
      return count > 9 ? { forward: { url: at.url } } : `${count / 2} ${unit}`
    })
    assert.strictEqual(await half(4, "apples"), "2 apples")
    const returned = await half(10, "apples")
    assert.isTrue(typeof returned === "object" && returned.executed_locally === true)
    const thrown = await half(-1, "apples")
    assert.isTrue(typeof thrown === "object" && thrown.job_id === "job-1")
  })
})

import { assert, describe, it } from "@effect/vitest"
import type { JobOptions, SubmitCount } from "../../src/promise.ts"
import { createTestClient } from "../../src/testing.ts"
import { rejection } from "./Loopback.ts"

const url = (n: number) => `https://api.example.com/${n}`

describe("submitMany", () => {
  it("asks for jobs only as there is room for them", async () => {
    const test = createTestClient({ delegations: "met" })
    let asked = 0
    function* jobs(): Generator<JobOptions> {
      for (; asked < 50;) yield { url: url(asked++) }
    }
    const running = test.client.submitMany(jobs(), { concurrency: 4 })
    for (let n = 0; n < 50; n++) {
      const taken = await test.nextDelegation()
      // those under way, and no more
      assert.isAtMost(asked, n + 4)
      await taken.reply({ jobId: `job-${n}` })
    }
    assert.deepStrictEqual(await running, { accepted: 50, duplicates: 0, failed: 0 })
    await test[Symbol.asyncDispose]()
  })

  it("tells how far it is, and which were known already", async () => {
    const test = createTestClient()
    const told: Array<[SubmitCount, string, number]> = []
    async function* jobs() {
      yield { url: url(1) }
      yield { url: url(1) }
    }
    await test.client.submitMany(jobs(), {
      concurrency: 1,
      onProgress: (count, answer, index) => told.push([count, answer.job_id, index])
    })
    assert.deepStrictEqual(told, [
      [{ accepted: 1, duplicates: 0, failed: 0 }, "job-1", 0],
      [{ accepted: 2, duplicates: 1, failed: 0 }, "job-1", 1]
    ])
    await test[Symbol.asyncDispose]()
  })

  it("ends at the first failure, and closes what it reads from", async () => {
    const test = createTestClient()
    let closed = false
    function* jobs(): Generator<JobOptions> {
      try {
        yield { url: url(1) }
        yield { url: "no url" }
        yield { url: url(3) }
      } finally {
        closed = true
      }
    }
    const error = await rejection(test.client.submitMany(jobs(), { concurrency: 1 }))
    assert.match(error.message, /^url:/)
    assert.isTrue(closed)
    assert.lengthOf(await test.service.jobs(), 1)
    await test[Symbol.asyncDispose]()
  })

  it("goes on where failures are looked after", async () => {
    const test = createTestClient()
    const failed: Array<number> = []
    const count = await test.client.submitMany([{ url: "no url" }, { url: url(2) }], {
      onFailure: (_, __, index) => failed.push(index)
    })
    assert.deepStrictEqual([count, failed], [{ accepted: 1, duplicates: 0, failed: 1 }, [0]])
    await test[Symbol.asyncDispose]()
  })

  it("refuses what cannot be meant", async () => {
    const { client } = createTestClient()
    const misspelt: object = { concurency: 3 }
    assert.match((await rejection(client.submitMany([], misspelt))).message, /did you mean concurrency\?/)
    assert.match((await rejection(client.submitMany([], { concurrency: 0 }))).message, /submitMany\.concurrency/)
    const none: unknown = { url: url(1) }
    assert.match((await rejection(client.submitMany(none as []))).message, /as a list/)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"

const heap = new URL("../../../src/cli/serving/Heap.ts", import.meta.url).href

/** Bytes of the young space at its largest, in a process of its own that keeps much of what it makes. */
const largest = (before: string): number => {
  const code = `
    import { keepYoungSpaceSmall, youngSpace } from ${JSON.stringify(heap)}
    ${before}
    let largest = 0
    for (let round = 0, kept = []; round < 40; round++) {
      for (let more = 0; more < 50_000; more++) kept.push({ more, list: [more] })
      largest = Math.max(largest, youngSpace())
      if (kept.length > 500_000) kept = []
    }
    console.log(largest)
  `
  const { stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" })
  return stdout === "" ? assert.fail(stderr) : Number(stdout)
}

describe("the space for young objects", () => {
  it("stays small where it is kept so, whatever survives", () => {
    const bytes = largest("keepYoungSpaceSmall()")
    assert.isAtMost(bytes, 32 * 1024 * 1024)
    assert.isAtLeast(bytes, 8 * 1024 * 1024)
  })

  it("would grow otherwise", () => {
    assert.isAbove(largest(""), 32 * 1024 * 1024)
  })
})

/** Bytes of the heap at its largest where 30 MiB or so are alive and much more grows old and is dropped. */
const heapOf = (before: string): number => {
  const code = `
    import { keepOldSpaceSmall, keepYoungSpaceSmall } from ${JSON.stringify(heap)}
    import { getHeapStatistics } from "node:v8"
    keepYoungSpaceSmall()
    ${before}
    const alive = Array.from({ length: 300_000 }, (_, n) => ({ n, list: [n] }))
    const queue = new Array(100_000)
    let largest = 0
    for (let n = 0; n < 6_000_000; n++) {
      queue[n % queue.length] = { n, list: [n] }
      if (n % 20_000 === 0) largest = Math.max(largest, getHeapStatistics().total_physical_size)
    }
    console.log(largest, alive.length)
  `
  const { stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" })
  return stdout === "" ? assert.fail(stderr) : Number(stdout.split(" ")[0])
}

describe("the space for old objects", () => {
  it("is cleared before it has grown much beyond what is alive", () => {
    assert.isBelow(heapOf("keepOldSpaceSmall()"), 0.8 * heapOf(""))
  })
})

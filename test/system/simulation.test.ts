/** Simulated worlds: clean ones from many seeds, equal ones from one, and faults that are told. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { planted } from "../simulation/Planted.ts"

const main = fileURLToPath(new URL("../simulation/main.ts", import.meta.url))

const simulate = async (
  args: ReadonlyArray<string>,
  set: Readonly<Record<string, string>> = {}
): Promise<ReadonlyArray<string>> => {
  const env = { ...process.env, ...set }
  // what was found is its output, whichever way it ends
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { env }).catch(
    (error: { readonly stdout: string }) => error
  )
  return stdout.trim().split("\n")
}

const hashIn = (line = ""): string => /trace ([0-9a-f]{16})$/.exec(line)?.[1] ?? ""

describe("a simulated dam", () => {
  for (const [shape, seeds] of [
    ["crowded", 6],
    ["ebbing", 20],
    ["still", 10],
    ["calm", 2]
  ] as const) {
    it(`keeps every law in ${seeds} ${shape} worlds`, async () => {
      const lines = await simulate(["--shape", shape, "--seeds", String(seeds)])
      assert.lengthOf(lines, seeds, lines.join("\n"))
      assert.strictEqual(new Set(lines.map(hashIn)).size, seeds)
    })
  }

  it("is the same for the same seed, in another process too", async () => {
    const runs = await Promise.all([1, 2].map(() => simulate(["--seed", "7", "--shape", "ebbing"])))
    const [one = "", other] = runs.map((lines) => hashIn(lines.at(-1)))
    assert.match(one, /^[0-9a-f]{16}$/)
    assert.strictEqual(one, other)
  })

  it("does the same over Node's SQLite, where processes are killed", async () => {
    const args = ["--seed", "1", "--seeds", "2", "--shape", "killed", "--trace"]
    const [one, other] = await Promise.all([simulate(args), simulate(args, { SQLITE: "node" })])
    const events = (lines: ReadonlyArray<string>) => lines.filter((line) => !line.startsWith("seed "))
    assert.isAbove(events(one).length, 2000)
    assert.deepStrictEqual(events(one), events(other))
  })

  it("tells that jobs are forgotten over a restart, and how little is enough for it", async () => {
    const fault = "queues are not woken after a start"
    assert.property(planted, fault)
    const lines = await simulate(["--shape", "ebbing", "--seeds", "30", "--shrink"], { PLANTED: fault })
    assert.include(lines.join("\n"), "every job ends")
    assert.match(lines.at(-2) ?? "", /^every job ends: [1-9] jobs, 0 schedules and [1-4] faults are enough/)
    const [, command = ""] = /^npm run simulate -- (.*) --trace$/.exec(lines.at(-1) ?? "") ?? []
    const again = await simulate(command.split(" "), { PLANTED: fault })
    assert.include(again.join("\n"), "every job ends")
  })
})

import { assert, describe, it } from "@effect/vitest"
import { type Door, wrong } from "./Door.ts"
import { doors } from "./Doors.ts"
import { fuzz } from "./Fuzz.ts"

const named = (name: string): Door => {
  const door = doors.find((one) => one.name === name)
  assert.isDefined(door)
  return door
}

describe("made-up input", () => {
  // millions of them: npm run fuzz
  it.each(doors.map(({ name }) => [name]))("is answered as it should be: %s", (name) => {
    const { answers, findings, inputs } = fuzz(named(name), { seed: 1, inputs: 1500 })
    assert.deepStrictEqual(findings, [])
    assert.strictEqual(inputs, 1500)
    assert.isAbove(answers.size, 1)
  })

  it("is the same for the same seed, and other for another", () => {
    const run = (seed: number) => [...fuzz(named("cron"), { seed, inputs: 400 }).answers]
    assert.deepStrictEqual(run(3), run(3))
    assert.notDeepEqual(run(3), run(4))
  })

  it("finds what breaks, what is wrong and what takes long, and makes it small", () => {
    const words = ["{", "}", "["]
    const breaks: Door = {
      name: "breaks",
      seeds: ['{"a":[1]}'],
      words,
      open: (input) => {
        if (input.includes("[[")) throw new Error("deep")
        return input.startsWith("}") ? wrong("ends before it begins") : "fine"
      }
    }
    const { findings } = fuzz(breaks, { seed: 1, inputs: 4000 })
    assert.sameDeepMembers(
      [...findings],
      [
        { problem: "thrown: Error: deep", input: "[[" },
        { problem: "ends before it begins", input: "}" }
      ]
    )
  })

  it("goes on from what was answered in another way than all before", () => {
    const secret = "abcd"
    const stairs: Door = {
      name: "stairs",
      seeds: ["...."],
      words: [...secret],
      open: (input) => {
        const right = [...secret].findIndex((letter, at) => input[at] !== letter)
        return right < 0 ? wrong("at the top") : `${right} steps up`
      }
    }
    assert.strictEqual(fuzz(stairs, { seed: 1, inputs: 200_000 }).findings[0]?.problem, "at the top")
  })

  it("that once broke something does not do so any more", () => {
    const damaged = { lane: "a.400", step: "{", state: "queued" }
    const row: unknown = JSON.parse(named("stored row").seeds[0] ?? "")
    const { job } = row as { readonly job: object } // it is the seed
    assert.strictEqual(
      named("stored row").open(JSON.stringify({ job: { ...job, ...damaged }, attempts: [] })),
      "a damaged job"
    )
  })
})

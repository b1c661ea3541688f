import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LoadedDueDelivery, toDueDelivery } from "../../../src/dam/rows/DeliveryRows.ts"
import { readUntried } from "../../../src/dam/rows/UntriedDelivery.ts"
import { between } from "../../../src/testing/Generators.ts"

const untried = {
  id: "j:0",
  job_id: "j",
  customer: "c",
  place: 0,
  url: "https://receiver.example/",
  regions: "[]",
  votes: 1,
  lane: "receiver.example:443",
  state: "pending",
  attempts: "[]",
  due_at: 5,
  begun_at: 5,
  spent: 0,
  reason: null,
  dead_at: null,
  terms: null,
  body: Uint8Array.from([1, 2]),
  disabled_reason: null,
  probe_at: null
}

const tried = JSON.stringify([{ at: 1, latency: 2, status: 503, error: null, excerpt: null }])
const columns = Object.keys(untried)
const cells = [null, undefined, 0, 1, 2, 1.5, "", "[]", '["eu"]', tried, "pending", "dead", "failing", untried.body]

/** A row with up to three cells that hold something else. */
const rows = Arbitrary.map(
  Arbitrary.array(Arbitrary.all([between(0, columns.length - 1), between(0, cells.length - 1)]), { maxLength: 3 }),
  (changes) => ({
    ...untried,
    ...Object.fromEntries(changes.map(([column, cell]) => [columns[column] ?? "", cells[cell]]))
  })
)

const decode = Schema.decodeUnknownOption(LoadedDueDelivery)
const bySchema = (row: unknown) => Option.getOrUndefined(Option.map(decode(row), toDueDelivery))

describe("the row of a delivery that was never tried", () => {
  it("is read without the schema, as the schema reads it", () => {
    assert.isDefined(readUntried(untried))
    assert.deepStrictEqual(readUntried(untried), bySchema(untried))
  })

  it.prop("is left to the schema wherever it is another", [rows], ([row]) => {
    const read = readUntried(row)
    if (read !== undefined) assert.deepStrictEqual(read, bySchema(row))
  })

  it.each(["regions", "attempts", "disabled_reason", "state"])("is left to it where its %s differs", (column) => {
    assert.isUndefined(readUntried({ ...untried, [column]: column === "state" ? "dead" : tried }))
  })

  it("is none", () => {
    for (const row of [undefined, null, 1, {}, []]) assert.isUndefined(readUntried(row))
  })
})

import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { type Link, Links } from "../../src/transport/Links.ts"

const Moves = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -20, maximum: 20 })))

describe("links", () => {
  it.prop("hold what was added and not removed, oldest first, as a set does", [Moves], ([moves]) => {
    const [links, set, known] = [new Links<number>(), new Set<number>(), Array<Link<number>>()]
    for (const [index, move] of moves.entries()) {
      const link = move < 0 ? known[-move - 1] : undefined
      if (link === undefined) {
        known.push(links.add(index))
        set.add(index)
      } else assert.strictEqual(links.remove(link), set.delete(link.value))
      assert.deepStrictEqual(links.values(), [...set])
      assert.strictEqual(links.isEmpty, set.size === 0)
      assert.strictEqual(links.oldest?.value, [...set][0])
    }
  })
})

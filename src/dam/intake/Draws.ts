/**
 * Holds what submitted jobs draw on against the limits of the dam: one that nobody has defined would be waited for
 * without end, and a call that costs more than the limit ever holds could never go.
 */
import type * as Schema from "effect/Schema"
import type { Limit } from "../../engine/limits/Limit.ts"
import * as Names from "../../step/Names.ts"
import type { Draw } from "../../step/StepModel.ts"
import { badField, refused, type Refused } from "./Refusal.ts"
import type { TreeNode } from "./Tree.ts"

/** The limits that are defined. */
export interface KnownLimits {
  readonly definition: (name: string) => Limit | undefined
  readonly names: () => ReadonlyArray<string>
}

/** Where a draw was written, for a step that holds what it draws on in an order of its own. */
export type PlaceOf = (node: TreeNode, draw: Draw, index: number) => number

/** Finds the first draw that no dam with these limits can serve. */
export const breachOfDraws = (
  nodes: ReadonlyArray<TreeNode>,
  known: KnownLimits,
  placeOf: PlaceOf = (_node, _draw, index) => index
): Refused | undefined => {
  for (const node of nodes) {
    for (const [index, draw] of node.step.limits.entries()) {
      const limit = known.definition(draw.name)
      const at = () => `${node.at}limits[${placeOf(node, draw, index)}]`
      if (limit === undefined) return unknown(`${at()}.name`, draw.name, known.names())
      if (limit.rate !== undefined && draw.cost > limit.burst) {
        return badField(`${at()}.cost`, `is more than the limit ever holds, which is ${limit.burst}: it could never go`)
      }
    }
  }
  return undefined
}

const unknown = (field: string, name: string, names: ReadonlyArray<string>): Refused => {
  const nearest = Names.nearest(name, names)
  const near = nearest === undefined ? "" : `; the nearest one is ${nearest}`
  return refused(400, "unknown_limit", `${field}: this dam has no such limit${near}`, {
    field,
    extra: nearest === undefined ? {} : { nearest }
  })
}

/** Where draws stand in the body that a tree was read from. */
export const placesIn =
  (body: Schema.Json | undefined, valueAt: (json: Schema.Json | undefined, field: string) => unknown): PlaceOf =>
  ({ at }, { key, name }, index) => {
    const written = valueAt(body, `${at}limits`)
    if (!Array.isArray(written)) return index
    const place = written.findIndex(
      (one: { readonly name?: unknown; readonly key?: unknown }) => one.name === name && (one.key ?? "") === key
    )
    return place < 0 ? index : place
  }

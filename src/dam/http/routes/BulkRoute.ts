/** What the API does with all jobs that a filter finds. */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { type BulkDone, BulkFilter, ReadBulk } from "../../api/BulkShapes.ts"
import { summary } from "../../api/JobShapes.ts"
import { isObject } from "../../intake/Body.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import * as Search from "../../job/Search.ts"
import { type BulkRequest, statesFor } from "../../work/Bulk.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import { readChoice } from "../door/Choice.ts"

/** Makes the handler. */
export const make = (engine: Pick<Engine["Service"], "bulk">, limits: Limits) =>
  Effect.fnUntraced(function* (customer: string, body: Uint8Array): Effect.fn.Return<Answer, Refused> {
    const choice = yield* readChoice(ReadBulk, body, limits)
    const request = yield* requestOf(customer, choice, limits)
    const { action } = choice
    if (choice.dry_run === true) {
      const { counted, examples } = yield* orRefused(engine.bulk.preview(request))
      return answer({
        action,
        dry_run: true,
        jobs: counted.jobs,
        is_exact: counted.isExact,
        skipped: 0,
        examples: examples.map(summary),
        cursor: null
      })
    }
    const { cursor, done, examples, skipped } = yield* orRefused(engine.bulk.run(request))
    return answer({
      action,
      dry_run: false,
      jobs: done,
      is_exact: true,
      skipped,
      examples: examples.map(summary),
      cursor: cursor ?? null
    })
  })

const answer = (done: typeof BulkDone.Encoded): Answer => json(200, done)

const requestOf = Effect.fnUntraced(function* (
  customer: string,
  { action, cursor, filter }: typeof ReadBulk.Type,
  limits: Limits
): Effect.fn.Return<BulkRequest, Refused> {
  if (!isObject(filter)) return yield* badField("filter", "Expected object; an empty one is all jobs")
  const wanted = yield* Effect.mapError(readChoice(BulkFilter, bytesOf(filter), limits), inFilter)
  const possible = statesFor(action)
  const impossible = wanted.status?.find((state) => !possible.includes(state))
  if (impossible !== undefined) {
    return yield* badField(
      "filter.status",
      `Expected ${possible.join(", ")}; ${impossible} jobs cannot be ${words[action]}`
    )
  }
  return {
    action,
    filter: {
      customer,
      states: wanted.status,
      deliveryStates: wanted.delivery_status,
      lane: wanted.lane,
      account: wanted.account,
      parent: wanted.parent,
      rerunOf: wanted.rerun_of,
      order: wanted.order,
      priority: wanted.priority,
      batch: wanted.batch,
      createdFrom: wanted.created_from,
      createdTo: wanted.created_to,
      metadata: wanted.metadata,
      search: wanted.q === undefined ? undefined : Search.parse(wanted.q),
      cursor: cursor ?? undefined
    }
  }
})

const words = { cancel: "cancelled", rerun: "run again", delete: "deleted" }

const inFilter = ({ code, field, problem, status }: Refused): Refused =>
  refused(status, code, `filter.${problem}`, { field: field === undefined ? undefined : `filter.${field}` })

const bytesOf = (value: Schema.Json): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
